//! What the control plane asks of a store: the governed state as one thing, read whole and changed whole.

use std::sync::Arc;

use async_trait::async_trait;
use dossier::Examination;
use evidence::{Probe, Trial};
use inventory::Report;
use model::{AgentId, Change, Digest, EndpointName, Revision, ServerName, StoreError, Timestamp, ZoneName};
use registry::{AgentManifest, EndpointManifest, Server, ServerManifest, ZoneManifest};

use crate::view::VettingReport;

/// The governed state at one revision. `app` compiles the data plane's snapshot from it, and `apply` is compared
/// with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Governed {
    /// The revision all of it was read at.
    pub revision: Revision,
    /// The declared zones, by name. The zone `internet` is built in and not among them.
    pub zones: Vec<ZoneManifest>,
    /// The servers, by name.
    pub servers: Vec<Arc<Server>>,
    /// The endpoints, by name.
    pub endpoints: Vec<EndpointManifest>,
    /// The registered agents, by name.
    pub agents: Vec<AgentManifest>,
    /// The policy files, by name.
    pub policies: Vec<policy::Source>,
}

/// What to do with the things of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edits<T, Name> {
    /// New things; refused if one of that name is there.
    pub create: Vec<T>,
    /// Things with new content; refused if there is none of that name.
    pub update: Vec<T>,
    /// Names of things to remove; refused if there is none.
    pub delete: Vec<Name>,
}

impl<T, Name> Edits<T, Name> {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.create.is_empty() && self.update.is_empty() && self.delete.is_empty()
    }
}

impl<T, Name> Default for Edits<T, Name> {
    fn default() -> Self {
        Self { create: Vec::new(), update: Vec::new(), delete: Vec::new() }
    }
}

/// One change of the whole state: all of it or none of it happens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Zones.
    pub zones: Edits<ZoneManifest, ZoneName>,
    /// Servers. An update is a new submission: another identity voids the pins.
    pub servers: Edits<ServerManifest, ServerName>,
    /// Endpoints.
    pub endpoints: Edits<EndpointManifest, EndpointName>,
    /// Agents.
    pub agents: Edits<AgentManifest, AgentId>,
    /// Policies, by file name.
    pub policies: Edits<policy::Source, String>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.zones.is_empty()
            && self.servers.is_empty()
            && self.endpoints.is_empty()
            && self.agents.is_empty()
            && self.policies.is_empty()
    }
}

/// The governed state.
#[async_trait]
pub trait State: Send + Sync {
    /// Everything, read in one transaction.
    async fn read(&self) -> Result<Governed, StoreError>;

    /// The declared zones, by name: all that is needed to reach one server.
    async fn zones(&self) -> Result<Vec<ZoneManifest>, StoreError>;

    /// Carries out the whole plan in one transaction, adds one to the revision and writes one outbox row.
    ///
    /// Fails, with nothing changed, with [`StoreError::Conflict`] when the state is not at `change.expected`, with
    /// [`StoreError::NotFound`] or [`StoreError::Refused`] when an edit does not fit what is there, and with
    /// [`StoreError::Refused`] when an endpoint would name a server, a server a zone, or an agent an endpoint, that is not
    /// there afterwards.
    async fn apply(&self, plan: Plan, change: Change) -> Result<Revision, StoreError>;
}

/// What a host's clients connect to, as somebody reported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptReport {
    /// The report.
    pub report: Report,
    /// Who reported it. Of one host and user, each reporter has a report of their own: nobody replaces another's.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What hosts reported of their clients. It is evidence, and no part of the governed state: it has no revision.
#[async_trait]
pub trait Inventories: Send + Sync {
    /// A page of reports, and the mark to read on from; none at the end. At most [`model::limits::INVENTORY_REPORTS_READ`].
    async fn reports(&self, after: Option<i64>) -> Result<(Vec<KeptReport>, Option<i64>), StoreError>;

