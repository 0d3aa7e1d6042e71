//! From the governed state to the snapshot that the data path reads.

mod looking;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use admin::Vocabularies;
use anyhow::Context as _;
use gateway::{Door, Key, Keys, Snapshot, Way};
use identity::agents::{Agents, Registration};
use identity::ages::Ages;
use identity::assertions::Assertions;
use identity::client_keys::ClientKeys;
use identity::outgoing::Outgoing;
use inspect::Values;
use model::{Agent, Clock, EndpointName, FingerprintKey, ServerName, Timestamp, ToolName};
use policy::Policies;
use registry::{
    AgentManifest, Approved, Catalogue, Cause, Endpoint, Member, Server, ServerManifest, Standing, ZoneManifest,
};
use tokio::sync::watch;
use upstream::{Route, Turnstiles};
use wire::{ParamHeaders, Revision};

use crate::keys;
use crate::locals::Locals;
use crate::shown::Shown;
use crate::sign_in::Register;

/// A server with the end of its approval.
pub(crate) type End = (ServerName, Timestamp);

/// What became known of a server after its approval and nobody settled, of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Warned {
    pub server: ServerName,
    pub cause: Cause,
    pub number: usize,
}

/// Compiles snapshots.
pub(crate) struct Compiler {
    state: Arc<dyn admin::port::State>,
    egress: egress::Client,
    locals: Arc<Locals>,
    turnstiles: Arc<Turnstiles>,
    vocabularies: Arc<Vocabularies>,
    /// Who signs in at the gate itself, if anybody does.
    register: Option<Arc<Register>>,
    outgoing: Arc<Outgoing>,
    ages: Arc<Ages>,
    assertions: Arc<Assertions>,
    clock: Arc<dyn Clock>,
    ends: watch::Sender<Vec<End>>,
    warned: watch::Sender<Vec<Warned>>,
    /// By what the gate proves to authorization servers that it is their client.
    client_keys: Arc<ClientKeys>,
    /// What servers are shown.
    shown: Arc<Shown>,
    /// Texts that are looked for in every message, beside servers' keys.
    known: Values,
    /// Where relative secret files start from.
    base: PathBuf,
}

impl Compiler {
    /// Reads the state from `state`; secrets' files are relative to `base`.
    pub(crate) fn new(
        state: Arc<dyn admin::port::State>,
        egress: egress::Client,
        locals: Arc<Locals>,
        credentials: (Arc<Outgoing>, Arc<Ages>),
        (assertions, client_keys): (Arc<Assertions>, Arc<ClientKeys>),
        clock: Arc<dyn Clock>,
        base: &Path,
    ) -> Self {
        let (base, (outgoing, ages)) = (base.to_owned(), credentials);
        let shown = Arc::new(Shown::new(&base));
        let known = Values::new(FingerprintKey::new(0), []);
        Self {
            state,
            egress,
            locals,
            turnstiles: Arc::default(),
            vocabularies: Arc::default(),
            outgoing,
            ages,
            assertions,
            client_keys,
            shown,
            clock,
            ends: watch::Sender::default(),
            warned: watch::Sender::default(),
            known,
            register: None,
            base,
        }
    }

    /// Looks for these texts in every message, and for servers' keys under the same key.
    #[must_use]
    pub(crate) fn knowing(self, known: Values) -> Self {
        Self { known, ..self }
    }

    /// Tells the register of clients of each revision, too.
    #[must_use]
    pub(crate) fn telling(self, register: Option<Arc<Register>>) -> Self {
        Self { register, ..self }
    }

    /// The certificates that servers are shown.
    pub(crate) fn shown(&self) -> &Arc<Shown> {
        &self.shown
    }

    /// Where calls to servers take turns, over all snapshots.
    pub(crate) fn turnstiles(&self) -> &Arc<Turnstiles> {
        &self.turnstiles
    }

    /// What policies can talk about, of each state that was compiled or is to be.
    pub(crate) fn vocabularies(&self) -> &Arc<Vocabularies> {
        &self.vocabularies
    }

