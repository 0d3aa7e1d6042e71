//! A text as its words: letters and digits in lower case, each with its fingerprint.

use std::ops::Range;

use model::FingerprintKey;

/// A word, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    pub(crate) hash: u64,
    pub(crate) range: Range<usize>,
}

/// The words of a text.
pub(crate) fn of(key: &FingerprintKey, text: &str) -> Vec<Word> {
    let mut words = Vec::with_capacity(text.len() / 6);
    let mut buffer: Vec<u8> = Vec::with_capacity(32);
    let mut start = None;
    let mut put = |start: &mut Option<usize>, end: usize, buffer: &mut Vec<u8>| {
        if let Some(start) = start.take() {
            words.push(Word { hash: key.hash(buffer), range: start..end });
            buffer.clear();
        }
    };
    for (at, letter) in text.char_indices() {
        if letter.is_ascii_alphanumeric() {
            start.get_or_insert(at);
            buffer.push(u8::try_from(letter.to_ascii_lowercase()).unwrap_or_default());
        } else if !letter.is_ascii() && letter.is_alphanumeric() {
            start.get_or_insert(at);
            let mut bytes = [0; 4];
            letter.to_lowercase().for_each(|small| buffer.extend_from_slice(small.encode_utf8(&mut bytes).as_bytes()));
        } else {
            put(&mut start, at, &mut buffer);
        }
    }
    put(&mut start, text.len(), &mut buffer);
    words
}

/// The fingerprint of words in a row: that of those before, and of one more. What a word's fingerprint is nobody knows without
/// the key, and so it is with theirs.
pub(crate) fn phrase(before: u64, word: u64) -> u64 {
    (before.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_add(word)
}
