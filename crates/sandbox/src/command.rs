//! What is started, and within which limits.

use std::path::PathBuf;

use model::{Secret, limits};

/// A program to start, and all that it is given.
pub struct Command {
    /// Who watches over it.
    pub supervisor: Supervisor,
    /// The program: a bare name, looked up in the `PATH` of `environment` or else in `/usr/local/bin:/usr/bin:/bin`, or
    /// a path; one that is not absolute is below `directory`.
    pub program: PathBuf,
    /// Its arguments, without its own name.
    pub arguments: Vec<String>,
    /// Where it runs: an absolute path, `/` if there is none.
    pub directory: Option<PathBuf>,
    /// Its environment, the whole of it.
    pub environment: Vec<(String, Value)>,
    /// What it may use.
    pub limits: Limits,
}

/// What an environment variable holds.
pub enum Value {
    /// Something that anybody may know.
    Plain(String),
    /// A secret meant for this program. It is opened as it is sent to the supervisor, and nowhere else.
    Secret(Secret<String>),
}

/// How the gate runs itself as a supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supervisor {
    /// The gate's own binary.
    pub program: PathBuf,
    /// The arguments that make it call [`crate::supervise`] and nothing else.
    pub arguments: Vec<String>,
}

impl Supervisor {
    /// This very program, run with these arguments.
    ///
    /// It is named as the running file, not by its path, so that a gate whose binary was replaced on disk goes on with
    /// supervisors of its own version.
    pub fn this_program(arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let program = if cfg!(target_os = "linux") {
            PathBuf::from("/proc/self/exe")
        } else {
            std::env::current_exe().unwrap_or_default()
        };
        Self { program, arguments }
    }
}

/// What a program and everything it starts may use.
///
/// Of memory, two things are bounded, because neither is enough alone. The data of each process is a limit of the
/// kernel (`RLIMIT_DATA`): an allocation beyond it fails at once, however fast it came. The address space is not
/// limited, as runtimes like Node reserve far more of it than they ever use. And the memory in use by all processes
/// together is measured five times a second, so that many small processes, or memory they share, count too; a tree above
/// the limit is killed. Between two looks the sum may exceed it, by one process's limit for each process. Files that live
/// in memory (`tmpfs`) count as files, and as memory only where they are mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory: private data of any one process, and memory in use by all of them.
    pub memory_bytes: u64,
    /// Processes and threads at once, together. Counted by the supervisor, and refused by the kernel a little above where
    /// the gate may make control groups, or is another user than root and the program in a jail.
    pub processes: u64,
    /// Files that each process may have open.
    pub open_files: u64,
    /// Bytes in any file it writes.
    pub file_bytes: u64,
    /// Seconds of processor time of each process, if they are limited.
    pub cpu_seconds: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: limits::LOCAL_MEMORY_BYTES,
            processes: limits::LOCAL_PROCESSES,
            open_files: limits::LOCAL_OPEN_FILES,
            file_bytes: limits::LOCAL_FILE_BYTES,
            cpu_seconds: None,
        }
    }
}
