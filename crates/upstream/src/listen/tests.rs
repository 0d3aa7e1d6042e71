use http::HeaderMap;
use serde_json::{Value, json};

use super::{Change, listen};
use crate::testing::{EVENTS, Step, json as whole, scripted, server, write};
use crate::{AskError, Fault, SendError};

const NO_CREDENTIAL: fn(&mut HeaderMap) = |_| {};

fn note(method: &str) -> String {
    let meta = json!({ "io.modelcontextprotocol/subscriptionId": 1 });
    let note = json!({ "jsonrpc": "2.0", "method": method, "params": { "_meta": meta } });
    format!("data: {note}\n\n")
}

#[tokio::test]
async fn changes_are_heard_as_they_come_until_the_server_ends_the_subscription() {
    let steps = vec![
        write(EVENTS),
        write(&note("notifications/subscriptions/acknowledged")),
        write(&note("notifications/tools/list_changed")),
        write(": warm\n\n"),
        write(&note("notifications/message")),
        write(&note("notifications/prompts/list_changed")),
        write(&note("notifications/resources/list_changed")),
        write("data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"resultType\":\"complete\"}}\n\n"),
        Step::Close,
    ];
    let (route, notes) = scripted(steps).await;
    let credential = |headers: &mut HeaderMap| {
        headers.insert("authorization", "Bearer of-the-server".parse().unwrap());
    };
    let mut changes = listen(&route, credential).await.unwrap();
    for expected in [Change::Tools, Change::Prompts, Change::Resources] {
        assert_eq!(changes.next().await.unwrap().unwrap(), expected);
    }
    assert!(changes.next().await.is_none());

    let (head, body) = notes.lock().unwrap().requests[0].clone();
    assert!(head.contains("authorization: Bearer of-the-server"), "{head}");
    let asked: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(asked["method"], "subscriptions/listen");
    assert_eq!(asked["params"]["notifications"]["toolsListChanged"], true);
}

#[tokio::test]
async fn a_server_that_takes_no_subscriptions_says_so() {
    let (route, _) = server(|body| {
        let request: Value = serde_json::from_str(body).unwrap();
        let error = json!({ "code": -32601, "message": "unknown method" });
        vec![whole(&json!({ "jsonrpc": "2.0", "id": request["id"], "error": error }).to_string())]
    })
    .await;
    let error = listen(&route, NO_CREDENTIAL).await.unwrap_err();
    assert!(matches!(error, AskError::Answered { code: -32601, .. }), "{error:?}");
}

#[tokio::test]
async fn a_subscription_that_breaks_off_is_an_error_and_not_an_end() {
    let (route, _) = scripted(vec![write(EVENTS), write("data: {\"jsonrpc\""), Step::Close]).await;
    let mut changes = listen(&route, NO_CREDENTIAL).await.unwrap();
    let error = changes.next().await.unwrap().unwrap_err();
    let cut = matches!(&error, AskError::Send { source: SendError::Unknown { fault: Fault::CutMidEvent }, .. });
    assert!(cut, "{error:?}");
    assert!(changes.next().await.is_none());
}

#[tokio::test]
async fn a_server_that_asks_back_is_refused() {
    let question = "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"sampling/createMessage\",\"params\":{}}\n\n";
    let (route, _) = scripted(vec![write(EVENTS), write(question), Step::Close]).await;
    let mut changes = listen(&route, NO_CREDENTIAL).await.unwrap();
    assert!(matches!(changes.next().await.unwrap().unwrap_err(), AskError::Malformed { .. }));
}
