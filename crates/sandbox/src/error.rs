//! Why a program was not started.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a program was not started. What it would have been given is not repeated: it may be secret.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// A bare name that no directory of its path has.
    #[error("there is no program `{program}` in {searched}; write its whole path, or give the command a `PATH`")]
    ProgramNotFound {
        /// The name.
        program: String,
        /// The directories looked at, as a path list.
        searched: String,
    },
    /// A path at which there is no file.
    #[error("there is no file `{}`; is the program installed on this host?", .0.display())]
    ProgramMissing(PathBuf),
    /// A file that may not be executed.
    #[error("`{}` is not a file that the gate's user may execute", .0.display())]
    NotExecutable(PathBuf),
    /// The working directory is not there.
    #[error("there is no directory `{}` to run in; make it, or name another", .0.display())]
    DirectoryMissing(PathBuf),
    /// The working directory is relative: to what, nobody could say.
    #[error("the directory `{}` is not an absolute path", .0.display())]
    DirectoryRelative(PathBuf),
    /// An argument that no program can be given.
    #[error("argument {0} contains a NUL character")]
    Argument(usize),
    /// A variable that no program can be given.
    #[error("the environment variable `{0}` has a name or a value that no variable can have")]
    Variable(String),
    /// More than can be handed over.
    #[error(
        "arguments and environment have {bytes} bytes; at most {} are possible",
        model::limits::LOCAL_PLAN_BYTES_MAX
    )]
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// The system lacks what a start takes: files, processes, memory.
    #[error("the system could not {doing}")]
    System {
        /// What failed.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The supervisor did not start, or ended before it said anything.
    #[error("the gate could not run itself, `{}`, as the program's supervisor", program.display())]
    Supervisor {
        /// The gate's binary.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The supervisor was not ready in time.
    #[error("the program's supervisor did not answer within {} seconds", model::limits::LOCAL_START_MILLISECONDS_MAX / 1_000)]
    Silent,
    /// The supervisor could not start the program.
    #[error("`{}` did not start: {step}", program.display())]
    NotStarted {
        /// The program's file.
        program: PathBuf,
        /// What failed.
        step: Step,
        /// Why.
        source: io::Error,
    },
}

/// What the supervisor does, in this order, before the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reads what is to be started.
    Plan,
    /// Makes a new process.
    Fork,
    /// Begins a session of its own.
    Session,
    /// Binds the program's life to the supervisor's.
    Bond,
    /// Enters its directory.
    Directory,
    /// Sets the kernel's limits.
    Limits,
    /// Gives up the privileges that the gate may have.
    Privileges,
    /// Executes the program.
    Execute,
}

impl Step {
    /// Every step.
    pub(crate) const ALL: &[Self] = &[
        Self::Plan,
        Self::Fork,
        Self::Session,
        Self::Bond,
        Self::Directory,
        Self::Limits,
        Self::Privileges,
        Self::Execute,
    ];

    /// The number by which it is reported. Never zero.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Plan => 1,
            Self::Fork => 2,
            Self::Session => 3,
            Self::Bond => 4,
            Self::Directory => 5,
            Self::Limits => 6,
            Self::Privileges => 7,
            Self::Execute => 8,
        }
    }

    /// The step of a number.
    pub(crate) fn of_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|step| step.code() == code)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plan => "the supervisor did not understand what to start",
            Self::Fork => "no new process could be made",
            Self::Session => "it could not have a session of its own",
            Self::Bond => "its life could not be bound to the gate's",
            Self::Directory => "its directory could not be entered",
            Self::Limits => "its limits could not be set",
            Self::Privileges => "its privileges could not be given up",
            Self::Execute => {
                "the system could not execute it; if it is a script, the program its first line names is missing"
            }
        })
    }
}
