//! Files that only their owner can read: whole, or not there.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Writes a file that only its owner can read. It is made anew beside its place and renamed into it, so that whoever put one
/// there first does not choose its readers, and a crash at any moment leaves it whole or as it was; once this returns, it is
/// there after a power loss, too.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(file: &Path, content: &[u8]) -> std::io::Result<()> {
    let beside = file.with_added_extension("new");
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    made.write_all(content)?;
    made.sync_all()?;
    std::fs::rename(&beside, file)?;
    // The name, too, has to be on the disk: what is sealed under a key must not outlive it.
    match file.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => File::open(directory)?.sync_all(),
        Some(_) | None => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests;
