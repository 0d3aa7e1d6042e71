use bytes::Bytes;
use model::limits;
use serde_json::{Map, Value, json};

use crate::callouts::interceptors::payload::Payload;

const CALL: &str = r#"{"jsonrpc":"2.0", "id":1, "method":"tools/call", "params":{"name":"t", "arguments":{"a":1.00}, "_meta":{"k":"v"}}}"#;
const ANSWER: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":true,"_meta":{"k":"v"}}}"#;

fn put(text: &str, change: impl FnOnce(&mut Map<String, Value>)) -> Result<Option<String>, &'static str> {
    let payload = Payload::of(serde_json::from_str(text).unwrap()).unwrap();
    let mut made = payload.members.clone();
    change(&mut made);
    let back = payload.put_back(&Bytes::copy_from_slice(text.as_bytes()), &made)?;
    Ok(back.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()))
}

#[test]
fn arguments_change_and_every_other_byte_stays() {
    let put_back = put(CALL, |made| drop(made.insert("arguments".to_owned(), json!({ "a": 2 }))));
    assert_eq!(put_back.unwrap().unwrap(), CALL.replace(r#"{"a":1.00}"#, r#"{"a":2}"#));
    assert_eq!(put(CALL, |_| ()).unwrap(), None);
    assert_eq!(put(CALL, |made| drop(made.remove("arguments"))).unwrap().unwrap().find("arguments"), None);
}

#[test]
fn what_a_call_is_about_does_not_change() {
    for (member, value) in
        [("name", json!("other")), ("_meta", json!({})), ("inputResponses", json!({})), ("uri", json!("u"))]
    {
        assert!(put(CALL, |made| drop(made.insert(member.to_owned(), value))).is_err(), "{member}");
    }
    assert!(put(CALL, |made| drop(made.remove("name"))).is_err());
    let long = Value::from("x".repeat(limits::CALLOUT_BYTES_MAX));
    assert!(put(CALL, |made| drop(made.insert("arguments".to_owned(), long))).is_err());
}

#[test]
fn an_answer_stays_of_its_kind() {
    let put_back =
        put(ANSWER, |made| drop(made.insert("content".to_owned(), json!([{ "type": "text", "text": "t" }]))));
    assert!(put_back.unwrap().unwrap().contains(r#"[{"type":"text","text":"t"}],"isError":true,"_meta":{"k":"v"}"#));
    for (member, value) in [("isError", json!(false)), ("resultType", json!("task")), ("requestState", json!("s"))] {
        assert!(put(ANSWER, |made| drop(made.insert(member.to_owned(), value))).is_err(), "{member}");
    }
}

#[test]
fn notifications_and_errors_have_no_payload() {
    for text in [r#"{"method":"m","params":{}}"#, r#"{"id":1,"error":{"code":1}}"#, "[]", r#"{"id":1,"method":"m"}"#] {
        assert!(Payload::of(serde_json::from_str(text).unwrap()).is_none(), "{text}");
    }
}
