use http::{HeaderMap, HeaderName, HeaderValue};
use model::Reason;

use super::*;
use crate::{Request, Said, read};

const SESSION: [(&str, &str); 2] = [("mcp-protocol-version", "2025-11-25"), ("mcp-session-id", "s")];

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let all = SESSION.iter().chain(pairs);
    all.map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect()
}

fn message(method: &str, params: &str) -> Bytes {
    let id = if method.starts_with("notifications/") { "" } else { r#""id":7,"# };
    format!(r#"{{"jsonrpc":"2.0",{id}"method":"{method}","params":{{{params}}}}}"#).into()
}

fn taken(method: &str, params: &str) -> Request {
    match read(&headers(&[]), &message(method, params)).unwrap() {
        Said::Request(request) => *request,
        Said::Response(response) => panic!("{response:?}"),
    }
}

fn reason(pairs: &[(&'static str, &str)], method: &str, params: &str) -> Reason {
    let flaw = read(&headers(pairs), &message(method, params)).unwrap_err();
    assert_eq!(flaw.revision, Some(Revision::V2025_11_25), "{method} {params}");
    flaw.refusal.reason
}

#[test]
fn a_call_in_a_session_needs_neither_metadata_nor_its_headers() {
    let request = taken("tools/call", r#""name":"refund","arguments":{"a":1},"_meta":{"progressToken":0}"#);
    assert_eq!((request.revision, request.session.as_deref()), (Revision::V2025_11_25, Some("s")));
    let arguments = Some(Bytes::from_static(br#"{"a":1}"#));
    assert_eq!(request.subject, Subject::Tool { name: "refund".to_owned(), arguments });
    assert_eq!((request.id, request.meta.progress_token), (Some(Id::number(7)), Some(Id::number(0))));
    assert_eq!(request.task, None);
    let bare = Bytes::from_static(br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    assert!(read(&headers(&[]), &bare).is_ok());
}

#[test]
fn what_only_sessions_have_has_its_subject() {
    let version = "2025-06-18".to_owned();
    let handshake = taken("initialize", r#""protocolVersion":"2025-06-18","capabilities":{}"#);
    assert_eq!(handshake.subject, Subject::Initialize { version });
    let resource = Subject::Resource { uri: "a:b".to_owned() };
    assert_eq!(taken("resources/subscribe", r#""uri":"a:b""#).subject, resource);
    assert_eq!(taken("resources/unsubscribe", r#""uri":"a:b""#).subject, resource);
    assert_eq!(taken("logging/setLevel", r#""level":"notice""#).subject, Subject::LogLevel { level: "notice".into() });
    let request = Id::text("q");
    assert_eq!(taken("notifications/cancelled", r#""requestId":"q""#).subject, Subject::Cancelled { request });
    let token = Id::number(4);
    assert_eq!(taken("notifications/progress", r#""progressToken":4"#).subject, Subject::Progress { token });
    for method in ["ping", "notifications/initialized", "notifications/roots/list_changed", "subscriptions/listen"] {
        assert_eq!(taken(method, "").subject, Subject::None, "{method}");
    }
}

#[test]
fn a_wish_for_a_task_is_seen() {
    let request = taken("tools/call", r#""name":"t","task":{"ttl":60000}"#);
    assert_eq!(request.task.as_deref(), Some(br#"{"ttl":60000}"#.as_slice()));
    assert_eq!(reason(&[], "tools/call", r#""name":"t","task":true"#), Reason::ParamsInvalid);
}

#[test]
fn ill_typed_parameters_are_refused_in_a_session_too() {
    for (method, params) in [
        ("tools/call", ""),
        ("tools/call", r#""name":"t","arguments":[]"#),
        ("resources/subscribe", ""),
        ("resources/unsubscribe", r#""uri":7"#),
        ("logging/setLevel", ""),
        ("logging/setLevel", r#""level":"Notice""#),
        ("logging/setLevel", r#""level":6"#),
        ("notifications/cancelled", ""),
        ("notifications/cancelled", r#""requestId":null"#),
        ("notifications/cancelled", r#""requestId":1.5"#),
        ("notifications/progress", r#""progress":1"#),
        ("initialize", r#""capabilities":{}"#),
        ("initialize", r#""protocolVersion":20251125,"capabilities":{}"#),
        ("initialize", r#""protocolVersion":"","capabilities":{}"#),
    ] {
        assert_eq!(reason(&[], method, params), Reason::ParamsInvalid, "{method} {params}");
    }
    let long = format!(r#""protocolVersion":"{}","capabilities":{{}}"#, "x".repeat(limits::NAME_BYTES_MAX + 1));
    assert_eq!(reason(&[], "initialize", &long), Reason::ParamsInvalid);
}

#[test]
fn keys_in_another_case_are_refused_in_a_session_too() {
    for (method, params) in [
        ("tools/call", r#""name":"t","Name":"u""#),
        ("initialize", r#""protocolVersion":"2025-11-25","capabilities":{},"Capabilities":{"sampling":{}}"#),
        ("notifications/cancelled", r#""requestId":1,"requestID":2"#),
        ("logging/setLevel", r#""level":"info","LEVEL":"debug""#),
        ("resources/subscribe", r#""uri":"a:b","ur\u0131":"c:d""#),
    ] {
        let flaw = read(&headers(&[]), &message(method, params)).unwrap_err();
        assert_eq!(flaw.refusal.reason, Reason::Ambiguous, "{method} {params}");
    }
}

#[test]
fn headers_that_are_there_must_not_lie() {
    let call = r#""name":"refund""#;
    for pairs in [
        &[("mcp-method", "tools/list")][..],
        &[("mcp-method", "Tools/Call")],
        &[("mcp-method", "tools/call"), ("mcp-method", "tools/call")],
        &[("mcp-name", "Refund")],
        &[("mcp-name", "=?base64?b3RoZXI=?=")],
        &[("mcp-method", "tools/call"), ("mcp-name", "refund"), ("mcp-session-id", "t")],
    ] {
        assert_eq!(reason(pairs, "tools/call", call), Reason::HeaderMismatch, "{pairs:?}");
    }
    let agreed = headers(&[("mcp-method", "tools/call"), ("mcp-name", "=?base64?cmVmdW5k?=")]);
    assert!(read(&agreed, &message("tools/call", call)).is_ok());
    assert_eq!(reason(&[("mcp-name", "c:d")], "resources/subscribe", r#""uri":"a:b""#), Reason::HeaderMismatch);
}

#[test]
fn without_a_session_these_methods_are_nothing_in_particular() {
    let meta = concat!(
        r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
        r#""io.modelcontextprotocol/clientCapabilities":{}}"#
    );
    for method in ["logging/setLevel", "resources/subscribe", "notifications/cancelled", "notifications/progress"] {
        let modern = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", method), ("mcp-session-id", "a b")];
        let headers: HeaderMap = modern
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect();
        let Ok(Said::Request(request)) = read(&headers, &message(method, meta)) else { panic!("{method}") };
        assert_eq!((request.subject, request.session), (Subject::None, None), "{method}");
    }
}
