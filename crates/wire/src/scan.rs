//! Finding a byte, eight at a time and in long texts 64 at a time, without `unsafe`.
//!
//! Most bytes of a message stand inside strings, so how fast the next quote is found is how fast a message is read.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Bytes that are looked at together once a string is known to be long: what a compiler makes vector instructions of.
const BLOCK: usize = 64;

/// Where the plain part of a JSON string that goes on at `from` ends: at a quote, a backslash, a control character, or
/// the end of the bytes.
pub(crate) fn string_stop(bytes: &[u8], from: usize) -> usize {
    let marks = |word| equal(word, b'"') | equal(word, b'\\') | below(word, b' ');
    let near = bytes.len().min(from.saturating_add(BLOCK));
    let at = find(bytes.get(..near).unwrap_or(bytes), from, marks);
    if at < near {
        return at;
    }
    let (blocks, _) = bytes.get(near..).unwrap_or_default().as_chunks::<BLOCK>();
    let is_plain = |block: &&[u8; BLOCK]| {
        !block.iter().fold(false, |stops, &byte| stops | (byte == b'"') | (byte == b'\\') | (byte < b' '))
    };
    find(bytes, near + BLOCK * blocks.iter().take_while(is_plain).count(), marks)
}

/// Where the line that goes on at `from` ends: at a carriage return, a line feed, or the end of the bytes.
pub(crate) fn line_stop(bytes: &[u8], from: usize) -> usize {
    find(bytes, from, |word| equal(word, b'\n') | equal(word, b'\r'))
}

/// Where the next line feed at or after `from` stands, or the end of the bytes.
pub(crate) fn line_feed(bytes: &[u8], from: usize) -> usize {
    find(bytes, from, |word| equal(word, b'\n'))
}

/// The first place at or after `from` that `marks` marks, or the end. A mark is the high bit of its byte; only the
/// lowest one has to be exact, because only it is looked at.
fn find(bytes: &[u8], from: usize, marks: impl Fn(u64) -> u64) -> usize {
    let mut at = from;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let marked = marks(u64::from_le_bytes(*chunk));
        if marked != 0 {
            return at + (marked.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    // Fewer than eight are left: each is tried alone, in the lowest place, which is exact.
    let found = rest.iter().position(|&byte| marks(u64::from(byte)) & 0x80 != 0);
    found.map_or(bytes.len(), |place| at + place)
}

/// Marks the bytes of `word` that equal `byte`. Above a marked byte there may be false marks, never below.
fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (ONES * u64::from(byte)), 1)
}

/// Marks the bytes of `word` that are less than `limit`, which is at most 128. Same caveat.
fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGHS
}

#[cfg(test)]
mod tests;
