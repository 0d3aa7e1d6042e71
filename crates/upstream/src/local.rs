//! Servers that the gate starts and talks to over their standard streams.
//!
//! [`Local`] is the place for one process of one server, at one endpoint, in one revision or a later one of its kind. Start with [`Local::wake`]: the
//! process is started when somebody needs it, greeted in its revision, and its definitions are read and given to
//! [`Started`] before any call goes through. When it ended it is started again by the next call, after a rest that
//! doubles each time it did not stay; until then calls are refused at once, with the reason.
//!
//! - [`process`]: a running process: its calls, and whose they are.
//! - [`attend`]: reading and writing its streams, until it ends.
//! - [`probe`]: reading what a server says of itself in a process that ends with that.
//!
//! INVARIANT: a process has callers of one endpoint only. What it says reaches the caller it is about, or nobody.

mod attend;
mod probe;
mod process;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use model::{ServerName, limits, with_causes};
use tokio::sync::{broadcast, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use wire::Revision;

use crate::{Answer, Change, Deadlines, Definitions, SendError, Unsent, discover};

pub(crate) use probe::probe;
pub(crate) use process::Process;
use process::{Counters, Keeper};

/// Which program a local server is, and what it is given.
#[derive(Clone)]
pub struct LocalSpec {
    /// The server.
    pub server: ServerName,
    /// How it is started.
    pub command: Arc<sandbox::Command>,
}

/// Whoever compares a process with what was approved, each time one is started.
#[async_trait]
pub trait Started: Send + Sync {
    /// Takes what the process says of itself. No call is put to the process before this returns.
    ///
    /// # Errors
    /// When the process cannot be used; it is ended, and started again later.
    async fn started(&self, definitions: Definitions) -> Result<(), String>;

    /// Takes note that a process started and could not be read in the revision that its place is for: it may be of another
    /// one now.
    async fn unread(&self);
}

/// The place for one process of a local server. It is killed when this is dropped.
pub struct Local {
    place: Arc<Place>,
}

/// What happened with a local server so far, over all its processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LocalCounts {
    /// Processes that were started.
    pub started: u64,
    /// Lines that were no messages.
    pub noise: u64,
    /// Messages that belonged to no call: answers nobody waited for any more, notifications about nothing.
    pub strays: u64,
    /// Messages that were dropped because their caller did not take them fast enough.
    pub dropped: u64,
}

/// What the place and the task that starts a process share.
struct Place {
    spec: LocalSpec,
    revision: Revision,
    started: Arc<dyn Started>,
    state: Mutex<State>,
    /// Tells that the stage changed.
    turns: watch::Sender<()>,
    changes: broadcast::Sender<Change>,
    counters: Arc<Counters>,
    starts: AtomicU64,
}

struct State {
    stage: Stage,
    /// Times in a row that a process did not stay.
    setbacks: u32,
    rest: Option<Rest>,
}

enum Stage {
    /// Nothing runs.
    Idle,
    /// A process is being started.
    Starting(AbortHandle),
    /// A process runs, or has ended unnoticed.
    Running(Keeper),
    /// The place is gone.
    Closed,
}

/// Why a process is of no use, in words.
enum Unready {
    /// There is none.
    NotStarted(String),
    /// It did not say what it offers, in the revision that its place is for.
    Unread(String),
    /// It is not what people approved, or could not be compared with that.
    Unfit(String),
}

/// Until when the server is left alone, and why.
#[derive(Clone)]
struct Rest {
    until: Instant,
    why: Arc<str>,
}

impl Local {
    /// A place for a process that speaks `revision`; in those that begin with a handshake, this one or a later one. Nothing
    /// is started yet.
    pub fn new(spec: LocalSpec, revision: Revision, started: Arc<dyn Started>) -> Arc<Self> {
        let place = Place {
            spec,
            revision,
            started,
            state: Mutex::new(State { stage: Stage::Idle, setbacks: 0, rest: None }),
            turns: watch::Sender::new(()),
            changes: broadcast::Sender::new(limits::LOCAL_CHANGES_MAX),
            counters: Arc::default(),
            starts: AtomicU64::new(0),
        };
        Arc::new(Self { place: Arc::new(place) })
    }

    /// Starts a process unless one runs, and waits until it is ready.
    ///
    /// # Errors
    /// [`SendError::NotSent`] when it does not start, or is left alone after it did not stay.
    pub async fn wake(&self) -> Result<(), SendError> {
        self.process().await?;
        Ok(())
    }

    /// The revision that the process speaks; until one runs, the one that it has to speak.
    pub fn revision(&self) -> Revision {
        self.running().map_or(self.place.revision, |process| process.revision())
    }

    /// Whether a process runs and is ready.
    pub fn is_running(&self) -> bool {
        self.running().is_some()
    }

