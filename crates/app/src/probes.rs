//! Asking servers what strangers ask, each within its zone, and with its own credential where a question needs one; and trying
//! programs of servers in jails.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use evidence::{Package, Presents, Probe, Scene, Subject, Surroundings, Target, Told, Trial};
use http::HeaderMap;
use identity::Credential;
use model::{Digest, limits};
use registry::manifest::ZONE_INTERNET;
use registry::{CommandManifest, ServerManifest};
use sandbox::{Command, Limits, Supervisor, Value};

use crate::checks;
use crate::compile::Compiler;
use crate::locals::{PATH, SUPERVISOR};
use crate::settings::Loaded;
use crate::settings::trials::Trials;

/// Asks, for the control plane.
pub(crate) struct Prober {
    compiler: Arc<Compiler>,
    trials: Trials,
    /// Where programs are tried, each in a directory of its own.
    directory: PathBuf,
    /// Tells one trial's directory from another's.
    number: AtomicU64,
}

/// The gate's credential for one server.
struct Own(Credential);

impl Presents for Own {
    fn write(&self, headers: &mut HeaderMap) {
        self.0.write(headers);
    }
}

impl Prober {
    /// Asks as the compiler leads, and tries as settings say.
    ///
    /// # Errors
    /// When there is no current directory from which the data directory could be told in full, or what is left of earlier trials
    /// cannot be removed.
    pub(crate) fn new(compiler: &Arc<Compiler>, loaded: &Loaded) -> anyhow::Result<Self> {
        let directory =
            std::path::absolute(loaded.data().join("trials")).context("cannot tell where the data directory is")?;
        match std::fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove `{}`", directory.display()));
            }
            Ok(()) | Err(_) => {}
        }
        let trials = loaded.settings.trials.clone();
        Ok(Self { compiler: Arc::clone(compiler), trials, directory, number: AtomicU64::new(0) })
    }

    async fn ask(&self, manifest: &ServerManifest, told: &Told) -> anyhow::Result<Probe> {
        let outside = self.compiler.outside(manifest).await?;
        let (url, lane) = outside.ok_or_else(|| anyhow::anyhow!("it is started by the gate, and reached at no url"))?;
        let own = self.own(manifest).await.unwrap_or_else(|error| {
            tracing::info!(server = %manifest.name, "it is probed without the gate's credential: {error:#}");
            None
        });
        let address = manifest.address();
        let is_public = address.is_some_and(|address| address.zone.as_str() == ZONE_INTERNET);
        let target = Target {
            url: &url,
            lane: &lane,
            surroundings: if is_public { Surroundings::Internet } else { Surroundings::Inside },
            wants_credential: address.is_some_and(|address| address.credential.is_some()),
            presents: own.as_ref().map(|own| own as &dyn Presents),
        };
        Ok(evidence::probe(&target, told).await)
    }

    async fn own(&self, manifest: &ServerManifest) -> anyhow::Result<Option<Own>> {
        let key = self.compiler.key_of(manifest).await?;
        let credential = self.compiler.own(manifest, checks::own(key.as_ref()).await?)?;
        Ok(credential.map(Own))
    }

    async fn attempted(
        &self,
        manifest: &ServerManifest,
        package: Option<(String, Vec<u8>)>,
        told: &Told,
    ) -> anyhow::Result<Trial> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let room = Room::make(self.directory.join(number.to_string()))?;
        let subject = match package {
            Some((name, bytes)) => self.packaged(&room, &name, bytes).await?,
            None => {
                let command = manifest.command().context("it is at a URL: there is no program of it here")?;
                self.commanded(command)
            }
        };
        let lane = self.compiler.registries(self.trials.zone()).await?;
        let scene = Scene {
            directory: room.directory.clone(),
            lane: &lane,
            allowed: &self.trials.allowed(),
            period: Duration::from_secs(self.trials.seconds),
        };
        Ok(evidence::trial(&scene, subject, told).await?)
    }

    /// A package, to be installed and started.
    async fn packaged(&self, room: &Room, name: &str, bytes: Vec<u8>) -> anyhow::Result<Subject> {
        let (name, file) = (name.to_owned(), room.directory.join("package"));
        let read = tokio::task::spawn_blocking(move || {
            let package = Package::read(&name, &bytes)?;
            let sha256 = Digest::of(&bytes).to_string();
            std::fs::write(&file, &bytes).context("the package cannot be written")?;
            anyhow::Ok((package, sha256, file))
        });
        let (package, sha256, file) = read.await??;
        let place = PathBuf::from(package.place());
        Ok(Subject {
            what: format!("the package {}", package.name),
            sha256: Some(sha256),
            command: self.command("/bin/sh".into(), vec!["-c".to_owned(), package.start], &[]),
            steps: package.steps,
            reads: Vec::new(),
            finds: vec![(file, place)],
        })
    }

    /// A command, as its manifest has it; its secrets are none, and its directory is a new one.
    fn commanded(&self, manifest: &CommandManifest) -> Subject {
        let path = |text: &str| PathBuf::from(text);
        let program = path(manifest.program.as_str());
        let mut reads: Vec<_> = Some(program.clone()).into_iter().filter(|program| program.is_absolute()).collect();
        if let Some(jail) = &manifest.jail {
            reads.extend(jail.reads.iter().map(|directory| path(directory.as_str())));
        }
        let mut environment: Vec<_> = Vec::new();
        for (name, value) in &manifest.environment {
            environment.push((name.as_str().to_owned(), value.as_str().to_owned()));
        }
        for name in manifest.secrets.keys() {
            environment.push((name.as_str().to_owned(), NO_SECRET.to_owned()));
        }
        let arguments: Vec<_> = manifest.arguments.iter().map(str::to_owned).collect();
        Subject {
            what: "its command, as the gate would start it".to_owned(),
            sha256: None,
            steps: Vec::new(),
            command: self.command(program, arguments, &environment),
            reads,
            finds: Vec::new(),
        }
    }

    fn command(&self, program: PathBuf, arguments: Vec<String>, said: &[(String, String)]) -> Command {
        let usual = [("PATH", PATH), ("HOME", sandbox::JAIL_HOME), ("LANG", "C.UTF-8")];
        let usual = usual.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let unsaid = usual.into_iter().filter(|(name, _)| !said.iter().any(|(one, _)| one == name));
        let mut environment: Vec<_> = unsaid.collect();
        environment.extend(said.iter().cloned());
        Command {
            supervisor: Supervisor::this_program(&[SUPERVISOR]),
            program,
            arguments,
            directory: None,
            environment: environment.into_iter().map(|(name, value)| (name, Value::Plain(value))).collect(),
            limits: Limits {
                memory_bytes: self.trials.memory_bytes,
                processes: self.trials.processes,
                open_files: limits::TRIAL_OPEN_FILES,
                ..Limits::default()
            },
        }
    }
}

/// What a program finds where its secrets would be.
const NO_SECRET: &str = "portcullis-no-secret";

/// A directory for one trial, which goes with it.
struct Room {
    directory: PathBuf,
}

impl Room {
    fn make(directory: PathBuf) -> anyhow::Result<Self> {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.with_context(|| format!("cannot make the directory `{}`", directory.display()))?;
        Ok(Self { directory })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.directory) {
            tracing::warn!(%error, "what is left of a trial could not be removed");
        }
    }
}

#[async_trait]
impl admin::Prober for Prober {
    async fn probe(&self, manifest: &ServerManifest, told: &Told) -> Result<Probe, String> {
        self.ask(manifest, told).await.map_err(|error| format!("{error:#}"))
    }

    async fn attempt(
        &self,
        manifest: &ServerManifest,
        package: Option<(String, Vec<u8>)>,
        told: &Told,
    ) -> Result<Trial, String> {
        self.attempted(manifest, package, told).await.map_err(|error| format!("{error:#}"))
    }
}
