//! What the registry asks of a store.

use async_trait::async_trait;
use model::{Change, Digest, Revision, ServerName, StoreError};

use crate::{Observed, Server, ServerManifest};

/// What recording an observation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// The revision of the state afterwards.
    pub revision: Revision,
    /// Whether the definitions differ from those of the observation before; only then did the revision grow.
    pub changed: bool,
}

/// Servers and their approvals, as whole commands: each one transaction, with its revision and its outbox row.
///
/// Every command fails with [`StoreError::Conflict`] when the state is not at the revision that
/// `change.expected` names, and with [`StoreError::NotFound`] when it is about a server that is not there.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Every server, by name, and the revision they were read at.
    async fn servers(&self) -> Result<(Revision, Vec<Server>), StoreError>;

    /// One server.
    async fn server(&self, name: &ServerName) -> Result<Server, StoreError>;

    /// Submits a server, or replaces its manifest. A manifest with another identity voids the pins: what was observed
    /// is forgotten, and the server is unreachable until it is approved again.
    async fn submit(&self, manifest: ServerManifest, change: Change) -> Result<Revision, StoreError>;

    /// Records what the server says of itself now. `identity` is that of the manifest that was connected to; if the
    /// manifest has another by now, the observation is of another server and is refused.
    async fn observe(
        &self,
        name: &ServerName,
        identity: Digest,
        observed: Observed,
        change: Change,
    ) -> Result<Observation, StoreError>;

    /// Approves what was last observed, which must have the digest `seen`: nobody approves what they have not read.
    async fn approve(&self, name: &ServerName, seen: Digest, change: Change) -> Result<Revision, StoreError>;

    /// Takes an approved server out of service, until [`Registry::resume`].
    async fn suspend(&self, name: &ServerName, change: Change) -> Result<Revision, StoreError>;

    /// Puts a suspended server back: approved if its pins still hold, otherwise submitted.
    async fn resume(&self, name: &ServerName, change: Change) -> Result<Revision, StoreError>;

    /// Removes a server that no endpoint names.
    async fn remove(&self, name: &ServerName, change: Change) -> Result<Revision, StoreError>;
}
