//! Everything a message is decided by, compiled for one revision of the governed state.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::HeaderMap;
use identity::Credential;
use identity::agents::Agents;
use identity::assertions::Assertions;
use identity::outgoing::{Holder, OutgoingError, Supply};
use inspect::{Value, Values};
use model::{
    Behalf, EndpointName, FingerprintKey, Object, Reason, Refusal, Revision, ServerName, ToolName, with_causes,
};
use policy::Policies;
use registry::{Catalogue, Endpoint};
use tokio::sync::watch;
use upstream::{Route, Turnstile};
use wire::ParamHeaders;

use crate::listing::Views;

/// One revision of the governed state. A message loads one and keeps to it; after a wait on a person it loads anew.
pub struct Snapshot {
    /// Which revision.
    pub revision: Revision,
    /// Approved servers and their pinned definitions.
    pub registry: Arc<Catalogue>,
    /// Who may do what.
    pub policy: Arc<Policies>,
    /// The agents that are registered. What was found out about callers counts as long as this is the same.
    pub agents: Arc<Agents>,
    /// What agents connect to.
    pub endpoints: HashMap<EndpointName, Arc<Door>>,
    /// The credentials servers are given.
    pub keys: Arc<Keys>,
    /// Texts that no message may hold, or that tell of a theft: servers' own keys, and canaries.
    pub known: Arc<Values>,
    /// What callers see of the endpoints' lists, remembered.
    pub views: Views,
}

/// One endpoint, with the ways to the servers behind it.
pub struct Door {
    /// Its name.
    pub name: EndpointName,
    /// The servers behind it, as people approved them, and what of each is there under which name.
    pub endpoint: Arc<Endpoint>,
    /// How each server is reached, and what it speaks.
    pub ways: Vec<Way>,
    /// The arguments that tools want mirrored in headers, for those tools that do.
    pub mirrored: HashMap<ServerName, HashMap<ToolName, ParamHeaders>>,
}

/// The way to one server.
pub struct Way {
    /// How it is reached.
    pub route: Route,
    /// The revisions in which it can be spoken to, the newest first.
    pub speaks: Vec<wire::Revision>,
}

impl Door {
    /// The revisions in which the endpoint is served, the newest first: all of them from its minimum on, whatever its
    /// servers speak, because the bridge stands between.
    pub(crate) fn revisions(&self) -> impl Iterator<Item = wire::Revision> {
        self.endpoint.manifest.revisions()
    }

    /// The oldest revision that clients may speak there, if its manifest names one.
    pub(crate) fn minimum(&self) -> Option<wire::Revision> {
        self.endpoint.manifest.minimum_revision
    }

    /// Whether clients may speak this revision there.
    pub(crate) fn serves(&self, revision: wire::Revision) -> bool {
        self.revisions().any(|served| served == revision)
    }

    /// Where calls to a server behind the endpoint take turns: the same for every way there.
    ///
    /// # Errors
    /// [`Reason::Internal`] when there is no way, which earlier controls see to.
    pub(crate) fn turnstile(&self, server: &ServerName) -> Result<&Arc<Turnstile>, Refusal> {
        self.way(server).map(|way| way.route.turnstile())
    }

    /// The way to a server behind the endpoint, for a client of this revision, and the revision in which it is spoken to:
    /// the client's, if the server speaks it; else the newest of the client's era; else the newest of the other.
    ///
    /// # Errors
    /// [`Reason::Internal`] when there is none, which earlier controls see to.
    pub(crate) fn reach(
        &self,
        server: &ServerName,
        client: wire::Revision,
    ) -> Result<(&Route, wire::Revision), Refusal> {
        let way = self.way(server)?;
        let own = way.speaks.iter().find(|spoken| **spoken == client);
        let kin = || way.speaks.iter().find(|spoken| spoken.has_sessions() == client.has_sessions());
        let none = || Refusal::new(Reason::Internal, format!("server `{server}` speaks no revision of the gate's"));
        let spoken = own.or_else(kin).or_else(|| way.speaks.first()).copied().ok_or_else(none)?;
        Ok((&way.route, spoken))
    }

