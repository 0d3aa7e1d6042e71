//! The process between the gate and a program: it waits, measures, kills, and ends.
//!
//! It is small on purpose: one thread, no runtime, nothing to decide but when to kill. Read [`Watch::until_over`].

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use model::limits::{
    LOCAL_GRACE_MILLISECONDS, LOCAL_KILL_MILLISECONDS_MAX, LOCAL_LOOK_MILLISECONDS, LOCAL_START_MILLISECONDS_MAX,
};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::Mode;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};

#[cfg(target_os = "linux")]
use crate::cgroup;
use crate::report::Report;
use crate::tree::Tree;
use crate::wall::Keeps;
use crate::{Cause, End, Exit, Limits, Step, handover, jail, launch};

/// The one thing the gate says after the plan: the program may end by itself, for a while.
pub(crate) const END_GENTLY: u8 = b'e';

/// Of two processes, the one the kernel had better end if memory runs out: a local server, not the gate.
#[cfg(target_os = "linux")]
const OUT_OF_MEMORY_SCORE: &[u8] = b"500";
const KILL_PAUSE: Duration = Duration::from_millis(2);

/// Runs this process as the supervisor of one program: what the gate's binary does when it is called with the arguments
/// of [`crate::Supervisor`].
///
/// It must be called before anything else in `main`: it closes every file but the standard three, and relies on there
/// being no other thread. The gate gives it a socket as standard input; whoever else calls it is told so.
pub fn supervise() -> ExitCode {
    let (mut socket, tree) = match prepare() {
        Ok(prepared) => prepared,
        Err(error) => {
            // Nobody reads this when the gate has started it.
            let _ = writeln!(
                io::stderr(),
                "this is how the gate watches over what it starts; it cannot be run by hand ({error})"
            );
            return ExitCode::from(2);
        }
    };
    let jailed = std::env::args_os().nth(2).is_some_and(|word| word == jail::SUPERVISED);
    let keeps = if jailed { Keeps::ToMakeJails } else { Keeps::Nothing };
    match begin(&mut socket, keeps) {
        Ok((watch, limits)) => watch.run(&socket, &tree, &limits),
        Err((step, error)) => {
            let errno = error.raw_os_error().unwrap_or(libc::EINVAL);
            let _ = socket.write_all(&Report::Failed { step, errno }.encode());
            ExitCode::FAILURE
        }
    }
}

/// Makes this process one that can be trusted with descendants, and takes the gate's socket from standard input.
fn prepare() -> io::Result<(UnixStream, Tree)> {
    launch::close_inherited()?;
    rustix::net::sockopt::socket_type(io::stdin())?;
    let socket = UnixStream::from(rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?);
    let nothing = OwnedFd::from(fs::File::open("/dev/null")?);
    rustix::stdio::dup2_stdin(&nothing)?;
    launch::reset_signals();
    // A session of its own: what a terminal sends to the gate's group is not for this process.
    let _ = rustix::process::setsid();
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    #[cfg(target_os = "linux")]
    {
        // The gate's end is also seen on its socket: of the two signs, the first counts.
        rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?;
        rustix::thread::set_no_new_privs(true)?;
        let _ = fs::write("/proc/self/oom_score_adj", OUT_OF_MEMORY_SCORE);
    }
    crate::conceal()?;
    let tree = Tree::adopt()?;
    Ok((socket, tree))
}

/// Receives the plan and starts its program.
fn begin(socket: &mut UnixStream, keeps: Keeps) -> Result<(Watch, Limits), (Step, io::Error)> {
    let at = |step| move |error| (step, error);
    let signals = Signals::listen().map_err(at(Step::Plan))?;
    socket.set_read_timeout(Some(Duration::from_millis(LOCAL_START_MILLISECONDS_MAX))).map_err(at(Step::Plan))?;
    let (plan, pipes) = handover::receive(socket).map_err(at(Step::Plan))?;
    let limits = plan.limits;
    #[cfg(target_os = "linux")]
    let group = cgroup::ControlGroup::make(limits.processes);
    #[cfg(target_os = "linux")]
    let door = group.as_ref().map(cgroup::ControlGroup::door).transpose().map_err(at(Step::Limits))?;
    #[cfg(not(target_os = "linux"))]
    let door = None;
    let (program, wall) = launch::launch(plan, pipes, keeps, door)?;
    // If the gate is gone, so is its end of the socket, which is seen first thing in the watch.
    let _ = socket.write_all(&Report::Started { pid: program.as_raw_pid(), wall }.encode());
    let watch = Watch {
        program,
        signals,
        end: None,
        childless: false,
        #[cfg(target_os = "linux")]
        _group: group,
    };
    Ok((watch, limits))
}

