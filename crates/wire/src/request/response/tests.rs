use http::{HeaderName, HeaderValue};
use model::Reason;

use super::*;
use crate::answer::ResultType;
use crate::{Said, read};

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

const VERSION: (&str, &str) = ("mcp-protocol-version", "2025-11-25");
const SESSION: (&str, &str) = ("mcp-session-id", "s");

fn taken(text: &'static str) -> Response {
    match read(&headers(&[VERSION, SESSION]), &Bytes::from_static(text.as_bytes())).unwrap() {
        Said::Response(response) => *response,
        Said::Request(request) => panic!("{request:?}"),
    }
}

fn flaw(headers: &HeaderMap, text: &'static str) -> Flaw {
    read(headers, &Bytes::from_static(text.as_bytes())).unwrap_err()
}

#[test]
fn an_answer_to_a_question_is_read() {
    let text = r#"{"jsonrpc":"2.0","id":3,"result":{"action":"accept","content":{"name":"Ana"}}}"#;
    let response = taken(text);
    assert_eq!((response.revision, response.session.as_deref()), (Revision::V2025_11_25, Some("s")));
    assert_eq!((response.id, response.body), (Id::number(3), Bytes::from_static(text.as_bytes())));
    let Outcome::Result { result_type: ResultType::Complete, is_error: false, raw } = response.outcome else {
        panic!("no result")
    };
    assert_eq!(raw, r#"{"action":"accept","content":{"name":"Ana"}}"#);
}

#[test]
fn a_client_that_says_no_is_read() {
    // The code asks for pages only when a server says it.
    let text = r#"{"jsonrpc":"2.0","id":"q","error":{"code":-32042,"message":"no","data":7}}"#;
    let Outcome::Error { code, message, elicitations, raw } = taken(text).outcome else { panic!("no error") };
    assert_eq!((code, message.as_str(), elicitations.len()), (-32042, "no", 0));
    assert_eq!(raw, r#"{"code":-32042,"message":"no","data":7}"#);
}

#[test]
fn a_result_has_no_type_in_a_session() {
    let outcome = taken(r#"{"jsonrpc":"2.0","id":3,"result":{"resultType":"input_required","isError":1}}"#).outcome;
    assert!(matches!(outcome, Outcome::Result { result_type: ResultType::Complete, is_error: false, .. }));
}

#[test]
fn what_is_no_answer_is_refused_without_an_id() {
    let session = headers(&[VERSION, SESSION]);
    for text in [
        r#"{"jsonrpc":"2.0","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":null,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":3,"result":[]}"#,
        r#"{"jsonrpc":"2.0","id":3,"result":null}"#,
        r#"{"jsonrpc":"2.0","id":3,"error":{"code":1}}"#,
        r#"{"jsonrpc":"2.0","id":3,"error":{"code":"1","message":""}}"#,
        r#"{"jsonrpc":"2.0","id":3,"result":{},"error":{"code":1,"message":""}}"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"ping","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":3,"result":{},"params":{}}"#,
        r#"[{"jsonrpc":"2.0","id":3,"result":{}}]"#,
    ] {
        let flaw = flaw(&session, text);
        assert_eq!((flaw.refusal.reason, flaw.id), (Reason::NotJsonRpc, None), "{text}");
    }
    for text in [
        r#"{"jsonrpc":"2.0","id":3,"Result":{}}"#,
        r#"{"jsonrpc":"2.0","id":3,"result":{"action":"decline","Action":"accept"}}"#,
        r#"{"jsonrpc":"2.0","id":3,"result":{"\u017ftopReason":"x"}}"#,
        r#"{"jsonrpc":"2.0","id":3,"error":{"code":1,"message":"","Code":2}}"#,
        r#"{"jsonrpc":"2.0","id":3,"result":{"action":"decline","action":"accept"}}"#,
    ] {
        assert_eq!(flaw(&session, text).refusal.reason, Reason::Ambiguous, "{text}");
    }
}

#[test]
fn only_sessions_have_answers() {
    let text = r#"{"jsonrpc":"2.0","id":3,"result":{}}"#;
    let modern = ("mcp-protocol-version", "2026-07-28");
    for pairs in [&[][..], &[modern], &[modern, SESSION]] {
        assert_eq!(flaw(&headers(pairs), text).refusal.reason, Reason::NotJsonRpc, "{pairs:?}");
    }
    let reason = |pairs: &[(&'static str, &'static str)]| flaw(&headers(pairs), text).refusal.reason;
    assert_eq!(reason(&[("mcp-protocol-version", "2025-06-19")]), Reason::VersionUnsupported);
    assert_eq!(reason(&[VERSION, SESSION, SESSION]), Reason::HeaderMismatch);
    assert_eq!(reason(&[VERSION, ("mcp-session-id", "a b")]), Reason::HeaderMismatch);
    assert_eq!(reason(&[VERSION, SESSION, ("mcp-method", "tools/call")]), Reason::HeaderMismatch);
    assert_eq!(reason(&[VERSION, SESSION, ("mcp-name", "t")]), Reason::HeaderMismatch);
    assert!(read(&headers(&[SESSION]), &Bytes::from_static(text.as_bytes())).is_ok());
    // That it names no session is for the one who knows sessions to refuse.
    let Ok(Said::Response(response)) = read(&headers(&[VERSION]), &Bytes::from_static(text.as_bytes())) else {
        panic!("no response")
    };
    assert_eq!(response.session, None);
}

#[test]
fn a_flaws_words_never_quote_the_answer() {
    let session = headers(&[VERSION, SESSION]);
    for text in [
        r#"{"jsonrpc":"2.0","id":3,"result":{"action":"hunter2","Action":"hunter2"}}"#,
        r#"{"jsonrpc":"2.0","id":3,"error":{"code":"hunter2","message":"hunter2"}}"#,
        r#"{"jsonrpc":"2.0","id":3,"result":"hunter2"}"#,
    ] {
        assert!(!format!("{:?}", flaw(&session, text)).contains("hunter2"), "{text}");
    }
}
