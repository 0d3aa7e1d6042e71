use model::Reason;
use serde_json::json;

use crate::Id;
use crate::answer::{Incoming, Outcome, Question, read};

fn asked(text: &str) -> Option<(Id, Question)> {
    match read(&text.to_owned().into()).unwrap() {
        Incoming::Request { id, question } => Some((id, question)),
        Incoming::Response { .. } | Incoming::Notification(_) => None,
    }
}

fn pages(data: &str) -> Result<Vec<Question>, Reason> {
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":-32042,"message":"m"{data}}}}}"#);
    let incoming = read(&text.into()).map_err(|flaw| flaw.refusal.reason)?;
    let Incoming::Response { outcome: Outcome::Error { elicitations, .. }, .. } = incoming else { panic!("no error") };
    Ok(elicitations)
}

#[test]
fn a_question_of_a_servers_own_is_read() {
    let params = concat!(
        r#"{"mode":"url","elicitationId":"e-1","url":"https://a.example/","message":"m","#,
        r#""_meta":{"progressToken":9}}"#
    );
    let text = format!(r#"{{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{params}}}"#);
    let (id, question) = asked(&text).unwrap();
    assert_eq!((id, question.key.as_str(), question.method.as_str()), (Id::text("q"), "", "elicitation/create"));
    assert_eq!((question.mode.as_deref(), question.elicitation_id.as_deref()), (Some("url"), Some("e-1")));
    assert_eq!((question.progress_token, question.params.as_deref()), (Some(Id::number(9)), Some(params.as_bytes())));

    let (id, ping) = asked(r#"{"jsonrpc":"2.0","id":0,"method":"ping"}"#).unwrap();
    assert_eq!((id, ping.method.as_str(), ping.params), (Id::number(0), "ping", None));
}

#[test]
fn questions_that_could_be_read_in_two_ways_are_refused() {
    for text in [
        r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"roots/list","params":[]}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"mode":"form","Mode":"url"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"url":"https://a.example","URL":"https://b.example"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"mode":7}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"elicitationId":7}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"elicitationId":""}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"progressToken":{}}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"ProgressToken":1}}}"#,
    ] {
        let flaw = read(&text.to_owned().into()).unwrap_err();
        assert_eq!(flaw.refusal.reason, Reason::AnswerRefused, "{text}");
    }
}

#[test]
fn pages_that_an_error_wants_opened_are_questions() {
    let page = r#"{"mode":"url","elicitationId":"e-1","url":"https://a.example/","message":"m"}"#;
    let found = pages(&format!(r#","data":{{"x":1,"elicitations":[{page}]}}"#)).unwrap();
    let [question] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((question.method.as_str(), question.mode.as_deref()), ("elicitation/create", Some("url")));
    assert_eq!((question.elicitation_id.as_deref(), question.params.as_deref()), (Some("e-1"), Some(page.as_bytes())));
    let needed = crate::Capabilities::default().missing_for(question);
    assert_eq!(needed, Some(json!({ "elicitation": { "url": {} } })));
}

#[test]
fn an_error_that_wants_pages_names_each() {
    let page = |members: &str| format!(r#","data":{{"elicitations":[{{{members}}}]}}"#);
    for data in [
        String::new(),
        r#","data":null"#.to_owned(),
        r#","data":[]"#.to_owned(),
        r#","data":{}"#.to_owned(),
        r#","data":{"elicitations":{}}"#.to_owned(),
        r#","data":{"elicitations":[]}"#.to_owned(),
        r#","data":{"elicitations":["https://a.example"]}"#.to_owned(),
        r#","data":{"Elicitations":[]}"#.to_owned(),
        page(r#""mode":"url","url":"https://a.example""#),
        page(r#""elicitationId":"e","url":"https://a.example""#),
        page(r#""mode":"form","elicitationId":"e""#),
        page(r#""mode":"url","elicitationId":"e","ElicitationId":"f""#),
    ] {
        assert_eq!(pages(&data).unwrap_err(), Reason::AnswerRefused, "{data}");
    }
    let many = vec![r#"{"mode":"url","elicitationId":"e"}"#; model::limits::QUESTIONS_MAX + 1].join(",");
    assert!(pages(&format!(r#","data":{{"elicitations":[{many}]}}"#)).is_err());
    // Other codes carry whatever data they like.
    let other = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"m","data":{"elicitations":7}}}"#;
    assert!(read(&other.to_owned().into()).is_ok());
}