    /// The reports of one host.
    async fn reports_of(&self, host: &str) -> Result<Vec<KeptReport>, StoreError>;

    /// Keeps a report in place of the one before, of the same host and user by the same person, and forgets those that are
    /// too old.
    async fn keep_report(&self, report: Report, change: Change) -> Result<(), StoreError>;
}

/// What somebody said of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptComment {
    /// Who.
    pub by: String,
    /// What.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// What people say of servers to each other. It decides nothing, and is no part of the governed state.
#[async_trait]
pub trait Comments: Send + Sync {
    /// Everything that was said of a server, in order.
    async fn comments(&self, server: &ServerName) -> Result<Vec<KeptComment>, StoreError>;

    /// Adds a comment; none is ever changed. Fails with [`StoreError::NotFound`] if there is no such server, and with
    /// [`StoreError::Refused`] when it has [`model::limits::COMMENTS_PER_SERVER_MAX`].
    async fn comment(&self, server: &ServerName, text: String, change: Change) -> Result<(), StoreError>;
}

/// What is in a server's package, as somebody examined it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPackage {
    /// What was found.
    pub examination: Examination,
    /// The digest of that, as it is kept.
    pub digest: Digest,
    /// What had been found when the server was approved last, if something had.
    pub approved: Option<Examination>,
    /// Who had it examined.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What vetting found of servers. It is evidence for whoever approves, and no part of the governed state.
#[async_trait]
pub trait Vettings: Send + Sync {
    /// What was found of a server last.
    async fn vetting(&self, server: &ServerName) -> Result<Option<VettingReport>, StoreError>;

    /// Keeps what was found, in place of what was found before. A receipt tells of it where that is something else. Fails with
    /// [`StoreError::NotFound`] if there is no such server.
    async fn keep_vetting(&self, server: &ServerName, found: VettingReport, change: Change) -> Result<(), StoreError>;
}

/// What is known of the packages of servers. It is evidence for whoever approves, and no part of the governed state.
#[async_trait]
pub trait Packages: Send + Sync {
    /// What was found last in a server's package.
    async fn package(&self, server: &ServerName) -> Result<Option<KeptPackage>, StoreError>;

    /// Keeps what was found, in place of what was found before. Fails with [`StoreError::NotFound`] if there is no such
    /// server.
    async fn keep_package(&self, server: &ServerName, found: Examination, change: Change) -> Result<(), StoreError>;

    /// Keeps what is known of the same package now, in place of what has this digest: which advisories are about it, which
    /// evidence holds. Returns the digest of what is kept then; nothing changes where something else is kept by now.
    async fn refresh_package(&self, server: &ServerName, of: Digest, now: Examination) -> Result<Digest, StoreError>;
}

/// What was seen of a server, with who had it looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<T> {
    /// What was seen.
    pub found: T,
    /// What the server was then.
    pub identity: Digest,
    /// Who had it looked at.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What was seen of servers that live. It is evidence for whoever approves, and no part of the governed state.
#[async_trait]
pub trait Evidence: Send + Sync {
    /// What came of probing a server last.
    async fn probe(&self, server: &ServerName) -> Result<Option<Kept<Probe>>, StoreError>;

    /// Keeps what came of probing a server, in place of what came before. `change` is by whoever said that they may. Fails with
    /// [`StoreError::NotFound`] if there is no such server.
    async fn keep_probe(
        &self,
        server: &ServerName,
        identity: Digest,
        found: Probe,
        change: Change,
    ) -> Result<(), StoreError>;

    /// What came of trying a server's program last.
    async fn trial(&self, server: &ServerName) -> Result<Option<Kept<Trial>>, StoreError>;

    /// Keeps what came of trying it, as [`Evidence::keep_probe`] does.
    async fn keep_trial(
        &self,
        server: &ServerName,
        identity: Digest,
        found: Trial,
        change: Change,
    ) -> Result<(), StoreError>;
}
