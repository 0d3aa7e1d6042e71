//! What goes on beside the path: new revisions come into force, changes get their receipts.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use admin::Readings;
use audit::port::Outbox;
use audit::{Event, Record};
use gateway::Gate;
use identity::assertions::Assertions;
use identity::client_keys::ClientKeys;
use identity::outgoing::{Connected, Holder, Outgoing};
use model::{Revision, UserId, limits};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{Notify, watch};

use crate::compile::Compiler;

/// How long to wait before trying again what failed.
const RETRY: Duration = Duration::from_millis(500);
/// How often changes are looked for that were not announced: halts, and what a crash left over.
const LOOK: Duration = Duration::from_millis(250);
/// How often it is looked whether the gate's own keys are due to change.
const TURN: Duration = Duration::from_secs(60 * 60);
/// How often it is kept which scopes were used.
const KEEP: Duration = Duration::from_secs(60);
/// How often it is looked whether memory is held that nobody needs.
const REST: Duration = Duration::from_secs(1);
/// How long what definitions are judged with is kept when nobody judges.
const JUDGING_KEPT: Duration = Duration::from_millis(limits::JUDGING_KEPT_MILLISECONDS);
/// Changes written to the journal at once.
const CHANGES_AT_ONCE: usize = 64;

/// What makes a new snapshot necessary.
pub(crate) struct News {
    /// A new revision of the state.
    pub revisions: watch::Receiver<Revision>,
    /// Someone asked for it: servers' credentials may have changed, and they are no part of the state.
    pub again: Arc<Notify>,
}

/// Compiles each new revision and puts it in force.
pub(crate) async fn publish(
    news: News,
    compiler: Arc<Compiler>,
    gate: Arc<Gate>,
    published: watch::Sender<Revision>,
    stop: impl Future<Output = ()>,
) {
    let News { mut revisions, again } = news;
    let mut asked = false;
    tokio::pin!(stop);
    loop {
        let behind = asked || *revisions.borrow_and_update() > gate.snapshots.load().revision;
        if behind {
            match compiler.compile(Some(&gate.snapshots.load())).await {
                Ok(snapshot) => {
                    let revision = snapshot.revision;
                    gate.snapshots.swap(snapshot);
                    published.send_replace(revision);
                    asked = false;
                    continue;
                }
                Err(error) => tracing::error!("a new revision cannot be put in force: {error:#}"),
            }
        }
        tokio::select! {
            () = &mut stop => return,
            changed = revisions.changed() => if changed.is_err() { return },
            () = again.notified() => asked = true,
            () = tokio::time::sleep(RETRY), if behind => {}
        }
    }
}

/// Has memory given back that judging needed, when nobody judges, until `stop` resolves.
pub(crate) async fn memory(readings: Arc<Readings>, stop: impl Future<Output = ()>) {
    let mut look = tokio::time::interval(REST);
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = look.tick() => {}
        }
        if registry::free_rules(JUDGING_KEPT) | readings.free(JUDGING_KEPT) {
            // Where judging was done: each thread holds what it freed.
            tokio::task::spawn_blocking(sandbox::give_back).await.unwrap_or_default();
        }
    }
}

/// Writes the receipts of changes of state.
pub(crate) async fn receipts(outbox: Arc<dyn Outbox>, gate: Arc<Gate>, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let stopping = tokio::select! {
            () = &mut stop => true,
            _ = look.tick() => false,
        };
        if let Err(error) = changes(&*outbox, &gate).await {
            tracing::error!("the receipts of changes are not written yet: {error:#}");
        }
        if stopping {
            return;
        }
    }
}

/// A row is forgotten only when its receipt is durable: a crash in between writes it twice, with one number.
async fn changes(outbox: &dyn Outbox, gate: &Gate) -> anyhow::Result<()> {
    for row in outbox.pending(CHANGES_AT_ONCE).await? {
        let (id, at) = (row.id, row.at);
        let record = Record { id: gate.journal.receipt_id(), at, event: Event::Changed(row.into()) };
        gate.journal.durable(&record).await?;
        outbox.settle(id).await?;
    }
    Ok(())
}

/// Sees that the gate's own keys follow one another, until `stop` resolves.
pub(crate) async fn keys(assertions: Arc<Assertions>, client_keys: Arc<ClientKeys>, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(TURN) => {}
        }
        for (whose, keys) in [("assertions", assertions.keys()), ("the gate as a client", client_keys.keys())] {
            match keys.turn() {
                Ok(true) => tracing::info!(whose, "the gate's own keys have changed"),
                Ok(false) => {}
                // The one that signs goes on: nobody is safer for nothing being signed.
                Err(error) => {
                    let why = model::with_causes(&error);
                    tracing::error!(whose, why, "the gate's own keys could not be changed");
                }
            }
        }
    }
}

/// Keeps what scopes of servers' tokens were given and used, until `stop` resolves, and once more then.
pub(crate) async fn scopes(outgoing: Arc<Outgoing>, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    loop {
        let stopping = tokio::select! {
            () = &mut stop => true,
            () = tokio::time::sleep(KEEP) => false,
        };
        if let Err(error) = outgoing.keep_scopes().await {
            let why = model::with_causes(&error);
            tracing::warn!(why, "which scopes of servers' tokens were used is not kept yet");
        }
        if stopping {
            return;
        }
    }
}

/// Gives up what was got for people who left, until `stop` resolves.
pub(crate) async fn departures(
    mut heard: broadcast::Receiver<UserId>,
    outgoing: Arc<Outgoing>,
    stop: impl Future<Output = ()>,
) {
    tokio::pin!(stop);
    loop {
        let left = tokio::select! {
            () = &mut stop => return,
            left = heard.recv() => left,
        };
        match left {
            Ok(user) => outgoing.left(&user),
            // Who it was is not known any more, so that it may have been anybody.
            Err(RecvError::Lagged(_)) => outgoing.all_left(),
            Err(RecvError::Closed) => return,
        }
    }
}

/// Tells clients that their person connected a server, until `stop` resolves.
pub(crate) async fn connections(
    mut heard: broadcast::Receiver<Connected>,
    gate: Arc<Gate>,
    stop: impl Future<Output = ()>,
) {
    tokio::pin!(stop);
    loop {
        let connected = tokio::select! {
            () = &mut stop => return,
            connected = heard.recv() => connected,
        };
        match connected {
            Ok(Connected { server, holder: Holder::User(user) }) => gateway::person_connected(&gate, &server, &user),
            // Whoever was not told finds out when the call is made again.
            Ok(Connected { holder: Holder::Shared | Holder::Agent(_) | Holder::Both(..), .. })
            | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
