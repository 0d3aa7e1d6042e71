//! The last steps before the program runs, in the process that will be it.

use std::fs::File;
use std::io::{self, PipeWriter, Read as _, Write as _};
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{self, Stdio};

use rustix::process::{Pid, Resource, Rlimit};

#[cfg(target_os = "linux")]
use crate::cgroup;
use crate::handover::Pipes;
use crate::plan::Plan;
use crate::wall::Keeps;
use crate::{Limits, Step, Wall, wall};

/// Starts the program of a plan. This process must have no other thread.
///
/// It is born in the control group that `door` leads into, if there is one.
pub(crate) fn launch(
    plan: Plan,
    pipes: Pipes,
    keeps: Keeps,
    door: Option<File>,
) -> Result<(Pid, Wall), (Step, io::Error)> {
    let (mut told, mut notes) = io::pipe().map_err(|error| (Step::Fork, error))?;
    let [stdin, stdout, stderr] = pipes;
    let Plan { program, arguments, directory, environment, limits } = plan;
    let mut command = process::Command::new(program);
    command.args(arguments).env_clear().envs(environment);
    command.stdin(Stdio::from(stdin)).stdout(Stdio::from(stdout)).stderr(Stdio::from(stderr));
    let prepare = move || match prepare(&directory, &limits, keeps, door.as_ref()) {
        Ok(wall) => notes.write_all(&[wall.code()]),
        Err((step, error)) => note(&mut notes, step).and(Err(error)),
    };
    #[expect(unsafe_code, reason = "the steps below have no safe form in the standard library")]
    // SAFETY: between `fork` and `exec`, code may not rely on other threads, as they are gone, with whatever they held
    // locked. The supervisor never had another one.
    unsafe {
        command.pre_exec(prepare);
    }
    let spawned = command.spawn();
    // What this process still holds of the program's pipes must go, or their ends would never be seen.
    drop(command);
    let mut noted = Vec::new();
    let _ = told.read_to_end(&mut noted);
    let failed = noted.iter().find_map(|&code| Step::of_code(code));
    let stands = noted.iter().find_map(|&code| Wall::of_code(code));
    match spawned {
        Ok(child) => {
            let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            pid.map(|pid| (pid, stands.unwrap_or(Wall::None))).ok_or((Step::Fork, io::ErrorKind::Other.into()))
        }
        // Without a note nothing was tried, and with that of a wall everything was but the last step.
        Err(error) => Err((failed.unwrap_or(if stands.is_some() { Step::Execute } else { Step::Fork }), error)),
    }
}

fn note(notes: &mut PipeWriter, step: Step) -> io::Result<()> {
    notes.write_all(&[step.code()])
}

#[cfg_attr(
    not(target_os = "linux"),
    expect(unused_variables, reason = "only Linux has capabilities and control groups")
)]
fn prepare(directory: &Path, limits: &Limits, keeps: Keeps, door: Option<&File>) -> Result<Wall, (Step, io::Error)> {
    let failed = |step| move |error: rustix::io::Errno| (step, io::Error::from(error));
    rustix::process::setsid().map_err(failed(Step::Session))?;
    // Should somebody kill the supervisor, the program goes too.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(failed(Step::Bond))?;
    rustix::process::chdir(directory).map_err(failed(Step::Directory))?;
    limit(limits).map_err(failed(Step::Limits))?;
    #[cfg(target_os = "linux")]
    door.map_or(Ok(()), cgroup::enter).map_err(|error| (Step::Limits, error))?;
    #[cfg(target_os = "linux")]
    wall::disarm(keeps).map_err(failed(Step::Privileges))?;
    Ok(wall::raise())
}

/// Sets the kernel's limits, soft and hard.
fn limit(limits: &Limits) -> rustix::io::Result<()> {
    let &Limits { memory_bytes, processes: _, open_files, file_bytes, cpu_seconds } = limits;
    lower(Resource::Data, memory_bytes)?;
    lower(Resource::Nofile, open_files)?;
    lower(Resource::Fsize, file_bytes)?;
    lower(Resource::Core, 0)?;
    cpu_seconds.map_or(Ok(()), |seconds| lower(Resource::Cpu, seconds))
}

/// Sets a limit, or leaves a lower one that is in force already.
pub(crate) fn lower(resource: Resource, most: u64) -> rustix::io::Result<()> {
    let in_force = rustix::process::getrlimit(resource).maximum;
    let most = Some(in_force.map_or(most, |in_force| in_force.min(most)));
    rustix::process::setrlimit(resource, Rlimit { current: most, maximum: most })
}

/// Closes every file but the standard three, whoever left it open.
///
/// Called first thing in a process that has opened none of its own.
pub(crate) fn close_inherited() -> io::Result<()> {
    const FIRST: RawFd = 3;
    #[cfg(target_os = "linux")]
    {
        #[expect(unsafe_code, reason = "no safe function closes files that nobody owns")]
        // SAFETY: the system call takes three numbers. The files it closes are inherited: no value here owns them.
        let result = unsafe { libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, 0) };
        if result == 0 {
            return Ok(());
        }
    }
    // Linux before 5.9, and other systems: one by one, as they are listed.
    let listed = std::fs::read_dir("/dev/fd")?.flatten();
    let numbers: Vec<RawFd> = listed.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|&number| number >= FIRST) {
        #[expect(unsafe_code, reason = "no safe function closes files that nobody owns")]
        // SAFETY: as above. The listing's own file is closed already, and its number fails harmlessly.
        unsafe {
            libc::close(number);
        }
    }
    Ok(())
}

/// Gives every signal its default effect, as ignoring one is inherited even by the programs that a process executes.
/// All but the one for broken pipes: the standard library sees to that one for what it starts.
pub(crate) fn reset_signals() {
    const SIGNAL_MAX: libc::c_int = 64;
    for signal in (1..=SIGNAL_MAX).filter(|&signal| signal != libc::SIGPIPE) {
        #[expect(unsafe_code, reason = "no safe function restores the default")]
        // SAFETY: no handler is installed, only the default restored; numbers that are no signals are refused.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
}
