use std::sync::atomic::{AtomicU64, Ordering};

use model::{Class, Confidence, Finding, Part, Place, Severity};

use super::*;

struct Counted(AtomicU64);

impl Entropy for Counted {
    fn bits(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

fn tokens() -> Tokens {
    let entropy: Arc<dyn Entropy> = Arc::new(Counted(AtomicU64::new(7)));
    Tokens::new(Seal::new(Arc::clone(&entropy)).unwrap(), entropy)
}

fn owner(agent: &str) -> SessionKey {
    SessionKey { agent: agent.parse().unwrap(), user: Some("ana".parse().unwrap()), thread: None }
}

fn finding() -> Finding {
    Finding {
        rule: "personal.email".parse().unwrap(),
        class: "personal".parse::<Class>().unwrap(),
        severity: Severity::Medium,
        confidence: Confidence::High,
        place: Place { pointer: String::new(), part: Part::Value, range: 0..1, decodings: Vec::new() },
    }
}

fn crm() -> Giver {
    Giver::Server("crm".parse().unwrap())
}

fn policies(names: &[&str]) -> BTreeSet<PolicyId> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn token(tokens: &Tokens, owner: &SessionKey, giver: &Giver, text: &str) -> String {
    let finding = finding();
    let taken = Taken { finding: &finding, text, is_number: false };
    tokens.token(owner, giver, &policies(&["p"]), taken, Timestamp(1))
}

/// What arrives at a server of a message with this argument.
fn sent(tokens: &Tokens, owner: &SessionKey, server: &str, argument: &str, may: bool) -> String {
    let text = format!(r##"{{"params":{{"name":"{argument}","arguments":{{"to":"{argument}"}}}}}}"##);
    let server = server.parse().unwrap();
    tokens.for_server(owner, &server, &text, |_| may, Timestamp(2)).unwrap_or(text)
}

#[test]
fn what_a_server_said_goes_back_to_it_and_where_a_policy_says_and_in_arguments_alone() {
    let (tokens, ana) = (tokens(), owner("helper"));
    let placeholder = token(&tokens, &ana, &crm(), "jane@company.org");
    assert!(placeholder.starts_with("[personal.email#") && placeholder.len() == 33, "{placeholder}");
    let arrives = format!(r##"{{"params":{{"name":"{placeholder}","arguments":{{"to":"jane@company.org"}}}}}}"##);
    assert_eq!(sent(&tokens, &ana, "crm", &placeholder, false), arrives);
    assert_eq!(sent(&tokens, &ana, "mail", &placeholder, true), arrives);
    assert!(!sent(&tokens, &ana, "mail", &placeholder, false).contains("jane"));
    assert!(!sent(&tokens, &owner("other"), "crm", &placeholder, true).contains("jane"));
    assert_eq!(tokens.for_caller(&ana, &format!(r##"{{"result":"{placeholder}"}}"##), Timestamp(3)), None);
}

#[test]
fn what_a_caller_said_is_told_to_that_caller_alone() {
    let (tokens, ana) = (tokens(), owner("helper"));
    let placeholder = token(&tokens, &ana, &Giver::Caller, "jane@company.org");
    let answer = format!(r##"{{"result":{{"text":"wrote to {placeholder}"}}}}"##);
    let told = tokens.for_caller(&ana, &answer, Timestamp(2)).unwrap();
    assert_eq!(told, r#"{"result":{"text":"wrote to jane@company.org"}}"#);
    assert_eq!(tokens.for_caller(&owner("other"), &answer, Timestamp(2)), None);
    assert!(!sent(&tokens, &ana, "crm", &placeholder, true).contains("jane"));
}

#[test]
fn the_same_thing_has_one_placeholder_and_the_oldest_is_forgotten() {
    let (tokens, ana) = (tokens(), owner("helper"));
    let first = token(&tokens, &ana, &crm(), "0@company.org");
    assert_eq!(token(&tokens, &ana, &crm(), "0@company.org"), first);
    assert_ne!(token(&tokens, &ana, &Giver::Caller, "0@company.org"), first);
    for number in 1..=limits::TOKENS_PER_CALLER_MAX {
        token(&tokens, &ana, &crm(), &format!("{number}@company.org"));
    }
    assert!(!sent(&tokens, &ana, "crm", &first, false).contains("0@company.org"));
    tokens.sweep(Timestamp(limits::TOKENS_IDLE_MILLISECONDS_MAX + 3));
    assert!(!tokens.knows(&ana));
    assert_eq!(tokens.callers().bytes, 0);
}

#[test]
fn what_is_too_long_is_taken_out_for_good() {
    let (tokens, ana) = (tokens(), owner("helper"));
    assert_eq!(token(&tokens, &ana, &crm(), &"x".repeat(limits::TOKENISED_BYTES_MAX + 1)), "[personal.email]");
    assert!(!tokens.knows(&ana));
}
