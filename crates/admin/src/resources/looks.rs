//! Looks at servers that live: what they answer to strangers, and what their programs try. What comes of a look is evidence for whoever approves.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evidence::Probe;
use model::{Expected, ServerName};
use registry::ServerManifest;

use super::servers::may_look;
use crate::fault::{Code, Fault};
use crate::port::Kept;
use crate::requests::{PackageFile, ProbeRequest, ServerPath, TryRequest};
use crate::route::{Call, Nothing};
use crate::view::{ProbeView, Progress, TrialView};
use crate::{Admin, Person};

/// Steps that a package is tried in, at most: two to install it, and one to run it.
const STEPS_OF_PACKAGES: usize = 3;

/// How far the look at a server is.
pub(crate) async fn progress(admin: Arc<Admin>, call: Call<ServerPath>) -> Result<Progress, Fault> {
    Ok(Progress { look: admin.looks.at(&call.path.name) })
}

/// Asks a server what a stranger could ask. It goes on to its end even if whoever asked for it goes away: what was sent has its
/// receipt.
pub(crate) async fn probe(
    admin: Arc<Admin>,
    call: Call<ServerPath, Nothing, ProbeRequest>,
) -> Result<ProbeView, Fault> {
    let ProbeRequest { i_may_probe, reason } = call.body;
    let name = call.path.name;
    let manifest = may_be_probed(&admin, &call.person, &name, i_may_probe).await?;
    // Also says whether the reason is one, before anything is sent.
    admin.change(&call.person, Expected::Any, reason.clone())?;
    let look = admin.looks.begin(&name, "probe", Probe::WHAT.len())?;
    let person = call.person;
    let task = async move {
        let told = move |done, what: &str| look.tell(done, what);
        let probe = admin.prober.probe(&manifest, &told).await;
        let probe = probe.map_err(|why| Fault::new(Code::ServerUnusable, why))?;
        let change = admin.change(&person, Expected::Any, reason)?;
        admin.evidence.keep_probe(&name, manifest.identity(), probe, change).await?;
        let (kept, _trial) = of_server(&admin, &manifest).await?;
        kept.ok_or_else(|| Fault::new(Code::NotFound, "the server was removed meanwhile"))
    };
    to_the_end(task).await
}

/// Who may have a server probed: whoever may look at it, and says that they may do this to whoever runs it.
async fn may_be_probed(
    admin: &Admin,
    person: &Person,
    name: &ServerName,
    i_may_probe: bool,
) -> Result<ServerManifest, Fault> {
    let server = admin.registry.server(name).await?;
    let manifest = server.manifest.clone();
    if manifest.command().is_some() {
        let message = format!("server `{name}` is started by the gate, and answers nobody else");
        return Err(Fault::new(Code::Refused, message).with_next(format!("portcullis server try {name}")));
    }
    if !i_may_probe {
        let message = format!(
            "server `{name}` is somebody's: it is sent bad tokens and malformed messages only if you say that you may"
        );
        let next = format!("ask whoever runs it, then say so: `portcullis server probe {name} --i-may-probe`");
        return Err(Fault::new(Code::Refused, message).with_next(next));
    }
    may_look(admin, person, &manifest).await?;
    server.may_be_seen().map_err(|error| Fault::new(Code::Refused, error.to_string()))?;
    Ok(manifest)
}

/// Has a server's program tried, installed from its package or as the gate would start it. Only who could approve the server may:
/// it is run, if where it can do no harm.
pub(crate) async fn attempt(
    admin: Arc<Admin>,
    call: Call<ServerPath, Nothing, TryRequest>,
) -> Result<TrialView, Fault> {
    let TryRequest { package, reason } = call.body;
    let name = call.path.name;
    let server = admin.registry.server(&name).await?;
    server.may_be_seen().map_err(|error| Fault::new(Code::Refused, error.to_string()))?;
    let manifest = server.manifest;
    if package.is_none() && manifest.command().is_none() {
        let message = format!("server `{name}` is at a URL: there is no program of it here");
        let next = format!("give its package: `portcullis server try {name} --package FILE`");
        return Err(Fault::new(Code::Refused, message).with_next(next));
    }
    let package = package.map(|PackageFile { name, base64 }| match STANDARD.decode(base64) {
        Ok(bytes) => Ok((name, bytes)),
        Err(_) => Err(Fault::new(Code::RequestInvalid, "the package is not in base64")),
    });
    let package = package.transpose()?;
    admin.change(&call.person, Expected::Any, reason.clone())?;
    let steps = package.as_ref().map_or(1, |_| STEPS_OF_PACKAGES);
    let look = admin.looks.begin(&name, "try", steps)?;
    let person = call.person;
    to_the_end(async move {
        let told = move |done, what: &str| look.tell(done, what);
        let trial = admin.prober.attempt(&manifest, package, &told).await;
        let trial = trial.map_err(|why| Fault::new(Code::ServerUnusable, why))?;
        let change = admin.change(&person, Expected::Any, reason)?;
        admin.evidence.keep_trial(&name, manifest.identity(), trial, change).await?;
        let (_probe, kept) = of_server(&admin, &manifest).await?;
        kept.ok_or_else(|| Fault::new(Code::NotFound, "the server was removed meanwhile"))
    })
    .await
}

/// What a server answered when it was probed last, and what its program tried when it was tried last.
pub(super) async fn of_server(
    admin: &Admin,
    server: &ServerManifest,
) -> Result<(Option<ProbeView>, Option<TrialView>), Fault> {
    let now = server.identity();
    let probe = |Kept { found, identity, by, at }| ProbeView { by, at: at.0, outdated: identity != now, probe: found };
    let trial = |Kept { found, identity, by, at }| TrialView { by, at: at.0, outdated: identity != now, trial: found };
    let name = &server.name;
    Ok((admin.evidence.probe(name).await?.map(probe), admin.evidence.trial(name).await?.map(trial)))
}

/// Carries a look out even if nobody waits for it any more.
async fn to_the_end<T: Send + 'static>(
    look: impl Future<Output = Result<T, Fault>> + Send + 'static,
) -> Result<T, Fault> {
    tokio::spawn(look).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a look at a server ended early");
        Err(Fault::new(Code::Internal, "the gate could not finish this"))
    })
}
