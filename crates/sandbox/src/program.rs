//! Which file is the program, and is all there that a start takes?
//!
//! Looked at by the gate before anything is started, so that the usual mistakes are told in words.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use crate::SpawnError;

/// Where a bare name is looked up if the command has no `PATH` of its own.
pub(crate) const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The directory that a command runs in.
pub(crate) fn directory(named: Option<&Path>) -> Result<PathBuf, SpawnError> {
    let Some(directory) = named else { return Ok(PathBuf::from("/")) };
    if !directory.is_absolute() {
        return Err(SpawnError::DirectoryRelative(directory.to_owned()));
    }
    if !directory.is_dir() {
        return Err(SpawnError::DirectoryMissing(directory.to_owned()));
    }
    Ok(directory.to_owned())
}

/// The file that `program` means, for a command that runs in `directory` with `search` as its `PATH`.
pub(crate) fn file(program: &Path, directory: &Path, search: Option<&str>) -> Result<PathBuf, SpawnError> {
    let is_bare = !program.as_os_str().as_bytes().contains(&b'/');
    if is_bare {
        return found(program.as_os_str(), search.unwrap_or(DEFAULT_PATH));
    }
    let path = directory.join(program);
    if !path.exists() {
        return Err(SpawnError::ProgramMissing(path));
    }
    if is_executable(&path) { Ok(path) } else { Err(SpawnError::NotExecutable(path)) }
}

/// The first executable file of this name. Relative entries are passed over: they would mean another directory each time.
fn found(name: &OsStr, search: &str) -> Result<PathBuf, SpawnError> {
    let directories = search.split(':').map(Path::new).filter(|directory| directory.is_absolute());
    let candidate = directories.map(|directory| directory.join(name)).find(|path| is_executable(path));
    candidate.filter(|_| !name.is_empty()).ok_or_else(|| SpawnError::ProgramNotFound {
        program: name.to_string_lossy().into_owned(),
        searched: format!("`{search}`"),
    })
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests;
