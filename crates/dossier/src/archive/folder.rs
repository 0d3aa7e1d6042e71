//! A package that is unpacked already. Whoever knows the disk gives what lies there; it is held to the same limits.

use std::io::Read;

use super::{ArchiveError, Collector, Contents, Limits, Oddity};

/// One thing in a folder, by its path within.
pub enum Entry<'a> {
    /// A file, and its content.
    File(String, &'a mut dyn Read),
    /// A link, and what it leads to.
    Link(String, String),
    /// Something else.
    NoFile(String),
}

/// Takes what lies in a folder. `visit` is called with a function that takes one thing after the other, and ends when that
/// refuses one.
///
/// # Errors
/// When it is beyond a limit.
pub fn of_folder(
    limits: Limits,
    visit: impl FnOnce(&mut dyn FnMut(Entry<'_>) -> Result<(), ArchiveError>) -> Result<(), ArchiveError>,
) -> Result<Contents, ArchiveError> {
    let mut collector = Collector::new(limits);
    visit(&mut |entry| {
        collector.count()?;
        match entry {
            Entry::File(path, content) => collector.file(&path, content),
            Entry::Link(path, to) => {
                collector.odd(Oddity::Link(path, to));
                Ok(())
            }
            Entry::NoFile(path) => {
                collector.odd(Oddity::NoFile(path));
                Ok(())
            }
        }
    })?;
    Ok(collector.contents)
}
