//! Names of people: a common given name and what follows it like a family's, or a given name where somebody is called.
//!
//! Most words with a capital are no names, and most names are in no list. So one word is enough only where the words
//! before it say that a name comes.

use std::collections::HashSet;
use std::ops::Range;

use crate::bytes::next;

/// Common given names of many countries, in lower case, without accents.
const GIVEN: &str = include_str!("../../rules/given-names.txt");
/// Bytes in a word of a name.
const WORD_BYTES: std::ops::RangeInclusive<usize> = 2..=24;
/// Words in a name.
const WORDS_MAX: usize = 4;
/// Bytes before a given name in which it is said that a name comes.
const BEFORE_BYTES: usize = 24;

/// What stands before a name.
const CALLED: &[&str] = &[
    "name is ",
    "name: ",
    "named ",
    "named him ",
    "named her ",
    "call me ",
    "calls me ",
    "called me ",
    "this is ",
    "i am ",
    "i'm ",
    "dear ",
    "hi ",
    "hello ",
    "hey ",
    "mr. ",
    "mrs. ",
    "ms. ",
    "dr. ",
    "prof. ",
    "signed by ",
    "regards, ",
    "sincerely, ",
    "says ",
    "said ",
    "by ",
    "from: ",
    "to: ",
    "user: ",
    "attn: ",
    "contact: ",
    "owner: ",
    "assignee: ",
    "patient: ",
    "customer: ",
    "employee: ",
];
/// Words with a capital that follow a given name and are no family's name.
const NO_FAMILY: &[&str] = &[
    "and",
    "airport",
    "avenue",
    "bank",
    "bay",
    "beach",
    "boulevard",
    "bridge",
    "building",
    "castle",
    "center",
    "centre",
    "church",
    "city",
    "college",
    "company",
    "conference",
    "corp",
    "county",
    "court",
    "day",
    "drive",
    "foundation",
    "group",
    "hall",
    "hospital",
    "hotel",
    "house",
    "inc",
    "institute",
    "island",
    "lake",
    "lane",
    "library",
    "llc",
    "ltd",
    "museum",
    "park",
    "place",
    "prize",
    "release",
    "river",
    "road",
    "school",
    "server",
    "square",
    "station",
    "street",
    "stadium",
    "theorem",
    "tower",
    "university",
    "version",
    "village",
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "the",
    "is",
    "are",
    "was",
    "will",
    "has",
    "can",
    "does",
    "could",
    "would",
    "should",
    "please",
    "thanks",
    "best",
    "hi",
    "hello",
];

/// The given names, looked up.
pub(super) struct Given {
    names: HashSet<&'static [u8]>,
    /// By the first bits of a hash: whether any of them has it. Most words with a capital have another.
    sieve: Vec<u64>,
}

/// Bits of what a name is sieved by.
const SIEVE_BITS: u32 = 14;

/// Where the sieve has its bit for words like this one.
fn sieved(word: &[u8]) -> (usize, u64) {
    let hash =
        word.iter().fold(word.len(), |hash, byte| hash.wrapping_mul(31) ^ usize::from(byte.to_ascii_lowercase()));
    let place = hash.wrapping_mul(0x9e37_79b1) >> 7 & ((1 << SIEVE_BITS) - 1);
    (place >> 6, 1 << (place & 63))
}

impl Given {
    pub(super) fn new() -> Self {
        let names: HashSet<&[u8]> = GIVEN.split_ascii_whitespace().map(str::as_bytes).collect();
        let mut sieve = vec![0; 1 << (SIEVE_BITS - 6)];
        for name in &names {
            let (at, bit) = sieved(name);
            if let Some(bits) = sieve.get_mut(at) {
                *bits |= bit;
            }
        }
        Self { names, sieve }
    }

    /// Every name in the text.
    pub(super) fn names(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(word) = next_word(text, at) {
            at = word.end;
            let Some(first) = text.get(word.clone()).filter(|first| self.has(first)) else { continue };
            let (end, is_family) = family(text, &word);
            // A word in capitals is more often a sign than a name.
            if first.len() > 2 && (is_family || is_called(text, word.start)) {
                found.push(word.start..end);
                at = end;
            }
        }
        found
    }

    fn has(&self, word: &str) -> bool {
        let (at, bit) = sieved(word.as_bytes());
        WORD_BYTES.contains(&word.len())
            && self.sieve.get(at).is_some_and(|bits| bits & bit != 0)
            && self.names.contains(word.to_ascii_lowercase().as_bytes())
    }
}

/// The next word that begins with a capital and goes on in small letters.
fn next_word(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at = next(bytes, at, |byte| byte.is_ascii_uppercase())?;
        let begins = at.checked_sub(1).and_then(|before| bytes.get(before)).is_none_or(|before| !is_inside(*before));
        let length = bytes
            .get(at + 1..)?
            .iter()
            .position(|byte| !byte.is_ascii_lowercase())
            .map_or(bytes.len() - at, |end| end + 1);
        let ends = bytes.get(at + length).is_none_or(|after| !is_inside(*after));
        if begins && ends && length > 1 {
            return Some(at..at + length);
        }
        at += length;
    }
}

/// What a word goes on with: letters of any script, and what names of things have.
fn is_inside(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Where the name ends whose given name this is, and whether a family's name follows it.
fn family(text: &str, given: &Range<usize>) -> (usize, bool) {
    let mut end = given.end;
    let mut words = 0;
    while words + 1 < WORDS_MAX {
        let Some(rest) = text.get(end..).and_then(|rest| rest.strip_prefix(' ')) else { break };
        let is_letter = |letter: char| letter.is_alphabetic() || matches!(letter, '\'' | '-' | '’');
        let word =
            rest.split(|letter: char| !is_letter(letter)).next().unwrap_or_default().trim_end_matches(['\'', '’', '-']);
        let initial = word.len() == 1 && rest.as_bytes().get(1) == Some(&b'.');
        let is_name = word.chars().next().is_some_and(char::is_uppercase)
            && WORD_BYTES.contains(&word.len())
            && word.chars().skip(1).any(char::is_lowercase)
            && !NO_FAMILY.contains(&word.to_lowercase().trim_end_matches("'s"));
        if !(is_name || (initial && word.starts_with(|letter: char| letter.is_ascii_uppercase()))) {
            break;
        }
        end += 1 + word.len() + usize::from(initial);
        words += usize::from(is_name) + usize::from(initial);
        if is_name && words >= 2 {
            break;
        }
    }
    // An initial alone is no family.
    let is_family = text.get(given.end..end).is_some_and(|rest| rest.trim_start().len() > 2);
    if is_family { (end, true) } else { (given.end, false) }
}

/// Whether what stands before a place says that a name comes.
fn is_called(text: &str, at: usize) -> bool {
    let before = text.as_bytes().get(at.saturating_sub(BEFORE_BYTES)..at).unwrap_or_default().to_ascii_lowercase();
    CALLED.iter().any(|called| {
        let Some(rest) = before.strip_suffix(called.as_bytes()) else { return false };
        rest.last().is_none_or(|byte| !byte.is_ascii_alphanumeric())
    })
}
