//! What an endpoint asks of a caller beyond who it is: `[authentication]` of its manifest, and of the agent's how well it must
//! be known.

use model::{Assurance, Authentication, Caller, Challenge, Reason, Refusal, Timestamp};
use registry::manifest::Demands;

use crate::snapshot::{Door, Snapshot};

/// Looks at each demand; what can be mended by asking for another token comes last, so that one challenge says it all.
pub(super) fn run(snapshot: &Snapshot, door: &Door, caller: &Caller, now: Timestamp) -> Result<(), Refusal> {
    let demands = &door.endpoint.manifest.authentication;
    let asked = demands.assurance.unwrap_or(Assurance::Development).max(snapshot.agents.demanded(caller));
    if caller.assurance < asked {
        return Err(unknown_well_enough(caller, asked));
    }
    if !signed_in(demands, &caller.authentication, now) {
        let acr = demands.acr.iter().map(ToString::to_string).collect();
        let hint = sentence(demands);
        let refusal = Refusal::new(Reason::StepUpRequired, format!("the endpoint asks for {hint}"));
        return Err(refusal
            .with_hint(hint)
            .with_challenge(Challenge::SignIn { acr, age_max: demands.max_age_seconds }));
    }
    let has = |scope: &str| caller.authentication.scopes.iter().any(|own| **own == *scope);
    if demands.scopes.iter().all(|scope| has(scope.as_str())) {
        return Ok(());
    }
    // All of them at once, those that it has too: the next token is to have them all (MCP 2026-07-28, authorization).
    let scopes: Vec<String> = demands.scopes.iter().map(ToString::to_string).collect();
    let detail = format!("the endpoint asks for the scopes {}", scopes.join(" "));
    Err(Refusal::new(Reason::ScopeMissing, detail).with_challenge(Challenge::Scopes(scopes)))
}

fn unknown_well_enough(caller: &Caller, asked: Assurance) -> Refusal {
    let (has, asked_for) = (caller.assurance.as_str(), asked.as_str());
    let detail = format!("the agent is known as {has}, and {asked_for} is asked for");
    let refusal = Refusal::new(Reason::StepUpRequired, detail);
    match asked {
        Assurance::KeyBound => refusal
            .with_hint("the token must be bound to a key that the agent proves to hold (DPoP)")
            .with_challenge(Challenge::Proof { error: "invalid_token", nonce: None }),
        Assurance::MutualTls => refusal
            .with_hint(
                "the token must be bound to a certificate of the agent's, over a connection that was made with it",
            )
            .with_challenge(Challenge::Certificate),
        Assurance::Attested => refusal
            .with_hint("somebody who is trusted must vouch for the agent's software when it asks for its token")
            .with_challenge(Challenge::Proof { error: "invalid_token", nonce: None }),
        Assurance::Development | Assurance::Public => {
            refusal.with_hint(format!("the agent must be known as {asked_for}"))
        }
    }
}

/// Whether the person signed in as is asked for. An agent that works for nobody never did.
fn signed_in(demands: &Demands, told: &Authentication, now: Timestamp) -> bool {
    let is = |own: Option<&str>, asked: &str| own == Some(asked);
    let class = demands.acr.is_empty() || demands.acr.iter().any(|acr| is(told.acr.as_deref(), acr.as_str()));
    let methods = demands.amr.iter().all(|method| told.amr.iter().any(|own| **own == *method.as_str()));
    let fresh = demands.max_age_seconds.is_none_or(|seconds| {
        let age = told.signed_in.map(|at| now.milliseconds_since(at));
        age.is_some_and(|age| age <= seconds.saturating_mul(1_000))
    });
    class && methods && fresh
}

/// What is asked for, for people.
fn sentence(demands: &Demands) -> String {
    let listed = |lines: &[registry::manifest::Line]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut asked = Vec::new();
    if !demands.acr.is_empty() {
        asked.push(format!("a sign-in of class {}", listed(&demands.acr).join(" or ")));
    }
    if !demands.amr.is_empty() {
        asked.push(format!("a sign-in with {}", listed(&demands.amr).join(" and ")));
    }
    if let Some(seconds) = demands.max_age_seconds {
        asked.push(format!("a sign-in within the last {seconds} seconds"));
    }
    asked.join(", ")
}
