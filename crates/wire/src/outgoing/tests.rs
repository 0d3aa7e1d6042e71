use http::HeaderName;

use super::*;
use crate::{Said, Subject, read};

const MODERN: Revision = Revision::V2026_07_28;
const IN_SESSION: Revision = Revision::V2025_11_25;

fn request(outgoing: &Outgoing) -> Request {
    match read(&outgoing.headers, &outgoing.body).unwrap() {
        Said::Request(request) => *request,
        Said::Response(response) => panic!("{response:?}"),
    }
}

#[test]
fn a_request_of_the_gates_own_reads_back_as_what_it_is() {
    let changes = Changes { tools: true, ..Changes::default() };
    for (outgoing, method) in [
        (discover(&Id::number(1)), "server/discover"),
        (list(MODERN, "tools/list", None, &Id::number(1)), "tools/list"),
        (list(MODERN, "resources/templates/list", Some("a\"b"), &Id::number(1)), "resources/templates/list"),
        (listen(changes, &Id::number(1)), "subscriptions/listen"),
    ] {
        let request = request(&outgoing);
        assert_eq!((request.method.as_str(), request.id), (method, Some(Id::number(1))));
        assert_eq!(outgoing.headers[CONTENT_TYPE], "application/json");
        assert_eq!(outgoing.headers[ACCEPT], "application/json, text/event-stream");
    }
    let listing = list(MODERN, "tools/list", Some("a\"b"), &Id::number(2));
    assert_eq!(request(&listing).cursor.as_deref(), Some("a\"b"));
    let listening = request(&listen(changes, &Id::number(3)));
    assert!(matches!(listening.subject, Subject::Subscription { tools_list_changed: true, .. }));
}

#[test]
fn a_session_is_begun_used_and_ended() {
    let begun = initialize(&Id::number(1), &json!({ "sampling": {} }));
    assert!(!begun.headers.contains_key(header::PROTOCOL_VERSION), "no version is agreed on yet");
    let handshake = request(&begun);
    assert_eq!(handshake.subject, Subject::Initialize { version: "2025-11-25".to_owned() });
    assert!(handshake.meta.client_capabilities.sampling && handshake.meta.client_info.is_some());

    let told = request(&initialized());
    assert_eq!((told.method.as_str(), told.id, told.revision), ("notifications/initialized", None, IN_SESSION));

    let listed = request(&list(IN_SESSION, "tools/list", Some("c"), &Id::number(2)));
    assert_eq!((listed.cursor.as_deref(), listed.meta.client_info), (Some("c"), None));

    let post = session_headers(IN_SESSION, Some("s-1"));
    assert_eq!(post[header::SESSION_ID], "s-1");
    assert_eq!(post[header::PROTOCOL_VERSION], "2025-11-25");
    let head = crate::read_head(&stream_headers(IN_SESSION, Some("s-1"), Some("7"))).unwrap();
    assert_eq!((head.session.as_str(), head.last_event_id.as_deref()), ("s-1", Some("7")));
    assert!(!stream_headers(IN_SESSION, None, None).contains_key(header::SESSION_ID));
}

#[test]
fn a_request_is_taken_back_by_its_id_as_it_was_spelled() {
    for revision in [MODERN, IN_SESSION] {
        let cancelled = cancelled(revision, &Id::text("a\"b"));
        let expected = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"a\"b"}}"#;
        assert_eq!(cancelled.body, expected);
        assert_eq!(request(&cancelled).revision, revision);
    }
}

#[test]
fn nothing_of_a_callers_session_is_sent_on() {
    let arrived = list(IN_SESSION, "tools/list", None, &Id::number(1));
    let mut incoming = arrived.headers.clone();
    for (name, value) in [("mcp-session-id", "s"), ("mcp-param-region", "eu"), ("last-event-id", "3"), ("cookie", "a")]
    {
        incoming.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let request = request(&Outgoing { headers: incoming.clone(), body: arrived.body });
    assert_eq!(request.session.as_deref(), Some("s"));
    let sent = mirror(&request, &incoming);
    let mut names: Vec<_> = sent.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "content-type", "mcp-protocol-version"]);
}

#[test]
fn a_composed_call_names_its_tool_in_the_header() {
    let params = Map::from_iter([("name".to_owned(), Value::from("tööl"))]);
    let outgoing = compose(MODERN, "tools/call", params, &Id::text("x"));
    assert_eq!(outgoing.headers[header::NAME], "=?base64?dMO2w7Zs?=");
    assert!(read(&outgoing.headers, &outgoing.body).is_ok());
}

#[test]
fn only_what_mirrors_the_body_is_sent_on() {
    let params = Map::from_iter([("name".to_owned(), Value::from("t"))]);
    let arrived = compose(MODERN, "tools/call", params, &Id::number(1));
    let mut incoming = arrived.headers.clone();
    for (name, value) in [
        ("authorization", "Bearer secret"),
        ("cookie", "a=b"),
        ("mcp-session-id", "s"),
        ("mcp-paramount", "no"),
        ("x-forwarded-for", "10.0.0.1"),
        ("mcp-param-region", "eu"),
        ("mcp-param-unknown", "kept"),
    ] {
        incoming.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let request = request(&Outgoing { headers: incoming.clone(), body: arrived.body.clone() });
    let sent = mirror(&request, &incoming);
    let mut names: Vec<_> = sent.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    let expected = [
        "accept",
        "content-type",
        "mcp-method",
        "mcp-name",
        "mcp-param-region",
        "mcp-param-unknown",
        "mcp-protocol-version",
    ];
    assert_eq!(names, expected);
    assert!(read(&sent, &arrived.body).is_ok());
}
