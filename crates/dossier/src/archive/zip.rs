//! Zip, as wheels and MCP bundles have it. Strict: the directory at its end and the headers before each file must say the
//! same, because readers differ in which of them they believe.

use std::io::Read as _;

use flate2::read::DeflateDecoder;

use super::{ArchiveError, Collector, Limits, Oddity};

const END: &[u8] = b"PK\x05\x06";
const ENTRY: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";
/// Where the end of a directory is that is too large for the usual one, and that end.
const LOCATOR: &[u8] = b"PK\x06\x07";
const LARGE: &[u8] = b"PK\x06\x06";
/// Bytes of the record at the end, without its comment.
const END_BYTES: usize = 22;
const ENTRY_BYTES: usize = 46;
const LOCAL_BYTES: usize = 30;
/// Bytes after the last file in which the record at the end is looked for: the longest comment there can be, and a
/// signature after it, as MCP bundles have.
const TAIL_BYTES: usize = 64 * 1024 + 64 * 1024;
/// What a host of Unix calls a link, in the upper half of the attributes.
const LINK: u32 = 0o120_000;
const KIND: u32 = 0o170_000;

pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(LOCAL) || bytes.starts_with(END)
}

/// Reads every entry of the directory.
pub(super) fn read(bytes: &[u8], collector: &mut Collector) -> Result<(), ArchiveError> {
    let end = end(bytes)?;
    let number = usize::from(u16_at(bytes, end + 10)?);
    if number == 0xffff || u32_at(bytes, end + 16)? == u32::MAX {
        // Zip64 is for what is larger than anything that is read here.
        return Err(ArchiveError::TooMany(collector.limits.entries));
    }
    if u16_at(bytes, end + 8)? != u16_at(bytes, end + 10)? {
        return Err(ArchiveError::Malformed("its end gives two numbers of entries"));
    }
    let mut at = place(u32_at(bytes, end + 16)?)?;
    // Other readers look for the directory by its size, back from the end, and read as far as that goes.
    if at.checked_add(place(u32_at(bytes, end + 12)?)?) != Some(end) {
        return Err(ArchiveError::Malformed("its directory does not reach its end"));
    }
    for _ in 0..number {
        collector.count()?;
        at = entry(bytes, at, collector)?;
    }
    if at != end {
        return Err(ArchiveError::Malformed("its directory holds more or less than its end says"));
    }
    Ok(())
}

/// Where the record at the end is: the last one there is.
fn end(bytes: &[u8]) -> Result<usize, ArchiveError> {
    let from = bytes.len().saturating_sub(TAIL_BYTES);
    let tail = bytes.get(from..).unwrap_or_default();
    let found = tail.windows(END.len()).rposition(|window| window == END);
    let at = found.map(|at| from + at).filter(|at| at + END_BYTES <= bytes.len());
    at.ok_or(ArchiveError::Malformed("its zip has no end"))
}

/// What the directory says of an entry.
struct Record<'a> {
    flags: u16,
    method: u16,
    packed: usize,
    size: u64,
    attributes: u32,
    local: usize,
    name: &'a [u8],
    /// Where the next begins.
    next: usize,
}

fn record(bytes: &[u8], at: usize) -> Result<Record<'_>, ArchiveError> {
    if bytes.get(at..at + ENTRY.len()) != Some(ENTRY) {
        return Err(ArchiveError::Malformed("its directory is damaged"));
    }
    let name_length = usize::from(u16_at(bytes, at + 28)?);
    let rest = usize::from(u16_at(bytes, at + 30)?) + usize::from(u16_at(bytes, at + 32)?);
    Ok(Record {
        flags: u16_at(bytes, at + 8)?,
        method: u16_at(bytes, at + 10)?,
        packed: place(u32_at(bytes, at + 20)?)?,
        size: u64::from(u32_at(bytes, at + 24)?),
        attributes: u32_at(bytes, at + 38)? >> 16,
        local: place(u32_at(bytes, at + 42)?)?,
        name: slice(bytes, at + ENTRY_BYTES, name_length)?,
        next: at + ENTRY_BYTES + name_length + rest,
    })
}

