//! The last steps within a jail, in the process that becomes the program.

use std::ffi::OsString;
#[cfg(target_os = "linux")]
use std::fs;
use std::io::{self, Write as _};
use std::process::ExitCode;

#[cfg(target_os = "linux")]
use model::limits::LOCAL_PROCESSES_MARGIN;
#[cfg(target_os = "linux")]
use rustix::process::Resource;

/// The word by which the gate's binary is told to enter.
pub const COMMAND: &str = "jail-enter";
/// The word by which it is told to watch what it enters with.
pub const WATCH_COMMAND: &str = "jail-watch";
/// What a program finds out about who it is. Some end at once if they are nobody.
#[cfg(target_os = "linux")]
const PEOPLE: &str = "user:x:1000:1000:user:/home/user:/bin/sh\n";
/// Where names lead: here. There is nobody to ask for others.
#[cfg(target_os = "linux")]
const HOSTS: &str = "127.0.0.1 localhost jail\n::1 localhost\n";

/// Shuts the walls within and becomes the program: what the gate's binary does when its first argument is
/// `jail-enter`. Further ones are the limit of processes and the directories that may be written, up to `--`; then comes
/// the program.
///
/// It returns only if that failed; then nothing was run.
pub fn enter(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let Err(error) = entered(arguments);
    let _ = writeln!(io::stderr(), "the jail could not be shut, so that nothing was run: {error}");
    ExitCode::from(126)
}

#[cfg(target_os = "linux")]
fn entered(mut arguments: impl Iterator<Item = OsString>) -> Result<std::convert::Infallible, io::Error> {
    use std::os::unix::process::CommandExt as _;

    let walls = Walls::read(&mut arguments)?;
    let program = arguments.next().ok_or_else(|| io::Error::other("no program is named"))?;
    settle()?;
    walls.shut()?;
    Err(std::process::Command::new(program).args(arguments).exec())
}

/// Shuts the walls within, prepares what is watched, runs it, and tells of what happens: what the gate's binary does when its
/// first argument is `jail-watch`. Further ones are the limit of processes and the directories that may be written, up to `--`;
/// then the steps that prepare, each for a shell, up to `--`; then comes the program.
pub fn watch(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match watched(arguments) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "the jail could not be shut or watched: {error}");
            ExitCode::from(126)
        }
    }
}

#[cfg(target_os = "linux")]
fn watched(mut arguments: impl Iterator<Item = OsString>) -> io::Result<ExitCode> {
    let walls = Walls::read(&mut arguments)?;
    let steps: Vec<OsString> = arguments.by_ref().take_while(|argument| argument != "--").collect();
    super::warden::watch(&walls, steps, arguments)
}

#[cfg(not(target_os = "linux"))]
fn watched(_: impl Iterator<Item = OsString>) -> io::Result<ExitCode> {
    Err(io::Error::other("jails can be made on Linux only"))
}

/// Tells programs where and who they are.
#[cfg(target_os = "linux")]
pub(super) fn settle() -> io::Result<()> {
    fs::write("/etc/passwd", PEOPLE)?;
    fs::write("/etc/group", "user:x:1000:\n")?;
    fs::write("/etc/hosts", HOSTS)
}

/// The walls within: where may be written, and how many may be there.
#[cfg(target_os = "linux")]
pub(super) struct Walls {
    processes: u64,
    writes: Vec<OsString>,
}

#[cfg(target_os = "linux")]
impl Walls {
    /// Takes what [`super::Jail::around`] says of them from the arguments, up to `--`.
    fn read(arguments: &mut impl Iterator<Item = OsString>) -> io::Result<Self> {
        let processes = arguments.next().and_then(|word| word.to_str()?.parse().ok());
        let processes = processes.ok_or_else(|| io::Error::other("no limit of processes is named"))?;
        Ok(Self { processes, writes: arguments.take_while(|argument| argument != "--").collect() })
    }

    /// Shuts them around this process, and all that it will start.
    pub(super) fn shut(&self) -> io::Result<()> {
        rustix::thread::set_no_new_privs(true)?;
        if counts_namespaces_apart() {
            crate::launch::lower(Resource::Nproc, self.processes + LOCAL_PROCESSES_MARGIN)?;
        }
        files_only(&self.writes).map_err(io::Error::other)?;
        super::filter::install()
    }
}

/// Whether the kernel counts a user's processes in each user namespace apart (Linux 5.14, `setrlimit(2)`): before, the limit of a
/// jail would have counted what the same user runs outside of it. Where that user is root, it does not bind.
#[cfg(target_os = "linux")]
fn counts_namespaces_apart() -> bool {
    let name = rustix::system::uname();
    let mut numbers = name.release().to_str().unwrap_or_default().split(|c: char| !c.is_ascii_digit()).map(str::parse);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return false };
    (major, minor) >= (5_u32, 14_u32)
}

#[cfg(not(target_os = "linux"))]
fn entered(_: impl Iterator<Item = OsString>) -> Result<std::convert::Infallible, io::Error> {
    Err(io::Error::other("jails can be made on Linux only"))
}

/// Everything that is mounted may be read; only some directories may be written. Its network has nobody in it, so that no rule
/// about ports is needed.
///
/// It holds what a mount does not: a pipe takes what is written to it on a read-only mount, too, and the memory of a process is a
/// file in `/proc`. It goes by the way that leads to a file, so that what is mounted below a place that may be written may be
/// written as far as this goes: there the mount stands alone.
#[cfg(target_os = "linux")]
fn files_only(writes: &[OsString]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    use landlock::{
        ABI, Access as _, AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
        RulesetCreatedAttr as _, Scope,
    };

    // The first version must be there; what later ones add is taken where it is.
    let all = AccessFs::from_all(ABI::V1);
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(all)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V5))?
        .scope(Scope::AbstractUnixSocket | Scope::Signal)?;
    let mut ruleset = ruleset.create()?.add_rule(PathBeneath::new(PathFd::new("/")?, AccessFs::from_read(ABI::V5)))?;
    let own = ["/tmp", super::HOME, "/dev/shm"].map(OsString::from);
    for path in own.iter().chain(writes) {
        ruleset = ruleset.add_rule(PathBeneath::new(PathFd::new(path)?, AccessFs::from_all(ABI::V5)))?;
    }
    for device in ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"] {
        let access = AccessFs::ReadFile | AccessFs::WriteFile;
        if let Ok(file) = PathFd::new(device) {
            ruleset = ruleset.add_rule(PathBeneath::new(file, access))?;
        }
    }
    ruleset.restrict_self()?;
    Ok(())
}
