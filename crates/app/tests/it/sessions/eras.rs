//! Servers of every revision before 2026-07-28, over streamable HTTP and over HTTP+SSE, behind one gate: clients notice
//! nothing of it.

use serde_json::json;

use super::{Lobby, taken, text};
use crate::gate::files::{ANA, BOB, DESK_CREDENTIAL};
use crate::talker::{TALK, said};
use crate::verdict::{OUTCOME_UNKNOWN, TAKEN_BACK, passes};

/// Every older revision over streamable HTTP, and two over HTTP+SSE: the one that has nothing else, and one that came later
/// and is spoken by servers that never left it.
async fn lobbies() -> Vec<(String, Lobby)> {
    let mut lobbies = Vec::new();
    for revision in ["2025-06-18", "2025-03-26", "2024-11-05"] {
        lobbies.push((revision.to_owned(), Lobby::speaking(revision).await));
    }
    for revision in ["2024-11-05", "2025-06-18"] {
        lobbies.push((format!("{revision} over events"), Lobby::of_events(revision).await));
    }
    lobbies
}

#[tokio::test]
async fn what_people_approve_says_which_revision_a_server_chose() {
    for (name, lobby) in lobbies().await {
        let revision = name.split_whitespace().next().unwrap();
        let shown = lobby.gate.read("/servers/lobby").await;
        assert_eq!(shown["pinned"]["versions"], json!([revision]), "{name}");
    }
}

#[tokio::test]
async fn calls_and_listings_pass_and_each_message_is_as_the_servers_revision_has_it() {
    for (name, lobby) in lobbies().await {
        let session = lobby.begin(ANA).await;
        let listed = session.send("tools/list", json!({})).await;
        let tools = listed.json["result"]["tools"].as_array().unwrap();
        assert!(tools.iter().any(|tool| tool["name"] == "read_ticket"), "{name}");
        let reply = session.read_ticket().await;
        passes(&reply);
        assert_eq!(text(&reply.json), "did \"read_ticket\"", "{name}");
        passes(&session.send("resources/read", json!({ "uri": "lobby://tickets/1" })).await);
        let named = name.starts_with("2025-06-18");
        for seen in lobby.talker.forwarded() {
            let version = seen.headers.get("mcp-protocol-version");
            assert_eq!(version.map(|version| version.to_str().unwrap()), named.then_some("2025-06-18"), "{name}");
            let is_guarded = seen
                .headers
                .get("authorization")
                .is_some_and(|value| value.to_str().unwrap() == format!("Bearer {DESK_CREDENTIAL}"));
            assert_eq!(is_guarded, name.ends_with("events"), "{name}");
            assert!(!seen.headers.contains_key("mcp-session-id") || !name.ends_with("events"), "{name}");
        }
    }
}

#[tokio::test]
async fn progress_comes_with_its_call_and_calls_of_one_session_do_not_mix() {
    for (name, lobby) in lobbies().await {
        let session = lobby.begin(ANA).await;
        let call =
            |token: &str| session.request("tools/call", json!({ "name": TALK, "_meta": { "progressToken": token } }));
        let (first, second) = (call("first"), call("second"));
        let (one, other) = (session.clone(), session.clone());
        let answers = tokio::spawn(async move { tokio::join!(one.post(&first), other.post(&second)) });
        let (stage, another) = (lobby.talker.call().await, lobby.talker.call().await);
        // In the server's words: over one stream it knows the calls by other names.
        let tokens = [&stage, &another].map(|stage| stage.message["params"]["_meta"]["progressToken"].clone());
        let (speech, another) = (stage.speaks(), another.speaks());
        for (speech, token) in [(&speech, &tokens[0]), (&another, &tokens[1])] {
            speech.notes("notifications/progress", json!({ "progressToken": token, "progress": 1 }));
        }
        let (mut first, mut second) = answers.await.unwrap();
        for (answer, token) in [(&mut first, "first"), (&mut second, "second")] {
            let progress = answer.message().await;
            assert_eq!(progress["params"]["progressToken"], token, "{name}: {progress}");
        }
        another.answers("done");
        speech.answers("done");
        assert_eq!(text(&first.message().await), "done", "{name}");
        assert_eq!(text(&second.message().await), "done", "{name}");
    }
}

#[tokio::test]
async fn a_call_that_is_taken_back_is_taken_back_at_the_server_under_its_own_name() {
    for (name, lobby) in lobbies().await {
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
        assert_eq!(&told.message["params"]["requestId"], stage.id(), "{name}");
        stage.answers(said("too late"));
        passes(&session.read_ticket().await);
        assert_eq!(lobby.talker.heard("notifications/cancelled").len(), 1, "{name}");
    }
}

#[tokio::test]
async fn the_end_of_the_one_stream_ends_what_was_open_and_the_next_call_begins_anew() {
    let lobby = Lobby::of_events("2024-11-05").await;
    let (session, others) = (lobby.begin(ANA).await, lobby.begin(BOB).await);
    passes(&others.read_ticket().await);
    let call = session.request("tools/call", json!({ "name": TALK }));
    let (reply, _stage) = tokio::join!(async { session.post(&call).await.whole().await }, async {
        let stage = lobby.talker.call().await;
        lobby.talker.falls_silent();
        stage
    });
    lobby.gate.ends(&reply, OUTCOME_UNKNOWN.in_body(), "unknown").await;
    let calls = lobby.talker.heard("tools/call").len();
    passes(&session.read_ticket().await);
    passes(&others.read_ticket().await);
    assert_eq!(lobby.talker.heard("tools/call").len(), calls + 2, "nothing was repeated");
}