/// Reads one entry of the directory, and gives where the next begins.
fn entry(bytes: &[u8], at: usize, collector: &mut Collector) -> Result<usize, ArchiveError> {
    let Record { flags, method, packed, size, attributes, local, name, next } = record(bytes, at)?;
    let path = String::from_utf8_lossy(name).into_owned();
    if flags & 1 != 0 {
        collector.odd(Oddity::Enciphered(path));
        return Ok(next);
    }
    let data = data(bytes, local, name, packed)?;
    if attributes & KIND == LINK {
        let to = String::from_utf8_lossy(data.get(..data.len().min(256)).unwrap_or_default()).into_owned();
        collector.odd(Oddity::Link(path, to));
        return Ok(next);
    }
    if path.ends_with(['/', '\\']) && packed == 0 {
        return Ok(next);
    }
    let before = collector.contents.bytes;
    match method {
        0 => collector.file(&path, &mut &*data)?,
        8 => collector.file(&path, &mut DeflateDecoder::new(data))?,
        _ => return Err(ArchiveError::Malformed("a file is packed in a way that is not read")),
    }
    if collector.contents.bytes - before != size {
        return Err(ArchiveError::Malformed("a file is not as large as its directory says"));
    }
    Ok(next)
}

/// Gives each file of a large archive to somebody, one after the other. Its directory may be that of zip64; what it holds is
/// somebody's database, and no package.
pub(crate) fn each(bytes: &[u8], limits: Limits, take: &mut dyn FnMut(&str, &[u8])) -> Result<(), ArchiveError> {
    let end = end(bytes)?;
    let (mut at, mut number) = (place(u32_at(bytes, end + 16)?)?, usize::from(u16_at(bytes, end + 10)?));
    let locator = end.checked_sub(20).filter(|at| bytes.get(*at..*at + LOCATOR.len()) == Some(LOCATOR));
    if let Some(locator) = locator {
        let large = wide(u64_at(bytes, locator + 8)?)?;
        if bytes.get(large..large.saturating_add(LARGE.len())) != Some(LARGE) {
            return Err(ArchiveError::Malformed("its zip has no end"));
        }
        (number, at) = (wide(u64_at(bytes, large + 32)?)?, wide(u64_at(bytes, large + 48)?)?);
    }
    if number > limits.entries {
        return Err(ArchiveError::TooMany(limits.entries));
    }
    let mut content = Vec::new();
    for _ in 0..number {
        let Record { flags, method, packed, local, name, next, .. } = record(bytes, at)?;
        at = next;
        let data = data(bytes, local, name, packed)?;
        content.clear();
        let most = limits.file.saturating_add(1);
        let read = match method {
            _ if flags & 1 != 0 => continue,
            0 => (&mut &*data).take(most).read_to_end(&mut content),
            8 => DeflateDecoder::new(data).take(most).read_to_end(&mut content),
            _ => continue,
        };
        read.map_err(|_| ArchiveError::Malformed("its content is damaged or ends early"))?;
        if u64::try_from(content.len()).is_ok_and(|length| length <= limits.file) {
            take(&String::from_utf8_lossy(name), &content);
        }
    }
    Ok(())
}

/// A file's packed bytes, behind the header that must name the same file.
fn data<'a>(bytes: &'a [u8], local: usize, name: &[u8], packed: usize) -> Result<&'a [u8], ArchiveError> {
    if bytes.get(local..local + LOCAL.len()) != Some(LOCAL) {
        return Err(ArchiveError::Malformed("a file is not where its directory says"));
    }
    let name_length = usize::from(u16_at(bytes, local + 26)?);
    let extra = usize::from(u16_at(bytes, local + 28)?);
    if slice(bytes, local + LOCAL_BYTES, name_length)? != name {
        return Err(ArchiveError::Malformed("a file has two names"));
    }
    slice(bytes, local + LOCAL_BYTES + name_length + extra, packed)
}

fn slice(bytes: &[u8], at: usize, length: usize) -> Result<&[u8], ArchiveError> {
    let end = at.checked_add(length);
    end.and_then(|end| bytes.get(at..end)).ok_or(ArchiveError::Malformed("it ends early"))
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, ArchiveError> {
    let [low, high] = *slice(bytes, at, 2)? else { return Err(ArchiveError::Malformed("it ends early")) };
    Ok(u16::from_le_bytes([low, high]))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, ArchiveError> {
    let [a, b, c, d] = *slice(bytes, at, 4)? else { return Err(ArchiveError::Malformed("it ends early")) };
    Ok(u32::from_le_bytes([a, b, c, d]))
}

fn place(number: u32) -> Result<usize, ArchiveError> {
    usize::try_from(number).map_err(|_| ArchiveError::Malformed("it is too large"))
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64, ArchiveError> {
    let eight = slice(bytes, at, 8)?.first_chunk::<8>().ok_or(ArchiveError::Malformed("it ends early"))?;
    Ok(u64::from_le_bytes(*eight))
}

fn wide(number: u64) -> Result<usize, ArchiveError> {
    usize::try_from(number).map_err(|_| ArchiveError::Malformed("it is too large"))
}
