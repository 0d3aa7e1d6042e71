//! What the registry asks of a store.

use std::sync::Arc;

use async_trait::async_trait;
use model::{Change, Digest, Revision, ServerName, StoreError};

use crate::{Approval, Consequence, Eyes, Observed, Reopening, Server, ServerManifest};

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
    async fn servers(&self) -> Result<(Revision, Vec<Arc<Server>>), StoreError>;

    /// One server.
    async fn server(&self, name: &ServerName) -> Result<Server, StoreError>;

    /// Keeps a server that somebody still writes on. Refused where one of that name was submitted.
    async fn draft(&self, manifest: ServerManifest, change: Change) -> Result<Revision, StoreError>;

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

    /// Approves what was last observed, which must have the digest that its approver saw: nobody approves what they have
    /// not read.
    async fn approve(&self, name: &ServerName, approval: Approval, change: Change) -> Result<Revision, StoreError>;

    /// Accepts what a check of vetting found, which has this digest: it keeps the server from being approved no more.
    async fn accept(
        &self,
        name: &ServerName,
        check: String,
        of: Digest,
        eyes: Eyes,
        change: Change,
    ) -> Result<Revision, StoreError>;

    /// Takes an approved server out of service, until [`Registry::resume`].
    async fn suspend(&self, name: &ServerName, change: Change) -> Result<Revision, StoreError>;

    /// Puts a suspended server back: approved if its pins still hold and its approval is not over.
    async fn resume(&self, name: &ServerName, change: Change) -> Result<Revision, StoreError>;

    /// Takes a server out of everything, until [`Registry::release`].
    async fn quarantine(&self, name: &ServerName, change: Change) -> Result<Revision, StoreError>;

    /// Ends a quarantine: the server is submitted, and nothing is known of it.
    async fn release(&self, name: &ServerName, change: Change) -> Result<Revision, StoreError>;

    /// Ends a server for good, and forgets its credentials.
    async fn retire(&self, name: &ServerName, change: Change) -> Result<Revision, StoreError>;

    /// Something became known that the server's approval did not know of: an end that came, an advisory, a signature that
    /// does not hold. Its manifest says what follows; what was known already changes nothing, and neither does an end that
    /// has not come.
    async fn reopen(
        &self,
        name: &ServerName,
        reopening: Reopening,
        change: Change,
    ) -> Result<(Revision, Consequence), StoreError>;

    /// Removes a server that no endpoint names and that is not retired.
    async fn remove(&self, name: &ServerName, change: Change) -> Result<Revision, StoreError>;
}
