//! A local server that writes without end to its standard error: nothing fills up, nobody waits for it, and nothing of
//! it gets into the log.

use std::fs;
use std::time::{Duration, Instant};

use drill::hostile::local::Mode;
use serde_json::json;

use crate::client::eventually;
use crate::gate::files::ANA;
use crate::local::{Yard, report};
use crate::resilience::process_id;
use crate::verdict::passes;

const MEBIBYTE: u64 = 1024 * 1024;

/// What a process wrote since it began, in bytes.
fn written(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/io")).unwrap();
    text.lines().find_map(|line| line.strip_prefix("wchar: ")?.parse().ok()).unwrap()
}

/// A process's memory, in bytes.
fn memory(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

async fn floods(bytes: u64) {
    let yard = Yard::start().await;
    yard.gate.must(&["server", "approve", "desk", "--yes"]).await;
    let (process, gate) = (yard.running().await, process_id(&yard.gate));
    let (before, said) = (memory(gate), yard.gate.output().len());
    yard.misbehave(Mode::FloodsErrors);
    passes(&report(&yard.client()).await);
    yard.misbehave(Mode::Honest);
    // Its own callers, those of its other endpoint, and those of others are served meanwhile.
    let deadline = Instant::now() + Duration::from_secs(120);
    while written(process) < bytes {
        assert!(Instant::now() < deadline, "only {} MiB were taken from it", written(process) / MEBIBYTE);
        passes(&report(&yard.client()).await);
        passes(&report(&yard.client_at("annex")).await);
        passes(&yard.gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
        let grown = memory(gate).saturating_sub(before);
        assert!(grown < 48 * MEBIBYTE, "the gate grew by {} MiB", grown / MEBIBYTE);
    }
    let log = yard.gate.output().split_off(said);
    assert!(!log.contains("on fire") && log.len() < 16 * 1024, "{log}");

    // It goes on until it is told to end.
    yard.gate.must(&["server", "suspend", "reports", "--reason", "it is loud"]).await;
    eventually("it ends", || !crate::local::lives(process)).await;
}

#[tokio::test]
async fn a_flood_on_standard_error_drowns_nobody() {
    floods(64 * MEBIBYTE).await;
}

#[tokio::test]
#[ignore = "waits until a gibibyte is written"]
async fn a_gibibyte_on_standard_error_drowns_nobody() {
    floods(1024 * MEBIBYTE).await;
}
