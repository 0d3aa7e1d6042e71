//! Counters of the path, bounded in labels: methods of the register, reasons of the
//! table and approved servers, nothing a caller chooses.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use http::StatusCode;
use model::Reason;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;
use upstream::{Traffic, Turnstiles};

use crate::gate::Gate;

/// What the path counts.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    answered: Family<Answered, Counter<u64, AtomicU64>>,
    refused: Family<Refused, Counter<u64, AtomicU64>>,
    visits: Family<Visited, Counter<u64, AtomicU64>>,
    canaries: Family<Canary, Counter<u64, AtomicU64>>,
    suppressed: Family<Suppressed, Counter<u64, AtomicU64>>,
    callouts: Family<CalledOut, Counter<u64, AtomicU64>>,
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Canary {
    rule: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Suppressed {
    rule: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CalledOut {
    callout: String,
    /// `clean`, `found`, or why it has not looked.
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Visited {
    /// `2xx` to `5xx`.
    status: &'static str,
}

impl Metrics {
    /// Counters that `registry` will show.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("portcullis_answered", "Messages answered, by method", metrics.answered.clone());
        registry.register("portcullis_refused", "Messages refused, by reason", metrics.refused.clone());
        let visits = metrics.visits.clone();
        registry.register("portcullis_visits", "Visits to pages beside the path, by class of status", visits);
        registry.register("portcullis_canaries", "Messages with a canary token in them", metrics.canaries.clone());
        let suppressed = metrics.suppressed.clone();
        registry.register("portcullis_findings_suppressed", "Findings that were not told, by rule", suppressed);
        let callouts = metrics.callouts.clone();
        registry.register("portcullis_callouts", "Questions to detectors of your own, by outcome", callouts);
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

    /// Counts a message with a canary token in it.
    pub(crate) fn alarmed(&self, rule: &str) {
        self.canaries.get_or_create(&Canary { rule: rule.to_owned() }).inc();
    }

    /// Counts a finding that was not told.
    pub(crate) fn suppressed(&self, rule: &str) {
        self.suppressed.get_or_create(&Suppressed { rule: rule.to_owned() }).inc();
    }

    /// Counts a question to a detector of the customer's own.
    pub(crate) fn called_out(&self, callout: &str, outcome: &'static str) {
        self.callouts.get_or_create(&CalledOut { callout: callout.to_owned(), outcome }).inc();
    }

    /// Counts a visit to a page.
    pub(crate) fn visited(&self, status: StatusCode) {
        let status = match status.as_u16() {
            ..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            500.. => "5xx",
        };
        self.visits.get_or_create(&Visited { status }).inc();
    }
}

/// Has `registry` show what goes on before each server, as it is when somebody asks.
pub fn count_traffic(registry: &mut Registry, turnstiles: Arc<Turnstiles>) {
    registry.register_collector(Box::new(Servers(turnstiles)));
}

/// Has `registry` show how many sessions there are and how many calls wait for their clients, when somebody asks.
pub fn count_sessions(registry: &mut Registry, gate: Arc<Gate>) {
    registry.register_collector(Box::new(Held(gate)));
}

/// What the gate holds for clients.
struct Held(Arc<Gate>);

impl fmt::Debug for Held {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Held").finish_non_exhaustive()
    }
}

impl Collector for Held {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut show = |name: &str, help: &str, count: usize| -> fmt::Result {
            let gauge = ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
        };
        let (sessions, parked) = self.0.bridge.counts();
        show("portcullis_client_sessions", "Sessions of clients that keep one", self.0.legacies.count())?;
        show("portcullis_bridge_sessions", "Sessions that the gate keeps for clients that keep none", sessions)?;
        show("portcullis_bridge_calls_parked", "Calls that wait for their client's answer to a question", parked)
    }
}

#[derive(Debug)]
struct Servers(Arc<Turnstiles>);

impl Collector for Servers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let all = self.0.all();
        let mut show = |name: &str, help: &str, of: fn(&Traffic) -> usize| -> fmt::Result {
            let mut gauges = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            all.iter().try_for_each(|(server, traffic)| {
                let gauge = ConstGauge::new(i64::try_from(of(traffic)).unwrap_or(i64::MAX));
                gauge.encode(gauges.encode_family(&[("server", server.as_str())])?)
            })
        };
        show("portcullis_server_calls", "Calls under way, by server", |traffic| traffic.under_way)?;
        show("portcullis_server_waiting", "Calls that wait for their turn, by server", |traffic| traffic.waiting)?;
        show("portcullis_server_left_alone", "1 while a server that failed is not tried", |traffic| {
            usize::from(traffic.left_alone.is_some())
        })
    }
}