    /// When the approvals are over that have an end, as the state has it, whether or not that has come.
    pub(crate) fn ends(&self) -> watch::Receiver<Vec<End>> {
        self.ends.subscribe()
    }

    /// What became known of servers after their approvals, as the state has it.
    pub(crate) fn warned(&self) -> watch::Receiver<Vec<Warned>> {
        self.warned.subscribe()
    }

    fn tell_warned(&self, servers: &[Arc<Server>]) {
        let of = |server: &Server, cause: Cause| {
            let open = server.warnings.iter().filter(|warning| warning.cause == cause && !warning.settled);
            let number = open.map(|warning| warning.advisories.len().max(1)).sum();
            Some(Warned { server: server.manifest.name.clone(), cause, number }).filter(|warned| warned.number > 0)
        };
        let causes = [Cause::Expired, Cause::Advisory, Cause::Signature];
        let all = servers.iter().flat_map(|server| causes.into_iter().filter_map(|cause| of(server, cause)));
        self.warned.send_replace(all.collect());
    }

    fn tell_ends(&self, servers: &[Arc<Server>]) {
        let approved = servers.iter().filter(|server| server.standing == Standing::Approved);
        let ends: Vec<_> = approved.filter_map(|one| Some((one.manifest.name.clone(), one.expires?))).collect();
        self.ends.send_if_modified(|known| {
            let is_news = *known != ends;
            *known = ends;
            is_news
        });
    }

    /// The snapshot of the state as it is now; what has not changed since `before` is taken from it. Policies that do not
    /// fit the approved servers any more permit nothing: the gate refuses everything, says why, and lets people mend it.
    ///
    /// # Errors
    /// When the state cannot be read, or an approved server's address is none.
    pub(crate) async fn compile(&self, before: Option<&Snapshot>) -> anyhow::Result<Snapshot> {
        let mut governed = self.state.read().await.context("cannot read the governed state")?;
        // An approval ends at its moment, also if that cannot be written down.
        let now = self.clock.now();
        self.tell_ends(&governed.servers);
        self.tell_warned(&governed.servers);
        governed.servers = governed.servers.into_iter().map(|server| server.as_of(now)).collect();
        let (servers, endpoints, zones) = (&governed.servers, &governed.endpoints, &governed.zones);
        let registry = Arc::new(match before {
            Some(before) => before.registry.succeed(servers, endpoints, zones),
            None => Catalogue::compile(servers, endpoints, zones),
        });
        let vocabulary = self.vocabularies.of(&governed);
        let policy = Policies::compile(&governed.policies, &vocabulary).or_else(|errors| {
            for error in &errors {
                tracing::error!(%error, "the policies do not fit the approved servers: every call is refused");
            }
            Policies::compile(&[], &vocabulary).map_err(|_| anyhow::anyhow!("no policy set can be compiled"))
        })?;
        let there: HashSet<&ServerName> = servers.iter().map(|server| &server.manifest.name).collect();
        self.outgoing.keep(|name| there.contains(name));
        self.shown.keep(|name| there.contains(name));
        self.age(servers.iter().map(|server| &server.manifest)).await;
        let (mut endpoints, mut keys, mut asserted) = (HashMap::new(), HashMap::new(), HashMap::new());
        for endpoint in registry.endpoints() {
            for Member { server, .. } in &endpoint.members {
                // Read again each time: a secret is no part of the state.
                if let Some(key) = self.key(&server.manifest, zones) {
                    keys.insert(server.name.clone(), key);
                }
                if let Some(address) = server.manifest.address().filter(|address| address.asserted) {
                    asserted.insert(server.name.clone(), address.url.as_str().to_owned());
                }
            }
            if let Some(door) = before.and_then(|before| kept(before, endpoint)) {
                endpoints.insert(endpoint.name.clone(), door);
                continue;
            }
            let (mut ways, mut headers) = (Vec::new(), HashMap::new());
            for Member { server, .. } in &endpoint.members {
                headers.insert(server.name.clone(), mirrored(server));
                let speaks = spoken(server);
                match self.route(&endpoint.name, server, &speaks) {
                    Ok(route) => ways.push(Way { route: self.in_turn(&endpoint.name, server, route), speaks }),
                    Err(error) => {
                        tracing::error!(server = %server.name, "the server cannot be reached: {error:#}");
                        keys.insert(server.name.clone(), Key::Missing(format!("{error:#}")));
                        // Callers are to hear of that, and not that there is no way.
                        let nowhere = match server.manifest.command() {
                            Some(_) => speaks.first().map(|newest| self.locals.nowhere(&server.name, *newest)),
                            // Nothing leaves by it: what is missing is missing before anything is sent.
                            None => self.remote(server, &speaks, None).ok(),
                        };
                        ways.extend(nowhere.map(|route| Way { route, speaks }));
                    }
                }
            }
            let name = endpoint.name.clone();
            let door = Door { name: name.clone(), endpoint: Arc::clone(endpoint), ways, mirrored: headers };
            endpoints.insert(name, Arc::new(door));
        }
        self.locals.keep(|endpoint, server, revision| {
            let door: Option<&Arc<Door>> = endpoints.get(endpoint);
            let ways = door.into_iter().flat_map(|door| &door.ways);
            ways.into_iter().any(|way| way.route.server == *server && way.speaks.first() == Some(&revision))
        });
        if let Some(register) = &self.register {
            register.take(&governed);
        }
        let keys = Keys::new(keys);
        Ok(Snapshot {
            revision: governed.revision,
            registry,
            agents: agents(&governed.agents, before),
            policy: Arc::new(policy),
            endpoints,
            known: Arc::new(self.known.and(keys.fixed(self.known.key()))),
            keys: Arc::new(keys.asserting(asserted, Arc::clone(&self.assertions))),
            views: gateway::Views::default(),
        })
    }

