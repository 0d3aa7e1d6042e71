use model::Reason;
use serde_json::{Value, json};

use super::*;
use crate::fixture::{ask, autonomous, compile, delegated, endpoint, tool, vocabulary};
use crate::{Source, Vocabulary};

mod against_cedar;
mod signed_in;

const ALLOW: &str = "@id(\"all\") permit(principal, action, resource);\n";

fn policies(text: &str) -> Policies {
    compile(text).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

/// What happens when Ann's agent refunds with these arguments, under `forbids` and a permit for all.
fn refund(forbids: &str, arguments: &Value) -> Result<Permit, Refusal> {
    let policies = policies(&format!("{ALLOW}{forbids}"));
    ask(&policies, &delegated("helper", "ann", &[]), Action::Call, &tool("erp/refund_order"), Some(arguments))
}

fn reason(answer: Result<Permit, Refusal>) -> Reason {
    answer.expect_err("it must refuse").reason
}

const OVER_500: &str = r#"@id("limit") @message("refunds are limited to 500")
forbid(principal, action == Action::"call", resource == Tool::"erp/refund_order") when { context.arguments.amount > 500 };"#;

#[test]
fn without_a_policy_the_answer_is_no() {
    let refusal = ask(&policies(""), &autonomous("job"), Action::Call, &tool("erp/get_order"), None).expect_err("no");
    assert_eq!(refusal.reason, Reason::PolicyForbids);
    assert_eq!(refusal.hint, None);
    assert_eq!(
        refusal.detail,
        r#"no policy permits Agent::"job" to call Tool::"erp/get_order" through the endpoint `finance`"#
    );
}

#[test]
fn a_permit_names_the_policies_that_gave_it() {
    let permit = refund(OVER_500, &json!({"order": "a", "amount": 500})).expect("permitted");
    assert_eq!(permit.policies().iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["all"]);
}

#[test]
fn a_permit_lasts_where_no_policy_that_applies_reads_arguments_or_the_time() {
    assert!(!refund(OVER_500, &json!({"order": "a", "amount": 500})).expect("permitted").lasts());
    let of_another = OVER_500.replace("refund_order", "get_order").replace("amount > 500", "order == \"b\"");
    assert!(refund(&of_another, &json!({"order": "a", "amount": 500})).expect("permitted").lasts());
}

#[test]
fn a_refusal_tells_the_policys_message_and_the_operator_its_id() {
    let refusal = refund(OVER_500, &json!({"order": "a", "amount": 501})).expect_err("over the limit");
    assert_eq!(refusal.reason, Reason::PolicyForbids);
    assert_eq!(refusal.hint.as_deref(), Some("refunds are limited to 500"));
    assert_eq!(refusal.policies.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["limit"]);
    assert!(refusal.detail.starts_with("policy `limit` forbids "), "{}", refusal.detail);
}

#[test]
fn one_hundred_and_one_hundred_point_zero_are_one_amount() {
    let exactly = r#"forbid(principal, action == Action::"call", resource == Tool::"erp/refund_order")
        when { context.arguments.amount == 100 };"#;
    for spelling in ["100", "100.0", "1e2", "1.00E+2"] {
        let arguments = serde_json::from_str(&format!(r#"{{"order": "a", "amount": {spelling}}}"#)).expect("json");
        assert_eq!(reason(refund(exactly, &arguments)), Reason::PolicyForbids, "{spelling}");
    }
}

#[test]
fn a_forbid_that_errors_refuses() {
    let sum = r#"@id("sum") forbid(principal, action == Action::"call", resource == Tool::"erp/refund_order")
        when { context.arguments.amount + 1 < 0 };"#;
    let refusal = refund(sum, &json!({"order": "a", "amount": i64::MAX})).expect_err("an overflow");
    assert_eq!(refusal.reason, Reason::PolicyError);
    assert!(refusal.detail.contains("policy `sum`: a whole number grows beyond 64 bits"), "{}", refusal.detail);
    assert_eq!(refusal.policies.len(), 1);
    refund(sum, &json!({"order": "a", "amount": 1})).expect("no error, no refusal");
}

/// Forbids of one scope, which are asked together while none of them has anything to say.
const TOGETHER: &str = r#"
@id("over") forbid(principal, action == Action::"call", resource == Tool::"erp/refund_order") when { context.arguments.amount > 500 };
@id("sum") forbid(principal, action == Action::"call", resource == Tool::"erp/refund_order") when { context.arguments.amount + 1 < 0 };
@id("odd") forbid(principal, action == Action::"call", resource == Tool::"erp/refund_order") when { context.arguments.amount == 601 };
@id("theirs") forbid(principal is User, action == Action::"call", resource == Tool::"erp/refund_order") when { context.arguments.amount == 7 };
@id("approved") @approval("managers") forbid(principal, action == Action::"call", resource == Tool::"erp/refund_order") when { context.arguments.amount == 8 };"#;

#[test]
fn policies_asked_together_are_told_one_by_one_as_soon_as_any_speaks() {
    let refused = |amount: i64| {
        let refusal = refund(TOGETHER, &json!({"order": "a", "amount": amount})).expect_err("it must refuse");
        let policies: Vec<String> = refusal.policies.iter().map(ToString::to_string).collect();
        (refusal.reason, policies.join(" "))
    };
    refund(TOGETHER, &json!({"order": "a", "amount": 6})).expect("nothing is said");
    assert_eq!(refused(501), (Reason::PolicyForbids, "over".to_owned()));
    assert_eq!(refused(601), (Reason::PolicyForbids, "odd over".to_owned()));
    assert_eq!(refused(7), (Reason::PolicyForbids, "theirs".to_owned()));
    assert_eq!(refused(8), (Reason::ObligationUnmet, "approved".to_owned()));
    assert_eq!(refused(i64::MAX), (Reason::PolicyError, "sum".to_owned()));
}

#[test]
fn silence_of_what_moves_does_not_hide_what_stands_still() {
    let still = format!("{TOGETHER} @id(\"never\") forbid(principal is User, action, resource);");
    let refusal = refund(&still, &json!({"order": "a", "amount": 6})).expect_err("never");
    assert_eq!((refusal.reason, refusal.policies.len()), (Reason::PolicyForbids, 1));
    assert!(refusal.detail.starts_with("policy `never` forbids User::\"ann\""), "{}", refusal.detail);
}

#[test]
fn a_required_argument_that_is_missing_refuses() {
    assert_eq!(reason(refund(OVER_500, &json!({"order": "a"}))), Reason::PolicyError);
    assert_eq!(reason(refund(OVER_500, &json!({"order": "a", "amount": null}))), Reason::PolicyError);
}

#[test]
fn an_argument_wrapped_in_a_list_refuses() {
    let shadow = r#"forbid(principal, action == Action::"call", resource == Tool::"erp/refund_order")
        when { context.arguments has path && context.arguments.path like "/etc/*" };"#;
    let call = |path: Value| refund(shadow, &json!({"order": "a", "amount": 1, "path": path}));
    assert_eq!(reason(call(json!("/etc/shadow"))), Reason::PolicyForbids);
    assert_eq!(reason(call(json!(["/etc/shadow"]))), Reason::PolicyError);
    assert_eq!(reason(call(json!({"__extn": {"fn": "decimal", "arg": "1.0"}}))), Reason::PolicyError);
    call(json!("/home/ann")).expect("elsewhere");
    call(json!(null)).expect("null is absent");
}

#[test]
fn an_entity_escape_in_an_argument_is_no_entity() {
    let admin = r#"permit(principal, action == Action::"list", resource);
        @id("who") forbid(principal, action == Action::"call", resource == Tool::"erp/refund_order")
        when { context.arguments has customer && context.arguments.customer.email == "admin@example.com" };"#;
    let call = |customer: Value| refund(admin, &json!({"order": "a", "amount": 1, "customer": customer}));
    let escape = json!({"__entity": {"type": "User", "id": "admin"}});
    assert_eq!(reason(call(escape.clone())), Reason::PolicyError);
    assert_eq!(reason(call(json!({"email": escape}))), Reason::PolicyError);
    assert_eq!(reason(call(json!({"email": "admin@example.com"}))), Reason::PolicyForbids);
    call(json!({"email": "ann@example.com"})).expect("someone else");
}

#[test]
fn a_number_no_policy_can_compare_exactly_refuses_only_where_it_is_read() {
    let rate = r#"forbid(principal, action == Action::"call", resource == Tool::"erp/refund_order")
        when { context.arguments has rate && context.arguments.rate.greaterThan(decimal("0.5")) };"#;
    let call = |rate: Value, policy| refund(policy, &json!({"order": "a", "amount": 1, "rate": rate}));
    call(json!(0.5), rate).expect("at the limit");
    call(json!(0), rate).expect("a whole number is a decimal");
    assert_eq!(reason(call(json!(0.5001), rate)), Reason::PolicyForbids);
    assert_eq!(reason(call(json!(1), rate)), Reason::PolicyForbids);
    let refusal = call(json!(0.12345), rate).expect_err("five places");
    assert_eq!(refusal.reason, Reason::PolicyError);
    assert_eq!(refusal.policies.len(), 1);
    assert!(!refusal.detail.contains("0.12345"), "values stay out of texts: {}", refusal.detail);
    assert_eq!(reason(call(json!(1e300), rate)), Reason::PolicyError);
    call(json!(0.12345), OVER_500).expect("nothing that applies reads it");
}

#[test]
fn a_whole_number_beyond_64_bits_refuses_where_it_is_read() {
    assert_eq!(reason(refund(OVER_500, &json!({"order": "a", "amount": u64::MAX}))), Reason::PolicyError);
    assert_eq!(reason(refund(OVER_500, &json!({"order": "a", "amount": 1e19}))), Reason::PolicyError);
}

#[test]
fn an_argument_the_schema_does_not_declare_refuses_where_a_policy_asks_for_it() {
    let amounts = r#"forbid(principal, action == Action::"call", resource is Tool in Server::"erp")
        when { context.arguments has amount && context.arguments.amount > 500 };"#;
    let policies = policies(&format!("{ALLOW}{amounts}"));
    let call =
        |arguments: Value| ask(&policies, &autonomous("job"), Action::Call, &tool("erp/get_order"), Some(&arguments));
    assert_eq!(reason(call(json!({"order": "a", "amount": 501}))), Reason::PolicyError);
    call(json!({"order": "a"})).expect("it has none");
}

#[test]
fn a_set_and_a_record_are_read_as_such() {
    let tagged = r#"forbid(principal, action == Action::"call", resource == Tool::"erp/refund_order")
        when { context.arguments has tags && context.arguments.tags.contains("vip") };"#;
    let call = |tags: Value| refund(tagged, &json!({"order": "a", "amount": 1, "tags": tags}));
    assert_eq!(reason(call(json!(["new", "vip"]))), Reason::PolicyForbids);
    assert_eq!(reason(call(json!("vip"))), Reason::PolicyError);
    assert_eq!(reason(call(json!(["new", 1]))), Reason::PolicyError);
    call(json!([])).expect("no tags");
}

#[test]
fn an_agents_permit_does_not_reach_its_user_nor_the_reverse() {
    let caller = delegated("helper", "ann", &["sales"]);
    let call = |text: &str| ask(&policies(text), &caller, Action::Call, &tool("erp/get_order"), None);
    let agent = r#"permit(principal == Agent::"helper", action, resource);"#;
    let user = r#"permit(principal in Group::"sales", action, resource);"#;
    let refusal = call(agent).expect_err("the user has none");
    assert!(refusal.detail.contains(r#"User::"ann""#), "{}", refusal.detail);
    let refusal = call(user).expect_err("the agent has none");
    assert!(refusal.detail.contains(r#"Agent::"helper""#), "{}", refusal.detail);
    assert_eq!(call(&format!("{agent}{user}")).expect("both").policies().len(), 2);
    let forbids_user = r#"forbid(principal == User::"ann", action, resource);"#;
    assert_eq!(reason(call(&format!("{ALLOW}{forbids_user}"))), Reason::PolicyForbids);
}

#[test]
fn an_autonomous_agent_needs_only_its_own_permit_and_has_no_user() {
    let text = r#"permit(principal == Agent::"job", action, resource) unless { context has user };"#;
    ask(&policies(text), &autonomous("job"), Action::Call, &tool("erp/get_order"), None).expect("its own permit");
    let users = r#"permit(principal is User, action, resource);"#;
    assert_eq!(
        reason(ask(&policies(users), &autonomous("job"), Action::Call, &tool("erp/get_order"), None)),
        Reason::PolicyForbids
    );
}

#[test]
fn how_an_agent_works_and_through_which_endpoint_is_context() {
    let text = r#"permit(principal, action, resource)
        when { context.agent.kind == "delegated" && context.agent.assurance == "development"
            && context.endpoint == Endpoint::"finance" && context has user && context.user in Group::"sales" };"#;
    ask(&policies(text), &delegated("helper", "ann", &["sales"]), Action::Call, &tool("erp/get_order"), None)
        .expect("all true");
    assert_eq!(
        reason(ask(&policies(text), &delegated("helper", "ann", &[]), Action::Call, &tool("erp/get_order"), None)),
        Reason::PolicyForbids
    );
}

#[test]
fn connect_is_about_the_endpoint() {
    let policies = policies(r#"permit(principal, action == Action::"connect", resource == Endpoint::"finance");"#);
    let (endpoint, other) = (endpoint(), "other".parse().expect("name"));
    let caller = delegated("helper", "ann", &[]);
    let connect = |endpoint| {
        let target = Target::Endpoint(endpoint);
        policies.decide(&Question {
            action: Action::Connect,
            caller: &caller,
            endpoint,
            target,
            arguments: None,
            findings: None,
            now: Timestamp(0),
        })
    };
    connect(&endpoint).expect("this one");
    assert_eq!(reason(connect(&other)), Reason::PolicyForbids);
}

const APPROVAL: &str = r#"@id("big") @message("big refunds need a manager") @approval("managers")
forbid(principal is User, action == Action::"call", resource == Tool::"erp/refund_order") when { context.arguments.amount > 500 };
@id("fresh") @stepup("mfa")
forbid(principal is Agent, action == Action::"call", resource == Tool::"erp/refund_order") when { context.arguments.amount > 900 };"#;

#[test]
fn an_obligation_that_applies_refuses_and_says_what_it_asks_for() {
    refund(APPROVAL, &json!({"order": "a", "amount": 500})).expect("it does not apply");
    let refusal = refund(APPROVAL, &json!({"order": "a", "amount": 501})).expect_err("a manager must approve");
    assert_eq!(refusal.reason, Reason::ObligationUnmet);
    assert_eq!(
        refusal.hint.as_deref(),
        Some("big refunds need a manager: it needs an approval by managers, and this gate cannot ask for one yet")
    );
}

#[test]
fn the_obligations_of_both_principals_are_told_together() {
    let refusal = refund(APPROVAL, &json!({"order": "a", "amount": 901})).expect_err("both");
    assert_eq!(refusal.policies.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["big", "fresh"]);
    let hint = refusal.hint.expect("a hint");
    assert!(hint.contains("an approval by managers") && hint.contains("a fresh sign-in with mfa"), "{hint}");
}

#[test]
fn an_obligation_never_stands_in_for_a_permit_nor_hides_a_forbid() {
    let hard = r#"@id("never") forbid(principal, action == Action::"call", resource == Tool::"erp/refund_order");"#;
    assert_eq!(
        reason(refund(&format!("{APPROVAL}{hard}"), &json!({"order": "a", "amount": 901}))),
        Reason::PolicyForbids
    );
    let policies = policies(APPROVAL);
    let arguments = json!({"order": "a", "amount": 901});
    let answer =
        ask(&policies, &delegated("helper", "ann", &[]), Action::Call, &tool("erp/refund_order"), Some(&arguments));
    assert_eq!(reason(answer), Reason::PolicyForbids);
}

#[test]
fn an_error_in_an_obligation_refuses() {
    let sum = r#"@approval("managers") forbid(principal, action == Action::"call", resource == Tool::"erp/refund_order")
        when { context.arguments.amount + 1 < 0 };"#;
    assert_eq!(reason(refund(sum, &json!({"order": "a", "amount": i64::MAX}))), Reason::PolicyError);
}

#[test]
fn the_time_is_asked_anew_each_time() {
    let text = format!(
        r#"{ALLOW} forbid(principal, action, resource) when {{ context.now >= datetime("2026-11-21T12:00:00.000Z") }};"#
    );
    let policies = policies(&text);
    let (endpoint, caller, object) = (endpoint(), autonomous("job"), tool("erp/get_order"));
    let at = |now| {
        let target = Target::Object(&object);
        policies.decide(&Question {
            action: Action::Call,
            caller: &caller,
            endpoint: &endpoint,
            target,
            arguments: None,
            findings: None,
            now: Timestamp(now),
        })
    };
    // 2026-11-21T12:00:00Z.
    const NOON: u64 = 1_795_262_400_000;
    assert!(!at(NOON - 1).expect("before").lasts());
    assert_eq!(reason(at(NOON)), Reason::PolicyForbids);
    at(NOON - 1).expect("before");
    assert_eq!(reason(at(u64::MAX)), Reason::PolicyError);
}

#[test]
fn what_depends_on_nothing_that_moves_is_foreseen_and_agrees_with_what_is_decided() {
    let text = r#"
        permit(principal, action, resource in Server::"erp");
        forbid(principal, action == Action::"list", resource == Tool::"erp/get_order");
        permit(principal, action == Action::"list", resource == Tool::"crm/find") when { context.now >= datetime("2026-01-01") };
    "#;
    let (policies, caller, place) = (policies(text), delegated("helper", "ann", &[]), endpoint());
    let seen = |object: &str| {
        let object = tool(object);
        let (target, now) = (Target::Object(&object), Timestamp(1_800_000_000_000));
        let question = Question {
            action: Action::List,
            caller: &caller,
            endpoint: &place,
            target,
            arguments: None,
            findings: None,
            now,
        };
        let (foreseen, again) = (policies.foresee(&question), policies.foresee(&question));
        assert_eq!(foreseen, again);
        let among = [tool("erp/another"), object.clone(), object.clone()];
        let each = policies.foresee_each(Action::List, &caller, &place, &among);
        assert_eq!(each, [Foreseen::Permitted, foreseen, foreseen]);
        (foreseen, policies.decide(&question).is_ok())
    };
    assert_eq!(seen("erp/refund_order"), (Foreseen::Permitted, true));
    assert_eq!(seen("erp/get_order"), (Foreseen::Refused, false));
    assert_eq!(seen("hr/salaries"), (Foreseen::Refused, false));
    assert_eq!(seen("crm/find"), (Foreseen::Depends, true));
}

#[test]
fn arguments_of_a_tool_nobody_knows_cannot_be_judged() {
    let text = r#"permit(principal, action, resource);
        forbid(principal, action == Action::"call", resource is Tool) when { context.arguments has amount };"#;
    let source = Source { file: "a.cedar".to_owned(), text: text.to_owned() };
    let policies = Policies::compile(&[source], &Vocabulary { endpoints: Vec::new(), servers: vocabulary().servers })
        .expect("loads");
    assert_eq!(
        reason(ask(&policies, &autonomous("job"), Action::Call, &tool("erp/unheard"), Some(&json!({})))),
        Reason::PolicyError
    );
}

#[test]
fn a_second_answer_is_the_same_as_the_first() {
    let policies = policies(&format!("{ALLOW}{OVER_500}"));
    let caller = delegated("helper", "ann", &[]);
    for _ in 0..3 {
        for (amount, permitted) in [(1, true), (501, false)] {
            let arguments = json!({"order": "a", "amount": amount});
            let answer = ask(&policies, &caller, Action::Call, &tool("erp/refund_order"), Some(&arguments));
            assert_eq!(answer.is_ok(), permitted);
        }
        ask(&policies, &caller, Action::List, &tool("erp/refund_order"), None).expect("listed");
        ask(&policies, &caller, Action::List, &tool("erp/unheard"), None).expect("listed by the same policy");
    }
}

/// What is said of a call of Ann's agent in which inspection saw these classes, under `forbids` and a permit for all.
fn seen(
    forbids: &str,
    classes: &[&str],
    complete: bool,
) -> (Result<Permit, Refusal>, Result<BTreeSet<String>, Refusal>) {
    let policies = policies(&format!("{ALLOW}{forbids}"));
    let finding = |class: &&str| model::Finding {
        rule: "test.rule".parse().expect("rule id"),
        class: class.parse().expect("class"),
        severity: model::Severity::High,
        confidence: model::Confidence::High,
        place: model::Place { pointer: String::new(), part: model::Part::Value, range: 0..1, decodings: Vec::new() },
    };
    let findings = Findings::new(&classes.iter().map(finding).collect::<Vec<_>>(), complete);
    let (caller, endpoint, object) = (delegated("helper", "ann", &[]), endpoint(), tool("erp/get_order"));
    let arguments = json!({"order": "a"});
    let question = Question {
        action: Action::Call,
        caller: &caller,
        endpoint: &endpoint,
        target: Target::Object(&object),
        arguments: Some(&arguments),
        findings: Some(&findings),
        now: Timestamp(1_795_000_000_000),
    };
    (policies.decide(&question), policies.remedies(&question).map(|remedies| remedies.redact))
}

const NO_SECRETS: &str = r#"@id("secrets") forbid(principal, action == Action::"call", resource)
    when { context.findings.classes.contains("secret") || !context.findings.complete };"#;

#[test]
fn a_policy_forbids_by_what_inspection_saw() {
    assert!(seen(NO_SECRETS, &[], true).0.is_ok());
    assert!(seen(NO_SECRETS, &["personal"], true).0.is_ok());
    assert_eq!(reason(seen(NO_SECRETS, &["personal", "secret"], true).0), Reason::PolicyForbids);
    assert_eq!(reason(seen(NO_SECRETS, &[], false).0), Reason::PolicyForbids);
}

#[test]
fn a_policy_that_asks_what_is_in_a_message_refuses_one_that_nobody_looked_at() {
    let policies = policies(&format!("{ALLOW}{NO_SECRETS}"));
    let refused = ask(&policies, &delegated("helper", "ann", &[]), Action::Call, &tool("erp/get_order"), None);
    assert_eq!(reason(refused), Reason::PolicyError);
}

const REDACTED: &str = r#"@redact("personal") forbid(principal, action == Action::"call", resource);"#;

#[test]
fn a_redaction_is_asked_for_until_nothing_of_its_class_is_left() {
    let (decided, redactions) = seen(REDACTED, &["personal", "payment"], true);
    assert_eq!(reason(decided), Reason::ObligationUnmet);
    assert_eq!(redactions.expect("only a redaction is missing"), BTreeSet::from(["personal".to_owned()]));
    assert!(seen(REDACTED, &["payment"], true).0.is_ok());
    // What was not wholly looked at may hold more of it.
    assert_eq!(reason(seen(REDACTED, &[], false).0), Reason::ObligationUnmet);
}

#[test]
fn a_redaction_stands_in_for_nothing_else() {
    let approval = format!("{REDACTED} @approval(\"boss\") forbid(principal, action == Action::\"call\", resource);");
    assert_eq!(seen(&approval, &["personal"], true).1.expect_err("an approval").reason, Reason::ObligationUnmet);
    let forbidden = format!("{REDACTED} forbid(principal, action == Action::\"call\", resource);");
    assert_eq!(seen(&forbidden, &["personal"], true).1.expect_err("a forbid").reason, Reason::PolicyForbids);
}

/// What is said of the release of an answer that was labelled so, and is of so many bytes.
fn released(forbid: &str, findings: &Findings) -> (Result<Permit, Refusal>, Result<BTreeSet<String>, Refusal>) {
    let policies = policies(&format!("{ALLOW}{forbid}"));
    let (caller, endpoint, object) = (delegated("helper", "ann", &[]), endpoint(), tool("erp/get_order"));
    let question = Question {
        action: Action::Release,
        caller: &caller,
        endpoint: &endpoint,
        target: Target::Object(&object),
        arguments: None,
        findings: Some(findings),
        now: Timestamp(1_795_000_000_000),
    };
    (policies.decide(&question), policies.remedies(&question).map(|remedies| remedies.label))
}

#[test]
fn a_label_is_met_by_the_gates_own_and_by_no_other() {
    let labelled = r#"@label("untrusted") forbid(principal, action == Action::"release", resource);"#;
    let plain = Findings::new(&[], true);
    let (decided, labels) = released(labelled, &plain);
    assert_eq!(reason(decided), Reason::ObligationUnmet);
    assert_eq!(labels.expect("only a label is missing"), BTreeSet::from(["untrusted".to_owned()]));
    assert_eq!(reason(released(labelled, &plain.clone().labelled(["trusted".to_owned()])).0), Reason::ObligationUnmet);
    let untrusted = plain.clone().labelled(["untrusted".to_owned()]);
    assert!(released(labelled, &untrusted).0.is_ok());
    // Of two parts both have to be labelled.
    assert_eq!(reason(released(labelled, &untrusted.and(&plain)).0), Reason::ObligationUnmet);
}

#[test]
fn a_message_of_which_nobody_said_how_large_it_is_is_too_large() {
    let flood = r#"forbid(principal, action == Action::"release", resource) when { context.findings.bytes > 1000 };"#;
    let plain = Findings::new(&[], true);
    assert_eq!(reason(released(flood, &plain).0), Reason::PolicyForbids);
    assert!(released(flood, &plain.clone().sized(1000)).0.is_ok());
    let both = plain.clone().sized(600).and(&plain.sized(600));
    assert_eq!(reason(released(flood, &both).0), Reason::PolicyForbids);
}

#[test]
fn a_class_of_tools_is_named_like_a_server() {
    let no_memory =
        "@id(\"no-memory\") forbid(principal, action == Action::\"call\", resource in ToolClass::\"memory\");";
    let policies = policies(&format!("{ALLOW}{no_memory}"));
    let caller = delegated("helper", "ann", &[]);
    let arguments = json!({"order": "a"});
    assert!(ask(&policies, &caller, Action::Call, &tool("erp/get_order"), Some(&arguments)).is_ok());
    let refused = ask(&policies, &caller, Action::Call, &tool("crm/find_customer"), None);
    assert_eq!(reason(refused), Reason::PolicyForbids);
    assert_eq!(policies.summaries().pop().expect("a policy").warnings, Vec::<String>::new());
    let misspelt =
        compile("forbid(principal, action == Action::\"call\", resource in ToolClass::\"memroy\");").expect("it loads");
    assert!(!misspelt.summaries()[0].warnings.is_empty());
}
