//! What a token says of how it was given, as context; sign-ins that policies ask for; agents that stand between.

use model::{Agent, AgentKind, Authentication, Caller, Challenge, Object, Reason, Timestamp};

use super::{ALLOW, policies, reason};
use crate::fixture::{ask, delegated, tool};
use crate::{Action, Policies};

/// A caller whose token says how it was given.
fn told(acr: Option<&str>, amr: &[&str], actors: &[&str]) -> Caller {
    let actor = |id: &&str| Agent { id: id.parse().expect("an id"), kind: AgentKind::Delegated };
    delegated("helper", "ann", &[]).with(Authentication {
        issuer: Some("https://login.example".into()),
        acr: acr.map(Into::into),
        amr: amr.iter().map(|method| (*method).into()).collect(),
        scopes: ["tickets".into()].into(),
        signed_in: Some(Timestamp(1_000)),
        actors: actors.iter().map(actor).collect(),
        ..Authentication::default()
    })
}

fn lists(policies: &Policies, caller: &Caller) -> Result<(), Reason> {
    let object: Object = tool("erp/get_order");
    ask(policies, caller, Action::List, &object, None).map(|_| ()).map_err(|refusal| refusal.reason)
}

#[test]
fn what_the_token_says_is_context() {
    for (condition, permits) in [
        (r#"context has issuer && context.issuer == "https://login.example""#, true),
        (r#"context has acr && context.acr == "silver""#, true),
        (r#"context has acr && context.acr == "gold""#, false),
        (r#"context.amr.contains("otp")"#, true),
        (r#"context.amr.contains("hwk")"#, false),
        (r#"context.scopes.contains("tickets")"#, true),
        (r#"context.scopes.contains("*")"#, false),
        (r#"context has signed_in && context.now.durationSince(context.signed_in) <= duration("1m")"#, false),
        (r#"context has signed_in && context.now.durationSince(context.signed_in) > duration("1d")"#, true),
    ] {
        let policies = policies(&format!("@id(\"one\") permit(principal, action, resource) when {{ {condition} }};"));
        let answer = lists(&policies, &told(Some("silver"), &["otp", "pwd"], &[]));
        assert_eq!(answer.is_ok(), permits, "{condition}: {answer:?}");
    }
}

#[test]
fn a_token_that_says_nothing_meets_nothing() {
    let text = r#"@id("one") permit(principal, action, resource) when { context has acr || context has issuer };"#;
    assert_eq!(lists(&policies(text), &delegated("helper", "ann", &[])), Err(Reason::PolicyForbids));
}

#[test]
fn a_sign_in_that_a_policy_asks_for_is_told_until_it_is_there() {
    let text =
        format!("{ALLOW}@id(\"strong\") @stepup(\"mfa\") forbid(principal, action == Action::\"call\", resource);");
    let policies = policies(&text);
    let call = |caller: &Caller| ask(&policies, caller, Action::Call, &tool("erp/get_order"), None);
    let refusal = call(&told(Some("silver"), &["pwd"], &[])).expect_err("no second factor");
    assert_eq!(refusal.reason, Reason::StepUpRequired);
    let challenge = Challenge::SignIn { acr: vec!["mfa".to_owned()], age_max: None };
    assert_eq!(refusal.challenge.as_deref(), Some(&challenge));
    assert!(call(&told(Some("mfa"), &[], &[])).is_ok());
    assert!(call(&told(None, &["mfa", "pwd"], &[])).is_ok());
    assert_eq!(reason(call(&delegated("helper", "ann", &[]))), Reason::StepUpRequired);
}

#[test]
fn a_sign_in_stands_in_for_no_approval() {
    let text = format!(
        "{ALLOW}@id(\"both\") @stepup(\"mfa\") @approval(\"chiefs\") forbid(principal, action == Action::\"call\", resource);"
    );
    let policies = policies(&text);
    for caller in [told(None, &["mfa"], &[]), told(None, &[], &[])] {
        assert_eq!(
            reason(ask(&policies, &caller, Action::Call, &tool("erp/get_order"), None)),
            Reason::ObligationUnmet
        );
    }
}

#[test]
fn every_agent_of_a_chain_needs_its_permit() {
    let text = r#"
@id("h") permit(principal == Agent::"helper", action, resource);
@id("r") permit(principal == Agent::"router", action, resource);
@id("u") permit(principal is User, action, resource);"#;
    let permissive = policies(text);
    assert_eq!(lists(&permissive, &told(None, &[], &[])), Ok(()));
    assert_eq!(lists(&permissive, &told(None, &[], &["router"])), Ok(()));
    assert_eq!(lists(&permissive, &told(None, &[], &["stranger"])), Err(Reason::PolicyForbids));
    assert_eq!(lists(&permissive, &told(None, &[], &["router", "stranger"])), Err(Reason::PolicyForbids));
    let strict = policies(&format!("{text}\n@id(\"n\") forbid(principal == Agent::\"router\", action, resource);"));
    assert_eq!(lists(&strict, &told(None, &[], &[])), Ok(()));
    assert_eq!(lists(&strict, &told(None, &[], &["router"])), Err(Reason::PolicyForbids));
}
