//! SIGKILL in the middle of everything, again and again: what was acknowledged is there, what left has its intent, what
//! was open is closed as unknown, and the journal is whole.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::journal_is_intact;
use crate::gate::Gate;
use crate::gate::files::{ANA, BOB, CROWD, RECONCILER};
use crate::verdict::{HALTED, passes};

const ROUNDS: usize = 5;
const CALLERS: usize = 8;

/// Calls without a pause until the gate is gone; gives the receipts of the calls that were answered.
async fn call_on(
    gate: &Gate,
    round: usize,
    number: usize,
    stop: Arc<AtomicBool>,
) -> impl Future<Output = Vec<String>> + use<> {
    let client = gate.client([ANA, CROWD, BOB, RECONCILER][number % 4]);
    async move {
        let mut answered = Vec::new();
        for call in 0.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
            let headers = client.headers("tools/call", &params);
            let mut body = client.body("tools/call", params);
            body["id"] = json!(format!("round-{round}-caller-{number}-call-{call}"));
            let Ok(reply) = client.raw(body.to_string(), headers).await else { break };
            assert_eq!(reply.status, 200);
            answered.push(reply.headers["portcullis-receipt"].to_str().unwrap().to_owned());
        }
        answered
    }
}

#[tokio::test]
async fn a_killed_gate_comes_back_with_everything_it_acknowledged() {
    let gate = Gate::start().await;
    let mut answered: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let stop = Arc::new(AtomicBool::new(false));
        let mut callers = JoinSet::new();
        for number in 0..CALLERS {
            callers.spawn(call_on(&gate, round, number, Arc::clone(&stop)).await);
        }
        // Two calls that hang, and will be open when it dies.
        let before = gate.desk.forwarded().iter().filter(|seen| is_slow(&seen.body)).count();
        for _ in 0..2 {
            let slow = gate.client(ANA);
            callers.spawn(async move {
                drop(slow.call("slow", json!({})).await);
                Vec::new()
            });
        }
        crate::client::eventually("both hang", || {
            gate.desk.forwarded().iter().filter(|seen| is_slow(&seen.body)).count() == before + 2
        })
        .await;
        tokio::time::sleep(Duration::from_millis(50 + 70 * round as u64)).await;
        // Halting is state: acknowledged just before the end.
        let halted = format!("somebody-{round}");
        gate.must(&["halt", "user", &halted, "--reason", "a test"]).await;
        gate.kill();
        stop.store(true, Ordering::Relaxed);
        while let Some(done) = callers.join_next().await {
            answered.extend(done.unwrap());
        }
        journal_is_intact(&gate).await;
        gate.again().await;
        journal_is_intact(&gate).await;
    }
    assert!(answered.len() > 10 * ROUNDS, "only {} calls were answered", answered.len());
    check_receipts(&gate, &answered).await;
    let halts = gate.read("/halts").await.to_string();
    for round in 0..ROUNDS {
        assert!(halts.contains(&format!("somebody-{round}")), "{halts}");
    }
    passes(&gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
    gate.must(&["halt", "user", "ana", "--reason", "a test"]).await;
    gate.kill();
    gate.again().await;
    gate.refuses(&gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap(), HALTED).await;
    gate.end().await;
    journal_is_intact(&gate).await;
}

/// Every call that reached the server and every call that was answered has its intent, and every intent one end.
async fn check_receipts(gate: &Gate, answered: &[String]) {
    let receipts = intents(gate).await;
    let requests: HashMap<String, &Value> = receipts
        .iter()
        .map(|receipt| (receipt["record"]["event"]["request"].as_str().unwrap().to_owned(), receipt))
        .collect();
    let mut reached = HashSet::new();
    for seen in gate.desk.forwarded() {
        if is_slow(&seen.body) {
            continue;
        }
        let id = serde_json::from_slice::<Value>(&seen.body).unwrap()["id"].to_string();
        assert!(requests.contains_key(&id), "the call {id} left without an intent");
        assert!(reached.insert(id.clone()), "the call {id} was made twice");
    }
    let by_receipt: HashMap<&str, &Value> =
        receipts.iter().map(|receipt| (receipt["record"]["id"].as_str().unwrap(), receipt)).collect();
    for receipt in answered {
        assert!(by_receipt.contains_key(receipt.as_str()), "the answered call {receipt} has no intent");
    }
    let mut ends: HashMap<&str, usize> = HashMap::new();
    for receipt in &receipts {
        let end = receipt["outcome"]["record"]["event"]["end"]["type"].as_str();
        let end = end.unwrap_or_else(|| panic!("an intent without an end: {receipt:#}"));
        *ends.entry(end).or_default() += 1;
    }
    assert!(ends["completed"] > 0, "{ends:?}");
    assert!(ends["unknown"] >= 2 * ROUNDS, "the calls that hung are unknown: {ends:?}");
    assert_eq!(ends.len(), 2, "{ends:?}");
    println!("{} calls were answered, {} reached the server, {ends:?}", answered.len(), reached.len());
}

/// Every intent in the journal.
async fn intents(gate: &Gate) -> Vec<Value> {
    let mut all = Vec::new();
    let mut before = String::new();
    loop {
        let page = gate.read(&format!("/receipts?kind=intent&limit=1000{before}")).await;
        let receipts = page["receipts"].as_array().unwrap();
        all.extend(receipts.iter().cloned());
        match page["before"].as_u64() {
            Some(number) if !receipts.is_empty() => before = format!("&before={number}"),
            _ => return all,
        }
    }
}

fn is_slow(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|message| message["params"]["name"] == "slow")
}

#[tokio::test]
async fn a_record_torn_by_a_crash_is_cut_off_and_nothing_else() {
    let gate = Gate::start().await;
    let reply = gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap();
    let receipt = crate::verdict::receipt_id(&reply).to_owned();
    gate.outcome(&receipt).await;
    gate.end().await;
    let journal = gate.directory().join("data/journal");
    let segments = std::fs::read_dir(&journal).unwrap().flatten().map(|entry| entry.path());
    let segment = segments.filter(|path| path.extension().is_some_and(|end| end == "records")).max().unwrap();
    let whole = std::fs::read(&segment).unwrap();
    // A copy of the last bytes, cut: what a crash in the middle of a write leaves.
    let torn = [&whole[..], &whole[whole.len() - 100..whole.len() - 40]].concat();
    std::fs::write(&segment, torn).unwrap();
    gate.again().await;
    gate.outcome(&receipt).await;
    let opened = gate.read("/receipts?kind=opened&limit=1").await;
    assert!(opened["receipts"][0]["record"]["event"]["truncated_bytes"].as_u64().unwrap() > 0, "{opened:#}");
    gate.end().await;
    journal_is_intact(&gate).await;
}
