//! A server that nobody approved, one that was suspended, one that is not where its zone is: no agent reaches any of
//! them, and none can tell them from what does not exist.

use serde_json::json;

use crate::gate::files::{ANA, endpoint, server};
use crate::gate::{Gate, Setup};
use crate::puppet::Puppet;
use crate::verdict::{ENDPOINT_NOT_FOUND, passes};

#[tokio::test]
async fn a_submitted_server_cannot_be_told_from_a_missing_one() {
    let gate = Gate::unapproved(Setup::default()).await;
    for method in ["server/discover", "tools/list", "tools/call", "resources/list"] {
        let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
        let reply = gate.client(ANA).post(method, params.clone()).await.unwrap();
        let event = gate.refuses(&reply, ENDPOINT_NOT_FOUND).await;
        assert!(event["detail"].as_str().unwrap().contains("vetted"), "the operator reads why: {event:#}");
        let missing = gate.client_at("nowhere", ANA).post(method, params).await.unwrap();
        gate.refuses(&missing, ENDPOINT_NOT_FOUND).await;
        assert_eq!(without_receipt(&reply), without_receipt(&missing));
    }
    assert_eq!(gate.desk.calls(), 0);

    gate.must(&["server", "approve", "desk", "--yes"]).await;
    passes(&gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
    gate.must(&["server", "suspend", "desk"]).await;
    let reply = gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap();
    gate.refuses(&reply, ENDPOINT_NOT_FOUND).await;
    assert_eq!(gate.desk.calls(), 1, "a suspended server is not reached");
}

#[tokio::test]
async fn a_server_outside_its_zone_is_never_connected_to() {
    let stray = Puppet::start().await;
    // The built-in zone holds public addresses only.
    let manifest = server("stray", &stray.url(), false).replace("zone = \"here\"\n", "");
    let state = vec![
        ("servers/stray.toml".to_owned(), manifest),
        ("endpoints/stray.toml".to_owned(), endpoint("stray", "stray")),
    ];
    let gate = Gate::with(Setup { state, ..Setup::default() }).await;
    let said = gate.cli(&["server", "check", "stray"]).await;
    assert!(!said.ok, "{said:?}");
    let said = gate.cli(&["server", "approve", "stray", "--yes"]).await;
    assert!(!said.ok, "{said:?}");
    let reply = gate.client_at("stray", ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap();
    gate.refuses(&reply, ENDPOINT_NOT_FOUND).await;
    assert!(stray.seen().is_empty(), "not one byte reached it");
}

/// A reply's body without what is different in every reply.
fn without_receipt(reply: &drill::mcp::Reply) -> String {
    let mut json = reply.json.clone();
    json["id"] = 0.into();
    json["error"]["data"]["dev.portcullis/refusal"]["receipt"] = "".into();
    json.to_string()
}
