//! Servers, compared with their pins: when they say that they changed, and when their time is up.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::Context as _;
use gateway::{Gate, Key};
use http::HeaderMap;
use identity::Credential;
use model::{Actor, Change, Clock, Expected, Revision, ServerName};
use registry::port::Registry;
use registry::{Approved, Observed, ServerManifest, newest_with_sessions};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::AbortHandle;
use upstream::{Definitions, SendError};

use crate::compile::Compiler;

/// How long a server that keeps saying that it changed is left alone between two looks.
pub(crate) const PAUSE: Duration = Duration::from_millis(500);
/// How long to wait before asking a server again to tell of its changes.
const LISTEN_AGAIN: Duration = Duration::from_secs(30);

/// Looks at a server whose token has to be renewed, or to have more scopes, in between.
const LOOKS_MAX: u32 = 3;

/// Reads what servers say of themselves, for people and for the checks.
pub(crate) struct Vetter {
    compiler: Arc<Compiler>,
    registry: Arc<dyn Registry>,
    gate: Weak<Gate>,
    /// The revision that the data path goes by.
    in_effect: watch::Receiver<Revision>,
    clock: Arc<dyn Clock>,
}

impl Vetter {
    /// Reads through the compiler's egress and keeps what it saw in `registry`.
    pub(crate) fn new(
        compiler: Arc<Compiler>,
        registry: Arc<dyn Registry>,
        gate: &Arc<Gate>,
        in_effect: watch::Receiver<Revision>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { compiler, registry, gate: Arc::downgrade(gate), in_effect, clock }
    }

    /// Tells those who keep sessions that a server's list of resources changed.
    pub(crate) fn resources_changed(&self, server: &ServerName) {
        if let Some(gate) = self.gate.upgrade() {
            gateway::resources_changed(&gate, server);
        }
    }

    /// Records what a process of a local server says of itself, and waits until the data path goes by it. What only the
    /// revision it is spoken to in makes different is taken from what was read before, but for that revision itself, if it
    /// chose another one than before.
    pub(crate) async fn witnessed(&self, manifest: &ServerManifest, mut said: Definitions) -> anyhow::Result<()> {
        let before = self.registry.server(&manifest.name).await?.observed;
        if let Some(before) = &before {
            said.server_info.clone_from(&before.definitions.server_info);
            said.capabilities.clone_from(&before.definitions.capabilities);
            let spoken = std::mem::take(&mut said.supported_versions);
            said.supported_versions = spoken_now(&before.definitions.supported_versions, spoken);
        }
        let observed = registry::examined(&manifest.name, said, before.as_ref(), &*self.clock).await?;
        let revision = self.observe(manifest, observed, "a process of it was started").await?;
        self.in_effect.clone().wait_for(|in_effect| *in_effect >= revision).await?;
        Ok(())
    }

    /// Reads a server and records what it says, whether or not it differs from its pins: `withheld` follows from the record.
    /// `why` is what made it look.
    pub(crate) async fn check(&self, manifest: &ServerManifest, why: &'static str) -> anyhow::Result<()> {
        let before = self.registry.server(&manifest.name).await?.observed;
        let observed = self.read(manifest, before.as_ref()).await?;
        self.observe(manifest, observed, why).await?;
        Ok(())
    }

    /// Records what was read, and returns the revision from which on the data path can know of it.
    async fn observe(
        &self,
        manifest: &ServerManifest,
        observed: Observed,
        why: &'static str,
    ) -> anyhow::Result<Revision> {
        let reason = Some(why.to_owned());
        let change = Change { actor: Actor::Gate, expected: Expected::Any, at: self.clock.now(), reason };
        let seen = self.registry.observe(&manifest.name, manifest.identity(), observed, change).await?;
        if seen.changed {
            tracing::warn!(server = %manifest.name, "the server's definitions changed; `portcullis server diff` tells how");
            return Ok(seen.revision);
        }
        Ok(Revision::default())
    }

    async fn read(&self, manifest: &ServerManifest, before: Option<&Observed>) -> anyhow::Result<Observed> {
        let route = self.compiler.way(manifest).await?;
        let key = self.compiler.key_of(manifest).await?;
        let mut left = LOOKS_MAX;
        loop {
            let credential = self.compiler.own(manifest, own(key.as_ref()).await?)?;
            let looked = registry::vet(&route, writing(credential.as_ref()), before, &*self.clock).await;
            left -= 1;
            match looked.map_err(anyhow::Error::from) {
                // It wants another token than it was given. Nothing is changed by asking it twice what it offers.
                Err(error) if left > 0 && heeds(key.as_ref(), &error) => {}
                looked => return looked,
            }
        }
    }
}

/// What the gate presents for itself.
pub(crate) async fn own(key: Option<&Key>) -> anyhow::Result<Option<Credential>> {
    match key {
        None => Ok(None),
        Some(Key::Fixed(credential)) => Ok(Some(credential.clone())),
        Some(Key::Granted(supply)) => Ok(Some(supply.own().await?)),
        Some(Key::Missing(why)) => Err(anyhow::Error::msg(why.clone())),
    }
}

fn writing(credential: Option<&Credential>) -> impl Fn(&mut HeaderMap) + Send + Sync {
    move |headers| {
        if let Some(credential) = credential {
            credential.write(headers);
        }
    }
}