    /// What happened so far.
    pub fn counts(&self) -> LocalCounts {
        let counters = &self.place.counters;
        LocalCounts {
            started: self.place.starts.load(Ordering::Relaxed),
            noise: counters.noise.load(Ordering::Relaxed),
            strays: counters.strays.load(Ordering::Relaxed),
            dropped: counters.dropped.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn spec(&self) -> &LocalSpec {
        &self.place.spec
    }

    /// What the processes say about changes of their lists, from now on.
    pub(crate) fn changes(&self) -> broadcast::Receiver<Change> {
        self.place.changes.subscribe()
    }

    /// The process that runs now.
    pub(crate) fn running(&self) -> Option<Arc<Process>> {
        match &self.place.state().stage {
            Stage::Running(keeper) => Some(keeper.process()).filter(|process| process.ending().is_none()),
            Stage::Idle | Stage::Starting(_) | Stage::Closed => None,
        }
    }

    /// Puts one message to the process. Notifications are taken and go nowhere: they are about one client, and the
    /// process has many.
    pub(crate) async fn send(&self, body: Bytes, deadlines: Deadlines) -> Result<Answer, SendError> {
        let process = self.process().await?;
        process.call(body, deadlines).await
    }

    async fn process(&self) -> Result<Arc<Process>, Unsent> {
        let mut turns = self.place.turns.subscribe();
        loop {
            // What changes from here on is seen below.
            turns.mark_unchanged();
            if let Some(process) = self.place.step()? {
                return Ok(process);
            }
            // An error would mean that the place is gone, and the next step says so.
            let _ = turns.changed().await;
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let stage = std::mem::replace(&mut self.place.state().stage, Stage::Closed);
        if let Stage::Starting(task) = &stage {
            task.abort();
        }
        // A process that runs ends with its keeper.
        drop(stage);
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (server, revision) = (&self.place.spec.server, self.place.revision);
        f.debug_struct("Local").field("server", server).field("revision", &revision).finish_non_exhaustive()
    }
}

impl fmt::Debug for LocalSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSpec").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Place {
    /// The process if it is ready; `None` if it is being started, which this sees to.
    fn step(self: &Arc<Self>) -> Result<Option<Arc<Process>>, Unsent> {
        let mut state = self.state();
        match &state.stage {
            Stage::Running(keeper) => {
                let process = keeper.process();
                let Some(ending) = process.ending() else {
                    return Ok(Some(process));
                };
                let stayed = ending.at.saturating_duration_since(process.began());
                state.setback(stayed, ending.at, ending.why);
            }
            Stage::Starting(_) => return Ok(None),
            Stage::Closed => return Err(Unsent::NotStarted { why: "it is not needed any more".into() }),
            Stage::Idle => {}
        }
        if let Some(Rest { until, why }) = &state.rest {
            let again_in = until.saturating_duration_since(Instant::now());
            if !again_in.is_zero() {
                return Err(Unsent::Resting { why: Arc::clone(why), again_in });
            }
        }
        state.stage = Stage::Starting(tokio::spawn(Arc::clone(self).start()).abort_handle());
        Ok(None)
    }

    async fn start(self: Arc<Self>) {
        self.starts.fetch_add(1, Ordering::Relaxed);
        let limit = Duration::from_millis(limits::LOCAL_READY_MILLISECONDS_MAX);
        let late = || Unready::Unread(format!("it was not ready within {} ms", limits::LOCAL_READY_MILLISECONDS_MAX));
        let ready = timeout(limit, self.ready()).await.unwrap_or_else(|_| Err(late()));
        let is_unread = matches!(ready, Err(Unready::Unread(_)));
        self.settle(ready);
        self.turns.send_replace(());
        if is_unread {
            // Whoever waited for the process has heard that there is none.
            self.started.unread().await;
        }
    }

    fn settle(&self, ready: Result<Keeper, Unready>) {
        let mut state = self.state();
        match (&state.stage, ready) {
            // The process ends with its keeper.
            (Stage::Closed, _) => {}
            (Stage::Idle | Stage::Starting(_) | Stage::Running(_), Ok(keeper)) => state.stage = Stage::Running(keeper),
            (
                Stage::Idle | Stage::Starting(_) | Stage::Running(_),
                Err(Unready::NotStarted(why) | Unready::Unread(why) | Unready::Unfit(why)),
            ) => state.setback(Duration::ZERO, Instant::now(), why.into()),
        }
    }

    /// A process that is greeted, read and compared.
    async fn ready(&self) -> Result<Keeper, Unready> {
        let keeper = Keeper::spawn(&self.spec, self.revision, &self.changes, &self.counters).await;
        let keeper = keeper.map_err(|error| Unready::NotStarted(with_causes(&error)))?;
        let process = keeper.process();
        let read = async {
            if self.revision.has_sessions() {
                let (revision, said) = discover::greet(&process).await.map_err(|error| with_causes(&error))?;
                process.greeted(revision, said);
            }
            discover::running(&process).await.map_err(|error| with_causes(&error))
        };
        let definitions = read.await.map_err(|why| Unready::Unread(keeper.last_words(&why)))?;
        let compared = async {
            self.started.started(definitions).await?;
            // Whoever compares has seen it by now; people decide whether it may be used so.
            let (found, pinned) = (process.revision(), self.revision);
            if found < pinned { Err(with_causes(&Unsent::Downgraded { found, pinned })) } else { Ok(()) }
        };
        if let Err(why) = compared.await {
            return Err(Unready::Unfit(keeper.last_words(&why)));
        }
        if !self.revision.has_sessions() {
            tokio::spawn(process::hear(process, self.changes.clone()));
        }
        Ok(keeper)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Notes that a process did not stay, or that none came to be.
    fn setback(&mut self, stayed: Duration, at: Instant, why: Arc<str>) {
        if stayed >= Duration::from_millis(limits::LOCAL_STAYED_MILLISECONDS) {
            self.setbacks = 0;
        }
        let doubled = limits::LOCAL_REST_MILLISECONDS.saturating_mul(1 << self.setbacks.min(32));
        let rest = Duration::from_millis(doubled.min(limits::LOCAL_REST_MILLISECONDS_MAX));
        self.setbacks = self.setbacks.saturating_add(1);
        self.rest = Some(Rest { until: at + rest, why });
        self.stage = Stage::Idle;
    }
}

#[cfg(test)]
mod tests;
