//! What the admin side is told of the running gate.

use std::sync::Arc;

use audit::{Condition, Journal};
use prometheus_client::registry::Registry as Counters;

/// What `/readyz` depends on. The store is not among it: no call waits for it.
pub(super) fn readiness(journal: Arc<Journal>) -> Arc<dyn Fn() -> Vec<admin::view::Check> + Send + Sync> {
    Arc::new(move || {
        let health = journal.health();
        let (ready, detail) = match health.condition {
            Condition::Writing => (true, format!("writing, {} records waiting", health.pending)),
            Condition::Unwritable { why, .. } => (false, format!("calls are refused until it can be written: {why}")),
            Condition::Closed => (false, "closed".to_owned()),
        };
        vec![admin::view::Check { name: "journal".to_owned(), ready, detail }]
    })
}

/// The calls to a server, as its dossier shows them.
pub(super) fn traffic(turnstiles: Arc<upstream::Turnstiles>) -> Arc<admin::LooksAtTraffic> {
    Arc::new(move |server| {
        let upstream::Traffic { places, under_way, waiting, left_alone } = turnstiles.traffic(server)?;
        let left_alone = left_alone.map(|(failures, again_in)| admin::view::LeftAlone {
            failures,
            again_in_milliseconds: u64::try_from(again_in.as_millis()).unwrap_or(u64::MAX),
        });
        Some(admin::view::Traffic { places, under_way, waiting, left_alone })
    })
}

/// The counters, in the Prometheus text format.
pub(super) fn metrics(counters: Counters) -> Arc<dyn Fn() -> String + Send + Sync> {
    Arc::new(move || {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &counters);
        text
    })
}
