//! Undoes what programs undo before they read: backslash escapes, character references, percent-encoding, and the
//! sequences that a terminal obeys instead of showing.

use std::ops::Range;

use model::Decoding;

use crate::bytes::next;
use crate::map::{Map, Writer};
use crate::traits::Traits;

/// What has to stand in a text for anything here to be undone.
pub(crate) const TRIGGERS: Traits = Traits::PERCENT.or(Traits::BACKSLASH).or(Traits::AMPERSAND).or(Traits::CONTROL);

/// The text with one layer undone, and the way back. `None` if there is nothing to undo.
pub(crate) fn undo(text: &str) -> Option<(String, Map)> {
    let mut writer = Writer::default();
    let mut kept = 0;
    let mut at = 0;
    while let Some(step) = next_trigger(text, at) {
        let undone = one(text, step);
        let Some((length, instead, decoding)) = undone else {
            at = step + 1;
            continue;
        };
        writer.keep(text.get(kept..step)?);
        writer.put(&(step..step + length), &instead, decoding);
        at = step + length;
        kept = at;
    }
    if writer.turns.is_empty() {
        return None;
    }
    writer.keep(text.get(kept..)?);
    Some((writer.text, Map::Pieces(writer.turns)))
}

fn next_trigger(text: &str, from: usize) -> Option<usize> {
    next(text.as_bytes(), from, |byte| matches!(byte, b'%' | b'\\' | b'&' | 0x1b))
}

/// What begins at `at`: how many bytes it takes, what stands for it, and what kind it is.
fn one(text: &str, at: usize) -> Option<(usize, String, Decoding)> {
    let rest = text.get(at..)?;
    match rest.as_bytes().first()? {
        b'%' => percent(rest).map(|(length, letters)| (length, letters, Decoding::Percent)),
        b'\\' => backslash(rest).map(|(length, letters)| (length, letters, Decoding::Escape)),
        b'&' => reference(rest).map(|(length, letter)| (length, letter.to_string(), Decoding::Entity)),
        _ => terminal(rest).map(|length| (length, String::new(), Decoding::Terminal)),
    }
}

/// A run of percent-encoded bytes, if they are UTF-8.
fn percent(rest: &str) -> Option<(usize, String)> {
    let mut bytes = Vec::new();
    let mut pairs = rest.as_bytes();
    while let [b'%', high, low, after @ ..] = pairs {
        let (Some(high), Some(low)) = (digit(*high, 16), digit(*low, 16)) else { break };
        bytes.push((high * 16 + low).to_le_bytes()[0]);
        pairs = after;
    }
    if bytes.is_empty() {
        return None;
    }
    let length = bytes.len() * 3;
    Some((length, String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into())))
}

fn backslash(rest: &str) -> Option<(usize, String)> {
    let bytes = rest.as_bytes();
    let plain = |letter: &str| Some((2, letter.to_owned()));
    match bytes.get(1)? {
        b'n' => plain("\n"),
        b'r' => plain("\r"),
        b't' => plain("\t"),
        b'"' => plain("\""),
        b'\'' => plain("'"),
        b'/' => plain("/"),
        b'\\' => plain("\\"),
        b'x' => code(bytes, 2..4).map(|letter| (4, letter.to_string())),
        b'u' if bytes.get(2) == Some(&b'{') => {
            let close = bytes.iter().take(11).position(|byte| *byte == b'}')?;
            code(bytes, 3..close).map(|letter| (close + 1, letter.to_string()))
        }
        b'u' => unit(bytes),
        b'0'..=b'3' => octal(bytes).map(|letter| (4, letter.to_string())),
        _ => None,
    }
}

/// `\uXXXX`, or two of them that are one character.
fn unit(bytes: &[u8]) -> Option<(usize, String)> {
    let first = number(bytes, 2..6, 16)?;
    if (0xd800..0xdc00).contains(&first) && bytes.get(6..8) == Some(b"\\u") {
        let second = number(bytes, 8..12, 16)?;
        let letter = char::from_u32(0x10000 + ((first - 0xd800) << 10) + second.wrapping_sub(0xdc00) % 0x400)?;
        return Some((12, letter.to_string()));
    }
    char::from_u32(first).map(|letter| (6, letter.to_string()))
}

fn octal(bytes: &[u8]) -> Option<char> {
    char::from_u32(number(bytes, 1..4, 8)?)
}

fn code(bytes: &[u8], digits: Range<usize>) -> Option<char> {
    char::from_u32(number(bytes, digits, 16)?)
}

fn number(bytes: &[u8], digits: Range<usize>, base: u32) -> Option<u32> {
    let digits = bytes.get(digits).filter(|digits| !digits.is_empty() && digits.len() <= 8)?;
    digits.iter().try_fold(0_u32, |value, byte| value.checked_mul(base)?.checked_add(digit(*byte, base)?))
}

fn digit(byte: u8, base: u32) -> Option<u32> {
    char::from(byte).to_digit(base)
}

/// Bytes in the longest reference that is read: `&#x10FFFF;` with a few zeros before.
const REFERENCE_BYTES_MAX: usize = 16;

/// A character reference of HTML: by number, or one of the names that stand for a sign of ASCII or a space.
fn reference(rest: &str) -> Option<(usize, char)> {
    let end = rest.as_bytes().iter().take(REFERENCE_BYTES_MAX).position(|byte| *byte == b';')?;
    let name = rest.get(1..end)?;
    let letter = match name.strip_prefix('#') {
        Some(hex) if hex.starts_with(['x', 'X']) => char::from_u32(u32::from_str_radix(hex.get(1..)?, 16).ok()?)?,
        Some(decimal) => char::from_u32(decimal.parse().ok()?)?,
        None => NAMED.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((end + 1, letter))
}

/// The references of HTML that stand for what could also be written without one.
const NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("ensp", ' '),
    ("emsp", ' '),
    ("thinsp", ' '),
    ("colon", ':'),
    ("commat", '@'),
    ("period", '.'),
    ("sol", '/'),
    ("bsol", '\\'),
    ("equals", '='),
    ("hyphen", '-'),
    ("dash", '-'),
    ("lowbar", '_'),
    ("num", '#'),
    ("excl", '!'),
    ("quest", '?'),
    ("comma", ','),
    ("semi", ';'),
    ("plus", '+'),
    ("ast", '*'),
    ("lpar", '('),
    ("rpar", ')'),
    ("lsqb", '['),
    ("rsqb", ']'),
    ("percnt", '%'),
    ("dollar", '$'),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("shy", '\u{ad}'),
    ("zwj", '\u{200d}'),
    ("zwnj", '\u{200c}'),
];

/// Bytes in the longest sequence that is taken for one; what is longer is shown by terminals too.
const SEQUENCE_BYTES_MAX: usize = 256;

/// How long the sequence is that begins here (ECMA-48 §5.4, §8.3.89): a control sequence, or a string for the terminal.
pub(crate) fn terminal(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let body = bytes.get(2..)?;
    let within = body.iter().take(SEQUENCE_BYTES_MAX);
    match bytes.get(1)? {
        b'[' => within.clone().position(|byte| (0x40..=0x7e).contains(byte)).map(|last| last + 3),
        b']' | b'P' | b'_' | b'^' | b'X' => {
            let end = within.clone().position(|byte| matches!(byte, 0x07 | 0x1b))?;
            Some(match (body.get(end), body.get(end + 1)) {
                (Some(0x1b), Some(b'\\')) => end + 4,
                // This escape begins the next sequence.
                (Some(0x1b), _) => end + 2,
                _ => end + 3,
            })
        }
        0x20..=0x7e => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
