//! What the journal asks of a store: the outbox, through which changes of state become receipts.
//!
//! A change of state and its outbox row are one transaction. Later each row is written to the journal and then
//! settled, so a crash between the two writes it twice, never not at all: the row's id tells the two apart.

use async_trait::async_trait;
use model::{Actor, Revision, StoreError, Timestamp};
use serde::{Deserialize, Serialize};

/// One change of state that is not in the journal yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxRow {
    /// Its place in the order of changes. It is never given again, so it tells a repeated row from a new one.
    pub id: u64,
    /// The revision of the state after the change.
    pub revision: Revision,
    /// Who made it.
    pub actor: Actor,
    /// What was done: `server.approve`, `halt`, `state.apply`.
    pub what: String,
    /// What it was done to: a server's name, a halt's scope; empty where the detail tells.
    pub subject: String,
    /// What else an auditor needs, with the person's reason under `reason`. Bounded; it holds no secrets.
    pub detail: serde_json::Value,
    /// When.
    pub at: Timestamp,
}

/// The changes that wait for their receipts.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// The oldest rows that are not settled, in order, at most `limit`.
    async fn pending(&self, limit: usize) -> Result<Vec<OutboxRow>, StoreError>;

    /// Forgets a row whose receipt is durable. Settling a row twice is no error.
    async fn settle(&self, id: u64) -> Result<(), StoreError>;
}