/// The signals that matter here, each of which wakes the watch.
struct Signals {
    asked: Arc<AtomicBool>,
    wake: UnixStream,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        let (wake, write) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] {
            signal_hook::flag::register(signal, Arc::clone(&asked))?;
        }
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCHLD] {
            signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
        }
        Ok(Self { asked, wake })
    }
}

/// A program that runs.
struct Watch {
    program: Pid,
    signals: Signals,
    /// How the program ended, once it has.
    end: Option<End>,
    /// Whether there is nothing left to wait for.
    childless: bool,
    /// The tree's control group, if there is one: removed once nobody is left.
    #[cfg(target_os = "linux")]
    _group: Option<cgroup::ControlGroup>,
}

impl Watch {
    fn run(mut self, socket: &UnixStream, tree: &Tree, limits: &Limits) -> ExitCode {
        let cause = self.until_over(socket, tree, limits);
        let all_gone = self.kill_all(tree);
        let end = self.end.unwrap_or(End::Unknown);
        let mut gate = socket;
        let _ = gate.write_all(&Report::Ended(Exit { end, cause, all_gone }).encode());
        match end {
            End::Status(status) => ExitCode::from(u8::try_from(status).unwrap_or(1)),
            End::Signal(signal) => ExitCode::from(u8::try_from(signal.saturating_add(128)).unwrap_or(1)),
            End::Unknown => ExitCode::FAILURE,
        }
    }

    /// Waits until the program ended, the gate is gone or wants it killed, or the tree is too large.
    fn until_over(&mut self, socket: &UnixStream, tree: &Tree, limits: &Limits) -> Cause {
        let look = Duration::from_millis(LOCAL_LOOK_MILLISECONDS);
        let mut next_look = Instant::now() + look;
        let mut deadline: Option<Instant> = None;
        loop {
            let until = deadline.map_or(next_look, |deadline| deadline.min(next_look));
            let gate_spoke = self.wait_until(socket, until);
            self.reap();
            if self.end.is_some() {
                return if deadline.is_some() { Cause::Asked } else { Cause::Itself };
            }
            if self.signals.asked.load(Ordering::Relaxed) || deadline.is_some_and(|deadline| deadline <= Instant::now())
            {
                return Cause::Asked;
            }
            if gate_spoke {
                if !asks_to_end_gently(socket) {
                    return Cause::Asked;
                }
                let _ = rustix::process::kill_process_group(self.program, Signal::TERM);
                deadline.get_or_insert(Instant::now() + Duration::from_millis(LOCAL_GRACE_MILLISECONDS));
            }
            if next_look <= Instant::now() {
                if let Some(cause) = tree.excess(limits) {
                    return cause;
                }
                next_look = Instant::now() + look;
            }
        }
    }

    /// Waits for a signal, for the gate, or for the time; tells whether the gate's socket has something to read.
    fn wait_until(&mut self, socket: &UnixStream, time: Instant) -> bool {
        let left = time.saturating_duration_since(Instant::now());
        // Rounded up, or the last fraction of a millisecond would be spent asking again and again.
        let timeout = Timespec::try_from(left + Duration::from_millis(1)).unwrap_or_default();
        let mut waited_for =
            [PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN), PollFd::new(&self.signals.wake, PollFlags::IN)];
        let ready = rustix::event::poll(&mut waited_for, Some(&timeout)).unwrap_or_default();
        let gate_spoke = ready > 0 && waited_for.first().is_some_and(|gate| !gate.revents().is_empty());
        while matches!(self.signals.wake.read(&mut [0; 64]), Ok(count) if count > 0) {}
        gate_spoke
    }

    /// Takes note of every descendant of this process that has ended.
    fn reap(&mut self) {
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == self.program => self.end = self.end.or(Some(end(status))),
                Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
                Ok(None) => return,
                Err(_) => {
                    self.childless = true;
                    return;
                }
            }
        }
    }

    /// Kills until there is no child left to wait for: then there is no descendant either, as those who lose their
    /// parent become children of this process. False if the time was up before.
    fn kill_all(&mut self, tree: &Tree) -> bool {
        let deadline = Instant::now() + Duration::from_millis(LOCAL_KILL_MILLISECONDS_MAX);
        loop {
            self.reap();
            if self.childless {
                return true;
            }
            if deadline <= Instant::now() {
                return false;
            }
            tree.kill(self.program);
            self.reap();
            if !self.childless {
                std::thread::sleep(KILL_PAUSE);
            }
        }
    }
}

/// Whether the gate said so; otherwise it closed the socket, on purpose or because it is gone.
fn asks_to_end_gently(mut socket: &UnixStream) -> bool {
    let mut said = [0];
    matches!(socket.read(&mut said), Ok(1)) && said == [END_GENTLY]
}

fn end(status: WaitStatus) -> End {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(status), _) => End::Status(status),
        (None, Some(signal)) => End::Signal(signal),
        (None, None) => End::Unknown,
    }
}
