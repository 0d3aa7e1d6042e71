//! How the keys of issuers are: for people on the admin side, and for monitoring.

use std::fmt;
use std::sync::Arc;

use admin::view::IssuerKeys;
use gateway::Gate;
use identity::facade::Facade;
use identity::keys::KeysHealth;
use identity::people::Entrance;
use model::{Clock, Timestamp};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// Those whose keys the gate goes by. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Issuers {
    /// Whose access tokens agents bring.
    pub(crate) gate: Arc<Gate>,
    /// With whom people sign in for their agents.
    pub(crate) facade: Option<Arc<Facade>>,
    /// With whom people sign in on the admin side.
    pub(crate) entrance: Option<Arc<Entrance>>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
}

impl Issuers {
    /// How they are now. Nothing is asked for it.
    pub(crate) fn now(&self) -> Vec<IssuerKeys> {
        let now = self.clock.now();
        let mut told = Vec::new();
        if let Some(server) = &self.gate.front.load().callers.server {
            told.extend(server.issuers().map(|issuer| shown(issuer.url(), "agents", issuer.keys().health(), now)));
        }
        let relied_on = [
            self.facade.as_ref().map(|facade| (facade.relying(), "sign-in")),
            self.entrance.as_ref().map(|entrance| (entrance.relying(), "people")),
        ];
        let provider = |(relying, used_for): (&identity::relying::Relying, _)| {
            shown(&relying.provider().issuer, used_for, relying.keys_health(), now)
        };
        told.extend(relied_on.into_iter().flatten().map(provider));
        told
    }

    /// Has `registry` show them when somebody asks.
    pub(crate) fn count(self, registry: &mut Registry) {
        registry.register_collector(Box::new(Counted(self)));
    }
}

fn shown(issuer: &str, used_for: &str, health: KeysHealth, now: Timestamp) -> IssuerKeys {
    let KeysHealth { keys, fetched, believed_until, trouble } = health;
    IssuerKeys {
        issuer: issuer.to_owned(),
        used_for: used_for.to_owned(),
        keys,
        believed: believed_until.is_some_and(|until| now <= until),
        fetched_at: fetched.map(|at| at.0),
        believed_until: believed_until.map(|until| until.0),
        trouble: trouble.map(|why| why.as_ref().to_owned()),
    }
}

struct Counted(Issuers);

impl fmt::Debug for Counted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Counted").finish_non_exhaustive()
    }
}

impl Collector for Counted {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let (all, now) = (self.0.now(), self.0.clock.now());
        let mut show = |name: &str, help: &str, of: &dyn Fn(&IssuerKeys) -> Option<u64>| -> fmt::Result {
            let mut gauges = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            all.iter().filter_map(|one| Some((one, of(one)?))).try_for_each(|(one, value)| {
                let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
                let labels = [("issuer", one.issuer.as_str()), ("used_for", one.used_for.as_str())];
                gauge.encode(gauges.encode_family(&labels)?)
            })
        };
        let age = |one: &IssuerKeys| Some(now.0.saturating_sub(one.fetched_at?) / 1_000);
        show("portcullis_issuer_keys", "Keys that are known, by issuer", &|one| u64::try_from(one.keys).ok())?;
        show("portcullis_issuer_keys_age_seconds", "Seconds since an issuer's keys were fetched", &age)?;
        show("portcullis_issuer_keys_believed", "Whether an issuer's keys are believed", &|one| {
            Some(u64::from(one.believed))
        })?;
        show("portcullis_issuer_keys_trouble", "Whether an issuer's keys could not be fetched the last time", &|one| {
            Some(u64::from(one.trouble.is_some()))
        })
    }
}
