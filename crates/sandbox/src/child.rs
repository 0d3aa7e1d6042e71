//! A program that was started, and how it ended.

use std::fmt;
use std::io;
use std::process;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::limits::LOCAL_KILL_MILLISECONDS_MAX;
use rustix::process::{Pid, Signal};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;

use crate::report::{REPORT_BYTES, Report};
use crate::supervise::END_GENTLY;
use crate::{Stderr, Step, Wall, orphans};

/// How long the rest of its standard error is read once everything that could write to it is dead.
const STDERR_REST: Duration = Duration::from_secs(1);
/// How much longer than its own limit a supervisor is waited for, before it is killed itself.
const SUPERVISOR_MARGIN: Duration = Duration::from_secs(2);

/// A program that runs, with all that it started. Dropping it kills them.
pub struct Child {
    pid: u32,
    wall: Wall,
    stdin: Option<Sender>,
    stdout: Option<Receiver>,
    stderr: Stderr,
    /// None once it is cut.
    line: Mutex<Option<Line>>,
    exit: watch::Receiver<Option<Exit>>,
}

impl Child {
    pub(crate) fn new(
        pid: u32,
        wall: Wall,
        (stdin, stdout): (Sender, Receiver),
        stderr: Stderr,
        line: Line,
        exit: watch::Receiver<Option<Exit>>,
    ) -> Self {
        Self { pid, wall, stdin: Some(stdin), stdout: Some(stdout), stderr, line: Mutex::new(Some(line)), exit }
    }

    /// Its standard input, the first time it is asked for. Dropping that closes it, which asks most servers to end.
    pub fn stdin(&mut self) -> Option<Sender> {
        self.stdin.take()
    }

    /// Its standard output, the first time it is asked for.
    pub fn stdout(&mut self) -> Option<Receiver> {
        self.stdout.take()
    }

    /// Its standard error, which is always read.
    pub fn stderr(&self) -> &Stderr {
        &self.stderr
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.pid
    }

    /// What keeps it from other processes of the gate's user.
    pub fn wall(&self) -> Wall {
        self.wall
    }

    /// Asks the program to end (`SIGTERM` to its process group). If it has not after
    /// [`LOCAL_GRACE_MILLISECONDS`](model::limits::LOCAL_GRACE_MILLISECONDS), it is killed as by [`Child::kill`]; so is
    /// whatever it leaves behind.
    pub fn end(&self) {
        if let Some(line) = self.line.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            line.ask_to_end_gently();
        }
    }

    /// Kills the program and all that it started, wherever it went. Does not wait for it, and may be called again.
    pub fn kill(&self) {
        drop(self.line.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Waits until the program and all that it started are gone, and tells how it ended; any number of times. What it
    /// wrote to its standard error has then been read.
    pub async fn wait(&self) -> Exit {
        let mut exit = self.exit.clone();
        let exit = exit.wait_for(Option::is_some).await.map(|exit| *exit);
        exit.ok().flatten().unwrap_or(Exit::LOST)
    }
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// How it ended.
    pub end: End,
    /// Why.
    pub cause: Cause,
    /// Whether all that it started is gone too. False only where even killing does not help, such as with a process that
    /// waits for a broken disk; it dies when that wait ends.
    pub all_gone: bool,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, with this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// Nobody knows.
    Unknown,
}

/// Why a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Of itself, by a mistake of its own, or by one of the kernel's limits.
    Itself,
    /// The gate wanted it to.
    Asked,
    /// It used more memory than it may.
    Memory {
        /// Bytes that it used when it was looked at.
        used_bytes: u64,
    },
    /// It had more processes and threads than it may.
    Processes {
        /// How many at least, when they were counted.
        count: u64,
    },
    /// Its supervisor ended first, so that nobody watched over it. What was left was killed.
    SupervisorLost,
}

impl Exit {
    const LOST: Self = Self { end: End::Unknown, cause: Cause::SupervisorLost, all_gone: false };
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause {
            Cause::Itself => write!(f, "it {}", self.end)?,
            Cause::Asked => write!(f, "it was stopped by the gate, and {}", self.end)?,
            Cause::Memory { used_bytes } => {
                write!(f, "it was killed: {} MiB of memory in use are more than it is allowed", used_bytes >> 20)?;
            }
            Cause::Processes { count } => {
                write!(f, "it was killed: {count} processes and threads are more than it is allowed")?;
            }
            Cause::SupervisorLost => f.write_str("its supervisor was ended by somebody else, and so it was killed")?,
        }
        if self.all_gone { Ok(()) } else { f.write_str("; some process of it may be left") }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "ended with status {status}"),
            Self::Signal(signal) => match name_of(*signal) {
                Some(name) => write!(f, "was ended by signal {signal} ({name})"),
                None => write!(f, "was ended by signal {signal}"),
            },
            Self::Unknown => f.write_str("ended, nobody knows how"),
        }
    }
}

