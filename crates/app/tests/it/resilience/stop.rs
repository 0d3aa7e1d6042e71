//! SIGTERM: what is open may end, nothing new is taken, the journal is closed, and the exit code is 0.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use model::limits;
use serde_json::json;
use testkit::Process;

use super::journal_is_intact;
use crate::client::PATIENCE;
use crate::gate::files::ANA;
use crate::gate::{Gate, serve};
use crate::verdict::passes;

/// How long the gate waits for what is open. Whatever ends at once ends well before.
const DRAIN: Duration = Duration::from_millis(limits::DRAIN_MILLISECONDS_MAX);

/// Starts the gate's directory anew as a process of this test's own, and a client of it.
async fn own(gate: &Gate) -> (Process, drill::mcp::Client) {
    gate.end().await;
    let mut command = serve(gate.directory(), None);
    let start = move || Process::start(&mut command, "portcullis is ready", PATIENCE);
    let process = tokio::task::spawn_blocking(start).await.unwrap().unwrap();
    let line = process.ready_line();
    let address = line.split_once("agents http://").unwrap().1.split('/').next().unwrap();
    let token = crate::gate::files::caller_token(ANA.name);
    let client = drill::mcp::Client::new(&format!("http://{address}/desk/mcp"), Some(&token)).unwrap();
    (process, client.with_patience(PATIENCE))
}

async fn end(process: Process) -> (ExitStatus, Duration) {
    let began = Instant::now();
    let status = tokio::task::spawn_blocking(move || process.end(PATIENCE)).await.unwrap().unwrap();
    (status, began.elapsed())
}

#[tokio::test]
async fn an_idle_gate_stops_at_once_and_well() {
    let gate = Gate::start().await;
    let (process, client) = own(&gate).await;
    // A kept connection holds nothing up.
    passes(&client.call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
    let (status, took) = end(process).await;
    assert_eq!(status.code(), Some(0));
    assert!(took < DRAIN, "{took:?}");
    journal_is_intact(&gate).await;
}

#[tokio::test]
async fn a_call_that_is_under_way_may_end() {
    let gate = Gate::start().await;
    let (process, client) = own(&gate).await;
    let calls = gate.desk.calls();
    let caller = client.clone();
    let call = tokio::spawn(async move {
        let mut answer = caller.open("tools/call", json!({ "name": "slow", "arguments": {} })).await.unwrap();
        let mut last = None;
        while let Some(message) = answer.next().await.unwrap() {
            last = Some(message);
        }
        last
    });
    gate.desk.reached(calls + 1).await;
    let ending = tokio::spawn(end(process));
    tokio::time::sleep(Duration::from_millis(200)).await;
    gate.desk.tick();
    let answer = call.await.unwrap().expect("the answer came although the gate was asked to stop");
    assert!(answer.get("result").is_some(), "{answer:#}");
    let (status, _) = ending.await.unwrap();
    assert_eq!(status.code(), Some(0));
    gate.again().await;
    let ends = gate.read("/receipts?kind=intent&limit=1").await;
    let end = &ends["receipts"][0]["outcome"]["record"]["event"]["end"]["type"];
    assert_eq!(end, "completed", "{ends:#}");
}

#[tokio::test]
async fn what_only_waits_for_news_ends_in_good_order_and_at_once() {
    let gate = Gate::start().await;
    let (process, client) = own(&gate).await;
    let wanted = json!({ "notifications": { "toolsListChanged": true } });
    let mut news = client.open("subscriptions/listen", wanted).await.unwrap();
    assert_eq!(news.next().await.unwrap().unwrap()["method"], "notifications/subscriptions/acknowledged");
    let ending = tokio::spawn(end(process));
    let last = news.next().await.unwrap().expect("a last message");
    assert_eq!(last["result"]["resultType"], "complete", "{last:#}");
    assert!(news.next().await.unwrap().is_none());
    let (status, took) = ending.await.unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(took < DRAIN, "{took:?}");
    journal_is_intact(&gate).await;
}

#[tokio::test]
#[ignore = "waits for the gate's patience with open calls: ten seconds"]
async fn what_does_not_end_is_cut_and_recorded() {
    let gate = Gate::start().await;
    let (process, client) = own(&gate).await;
    let calls = gate.desk.calls();
    let call = tokio::spawn(async move { client.call("slow", json!({})).await });
    gate.desk.reached(calls + 1).await;
    let (status, took) = end(process).await;
    assert_eq!(status.code(), Some(0), "{status} after {took:?}");
    assert!(took < PATIENCE, "{took:?}");
    assert!(call.await.unwrap().is_err(), "the caller's connection was cut");
    gate.again().await;
    let page = gate.read("/receipts?kind=intent&limit=1").await;
    let end = &page["receipts"][0]["outcome"]["record"]["event"]["end"];
    assert_eq!(end["type"], "unknown", "nobody can tell what became of it: {page:#}");
    gate.end().await;
    journal_is_intact(&gate).await;
}
