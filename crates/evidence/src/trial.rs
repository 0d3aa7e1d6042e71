//! A program that nobody trusts, run where it can do no harm, to see what it tries.
//!
//! [`trial()`] has it installed and started in a jail that is watched ([`sandbox::Watched`]): files that look like keys lie where
//! keys lie, every name leads nowhere, and the one way out leads to [`proxy`], which lets through to a few hosts or to none. It is
//! spoken to as a client would ([`talk`]), and no tool is called. What it tried is the evidence; what to try is made of a package
//! by [`package`].

mod bait;
mod judge;
mod package;
mod proxy;
mod report;
mod talk;

use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use egress::Lane;
use model::limits;
use sandbox::{Bait, Cause, Cell, Child, Command, Exit, Jail, Note, SpawnError, Watched};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

pub use self::package::{Package, PackageError, Step};
pub use self::proxy::Allowed;
use self::report::Report;
pub use self::report::{Phase, Reached, Started, StepEnd, Touched, Trial};
use crate::Told;

/// How often the bait is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long a program is watched that has said all it was asked: what it does by itself comes after that.
const LINGER: Duration = Duration::from_secs(2);

/// What is tried.
pub struct Subject {
    /// What it is, for people.
    pub what: String,
    /// The digest of the package, if it is one.
    pub sha256: Option<String>,
    /// What is done before it is started.
    pub steps: Vec<Step>,
    /// How it is started, as it would be without a jail. Its directory is the jail's.
    pub command: Command,
    /// What it may read, and what it finds where.
    pub reads: Vec<PathBuf>,
    /// Files that it finds elsewhere than they are.
    pub finds: Vec<(PathBuf, PathBuf)>,
}

/// Where it is tried, and what it may reach.
pub struct Scene<'a> {
    /// A directory that is there for nothing else, and empty.
    pub directory: PathBuf,
    /// The way out, to hosts that are allowed.
    pub lane: &'a Lane,
    /// The hosts that are.
    pub allowed: &'a [Allowed],
    /// How long all of it may take.
    pub period: Duration,
}

/// Why nothing was tried.
#[derive(Debug, thiserror::Error)]
pub enum NoTrial {
    /// There is nothing that a jail is made with.
    #[error("nothing is run without a jail, and none can be made")]
    NoJail(#[source] sandbox::NoJail),
    /// A jail could not be shut.
    #[error(
        "nothing was run, because no jail could be shut: {0}; user namespaces may not be allowed here, for which Ubuntu 24.04 and \
         Debian 13 need an AppArmor profile for `bwrap` (see the guide on local servers)"
    )]
    NotShut(String),
    /// Something that it takes could not be made.
    #[error("nothing was run: {doing}")]
    Prepare {
        /// What failed.
        doing: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// It cannot be put into a jail.
    #[error("nothing was run: {0}")]
    Unfit(String),
    /// It could not be started at all.
    #[error("nothing was run")]
    Spawn(#[source] SpawnError),
}

/// Tries a program. `told` hears how many steps are done, and which is next.
///
/// # Errors
/// When there is no jail: then nothing was run.
pub async fn trial(scene: &Scene<'_>, subject: Subject, told: &Told) -> Result<Trial, NoTrial> {
    let jail = Jail::find().map_err(NoTrial::NoJail)?;
    let since = Instant::now();
    let until = since + scene.period;
    let prepare = |doing| move |source| NoTrial::Prepare { doing, source };
    let outside = scene.directory.join("outside");
    let baits = scene.directory.join("bait");
    for made in [&outside, &baits] {
        std::fs::create_dir(made).map_err(prepare("its directory cannot be made"))?;
    }
    // A socket's path is short; this one is, wherever the directory lies.
    let folder = std::fs::File::open(&outside).map_err(prepare("its directory cannot be opened"))?;
    let socket = |name: &str| UnixListener::bind(format!("/proc/self/fd/{}/{name}", folder.as_raw_fd()));
    let notes = socket(sandbox::NOTES).map_err(prepare("its socket cannot be made"))?;
    let way_out = socket(sandbox::PROXY).map_err(prepare("its socket cannot be made"))?;
    let bait = Bait::lay(&baits, bait::files()).map_err(prepare("its bait cannot be laid"))?;

    let Subject { what, sha256, steps, mut command, reads, mut finds } = subject;
    finds.extend(bait.laid().iter().cloned());
    let watched = Watched { outside, steps: steps.iter().map(|step| step.shell.clone()).collect() };
    let cell = Cell { reads, writes: Vec::new(), finds, watched: Some(watched) };
    command.directory = None;
    command.environment.extend(environment());
    let command = jail.around(command, &cell).map_err(NoTrial::Unfit)?;

    let report = Arc::new(Mutex::new(Report::new(&what, sha256, steps, bait)));
    let (phase, phases) = watch::channel(Phase::Shutting);
    let mut child = sandbox::spawn(&command).await.map_err(NoTrial::Spawn)?;
    let listening = hear(notes, &report, &phase, told);
    let carrying = proxy::carry(way_out, scene, &report, &phases);
    let looking = look(&report, &phases);
    let talking = talk(&mut child, &report, until);
    let over = tokio::select! {
        over = talking => over,
        // These go on for as long as it is spoken to.
        _never = async { tokio::join!(listening, carrying, looking) } => Over::Time,
    };
    end(&report, &phase, &child, over, since).await
}

/// Why nothing more was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// All was asked.
    Asked,
    /// It ended first.
    Ended,
    /// The time was up.
    Time,
}

