//! Keyed fingerprints: whoever has the key can tell that a text is the one that was meant, and nobody can read it from them.
//!
//! The hash is `SipHash-2-4` (Aumasson, Bernstein: "`SipHash`: a fast short-input PRF", 2012). It keeps lists of names and secrets
//! from being read by whoever finds them without the key; with the key, short texts can be guessed one by one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A key of fingerprints.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FingerprintKey {
    first: u64,
    second: u64,
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey")
    }
}

impl FingerprintKey {
    /// The key in 128 bits.
    pub fn new(bits: u128) -> Self {
        let [first, second] = [bits, bits >> 64].map(|half| u64::try_from(half & u128::from(u64::MAX)).unwrap_or(0));
        Self { first, second }
    }

    /// The fingerprint of a text.
    pub fn hash(&self, text: &[u8]) -> u64 {
        let mut state = [
            self.first ^ 0x736f_6d65_7073_6575,
            self.second ^ 0x646f_7261_6e64_6f6d,
            self.first ^ 0x6c79_6765_6e65_7261,
            self.second ^ 0x7465_6462_7974_6573,
        ];
        let mut blocks = text.chunks_exact(8);
        for block in &mut blocks {
            compress(&mut state, block.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX) << 56;
        compress(
            &mut state,
            blocks.remainder().iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)) | length,
        );
        let [_, _, third, _] = &mut state;
        *third ^= 0xff;
        for _ in 0..4 {
            round(&mut state);
        }
        state.into_iter().fold(0, |all, part| all ^ part)
    }

    /// What each byte of a window is multiplied by, more often the earlier it stands.
    fn base(&self) -> u64 {
        self.hash(b"rolling") | 1
    }
}

fn compress(state: &mut [u64; 4], word: u64) {
    let [_, _, _, last] = state;
    *last ^= word;
    round(state);
    round(state);
    let [first, ..] = state;
    *first ^= word;
}

fn round([a, b, c, d]: &mut [u64; 4]) {
    *a = a.wrapping_add(*b);
    *b = b.rotate_left(13) ^ *a;
    *a = a.rotate_left(32);
    *c = c.wrapping_add(*d);
    *d = d.rotate_left(16) ^ *c;
    *a = a.wrapping_add(*d);
    *d = d.rotate_left(21) ^ *a;
    *c = c.wrapping_add(*b);
    *b = b.rotate_left(17) ^ *c;
    *c = c.rotate_left(32);
}

/// The fingerprint of one text that can be looked for within others: of its beginning, by which places are found, and of all
/// of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint {
    /// Of its first [`Fingerprint::WINDOW`] bytes.
    pub beginning: u64,
    /// Bytes in it.
    pub length: u32,
    /// Of all of it.
    pub whole: u64,
}

impl Fingerprint {
    /// Bytes by which a place is found; shorter texts have no fingerprint, since they stand everywhere.
    pub const WINDOW: usize = 12;

    /// The fingerprint of a text.
    pub fn of(key: &FingerprintKey, text: &[u8]) -> Option<Self> {
        let mut rolling = Rolling::new(key);
        let beginning = text.iter().take(Self::WINDOW).filter_map(|byte| rolling.push(*byte, None)).last()?;
        let length = u32::try_from(text.len()).ok()?;
        Some(Self { beginning, length, whole: key.hash(text) })
    }
}

/// The hash of the last [`Fingerprint::WINDOW`] bytes of a text that is read byte by byte.
#[derive(Debug, Clone)]
pub struct Rolling {
    base: u64,
    leaving: u64,
    hash: u64,
    count: usize,
}

impl Rolling {
    /// Before the first byte.
    pub fn new(key: &FingerprintKey) -> Self {
        let base = key.base();
        let leaving = (1..Fingerprint::WINDOW).fold(1_u64, |power, _| power.wrapping_mul(base));
        Self { base, leaving, hash: 0, count: 0 }
    }

    /// Reads a byte, with the one that leaves the window. `None` until there are enough.
    pub fn push(&mut self, byte: u8, left: Option<u8>) -> Option<u64> {
        let left = left.map_or(0, |left| (u64::from(left) + 1).wrapping_mul(self.leaving));
        self.hash = self.hash.wrapping_sub(left).wrapping_mul(self.base).wrapping_add(u64::from(byte) + 1);
        self.count += 1;
        (self.count >= Fingerprint::WINDOW).then_some(self.hash)
    }
}

/// A text that is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no fingerprint: `portcullis canary new` prints one")]
pub struct FingerprintError(());

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{:x}-{:016x}", self.beginning, self.length, self.whole)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let mut parts = text.split('-');
        let mut next = || parts.next().and_then(|part| u64::from_str_radix(part, 16).ok()).ok_or(FingerprintError(()));
        let (beginning, length, whole) = (next()?, next()?, next()?);
        let length = u32::try_from(length).map_err(|_| FingerprintError(()))?;
        Ok(Self { beginning, length, whole })
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = FingerprintError;

    fn try_from(text: String) -> Result<Self, FingerprintError> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

#[cfg(test)]
mod tests;
