//! What all clients of the fixture share: its definitions, its seal, and the changes it tells of.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};

use rmcp::model::{Prompt, Tool};
use rmcp::task_manager::TaskManager;
use tokio::sync::broadcast;

use crate::definitions;
use crate::seal::Seal;

/// Changes that may wait for a slow subscriber.
const CHANGES_PENDING_MAX: usize = 64;

pub(crate) struct Fixture {
    pub(crate) tools: Vec<Tool>,
    pub(crate) prompts: Vec<Prompt>,
    pub(crate) seal: Seal,
    pub(crate) tasks: TaskManager,
    changes: broadcast::Sender<Change>,
    cancelled: AtomicU64,
}

/// Something that changed, or is said to have.
#[derive(Clone, Copy)]
pub(crate) enum Change {
    Tools,
    Prompts,
    /// What the resource with this URI holds.
    Resource(&'static str),
}

impl Fixture {
    pub(crate) fn new() -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self {
            tools: definitions::tools()?,
            prompts: definitions::prompts()?,
            seal: Seal::new()?,
            tasks: TaskManager::new(),
            changes: broadcast::Sender::new(CHANGES_PENDING_MAX),
            cancelled: AtomicU64::new(0),
        })
    }

    /// Tells everybody who listens, and returns how many that are. Nobody is fine.
    pub(crate) fn tell(&self, change: Change) -> usize {
        self.changes.send(change).unwrap_or(0)
    }

    pub(crate) fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Counts a call that its client gave up.
    pub(crate) fn count_cancelled(&self) {
        self.cancelled.fetch_add(1, Ordering::Relaxed);
    }

    /// How many calls their clients gave up so far.
    pub(crate) fn cancelled(&self) -> u64 {
        self.cancelled.load(Ordering::Relaxed)
    }
}
