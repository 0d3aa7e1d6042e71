//! Agents that leave: before the answer, in the middle of it, or without taking it. The server's connection is closed,
//! which is how it learns that nobody waits any more; the receipt says so; nothing is held.

use std::time::Duration;

use drill::hostile::Mode;
use serde_json::json;

use super::line::{Line, head, whole};
use super::{eventually, newest_intent, streams_open};
use crate::gate::Gate;
use crate::gate::files::ANA;
use crate::upstream::{IDLE, Liar, REPORT};
use crate::verdict::passes;

/// A call of the liar's tool, as bytes.
fn report(liar: &Liar) -> String {
    let client = liar.gate.client_at("reports", ANA);
    let params = json!({ "name": REPORT, "arguments": { "report_id": "r-1" } });
    let (headers, body) = (client.headers("tools/call", &params), client.body("tools/call", params).to_string());
    let head = head(&liar.gate, &headers, &format!("Content-Length: {}\r\n", body.len()));
    format!("{}{body}", head.replacen("/desk/mcp", "/reports/mcp", 1))
}

#[tokio::test]
async fn a_caller_who_leaves_while_the_server_works_is_gone_for_the_server_too() {
    let liar = Liar::start().await;
    let idle = IDLE;
    for (calls, half_closed) in [(1, false), (2, true)] {
        liar.server.misbehave(Mode::NeverAnswers);
        let mut line = Line::open(&liar.gate).await;
        assert!(line.send(report(&liar)).await);
        eventually("the call at the server", || liar.server.calls() == calls).await;
        match half_closed {
            true => line.finish().await,
            false => drop(line),
        }
        eventually("the server's connection is closed", || liar.server.open() <= idle).await;
        let outcome = liar.gate.outcome(&newest_intent(&liar.gate).await).await;
        assert_eq!(outcome["end"]["type"], "cancelled", "{outcome:#}");
        liar.server.misbehave(Mode::Honest);
    }
    streams_open(&liar.gate, 0).await;
    passes(&liar.ask().await);
    assert_eq!(liar.server.calls(), 3, "what was cancelled was not repeated");
}

#[tokio::test]
async fn a_caller_who_leaves_in_the_middle_of_a_stream_frees_it() {
    let liar = Liar::start().await;
    let idle = IDLE;
    for mode in [Mode::Floods, Mode::Drips] {
        liar.server.misbehave(mode);
        let mut line = Line::open(&liar.gate).await;
        assert!(line.send(report(&liar)).await);
        assert!(line.received(200).await, "the answer began");
        streams_open(&liar.gate, 1).await;
        drop(line);
        streams_open(&liar.gate, 0).await;
        eventually("the server's connection is closed", || liar.server.open() <= idle).await;
        let outcome = liar.gate.outcome(&newest_intent(&liar.gate).await).await;
        assert_eq!(outcome["end"]["type"], "cancelled", "{mode:?}: {outcome:#}");
    }
    assert_eq!(liar.server.calls(), 2);
}

#[tokio::test]
async fn a_caller_who_does_not_read_holds_the_server_back_and_not_the_gate() {
    let liar = Liar::start().await;
    let idle = IDLE;
    liar.server.misbehave(Mode::Floods);
    let before = resident_kilobytes(&liar.gate);
    let mut lines = Vec::new();
    for _ in 0..8 {
        let mut line = Line::open(&liar.gate).await;
        assert!(line.send(report(&liar)).await);
        lines.push(line);
    }
    streams_open(&liar.gate, 8).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let grown = resident_kilobytes(&liar.gate).saturating_sub(before);
    assert!(grown < 16 * 1024, "eight streams that nobody reads took {grown} KiB");
    passes(&liar.gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
    drop(lines);
    streams_open(&liar.gate, 0).await;
    eventually("the server's connections are closed", || liar.server.open() <= idle).await;
}

#[tokio::test]
async fn callers_who_leave_in_crowds_leave_nothing_behind() {
    let gate = Gate::start().await;
    let descriptors = open_files(&gate);
    for round in 0..3 {
        let mut lines = Vec::new();
        for _ in 0..40 {
            let mut line = Line::open(&gate).await;
            line.send(whole(&gate, ANA)).await;
            lines.push(line);
        }
        if round == 1 {
            lines.first_mut().unwrap().answer().await;
        }
        drop(lines);
    }
    eventually("the gate holds as many files as before", || open_files(&gate) <= descriptors + 45).await;
    streams_open(&gate, 0).await;
    // Every call that reached the server has an intent, and every intent an end.
    gate.until("/receipts?kind=intent", |page| {
        let receipts = page["receipts"].as_array().unwrap();
        receipts.iter().all(|receipt| receipt.get("outcome").is_some_and(|outcome| !outcome.is_null()))
    })
    .await;
    let page = gate.read("/receipts?kind=intent").await;
    assert!(page["receipts"].as_array().unwrap().len() >= gate.desk.calls());
}

/// Kilobytes of memory that the gate's process holds.
fn resident_kilobytes(gate: &Gate) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", crate::resilience::process_id(gate))).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Files and sockets that the gate's process holds.
fn open_files(gate: &Gate) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", crate::resilience::process_id(gate))).unwrap().count()
}
