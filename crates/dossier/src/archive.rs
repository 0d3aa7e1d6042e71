//! Unpacking what nobody trusts, into memory and never to a disk.
//!
//! Nothing in a package chooses where something is written, because nothing is written: a path that leads elsewhere, a
//! link or a device is an [`Oddity`] for people to read, and is not followed. What an archive says of its own sizes is not
//! believed; what comes out of it is counted, and the first byte beyond a limit ends it.

mod folder;
pub(crate) mod tar;
mod zip;
pub(crate) mod zstd;

use std::collections::BTreeMap;
use std::io::{self, Read};

use model::limits;

use crate::rules::Severity;

/// What a package holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// The files, by their path within the package.
    pub files: BTreeMap<String, File>,
    /// What an honest package would not have.
    pub oddities: Vec<Oddity>,
    /// Bytes of all files together.
    pub bytes: u64,
}

/// A file of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// Its bytes.
    pub bytes: u64,
    /// What it says; none where it is larger than what is read.
    pub content: Option<Vec<u8>>,
}

/// What an honest package would not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Oddity {
    /// A path that leads out of the package.
    Outside(String),
    /// A link, with what it leads to.
    Link(String, String),
    /// A device, a pipe, or something else that is no file.
    NoFile(String),
    /// Two files at one path: readers differ in which of them they take.
    Twice(String),
    /// A name with characters that are not seen or look like something else.
    HiddenName(String),
    /// An entry whose content is enciphered.
    Enciphered(String),
}

impl Oddity {
    /// How bad it is.
    pub(crate) fn severity(&self) -> Severity {
        match self {
            Self::Outside(_) => Severity::Critical,
            Self::Link(_, to) if !to.starts_with(['/', '\\']) && !to.contains("..") => Severity::Low,
            Self::Link(..) | Self::NoFile(_) | Self::Twice(_) | Self::HiddenName(_) | Self::Enciphered(_) => {
                Severity::High
            }
        }
    }
}

/// Why a package was not unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// It is larger than what is read.
    #[error("it has more than {} bytes", .0)]
    TooLarge(u64),
    /// What it holds is larger than what is read.
    #[error("unpacked it has more than {} bytes", .0)]
    Bomb(u64),
    /// It holds too many files.
    #[error("it holds more than {} files", .0)]
    TooMany(usize),
    /// It is not what it seems to be.
    #[error("it is malformed: {0}")]
    Malformed(&'static str),
    /// It is of no known form.
    #[error("it is no archive of a known form: a .tgz, .whl, .tar.gz, .mcpb, .zip or .crate, or an image's .tar")]
    Unknown,
}

/// What a package may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the archive.
    pub archive: u64,
    /// Bytes of all files together.
    pub unpacked: u64,
    /// Bytes of a file that is read.
    pub file: u64,
    /// Bytes of all files that are read.
    pub kept: u64,
    /// Files, and whatever else there is.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            archive: limits::PACKAGE_BYTES_MAX,
            unpacked: limits::PACKAGE_UNPACKED_BYTES_MAX,
            file: limits::PACKAGE_FILE_BYTES_READ,
            kept: limits::PACKAGE_BYTES_READ,
            entries: limits::PACKAGE_ENTRIES_MAX,
        }
    }
}

/// Unpacks an archive of any known form.
///
/// # Errors
/// When it is beyond a limit, malformed or of no known form.
pub fn unpacked(bytes: &[u8], limits: Limits) -> Result<Contents, ArchiveError> {
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limits.archive) {
        return Err(ArchiveError::TooLarge(limits.archive));
    }
    // What a signature behind a zip says is no part of the zip.
    let (bytes, _) = crate::provenance::split(bytes);
    let mut collector = Collector::new(limits);
    if bytes.starts_with(&[0x1f, 0x8b]) {
        tar::read(flate2::read::MultiGzDecoder::new(bytes), &mut collector)?;
    } else if zip::is_one(bytes) {
        zip::read(bytes, &mut collector)?;
    } else {
        return Err(ArchiveError::Unknown);
    }
    Ok(collector.contents)
}

