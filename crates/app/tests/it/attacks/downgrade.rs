//! A server that was approved speaking one revision of the protocol and then speaks an older one: whoever stands in its place
//! may have chosen it for what it lacks. Nothing is sent to it, and all of it is withheld until people have looked.

use drill::mcp::Reply;
use serde_json::{Value, json};

use crate::gate::Setup;
use crate::gate::files::ANA;
use crate::local::{Ground, TOOL, Yard, asking_for, kill, report};
use crate::sessions::Lobby;
use crate::verdict::{No, OUTCOME_UNKNOWN, SERVER_UNREACHABLE, WITHHELD, passes, receipt_id};

const NEWEST: &str = "2026-07-28";

/// Waits until the gate has seen that the lobby went back, and says so to people.
async fn is_told(lobby: &Lobby, words: &str) {
    lobby.drift_seen().await;
    let told = lobby.gate.must(&["server", "diff", "lobby"]).await;
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains(words) && told.contains("all of it is withheld"), "{told}");
}

#[tokio::test]
async fn a_session_in_an_older_revision_than_was_approved_carries_nothing() {
    let lobby = Lobby::speaking("2025-11-25").await;
    passes(&lobby.begin(ANA).await.read_ticket().await);
    let calls = lobby.talker.calls();
    lobby.talker.speaks("2025-03-26");
    let session = lobby.begin(ANA).await;
    let reply = session.read_ticket().await;
    // Were the gate just looking by itself, it would have found out before.
    let no = if reply.json["error"].is_null() { WITHHELD } else { SERVER_UNREACHABLE.in_body() };
    lobby.gate.says(&reply, no);
    assert_eq!(lobby.talker.calls(), calls, "no call reached it");

    // Nobody announced anything: the gate looks because of that call.
    is_told(&lobby, "it speaks 2025-03-26 now, and spoke 2025-11-25 when it was approved").await;
    let told = async |no: No| {
        lobby.gate.refuses(&session.read_ticket().await, no).await;
        let read = session.send("resources/read", json!({ "uri": "lobby://tickets/1" })).await;
        lobby.gate.refuses(&read, no).await;
        lobby.gate.refuses(&session.send("resources/list", json!({})).await, no).await;
    };
    told(WITHHELD).await;
    let listed = session.send("tools/list", json!({})).await;
    assert_eq!(listed.json["result"]["tools"], json!([]), "{:#}", listed.json);
    assert_eq!(lobby.talker.calls(), calls);
    let rows = lobby.gate.must(&["server", "list"]).await;
    assert!(rows.contains("withheld"), "{rows}");

    // People may want it all the same.
    lobby.gate.must(&["server", "approve", "lobby", "--yes"]).await;
    passes(&lobby.begin(ANA).await.read_ticket().await);
    let last = lobby.talker.forwarded().pop().unwrap();
    assert_eq!(last.headers.get("mcp-protocol-version"), None, "it is spoken to in its revision");
}

#[tokio::test]
async fn a_server_that_gives_up_the_newest_revision_is_withheld_by_its_first_answer() {
    let lobby = Lobby::speaking(NEWEST).await;
    let client = lobby.gate.client_at("lobby", ANA);
    let read = async || client.call("read_ticket", json!({ "ticket": "1" })).await.unwrap();
    passes(&read().await);
    lobby.talker.speaks("2025-11-25");
    let calls = lobby.talker.calls();
    let reply = read().await;
    let no = if reply.status == 200 { WITHHELD } else { OUTCOME_UNKNOWN };
    lobby.gate.says(&reply, no);
    assert!(!receipt_id(&reply).is_empty());
    is_told(&lobby, "it speaks 2025-11-25 now, and spoke 2026-07-28 when it was approved").await;
    let reached = lobby.talker.calls();
    assert!(reached <= calls + 1, "the one that told");
    lobby.gate.refuses(&read().await, WITHHELD).await;
    let resource = client.post("resources/read", json!({ "uri": "lobby://tickets/1" })).await.unwrap();
    lobby.gate.refuses(&resource, WITHHELD).await;
    lobby.gate.refuses(&lobby.begin(ANA).await.read_ticket().await, WITHHELD).await;
    assert_eq!(lobby.talker.calls(), reached);

    // One that comes back is what people approved.
    lobby.talker.speaks(NEWEST);
    lobby.gate.must(&["server", "check", "lobby"]).await;
    lobby.gate.until("/servers/lobby/difference", |drift| drift["changes"] == json!([])).await;
    lobby.gate.until("/revision", |revision| revision["revision"] == revision["in_effect"]).await;
    passes(&read().await);
}

