//! Agents as they come: they leave early, send slowly, send too much, and speak HTTP badly. Whatever they do, the server
//! behind the gate gets whole calls or none, others are served on, and nothing is held for those who left.

mod bodies;
mod connections;
mod departures;
mod heads;
pub(crate) mod line;
mod streams;

use std::time::{Duration, Instant};

use crate::gate::files::person_token;
use crate::gate::{Gate, bearer};

/// How long something may take to happen; much longer than it does, because the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until something is so.
pub(crate) async fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "this never came: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until the gate's own counter of open streams is at `count`.
pub(crate) async fn streams_open(gate: &Gate, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let heard = gate.send(gate.admin(), "GET", "/metrics", bearer(&person_token("viewer")), "").await;
        let text = heard.text();
        let line = text.lines().find_map(|line| line.strip_prefix("portcullis_streams_open "));
        let open: usize = line.expect("the counter of open streams").parse().unwrap();
        if open == count {
            return;
        }
        assert!(Instant::now() < deadline, "{open} streams are open, not {count}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The newest intent's receipt.
pub(crate) async fn newest_intent(gate: &Gate) -> String {
    let page = gate.read("/receipts?kind=intent&limit=1").await;
    page["receipts"][0]["record"]["id"].as_str().expect("an intent").to_owned()
}
