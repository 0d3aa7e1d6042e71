//! Tar, as npm, the Python Package Index and crates.io have it within gzip.

use std::io::Read;

use model::limits;
use tar::Archive;

use super::{ArchiveError, Collector, Oddity};

const DAMAGED: ArchiveError = ArchiveError::Malformed("its tar is damaged or ends early");

/// What entries before an entry say of it.
#[derive(Default)]
struct Ahead {
    path: Option<String>,
    link: Option<String>,
}

/// Reads every entry. Names that stand in entries of their own are read here and not by the library, which would read as
/// much as they say.
pub(super) fn read(source: impl Read, collector: &mut Collector) -> Result<(), ArchiveError> {
    let mut archive = Archive::new(Bounded { source, left: allowance(collector) });
    let mut ahead = Ahead::default();
    for entry in archive.entries().map_err(|_| DAMAGED)?.raw(true) {
        let mut entry = entry.map_err(|_| damaged_or_bomb(collector))?;
        collector.count()?;
        let kind = entry.header().entry_type();
        if kind.is_gnu_longname() {
            ahead.path = Some(short_text(&mut entry)?);
        } else if kind.is_gnu_longlink() {
            ahead.link = Some(short_text(&mut entry)?);
        } else if kind.is_pax_local_extensions() {
            extended(&short_text(&mut entry)?, &mut ahead);
        } else if kind.is_pax_global_extensions() {
            short_text(&mut entry)?;
        } else {
            let own = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let path = ahead.path.take().unwrap_or(own);
            let link = entry.link_name_bytes().map(|link| String::from_utf8_lossy(&link).into_owned());
            let link = ahead.link.take().or(link);
            if kind.is_file() || kind.is_contiguous() {
                collector.file(&path, &mut entry)?;
            } else if kind.is_symlink() || kind.is_hard_link() {
                collector.odd(Oddity::Link(path, link.unwrap_or_default()));
            } else if !kind.is_dir() {
                collector.odd(Oddity::NoFile(path));
            }
        }
    }
    Ok(())
}

/// Bytes that may come: the files, and a header and a filling for each.
fn allowance(collector: &Collector) -> u64 {
    let entries = u64::try_from(collector.limits.entries).unwrap_or(u64::MAX);
    collector.limits.unpacked.saturating_add(entries.saturating_mul(1024)).saturating_add(1024 * 1024)
}

fn damaged_or_bomb(collector: &Collector) -> ArchiveError {
    if collector.contents.bytes >= collector.limits.unpacked {
        ArchiveError::Bomb(collector.limits.unpacked)
    } else {
        DAMAGED
    }
}

/// What an entry says that is a name or some of them.
fn short_text(entry: &mut impl Read) -> Result<String, ArchiveError> {
    let most = u64::try_from(limits::PACKAGE_PATH_BYTES_MAX).unwrap_or(u64::MAX).saturating_mul(16);
    let mut bytes = Vec::new();
    entry.take(most + 1).read_to_end(&mut bytes).map_err(|_| DAMAGED)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > most) {
        return Err(ArchiveError::Malformed("a name in its tar is too long"));
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(text.trim_end_matches('\0').to_owned())
}

/// `LENGTH KEY=VALUE\n`, again and again.
fn extended(text: &str, ahead: &mut Ahead) {
    for line in text.lines() {
        let Some((key, value)) = line.split_once(' ').and_then(|(_, pair)| pair.split_once('=')) else { continue };
        match key {
            "path" => ahead.path = Some(value.to_owned()),
            "linkpath" => ahead.link = Some(value.to_owned()),
            _ => {}
        }
    }
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