/// Speaks with the program until all is asked, it ended, or the time is up.
async fn talk(child: &mut Child, report: &Arc<Mutex<Report>>, until: Instant) -> Over {
    let ends = (child.stdin(), child.stdout());
    let child = &*child;
    let ended = async {
        child.wait().await;
        Over::Ended
    };
    let asking = async {
        if let (Some(stdin), Some(stdout)) = ends {
            let said = talk::ask(stdin, stdout).await;
            report.lock().unwrap_or_else(PoisonError::into_inner).said = said;
        }
        sleep(LINGER).await;
        Over::Asked
    };
    let spoken = async {
        tokio::select! {
            over = ended => over,
            over = asking => over,
        }
    };
    timeout_at(until, spoken).await.unwrap_or(Over::Time)
}

async fn end(
    report: &Arc<Mutex<Report>>,
    phase: &watch::Sender<Phase>,
    child: &Child,
    over: Over,
    since: Instant,
) -> Result<Trial, NoTrial> {
    child.kill();
    let exit = child.wait().await;
    let stderr = child.stderr().tail();
    if *phase.borrow() == Phase::Shutting {
        let why = stderr.lines.last().cloned().unwrap_or_else(|| exit.to_string());
        return Err(NoTrial::NotShut(why));
    }
    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
    report.look(*phase.borrow());
    // What takes more than it is given may take longer to end than there is time.
    let by_itself = over == Over::Ended || matches!(exit.cause, Cause::Memory { .. } | Cause::Processes { .. });
    let exit: Option<Exit> = by_itself.then_some(exit);
    let took = since.elapsed();
    Ok(report.whole(*phase.borrow(), exit, over == Over::Time, &stderr, took))
}

/// Takes down what the jail tells, over its first connection and no other.
async fn hear(listener: UnixListener, report: &Mutex<Report>, phase: &watch::Sender<Phase>, told: &Told) {
    let first = listener.accept().await;
    drop(listener);
    if let Ok((stream, _)) = first {
        let mut lines = BufReader::new(stream.take(limits::TRIAL_NOTES_BYTES_MAX)).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let Some(note) = Note::parse(&line) else { continue };
            let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
            let now = *phase.borrow();
            if let Some(next) = report.note(note, now) {
                told(report.steps_done(), &report.under_way());
                phase.send_replace(next);
            }
        }
    }
    std::future::pending::<()>().await;
}

/// Looks at the bait, again and again.
async fn look(report: &Mutex<Report>, phases: &watch::Receiver<Phase>) {
    loop {
        report.lock().unwrap_or_else(PoisonError::into_inner).look(*phases.borrow());
        sleep(LOOK).await;
    }
}

/// What tells programs where the way out is.
fn environment() -> Vec<(String, sandbox::Value)> {
    let proxy = format!("http://127.0.0.1:{}", sandbox::RELAY_PORT);
    let names =
        ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "npm_config_proxy", "npm_config_https_proxy"];
    let mut environment: Vec<_> = names.iter().map(|name| ((*name).to_owned(), proxy.clone())).collect();
    environment.push(("NODE_USE_ENV_PROXY".to_owned(), "1".to_owned()));
    environment.into_iter().map(|(name, value)| (name, sandbox::Value::Plain(value))).collect()
}
