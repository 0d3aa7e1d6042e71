//! `[command]`: how the gate starts a local server. Nothing of it is read by a shell, nothing of the gate's own
//! environment is passed on, and every secret is named, never written out.
//!
//! Some variables cannot be given at all, because the dynamic loader obeys them before the program does
//! ([`Variable`]). Those by which an interpreter loads more code ([`Variable::names_code`]) can, and whoever approves the
//! server is told: there are honest reasons for them, and the command line can do the same.

use std::collections::BTreeMap;

use model::{SecretReference, limits};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::Misfit;
use super::text::{Argument, Directory, Program, Variable};

/// `[command]`: a program with everything it is given. Approving a server approves this very command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
#[schemars(with = "Written")]
pub struct CommandManifest {
    /// The program.
    pub program: Program,
    /// Its arguments, each exactly as it is given.
    pub arguments: Arguments,
    /// The directory it starts in; an empty one of its own if none is named.
    pub directory: Option<Directory>,
    /// Variables with plain values.
    pub environment: BTreeMap<Variable, Argument>,
    /// Variables whose values are secrets, and where those are kept.
    pub secrets: BTreeMap<Variable, SecretReference>,
    /// What it may use.
    pub limits: CommandLimits,
    /// The jail it runs in, if it does.
    pub jail: Option<JailManifest>,
}

/// `[command.jail]`: no network, no other process, and of the files only the system's programs and these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JailManifest {
    /// Files and directories that it may read, by their absolute paths. Its program is among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<Directory>,
    /// Directories that it may write, by their absolute paths. The directory it starts in is among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<Directory>,
}

/// Arguments, bounded in number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<Argument>", into = "Vec<Argument>")]
#[schemars(with = "Vec<String>")]
pub struct Arguments(Vec<Argument>);

impl Arguments {
    /// Each of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Argument::as_str)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Vec<Argument>> for Arguments {
    type Error = String;

    fn try_from(arguments: Vec<Argument>) -> Result<Self, String> {
        if arguments.len() > limits::COMMAND_ARGUMENTS_MAX {
            return Err(format!("a command has at most {} arguments", limits::COMMAND_ARGUMENTS_MAX));
        }
        Ok(Self(arguments))
    }
}

impl From<Arguments> for Vec<Argument> {
    fn from(arguments: Arguments) -> Self {
        arguments.0
    }
}

/// What a local server may use. What is not named is the gate's default; nothing is unlimited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandLimits {
    /// Bytes of memory.
    #[serde(default, deserialize_with = "memory_bytes", skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<u64>,
    /// Processes and threads at once.
    #[serde(default, deserialize_with = "processes", skip_serializing_if = "Option::is_none")]
    processes: Option<u64>,
    /// Files open at once, for each process.
    #[serde(default, deserialize_with = "open_files", skip_serializing_if = "Option::is_none")]
    open_files: Option<u64>,
    /// Bytes in any file it writes.
    #[serde(default, deserialize_with = "file_bytes", skip_serializing_if = "Option::is_none")]
    file_bytes: Option<u64>,
}

impl CommandLimits {
    /// Bytes of memory.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes.unwrap_or(limits::LOCAL_MEMORY_BYTES)
    }

    /// Processes and threads at once.
    pub fn processes(&self) -> u64 {
        self.processes.unwrap_or(limits::LOCAL_PROCESSES)
    }

    /// Files open at once, for each process.
    pub fn open_files(&self) -> u64 {
        self.open_files.unwrap_or(limits::LOCAL_OPEN_FILES)
    }

    /// Bytes in any file it writes.
    pub fn file_bytes(&self) -> u64 {
        self.file_bytes.unwrap_or(limits::LOCAL_FILE_BYTES)
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn memory_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    within(deserializer, limits::LOCAL_MEMORY_BYTES_MIN, limits::LOCAL_MEMORY_BYTES_MAX)
}

fn processes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    within(deserializer, 1, limits::LOCAL_PROCESSES_MAX)
}

fn open_files<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    within(deserializer, limits::LOCAL_OPEN_FILES_MIN, limits::LOCAL_OPEN_FILES_MAX)
}

fn file_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    within(deserializer, 0, limits::LOCAL_FILE_BYTES_MAX)
}

fn within<'de, D: Deserializer<'de>>(deserializer: D, least: u64, most: u64) -> Result<Option<u64>, D::Error> {
    let number = u64::deserialize(deserializer)?;
    if (least..=most).contains(&number) {
        return Ok(Some(number));
    }
    Err(serde::de::Error::custom(format!("use a number from {least} to {most}")))
}

/// The fields as they are written.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CommandManifest")]
struct Written {
    /// The program: an absolute path, or a bare name to be found on the `PATH` that the command is given.
    program: Program,
    /// Its arguments, each exactly as it is given: no shell reads them.
    #[serde(default, skip_serializing_if = "Arguments::is_empty")]
    arguments: Arguments,
    /// The directory it starts in, by its absolute path; an empty one of its own if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    directory: Option<Directory>,
    /// Environment variables with plain values. Nothing of the gate's own environment is passed on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    environment: BTreeMap<Variable, Argument>,
    /// Environment variables whose values are secrets: `env:NAME` or `file:PATH`, as the gate finds them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, String>")]
    secrets: BTreeMap<Variable, SecretReference>,
    /// What it may use.
    #[serde(default, skip_serializing_if = "CommandLimits::is_default")]
    limits: CommandLimits,
    /// Has it run in a jail: no network, no other process, and of the files only the system's programs and what is named here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jail: Option<JailManifest>,
}

impl TryFrom<Written> for CommandManifest {
    type Error = Misfit;

    fn try_from(written: Written) -> Result<Self, Misfit> {
        let Written { program, arguments, directory, environment, secrets, limits, jail } = written;
        if environment.len() + secrets.len() > limits::COMMAND_VARIABLES_MAX {
            let why = format!("a command is given at most {} variables", limits::COMMAND_VARIABLES_MAX);
            return Err(Misfit::new("command", why));
        }
        if let Some(twice) = environment.keys().find(|name| secrets.contains_key(*name)) {
            let why = "the variable is given both plainly and as a secret: give it once";
            return Err(Misfit::new(format!("command.secrets.{twice}"), why));
        }
        let plain = environment.iter().find(|(name, value)| name.names_a_secret() && !value.as_str().is_empty());
        if let Some((name, _)) = plain {
            let why = "by its name this is a secret: under `[command.secrets]`, say where it is kept";
            return Err(Misfit::new(format!("command.environment.{name}"), why));
        }
        let paths = jail.iter().map(|jail| jail.reads.len() + jail.writes.len()).sum::<usize>();
        if paths > limits::JAIL_PATHS_MAX {
            let why = format!("a jail has at most {} files and directories", limits::JAIL_PATHS_MAX);
            return Err(Misfit::new("command.jail", why));
        }
        Ok(Self { program, arguments, directory, environment, secrets, limits, jail })
    }
}

impl From<CommandManifest> for Written {
    fn from(command: CommandManifest) -> Self {
        let CommandManifest { program, arguments, directory, environment, secrets, limits, jail } = command;
        Self { program, arguments, directory, environment, secrets, limits, jail }
    }
}
