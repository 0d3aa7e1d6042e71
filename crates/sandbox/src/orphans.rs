//! What a supervisor leaves behind when somebody else ends it.
//!
//! The gate is the next reaper above its supervisors: what one of them leaves becomes the gate's own child, in whatever
//! session it is, and is found and killed here.
//!
//! INVARIANT: every child of the gate that is in another session than the gate is a supervisor that is known here, or
//! such an orphan.

use std::collections::BTreeSet;
use std::io;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The supervisors that have not been waited for, by their process.
static SUPERVISORS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

fn supervisors() -> MutexGuard<'static, BTreeSet<u32>> {
    SUPERVISORS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes this process the one that orphans come to, where the system can.
pub(crate) fn adopt() {
    #[cfg(target_os = "linux")]
    // Where that is refused, only the kernel's parent-death signal is left for the program itself.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// Starts a supervisor.
pub(crate) fn start(command: &mut Command) -> io::Result<Child> {
    // Held meanwhile, so that nobody takes a new supervisor for an orphan.
    let mut supervisors = supervisors();
    let child = command.spawn()?;
    supervisors.insert(child.id());
    Ok(child)
}

/// Waits until a supervisor has ended.
pub(crate) fn wait(mut supervisor: Child) {
    // Until it is waited for, its number is nobody else's.
    let _ = supervisor.wait();
    supervisors().remove(&supervisor.id());
}

/// Kills all orphans, and what they start meanwhile. False if some are left when the time is up.
///
/// The kernel's list of children may miss some while others come and go (`proc_tid_children(5)`), so that one empty look
/// proves nothing: several in a row have to be.
#[cfg(target_os = "linux")]
pub(crate) fn end() -> bool {
    use std::time::{Duration, Instant};

    use model::limits::LOCAL_KILL_MILLISECONDS_MAX;

    const PAUSE: Duration = Duration::from_millis(2);
    const EMPTY_LOOKS: u32 = 5;

    // Two at once would take away from under each other what they look at.
    static ENDING: Mutex<()> = Mutex::new(());
    let _alone = ENDING.lock().unwrap_or_else(PoisonError::into_inner);
    let deadline = Instant::now() + Duration::from_millis(LOCAL_KILL_MILLISECONDS_MAX);
    let mut empty = 0;
    loop {
        let orphans = orphans();
        empty = if orphans.is_empty() { empty + 1 } else { 0 };
        if empty >= EMPTY_LOOKS {
            return true;
        }
        if deadline <= Instant::now() {
            return false;
        }
        for orphan in orphans {
            crate::tree::Tree::below(orphan).kill(orphan);
            let _ = rustix::process::kill_process(orphan, rustix::process::Signal::KILL);
            let _ = rustix::process::waitpid(Some(orphan), rustix::process::WaitOptions::NOHANG);
        }
        std::thread::sleep(PAUSE);
    }
}

#[cfg(target_os = "linux")]
fn orphans() -> Vec<rustix::process::Pid> {
    let own = rustix::process::getpid();
    let session = crate::tree::session(own);
    let supervisors = supervisors();
    let is_orphan = |child: &rustix::process::Pid| {
        let theirs = crate::tree::session(*child);
        !supervisors.contains(&child.as_raw_pid().unsigned_abs()) && theirs.is_some() && theirs != session
    };
    crate::tree::Tree::below(own).children().into_iter().filter(is_orphan).collect()
}

/// Orphans go where this process does not find them.
#[cfg(not(target_os = "linux"))]
pub(crate) fn end() -> bool {
    false
}
