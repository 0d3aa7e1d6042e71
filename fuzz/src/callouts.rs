//! What detectors and interceptors of the customer's own answer.

use bytes::Bytes;
use serde_json::Value;
use wire::json::{self, Bounds};

use crate::{json_of, line_and_rest};

#[path = "../../crates/gateway/src/callouts/answer.rs"]
mod answer;
#[path = "../../crates/gateway/src/callouts/interceptors/payload.rs"]
mod payload;
#[path = "../../crates/gateway/src/callouts/interceptors/read.rs"]
mod read;

use payload::{Payload, Phase};
use read::Kind;

/// What a detector finds is in the message that it was asked about, is of its own name, and is nothing that only the gate says.
/// The input is the message, a line break and the answer.
pub(crate) fn callout(bytes: &[u8]) {
    let (message, body) = line_and_rest(bytes);
    let message = json_of(message);
    let Ok(text) = std::str::from_utf8(&message) else { return };
    let Ok(findings) = answer::read("own", &json_of(body), text) else { return };
    assert!(findings.len() <= model::limits::CALLOUT_FINDINGS_MAX);
    let value: Value = if findings.is_empty() { Value::Null } else { serde_json::from_str(text).unwrap() };
    for finding in &findings {
        let rule = finding.rule.as_str();
        assert!(rule == "callout.own" || rule.starts_with("callout.own."), "{rule}");
        assert!(!finding.class.is_reserved(), "{finding:?}");
        let found = value.pointer(&finding.place.pointer).expect("it points into the message");
        assert_eq!(finding.place.range, 0..found.as_str().map_or(0, str::len));
    }
    if !findings.is_empty() && serde_json::from_str::<Value>(text).is_ok() {
        // What cannot be taken out is refused; what can leaves JSON.
        if let Some(left) = inspect::redact(text, &findings, |_| true) {
            serde_json::from_str::<Value>(&left).expect("what is left is JSON");
        }
    }
}

/// What a mutator makes of a message is a message about the same thing, and changes nothing but what is its to change. The
/// input is the message, a line break and the result of the mutator; the result is also read as a listing and a verdict.
pub(crate) fn interceptor(bytes: &[u8]) {
    let (message, result) = line_and_rest(bytes);
    let (message, result) = (Bytes::from(json_of(message).into_owned()), json_of(result));
    let wanted = [("scrub".to_owned(), Kind::Mutation)];
    if let Ok(listed) = read::listed(&result, &wanted) {
        assert!(listed.iter().all(|one| one.name == "scrub" && one.kind == Kind::Mutation));
        for one in &listed {
            let _ = (one.acts, one.fail_open, one.hooks("tools/call", Phase::Request));
            assert!(one.order(Phase::Response) == one.order(Phase::Response));
        }
    }
    let _ = read::validated(&result).map(|verdict| verdict.level());
    let Ok(Some(made)) = read::mutated(&result) else { return };
    if json::check(&message, &Bounds::MESSAGE).is_err() {
        return;
    }
    let Ok(before) = serde_json::from_slice::<Value>(&message) else { return };
    let Some(payload) = Payload::of(before.clone()) else { return };
    let Ok(Some(changed)) = payload.put_back(&message, &made) else { return };
    assert!(changed.len() <= model::limits::CALLOUT_BYTES_MAX);
    json::check(&changed, &Bounds::MESSAGE).expect("what was made is strict JSON");
    let mut after: Value = serde_json::from_slice(&changed).unwrap();
    let mut before = before;
    let its_own: &[&str] = match payload.phase {
        Phase::Request => &["arguments"],
        Phase::Response => &["content", "structuredContent", "messages", "contents", "description"],
    };
    let member = if payload.phase.as_str() == "request" { "params" } else { "result" };
    for value in [&mut before, &mut after] {
        let members = value[member].as_object_mut().unwrap();
        its_own.iter().for_each(|own| drop(members.remove(*own)));
    }
    assert_eq!(before, after);
}
