use model::limits;
use serde_json::{Value, json};

use crate::callouts::interceptors::payload::Phase;
use crate::callouts::interceptors::read::{Kind, Level, listed, mutated, validated};

fn wanted(kind: Kind) -> Vec<(String, Kind)> {
    vec![("scrub".to_owned(), kind)]
}

fn listing(more: &Value) -> Vec<u8> {
    let mut one = json!({
        "name": "scrub", "version": "1", "type": "mutation", "hook": { "events": ["tools/call"], "phase": "request" },
    });
    if let (Value::Object(one), Value::Object(more)) = (&mut one, more) {
        one.extend(more.clone());
    }
    json!({ "interceptors": [{ "name": "other" }, one] }).to_string().into_bytes()
}

#[test]
fn what_is_listed_as_something_else_is_not_asked() {
    assert!(listed(&listing(&json!({})), &wanted(Kind::Mutation)).is_ok());
    for (more, kind) in [
        (json!({}), Kind::Validation),
        (json!({ "type": "observer" }), Kind::Mutation),
        (json!({ "hook": { "events": [], "phase": "both" } }), Kind::Mutation),
        (json!({ "hook": { "events": ["*"], "phase": "later" } }), Kind::Mutation),
        (json!({ "mode": "sometimes" }), Kind::Mutation),
        (json!({ "failOpen": "yes" }), Kind::Mutation),
        (json!({ "priorityHint": "first" }), Kind::Mutation),
        (json!({ "compat": { "minProtocol": "2027-01-01" } }), Kind::Mutation),
        (json!({ "compat": { "maxProtocol": "2025-11-25" } }), Kind::Mutation),
        (json!({ "name": "else" }), Kind::Mutation),
    ] {
        assert!(listed(&listing(&more), &wanted(kind)).is_err(), "{more}");
    }
    let mut twice: Value = serde_json::from_slice(&listing(&json!({}))).unwrap();
    twice["interceptors"][0] = twice["interceptors"][1].clone();
    assert!(listed(twice.to_string().as_bytes(), &wanted(Kind::Mutation)).is_err());
    let many = json!({ "interceptors": vec![json!({ "name": "x" }); limits::INTERCEPTORS_LISTED_MAX + 1] }).to_string();
    assert!(listed(many.as_bytes(), &[]).is_err());
    assert!(listed(br#"{"interceptors":[],"nextCursor":"2"}"#, &[]).is_err());
}

#[test]
fn an_interceptor_hooks_what_it_says() {
    let of = |events: &Value, phase: &str| {
        let text = listing(&json!({ "hook": { "events": events, "phase": phase } }));
        listed(&text, &wanted(Kind::Mutation)).unwrap().remove(0)
    };
    assert!(of(&json!(["tools/call"]), "request").hooks("tools/call", Phase::Request));
    assert!(!of(&json!(["tools/call"]), "request").hooks("tools/call", Phase::Response));
    assert!(!of(&json!(["tools/c*"]), "both").hooks("tools/call", Phase::Request));
    assert!(of(&json!(["tools/*"]), "both").hooks("tools/call", Phase::Response));
    assert!(!of(&json!(["prompts/*", "tools"]), "both").hooks("tools/call", Phase::Response));
    assert!(of(&json!(["*"]), "response").hooks("resources/read", Phase::Response));
}

#[test]
fn lower_priorities_come_first_and_names_break_ties() {
    let of =
        |hint: &Value| listed(&listing(&json!({ "priorityHint": hint })), &wanted(Kind::Mutation)).unwrap().remove(0);
    let rank = |hint: &Value, phase| of(hint).order(phase);
    assert!(rank(&json!(-5), Phase::Request) < rank(&json!(0), Phase::Request));
    assert!(rank(&json!(-7.5), Phase::Request) < rank(&json!(-7), Phase::Request));
    assert!(rank(&json!(2), Phase::Request) < rank(&json!(10), Phase::Request));
    let each = json!({ "request": 1, "response": -1 });
    assert!(rank(&each, Phase::Response) < rank(&each, Phase::Request));
}

#[test]
fn what_says_of_nothing_how_grave_it_is_is_grave() {
    let level = |text: &str| validated(text.as_bytes()).unwrap().level();
    assert_eq!(level(r#"{"valid":true,"severity":"error"}"#), None);
    assert_eq!(level(r#"{"valid":false}"#), Some(Level::Error));
    assert_eq!(level(r#"{"valid":false,"severity":"warn","messages":[{"message":"m"}]}"#), Some(Level::Warn));
    for text in ["{}", r#"{"valid":"true"}"#, r#"{"valid":true,"severity":"dire"}"#, "[]", r#"{"valid":1}"#] {
        assert!(validated(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn what_is_changed_says_into_what() {
    assert_eq!(mutated(br#"{"modified":false,"payload":{"a":1}}"#).unwrap(), None);
    assert!(mutated(br#"{"modified":true,"payload":{"a":1}}"#).unwrap().is_some());
    for text in [r#"{"modified":true}"#, r#"{"modified":true,"payload":[]}"#, r#"{"payload":{}}"#, "{}"] {
        assert!(mutated(text.as_bytes()).is_err(), "{text}");
    }
}
