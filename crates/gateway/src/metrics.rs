//! Counters of the path, bounded in labels: methods of the register and reasons of the table, nothing a caller chooses.

use std::sync::atomic::AtomicU64;

use model::Reason;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What the path counts.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    answered: Family<Answered, Counter<u64, AtomicU64>>,
    refused: Family<Refused, Counter<u64, AtomicU64>>,
    /// Streams open now.
    pub streams: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    reason: &'static str,
}

impl Metrics {
    /// Counters that `registry` will show.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("portcullis_answered", "Messages answered, by method", metrics.answered.clone());
        registry.register("portcullis_refused", "Messages refused, by reason", metrics.refused.clone());
        registry.register("portcullis_streams_open", "Streams open now", metrics.streams.clone());
        metrics
    }

    /// Counts an answer to a method of the register.
    pub fn answered(&self, method: &'static str) {
        self.answered.get_or_create(&Answered { method }).inc();
    }

    /// Counts a refusal.
    pub fn refused(&self, reason: Reason) {
        self.refused.get_or_create(&Refused { reason: reason.row().word }).inc();
    }
}
