//! Tar, as npm, the Python Package Index and crates.io have it within gzip, and as container images are made of it.

use std::io::Read;

use model::limits;
use tar::Archive;

use super::{ArchiveError, Collector, Oddity};

const DAMAGED: ArchiveError = ArchiveError::Malformed("its tar is damaged or ends early");
const UNCLEAR: ArchiveError = ArchiveError::Malformed("its tar says of a file what readers read differently");

/// Where a header says that it is one.
const MAGIC_AT: usize = 257;

/// What entries before an entry say of it.
#[derive(Default)]
struct Ahead {
    path: Option<String>,
    link: Option<String>,
    size: Option<String>,
}

/// An entry of a tar, with what entries before it say of it.
pub(crate) struct Entry<'a> {
    pub(crate) path: String,
    pub(crate) kind: Kind,
    pub(crate) content: &'a mut dyn Read,
}

/// What an entry is.
pub(crate) enum Kind {
    File,
    Folder,
    /// A link, and what it leads to.
    Link(String),
    /// A device, a pipe, or something else that is no file.
    Other,
}

/// Reads every entry of a package.
pub(super) fn read(source: impl Read, collector: &mut Collector) -> Result<(), ArchiveError> {
    let most = allowance(collector.limits.unpacked, collector.limits.entries);
    let read = each(Bounded { source, left: most }, &mut |entry| {
        let Some(Entry { path, kind, content }) = entry else { return collector.count() };
        match kind {
            Kind::File => collector.file(&path, content)?,
            Kind::Link(to) => collector.odd(Oddity::Link(path, to)),
            Kind::Other => collector.odd(Oddity::NoFile(path)),
            Kind::Folder => {}
        }
        Ok(())
    });
    match read {
        Err(DAMAGED) if collector.contents.bytes >= collector.limits.unpacked => {
            Err(ArchiveError::Bomb(collector.limits.unpacked))
        }
        read => read,
    }
}

/// Whether some bytes are the beginning of a tar.
pub fn is_one(begin: &[u8]) -> bool {
    begin.get(MAGIC_AT..).is_some_and(|rest| rest.starts_with(b"ustar"))
}

/// Gives each entry to `take`, and before it `None`, once for each header: some of them only say something of the next. Names
/// that stand in entries of their own are read here and not by the library, which would read as much as they say.
pub(crate) fn each(
    source: impl Read,
    take: &mut dyn FnMut(Option<Entry<'_>>) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let mut archive = Archive::new(source);
    let mut ahead = Ahead::default();
    for entry in archive.entries().map_err(|_| DAMAGED)?.raw(true) {
        let mut entry = entry.map_err(|_| DAMAGED)?;
        take(None)?;
        let kind = entry.header().entry_type();
        if ahead.size.take().is_some_and(|size| size != entry.size().to_string()) {
            return Err(ArchiveError::Malformed("a file has two sizes"));
        }
        if kind.is_gnu_sparse() {
            return Err(UNCLEAR);
        }
        if kind.is_gnu_longname() {
            ahead.path = Some(short_text(&mut entry)?);
        } else if kind.is_gnu_longlink() {
            ahead.link = Some(short_text(&mut entry)?);
        } else if kind.is_pax_local_extensions() {
            extended(&short(&mut entry)?, &mut ahead)?;
        } else if kind.is_pax_global_extensions() {
            let mut all = Ahead::default();
            extended(&short(&mut entry)?, &mut all)?;
            if all.path.is_some() || all.link.is_some() || all.size.is_some() {
                return Err(ArchiveError::Malformed("its tar gives all files one name or one size"));
            }
        } else {
            let own = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let path = ahead.path.take().unwrap_or(own);
            let link = entry.link_name_bytes().map(|link| String::from_utf8_lossy(&link).into_owned());
            let link = ahead.link.take().or(link);
            let kind = if kind.is_file() || kind.is_contiguous() {
                Kind::File
            } else if kind.is_symlink() || kind.is_hard_link() {
                Kind::Link(link.unwrap_or_default())
            } else if kind.is_dir() {
                Kind::Folder
            } else {
                Kind::Other
            };
            take(Some(Entry { path, kind, content: &mut entry }))?;
        }
    }
    Ok(())
}

/// Bytes that may come: the files, and a header and a filling for each.
fn allowance(unpacked: u64, entries: usize) -> u64 {
    let entries = u64::try_from(entries).unwrap_or(u64::MAX);
    unpacked.saturating_add(entries.saturating_mul(1024)).saturating_add(1024 * 1024)
}

/// What an entry says that is a name.
fn short_text(entry: &mut impl Read) -> Result<String, ArchiveError> {
    Ok(String::from_utf8_lossy(&short(entry)?).into_owned())
}

/// What an entry says that is a name or some of them, without the zeros at its end.
fn short(entry: &mut impl Read) -> Result<Vec<u8>, ArchiveError> {
    let most = u64::try_from(limits::PACKAGE_PATH_BYTES_MAX).unwrap_or(u64::MAX).saturating_mul(16);
    let mut bytes = Vec::new();
    entry.take(most + 1).read_to_end(&mut bytes).map_err(|_| DAMAGED)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > most) {
        return Err(ArchiveError::Malformed("a name in its tar is too long"));
    }
    while bytes.pop_if(|byte| *byte == 0).is_some() {}
    Ok(bytes)
}

/// `LENGTH KEY=VALUE\n`, again and again. There are readers that go by the length and readers that go by lines, such that
/// take the first of two values and such that take the last: where they would differ, it is refused.
fn extended(mut text: &[u8], ahead: &mut Ahead) -> Result<(), ArchiveError> {
    while !text.is_empty() {
        let (pair, rest) = record(text).ok_or(DAMAGED)?;
        text = rest;
        if pair.contains(&b'\n') && pair.windows(5).any(|window| matches!(window, b"path=" | b"size=")) {
            return Err(UNCLEAR);
        }
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        let (Some(key), Some(value)) = (parts.next(), parts.next()) else { return Err(DAMAGED) };
        let said = match key {
            b"path" => &mut ahead.path,
            b"linkpath" => &mut ahead.link,
            b"size" => &mut ahead.size,
            // Readers that know of files with holes take another name and other content than those that do not.
            _ if key.starts_with(b"GNU.sparse") => return Err(UNCLEAR),
            _ => continue,
        };
        let value = std::str::from_utf8(value).map_err(|_| UNCLEAR)?;
        // Some take an empty one for none, some for a name.
        if value.is_empty() {
            return Err(UNCLEAR);
        }
        if said.replace(value.to_owned()).is_some() {
            return Err(UNCLEAR);
        }
    }
    Ok(())
}

/// The first record's `KEY=VALUE`, and what comes after the record.
fn record(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = text.iter().position(|byte| *byte == b' ')?;
    let digits = std::str::from_utf8(text.get(..space)?).ok()?;
    let length = digits.parse::<usize>().ok().filter(|length| length.to_string() == digits)?;
    let (record, rest) = text.split_at_checked(length)?;
    Some((record.get(space + 1..)?.strip_suffix(b"\n")?, rest))
}

/// A source that ends with an error after a number of bytes.
struct Bounded<R> {
    source: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.left = self
            .left
            .checked_sub(u64::try_from(read).unwrap_or(u64::MAX))
            .ok_or_else(|| std::io::Error::other("it is too large"))?;
        Ok(read)
    }
}
