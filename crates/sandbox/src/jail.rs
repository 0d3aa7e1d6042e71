//! A jail for a program that nobody trusts: it sees little, writes less, and reaches nobody.
//!
//! Three walls stand one within the other. `bubblewrap` gives the program namespaces of its own: no network at all, no other
//! process, no capability, and of the files only the system's programs and what its [`Cell`] names; where it may write, there
//! is so much room and no more. Within, the gate's own binary ([`enter`]) shuts the second and the third before it becomes the
//! program: Landlock, so that nothing is written but there even where a mount would allow it, and a filter of system
//! calls, so that the ways by which programs have left such jails are not there.
//!
//! Without all three nothing is started: what cannot be shut is not entered. A jail adds to what [`crate::spawn`] does and
//! takes nothing from it: the supervisor, its limits and the tree's end are as for any other program.

mod enter;
mod filter;
mod names;
mod note;
mod observe;
mod warden;

use std::path::{Path, PathBuf};

use model::limits::JAIL_ROOM_BYTES;

use crate::{Command, Supervisor, program};

pub use enter::{COMMAND as JAIL_COMMAND, WATCH_COMMAND as JAIL_WATCH_COMMAND, enter, watch};
pub use note::Note;

/// The port within a watched jail at which a proxy is.
pub const RELAY_PORT: u16 = 3128;
/// Where a watched jail finds what leads out of it: a socket for the proxy, and one for its notes.
const OUTSIDE: &str = "/run/outside";
/// The socket to which connections of the proxy go.
pub const PROXY: &str = "proxy";
/// The socket to which notes go. The first connection is the jail's; no other is to be taken.
pub const NOTES: &str = "notes";
/// Where the gate's binary is within.
const WITHIN: &str = "/run/portcullis/portcullis";
/// By this second word a supervisor knows that what it starts makes a jail.
pub(crate) const SUPERVISED: &str = "jailed";
/// Where a program is at home that has no directory of its own.
pub const HOME: &str = "/home/user";
/// What is there of the system: where it is, as it is, read-only.
const SYSTEM: [&str; 6] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"];
/// What is there of its settings.
const SETTINGS: [&str; 7] = [
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/ssl",
];
/// The devices of a jail that is watched.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
/// Bytes of rooms that hold next to nothing.
const SMALL_ROOM_BYTES: u64 = 1024 * 1024;

/// What makes jails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jail {
    bubblewrap: PathBuf,
}

/// What a program in a jail has, besides the system's programs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// Files and directories that it may read, where they are.
    pub reads: Vec<PathBuf>,
    /// Directories that it may write, where they are. What is written there is not bounded by the jail.
    pub writes: Vec<PathBuf>,
    /// Files and directories that it finds elsewhere than they are, read-only: where they are, and where it finds them.
    pub finds: Vec<(PathBuf, PathBuf)>,
    /// Who watches what happens in it, if somebody does.
    pub watched: Option<Watched>,
}

/// A jail whose inside is told of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// The directory with the sockets [`PROXY`] and [`NOTES`], at which somebody listens.
    pub outside: PathBuf,
    /// What is run before the program, each by a shell, with its output where errors go.
    pub steps: Vec<String>,
}

/// Why there is no jail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoJail {
    /// The system is none on which jails can be made.
    #[error("jails can be made on Linux only")]
    System,
    /// `bubblewrap` is not installed.
    #[error("`bwrap` is not installed: install the package `bubblewrap`")]
    Missing,
}

impl Jail {
    /// Finds what jails are made with. Whether the system lets one be made shows when one is: what cannot be shut is not entered.
    ///
    /// # Errors
    /// When something is missing.
    pub fn find() -> Result<Self, NoJail> {
        if !cfg!(target_os = "linux") {
            return Err(NoJail::System);
        }
        let found = program::file(Path::new("bwrap"), Path::new("/"), None);
        Ok(Self { bubblewrap: found.map_err(|_| NoJail::Missing)? })
    }

