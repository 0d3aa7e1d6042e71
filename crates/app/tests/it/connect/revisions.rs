//! Clients of every revision, through `connect` and the gate.

use serde_json::json;

use super::*;
use crate::gate::files::ANA;
use crate::sessions::{Lobby, capabilities};

/// Connected to the lobby.
fn at(lobby: &Lobby) -> Local {
    let url = format!("http://{}/lobby/mcp", lobby.gate.agents());
    Local::to(&url, &lobby.gate.directory().join("tokens").join(ANA.name))
}

fn request(id: impl Into<Value>, method: &str, params: Value) -> Value {
    let mut request = json!({ "jsonrpc": "2.0", "id": id.into(), "method": method });
    request["params"] = params;
    request
}

fn ticket(id: u64) -> Value {
    request(id, "tools/call", json!({ "name": "read_ticket", "arguments": { "ticket": "1" } }))
}

/// A client that has begun a session of this revision.
async fn begun(lobby: &Lobby, version: &str) -> Local {
    let mut local = at(lobby);
    let params = json!({ "protocolVersion": version, "capabilities": capabilities(), "clientInfo": { "name": "c" } });
    let hello = local.ask(&request("hello", "initialize", params)).await;
    assert_eq!(hello["result"]["protocolVersion"], version, "{hello:#}");
    local.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    local
}

#[tokio::test]
async fn a_handshake_of_any_revision_passes() {
    let lobby = Lobby::start().await;
    for version in ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] {
        let mut local = begun(&lobby, version).await;
        assert_eq!(local.ask(&request(1, "tools/list", json!({}))).await["id"], 1);
        assert_eq!(text(&local.ask(&ticket(2)).await), "did \"read_ticket\"", "{version}");
        // What is said unasked is heard too.
        let session = lobby.talker.forwarded().pop().unwrap().session.unwrap();
        lobby.talker.aside(&session).await.logs("news");
        assert_eq!(local.hear().await["params"]["data"], "news", "{version}");
        local.close();
        assert!(local.ended().await.success());
        lobby.hears("the end of its session", |talker| talker.session(&session).over).await;
    }
}

#[tokio::test]
async fn the_messages_of_a_batch_are_carried_and_answered_one_by_one() {
    let lobby = Lobby::start().await;
    let mut local = begun(&lobby, "2025-03-26").await;
    let noted = json!({ "jsonrpc": "2.0", "method": "notifications/roots/list_changed" });
    local.say(&json!([ticket(1), noted, request("l", "tools/list", json!({})), { "jsonrpc": "2.0", "id": 3 }]));
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(local.hear().await["id"].to_string());
    }
    ids.sort();
    assert_eq!(ids, ["\"l\"", "1", "3"]);
    for (none, words) in [(json!([]), "without messages"), (json!([ticket(4), ticket(4)]), "the same `id`")] {
        let told = local.ask(&none).await;
        assert!(error(&told).contains(words), "{told:#}");
    }
    assert_eq!(lobby.talker.heard("tools/call").len(), 1);
}

#[tokio::test]
async fn other_sessions_have_no_batches() {
    let lobby = Lobby::start().await;
    for version in ["2025-11-25", "2025-06-18", "2024-11-05"] {
        let mut local = begun(&lobby, version).await;
        let told = local.ask(&json!([ticket(1)])).await;
        assert!(error(&told).contains("only revision 2025-03-26"), "{told:#}");
    }
    assert_eq!(lobby.talker.calls(), 0);
}