    /// Looks how old the keys are that somebody keeps. What cannot be found out of one is told, and stops nobody.
    async fn age(&self, manifests: impl Iterator<Item = &ServerManifest>) {
        let mut kept = HashSet::new();
        for manifest in manifests {
            let Some(registry::Credential::Key(key)) = manifest.address().and_then(|one| one.credential.as_ref())
            else {
                continue;
            };
            kept.insert(&manifest.name);
            if let Err(error) = self.ages.look(&manifest.name, &key.secret, &self.base, key.rotate_after_days).await {
                let why = model::with_causes(&error);
                tracing::warn!(server = %manifest.name, why, "how old the server's key is cannot be found out");
            }
        }
        self.ages.keep(|server| kept.contains(server));
    }

    fn key(&self, manifest: &ServerManifest, zones: &[ZoneManifest]) -> Option<Key> {
        let address = manifest.address()?;
        let made = match address.credential.as_ref()? {
            registry::Credential::Key(key) => keys::fixed(key, &self.base),
            registry::Credential::Grant(grant) => {
                let (egress, base, outgoing) = (&self.egress, self.base.as_path(), &self.outgoing);
                let (shown, client_keys) = (&*self.shown, &self.client_keys);
                let around = keys::Around { egress, zones, base, outgoing, shown, client_keys };
                keys::granted(manifest, address, grant, &around)
            }
        };
        Some(made.unwrap_or_else(|error| Key::Missing(format!("{error:#}"))))
    }

    /// The way to an approved server at an endpoint; a local one has one process, in the newest revision it speaks.
    fn route(&self, endpoint: &EndpointName, server: &Approved, speaks: &[Revision]) -> anyhow::Result<Route> {
        let newest =
            *speaks.first().with_context(|| format!("server `{}` speaks no revision of the gate's", server.name))?;
        match server.manifest.command() {
            Some(command) => self.locals.route(endpoint, &server.manifest, command, newest),
            None => self.remote(server, speaks, self.shown.of(&server.manifest)?.as_ref()),
        }
    }

