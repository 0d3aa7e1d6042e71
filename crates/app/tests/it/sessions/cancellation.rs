//! Calls that are taken back: by a message, which the server is told, and never by a connection that breaks.

use serde_json::json;

use super::{Lobby, taken};
use crate::gate::files::ANA;
use crate::talker::{TALK, said};
use crate::verdict::{TAKEN_BACK, passes, words};

#[tokio::test]
async fn a_call_that_is_taken_back_is_taken_back_at_the_server() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let call = session.request("tools/call", json!({ "name": TALK }));
    let (reply, stage) = tokio::join!(async { session.post(&call).await.whole().await }, async {
        let stage = lobby.talker.call().await;
        taken(&session.take_back(&call["id"]).await);
        stage
    });
    lobby.gate.ends(&reply, TAKEN_BACK, "cancelled").await;
    lobby.hears("that it is cancelled", |talker| talker.heard("notifications/cancelled").len() == 1).await;
    let told = &lobby.talker.heard("notifications/cancelled")[0];
    assert_eq!((&told.message["params"]["requestId"], told.session.as_deref()), (&call["id"], Some(&*stage.session)));
    stage.answers(said("too late"));
    passes(&session.read_ticket().await);
    assert_eq!(lobby.talker.heard("tools/call").len(), 2, "nothing was repeated");
}

#[tokio::test]
async fn a_stream_that_is_taken_back_ends() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.logs("working");
    answer.message().await;
    taken(&session.take_back(&speech.id).await);
    words(&answer.message().await, TAKEN_BACK);
    assert_eq!(answer.next().await, None);
    assert_eq!(lobby.gate.outcome(&answer.receipt()).await["end"]["type"], "cancelled");
    lobby.hears("that it is cancelled", |talker| talker.heard("notifications/cancelled").len() == 1).await;
    assert_eq!(lobby.talker.heard("notifications/cancelled")[0].message["params"]["requestId"], speech.id);
    lobby.hears("that nobody listens", |_| !speech.is_heard()).await;
}

#[tokio::test]
async fn a_connection_that_breaks_takes_nothing_back() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    // One whose answer has not begun, and one in the middle of its stream.
    let call = session.request("tools/call", json!({ "name": TALK }));
    let waiting = tokio::spawn({
        let session = session.clone();
        async move { session.post(&call).await.whole().await }
    });
    let stage = lobby.talker.call().await;
    let (mut answer, speech) = lobby.talk(&session).await;
    let receipt = answer.receipt();
    speech.logs("working");
    answer.message().await;
    drop(answer);
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(speech.is_heard(), "the gate goes on reading");
    stage.answers(said("done"));
    speech.answers("done");
    assert_eq!(lobby.gate.outcome(&receipt).await["end"]["type"], "completed");
    // Both intents came to their end, and neither was cancelled.
    let both = |page: &serde_json::Value| {
        let receipts = page["receipts"].as_array().unwrap();
        let ended = receipts.iter().filter(|one| one["outcome"]["record"]["event"]["end"]["type"] == "completed");
        ended.count() == 2
    };
    lobby.gate.until("/receipts?kind=intent", both).await;
    assert_eq!(lobby.talker.heard("notifications/cancelled").len(), 0);
}

#[tokio::test]
async fn nobody_takes_back_what_is_not_theirs() {
    let lobby = Lobby::start().await;
    let (session, other) = (lobby.begin(ANA).await, lobby.begin(ANA).await);
    let (mut answer, speech) = lobby.talk(&session).await;
    for id in [speech.id.clone(), json!(speech.id.to_string()), json!(999), json!("made up")] {
        if id != speech.id {
            taken(&session.take_back(&id).await);
        }
        taken(&other.take_back(&id).await);
    }
    speech.logs("still working");
    assert_eq!(answer.message().await["params"]["data"], "still working");
    speech.answers("done");
    assert_eq!(super::text(&answer.message().await), "done");
    assert_eq!(lobby.talker.heard("notifications/cancelled").len(), 0);
}

#[tokio::test]
async fn taking_back_what_has_ended_says_nothing_to_the_server() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let reply = session.read_ticket().await;
    taken(&session.take_back(&reply.json["id"]).await);
    let (mut answer, speech) = lobby.talk(&session).await;
    let id = speech.id.clone();
    speech.answers("done");
    answer.rest().await;
    taken(&session.take_back(&id).await);
    passes(&session.read_ticket().await);
    assert_eq!(lobby.talker.heard("notifications/cancelled").len(), 0);
    // The handshake's id is a request's id too, and its call has ended.
    taken(&session.take_back(&json!("hello")).await);
    passes(&session.read_ticket().await);
}

#[tokio::test]
async fn a_client_that_does_not_read_takes_back_all_the_same() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let much = "x".repeat(1024 * 1024);
    for ends in ["the call", "the session"] {
        let (answer, speech) = lobby.talk(&session).await;
        // More than connections and the gate keep between them.
        (0..64).for_each(|_| speech.logs(&much));
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        match ends {
            "the call" => taken(&session.take_back(&speech.id).await),
            _ => assert_eq!(session.delete().await.status, 204),
        }
        assert_eq!(lobby.gate.outcome(&answer.receipt()).await["end"]["type"], "cancelled", "{ends}");
        lobby.hears("that nobody listens", |_| !speech.is_heard()).await;
        drop(answer);
    }
}
