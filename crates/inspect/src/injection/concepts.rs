//! What words mean: a word of any language is looked up as the few things an attacker must speak of.
//!
//! The words stand in `model/concepts.txt`. A model that learns of concepts in English knows of them in the other
//! languages, and knows the wordings that it never saw.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::kin::{Kin, Kinship};

/// The words of every concept.
const CONCEPTS: &str = include_str!("../../model/concepts.txt");
/// Characters in a word of a script that puts no spaces between words, at most.
pub(super) const UNSPACED_CHARS_MAX: usize = 6;

/// A set of concepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Concepts(u64);

impl Concepts {
    /// None.
    pub const NONE: Self = Self(0);

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// As bits: the first concept is the lowest.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// The numbers of these, rising.
    pub fn numbers(self) -> impl Iterator<Item = u8> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let number = u8::try_from(left.trailing_zeros()).ok().filter(|number| *number < 64)?;
            left &= left - 1;
            Some(number)
        })
    }

    fn of(number: usize) -> Self {
        Self(1_u64.checked_shl(u32::try_from(number).unwrap_or(u32::MAX)).unwrap_or(0))
    }
}

/// A hash that is taken as it comes: keys are hashes already.
#[derive(Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = step(self.0, *byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

type Table = HashMap<u64, Concepts, BuildHasherDefault<AsIs>>;

/// The hash of no bytes.
pub(super) const EMPTY: u64 = 0xcbf2_9ce4_8422_2325;

/// The hash of what came before and one more byte: FNV-1a.
#[inline]
pub(super) fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

/// The hash of a word.
pub(super) fn hash(word: &str) -> u64 {
    word.bytes().fold(EMPTY, step)
}

/// Bits of a set of hashes that says of most words at once that they are in no table.
const SIEVE_BITS: u32 = 16;

/// Every word and stem, by its hash.
pub struct Lexicon {
    words: Table,
    stems: Table,
    /// By the first bits of a hash: whether a word or stem has it.
    sieve: Vec<u64>,
    names: Vec<&'static str>,
    kinship: Kinship,
}

impl Lexicon {
    /// Reads the words of the crate.
    pub fn new() -> Self {
        let (mut words, mut stems) = (Table::default(), Table::default());
        let mut names: Vec<&'static str> = Vec::new();
        let mut sieve = vec![0; 1 << (SIEVE_BITS - 6)];
        for (name, entries) in CONCEPTS.lines().filter_map(|line| line.split_once(": ")) {
            if name.starts_with('#') {
                continue;
            }
            let number = names.iter().position(|known| *known == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            });
            for entry in entries.split(' ').filter(|entry| !entry.is_empty()) {
                let stem = entry.strip_suffix('*');
                let table = if stem.is_some() { &mut stems } else { &mut words };
                let text = stem.unwrap_or(entry);
                let hash = hash(text);
                if let Some(bits) = sieve.get_mut(place(hash).0) {
                    *bits |= place(hash).1;
                }
                let concepts = table.entry(hash).or_default();
                *concepts = concepts.or(Concepts::of(number));
            }
        }
        Self { words, stems, sieve, names, kinship: Kinship::new() }
    }

    /// The concepts called so.
    pub fn named(&self, names: &[&str]) -> Concepts {
        let known = self.names.iter().enumerate().filter(|(_, known)| names.contains(known));
        known.fold(Concepts::NONE, |concepts, (number, _)| concepts.or(Concepts::of(number)))
    }

    /// The names of concepts, in the order of their numbers.
    pub fn names(&self, concepts: Concepts) -> impl Iterator<Item = &'static str> {
        concepts.numbers().filter_map(|number| self.names.get(usize::from(number)).copied())
    }

    /// What a whole word in lower case means.
    pub(super) fn word(&self, hash: u64) -> Concepts {
        if self.may_have(hash) { self.words.get(&hash).copied().unwrap_or_default() } else { Concepts::NONE }
    }

    /// What words that begin with the bytes of this hash mean.
    #[inline]
    pub(super) fn stem(&self, hash: u64) -> Concepts {
        if self.may_have(hash) { self.stems.get(&hash).copied().unwrap_or_default() } else { Concepts::NONE }
    }

    /// The words that one is used like.
    #[inline]
    pub(super) fn kin(&self, hash: u64) -> Kin {
        self.kinship.of(hash)
    }

    #[inline]
    fn may_have(&self, hash: u64) -> bool {
        let (at, bit) = place(hash);
        self.sieve.get(at).is_some_and(|bits| bits & bit != 0)
    }
}

/// Where the sieve has its bit for a hash.
#[inline]
fn place(hash: u64) -> (usize, u64) {
    let first = hash >> (64 - SIEVE_BITS);
    (usize::try_from(first >> 6).unwrap_or_default(), 1 << (first & 63))
}

impl Default for Lexicon {
    fn default() -> Self {
        Self::new()
    }
}
