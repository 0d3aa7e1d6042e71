use super::*;
use crate::answer::{self, Incoming, Outcome, ResultType};
use serde_json::json;

const MODERN: &str = concat!(
    r#"{"jsonrpc":"2.0","id":"q","method":"tools/call","params":{"name":"t", "arguments":{"n":1.50},"_meta":{"#,
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"roots":{}},"#,
    r#""io.modelcontextprotocol/clientInfo":{"name":"c"},"io.modelcontextprotocol/logLevel":"info","#,
    r#""progressToken":"p","traceparent":"00-a","x.y/z":{"_meta":1}},"inputResponses":{"a":{}},"requestState":"s"}}"#
);

fn bytes(text: impl Into<String>) -> Bytes {
    Bytes::from(text.into())
}

fn shown(bytes: &Bytes) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn said() -> Introduction {
    Introduction { capabilities: r#"{"roots":{}}"#.to_owned(), client_info: None, log_level: None }
}

#[test]
fn a_request_for_a_session_says_only_what_its_session_does_not() {
    let legacy = to_legacy(&bytes(MODERN), &Id::number(9)).unwrap();
    assert_eq!(
        shown(&legacy),
        concat!(
            r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"t", "arguments":{"n":1.50},"_meta":{"#,
            r#""progressToken":9,"traceparent":"00-a","x.y/z":{"_meta":1}}}}"#
        )
    );
    let only_its_own = concat!(
        r#"{"id":1,"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
        r#""io.modelcontextprotocol/clientCapabilities":{}},"a":1}}"#
    );
    assert_eq!(shown(&to_legacy(&bytes(only_its_own), &Id::number(2)).unwrap()), r#"{"id":2,"params":{"a":1}}"#);
    assert_eq!(shown(&to_legacy(&bytes(r#"{"id":1}"#), &Id::number(2)).unwrap()), r#"{"id":2}"#);
}

#[test]
fn a_request_without_a_session_introduces_its_client() {
    let body = bytes(concat!(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","requestState":"forged","#,
        r#""inputResponses":{"q":{}},"_meta":{"progressToken":4,"io.modelcontextprotocol/protocolVersion":"1999"}}}"#
    ));
    let modern = to_modern(&body, &Id::number(7), "tools/call", Some("t"), &said(), None).unwrap();
    let message: Value = serde_json::from_slice(&modern.body).unwrap();
    assert_eq!(message["id"], 7);
    assert_eq!(message["params"].get("requestState"), None, "what nobody asked is not answered");
    assert_eq!(message["params"].get("inputResponses"), None);
    let meta = &message["params"]["_meta"];
    assert_eq!(meta["progressToken"], 4);
    assert_eq!(meta[PROTOCOL_VERSION], "2026-07-28");
    assert_eq!(meta[CLIENT_CAPABILITIES], json!({ "roots": {} }));
    assert_eq!(meta[CLIENT_INFO]["name"], "portcullis");
    assert_eq!(meta.get(LOG_LEVEL), None);
    // It is what the gate itself would take from a client.
    let read = crate::read(&modern.headers, &modern.body).unwrap();
    assert!(matches!(read, crate::Said::Request(request) if request.revision == Revision::V2026_07_28));

    let responses = [("q\"1".to_owned(), bytes(r#"{"action":"accept"}"#))];
    let input = Input { responses: &responses, state: Some(r#""s\u0041""#) };
    let introduced = Introduction { log_level: Some("info".to_owned()), ..said() };
    let again =
        to_modern(&bytes(r#"{"id":1}"#), &Id::number(8), "prompts/get", None, &introduced, Some(input)).unwrap();
    assert!(shown(&again.body).contains(r#""requestState":"s\u0041""#), "the server's words stay as they came");
    let message: Value = serde_json::from_slice(&again.body).unwrap();
    assert_eq!(message["params"]["inputResponses"], json!({ "q\"1": { "action": "accept" } }));
    assert_eq!(message["params"]["_meta"][LOG_LEVEL], "info");
}

#[test]
fn an_answer_says_what_its_reader_expects() {
    let legacy = bytes(r#"{"jsonrpc":"2.0","id":9,"result":{"contents":[{"n":1.0}]}}"#);
    assert_eq!(
        shown(&answer_to_modern(&legacy, &Id::text("q"), "tools/call").unwrap()),
        r#"{"jsonrpc":"2.0","id":"q","result":{"contents":[{"n":1.0}],"resultType":"complete"}}"#
    );
    let cached = answer_to_modern(&legacy, &Id::text("q"), "resources/read").unwrap();
    assert!(shown(&cached).ends_with(r#""resultType":"complete","ttlMs":0,"cacheScope":"private"}}"#));
    let modern = answer_to_legacy(&cached, &Id::number(9), "resources/read").unwrap();
    assert_eq!(modern, legacy, "there and back it is the same");

    let error = |code: i64| bytes(format!(r#"{{"jsonrpc":"2.0","id":9,"error":{{"code":{code},"message":"m"}}}}"#));
    for (code, method, told) in [
        (-32002, "resources/read", -32602),
        (-32002, "tools/call", -32602),
        (-32603, "resources/read", -32603),
        (-32602, "resources/read", -32602),
    ] {
        assert_eq!(answer_to_modern(&error(code), &Id::number(9), method).unwrap(), error(told));
    }
    for (code, method, told) in [(-32602, "resources/read", -32002), (-32602, "tools/call", -32602)] {
        assert_eq!(answer_to_legacy(&error(code), &Id::number(9), method).unwrap(), error(told));
    }
}

#[test]
fn questions_are_asked_in_either_way() {
    let request = concat!(
        r#"{"jsonrpc":"2.0","id":"s-1","method":"elicitation/create","params":{"mode":"url","elicitationId":"e","#,
        r#""url":"https://a.example","message":"m"}}"#
    );
    let Ok(Incoming::Request { question, .. }) = answer::read(&bytes(request)) else { panic!("a question") };
    let asks = input_required(&Id::text("q"), &[("k".to_owned(), &question)], Some("sealed")).unwrap();
    let Ok(Incoming::Response { outcome: Outcome::Result { result_type, raw, .. }, .. }) = answer::read(&asks) else {
        panic!("an answer: {asks:?}")
    };
    let ResultType::InputRequired { questions, has_state: true } = result_type else { panic!("that asks") };
    assert_eq!((questions[0].key.as_str(), questions[0].method.as_str()), ("k", "elicitation/create"));
    assert_eq!(questions[0].elicitation_id, None);
    assert_eq!(state(&raw).unwrap(), r#""sealed""#);

    let back = question_to_legacy(&Id::number(3), &questions[0], "page-3").unwrap();
    let Ok(Incoming::Request { id, question }) = answer::read(&back) else { panic!("a question: {back:?}") };
    assert_eq!((id, question.elicitation_id.as_deref()), (Id::number(3), Some("page-3")));
    let roots = question_to_legacy(
        &Id::number(4),
        &Question { params: None, mode: None, method: "roots/list".to_owned(), ..question },
        "",
    );
    assert_eq!(shown(&roots.unwrap()), r#"{"jsonrpc":"2.0","id":4,"method":"roots/list"}"#);
}

#[test]
fn answers_to_questions_are_found_and_given() {
    let responses = bytes(r#"{"a":{"action": "accept"},"b":1}"#);
    assert_eq!(response(&responses, "a").as_deref(), Some(br#"{"action": "accept"}"#.as_slice()));
    assert_eq!((response(&responses, "b"), response(&responses, "c")), (None, None));
    let given = response_to_legacy(&Id::text("s"), &response(&responses, "a").unwrap());
    assert_eq!(shown(&given), r#"{"jsonrpc":"2.0","id":"s","result":{"action": "accept"}}"#);
    assert_eq!(result(&given), response(&responses, "a"));
    assert_eq!(result(&bytes(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}"#)), None);
}

#[test]
fn a_log_message_is_for_who_asked_for_it() {
    let params = |level: &str| Some(bytes(format!(r#"{{"level":"{level}","data":1}}"#)));
    for (said, wanted, told) in [
        ("info", Some("info"), true),
        ("warning", Some("info"), true),
        ("debug", Some("info"), false),
        ("info", None, false),
        ("loud", Some("debug"), false),
        ("info", Some("quiet"), false),
    ] {
        assert_eq!(is_wanted(params(said).as_ref(), wanted), told, "{said} {wanted:?}");
    }
    assert!(!is_wanted(None, Some("debug")));
}

#[test]
fn subscriptions_name_themselves_and_sessions_do_not() {
    let told = bytes(r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:b"}}"#);
    let tagged = subscribed(&told, Some(&Id::text("s"))).unwrap();
    let Ok(Incoming::Notification(notification)) = answer::read(&tagged) else { panic!("a notification") };
    assert_eq!((notification.subscription, notification.uri.as_deref()), (Some(Id::text("s")), Some("a:b")));
    let bare = subscribed(&tagged, None).unwrap();
    assert!(!shown(&bare).contains("subscriptionId"));
    let list = bytes(r#"{"jsonrpc":"2.0","method":"notifications/resources/list_changed"}"#);
    assert!(shown(&subscribed(&list, Some(&Id::number(4))).unwrap()).contains(r#"subscriptionId":4"#));
    let granted = acknowledged(&Id::number(4), &json!({ "resourcesListChanged": true }));
    let Ok(Incoming::Notification(notification)) = answer::read(&granted) else { panic!("a notification") };
    assert_eq!(notification.subscription, Some(Id::number(4)));
}

#[test]
fn the_same_request_has_the_same_digest_and_no_other() {
    let one = digest("tools/call", &bytes(MODERN)).unwrap();
    let spelled = r#"{"params":{"arguments":{"n":1.5},"name":"t","requestState":"other"}}"#;
    assert_eq!(digest("tools/call", &bytes(spelled)), Some(one));
    for other in [
        r#"{"params":{"arguments":{"n":1.6},"name":"t"}}"#,
        r#"{"params":{"arguments":{"n":1.5},"name":"u"}}"#,
        r#"{"params":{"arguments":{"n":1.5},"name":"t","x":1}}"#,
    ] {
        assert_ne!(digest("tools/call", &bytes(other)), Some(one), "{other}");
    }
    assert_ne!(digest("prompts/get", &bytes(spelled)), Some(one));
}

/// Whatever a client writes as its parameters, both directions give strict JSON that keeps what is not the protocol's.
#[test]
fn no_message_breaks_by_crossing() {
    bolero::check!().with_type::<(Vec<u8>, i64)>().for_each(|(noise, id)| {
        let text = Value::from(String::from_utf8_lossy(noise).into_owned());
        let body = bytes(format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":{text},"arguments":{{{text}:{text}}},"_meta":{{"x":{text}}}}}}}"#
        ));
        if json::check(&body, &Bounds::MESSAGE).is_err() {
            return;
        }
        let modern = to_modern(&body, &Id::number(*id), "tools/call", None, &said(), None).unwrap();
        assert!(json::check(&modern.body, &Bounds::MESSAGE).is_ok());
        let back = to_legacy(&modern.body, &Id::number(*id)).unwrap();
        assert_eq!(back, body, "there and back it is the same");
    });
}
