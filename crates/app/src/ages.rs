//! How old servers' keys are, for those who watch the gate.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use identity::ages::Ages;
use model::Clock;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// How often late keys are looked for.
const LOOK: Duration = Duration::from_secs(60 * 60);

/// Has `registry` show how old keys are and by how much they are late, when somebody asks.
pub(crate) fn count(registry: &mut Registry, ages: Arc<Ages>, clock: Arc<dyn Clock>) {
    registry.register_collector(Box::new(Shown { ages, clock }));
}

/// Says in the log which keys are late, until `stop` resolves.
pub(crate) async fn say(ages: Arc<Ages>, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = look.tick() => {}
        }
        for (server, days) in ages.late() {
            tracing::warn!(%server, days, "the server's key is older than it should be: replace it");
        }
    }
}

struct Shown {
    ages: Arc<Ages>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shown").finish_non_exhaustive()
    }
}

impl Collector for Shown {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let (now, all) = (self.clock.now(), self.ages.all());
        let mut show = |name: &str, help: &str, seconds: &dyn Fn(&identity::ages::Age) -> u64| -> fmt::Result {
            let mut gauges = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            all.iter().try_for_each(|(server, age)| {
                let gauge = ConstGauge::new(i64::try_from(seconds(age)).unwrap_or(i64::MAX));
                gauge.encode(gauges.encode_family(&[("server", server.as_str())])?)
            })
        };
        let since = |age: &identity::ages::Age| now.milliseconds_since(age.since) / 1_000;
        let late = |age: &identity::ages::Age| age.late(now).unwrap_or_default() / 1_000;
        show(
            "portcullis_key_age_seconds",
            "Since when the key that somebody keeps for a server has been the same",
            &since,
        )?;
        show("portcullis_key_late_seconds", "By how much another key for a server is late", &late)
    }
}
