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
