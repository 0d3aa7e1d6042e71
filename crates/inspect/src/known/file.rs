//! A set as a file: one line of what it is, and its fingerprints in binary.

use std::ops::Range;

use model::{FingerprintKey, limits};
use serde::{Deserialize, Serialize};

use super::table::Table;
use super::{About, Set};

/// What the file begins with.
const MAGIC: &str = "portcullis-known 1 ";
/// Bytes in the first line at most.
const HEAD_BYTES_MAX: usize = 4096;

/// Why a set cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KnownError {
    /// It is no file of this kind.
    #[error("it is no file that `portcullis inspect dictionary`, `exact` or `documents` made")]
    NotOne,
    /// Its first line is not what it should be.
    #[error("its first line cannot be read")]
    Head(#[source] serde_json::Error),
    /// It was made with another key.
    #[error("it was made with the key of another gate: make it anew with this gate's settings")]
    OtherKey,
    /// It ends too early, or goes on too long, or its fingerprints are in no order.
    #[error("it is not whole")]
    Broken,
    /// There is nothing in it.
    #[error("there is no entry with a word in it")]
    Empty,
    /// There is more in it than a set can hold.
    #[error("there are more than {} entries", limits::KNOWN_ENTRIES_MAX)]
    TooMany,
    /// An entry has too many words.
    #[error("line {line} has more than {max} words")]
    Words {
        /// From one.
        line: usize,
        /// How many it may have.
        max: usize,
    },
    /// A row has too many columns.
    #[error("line {line} has more than {max} columns")]
    Columns {
        /// From one.
        line: usize,
        /// How many it may have.
        max: usize,
    },
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Head {
    about: About,
    words_max: usize,
    firsts: usize,
    entries: usize,
    /// What tells that the key is the one it was made with.
    key: String,
}

fn of_key(key: &FingerprintKey) -> String {
    format!("{:016x}", key.hash(b"which key"))
}

impl Set {
    /// The file.
    ///
    /// # Errors
    /// When it cannot be written, which no set brings about.
    pub fn to_file(&self, key: &FingerprintKey) -> Result<Vec<u8>, KnownError> {
        let head = Head {
            about: self.about.clone(),
            words_max: self.words_max,
            firsts: self.firsts.count(),
            entries: self.entries.count(),
            key: of_key(key),
        };
        let head = serde_json::to_string(&head).map_err(KnownError::Head)?;
        let mut file = format!("{MAGIC}{head}\n").into_bytes();
        let (firsts, _) = self.firsts.parts();
        let (hashes, payloads) = self.entries.parts();
        firsts.iter().chain(hashes).for_each(|hash| file.extend_from_slice(&hash.to_le_bytes()));
        payloads.iter().for_each(|payload| file.extend_from_slice(&payload.to_le_bytes()));
        Ok(file)
    }

    /// The set in a file.
    ///
    /// # Errors
    /// When it is none, or of another key.
    pub fn of_file(file: &[u8], key: &FingerprintKey) -> Result<Self, KnownError> {
        let head = file.strip_prefix(MAGIC.as_bytes()).ok_or(KnownError::NotOne)?;
        let end = head.iter().take(HEAD_BYTES_MAX).position(|byte| *byte == b'\n').ok_or(KnownError::NotOne)?;
        let (line, body) = head.split_at_checked(end).ok_or(KnownError::NotOne)?;
        let Head { about, words_max, firsts, entries, key: made_with } =
            serde_json::from_slice(line).map_err(KnownError::Head)?;
        if made_with != of_key(key) {
            return Err(KnownError::OtherKey);
        }
        if firsts.max(entries) > limits::KNOWN_ENTRIES_MAX || words_max > limits::KNOWN_WORDS_MAX {
            return Err(KnownError::TooMany);
        }
        let body = body.get(1..).ok_or(KnownError::Broken)?;
        if body.len() != firsts * 8 + entries * 12 {
            return Err(KnownError::Broken);
        }
        let (hashes_from, payloads_from) = (firsts * 8, (firsts + entries) * 8);
        let firsts = hashes(body, 0..hashes_from);
        let none = vec![0; firsts.len()];
        let each = hashes(body, hashes_from..payloads_from);
        let payloads = body.get(payloads_from..).unwrap_or_default().as_chunks::<4>().0;
        let payloads = payloads.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
        let firsts = Table::checked(firsts, none).ok_or(KnownError::Broken)?;
        let entries = Table::checked(each, payloads).ok_or(KnownError::Broken)?;
        Ok(Self { about, words_max, firsts, entries })
    }
}

fn hashes(body: &[u8], range: Range<usize>) -> Vec<u64> {
    let chunks = body.get(range).unwrap_or_default().as_chunks::<8>().0;
    chunks.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect()
}