    /// Whether a server behind the endpoint is at this URL; a local one is at none.
    pub(crate) fn is_at(&self, server: &ServerName, url: &str) -> bool {
        self.way(server).is_ok_and(|way| way.route.url().map(ToString::to_string).unwrap_or_default() == url)
    }

    fn way(&self, server: &ServerName) -> Result<&Way, Refusal> {
        let found = self.ways.iter().find(|way| way.route.server == *server);
        found.ok_or_else(|| Refusal::new(Reason::Internal, format!("no way to server `{server}`")))
    }
}

/// The credentials of servers, by name; a server that asks for none is not here.
#[derive(Default)]
pub struct Keys {
    keys: HashMap<ServerName, Key>,
    /// Servers that are told who calls, by what they are called there, and who signs that.
    asserted: HashMap<ServerName, String>,
    assertions: Option<Arc<Assertions>>,
}

/// How one server's credential comes about.
#[derive(Clone)]
pub enum Key {
    /// It is the same for everybody, and somebody keeps it.
    Fixed(Credential),
    /// Its authorization server gives out tokens.
    Granted(Supply),
    /// It cannot be had; why, for operators.
    Missing(String),
}

impl Keys {
    /// Takes the key of each server that wants one.
    pub fn new(keys: HashMap<ServerName, Key>) -> Self {
        Self { keys, ..Self::default() }
    }

    /// The same, where these servers are told who calls, each under the URL at which it is.
    #[must_use]
    pub fn asserting(self, asserted: HashMap<ServerName, String>, assertions: Arc<Assertions>) -> Self {
        Self { asserted, assertions: Some(assertions), ..self }
    }

    /// The credential for what is about to leave for a server on behalf of this caller: `Ok(None)` if it wants none. Where it
    /// is a token that is not there yet or nearly over, this waits for it, within bounds.
    ///
    /// # Errors
    /// [`Reason::CredentialUnavailable`]; [`Reason::NotConnected`] where the caller's person can do something about it.
    pub(crate) async fn ready(&self, server: &ServerName, behalf: &Behalf) -> Result<Option<Credential>, Refusal> {
        let credential = self.credential(server, behalf).await?;
        self.asserted(server, behalf, credential)
    }

    async fn credential(&self, server: &ServerName, behalf: &Behalf) -> Result<Option<Credential>, Refusal> {
        match self.keys.get(server) {
            None => Ok(None),
            Some(Key::Fixed(credential)) => Ok(Some(credential.clone())),
            Some(Key::Missing(why)) => Err(Refusal::new(Reason::CredentialUnavailable, why.clone())),
            Some(Key::Granted(supply)) => match supply.credential(behalf).await {
                Ok(credential) => Ok(Some(credential)),
                // A person can do something about it, and their agent can tell them.
                Err(error @ OutgoingError::NotConnected { holder: Holder::User(_), .. }) => {
                    Err(Refusal::new(Reason::NotConnected, with_causes(&error)))
                }
                Err(error) => Err(Refusal::new(Reason::CredentialUnavailable, with_causes(&error))),
            },
        }
    }

    /// Where the person of this caller connects a server for themselves; their page is there from now on. `None` where nobody
    /// connects it for themselves.
    pub(crate) fn ask_person(&self, server: &ServerName, behalf: &Behalf) -> Option<String> {
        match self.keys.get(server)? {
            Key::Granted(supply) => supply.ask_person(behalf).map(String::from),
            Key::Fixed(_) | Key::Missing(_) => None,
        }
    }

    /// Returns as soon as this caller's credential for a server is there, and after `patience` at the latest.
    pub(crate) async fn connected(&self, server: &ServerName, behalf: &Behalf, patience: Duration) {
        match self.keys.get(server) {
            Some(Key::Granted(supply)) => supply.connected(behalf, patience).await,
            Some(Key::Fixed(_) | Key::Missing(_)) | None => {}
        }
    }

