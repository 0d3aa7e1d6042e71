//! Local servers: how their programs are started, and the places of their processes, which outlive a revision of the state
//! as long as what is started stays the same.

use std::collections::HashMap;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use anyhow::Context as _;
use async_trait::async_trait;
use identity::read_secret;
use model::{Digest, EndpointName, ServerName};
use registry::manifest::{Directory, JailManifest};
use registry::{CommandManifest, ServerManifest};
use sandbox::{Cell, Command, Jail, Limits, Supervisor, Value};
use tokio::task::AbortHandle;
use upstream::{Definitions, Local, LocalSpec, Route, Started};
use wire::Revision;

use crate::checks::{PAUSE, Vetter};

/// The hidden command by which the gate's binary is a supervisor.
pub(crate) const SUPERVISOR: &str = "sandbox-init";

/// What a program finds in its environment unless its manifest says otherwise.
pub(crate) const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A place is for one endpoint, server and revision.
type Key = (EndpointName, ServerName, Revision);

/// The places of local servers' processes.
pub(crate) struct Locals {
    places: Mutex<HashMap<Key, Place>>,
    /// Where programs are given a directory of their own.
    directory: PathBuf,
    /// Where relative secret files start from.
    base: PathBuf,
    vetter: Arc<OnceLock<Weak<Vetter>>>,
}

/// A place, and what it was made of.
struct Place {
    identity: Digest,
    has_secrets: bool,
    local: Arc<Local>,
    hears: AbortHandle,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.hears.abort();
    }
}

/// Compares what a process says of itself with the pins, before anybody's call goes through to it.
struct Witness {
    vetter: Arc<OnceLock<Weak<Vetter>>>,
    manifest: ServerManifest,
    /// Held by the one look that may be under way.
    looks: tokio::sync::Mutex<()>,
}

impl Witness {
    fn new(vetter: Arc<OnceLock<Weak<Vetter>>>, manifest: ServerManifest) -> Self {
        Self { vetter, manifest, looks: tokio::sync::Mutex::default() }
    }

    fn resources_changed(&self) {
        if let Some(vetter) = self.vetter.get().and_then(Weak::upgrade) {
            vetter.resources_changed(&self.manifest.name);
        }
    }
}

#[async_trait]
impl Started for Witness {
    async fn started(&self, definitions: Definitions) -> Result<(), String> {
        let vetter = self.vetter.get().and_then(Weak::upgrade).ok_or("the gate is starting or stopping")?;
        vetter.witnessed(&self.manifest, definitions).await.map_err(|error| format!("{error:#}"))
    }

    async fn unread(&self) {
        // Whoever finds another look under way needs none: the next start that fails is a reason for one.
        let (Ok(_look), Some(vetter)) = (self.looks.try_lock(), self.vetter.get().and_then(Weak::upgrade)) else {
            return;
        };
        if let Err(error) = vetter.check(&self.manifest, "a process of it failed to start").await {
            let server = &self.manifest.name;
            tracing::warn!(%server, "a local server that did not start could not be looked at: {error:#}");
        }
    }
}

/// Has nothing to compare with, so that no process is good enough.
struct Nobody;

#[async_trait]
impl Started for Nobody {
    async fn started(&self, _: Definitions) -> Result<(), String> {
        Err("nothing was to be started".to_owned())
    }

    async fn unread(&self) {}
}

