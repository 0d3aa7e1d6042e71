use model::{Reason, limits};
use serde_json::json;

use super::*;
use crate::{Capabilities, Elicitation};

fn taken(text: &str) -> Incoming {
    read(&Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

fn outcome(text: &str) -> Outcome {
    let Incoming::Response { outcome, .. } = taken(text) else { panic!("no response") };
    outcome
}

#[test]
fn a_result_is_read_and_kept_as_it_came() {
    let text = r#"{"jsonrpc":"2.0","id":"a","result":{"resultType":"complete","isError":true,"z":1,"content":[]}}"#;
    let Incoming::Response { id, outcome: Outcome::Result { result_type, is_error, raw } } = taken(text) else {
        panic!("no result")
    };
    assert_eq!(id, Some(Id::text("a")));
    assert!(matches!(result_type, ResultType::Complete) && is_error);
    assert_eq!(raw, r#"{"resultType":"complete","isError":true,"z":1,"content":[]}"#);
}

#[test]
fn a_result_without_a_type_is_complete_and_other_types_are_told() {
    let Outcome::Result { result_type: ResultType::Complete, is_error: false, .. } =
        outcome(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#)
    else {
        panic!("not complete")
    };
    let Outcome::Result { result_type: ResultType::Other(other), .. } =
        outcome(r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"task"}}"#)
    else {
        panic!("no other type")
    };
    assert_eq!(other, "task");
}

#[test]
fn questions_are_read() {
    let text = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"s","inputRequests":{
        "who":{"method":"elicitation/create","params":{"mode":"url","url":"https://a.example"}},
        "dirs":{"method":"roots/list"}}}}"#;
    let Outcome::Result { result_type: ResultType::InputRequired { questions, has_state }, .. } = outcome(text) else {
        panic!("no questions")
    };
    assert!(has_state);
    let [who, dirs] = questions.as_slice() else { panic!("{questions:?}") };
    assert_eq!(
        (who.key.as_str(), who.method.as_str(), who.mode.as_deref()),
        ("who", "elicitation/create", Some("url"))
    );
    assert_eq!(who.params.as_deref(), Some(br#"{"mode":"url","url":"https://a.example"}"#.as_slice()));
    assert_eq!((dirs.key.as_str(), dirs.method.as_str(), dirs.params.as_ref()), ("dirs", "roots/list", None));

    let nothing = Capabilities::default();
    assert_eq!(nothing.missing_for(who), Some(json!({ "elicitation": { "url": {} } })));
    assert_eq!(nothing.missing_for(dirs), Some(json!({ "roots": {} })));
    let form = Capabilities { elicitation: Some(Elicitation { form: true, url: false }), ..Capabilities::default() };
    assert!(form.missing_for(who).is_some());
    let url = Capabilities { elicitation: Some(Elicitation { form: false, url: true }), roots: true, ..nothing };
    assert_eq!((url.missing_for(who), url.missing_for(dirs)), (None, None));
    let strange = Question { method: "tools/call".to_owned(), ..dirs.clone() };
    assert!(url.missing_for(&strange).is_some());
}

#[test]
fn errors_and_notifications_are_read() {
    let Incoming::Response { id: None, outcome: Outcome::Error { code, message, .. } } =
        taken(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32602,"message":"no"}}"#)
    else {
        panic!("no error")
    };
    assert_eq!((code, message.as_str()), (-32602, "no"));

    let text = r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:b","progressToken":3,
        "_meta":{"io.modelcontextprotocol/subscriptionId":"s"}}}"#;
    let Incoming::Notification(notification) = taken(text) else { panic!("no notification") };
    assert_eq!(notification.method, "notifications/resources/updated");
    assert_eq!(notification.subscription, Some(Id::text("s")));
    assert_eq!(notification.progress_token, Some(Id::number(3)));
    assert_eq!(notification.uri.as_deref(), Some("a:b"));

    let asked = taken(r#"{"jsonrpc":"2.0","id":5,"method":"sampling/createMessage","params":{}}"#);
    assert!(matches!(asked, Incoming::Request { question, .. } if question.method == "sampling/createMessage"));
}

#[test]
fn what_an_agents_reader_could_read_differently_is_refused() {
    for text in [
        "",
        "[]",
        "null",
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":null,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1.0,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"x","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":[]}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":1}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"isError":"true"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"isError":false,"isError":true}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"Result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"ResultType":"input_required"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":[]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"a":{}}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"a":{"method":"x","Params":{}}}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"a":{"method":"x","params":{"Mode":"url"}}}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1.5,"message":""}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":"x"}"#,
        r#"{"jsonrpc":"2.0","method":"x","params":[]}"#,
        r#"{"jsonrpc":"2.0","method":"x","params":{"uri":1}}"#,
        r#"{"jsonrpc":"2.0","method":"x","params":{"progressToken":{}}}"#,
        r#"{"jsonrpc":"2.0","method":7}"#,
    ] {
        let flaw = read(&Bytes::copy_from_slice(text.as_bytes())).unwrap_err();
        assert_eq!((flaw.refusal.reason, flaw.refusal.hint), (Reason::AnswerRefused, None), "{text}");
    }
}

#[test]
fn questions_are_bounded() {
    let questions = |count: usize| {
        let all =
            (0..count).map(|place| format!(r#""{place}":{{"method":"roots/list"}}"#)).collect::<Vec<_>>().join(",");
        let result = format!(r#"{{"resultType":"input_required","inputRequests":{{{all}}}}}"#);
        read(&format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#).into())
    };
    assert!(questions(limits::QUESTIONS_MAX).is_ok());
    assert!(questions(limits::QUESTIONS_MAX + 1).is_err());
}

#[test]
fn notifications_of_sessions_say_what_they_are_about() {
    let text = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"q","reason":"late"}}"#;
    let Incoming::Notification(notification) = taken(text) else { panic!("no notification") };
    assert_eq!((notification.request, notification.elicitation_id), (Some(Id::text("q")), None));
    let text = r#"{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{"elicitationId":"e"}}"#;
    let Incoming::Notification(notification) = taken(text) else { panic!("no notification") };
    assert_eq!((notification.request, notification.elicitation_id.as_deref()), (None, Some("e")));
    for params in [r#"{"requestId":{}}"#, r#"{"elicitationId":7}"#, r#"{"requestId":1,"RequestId":2}"#] {
        let text = format!(r#"{{"jsonrpc":"2.0","method":"x","params":{params}}}"#);
        assert!(read(&text.into()).is_err(), "{params}");
    }
}

#[test]
fn a_servers_session_is_read_or_refused() {
    let named = |pairs: &[&'static str]| {
        let value = |&id: &&'static str| (header::SESSION_ID, http::HeaderValue::from_static(id));
        session(&pairs.iter().map(value).collect()).map_err(|flaw| flaw.refusal.reason)
    };
    assert_eq!(named(&[]), Ok(None));
    assert_eq!(named(&["abc"]), Ok(Some("abc".to_owned())));
    assert_eq!(named(&["a", "b"]), Err(Reason::AnswerRefused));
    assert_eq!(named(&["a b"]), Err(Reason::AnswerRefused));
}
