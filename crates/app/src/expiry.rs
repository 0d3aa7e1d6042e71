//! Approvals with an end: people are reminded before it, and when it comes the server is suspended, or people are told, as its
//! manifest says. What is written down is only its receipt: whatever is compiled after the moment is compiled without the
//! server ([`registry::Server::as_of`]).

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use model::{Actor, Change, Clock, Expected, ServerName, StoreError, Timestamp, limits};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry as Counters;
use registry::port::Registry;
use registry::{Cause, Consequence, Reopening};
use tokio::sync::{Notify, watch};

use crate::compile::End;

/// How long to wait before an end is written down again that could not be.
const AGAIN: Duration = Duration::from_secs(1);

/// What ends of approvals need.
pub(crate) struct Ends {
    /// When approvals are over.
    pub ends: watch::Receiver<Vec<End>>,
    /// Where that is written down.
    pub registry: Arc<dyn Registry>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Has the data path compiled again.
    pub again: Arc<Notify>,
}

/// What was done about the ends of approvals so far.
#[derive(Default)]
struct Done {
    /// The end that was written down, by server.
    ended: HashMap<ServerName, Timestamp>,
    /// When people were told last, by server.
    reminded: HashMap<ServerName, Timestamp>,
}

/// Ends each approval whose time is over, from now on, and reminds people of those that are soon.
pub(crate) async fn watch(mut ends: Ends, stop: impl Future<Output = ()>) {
    let mut done = Done::default();
    tokio::pin!(stop);
    loop {
        let all = ends.ends.borrow_and_update().clone();
        let wait = ends.look(all, &mut done).await;
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(wait) => {}
            changed = ends.ends.changed() => if changed.is_err() { return },
        }
    }
}

impl Ends {
    /// Does what there is to do, and tells how long there is nothing more.
    async fn look(&self, all: Vec<End>, done: &mut Done) -> Duration {
        let now = self.clock.now();
        let mut wait = Duration::from_millis(limits::EXPIRY_LOOK_MILLISECONDS);
        done.ended.retain(|name, _| all.iter().any(|(server, _)| server == name));
        done.reminded.retain(|name, _| all.iter().any(|(server, _)| server == name));
        for (name, end) in all {
            if end > now {
                wait = wait.min(Duration::from_millis(end.milliseconds_since(now)));
                remind(&name, end, now, done);
            } else if done.ended.get(&name) != Some(&end) {
                match self.end(&name, end, now).await {
                    Ok(()) => drop(done.ended.insert(name, end)),
                    Err(error) => {
                        tracing::error!(server = %name, "the end of its approval could not be written down: {error}");
                        // It ends all the same: what is compiled now is compiled without it.
                        self.again.notify_one();
                        wait = AGAIN;
                    }
                }
            }
        }
        wait
    }

    async fn end(&self, name: &ServerName, end: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        let about = format!("its approval was good until {}", crate::cli::paint::moment(end.0));
        let change = Change {
            actor: Actor::Gate,
            expected: Expected::Any,
            at: now,
            reason: Some("its approval is over".into()),
        };
        let reopening = Reopening::of(Cause::Expired, about);
        match self.registry.reopen(name, reopening, change).await {
            Ok((_, Consequence::Suspended)) => {
                tracing::warn!(server = %name, "its approval is over: it is suspended until somebody approves it again");
            }
            Ok((_, Consequence::Warned)) => {
                tracing::warn!(server = %name, "its approval is over: it goes on, as its manifest says");
            }
            // It was approved again, or taken away, or this was written before.
            Ok((_, Consequence::Nothing)) | Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Tells once a day that an approval is soon over.
fn remind(name: &ServerName, end: Timestamp, now: Timestamp, done: &mut Done) {
    let is_soon = end.milliseconds_since(now) <= limits::EXPIRY_REMINDER_MILLISECONDS;
    let told = done.reminded.get(name).copied();
    if is_soon && told.is_none_or(|told| now.milliseconds_since(told) >= limits::EXPIRY_REMINDED_MILLISECONDS) {
        let until = crate::cli::paint::moment(end.0);
        tracing::warn!(server = %name, %until, "its approval is soon over: `portcullis server approve {name}`");
        done.reminded.insert(name.clone(), now);
    }
}

/// Has `counters` show when approvals are over.
pub(crate) fn count(counters: &mut Counters, ends: watch::Receiver<Vec<End>>) {
    counters.register_collector(Box::new(Moments(ends)));
}

/// When approvals are over.
#[derive(Debug)]
struct Moments(watch::Receiver<Vec<End>>);

impl Collector for Moments {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "When the approval of a server is over, in seconds since 1970, by server";
        let name = "portcullis_server_approval_end_seconds";
        let mut gauges = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        self.0.borrow().iter().try_for_each(|(server, end)| {
            let gauge = ConstGauge::new(i64::try_from(end.0 / 1_000).unwrap_or(i64::MAX));
            gauge.encode(gauges.encode_family(&[("server", server.as_str())])?)
        })
    }
}
