//! Seed phrases: 12 to 24 words of a list, of which the last holds a checksum (BIP 39).

use std::collections::HashMap;
use std::ops::{Range, RangeInclusive};
use std::sync::LazyLock;

use model::Digest;

/// The list of BIP 39 for English.
const LIST: &str = include_str!("../../rules/seed-words.txt");

/// Words by which people call such a phrase: among other words it is looked for where one of them stands.
pub(super) const WORDS: &[&str] =
    &["seed phrase", "mnemonic", "recovery phrase", "wallet", "seed words", "secret phrase"];

/// Bytes of a text that may be a phrase and nothing else: words of the list have 3 to 8 letters, and there may be numbers before
/// them.
const ALONE_BYTES: RangeInclusive<usize> = 47..=320;

static INDEX: LazyLock<HashMap<&'static str, u16>> =
    LazyLock::new(|| LIST.lines().zip(0_u16..).map(|(word, index)| (word.trim(), index)).collect());

/// How many words a phrase can have.
const LENGTHS: [usize; 5] = [24, 21, 18, 15, 12];
/// Bits that a word stands for.
const BITS: usize = 11;

/// Every phrase whose checksum is right.
pub(super) fn phrases(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut run: Vec<(Range<usize>, u16)> = Vec::new();
    for word in words(text).chain(std::iter::once(text.len()..text.len())) {
        let spelt = text.get(word.clone()).unwrap_or_default().to_ascii_lowercase();
        match INDEX.get(spelt.as_str()) {
            Some(index) => run.push((word, *index)),
            // Numbers before the words are how people write them down.
            None if !spelt.is_empty() && spelt.bytes().all(|byte| byte.is_ascii_digit()) => {}
            None => found.extend(phrases_of(&std::mem::take(&mut run))),
        }
    }
    found
}

/// Whether a text is a phrase and nothing else, as it stands in a member of its own.
pub(super) fn is_phrase(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b" ,.)\r\n\t".contains(&byte);
    if !ALONE_BYTES.contains(&text.len()) || !text.bytes().all(is_plain) {
        return false;
    }
    let is_number =
        |word: Range<usize>| text.get(word).is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    match phrases(text).as_slice() {
        [phrase] => words(text).all(|word| phrase.contains(&word.start) || is_number(word)),
        _ => false,
    }
}

fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let starts = text.as_ptr() as usize;
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(move |word| {
        let at = word.as_ptr() as usize - starts;
        at..at + word.len()
    })
}

fn phrases_of(run: &[(Range<usize>, u16)]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = run.get(at..).filter(|rest| rest.len() >= 12) {
        let length = LENGTHS.into_iter().find(|length| rest.get(..*length).is_some_and(has_checksum));
        match length.and_then(|length| rest.get(..length)) {
            Some(phrase) => {
                if let (Some(first), Some(last)) = (phrase.first(), phrase.last()) {
                    found.push(first.0.start..last.0.end);
                }
                at += phrase.len();
            }
            None => at += 1,
        }
    }
    found
}

/// The last bits of the words are the first of the digest of those before.
fn has_checksum(words: &[(Range<usize>, u16)]) -> bool {
    let bits: Vec<bool> =
        words.iter().flat_map(|(_, index)| (0..BITS).rev().map(move |bit| (index >> bit) & 1 == 1)).collect();
    let entropy_bits = bits.len() / 33 * 32;
    let (entropy, checksum) = bits.split_at(entropy_bits.min(bits.len()));
    let bytes: Vec<u8> =
        entropy.chunks(8).map(|byte| byte.iter().fold(0, |value, bit| (value << 1) | u8::from(*bit))).collect();
    let digest = Digest::of(&bytes);
    let expected = digest.as_bytes().iter().flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1 == 1));
    checksum.iter().copied().eq(expected.take(checksum.len()))
}