    /// The way to a server that is reached at a url, and shown this.
    fn remote(&self, server: &Approved, speaks: &[Revision], shows: Option<&egress::Shows>) -> anyhow::Result<Route> {
        let (Some(address), Some(reach)) = (server.manifest.address(), &server.reach) else {
            anyhow::bail!("server `{}` is neither started nor reached at a url", server.name);
        };
        let url = address.url.as_str().parse().with_context(|| format!("the URL of server `{}`", server.name))?;
        let lane = self.egress.lane_that_shows(server.name.as_str(), reach, shows);
        // A session in an older revision than people approved is not opened.
        let oldest = speaks.iter().find(|spoken| spoken.has_sessions()).copied();
        Ok(Route::new(server.name.clone(), url, lane)?.speaking_at_least(oldest))
    }

    /// The same way, through the turnstile that all ways to the server lead through, or to its process at this endpoint; and
    /// for no older revision than people approved.
    fn in_turn(&self, endpoint: &EndpointName, server: &Approved, route: Route) -> Route {
        let route = route.speaking_at_least(registry::newest_with_sessions(&server.supported_versions));
        let endpoint = route.is_local().then_some(endpoint);
        route.through(&self.turnstiles.of(&server.name, endpoint, server.manifest.concurrency()))
    }
}

/// The door that an endpoint had before, if it leads to the same servers in the same way. Processes are asked for anew, and
/// servers that are shown a certificate connected to anew: their secrets and authorities may be others.
fn kept(before: &Snapshot, endpoint: &Arc<Endpoint>) -> Option<Arc<Door>> {
    let door = before.endpoints.get(&endpoint.name)?;
    let is_whole = door.ways.len() == endpoint.members.len();
    let is_remote = endpoint
        .members
        .iter()
        .all(|member| member.server.manifest.address().is_some_and(|address| address.tls.is_none()));
    (Arc::ptr_eq(&door.endpoint, endpoint) && is_whole && is_remote).then(|| Arc::clone(door))
}

/// The registered agents; the same as before if none changed, so that what was found out about callers counts on.
fn agents(manifests: &[AgentManifest], before: Option<&Snapshot>) -> Arc<Agents> {
    let registrations = manifests.iter().cloned().map(|manifest| {
        let AgentManifest { name, kind, owner: _, purpose: _, endpoints, assurance, certificate, clients } = manifest;
        let client = |one: registry::AgentClient| (one.issuer.as_str().to_owned(), one.id.as_str().to_owned());
        let clients = clients.into_iter().map(client).collect();
        let endpoints = endpoints.into_iter().collect();
        Registration { agent: Agent { id: name, kind }, endpoints, assurance, certificate, clients }
    });
    let agents = Agents::new(registrations).unwrap_or_else(|error| {
        // What is applied was checked for this; were it there all the same, nobody could tell who calls.
        tracing::error!(%error, "no token is taken");
        Agents::default()
    });
    let same = before.map(|before| &before.agents).filter(|before| ***before == agents);
    same.map_or_else(|| Arc::new(agents), Arc::clone)
}

/// The revisions in which a server can be spoken to, the newest first.
fn spoken(server: &Approved) -> Vec<Revision> {
    let listed = |revision: &Revision| server.supported_versions.iter().any(|version| version == revision.as_str());
    Revision::SUPPORTED.iter().copied().filter(listed).collect()
}

/// The header annotations of a server's tools, for those that have some.
fn mirrored(server: &Approved) -> HashMap<ToolName, ParamHeaders> {
    let annotated = |tool: &Arc<registry::Tool>| {
        // A definition whose annotations are wrong was excluded when it was read, so this compiles.
        let headers = ParamHeaders::compile(&tool.input_schema()).ok().filter(|headers| !headers.is_empty())?;
        Some((tool.name.clone(), headers))
    };
    server.tools().iter().filter_map(annotated).collect()
}
