//! The archive of an image, read in one run: small files are kept, layers are read as they come, all are digested.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};

use aws_lc_rs::digest::{Context, SHA256};
use flate2::read::MultiGzDecoder;
use model::limits;

use super::layer::Layer;
use crate::archive::tar::{self, Entry, Kind};
use crate::archive::{ArchiveError, inside, zstd};

/// What an image may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Bytes that are read: of the archive, and again of what is unpacked of it.
    pub(crate) bytes: u64,
    /// Files, and whatever else there is in the layers.
    pub(crate) entries: usize,
    /// Files that are read, and what layers take away.
    pub(crate) files: usize,
    /// Bytes of a file that is read.
    pub(crate) file: u64,
    /// Bytes of a list of packages.
    pub(crate) list: u64,
    /// Bytes of all that is kept.
    pub(crate) kept: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: limits::IMAGE_BYTES_MAX,
            entries: limits::IMAGE_ENTRIES_MAX,
            files: limits::IMAGE_FILES_MAX,
            file: limits::PACKAGE_FILE_BYTES_READ,
            list: limits::IMAGE_LIST_BYTES_READ,
            kept: limits::PACKAGE_BYTES_READ,
        }
    }
}

/// What may still come, of everything together.
pub(super) struct Left {
    pub(super) limits: Limits,
    pub(super) bytes: Cell<u64>,
    pub(super) entries: Cell<usize>,
    pub(super) files: Cell<usize>,
    pub(super) kept: Cell<u64>,
}

impl Left {
    /// Counts one more thing.
    pub(super) fn entry(&self) -> Result<(), ArchiveError> {
        let left = self.entries.get().checked_sub(1).ok_or(ArchiveError::TooMany(self.limits.entries))?;
        self.entries.set(left);
        Ok(())
    }

    /// Counts one more path that is kept.
    pub(super) fn file(&self) -> Result<(), ArchiveError> {
        let left = self.files.get().checked_sub(1).ok_or(ArchiveError::TooMany(self.limits.files))?;
        self.files.set(left);
        Ok(())
    }

    /// Reads to the end; gives the number of bytes, and what was read where that is no more than `most` and is to be kept.
    pub(super) fn drained(&self, content: &mut dyn Read, most: u64) -> Result<(u64, Option<Vec<u8>>), ArchiveError> {
        let most = most.min(self.kept.get());
        let mut kept = Vec::new();
        let damaged = |_| ArchiveError::Malformed("its content is damaged or ends early");
        content.take(most.saturating_add(1)).read_to_end(&mut kept).map_err(damaged)?;
        let bytes = u64::try_from(kept.len()).unwrap_or(u64::MAX);
        if bytes > most {
            let more = io::copy(content, &mut io::sink()).map_err(damaged)?;
            return Ok((bytes.saturating_add(more), None));
        }
        self.kept.set(self.kept.get().saturating_sub(bytes));
        Ok((bytes, Some(kept)))
    }
}

/// A file of the archive.
pub(super) struct Blob {
    pub(super) digest: String,
    pub(super) bytes: u64,
    pub(super) what: What,
}

/// What a file of the archive is.
pub(super) enum What {
    /// Something small, kept as it is.
    Text(Vec<u8>),
    /// A layer.
    Layer(Box<Layer>),
    /// Something that is not read, and why.
    Unread(&'static str),
}

/// An archive that was read.
pub(super) struct Archive {
    blobs: BTreeMap<String, Blob>,
    /// Old versions of Docker have links in place of layers that come twice.
    links: BTreeMap<String, String>,
    /// Bytes that were read.
    pub(super) bytes: u64,
    /// Files in all layers.
    pub(super) files: usize,
}

impl Archive {
    /// The file at a path; of a link, what it leads to.
    pub(super) fn at(&self, path: &str) -> Option<&Blob> {
        let at = |path: &str| self.blobs.get(path);
        at(path).or_else(|| at(self.links.get(path)?))
    }