/// The signals that end servers, and what they mean.
fn name_of(signal: i32) -> Option<&'static str> {
    Some(match signal {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGILL => "SIGILL, an instruction this processor does not have",
        libc::SIGTRAP => "SIGTRAP, as runtimes do that run out of memory",
        libc::SIGABRT => "SIGABRT, as runtimes do that run out of memory",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGKILL => "SIGKILL",
        libc::SIGSEGV => "SIGSEGV, a fault of its own",
        libc::SIGPIPE => "SIGPIPE, writing to nobody",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU, its limit of processor time",
        libc::SIGXFSZ => "SIGXFSZ, its limit of a file's size",
        libc::SIGSYS => "SIGSYS, a system call it may not make",
        _ => return None,
    })
}

/// The gate's side of the control socket. While it is there, the program may live.
pub(crate) struct Line {
    write: OwnedWriteHalf,
    cut: Arc<Notify>,
}

impl Line {
    pub(crate) fn new(write: OwnedWriteHalf) -> Self {
        Self { write, cut: Arc::new(Notify::new()) }
    }

    /// Told when the line is dropped.
    pub(crate) fn cut(&self) -> Arc<Notify> {
        Arc::clone(&self.cut)
    }

    /// Sends the plan.
    pub(crate) async fn send(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.write.writable().await?;
            match self.write.try_write(bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// One byte, for which a socket that carried only the plan always has room.
    fn ask_to_end_gently(&self) {
        let _ = self.write.try_write(&[END_GENTLY]);
    }
}

impl Drop for Line {
    /// The write half shuts the socket down as it is dropped, and the supervisor takes that as the end.
    fn drop(&mut self) {
        self.cut.notify_one();
    }
}

/// What came of a start.
pub(crate) enum Began {
    Runs { pid: u32, wall: Wall },
    Failed { step: Step, errno: i32 },
    Lost,
}

/// Hears the supervisor to its end, so that it is waited for even if nobody else does.
pub(crate) struct Monitor {
    process: process::Child,
    read: OwnedReadHalf,
    cut: Arc<Notify>,
    began: Option<oneshot::Sender<Began>>,
    /// The program's process, once it runs.
    program: Option<Pid>,
}

impl Monitor {
    pub(crate) fn start(
        process: process::Child,
        read: OwnedReadHalf,
        cut: Arc<Notify>,
        stderr: JoinHandle<()>,
    ) -> (oneshot::Receiver<Began>, watch::Receiver<Option<Exit>>) {
        let (began, told) = oneshot::channel();
        let (exit, ended) = watch::channel(None);
        let monitor = Self { process, read, cut, began: Some(began), program: None };
        tokio::spawn(async move {
            let end = monitor.run().await;
            // Somebody outside the tree may have been handed the pipe, and could keep it open for good.
            let stop = stderr.abort_handle();
            if tokio::time::timeout(STDERR_REST, stderr).await.is_err() {
                stop.abort();
            }
            let _ = exit.send(Some(end));
        });
        (told, ended)
    }

    async fn run(mut self) -> Exit {
        let cut = Arc::clone(&self.cut);
        let patience = Duration::from_millis(LOCAL_KILL_MILLISECONDS_MAX) + SUPERVISOR_MARGIN;
        let impatience = async move {
            cut.notified().await;
            tokio::time::sleep(patience).await;
        };
        let heard = tokio::select! {
            heard = self.hear() => heard,
            () = impatience => None,
        };
        if heard.is_none() {
            self.kill_without_supervisor();
        }
        drop(self.began.take());
        // The supervisor has closed its socket, or was killed: it is ending, if it has not ended.
        let process = self.process;
        let left = heard.is_none_or(|exit| !exit.all_gone);
        let ended = tokio::task::spawn_blocking(move || {
            orphans::wait(process);
            !left || orphans::end()
        });
        let all_gone = ended.await.unwrap_or(false);
        Exit { all_gone, ..heard.unwrap_or(Exit::LOST) }
    }

    /// Hears reports until the supervisor is gone; how the program ended, if that was told.
    async fn hear(&mut self) -> Option<Exit> {
        let mut exit = None;
        let mut bytes = [0; REPORT_BYTES];
        while self.read.read_exact(&mut bytes).await.is_ok() {
            match Report::decode(&bytes)? {
                Report::Started { pid, wall } => {
                    self.program = Pid::from_raw(pid).filter(|_| pid > 0);
                    let pid = self.program?.as_raw_pid().unsigned_abs();
                    self.tell(Began::Runs { pid, wall });
                }
                Report::Failed { step, errno } => {
                    self.tell(Began::Failed { step, errno });
                    exit = Some(Exit { end: End::Unknown, cause: Cause::Itself, all_gone: true });
                }
                Report::Ended(told) => exit = Some(told),
            }
        }
        if exit.is_none() {
            self.tell(Began::Lost);
        }
        exit
    }

    fn tell(&mut self, what: Began) {
        if let Some(began) = self.began.take() {
            let _ = began.send(what);
        }
    }

    /// The supervisor is gone or mute: what can still be reached from here is the supervisor and the program's group.
    fn kill_without_supervisor(&mut self) {
        let _ = self.process.kill();
        if let Some(program) = self.program {
            let _ = rustix::process::kill_process_group(program, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests;
