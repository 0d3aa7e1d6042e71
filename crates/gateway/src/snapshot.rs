//! Everything a message is decided by, compiled for one revision of the governed state.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use identity::Credential;
use model::{EndpointName, Reason, Refusal, Revision, ServerName, ToolName};
use policy::Policies;
use registry::{Catalogue, Endpoint};
use tokio::sync::watch;
use upstream::Route;
use wire::ParamHeaders;

/// One revision of the governed state. A message loads one and keeps to it; after a wait on a person it loads anew.
pub struct Snapshot {
    /// Which revision.
    pub revision: Revision,
    /// Approved servers and their pinned definitions.
    pub registry: Arc<Catalogue>,
    /// Who may do what.
    pub policy: Arc<Policies>,
    /// What agents connect to.
    pub endpoints: HashMap<EndpointName, Arc<Door>>,
    /// The credentials servers are given.
    pub keys: Arc<Keys>,
}

/// One endpoint, with the ways to the servers behind it.
pub struct Door {
    /// Its name.
    pub name: EndpointName,
    /// The servers behind it, as people approved them, and what of each is there under which name.
    pub endpoint: Arc<Endpoint>,
    /// How each server is reached, in each revision in which the endpoint is served, the newest first.
    pub routes: Vec<(wire::Revision, Route)>,
    /// The arguments that tools want mirrored in headers, for those tools that do.
    pub mirrored: HashMap<ServerName, HashMap<ToolName, ParamHeaders>>,
}

impl Door {
    /// The revisions in which the endpoint is served, the newest first.
    pub(crate) fn revisions(&self) -> impl Iterator<Item = wire::Revision> {
        // Within what has sessions, a server's revision may be older or newer than its client's.
        let kin = |one: wire::Revision, other: wire::Revision| one.has_sessions() == other.has_sessions();
        let served = wire::Revision::SUPPORTED.iter().copied();
        let served = served.filter(move |one| self.routes.iter().any(|(spoken, _)| kin(*spoken, *one)));
        served.filter(|one| self.minimum().is_none_or(|minimum| *one >= minimum))
    }

    /// The oldest revision that clients may speak there, if its manifest names one.
    pub(crate) fn minimum(&self) -> Option<wire::Revision> {
        self.endpoint.manifest.minimum_revision
    }

    /// Whether clients may speak this revision there.
    pub(crate) fn serves(&self, revision: wire::Revision) -> bool {
        self.revisions().any(|served| served == revision)
    }

    /// The way to a server behind the endpoint.
    ///
    /// # Errors
    /// [`Reason::Internal`] when there is none, which earlier controls see to.
    pub(crate) fn route(&self, server: &ServerName, revision: wire::Revision) -> Result<&Route, Refusal> {
        let routes = || self.routes.iter().filter(|(_, route)| route.server == *server);
        let same = routes().find(|(spoken, _)| *spoken == revision);
        let kin = || routes().find(|(spoken, _)| spoken.has_sessions() == revision.has_sessions());
        let found = same.or_else(kin).map(|(_, route)| route);
        found.ok_or_else(|| Refusal::new(Reason::Internal, format!("no way to server `{server}` in this revision")))
    }
}

/// The credentials of servers, by name; a server that asks for none is not here.
#[derive(Default)]
pub struct Keys {
    credentials: HashMap<ServerName, Result<Credential, String>>,
}

impl Keys {
    /// Takes what was read for each server that wants a credential: the credential, or why it cannot be had.
    pub fn new(credentials: HashMap<ServerName, Result<Credential, String>>) -> Self {
        Self { credentials }
    }

    /// The credential for a server: `Ok(None)` if it wants none.
    ///
    /// # Errors
    /// Why it cannot be had, for operators.
    pub fn find(&self, server: &ServerName) -> Result<Option<&Credential>, &str> {
        match self.credentials.get(server) {
            None => Ok(None),
            Some(Ok(credential)) => Ok(Some(credential)),
            Some(Err(why)) => Err(why),
        }
    }
}

/// The snapshot in force, and word of its changes for those who hold streams open.
pub struct Snapshots {
    current: ArcSwap<Snapshot>,
    revision: watch::Sender<Revision>,
}

impl Snapshots {
    /// Begins with `first`.
    pub fn new(first: Snapshot) -> Self {
        let revision = watch::Sender::new(first.revision);
        Self { current: ArcSwap::from_pointee(first), revision }
    }

    /// The snapshot in force.
    pub fn load(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Puts `next` in force: at once for new messages, and told to every open stream.
    pub fn swap(&self, next: Snapshot) {
        let revision = next.revision;
        self.current.store(Arc::new(next));
        self.revision.send_replace(revision);
    }

    /// Has every open stream ask again, because something else changed that it was opened by.
    pub fn ask_again(&self) {
        self.revision.send_modify(|_| {});
    }

    /// Tells of every swap.
    pub fn subscribe(&self) -> watch::Receiver<Revision> {
        self.revision.subscribe()
    }
}