    /// The command that starts a program within a jail. It is looked up there, in the `PATH` of its environment.
    ///
    /// # Errors
    /// When a path cannot be handed over.
    pub fn around(&self, mut command: Command, cell: &Cell) -> Result<Command, String> {
        let own = own_binary(&command.supervisor)?;
        let mut arguments: Vec<String> = Vec::new();
        let mut say = |words: &[&str]| arguments.extend(words.iter().map(|word| (*word).to_owned()));
        say(&["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]);
        say(&["--unshare-cgroup-try", "--cap-drop", "ALL", "--new-session", "--die-with-parent"]);
        match cell.watched {
            None => say(&["--disable-userns"]),
            // Names are asked for at a port that only who owns the network may listen at, and a second namespace of users would
            // not own it. That nobody makes one within is left to the filter of system calls.
            Some(_) => say(&["--cap-add", "CAP_NET_BIND_SERVICE"]),
        }
        say(&["--uid", "1000", "--gid", "1000", "--hostname", "jail"]);
        SYSTEM.iter().for_each(|path| say(&["--ro-bind-try", path, path]));
        let (small, room) = (SMALL_ROOM_BYTES.to_string(), JAIL_ROOM_BYTES.to_string());
        say(&["--size", &small, "--tmpfs", "/etc"]);
        SETTINGS.iter().for_each(|path| say(&["--ro-bind-try", path, path]));
        say(&["--proc", "/proc"]);
        match cell.watched {
            None => say(&["--dev", "/dev"]),
            // The usual devices have terminals among them, for which `bwrap` makes a second namespace of users: see above.
            Some(_) => {
                say(&["--size", &small, "--tmpfs", "/dev", "--symlink", "/proc/self/fd", "/dev/fd"]);
                DEVICES.iter().for_each(|device| say(&["--dev-bind", device, device]));
            }
        }
        say(&["--size", &small, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]);
        say(&["--size", &room, "--tmpfs", "/tmp", "--size", &room, "--tmpfs", HOME]);
        for path in &cell.reads {
            say(&["--ro-bind", text(path)?, text(path)?]);
        }
        for path in &cell.writes {
            say(&["--bind", text(path)?, text(path)?]);
        }
        for (from, to) in &cell.finds {
            say(&["--ro-bind", text(from)?, text(to)?]);
        }
        if let Some(watched) = &cell.watched {
            say(&["--ro-bind", text(&watched.outside)?, OUTSIDE]);
        }
        say(&["--ro-bind", text(&own)?, WITHIN, "--remount-ro", "/"]);
        let directory = command.directory.as_deref().map_or(Ok(HOME), text)?;
        say(&["--chdir", directory, "--", WITHIN]);
        // The binary's own words for entering, then the limit of processes, then where may be written, then the program.
        say(&[if cell.watched.is_some() { enter::WATCH_COMMAND } else { enter::COMMAND }]);
        say(&[&command.limits.processes.to_string()]);
        for path in &cell.writes {
            say(&[text(path)?]);
        }
        if let Some(watched) = &cell.watched {
            say(&["--"]);
            watched.steps.iter().for_each(|step| say(&[step]));
        }
        say(&["--", text(&command.program)?]);
        arguments.extend(command.arguments);
        command.supervisor.arguments.push(SUPERVISED.to_owned());
        Ok(Command { program: self.bubblewrap.clone(), arguments, directory: None, ..command })
    }
}

/// The gate's binary, by a path that others than the gate can follow.
fn own_binary(supervisor: &Supervisor) -> Result<PathBuf, String> {
    if supervisor.program != Path::new("/proc/self/exe") {
        return Ok(supervisor.program.clone());
    }
    std::env::current_exe().map_err(|error| format!("the gate's own binary cannot be found: {error}"))
}

fn text(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| format!("`{}` is not text", path.display()))
}
