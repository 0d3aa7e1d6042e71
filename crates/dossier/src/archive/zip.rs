//! Zip, as wheels and MCP bundles have it. Strict: the directory at its end and the headers before each file must say the
//! same, because readers differ in which of them they believe.

use flate2::read::DeflateDecoder;

use super::{ArchiveError, Collector, Oddity};

const END: &[u8] = b"PK\x05\x06";
const ENTRY: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";
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

/// Reads one entry of the directory, and gives where the next begins.
fn entry(bytes: &[u8], at: usize, collector: &mut Collector) -> Result<usize, ArchiveError> {
    if bytes.get(at..at + ENTRY.len()) != Some(ENTRY) {
        return Err(ArchiveError::Malformed("its directory is damaged"));
    }
    let flags = u16_at(bytes, at + 8)?;
    let method = u16_at(bytes, at + 10)?;
    let packed = place(u32_at(bytes, at + 20)?)?;
    let size = u64::from(u32_at(bytes, at + 24)?);
    let name_length = usize::from(u16_at(bytes, at + 28)?);
    let rest = usize::from(u16_at(bytes, at + 30)?) + usize::from(u16_at(bytes, at + 32)?);
    let attributes = u32_at(bytes, at + 38)? >> 16;
    let local = place(u32_at(bytes, at + 42)?)?;
    let name = slice(bytes, at + ENTRY_BYTES, name_length)?;
    let next = at + ENTRY_BYTES + name_length + rest;
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
