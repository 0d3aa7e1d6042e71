//! Messages, of agents and of servers.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use wire::{Id, Revision, Said, Subject, answer, header, outgoing, read};

use crate::TEST_TIME;
use crate::grower::Grower;

#[test]
fn whatever_an_agent_sends_is_read_or_refused() {
    bolero::check!().with_test_time(TEST_TIME).for_each(|bytes: &[u8]| {
        let grown = String::from_utf8_lossy(&Grower::grow(bytes)).into_owned();
        let modern = concat!(
            r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
            r#""io.modelcontextprotocol/clientCapabilities":{}}"#
        );
        for (method, member) in [
            ("tools/call", "arguments"),
            ("tools/call", "name"),
            ("completion/complete", "ref"),
            ("subscriptions/listen", "notifications"),
        ] {
            let name = if member == "name" { "" } else { r#""name":"t","# };
            let body = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{name}"{member}":{grown},{modern}}}}}"#
            );
            let modern = Revision::V2026_07_28;
            let mut headers = outgoing::compose(modern, method, serde_json::Map::new(), &Id::number(1)).headers;
            headers.insert(header::NAME, HeaderValue::from_static("t"));
            check_read(&headers, body.as_bytes());
        }
        check_read(&HeaderMap::new(), grown.as_bytes());
        check_read(&HeaderMap::new(), bytes);
    });
}

#[test]
fn whatever_is_said_in_a_session_is_read_or_refused() {
    bolero::check!().with_test_time(TEST_TIME).for_each(|bytes: &[u8]| {
        let grown = String::from_utf8_lossy(&Grower::grow(bytes)).into_owned();
        let headers = outgoing::session_headers(Revision::V2025_11_25, Some("s"));
        for (method, member) in [
            ("initialize", "capabilities"),
            ("tools/call", "arguments"),
            ("tools/call", "task"),
            ("resources/subscribe", "uri"),
            ("notifications/cancelled", "requestId"),
            ("notifications/progress", "progressToken"),
            ("ping", "_meta"),
        ] {
            let id = if method.starts_with("notifications/") { "" } else { r#""id":1,"# };
            let named = r#""name":"t","protocolVersion":"2025-11-25""#;
            let body =
                format!(r#"{{"jsonrpc":"2.0",{id}"method":"{method}","params":{{{named},"{member}":{grown}}}}}"#);
            check_read(&headers, body.as_bytes());
            // What is said in a session is nothing without one.
            if method != "initialize" {
                assert!(read(&HeaderMap::new(), &Bytes::from(body)).is_err());
            }
        }
        for body in [
            format!(r#"{{"jsonrpc":"2.0","id":1,"result":{grown}}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":1,"error":{grown}}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":{grown},"result":{{}}}}"#),
            grown,
        ] {
            check_read(&headers, body.as_bytes());
            assert!(!matches!(read(&HeaderMap::new(), &Bytes::from(body)), Ok(Said::Response(_))));
        }
        check_read(&headers, bytes);
    });
}

fn check_read(headers: &HeaderMap, body: &[u8]) {
    let body = Bytes::copy_from_slice(body);
    let request = match read(headers, &body) {
        Ok(Said::Request(request)) => request,
        Ok(Said::Response(response)) => {
            assert_eq!((response.revision, &response.body), (Revision::V2025_11_25, &body));
            return;
        }
        Err(_) => return,
    };
    assert_eq!(request.body, body);
    if let Subject::Tool { name, arguments } = &request.subject {
        let theirs: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(theirs["params"]["name"], *name);
        let arguments = arguments.as_deref().map(|raw| serde_json::from_slice::<Value>(raw).unwrap());
        assert_eq!(theirs["params"].get("arguments"), arguments.as_ref());
    }
    // What is sent on must be taken by a server that reads as strictly.
    assert!(read(&outgoing::mirror(&request, headers), &body).is_ok());
}

#[test]
fn whatever_a_server_sends_is_read_or_refused() {
    bolero::check!().with_test_time(TEST_TIME).for_each(|bytes: &[u8]| {
        let grown = String::from_utf8_lossy(&Grower::grow(bytes)).into_owned();
        for text in [
            grown.clone(),
            format!(r#"{{"jsonrpc":"2.0","id":1,"result":{grown}}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":1,"error":{grown}}}"#),
            format!(r#"{{"jsonrpc":"2.0","method":"m","params":{grown}}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{grown}}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":-32042,"message":"m","data":{grown}}}}}"#),
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":-32042,"message":"m","data":{{"elicitations":[{grown}]}}}}}}"#
            ),
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"input_required","inputRequests":{{"q":{grown}}}}}}}"#
            ),
        ] {
            let _ = answer::read(&Bytes::from(text));
        }
        let _ = answer::read(&Bytes::copy_from_slice(bytes));
    });
}
