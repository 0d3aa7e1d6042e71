//! Several messages in one array, as clients of 2025-03-26 send them: answered together, each with a receipt of its own.

use std::collections::HashSet;

use drill::mcp::Reply;
use serde_json::{Value, json};

use super::{Lobby, capabilities, taken, text};
use crate::gate::files::ANA;
use crate::session::Session;
use crate::talker::{TALK, form};

/// A session whose client may send batches.
pub(crate) async fn batching(lobby: &Lobby) -> Session {
    lobby.line(ANA).begin_in("2025-03-26", capabilities()).await
}

/// The answers in an array, by their ids.
pub(crate) fn answers(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    assert_eq!(reply.headers["content-type"], "application/json");
    reply.messages[0].as_array().expect("an array of answers").clone()
}

/// The receipts that an answer names.
pub(crate) fn receipts(reply: &Reply) -> Vec<String> {
    let named = reply.headers.get_all("portcullis-receipt").iter();
    named.map(|receipt| receipt.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_requests_of_a_batch_are_answered_in_one_array_and_in_order() {
    let lobby = Lobby::start().await;
    let session = batching(&lobby).await;
    let call = session.request("tools/call", json!({ "name": "read_ticket", "arguments": { "ticket": "1" } }));
    let list = session.request("tools/list", json!({}));
    let read = session.request("resources/read", json!({ "uri": "lobby://tickets/1" }));
    let noted = json!({ "jsonrpc": "2.0", "method": "notifications/roots/list_changed" });
    let reply = session.batch(&[call.clone(), noted, list.clone(), read.clone()]).await.whole().await;
    let told = answers(&reply);
    let ids: Vec<_> = told.iter().map(|answer| &answer["id"]).collect();
    assert_eq!(ids, [&call["id"], &list["id"], &read["id"]], "a notification has no answer");
    assert_eq!(text(&told[0]), "did \"read_ticket\"");
    assert!(told[1]["result"]["tools"].as_array().unwrap().iter().any(|tool| tool["name"] == "read_ticket"));
    assert_eq!(told[2]["result"]["contents"][0]["text"], "the contents");
    let reached = ["tools/call", "resources/read"].map(|method| lobby.talker.heard(method).len());
    assert_eq!(reached, [1, 1]);

    // Each took the path by itself, and has a receipt that says so.
    let named = receipts(&reply);
    assert_eq!(named.iter().collect::<HashSet<_>>().len(), 4, "{named:?}");
    let mut kinds = Vec::new();
    for receipt in &named {
        let receipt = lobby.gate.receipt(receipt).await;
        let kind = receipt["record"]["kind"].as_str().unwrap().to_owned();
        kinds.push((kind, receipt["record"]["event"]["method"].as_str().unwrap().to_owned()));
    }
    let expected = [
        ("intent", "tools/call"),
        ("taken", "notifications/roots/list_changed"),
        ("listed", "tools/list"),
        ("intent", "resources/read"),
    ];
    assert_eq!(kinds, expected.map(|(kind, method)| (kind.to_owned(), method.to_owned())));
}

#[tokio::test]
async fn a_batch_that_nothing_answers_is_taken() {
    let lobby = Lobby::start().await;
    let session = batching(&lobby).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.asks("who", "roots/list", json!({}));
    let question = answer.message().await["id"].clone();
    let noted = json!({ "jsonrpc": "2.0", "method": "notifications/roots/list_changed" });
    let given = json!({ "jsonrpc": "2.0", "id": question, "result": { "roots": [] } });
    let reply = session.batch(&[noted, given]).await.whole().await;
    taken(&reply);
    let wanted = json!({ "jsonrpc": "2.0", "id": "who", "result": { "roots": [] } });
    lobby.hears("the answer", |talker| talker.responses().contains(&wanted)).await;
    speech.answers("done");
    assert_eq!(text(&answer.message().await), "done");
}

#[tokio::test]
async fn where_one_answer_streams_all_come_on_one_stream() {
    let lobby = Lobby::start().await;
    let session = batching(&lobby).await;
    let list = session.request("tools/list", json!({}));
    let talks = [
        session.request("tools/call", json!({ "name": TALK })),
        session.request("tools/call", json!({ "name": TALK })),
    ];
    let batch = [talks[0].clone(), list.clone(), talks[1].clone()];
    let (mut answer, (one, other)) = tokio::join!(session.batch(&batch), async {
        let (one, other) = (lobby.talker.call().await, lobby.talker.call().await);
        (one.speaks(), other.speaks())
    });
    assert_eq!((answer.status.as_u16(), &answer.headers["content-type"]), (200, &"text/event-stream".parse().unwrap()));
    assert_eq!(answer.message().await["id"], list["id"], "what is there already comes first");
    other.logs("second");
    assert_eq!(answer.message().await["params"]["data"], "second");
    one.logs("first");
    assert_eq!(answer.message().await["params"]["data"], "first");
    one.asks("who", "sampling/createMessage", json!({ "messages": [], "maxTokens": 1 }));
    let question = answer.message().await;
    assert_eq!(question["method"], "sampling/createMessage");
    taken(&session.answer(&question["id"], json!({ "role": "assistant", "content": {}, "model": "m" })).await);
    one.asks("form", "elicitation/create", form("Who?"));
    lobby.hears("that it may not ask", |talker| talker.responses().iter().any(|one| one["id"] == "form")).await;
    let id = other.id.clone();
    other.answers("other");
    let told = answer.message().await;
    assert_eq!((text(&told), &told["id"]), ("other", &id));
    one.answers("one");
    assert_eq!(text(&answer.message().await), "one");
    assert_eq!(answer.next().await, None, "the stream ends with the last of them");
}

#[tokio::test]
async fn a_call_of_a_batch_can_be_taken_back() {
    let lobby = Lobby::start().await;
    let session = batching(&lobby).await;
    let talk = session.request("tools/call", json!({ "name": TALK }));
    let ping = session.request("ping", json!({}));
    let batch = [talk.clone(), ping.clone()];
    let (reply, stage) = tokio::join!(async { session.batch(&batch).await.whole().await }, async {
        let stage = lobby.talker.call().await;
        taken(&session.take_back(&talk["id"]).await);
        stage
    });
    let told = answers(&reply);
    assert_eq!(told[0]["id"], talk["id"]);
    assert_eq!(told[0]["error"]["data"]["dev.portcullis/refusal"]["reason"], "taken-back", "{told:#?}");
    assert_eq!((&told[1]["id"], &told[1]["result"]), (&ping["id"], &json!({})));
    stage.answers(json!({}));
}
