//! What kind of thing stands in a text: an address, a path, a sign that puts text apart.

use super::Kind;

/// Characters looked at to tell what kind of thing a run without spaces is.
const RUN_CHARS_MAX: usize = 256;

/// Signs that put text apart. Those of one kind stand for each other.
pub const MARKS: [&[&str]; 13] = [
    // A tag, a question and an exclamation are seen by what stands around their signs.
    &[],
    &[],
    &[],
    &["<!--", "/*"],
    &["<|", "|>", "[INST", "[/INST", "<<SYS"],
    &["</"],
    &["###"],
    &["```"],
    &["!["],
    &["]("],
    &["{{"],
    &["!!"],
    &["---", "==="],
];
/// The place of tags in [`MARKS`].
pub(super) const TAG: u8 = 0;
/// That of questions.
pub(super) const QUESTION: u8 = 1;
/// That of exclamations.
pub(super) const EXCLAMATION: u8 = 2;

/// The mark that `rest` begins with, and its signs.
pub(super) fn mark(rest: &str, first: char) -> Option<(u8, &'static str)> {
    if !matches!(first, '<' | '|' | '[' | '#' | '`' | '!' | ']' | '{' | '-' | '=' | '/') {
        return None;
    }
    (0..).zip(MARKS).find_map(|(mark, signs)| Some((mark, *signs.iter().find(|sign| rest.starts_with(**sign))?)))
}

/// Whether a line begins with a field's name: `sender: `.
pub(super) fn is_field(line: &str) -> bool {
    let name = line.find(|sign: char| !(sign.is_alphanumeric() || sign == '_' || sign == '-'));
    name.and_then(|end| line.get(end..)).is_some_and(|rest| rest.starts_with(": ") || rest.starts_with(":\n"))
}

pub(super) fn starts_path(rest: &str) -> bool {
    let mut signs = rest.chars();
    match (signs.next(), signs.next(), signs.next()) {
        (Some('~'), Some('/'), _) | (Some('.'), Some('/'), _) => true,
        (Some('/' | '.'), Some(second), Some(third)) => second.is_ascii_lowercase() && third.is_ascii_alphanumeric(),
        _ => false,
    }
}

/// The letters, digits and joining signs that `rest` begins with, and whether they are letters and digits of ASCII alone.
pub(super) fn run(rest: &str) -> (&str, bool) {
    let bytes = rest.as_bytes();
    let mut all = LETTER;
    let mut ascii = 0;
    for byte in bytes.iter().take(RUN_CHARS_MAX) {
        let kind = joining(*byte);
        if kind == 0 {
            break;
        }
        all &= kind;
        ascii += 1;
    }
    if ascii >= RUN_CHARS_MAX || bytes.get(ascii).is_none_or(u8::is_ascii) {
        return (rest.get(..ascii).unwrap_or_default(), all == LETTER);
    }
    let is_part = |sign: char| match u8::try_from(sign) {
        Ok(byte) if byte.is_ascii() => joining(byte) != 0,
        Ok(_) | Err(_) => (sign.is_alphanumeric() && !is_unspaced(sign)) || sign == '’',
    };
    let end = rest.char_indices().enumerate().find(|(count, (_, sign))| *count >= RUN_CHARS_MAX || !is_part(*sign));
    (end.and_then(|(_, (end, _))| rest.get(..end)).unwrap_or(rest), false)
}

/// A letter or digit of ASCII.
const LETTER: u8 = 1;
/// A sign that joins them.
const SIGN: u8 = 2;

/// What of a run a byte of ASCII is; nought if it is of none.
#[inline]
fn joining(byte: u8) -> u8 {
    JOINING.get(usize::from(byte)).copied().unwrap_or_default()
}

const JOINING: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut rest: &mut [u8] = &mut kinds;
    let mut byte = 0_u8;
    while let Some((first, others)) = rest.split_first_mut() {
        *first = match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            b'_' | b'-' | b'.' | b'@' | b':' | b'/' | b'~' | b'?' | b'=' | b'&' | b'%' | b'+' | b'#' | b'\'' => SIGN,
            _ => 0,
        };
        rest = others;
        byte = byte.wrapping_add(1);
    }
    kinds
};

/// What a run is, if it is one thing, and the name that stands for all of its kind.
pub(super) fn kind_of(run: &str) -> Option<(Kind, &'static str)> {
    // Most are words, which have none of these signs.
    if !run.bytes().any(|byte| matches!(byte, b'.' | b'/' | b'@')) {
        return None;
    }
    if run.contains("://") || run.starts_with("www.") {
        return Some((Kind::Url, "\u{1}url"));
    }
    if let Some((name, host)) = run.split_once('@')
        && !name.is_empty()
        && host.contains('.')
    {
        return Some((Kind::Email, "\u{1}email"));
    }
    let rooted = run.starts_with("~/") || run.starts_with("./") || (run.starts_with('/') && run.len() > 3);
    if rooted || run.starts_with(".env") {
        return Some((Kind::Path, "\u{1}path"));
    }
    let is_host = |run: &str| {
        let (name, end) = run.split_once('/').unwrap_or((run, "")).0.rsplit_once('.')?;
        let known = ["com", "org", "net", "io", "dev", "co", "ai", "example", "info", "biz"].contains(&end);
        (known && name.len() > 1).then_some(())
    };
    if is_host(run).is_some() {
        return Some((Kind::Url, "\u{1}url"));
    }
    let is_file = run.rsplit_once('.').is_some_and(|(name, end)| {
        name.len() > 1 && (2..=4).contains(&end.len()) && end.bytes().all(|byte| byte.is_ascii_lowercase())
    });
    is_file.then_some((Kind::Path, "\u{1}path"))
}

/// Characters of scripts without spaces between words: Chinese, Japanese, Thai.
pub(super) fn is_unspaced(sign: char) -> bool {
    matches!(sign, '\u{0e00}'..='\u{0e7f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}
