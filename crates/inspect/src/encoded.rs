//! Finds what is encoded in a text, base 64 or hexadecimal, and reads it if it is text.
//!
//! Most long runs of letters are no encoded text: hashes, keys, pictures, paths. A sample of each run tells, so that a
//! picture of megabytes costs a few bytes.

use std::ops::Range;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use model::{Decoding, limits};

/// A piece of text that encodes other text.
pub(crate) struct Piece {
    /// Where it stands.
    pub(crate) range: Range<usize>,
    /// What it says.
    pub(crate) text: String,
    pub(crate) decoding: Decoding,
}

/// All runs of a text in which something could be encoded, in order.
pub(crate) fn runs(text: &str) -> Vec<Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(|| {
        let run = next_run(text, at)?;
        at = run.end;
        Some(run)
    })
    .collect()
}

/// The next run of at least [`limits::ENCODED_CHARS_MIN`] characters that could encode something, from `from` on.
///
/// It looks at every sixteenth byte only, until one could be in such a run.
fn next_run(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut start = from;
    loop {
        let probe = start + limits::ENCODED_CHARS_MIN - 1;
        if !bytes.get(probe).copied().is_some_and(is_inside) {
            if probe >= bytes.len() {
                return None;
            }
            start = probe + 1;
            continue;
        }
        let before = bytes.get(start..probe)?;
        let begins = before.iter().rposition(|byte| !is_inside(*byte)).map_or(start, |last| start + last + 1);
        let rest = bytes.get(probe..)?;
        let ends = rest.iter().position(|byte| !is_inside(*byte)).map_or(bytes.len(), |length| probe + length);
        if ends - begins >= limits::ENCODED_CHARS_MIN {
            return Some(begins..ends);
        }
        start = ends + 1;
    }
}

fn is_inside(byte: u8) -> bool {
    INSIDE.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Which bytes can stand in such a run.
const INSIDE: [bool; 256] = {
    let mut inside = [false; 256];
    let mut rest: &mut [bool] = &mut inside;
    let mut byte = 0_u8;
    while let Some((first, others)) = rest.split_first_mut() {
        *first = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
        rest = others;
        byte = byte.wrapping_add(1);
    }
    inside
};

/// What the run, or a part of it between slashes or dashes, encodes; and where the run ends, lines that continue it
/// included. Bytes that may still be decoded are taken off `room`.
pub(crate) fn read(text: &str, run: Range<usize>, room: &mut usize) -> (Vec<Piece>, usize) {
    let (lines, end) = continued(text, &run);
    if let Some(piece) = whole(text, run.start..end, &lines, room) {
        return (vec![piece], end);
    }
    let mut pieces = between(text, &run, room, |byte| *byte == b'/');
    if pieces.is_empty() {
        pieces = between(text, &run, room, |byte| matches!(byte, b'-' | b'_' | b'/' | b'+'));
    }
    (pieces, end)
}

/// What the parts of a run encode that stand between separators.
fn between(text: &str, run: &Range<usize>, room: &mut usize, separates: impl FnMut(&u8) -> bool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let inside = text.as_bytes().get(run.clone()).unwrap_or_default();
    let mut at = run.start;
    for part in inside.split(separates) {
        let range = at..at + part.len();
        at = range.end + 1;
        if part.len() >= limits::ENCODED_CHARS_MIN
            && part.len() < inside.len()
            && let Some(part) = text.get(range.clone())
        {
            pieces.extend(whole(text, range, part, room));
        }
    }
    pieces
}

/// Characters in a line from which on the next line may continue it (MIME and PEM use 76 and 64).
const WRAPPED_LINE_CHARS_MIN: usize = 60;

/// The run with the lines that continue it, their breaks left out, and where the last one ends.
fn continued<'a>(text: &'a str, run: &Range<usize>) -> (std::borrow::Cow<'a, str>, usize) {
    let first = text.get(run.clone()).unwrap_or_default();
    let mut lines = std::borrow::Cow::Borrowed(first);
    let mut end = run.end;
    if first.len() < WRAPPED_LINE_CHARS_MIN {
        return (lines, end);
    }
    loop {
        let rest = text.get(end..).unwrap_or_default();
        let next = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n'));
        let Some(next) = next else { return (lines, end) };
        let length = next.bytes().position(|byte| !is_inside(byte)).unwrap_or(next.len());
        let Some(line) = next.get(..length).filter(|line| !line.is_empty()) else { return (lines, end) };
        lines.to_mut().push_str(line);
        end += rest.len() - next.len() + length;
        if length < first.len() {
            return (lines, end);
        }
    }
}

fn whole(text: &str, range: Range<usize>, run: &str, room: &mut usize) -> Option<Piece> {
    let digits = run.as_bytes();
    if digits.len().is_multiple_of(2) && digits.iter().all(u8::is_ascii_hexdigit) {
        let sample: Vec<u8> = unhex(digits).take(limits::DECODED_SAMPLE_BYTES).collect();
        if is_text(&sample) {
            let decoded = String::from_utf8(unhex(digits).collect()).ok()?;
            return spend(decoded, range, Decoding::Hex, room);
        }
    }
    let alphabet = if run.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    // Four characters are three bytes; a sample of whole fours decodes by itself.
    let sample = digits.get(..digits.len().min(limits::DECODED_SAMPLE_BYTES / 3 * 4))?;
    let sample = alphabet.decode(sample).ok()?;
    if !is_text(&sample) && wide(&sample).is_none() {
        return None;
    }
    let decoded = alphabet.decode(digits).ok()?;
    let decoded = wide(&decoded).or_else(|| String::from_utf8(decoded).ok())?;
    let padded = text.get(range.end..).map_or(0, |rest| rest.bytes().take(2).take_while(|byte| *byte == b'=').count());
    spend(decoded, range.start..range.end + padded, Decoding::Base64, room)
}

fn spend(text: String, range: Range<usize>, decoding: Decoding, room: &mut usize) -> Option<Piece> {
    *room = room.saturating_sub(text.len());
    Some(Piece { range, text, decoding })
}

fn unhex(digits: &[u8]) -> impl Iterator<Item = u8> {
    let value = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or_default();
    digits.chunks_exact(2).map(move |pair| pair.iter().fold(0, |sum: u8, byte| (sum << 4) | value(*byte)))
}

/// Whether bytes are text: UTF-8, but for a character that is cut at the end, without control characters.
fn is_text(bytes: &[u8]) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty()
        && !text.chars().any(|letter| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r' | '\x1b'))
}

/// UTF-16 as Windows writes it, where all of it is ASCII.
fn wide(bytes: &[u8]) -> Option<String> {
    let letters = bytes.chunks_exact(2).map(|pair| match pair {
        [low @ (b' '..=b'~' | b'\t' | b'\n' | b'\r'), 0] => Some(char::from(*low)),
        _ => None,
    });
    let text: String = letters.collect::<Option<_>>()?;
    (!text.is_empty()).then_some(text)
}

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

#[cfg(test)]
mod tests;
