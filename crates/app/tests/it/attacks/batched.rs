//! What is wrong, hidden among others in one array: each message of a batch takes the whole path, so that none gets past a
//! control in the company of good ones, and none keeps the others from being carried out.

use http::Method;
use serde_json::{Value, json};

use crate::gate::files::{ANA, BOB};
use crate::session::Session;
use crate::sessions::batches::{answers, batching, receipts};
use crate::sessions::{Lobby, capabilities};
use crate::verdict::{
    ARGUMENTS_INVALID, HEADER_MISMATCH, METHOD_UNKNOWN, NOT_JSON_RPC, No, OBJECT_NOT_FOUND, POLICY_FORBIDS,
    SESSION_UNKNOWN, words,
};

fn call(session: &Session, tool: &str, arguments: Value) -> Value {
    let mut params = json!({ "name": tool });
    params["arguments"] = arguments;
    session.request("tools/call", params)
}

fn ticket(session: &Session) -> Value {
    call(session, "read_ticket", json!({ "ticket": "1" }))
}

#[tokio::test]
async fn a_refused_message_does_not_stop_the_others_nor_pass_with_them() {
    let lobby = Lobby::start().await;
    let session = lobby.line(BOB).begin_in("2025-03-26", capabilities()).await;
    let refused: [(Value, No, &str); 6] = [
        (call(&session, "purge", json!({ "days": 1 })), OBJECT_NOT_FOUND, "hidden"),
        (call(&session, "escalate", json!({ "ticket": "1" })), POLICY_FORBIDS, "forbidden"),
        (call(&session, "no_such_tool", json!({})), OBJECT_NOT_FOUND, "not there"),
        (call(&session, "read_ticket", json!({ "ticket": "1", "admin": true })), ARGUMENTS_INVALID, "not declared"),
        (session.request("tools/delete", json!({})), METHOD_UNKNOWN, "not in the register"),
        (session.request("subscriptions/listen", json!({ "notifications": {} })), METHOD_UNKNOWN, "of another era"),
    ];
    let mut batch = vec![ticket(&session)];
    for (message, ..) in &refused {
        batch.push(message.clone());
        batch.push(ticket(&session));
    }
    let reply = session.batch(&batch).await.whole().await;
    let told = answers(&reply);
    assert_eq!(told.len(), batch.len());
    let named = receipts(&reply);
    for (place, message) in batch.iter().enumerate() {
        assert_eq!(told[place]["id"], message["id"], "in order");
        if place % 2 == 0 {
            assert_eq!(crate::sessions::text(&told[place]), "did \"read_ticket\"");
            continue;
        }
        let (_, no, why) = &refused[place / 2];
        let said = words(&told[place], *no);
        assert_eq!(said["receipt"], named[place], "{why}");
        let receipt = lobby.gate.receipt(&named[place]).await;
        let event = &receipt["record"]["event"];
        assert_eq!((&event["control"], &event["reason"]), (&no.control.into(), &no.reason.into()), "{why}: {event:#}");
    }
    assert_eq!(lobby.talker.calls(), refused.len() + 1, "only what may pass passed");
}

#[tokio::test]
async fn a_batch_that_is_none_is_refused_whole() {
    let lobby = Lobby::start().await;
    let session = batching(&lobby).await;
    let hello = session.request("initialize", json!({ "protocolVersion": "2025-03-26", "capabilities": {} }));
    let one = ticket(&session);
    let thousand: Vec<_> = (0..1_000).map(|_| ticket(&session)).collect();
    for (what, batch) in [
        ("nothing", vec![]),
        ("a thousand messages", thousand),
        ("a handshake", vec![ticket(&session), hello]),
        ("one id twice", vec![one.clone(), ticket(&session), one]),
    ] {
        let reply = session.batch(&batch).await.whole().await;
        lobby.gate.refuses(&reply, NOT_JSON_RPC).await;
        assert_eq!(reply.json.get("id"), None, "{what}");
    }
    assert_eq!(lobby.talker.calls(), 0);
    // A batch within a batch is a message that is none.
    let nested = [ticket(&session), json!([ticket(&session)])];
    let told = answers(&session.batch(&nested).await.whole().await);
    assert_eq!(crate::sessions::text(&told[0]), "did \"read_ticket\"");
    words(&told[1], NOT_JSON_RPC);
    assert_eq!(lobby.talker.calls(), 1);
}

#[tokio::test]
async fn other_revisions_have_no_batches() {
    let lobby = Lobby::start().await;
    for version in ["2025-11-25", "2025-06-18", "2024-11-05"] {
        let session = lobby.line(ANA).begin_in(version, capabilities()).await;
        let reply = session.batch(&[ticket(&session)]).await.whole().await;
        lobby.gate.refuses(&reply, NOT_JSON_RPC).await;
        // Nor does it help to say that it is of the one that has.
        let mut headers = session.headers();
        headers.insert("mcp-protocol-version", "2025-03-26".parse().unwrap());
        let batch = json!([ticket(&session)]).to_string();
        let reply = session.line.send(Method::POST, headers, batch).await.whole().await;
        lobby.gate.refuses(&reply, NOT_JSON_RPC).await;
    }
    let outside = batching(&lobby).await;
    let reply = outside.line.send(Method::POST, outside.line.headers(), "[]").await.whole().await;
    lobby.gate.refuses(&reply, NOT_JSON_RPC).await;
    assert_eq!(lobby.talker.calls(), 0);
}

#[tokio::test]
async fn each_message_of_a_batch_is_held_against_the_head_it_came_with() {
    let lobby = Lobby::start().await;
    let session = batching(&lobby).await;
    let batch = [ticket(&session), session.request("tools/list", json!({}))];
    for (name, said) in [("mcp-protocol-version", "2025-11-25"), ("mcp-method", "tools/list")] {
        let mut headers = session.headers();
        headers.insert(name, said.parse().unwrap());
        let reply = session.line.send(Method::POST, headers, json!(batch).to_string()).await.whole().await;
        let told = answers(&reply);
        words(&told[0], HEADER_MISMATCH);
    }
    assert_eq!(lobby.talker.calls(), 0);
}

#[tokio::test]
async fn a_batch_in_somebody_elses_session_is_no_batch() {
    let lobby = Lobby::start().await;
    let session = batching(&lobby).await;
    let stolen = session.with(lobby.line(BOB));
    let reply = stolen.batch(&[ticket(&session)]).await.whole().await;
    lobby.gate.refuses(&reply, NOT_JSON_RPC).await;
    // Once it is over it is nobody's.
    assert_eq!(session.delete().await.status, 204);
    let reply = session.batch(&[ticket(&session)]).await.whole().await;
    lobby.gate.refuses(&reply, NOT_JSON_RPC).await;
    lobby.gate.refuses(&session.read_ticket().await, SESSION_UNKNOWN).await;
    assert_eq!(lobby.talker.calls(), 0);
}