    /// The keys that are the same for everybody, as they are known in messages.
    pub fn fixed(&self, key: &FingerprintKey) -> Vec<Value> {
        let fixed = self.keys.iter().filter_map(|(server, one)| match one {
            Key::Fixed(credential) => value(server, credential, key),
            Key::Granted(_) | Key::Missing(_) => None,
        });
        fixed.collect()
    }

    /// The token that the gate holds for this caller at a server, as it is known in messages.
    pub(crate) fn granted(&self, server: &ServerName, behalf: &Behalf, key: &FingerprintKey) -> Option<Value> {
        match self.keys.get(server)? {
            Key::Granted(supply) => value(server, &supply.held(behalf)?, key),
            Key::Fixed(_) | Key::Missing(_) => None,
        }
    }

    /// The same for parting words, which are not worth a new token: `Ok(None)` also where none is held.
    ///
    /// # Errors
    /// [`Reason::CredentialUnavailable`].
    pub(crate) fn held(&self, server: &ServerName, behalf: &Behalf) -> Result<Option<Credential>, Refusal> {
        let credential = match self.keys.get(server) {
            None => None,
            Some(Key::Fixed(credential)) => Some(credential.clone()),
            Some(Key::Missing(why)) => return Err(Refusal::new(Reason::CredentialUnavailable, why.clone())),
            Some(Key::Granted(supply)) => supply.held(behalf),
        };
        self.asserted(server, behalf, credential)
    }

    /// With who calls, where the server is told that.
    fn asserted(
        &self,
        server: &ServerName,
        behalf: &Behalf,
        credential: Option<Credential>,
    ) -> Result<Option<Credential>, Refusal> {
        let Some((audience, assertions)) = self.asserted.get(server).zip(self.assertions.as_ref()) else {
            return Ok(credential);
        };
        let signed = assertions.sign(audience, Some(behalf));
        let signed = signed.map_err(|error| Refusal::new(Reason::CredentialUnavailable, with_causes(&error)))?;
        Ok(Some(credential.unwrap_or_default().asserting(signed)))
    }

    /// Heeds what a server says of the token it was given for this caller; whether it says something of it. Of a key that is
    /// the same for everybody it says nothing that the gate could do anything about.
    pub(crate) fn heed(
        &self,
        server: &ServerName,
        behalf: &Behalf,
        object: Option<&Object>,
        challenges: &HeaderMap,
    ) -> bool {
        match self.keys.get(server) {
            Some(Key::Granted(supply)) => supply.heed(behalf, object.and_then(named).as_deref(), challenges),
            Some(Key::Fixed(_) | Key::Missing(_)) | None => false,
        }
    }

    /// A call went through: the scopes that the server asked for it were used.
    pub(crate) fn went(&self, object: Option<&Object>) {
        if let Some(object) = object
            && let Some(Key::Granted(supply)) = self.keys.get(object.server())
            && let Some(name) = named(object)
        {
            supply.went(&name);
        }
    }
}

/// By what it is remembered which scopes a thing needed. The URI of a resource may say too much to be kept.
fn named(object: &Object) -> Option<String> {
    match object {
        Object::Tool { name, .. } => Some(format!("tool {name}")),
        Object::Prompt { name, .. } => Some(format!("prompt {name}")),
        Object::Template { template, .. } => Some(format!("template {template}")),
        Object::Resource { .. } | Object::Server { .. } => None,
    }
}

/// How a server's credential is told where it is found.
fn value(server: &ServerName, credential: &Credential, key: &FingerprintKey) -> Option<Value> {
    let fingerprint = credential.fingerprint(key)?;
    let (rule, class) = (format!("vault.{server}").parse().ok()?, model::Class::VAULT_SECRET.parse().ok()?);
    Some(Value { fingerprint, rule, class })
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
