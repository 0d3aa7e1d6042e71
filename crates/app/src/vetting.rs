//! Vetting beside the path: at the start, by the hours that settings name, when there are other advisories, and when something else
//! is asked of a server's package.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use admin::port::State as _;
use admin::view::AdvisoriesView;
use admin::{Admin, Means, Vetting, Whom};
use async_trait::async_trait;
use egress::{NameServers, Reach};
use identity::fetch::{Asked, Fetch, FetchError, Fetched, Outbound};
use model::{Clock, Revision, StoreError, ZoneName, limits};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry as Counters;
use tokio::sync::watch;

use crate::compile::Warned;
use crate::settings::Loaded;

/// How long to wait before a look is tried again that failed.
const AGAIN: Duration = Duration::from_secs(1);

/// Looks at what servers are made of, until `stop` resolves.
pub(crate) async fn watch(
    admin: Arc<Admin>,
    mut revisions: watch::Receiver<Revision>,
    every: Duration,
    stop: impl Future<Output = ()>,
) {
    let look = Duration::from_millis(limits::ADVISORIES_LOOK_MILLISECONDS);
    let mut due = Instant::now();
    tokio::pin!(stop);
    let mut whom = Some(Whom::Everyone);
    loop {
        let mut wait = look;
        if let Some(meant) = whom.take() {
            match looked(&admin, &meant).await {
                Ok(()) if meant == Whom::Everyone => due = Instant::now() + every,
                Ok(()) => {}
                Err(error) => {
                    tracing::error!("what servers are made of could not be looked at: {}", model::with_causes(&error));
                    (whom, wait) = (Some(meant), AGAIN);
                }
            }
        }
        let changed = tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(wait) => false,
            changed = revisions.changed() => if changed.is_err() { return } else { true },
        };
        if Instant::now() >= due || admin.vetting.has_news() {
            whom = Some(Whom::Everyone);
        } else if changed && whom.is_none() {
            whom = Some(Whom::Changed);
        }
    }
}

async fn looked(admin: &Arc<Admin>, whom: &Whom) -> Result<(), StoreError> {
    let _raised = admin.vetting.look(whom).await?;
    match whom {
        Whom::Everyone => admin::vet_all(admin).await,
        Whom::Changed | Whom::Only(_) => Ok(()),
    }
}

/// What vetting needs, from settings and the other rooms.
pub(crate) fn means(
    loaded: &Loaded,
    store: &Arc<store::Sqlite>,
    egress: &egress::Client,
    clock: &Arc<dyn Clock>,
) -> Arc<Vetting> {
    let zone = loaded.settings.vetting.publishers_zone.clone();
    let publishers = Publishers { store: Arc::clone(store), egress: egress.clone(), zone };
    let records = NameServers::new(loaded.settings.vetting.name_servers.clone());
    Arc::new(Vetting::new(Means {
        registry: Arc::clone(store) as _,
        packages: Arc::clone(store) as _,
        clock: Arc::clone(clock),
        advisories: loaded.advisories(),
        publishers: Arc::new(publishers),
        records: Arc::new(records),
        modes: loaded.fail_modes(),
    }))
}

/// Asks the hosts of publishers, within their zone as it is drawn now.
struct Publishers {
    store: Arc<store::Sqlite>,
    egress: egress::Client,
    zone: Option<ZoneName>,
}

#[async_trait]
impl Fetch for Publishers {
    async fn send(&self, asked: Asked<'_>) -> Result<Fetched, FetchError> {
        let reach = match &self.zone {
            None => Some(Reach::internet()),
            Some(zone) => self.drawn(zone).await,
        };
        // A zone that is not there has nobody in it.
        let reach = reach.unwrap_or_else(|| Reach::new(Vec::new()));
        Outbound::new(&self.egress, "publishers of servers", &reach).send(asked).await
    }
}

impl Publishers {
    async fn drawn(&self, zone: &ZoneName) -> Option<Reach> {
        match self.store.read().await {
            Ok(governed) => registry::reach(zone, &governed.zones),
            Err(error) => {
                tracing::error!("the zones cannot be read: {}", model::with_causes(&error));
                None
            }
        }
    }
}

/// Has `counters` show how vetting is, and what became known of servers.
pub(crate) fn count(counters: &mut Counters, vetting: Arc<Vetting>, warned: watch::Receiver<Vec<Warned>>) {
    counters.register_collector(Box::new(Shown { vetting, warned }));
}

struct Shown {
    vetting: Arc<Vetting>,
    warned: watch::Receiver<Vec<Warned>>,
}

impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shown").finish_non_exhaustive()
    }
}

impl Collector for Shown {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut one = |name: &str, help: &str, number: u64| {
            let gauge = ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
        };
        let view = self.vetting.view();
        if let Some(at) = view.looked_at {
            one("portcullis_vetting_seconds", "When all servers were vetted last, in seconds since 1970", at / 1_000)?;
        }
        if let Some(AdvisoriesView { imported_at, stale, trouble, .. }) = view.advisories {
            let readable = u64::from(trouble.is_none());
            one("portcullis_advisories_readable", "Whether the advisories that settings name can be read", readable)?;
            one(
                "portcullis_advisories_stale",
                "Whether the advisories are older than settings have it",
                u64::from(stale),
            )?;
            if let Some(at) = imported_at {
                let help = "When the advisories were imported, in seconds since 1970";
                one("portcullis_advisories_imported_seconds", help, at / 1_000)?;
            }
        }
        let help = "What became known of a server after its approval and nobody settled, by server and kind";
        let mut gauges = encoder.encode_descriptor("portcullis_server_warnings", help, None, MetricType::Gauge)?;
        self.warned.borrow().iter().try_for_each(|Warned { server, cause, number }| {
            let gauge = ConstGauge::new(i64::try_from(*number).unwrap_or(i64::MAX));
            gauge.encode(gauges.encode_family(&[("server", server.as_str()), ("cause", cause.as_str())])?)
        })
    }
}
