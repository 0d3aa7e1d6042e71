//! A client that begins sessions without end, or calls in one without end: it is refused, or loses what is its own, and
//! nobody else does.

use drill::mcp::Reply;
use model::limits;
use serde_json::json;
use tokio::task::JoinSet;

use crate::gate::files::{ANA, ANA_AT_DESKTOP, BOB, server};
use crate::sessions::{Lobby, capabilities, text};
use crate::talker::{TALK, said};
use crate::verdict::{OVERLOADED, SESSION_UNKNOWN, passes};

/// Calls in one session that are one more than it may have, and then some.
const CALLS: usize = limits::CALLS_PER_SESSION_MAX + 20;

#[tokio::test]
async fn whoever_begins_sessions_without_end_ends_their_own_oldest() {
    let lobby = Lobby::start().await;
    let line = lobby.line(ANA);
    let (bobs, at_desktop) = (lobby.begin(BOB).await, lobby.begin(ANA_AT_DESKTOP).await);
    let (first, second) = (line.begin(capabilities()).await, line.begin(capabilities()).await);
    let (mut answer, speech) = lobby.talk(&first).await;
    speech.logs("working");
    assert_eq!(answer.message().await["params"]["data"], "working");
    passes(&second.read_ticket().await);
    for _ in 2..limits::LEGACY_SESSIONS_PER_CALLER_MAX {
        assert_eq!(line.greet("2025-11-25", capabilities()).await.status, 200);
    }
    assert!(speech.is_heard(), "so many it may have");
    let newest = line.begin(capabilities()).await;
    lobby.hears("that nobody listens", |_| !speech.is_heard()).await;
    lobby.hears("the end of its session", |talker| talker.session(&speech.session).over).await;
    assert!(answer.rest().await.iter().all(|one| one.get("result").is_none()), "the call was taken back");
    lobby.gate.refuses(&first.read_ticket().await, SESSION_UNKNOWN).await;
    for session in [&second, &newest, &bobs, &at_desktop] {
        passes(&session.read_ticket().await);
    }
}

#[tokio::test]
async fn calls_without_end_in_one_session_are_refused() {
    let lobby = Lobby::start().await;
    // So many that none of them has to wait for its turn at the server.
    let manifest = format!("{}concurrency = 1000\n", server("lobby", &lobby.talker.url(), false));
    lobby.put("servers/lobby.toml", &manifest).await;
    let session = lobby.begin(ANA).await;
    let mut calls = JoinSet::new();
    for _ in 0..CALLS {
        let session = session.clone();
        calls.spawn(async move { session.call(TALK, json!({})).await });
    }
    for _ in limits::CALLS_PER_SESSION_MAX..CALLS {
        let reply: Reply = calls.join_next().await.unwrap().unwrap();
        lobby.gate.refuses(&reply, OVERLOADED.in_body()).await;
    }
    passes(&lobby.begin(BOB).await.read_ticket().await);
    passes(&lobby.begin(ANA).await.send("ping", json!({})).await);
    for _ in 0..limits::CALLS_PER_SESSION_MAX {
        lobby.talker.call().await.answers(said("late"));
    }
    while let Some(reply) = calls.join_next().await {
        assert_eq!(text(&reply.unwrap().json), "late", "what was taken is answered");
    }
    passes(&session.read_ticket().await);
}