#[tokio::test]
async fn a_server_may_go_on_to_a_newer_revision_without_being_withheld() {
    let lobby = Lobby::speaking("2025-06-18").await;
    passes(&lobby.begin(ANA).await.read_ticket().await);
    lobby.talker.speaks("2025-11-25");
    lobby.gate.must(&["server", "check", "lobby"]).await;
    lobby.drift_seen().await;
    passes(&lobby.begin(ANA).await.read_ticket().await);
}

/// A yard whose server speaks these revisions, approved, with a process that runs. The gate looks every second.
async fn yard(revisions: &[&str]) -> Yard {
    let settings = "[pins]\ncheck_seconds = 1\n".to_owned();
    let setup = Setup { settings, ..Setup::default() };
    let yard = Yard::unapproved(Ground { setup, ..Ground::default() }).await;
    yard.local.speaks(revisions).unwrap();
    yard.approve().await;
    yard.running().await;
    yard
}

/// A call after the process was killed. The gate may not have noticed yet, and have written one to it.
async fn after_its_end(yard: &Yard) -> Reply {
    let reply = report(&yard.client()).await;
    if reply.status != 504 {
        return reply;
    }
    yard.gate.ends(&reply, OUTCOME_UNKNOWN, "unknown").await;
    report(&yard.client()).await
}

#[tokio::test]
async fn a_process_that_starts_in_an_older_revision_than_was_approved_is_not_used() {
    let yard = yard(&["2025-06-18"]).await;
    yard.local.speaks(&["2024-11-05"]).unwrap();
    let calls = yard.local.calls();
    kill(yard.newest());
    let mut reply = after_its_end(&yard).await;
    while reply.status != 200 {
        yard.gate.ends(&reply, SERVER_UNREACHABLE, "not-sent").await;
        reply = report(&yard.client()).await;
    }
    yard.gate.refuses(&reply, WITHHELD).await;
    yard.gate.refuses(&yard.session().await.call(TOOL, asking_for("r-1")).await, WITHHELD).await;
    assert_eq!(yard.local.calls(), calls, "no call reached it");
    let told = yard.gate.must(&["server", "diff", "reports"]).await;
    assert!(told.contains("2024-11-05") && told.contains("withheld"), "{told}");
    yard.gate.must(&["server", "approve", "reports", "--yes"]).await;
    yard.served_again().await;
}

#[tokio::test]
async fn a_process_that_gives_up_the_newest_revision_is_not_used() {
    let yard = yard(&[NEWEST, "2025-11-25"]).await;
    yard.local.speaks(&["2025-11-25"]).unwrap();
    let calls = yard.local.calls();
    kill(yard.newest());
    let mut reply = after_its_end(&yard).await;
    // Nobody said so: the gate looks because the process that a call began could not be read.
    while reply.status != 200 {
        yard.gate.ends(&reply, SERVER_UNREACHABLE, "not-sent").await;
        reply = report(&yard.client()).await;
    }
    let seen = |drift: &Value| drift["changes"].as_array().is_some_and(|changes| !changes.is_empty());
    yard.gate.until("/servers/reports/difference", seen).await;
    yard.gate.until("/revision", |revision| revision["revision"] == revision["in_effect"]).await;
    yard.gate.refuses(&report(&yard.client()).await, WITHHELD).await;
    yard.gate.refuses(&yard.session().await.call(TOOL, asking_for("r-1")).await, WITHHELD).await;
    assert_eq!(yard.local.calls(), calls, "no call reached it");

    // No call starts a process of it any more, and the gate finds it back all the same.
    yard.local.speaks(&[NEWEST, "2025-11-25"]).unwrap();
    yard.gate.until("/servers/reports/difference", |drift| drift["changes"] == json!([])).await;
    yard.gate.until("/revision", |revision| revision["revision"] == revision["in_effect"]).await;
    yard.served_again().await;
}
