//! Words that are used alike in other people's texts: what a model learned of one, it knows of its kin.
//!
//! The lexicon (`concepts`) holds the words that somebody thought of. `model/kin.bin` holds the commonest English words
//! in groups by how they are used: a thousand narrow ones, and a hundred wide ones that those fall into. It is made by
//! `trial kin` from word vectors that are free to use.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::concepts::AsIs;

/// The groups of this crate; see `model/README.md`.
const KIN: &[u8] = include_bytes!("../../model/kin.bin");
/// What the file begins with.
const MAGIC: &[u8; 8] = b"PCKIN001";

/// Which groups a word is of. Nought is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kin {
    /// The narrow one.
    pub narrow: u16,
    /// The wide one.
    pub wide: u8,
}

/// The groups of every word, by its hash.
pub(super) struct Kinship {
    words: HashMap<u64, Kin, BuildHasherDefault<AsIs>>,
}

impl Kinship {
    /// Those that ship.
    pub(super) fn new() -> Self {
        Self { words: read(KIN).unwrap_or_default() }
    }

    #[inline]
    pub(super) fn of(&self, hash: u64) -> Kin {
        self.words.get(&short(hash)).copied().unwrap_or_default()
    }
}

/// The half of a word's hash that the file holds, spread out again.
fn short(hash: u64) -> u64 {
    (hash >> 32) << 32 | (hash >> 32)
}

/// The file: how many narrow groups there are, the wide one of each, and for each word four bytes of its hash and two of
/// its narrow group.
fn read(file: &[u8]) -> Option<HashMap<u64, Kin, BuildHasherDefault<AsIs>>> {
    let rest = file.strip_prefix(MAGIC)?;
    let (count, rest) = rest.split_first_chunk::<2>()?;
    let (wides, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*count)))?;
    let entries = rest.chunks_exact(6).filter_map(|entry| {
        let (hash, narrow) = entry.split_first_chunk::<4>()?;
        let narrow = u16::from_le_bytes(narrow.try_into().ok()?);
        let wide = *wides.get(usize::from(narrow.checked_sub(1)?))?;
        let hash = u64::from(u32::from_le_bytes(*hash));
        Some((hash << 32 | hash, Kin { narrow, wide }))
    });
    Some(entries.collect())
}

/// The file of these groups: the wide one of each narrow one, and each word's narrow one. Groups begin at one.
pub fn write(wides: &[u8], words: &[(String, u16)]) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    file.extend(u16::try_from(wides.len()).unwrap_or(u16::MAX).to_le_bytes());
    file.extend(wides);
    let mut entries: Vec<(u32, u16)> = words
        .iter()
        .map(|(word, narrow)| (u32::try_from(super::concepts::hash(word) >> 32).unwrap_or_default(), *narrow))
        .collect();
    entries.sort_unstable();
    entries.dedup_by_key(|(hash, _)| *hash);
    for (hash, narrow) in entries {
        file.extend(hash.to_le_bytes());
        file.extend(narrow.to_le_bytes());
    }
    file
}
