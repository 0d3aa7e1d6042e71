//! What goes on while the gate changes or stops: calls that are under way end, calls that wait for their turn are told.

use std::fs;
use std::time::Duration;

use drill::mcp::{Client, Reply};
use serde_json::json;
use testkit::Process;
use tokio::task::JoinHandle;

use super::{allow, traffic};
use crate::client::PATIENCE;
use crate::gate::files::{ANA, ANA_AT_DESKTOP, Caller, caller_token, endpoint};
use crate::gate::{Gate, serve};
use crate::resilience::journal_is_intact;
use crate::verdict::{SERVER_BUSY, passes, words};

fn begin(client: Client, tool: &'static str, arguments: serde_json::Value) -> JoinHandle<Reply> {
    tokio::spawn(async move { client.call(tool, arguments).await.unwrap() })
}

#[tokio::test]
async fn a_call_goes_on_while_its_endpoint_changes_and_is_answered() {
    let gate = Gate::start().await;
    let call = begin(gate.client(ANA), "slow", json!({}));
    gate.desk.reached(1).await;
    let file = gate.directory().join("state/endpoints/desk.toml");
    fs::write(&file, format!("search = true\n{}", endpoint("desk", "desk"))).unwrap();
    gate.apply().await;
    assert_eq!(gate.client(ANA).list("tools/list").await.unwrap().names("tools").len(), 3, "it has changed");
    gate.reload();
    gate.has_said("the settings were reloaded").await;
    gate.desk.tick();
    passes(&call.await.unwrap());
    assert_eq!(gate.desk.calls(), 1);
}

#[tokio::test]
async fn more_places_are_given_to_those_who_wait() {
    let gate = Gate::start().await;
    allow(&gate, 1).await;
    let slow = begin(gate.client(ANA), "slow", json!({}));
    gate.desk.reached(1).await;
    let waiting = begin(gate.client(ANA_AT_DESKTOP), "read_ticket", json!({ "ticket": "1" }));
    traffic(&gate, "desk", |traffic| traffic["waiting"] == 1).await;
    allow(&gate, 2).await;
    passes(&waiting.await.unwrap());
    assert!(!slow.is_finished());
    gate.desk.tick();
    passes(&slow.await.unwrap());
}

#[tokio::test]
async fn a_gate_that_stops_ends_what_is_under_way_and_sends_away_what_waits() {
    let gate = Gate::start().await;
    allow(&gate, 1).await;
    gate.end().await;
    let mut command = serve(gate.directory(), None);
    let start = move || Process::start(&mut command, "portcullis is ready", PATIENCE);
    let process = tokio::task::spawn_blocking(start).await.unwrap().unwrap();
    let line = process.ready_line();
    let address = line.split_once("agents http://").unwrap().1.split('/').next().unwrap().to_owned();
    let client = |caller: Caller| {
        let url = format!("http://{address}/desk/mcp");
        Client::new(&url, Some(&caller_token(caller.name))).unwrap().with_patience(PATIENCE)
    };
    let calls = gate.desk.calls();
    let slow = begin(client(ANA), "slow", json!({}));
    gate.desk.reached(calls + 1).await;
    let waiting = begin(client(ANA_AT_DESKTOP), "read_ticket", json!({ "ticket": "1" }));
    // Nobody can ask this process what waits there; it has all the time there is before the turn would come.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!waiting.is_finished());
    let ending = tokio::task::spawn_blocking(move || process.end(PATIENCE));
    let told = waiting.await.unwrap();
    assert_eq!(told.status, 503, "{:?}", told.body);
    words(&told.json, SERVER_BUSY);
    assert!(told.error_message().unwrap().ends_with("the gate is stopping; nothing was sent"));
    gate.desk.tick();
    passes(&slow.await.unwrap());
    assert_eq!(ending.await.unwrap().unwrap().code(), Some(0));
    assert_eq!(gate.desk.calls(), calls + 1);
    gate.again().await;
    journal_is_intact(&gate).await;
}