    /// The small file at a path.
    pub(super) fn text(&self, path: &str) -> Option<&[u8]> {
        match &self.at(path)?.what {
            What::Text(text) => Some(text),
            What::Layer(_) | What::Unread(_) => None,
        }
    }
}

/// Reads an archive to its end.
pub(super) fn read(source: impl Read, limits: Limits) -> Result<Archive, ArchiveError> {
    let left = Left {
        limits,
        bytes: Cell::new(limits.bytes),
        entries: Cell::new(limits.entries),
        files: Cell::new(limits.files),
        kept: Cell::new(limits.kept),
    };
    let mut archive = Archive { blobs: BTreeMap::new(), links: BTreeMap::new(), bytes: 0, files: 0 };
    let read = tar::each(Counted { source, left: &left }, &mut |entry| {
        let Some(Entry { path, kind, content }) = entry else { return left.entry() };
        let Some(path) = inside(&path) else {
            return Err(ArchiveError::Malformed("a path in it leads out of it"));
        };
        match kind {
            Kind::File => {
                left.file()?;
                let (blob, files) = blob(content, &left)?;
                archive.files += files;
                if archive.blobs.insert(path, blob).is_some() {
                    return Err(ArchiveError::Malformed("it has two files at one path"));
                }
            }
            Kind::Link(to) => {
                left.file()?;
                archive.links.insert(path.clone(), beside(&path, &to));
            }
            Kind::Folder => {}
            Kind::Other => return Err(ArchiveError::Malformed("it has a device or the like in it")),
        }
        Ok(())
    });
    archive.bytes = limits.bytes - left.bytes.get();
    match read {
        Err(_) if left.bytes.get() == 0 => Err(ArchiveError::Bomb(limits.bytes)),
        read => read.map(|()| archive),
    }
}

/// What a link leads to: `../x/layer.tar`, from the folder it lies in.
fn beside(path: &str, to: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in to.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Reads one file, and how many files are in it if it is a layer.
fn blob(content: &mut dyn Read, left: &Left) -> Result<(Blob, usize), ArchiveError> {
    let mut content = Digested::new(content);
    let mut begin = Vec::new();
    let damaged = |_| ArchiveError::Malformed("its content is damaged or ends early");
    (&mut content).take(512).read_to_end(&mut begin).map_err(damaged)?;
    let mut files = 0;
    let what = {
        let mut whole = Cursor::new(begin.clone()).chain(&mut content);
        if tar::is_one(&begin) {
            What::Layer(Box::new(Layer::read(&mut whole, left, &mut files)?))
        } else if begin.starts_with(&[0x1f, 0x8b]) {
            What::Layer(Box::new(Layer::read(MultiGzDecoder::new(&mut whole), left, &mut files)?))
        } else if begin.starts_with(&zstd::MAGIC) {
            What::Layer(Box::new(Layer::read(zstd::Unpacked::new(&mut whole), left, &mut files)?))
        } else {
            match left.drained(&mut whole, left.limits.file)?.1 {
                Some(text) => What::Text(text),
                None => What::Unread("a file is neither a layer nor small"),
            }
        }
    };
    io::copy(&mut content, &mut io::sink()).map_err(damaged)?;
    let (digest, bytes) = content.done();
    Ok((Blob { digest, bytes, what }, files))
}

/// A source whose bytes are digested on the way.
pub(super) struct Digested<R> {
    source: R,
    context: Context,
    bytes: u64,
}

impl<R> Digested<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, context: Context::new(&SHA256), bytes: 0 }
    }

    /// The digest, as registries write it, and how many bytes there were.
    pub(super) fn done(self) -> (String, u64) {
        let digest = self.context.finish();
        let hexadecimal: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        (format!("sha256:{hexadecimal}"), self.bytes)
    }
}

impl<R: Read> Read for Digested<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.context.update(buffer.get(..read).unwrap_or_default());
        self.bytes = self.bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

/// A source that takes its bytes from what may still come, and fails when that is used up.
pub(super) struct Counted<'a, R> {
    pub(super) source: R,
    pub(super) left: &'a Left,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        let left = self.left.bytes.get().checked_sub(u64::try_from(read).unwrap_or(u64::MAX));
        self.left.bytes.set(left.unwrap_or(0));
        left.map(|_| read).ok_or_else(|| io::Error::other("it is too large"))
    }
}