/// Whether the server said what it wants in place of the token that it was given, so that another can be asked for.
fn heeds(key: Option<&Key>, error: &anyhow::Error) -> bool {
    let sent = error.chain().find_map(|cause| cause.downcast_ref::<SendError>());
    match (key, sent) {
        (Some(Key::Granted(supply)), Some(SendError::Challenged { challenges, .. })) => supply.heed_own(challenges),
        (_, _) => false,
    }
}

/// The revisions of a server of which one process was heard, in one way of speaking.
fn spoken_now(before: &[String], heard: Vec<String>) -> Vec<String> {
    let chosen = newest_with_sessions(&heard);
    if chosen.is_none() || chosen == newest_with_sessions(before) {
        return before.to_vec();
    }
    let has_sessions = |version: &String| wire::Revision::parse(version).is_some_and(wire::Revision::has_sessions);
    before.iter().filter(|version| !has_sessions(version)).cloned().chain(heard).collect()
}

#[async_trait::async_trait]
impl admin::Vetter for Vetter {
    async fn vet(&self, manifest: &ServerManifest) -> Result<Observed, String> {
        self.read(manifest, None).await.map_err(|error| format!("{error:#}"))
    }
}

/// Keeps one watch per approved server.
pub(crate) async fn watch(
    gate: Arc<Gate>,
    vetter: Arc<Vetter>,
    mut heeded: mpsc::Receiver<ServerName>,
    every: Duration,
    stop: impl Future<Output = ()>,
) {
    let mut watches: HashMap<ServerName, Watch> = HashMap::new();
    let mut snapshots = gate.snapshots.subscribe();
    tokio::pin!(stop);
    loop {
        snapshots.mark_unchanged();
        // A local server is compared whenever a process of it starts, and heard by its place. None starts while all of it
        // is withheld, so that it is looked at for whether it is what was approved again.
        let is_watched = |server: &&Arc<Approved>| server.manifest.command().is_none() || server.withheld;
        let snapshot = gate.snapshots.load();
        let approved: Vec<Arc<Approved>> = snapshot.registry.servers().filter(is_watched).cloned().collect();
        drop(snapshot);
        watches.retain(|name, watch| {
            approved.iter().any(|server| server.name == *name && server.manifest == watch.manifest)
        });
        for server in approved {
            let start = || Watch::start(Arc::clone(&vetter), server.manifest.clone(), every);
            watches.entry(server.name.clone()).or_insert_with(start);
        }
        loop {
            tokio::select! {
                () = &mut stop => return,
                changed = snapshots.changed() => if changed.is_err() { return } else { break },
                name = heeded.recv() => match name.and_then(|name| watches.get(&name)) {
                    Some(watch) => watch.look.notify_one(),
                    None => continue,
                },
            }
        }
    }
}

/// The watch over one server; ends when dropped.
struct Watch {
    manifest: ServerManifest,
    look: Arc<Notify>,
    tasks: Vec<AbortHandle>,
}

impl Watch {
    fn start(vetter: Arc<Vetter>, manifest: ServerManifest, every: Duration) -> Self {
        let look = Arc::new(Notify::new());
        let checks = tokio::spawn(check(Arc::clone(&vetter), manifest.clone(), Arc::clone(&look), every));
        let mut tasks = vec![checks.abort_handle()];
        if manifest.command().is_none() {
            tasks.push(tokio::spawn(listen(vetter, manifest.clone(), Arc::clone(&look))).abort_handle());
        }
        Self { manifest, look, tasks }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// Looks at once, then whenever someone says so or the time is up.
async fn check(vetter: Arc<Vetter>, manifest: ServerManifest, look: Arc<Notify>, every: Duration) {
    let mut why = "the gate began to watch it";
    loop {
        if let Err(error) = vetter.check(&manifest, why).await {
            tracing::warn!(server = %manifest.name, "the server could not be compared with its pins: {error:#}");
        }
        tokio::time::sleep(PAUSE.min(every)).await;
        // Either one is a reason to look.
        let told = tokio::time::timeout(every, look.notified()).await;
        why =
            if told.is_ok() { "the server told of a change, or acted as if there was one" } else { "its time was up" };
    }
}

/// Asks the server to tell of its changes, for as long as it does.
async fn listen(vetter: Arc<Vetter>, manifest: ServerManifest, look: Arc<Notify>) {
    loop {
        match hear(&vetter, &manifest, &look).await {
            Ok(()) => {}
            Err(error) => tracing::debug!(server = %manifest.name, "the server tells of no changes: {error:#}"),
        }
        tokio::time::sleep(LISTEN_AGAIN).await;
    }
}

async fn hear(vetter: &Vetter, manifest: &ServerManifest, look: &Notify) -> anyhow::Result<()> {
    let route = vetter.compiler.way(manifest).await?;
    let credential = own(vetter.compiler.key_of(manifest).await?.as_ref()).await?;
    let credential = vetter.compiler.own(manifest, credential)?;
    let mut changes =
        upstream::listen(&route, writing(credential.as_ref())).await.context("it does not take a subscription")?;
    // What changed between the last look and the subscription is seen now.
    look.notify_one();
    let resources = Notify::new();
    let heard = async {
        while let Some(change) = changes.next().await {
            if change? == upstream::Change::Resources {
                resources.notify_one();
            }
            look.notify_one();
        }
        Ok(())
    };
    let told = async {
        loop {
            resources.notified().await;
            vetter.resources_changed(&manifest.name);
            // A server that says so without end is told of no faster.
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::select! {
        ended = heard => ended,
        () = told => Ok(()),
    }
}