/// Compares a running process again whenever it says that its lists changed.
async fn hear(route: Route, witness: Arc<Witness>) {
    let Ok(mut changes) = upstream::listen(&route, |_| {}).await else { return };
    while let Some(change) = changes.next().await {
        tokio::time::sleep(PAUSE).await;
        if matches!(change, Ok(upstream::Change::Resources)) {
            witness.resources_changed();
        }
        let compared = match upstream::discover(&route, |_| {}).await {
            Ok(said) => witness.started(said).await,
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = compared {
            tracing::warn!(server = %route.server, why, "a local server could not be compared with its pins");
        }
    }
}

impl Locals {
    /// No places yet. Programs get directories below `data`; secrets' files are relative to `base`.
    ///
    /// # Errors
    /// When there is no current directory from which `data` could be told in full.
    pub(crate) fn new(data: &Path, base: &Path) -> anyhow::Result<Self> {
        let directory = std::path::absolute(data.join("local")).context("cannot tell where the data directory is")?;
        Ok(Self { places: Mutex::default(), directory, base: base.to_owned(), vetter: Arc::default() })
    }

    /// Says who compares processes with their pins. Until then none starts.
    pub(crate) fn compared_by(&self, vetter: &Arc<Vetter>) {
        // Said once, when the gate starts.
        let _ = self.vetter.set(Arc::downgrade(vetter));
    }

    /// The way to an approved local server at an endpoint, by the process that is there already if it is still the same.
    ///
    /// # Errors
    /// When a secret that is meant for it cannot be had, or its directory not be made.
    pub(crate) fn route(
        &self,
        endpoint: &EndpointName,
        manifest: &ServerManifest,
        command: &CommandManifest,
        revision: Revision,
    ) -> anyhow::Result<Route> {
        let (server, identity) = (&manifest.name, manifest.identity());
        let key = (endpoint.clone(), server.clone(), revision);
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(&key).filter(|place| place.identity == identity) {
            return Ok(Route::local(server.clone(), Arc::clone(&place.local)));
        }
        // What was started by another command ends, whether or not this one can be.
        places.remove(&key);
        let has_secrets = !command.secrets.is_empty();
        let directory = self.directory.join(endpoint.as_str()).join(server.as_str());
        let command = self.command(command, &directory)?;
        let spec = LocalSpec { server: server.clone(), command: Arc::new(command) };
        let witness = Arc::new(Witness::new(Arc::clone(&self.vetter), manifest.clone()));
        let local = Local::new(spec, revision, Arc::clone(&witness) as _);
        let route = Route::local(server.clone(), Arc::clone(&local));
        let hears = tokio::spawn(hear(route.clone(), witness)).abort_handle();
        places.insert(key, Place { identity, has_secrets, local, hears });
        Ok(route)
    }

    /// A way that leads to no program, for a server that cannot be given what it needs. No call goes it: the reason stands
    /// in place of the server's credential, without which none is made.
    pub(crate) fn nowhere(&self, server: &ServerName, revision: Revision) -> Route {
        let command = Command {
            supervisor: Supervisor::this_program(&[SUPERVISOR]),
            program: PathBuf::new(),
            arguments: Vec::new(),
            directory: None,
            environment: Vec::new(),
            limits: Limits::default(),
        };
        let spec = LocalSpec { server: server.clone(), command: Arc::new(command) };
        Route::local(server.clone(), Local::new(spec, revision, Arc::new(Nobody)))
    }

    /// Has programs that are given secrets started anew, with the secrets as they are now, as soon as they are needed.
    pub(crate) fn read_secrets_again(&self) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|_, place| !place.has_secrets);
    }

    /// Lets go of places that are not used any more, and with them of their processes, once no call of theirs is open.
    pub(crate) fn keep(&self, used: impl Fn(&EndpointName, &ServerName, Revision) -> bool) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|(endpoint, server, revision), _| used(endpoint, server, *revision));
    }

    /// The way to a process that is started to be read and ends with that.
    ///
    /// # Errors
    /// As [`Locals::route`].
    pub(crate) fn trial(&self, manifest: &ServerManifest, command: &CommandManifest) -> anyhow::Result<Route> {
        let directory = self.directory.join("check").join(manifest.name.as_str());
        let command = self.command(command, &directory)?;
        let spec = LocalSpec { server: manifest.name.clone(), command: Arc::new(command) };
        let witness = Witness::new(Arc::default(), manifest.clone());
        Ok(Route::local(manifest.name.clone(), Local::new(spec, Revision::V2026_07_28, Arc::new(witness))))
    }

    /// What is started, with nothing of the gate's own environment.
    fn command(&self, manifest: &CommandManifest, own: &Path) -> anyhow::Result<Command> {
        let directory = match &manifest.directory {
            Some(directory) => PathBuf::from(directory.as_str()),
            None => {
                let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(own);
                made.with_context(|| format!("cannot make the program's directory `{}`", own.display()))?;
                own.to_owned()
            }
        };
        let home = directory.display().to_string();
        let mut environment: Vec<(String, Value)> = Vec::new();
        for (name, value) in [("PATH", PATH), ("HOME", &home), ("LANG", "C.UTF-8")] {
            let said = |variable: &str| variable == name;
            if !manifest.environment.keys().any(|own| said(own.as_str()))
                && !manifest.secrets.keys().any(|own| said(own.as_str()))
            {
                environment.push((name.to_owned(), Value::Plain(value.to_owned())));
            }
        }
        for (name, value) in &manifest.environment {
            environment.push((name.as_str().to_owned(), Value::Plain(value.as_str().to_owned())));
        }
        for (name, reference) in &manifest.secrets {
            let secret = read_secret(reference, &self.base)
                .with_context(|| format!("the secret for its variable `{}` cannot be had", name.as_str()))?;
            environment.push((name.as_str().to_owned(), Value::Secret(secret)));
        }
        let limits = &manifest.limits;
        let writes = directory.clone();
        let command = Command {
            supervisor: Supervisor::this_program(&[SUPERVISOR]),
            program: PathBuf::from(manifest.program.as_str()),
            arguments: manifest.arguments.iter().map(str::to_owned).collect(),
            directory: Some(directory),
            environment,
            limits: Limits {
                memory_bytes: limits.memory_bytes(),
                processes: limits.processes(),
                open_files: limits.open_files(),
                file_bytes: limits.file_bytes(),
                cpu_seconds: None,
            },
        };
        match &manifest.jail {
            None => Ok(command),
            Some(jail) => jailed(command, jail, writes),
        }
    }
}

/// The command within a jail. Where there is none, nothing is started.
fn jailed(command: Command, manifest: &JailManifest, directory: PathBuf) -> anyhow::Result<Command> {
    let jail = Jail::find().context("it asks for a jail, and none can be made")?;
    let paths = |list: &[Directory]| list.iter().map(|path| PathBuf::from(path.as_str())).collect::<Vec<_>>();
    let mut cell = Cell { reads: paths(&manifest.reads), writes: paths(&manifest.writes), ..Cell::default() };
    cell.reads.extend(Some(command.program.clone()).filter(|program| program.is_absolute()));
    cell.writes.push(directory);
    jail.around(command, &cell).map_err(anyhow::Error::msg)
}
