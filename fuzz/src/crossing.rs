//! Messages that cross from one era into the other.

use bytes::Bytes;
use serde_json::Value;
use wire::answer::{self, Incoming};
use wire::bridge::{self, Input, Introduction};
use wire::{Id, Request, Revision, Said, outgoing, read};

use crate::json_of;
use crate::messages::fitting;

/// Methods of both eras that a client's request may cross with.
const CROSSING: [&str; 8] = [
    "tools/call",
    "tools/list",
    "prompts/get",
    "prompts/list",
    "resources/read",
    "resources/list",
    "resources/templates/list",
    "completion/complete",
];
const OWN_ID: i64 = 7_000_001;

/// What crosses is taken on the other side, under the gate's id, and asks or says the same. The first byte says what is
/// carried: `>` a request of 2026-07-28, `<` one of a session, anything else a server's answer.
pub(crate) fn bridge(bytes: &[u8]) {
    let Some((kind, text)) = bytes.split_first() else { return };
    let body = Bytes::from(json_of(text).into_owned());
    match kind {
        b'>' => to_session(&body),
        b'<' => from_session(&body),
        _ => answered(&body),
    }
}

fn request(headers: &http::HeaderMap, body: &Bytes) -> Option<Request> {
    match read(headers, body) {
        Ok(Said::Request(request)) if request.id.is_some() && CROSSING.contains(&request.method.as_str()) => {
            Some(*request)
        }
        Ok(Said::Request(_) | Said::Response(_)) | Err(_) => None,
    }
}

fn to_session(body: &Bytes) {
    let Some(asked) = request(&fitting(body), body) else { return };
    let carried = bridge::to_legacy(body, &Id::number(OWN_ID)).expect("what was read can cross");
    same_question(&asked, body, &carried);
    let headers = outgoing::session_headers(Revision::NEWEST_LEGACY, Some("s"));
    assert!(request(&headers, &carried).is_some(), "a strict server of sessions takes it");
}

fn from_session(body: &Bytes) {
    let headers = outgoing::session_headers(Revision::NEWEST_LEGACY, Some("s"));
    let Some(asked) = request(&headers, body) else { return };
    let said = Introduction {
        capabilities: r#"{"elicitation":{}}"#.to_owned(),
        client_info: Some(r#"{"name":"c","version":"1"}"#.to_owned()),
        log_level: Some("info".to_owned()),
    };
    let answers = [("q\"1".to_owned(), Bytes::from_static(br#"{"action":"decline"}"#))];
    let input = Input { responses: &answers, state: Some(r#""\u0073tate""#) };
    let own = Id::number(OWN_ID);
    let inputs = [None, (asked.method == "tools/call").then_some(input)];
    for input in inputs {
        let carried = bridge::to_modern(body, &own, &asked.method, asked.name(), &said, input);
        let carried = carried.expect("what was read can cross");
        same_question(&asked, body, &carried.body);
        assert!(request(&carried.headers, &carried.body).is_some(), "a strict server of 2026-07-28 takes it");
    }
}

fn same_question(asked: &Request, before: &Bytes, after: &Bytes) {
    let (said, digest) = (before, |body| bridge::digest(&asked.method, body));
    let before: Value = serde_json::from_slice(before).expect("JSON");
    let bare = Bytes::from(format!(r#"{{"method":{:?},"params":{{}}}}"#, asked.method));
    // What has no parameters is given empty ones, because 2026-07-28 puts something into them.
    let said = if before.get("params").is_some() { said } else { &bare };
    assert_eq!(digest(said), digest(after), "it asks the same");
    let after: Value = serde_json::from_slice(after).expect("JSON");
    assert_eq!((&after["id"], &after["method"]), (&Value::from(OWN_ID), &Value::from(asked.method.as_str())));
}

fn answered(message: &Bytes) {
    let Ok(Incoming::Response { .. }) = answer::read(message) else { return };
    let own = Id::number(OWN_ID);
    for method in ["tools/call", "tools/list", "resources/read"] {
        let both = [bridge::answer_to_modern(message, &own, method), bridge::answer_to_legacy(message, &own, method)];
        for carried in both {
            let carried = carried.expect("what was read can cross");
            let Ok(Incoming::Response { id, .. }) = answer::read(&carried) else {
                panic!("what crossed is no answer any more");
            };
            assert_eq!(id, Some(own.clone()));
            let strip = |bytes: &Bytes| {
                let mut said: Value = serde_json::from_slice(bytes).expect("JSON");
                for key in ["resultType", "ttlMs", "cacheScope"] {
                    drop(said["result"].as_object_mut().and_then(|result| result.remove(key)));
                }
                drop(said.as_object_mut().and_then(|said| said.remove("id")));
                drop(said["error"].as_object_mut().and_then(|error| error.remove("code")));
                said
            };
            assert_eq!(strip(&carried), strip(message), "it says the same");
        }
    }
}
