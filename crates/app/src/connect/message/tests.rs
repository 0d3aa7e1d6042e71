use serde_json::json;

use super::*;

fn read(text: &'static str) -> Result<Message, Unreadable> {
    Message::read(text.into())
}

#[test]
fn a_request_says_what_its_headers_need() {
    let line = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"refund","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
    let message = read(line).unwrap();
    assert_eq!((message.id(), message.method(), message.name()), (Some(&json!(7)), "tools/call", Some("refund")));
    assert_eq!(message.version(), Some("2026-07-28"));
    let message = read(r#"{"id":"a","method":"resources/read","params":{"uri":"desk://1","name":"x"}}"#).unwrap();
    assert_eq!((message.name(), message.version()), (Some("desk://1"), None));
    assert_eq!(read(r#"{"id":"a","method":"tools/list"}"#).unwrap().name(), None);
}

#[test]
fn notifications_and_responses_are_told_apart() {
    let message = read(r#"{"method":"notifications/cancelled","params":{"requestId":"a"}}"#).unwrap();
    assert_eq!((message.id(), message.cancels()), (None, Some(&json!("a"))));
    for text in [r#"{"id":1,"result":{}}"#, r#"{"id":1,"error":{"code":1,"message":""}}"#] {
        assert_eq!(read(text).unwrap().kind, Kind::Response);
    }
}

#[test]
fn what_cannot_be_carried_is_told_with_its_id_where_it_has_one() {
    for (text, code, id) in [
        ("{", -32700, json!(null)),
        ("hello", -32700, json!(null)),
        ("[]", -32600, json!(null)),
        ("1", -32600, json!(null)),
        ("{}", -32600, json!(null)),
        (r#"{"id":3}"#, -32600, json!(3)),
        (r#"{"id":3,"method":4}"#, -32600, json!(3)),
        (r#"{"id":{},"method":"ping"}"#, -32600, json!(null)),
        (r#"{"id":3,"method":"a","method":"b"}"#, -32600, json!(3)),
    ] {
        let flaw = read(text).unwrap_err();
        assert_eq!((flaw.code, flaw.id), (code, id), "{text}");
    }
}
