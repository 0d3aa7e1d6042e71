//! What halting asks of a store.

use async_trait::async_trait;
use model::{Change, Scope, StoreError};

use crate::Halt;

/// The halts in force, durable. Halting and resuming write an outbox row; they do not change the revision.
#[async_trait]
pub trait Halts: Send + Sync {
    /// Every halt in force.
    async fn halts(&self) -> Result<Vec<Halt>, StoreError>;

    /// Halts a scope, durably, before it returns. A scope that is halted already stays as it is, and its first halt
    /// is returned.
    async fn halt(&self, scope: Scope, change: Change) -> Result<Halt, StoreError>;

    /// Ends a scope's halt; returns whether there was one.
    async fn resume(&self, scope: &Scope, change: Change) -> Result<bool, StoreError>;
}
