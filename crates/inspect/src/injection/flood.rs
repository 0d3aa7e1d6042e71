//! Context-window poisoning by quantity: made-up conversations and repetitions.

use std::collections::HashMap;
use std::ops::Range;

use model::limits;

/// How a line of a made-up conversation begins.
const SPEAKERS: [(&str, &str); 9] = [
    ("user:", "assistant:"),
    ("human:", "assistant:"),
    ("human:", "ai:"),
    ("user:", "ai:"),
    ("user:", "model:"),
    ("q:", "a:"),
    ("question:", "answer:"),
    ("input:", "output:"),
    ("customer:", "agent:"),
];

/// Bytes of the longest of them.
const SPEAKER_BYTES_MAX: usize = 10;

/// The made-up conversation of a text, if it has one of [`limits::TURNS_MAX`] turns or more.
pub(super) fn turns(text: &str) -> Option<Range<usize>> {
    let mut counts = [(0_usize, 0_usize, 0_usize, 0_usize); SPEAKERS.len()];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let begins = line.trim_start_matches([' ', '\t', '#', '*', '-', '>', '<', '"', '[']);
        // Most lines have nobody's name before a colon.
        if !begins.bytes().take(SPEAKER_BYTES_MAX).any(|byte| byte == b':') {
            at += line.len();
            continue;
        }
        for ((asks, answers), (asked, answered, first, end)) in SPEAKERS.iter().zip(&mut counts) {
            let says = |name: &str| begins.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
            if says(asks) {
                if *asked == 0 {
                    *first = at;
                }
                *asked += 1;
                *end = at + line.len();
            } else if *asked > 0 && says(answers) {
                *answered += 1;
                *end = at + line.len();
            }
        }
        at += line.len();
    }
    let long = counts.iter().filter(|(asked, answered, ..)| asked.min(answered) >= &limits::TURNS_MAX);
    long.max_by_key(|(asked, answered, ..)| asked + answered).map(|(_, _, first, end)| *first..*end)
}

/// Where a text says the same over and over, if that is most of it and of [`limits::REPEATED_BYTES_MIN`] or more.
pub(super) fn repetition(text: &str) -> Option<Range<usize>> {
    if text.len() < limits::REPEATED_BYTES_MIN || !may_repeat(text) {
        return None;
    }
    let mut said: HashMap<&str, (usize, usize, usize)> = HashMap::new();
    for range in pieces(text) {
        let plain = text.get(range.clone())?.trim();
        // What says nothing is layout; a table's rows differ.
        let words = plain.len() >= 16
            && plain.contains(' ')
            && plain.bytes().any(|byte| byte.is_ascii_alphabetic() || byte > 127);
        if words && said.len() < limits::REPEATED_PIECES_MAX {
            let (count, _, end) = said.entry(plain).or_insert((0, range.start, range.start));
            *count += 1;
            *end = range.end;
        }
    }
    let (piece, (count, first, end)) =
        said.into_iter().max_by_key(|(piece, (count, first, _))| (count * piece.len(), usize::MAX - first))?;
    (count >= limits::REPEATED_TIMES_MIN && count * piece.len() * 2 >= text.len()).then_some(first..end)
}

/// Lines and sentences, with the sign that ends each.
fn pieces(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut start = 0;
    let last = bytes.len().checked_sub(1);
    ends(bytes).chain(last).filter_map(move |end| {
        let piece = start..end + 1;
        start = end + 1;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Where lines and sentences end.
fn ends(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let mut most = memchr::memchr3_iter(b'\n', b'.', b';', bytes).peekable();
    let mut shouts = memchr::memchr_iter(b'!', bytes).peekable();
    std::iter::from_fn(move || match (most.peek(), shouts.peek()) {
        (Some(end), Some(shout)) if shout < end => shouts.next(),
        (Some(_), _) => most.next(),
        (None, _) => shouts.next(),
    })
}

/// Places in which pieces of like length and ending are counted.
const TALLIES: usize = 4096;

/// Whether any two handfuls of pieces look alike: a cheap look that sees everything that is a repetition.
fn may_repeat(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut tallies = vec![0_usize; TALLIES];
    let mut start = 0;
    for end in ends(bytes) {
        let length = end - start;
        start = end + 1;
        let last = bytes.get(..end).and_then(<[u8]>::last_chunk::<4>).copied().unwrap_or_default();
        let mixed = usize::try_from(u32::from_le_bytes(last)).unwrap_or_default().wrapping_mul(0x9e37_79b1);
        if let Some(tally) = tallies.get_mut((mixed ^ length.wrapping_mul(0x85eb_ca6b)) >> 7 & (TALLIES - 1)) {
            *tally += 1;
            if *tally >= limits::REPEATED_TIMES_MIN {
                return true;
            }
        }
    }
    false
}