/// A folder on a disk, as whoever knows the disk lists it: for each thing its path, and how to read it.
pub use folder::{Entry, of_folder};
pub use tar::is_one as is_tar;
pub(crate) use zip::each;

/// What was unpacked so far, and what may still come.
struct Collector {
    limits: Limits,
    entries: usize,
    kept: u64,
    contents: Contents,
}

impl Collector {
    fn new(limits: Limits) -> Self {
        Self { limits, entries: 0, kept: 0, contents: Contents::default() }
    }

    /// Counts one more thing.
    fn count(&mut self) -> Result<(), ArchiveError> {
        self.entries += 1;
        if self.entries > self.limits.entries { Err(ArchiveError::TooMany(self.limits.entries)) } else { Ok(()) }
    }

    /// Notes an oddity; beyond a number, only in the place of one that is less bad.
    fn odd(&mut self, oddity: Oddity) {
        let oddities = &mut self.contents.oddities;
        if oddities.len() < limits::PACKAGE_ODDITIES_MAX {
            oddities.push(oddity);
        } else if let Some(least) = oddities.iter_mut().min_by_key(|one| one.severity())
            && least.severity() < oddity.severity()
        {
            *least = oddity;
        }
    }

    /// Takes a file. Its content is read to its end, to be counted.
    fn file(&mut self, path: &str, content: &mut dyn Read) -> Result<(), ArchiveError> {
        let (bytes, content) = self.drained(content)?;
        let Some(clean) = inside(path) else {
            self.odd(Oddity::Outside(path.to_owned()));
            return Ok(());
        };
        if clean.is_empty() {
            return Ok(());
        }
        if has_hidden(&clean) {
            self.odd(Oddity::HiddenName(clean.clone()));
        }
        if self.contents.files.contains_key(&clean) {
            self.odd(Oddity::Twice(clean.clone()));
        }
        self.contents.files.insert(clean, File { bytes, content });
        Ok(())
    }

    /// Reads to the end; gives the number of bytes, and what was read where that is to be kept.
    fn drained(&mut self, content: &mut dyn Read) -> Result<(u64, Option<Vec<u8>>), ArchiveError> {
        let mut bytes = 0_u64;
        let mut kept = Some(Vec::new());
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Err(ArchiveError::Malformed("its content is damaged or ends early")),
            };
            let more = u64::try_from(read).unwrap_or(u64::MAX);
            bytes = bytes.saturating_add(more);
            self.contents.bytes = self.contents.bytes.saturating_add(more);
            if self.contents.bytes > self.limits.unpacked {
                return Err(ArchiveError::Bomb(self.limits.unpacked));
            }
            if bytes > self.limits.file || self.kept.saturating_add(bytes) > self.limits.kept {
                kept = None;
            }
            if let (Some(kept), Some(read)) = (&mut kept, buffer.get(..read)) {
                kept.extend_from_slice(read);
            }
        }
        if kept.is_some() {
            self.kept = self.kept.saturating_add(bytes);
        }
        Ok((bytes, kept))
    }
}

/// A path within the package, without detours; `None` if it leads out of it, wherever somebody would unpack it.
pub(crate) fn inside(path: &str) -> Option<String> {
    if path.len() > limits::PACKAGE_PATH_BYTES_MAX || path.chars().any(char::is_control) {
        return None;
    }
    // A drive of Windows, a share, a root: none is within anything.
    let absolute = path.starts_with(['/', '\\']) || path.get(1..2) == Some(":");
    let parts: Vec<&str> = path.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").collect();
    if absolute || parts.contains(&"..") || parts.len() > limits::PACKAGE_DEPTH_MAX {
        return None;
    }
    Some(parts.join("/"))
}

/// Whether a text has characters that change how it is seen without being seen.
pub(crate) fn has_hidden(text: &str) -> bool {
    text.chars().any(is_hidden)
}

/// Marks of direction, characters without width, tags, and what else is there and is not seen.
pub(crate) fn is_hidden(letter: char) -> bool {
    matches!(
        letter,
        '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}'
            | '\u{00ad}'
            | '\u{180e}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

#[cfg(test)]
mod tests;
