//! How records lie in a segment file: `u32 crc32c | u32 length | entry`, numbers little-endian. The checksum covers the
//! length as well, and no record is empty, so neither a run of zeros nor a damaged length passes for a record.
//!
//! A segment that is being written ends in zeros, which its next records will replace (see `disk.rs`). They are no
//! part of it: its records end where the last byte that is not zero does, and no record's last byte is zero. What stands
//! between the last whole record and that byte, zeros included, is torn or damaged: a crash may have kept the later
//! pages of a write and lost the earlier.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use model::limits::RECORD_BYTES_MAX;

/// Bytes before each entry.
pub(crate) const HEADER_BYTES: usize = 8;
/// Bytes read from a segment at once.
const CHUNK_BYTES: usize = 1024 * 1024;

/// Appends a frame around the bytes that `write` appends. On an error `out` is as it was.
pub(crate) fn seal<E>(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    if let Err(error) = write(out) {
        out.truncate(start);
        return Err(error);
    }
    if let Some((header, entry)) = out.get_mut(start..).and_then(|frame| frame.split_first_chunk_mut::<HEADER_BYTES>())
    {
        *header = header_of(entry);
    }
    Ok(())
}

fn header_of(entry: &[u8]) -> [u8; HEADER_BYTES] {
    // INVARIANT: `Record::encode` makes no entry of more than `RECORD_BYTES_MAX` bytes.
    let length = u32::try_from(entry.len()).unwrap_or(u32::MAX).to_le_bytes();
    let crc = crc32c::crc32c_append(crc32c::crc32c(&length), entry).to_le_bytes();
    let ([a, b, c, d], [e, f, g, h]) = (crc, length);
    [a, b, c, d, e, f, g, h]
}

/// What stands at a place where a frame should.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// A whole record, and the frame it lies in.
    Entry { frame: &'a [u8], entry: &'a [u8] },
    /// The bytes end within the frame.
    Short,
    /// The length cannot be one. Zeros are such a length.
    BadLength,
    /// A record's length, but its bytes are not those that were written.
    BadChecksum(&'a [u8]),
}

/// Reads the frame at the start of `bytes`.
pub(crate) fn read(bytes: &[u8]) -> Frame<'_> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else { return Frame::Short };
    let [_, _, _, _, length @ ..] = *header;
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length == 0 || length > RECORD_BYTES_MAX {
        return Frame::BadLength;
    }
    let Some((entry, frame)) = rest.get(..length).zip(bytes.get(..HEADER_BYTES + length)) else {
        return Frame::Short;
    };
    if header_of(entry) == *header { Frame::Entry { frame, entry } } else { Frame::BadChecksum(entry) }
}

/// The frames of one segment file, in order.
pub(crate) struct Frames {
    file: File,
    buffer: Vec<u8>,
    /// Where in the buffer the next frame begins.
    start: usize,
    /// Where in the file the next frame begins.
    offset: u64,
    /// Whether the file has been read to its end.
    ended: bool,
}

/// What [`Frames::advance`] found, with its offset in the file.
pub(crate) struct Found<'a> {
    pub(crate) offset: u64,
    pub(crate) frame: Frame<'a>,
}

impl Frames {
    /// The frames of `file` from its present position on, which is at `offset`.
    pub(crate) fn new(file: File, offset: u64) -> Self {
        Self { file, buffer: Vec::with_capacity(2 * CHUNK_BYTES), start: 0, offset, ended: false }
    }

    /// The next frame, or what stands in its place; `None` at the end of the file. After `Short` or `BadLength`
    /// there is no telling where the next frame would be: ask no more.
    pub(crate) fn advance(&mut self) -> io::Result<Option<Found<'_>>> {
        if !self.ended && self.buffer.len() - self.start < HEADER_BYTES + RECORD_BYTES_MAX {
            self.fill()?;
        }
        let bytes = self.buffer.get(self.start..).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(None);
        }
        let offset = self.offset;
        let frame = read(bytes);
        if let Frame::Entry { entry, .. } | Frame::BadChecksum(entry) = &frame {
            let taken = HEADER_BYTES + entry.len();
            self.start += taken;
            self.offset += u64::try_from(taken).unwrap_or_default();
        }
        Ok(Some(Found { offset, frame }))
    }

    /// Where the last byte that is not zero ends; `offset` when there is none from there on.
    pub(crate) fn written_end(&self, offset: u64) -> io::Result<u64> {
        let mut buffer = vec![0; CHUNK_BYTES];
        let (mut at, mut end) = (offset, offset);
        loop {
            let read = match self.file.read_at(&mut buffer, at) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let bytes = buffer.get(..read).unwrap_or_default();
            if bytes.is_empty() {
                return Ok(end);
            }
            if let Some(last) = bytes.iter().rposition(|&byte| byte != 0) {
                end = at + u64::try_from(last + 1).unwrap_or_default();
            }
            at += u64::try_from(read).unwrap_or_default();
        }
    }

    /// Reads on, keeping what is not consumed yet.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let limit = u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX);
        // Fewer bytes than asked for mean the end: `read_to_end` on a limited reader retries short reads.
        let read = self.file.by_ref().take(limit).read_to_end(&mut self.buffer)?;
        self.ended = read < CHUNK_BYTES;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
