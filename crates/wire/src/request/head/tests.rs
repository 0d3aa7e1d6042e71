use http::{HeaderName, HeaderValue};

use super::*;

fn read(pairs: &[(&'static str, &str)]) -> Result<Head, Reason> {
    let pair = |&(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    read_head(&pairs.iter().map(pair).collect()).map_err(|flaw| flaw.refusal.reason)
}

const VERSION: (&str, &str) = ("mcp-protocol-version", "2025-11-25");
const SESSION: (&str, &str) = ("mcp-session-id", "a!~Z.0-_");

#[test]
fn the_session_and_the_last_event_are_read() {
    let head = Head { revision: Revision::V2025_11_25, session: SESSION.1.to_owned(), last_event_id: None };
    assert_eq!(read(&[VERSION, SESSION]), Ok(head.clone()));
    assert_eq!(read(&[SESSION]), Ok(head.clone()));
    let last_event_id = Some("3-17".to_owned());
    assert_eq!(read(&[VERSION, SESSION, ("last-event-id", " 3-17 ")]), Ok(Head { last_event_id, ..head }));
}

#[test]
fn without_a_session_there_is_nothing_to_get() {
    assert_eq!(read(&[]), Err(Reason::MethodNotAllowed));
    assert_eq!(read(&[("mcp-protocol-version", "2026-07-28")]), Err(Reason::MethodNotAllowed));
    assert_eq!(read(&[("mcp-protocol-version", "2026-07-28"), SESSION]), Err(Reason::MethodNotAllowed));
    assert_eq!(read(&[("last-event-id", "1")]), Err(Reason::MethodNotAllowed));
    assert_eq!(read(&[VERSION]), Err(Reason::SessionMissing));
    assert_eq!(read(&[("mcp-protocol-version", "2025-06-19"), SESSION]), Err(Reason::VersionUnsupported));
}

#[test]
fn malformed_and_repeated_headers_are_refused() {
    let long = "x".repeat(limits::SESSION_ID_BYTES_MAX + 1);
    for session in ["", " ", "a b", "a\tb", "ä", "\u{80}", long.as_str()] {
        assert_eq!(read(&[VERSION, ("mcp-session-id", session)]), Err(Reason::HeaderMismatch), "{session}");
    }
    assert!(read(&[VERSION, ("mcp-session-id", &"x".repeat(limits::SESSION_ID_BYTES_MAX))]).is_ok());
    assert_eq!(read(&[VERSION, SESSION, SESSION]), Err(Reason::HeaderMismatch));
    assert_eq!(read(&[VERSION, VERSION, SESSION]), Err(Reason::HeaderMismatch));
    let event = ("last-event-id", "1");
    assert_eq!(read(&[VERSION, SESSION, event, event]), Err(Reason::HeaderMismatch));
    let long = "x".repeat(limits::EVENT_ID_BYTES_MAX + 1);
    for id in ["", "ä", long.as_str()] {
        assert_eq!(read(&[VERSION, SESSION, ("last-event-id", id)]), Err(Reason::HeaderMismatch), "{id}");
    }
}
