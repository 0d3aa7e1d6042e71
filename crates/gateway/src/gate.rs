//! What the path needs, in one place.

use std::sync::Arc;

use ::watch::Halts;
use arc_swap::ArcSwap;
use audit::Journal;
use flow::{Sessions, Signals};
use inspect::Inspector;
use model::{Clock, ServerName};
use tokio::sync::{mpsc, watch};

use crate::bridge::Bridge;
use crate::callouts::Callouts;
use crate::controls::accept::Doors;
use crate::controls::authenticate::Callers;
use crate::large::Large;
use crate::legacy::Legacies;
use crate::listing::Cursors;
use crate::metrics::Metrics;
use crate::sites::Sites;
use crate::snapshot::{Snapshot, Snapshots};
use crate::suppressions::Suppressions;
use crate::tasks::Tasks;
use crate::tokens::Tokens;

/// The gate. One per process; shared by every connection.
pub struct Gate {
    /// What settings say of the listener and of callers; swapped whole on reload.
    pub front: ArcSwap<Front>,
    /// Pages and documents that are served beside the path.
    pub sites: Sites,
    /// The governed state, compiled.
    pub snapshots: Snapshots,
    /// What is stopped. Separate from the snapshot, because it must be faster.
    pub halts: Arc<Halts>,
    /// Agents working for users.
    pub sessions: Sessions,
    /// How sign-ins began.
    pub signals: Signals,
    /// Sessions of clients that keep one.
    pub legacies: Legacies,
    /// What stands between clients and servers of different eras.
    pub bridge: Bridge,
    /// Where lists go on.
    pub cursors: Cursors,
    /// What clients know their tasks by.
    pub tasks: Tasks,
    /// What was taken out of messages and may be put back.
    pub tokens: Tokens,
    /// Looks into messages; swapped whole when settings are read again.
    pub sight: ArcSwap<Sight>,
    /// Where large messages take turns.
    pub large: Large,
    /// Where receipts go.
    pub journal: Arc<Journal>,
    /// Servers that said their lists changed; whoever listens compares them with their pins.
    pub heed: mpsc::Sender<ServerName>,
    /// Whether the gate is about to stop: streams that could go on for ever end then.
    pub stopping: watch::Sender<bool>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Gate {
    /// Resolves when the gate is about to stop.
    pub(crate) fn stops(&self) -> impl Future<Output = ()> + use<> {
        let mut stopping = self.stopping.subscribe();
        async move {
            // An error would mean that the gate is gone, which is a stop too.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        }
    }

    /// Whether any policy asks what is in messages, or anybody may make others of them.
    pub(crate) fn looks_into(&self, snapshot: &Snapshot) -> bool {
        snapshot.policy.any_reads_findings() || self.sight.load().callouts.may_change()
    }
}

/// What settings say of inspection.
pub struct Sight {
    /// Looks into messages.
    pub inspector: Inspector,
    /// What it sees and is not told.
    pub suppressions: Suppressions,
    /// Who else looks into them.
    pub callouts: Callouts,
}

/// What stands before the path: who this listener is, and who may come.
pub struct Front {
    /// The names and origins it answers to.
    pub doors: Doors,
    /// Whose tokens are taken.
    pub callers: Callers,
}
