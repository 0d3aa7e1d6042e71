//! What the gate tells the supervisor: which program, with what, within which limits.
//!
//! Counts and lengths are 64 bits, little-endian; texts are a length and bytes. Both ends are the same binary, so there
//! is no version. It goes over the control socket, because arguments and environments of processes can be read.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use model::limits::LOCAL_PLAN_BYTES_MAX;
use zeroize::Zeroizing;

use crate::{Command, Limits, SpawnError, Value};

/// A program to start, as the supervisor knows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) directory: PathBuf,
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) limits: Limits,
}

/// The plan for a command whose program is the file `program` and which runs in `directory`.
pub(crate) fn encode(command: &Command, program: &Path, directory: &Path) -> Result<Zeroizing<Vec<u8>>, SpawnError> {
    let values = command.environment.iter().map(|(name, value)| (name.as_str(), text(value)));
    let environment: Vec<_> = values.collect();
    check(&command.arguments, &environment)?;
    let mut writer = Writer::with_room_for(&command.arguments, &environment)?;
    writer.text(program.as_os_str());
    writer.number(command.arguments.len() as u64);
    for argument in &command.arguments {
        writer.text(argument.as_ref());
    }
    writer.text(directory.as_os_str());
    writer.number(environment.len() as u64);
    for (name, value) in environment {
        writer.text(name.as_ref());
        writer.text(value.as_ref());
    }
    let Limits { memory_bytes, processes, open_files, file_bytes, cpu_seconds } = command.limits;
    for number in [memory_bytes, processes, open_files, file_bytes, cpu_seconds.unwrap_or(u64::MAX)] {
        writer.number(number);
    }
    Ok(writer.bytes)
}

/// The text of a variable: where a secret that is meant for a program is handed to it.
#[expect(clippy::disallowed_methods, reason = "a program is given its secrets here, as a request is in `identity`")]
fn text(value: &Value) -> &str {
    match value {
        Value::Plain(text) => text,
        Value::Secret(secret) => secret.open(),
    }
}

fn check(arguments: &[String], environment: &[(&str, &str)]) -> Result<(), SpawnError> {
    if let Some(position) = arguments.iter().position(|argument| argument.contains('\0')) {
        return Err(SpawnError::Argument(position + 1));
    }
    let refused = |(name, value): &&(&str, &str)| name.is_empty() || name.contains(['=', '\0']) || value.contains('\0');
    match environment.iter().find(refused) {
        Some((name, _)) => Err(SpawnError::Variable(name.chars().filter(|c| !c.is_control()).take(80).collect())),
        None => Ok(()),
    }
}

/// Reads a plan; none if it is not whole, or more than that.
pub(crate) fn decode(bytes: &[u8]) -> Option<Plan> {
    let mut reader = Reader(bytes);
    let program = PathBuf::from(reader.text()?);
    let arguments = reader.many(Reader::text)?;
    let directory = PathBuf::from(reader.text()?);
    let environment = reader.many(|reader| Some((reader.text()?, reader.text()?)))?;
    let limits = Limits {
        memory_bytes: reader.number()?,
        processes: reader.number()?,
        open_files: reader.number()?,
        file_bytes: reader.number()?,
        cpu_seconds: Some(reader.number()?).filter(|&seconds| seconds != u64::MAX),
    };
    reader.0.is_empty().then_some(Plan { program, arguments, directory, environment, limits })
}

struct Writer {
    bytes: Zeroizing<Vec<u8>>,
}

impl Writer {
    /// A writer that never grows its buffer: growing would leave copies of secrets behind.
    fn with_room_for(arguments: &[String], environment: &[(&str, &str)]) -> Result<Self, SpawnError> {
        let of_arguments = arguments.iter().map(|argument| argument.len() + 8).sum::<usize>();
        let of_environment = environment.iter().map(|(name, value)| name.len() + value.len() + 16).sum::<usize>();
        let bytes = of_arguments + of_environment;
        if bytes > LOCAL_PLAN_BYTES_MAX {
            return Err(SpawnError::TooLarge { bytes });
        }
        Ok(Self { bytes: Zeroizing::new(Vec::with_capacity(bytes + REST_BYTES)) })
    }

    fn number(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    fn text(&mut self, text: &OsStr) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }
}

/// Bytes for all that is neither an argument nor a variable: two paths and some numbers.
const REST_BYTES: usize = 16 * 1024;

/// Bytes a plan may have on the control socket.
pub(crate) const PLAN_BYTES_MAX: usize = LOCAL_PLAN_BYTES_MAX + REST_BYTES;

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    fn text(&mut self) -> Option<OsString> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(OsString::from_vec(text.to_owned()))
    }

    fn many<T>(&mut self, one: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()?;
        (0..count).map(|_| one(self)).collect()
    }
}

#[cfg(test)]
mod tests;
