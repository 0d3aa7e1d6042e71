//! What the path needs, in one place.

use std::sync::Arc;

use arc_swap::ArcSwap;
use audit::Journal;
use flow::Sessions;
use identity::DevelopmentTokens;
use model::{Clock, ServerName};
use tokio::sync::mpsc;
use watch::Halts;

use crate::controls::accept::Doors;
use crate::legacy::Legacies;
use crate::metrics::Metrics;
use crate::snapshot::Snapshots;

/// The gate. One per process; shared by every connection.
pub struct Gate {
    /// What settings say of the listener and of callers; swapped whole on reload.
    pub front: ArcSwap<Front>,
    /// The governed state, compiled.
    pub snapshots: Snapshots,
    /// What is stopped. Separate from the snapshot, because it must be faster.
    pub halts: Arc<Halts>,
    /// Agents working for users.
    pub sessions: Sessions,
    /// Sessions of clients that keep one.
    pub legacies: Legacies,
    /// Where receipts go.
    pub journal: Arc<Journal>,
    /// Servers that said their lists changed; whoever listens compares them with their pins.
    pub heed: mpsc::Sender<ServerName>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// What stands before the path: who this listener is, and who may come.
pub struct Front {
    /// The names and origins it answers to.
    pub doors: Doors,
    /// Callers by their development tokens.
    pub callers: Arc<DevelopmentTokens>,
}
