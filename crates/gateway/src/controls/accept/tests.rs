use http::Request;

use super::*;

fn doors() -> Doors {
    Doors::new(vec!["127.0.0.1:8600".into(), "localhost:8600".into()], vec!["https://console.example".into()])
}

fn asked(change: impl FnOnce(http::request::Builder) -> http::request::Builder) -> Result<EndpointName, Reason> {
    let request = Request::post("/support/mcp").header(HOST, "localhost:8600").header(CONTENT_TYPE, "application/json");
    let (head, ()) = change(request).body(()).unwrap().into_parts();
    run(&doors(), &head).map(|accepted| accepted.endpoint).map_err(|refusal| refusal.reason)
}

#[test]
fn a_request_to_an_endpoint_is_accepted() {
    assert_eq!(asked(|request| request).unwrap().as_str(), "support");
    assert!(asked(|request| request.header(ACCEPT, "application/json, text/event-stream")).is_ok());
    assert!(asked(|request| request.header(ORIGIN, "https://console.example")).is_ok());
    assert!(asked(|request| request.header(ORIGIN, "http://localhost:8600")).is_ok());
}

#[test]
fn a_rebound_name_is_refused() {
    let head = |host: &str| Request::post("/support/mcp").header(HOST, host).body(()).unwrap().into_parts().0;
    for host in ["evil.example", "localhost", "localhost:8600.evil.example", "localhost:8601", ""] {
        assert_eq!(run(&doors(), &head(host)).err().unwrap().reason, Reason::HostUnknown, "{host}");
    }
    assert_eq!(asked(|request| request.header(HOST, "localhost:8600")), Err(Reason::HostUnknown), "two hosts");
    let line = asked(|request| request.uri("http://evil.example/support/mcp"));
    assert_eq!(line, Err(Reason::HostUnknown), "another host in the request line");
    assert!(asked(|request| request.uri("http://localhost:8600/support/mcp")).is_ok());
    for origin in ["https://evil.example", "null", "http://localhost", "http://localhost:8600.evil.example"] {
        assert_eq!(asked(|request| request.header(ORIGIN, origin)), Err(Reason::OriginRefused), "{origin}");
    }
}

#[test]
fn only_endpoints_are_here_and_only_post_is_served() {
    for path in ["/", "/mcp", "/support", "/support/mcp/", "/Support/mcp", "/a/b/mcp", "/support/mcp?token=x"] {
        assert_eq!(asked(|request| request.uri(path)), Err(Reason::PathUnknown), "{path}");
    }
    for method in [Method::GET, Method::DELETE, Method::PUT, Method::OPTIONS] {
        assert_eq!(asked(|request| request.method(method)), Err(Reason::MethodNotAllowed));
    }
}

#[test]
fn other_media_types_and_declared_giants_are_refused() {
    assert_eq!(asked(|request| request.header(CONTENT_TYPE, "text/plain")), Err(Reason::MediaTypeRefused));
    assert_eq!(asked(|request| request.header(ACCEPT, "text/html")), Err(Reason::MediaTypeRefused));
    assert_eq!(asked(|request| request.header(ACCEPT, "application/json")), Err(Reason::MediaTypeRefused));
    assert!(asked(|request| request.header(ACCEPT, "*/*")).is_ok());
    assert_eq!(asked(|request| request.header(http::header::CONTENT_LENGTH, "99999999")), Err(Reason::TooLarge));
}

#[test]
fn the_oldest_clients_have_addresses_of_their_own() {
    let verb = |method: Method, uri: &str, kind: &str| {
        let request = Request::builder().method(method).uri(uri).header(HOST, "localhost:8600");
        let (head, ()) = request.header(CONTENT_TYPE, kind).body(()).unwrap().into_parts();
        run(&doors(), &head).map(|accepted| accepted.verb).map_err(|refusal| refusal.reason)
    };
    let json = "application/json";
    let say = |handle: &str| Ok(Verb::Say(handle.to_owned()));
    assert_eq!(verb(Method::GET, "/support/sse", json), Ok(Verb::Open));
    assert_eq!(verb(Method::POST, "/support/messages?session=abc", json), say("abc"));
    for none in ["", "?", "?session", "?token=x", "?a=b&session=abc"] {
        assert_eq!(verb(Method::POST, &format!("/support/messages{none}"), json), say(""), "{none}");
    }
    assert_eq!(verb(Method::POST, "/support/messages?session=abc&a=b", json), say("abc&a=b"), "no handle is like that");
    assert_eq!(verb(Method::POST, &format!("/support/messages?session={}", "x".repeat(2_000)), json), say(""));
    assert_eq!(verb(Method::POST, "/support/messages?session=abc", "text/plain"), Err(Reason::MediaTypeRefused));
    assert_eq!(verb(Method::GET, "/support/sse?session=abc", json), Err(Reason::PathUnknown));
    for (method, path) in [
        (Method::POST, "/support/sse"),
        (Method::DELETE, "/support/sse"),
        (Method::GET, "/support/messages?session=abc"),
        (Method::DELETE, "/support/messages?session=abc"),
    ] {
        assert_eq!(verb(method, path, json), Err(Reason::MethodNotAllowed), "{path}");
    }
}
