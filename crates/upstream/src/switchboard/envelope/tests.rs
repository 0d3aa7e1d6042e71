use bytes::Bytes;
use wire::answer::{self, Incoming};

use super::{Names, about, answered, notified, number_of, numbered, read};

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn notification(text: &'static str) -> answer::Notification {
    let Incoming::Notification(notification) = answer::read(&bytes(text)).unwrap() else { panic!("{text}") };
    notification
}

#[test]
fn a_request_is_numbered_where_it_names_itself_and_nowhere_else() {
    let body = bytes(r#"{"id" : "a","method":"x","params":{"id":"a","_meta":{"progressToken":"t", "k":"t"}}}"#);
    let names = read(&body).unwrap().unwrap();
    assert_eq!(names, Names { id: r#""a""#.into(), token: Some(r#""t""#.into()) });
    let line = numbered(&body, &names, 12).unwrap();
    assert_eq!(line, r#"{"id" : 12,"method":"x","params":{"id":"a","_meta":{"progressToken":12, "k":"t"}}}"#);
}

#[test]
fn what_wants_no_answer_has_no_names_and_what_is_no_json_is_refused() {
    assert_eq!(read(&bytes(r#"{"method":"notifications/x"}"#)).unwrap(), None);
    assert_eq!(read(&bytes(r#"{"id":1,"result":{}}"#)).unwrap(), None);
    assert!(read(&bytes(r#"{"id":1,"id":2,"method":"x"}"#)).is_err());
}

#[test]
fn an_answer_gets_the_callers_spelling_back() {
    let names = Names { id: r#""\u0041""#.into(), token: None };
    let message = answered(&bytes(r#"{"jsonrpc":"2.0","id":3,"result":{"id":3}}"#), &names).unwrap();
    assert_eq!(message, r#"{"jsonrpc":"2.0","id":"\u0041","result":{"id":3}}"#);
}

#[test]
fn progress_is_told_by_the_callers_token_and_not_at_all_without_one() {
    let text = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":3,"progress":1}}"#;
    let told = notification(text);
    assert_eq!(about(&told), Some(3));
    let with = Names { id: "1".into(), token: Some(r#""t""#.into()) };
    let message = notified(&bytes(text), &told, &with).unwrap();
    assert_eq!(message, text.replace(":3", r#":"t""#));
    assert_eq!(notified(&bytes(text), &told, &Names { id: "1".into(), token: None }), None);
}

#[test]
fn a_notification_that_names_two_calls_is_about_none() {
    let text = r#"{"jsonrpc":"2.0","method":"x","params":{"progressToken":3,"_meta":{"io.modelcontextprotocol/subscriptionId":4}}}"#;
    assert_eq!(about(&notification(text)), None);
    let text = r#"{"jsonrpc":"2.0","method":"x","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":4}}}"#;
    assert_eq!(about(&notification(text)), Some(4));
    assert_eq!(about(&notification(r#"{"jsonrpc":"2.0","method":"x","params":{"progressToken":"3"}}"#)), None);
}

#[test]
fn only_what_looks_like_an_answer_has_a_number() {
    assert_eq!(number_of(&bytes(r#"{"id":3,"result":7}"#)), Some(3));
    for text in [r#"{"id":3,"method":"ping"}"#, r#"{"id":"3","result":{}}"#, r#"{"result":{}}"#, "3", "starting up..."]
    {
        assert_eq!(number_of(&bytes(text)), None, "{text}");
    }
}
