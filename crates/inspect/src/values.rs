//! Looks for texts that are known by their fingerprints alone: the secrets that the gate keeps, and canary tokens.
//!
//! A hash rolls over the text; where it is one of those of the beginnings, all of the text that would be it is hashed. So any
//! number of them costs one pass, and nothing here can tell anybody what they are.

use model::{Class, Confidence, Fingerprint, FingerprintKey, Rolling, RuleId, Severity};

use crate::{Found, Sighting, View};

/// Texts to look for.
#[derive(Debug, Clone)]
pub struct Values {
    key: FingerprintKey,
    /// By the hash of the beginning.
    each: Vec<Value>,
    /// Which hashes' first bits there are.
    sieve: Vec<u64>,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct Value {
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// What a finding of it says.
    pub rule: RuleId,
    /// What kind of thing it is.
    pub class: Class,
}

/// Bits of a hash by which most places are passed over.
const SIEVE_BITS: u32 = 14;

impl Values {
    /// None, or some.
    pub fn new(key: FingerprintKey, each: impl IntoIterator<Item = Value>) -> Self {
        let mut each: Vec<Value> = each.into_iter().collect();
        each.sort_by_key(|value| value.fingerprint.beginning);
        let mut sieve = vec![0; 1 << (SIEVE_BITS - 6)];
        for value in &each {
            let (word, bit) = sieved(value.fingerprint.beginning);
            if let Some(word) = sieve.get_mut(word) {
                *word |= bit;
            }
        }
        Self { key, each, sieve }
    }

    /// These and others under the same key.
    #[must_use]
    pub fn and(&self, more: impl IntoIterator<Item = Value>) -> Self {
        Self::new(self.key, self.each.iter().cloned().chain(more))
    }

    /// The key of their fingerprints.
    pub fn key(&self) -> &FingerprintKey {
        &self.key
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    pub(crate) fn look(&self, view: &View<'_>, found: &mut Found<'_>) {
        let text = view.text.as_bytes();
        if self.each.is_empty() || text.len() < Fingerprint::WINDOW {
            return;
        }
        let mut rolling = Rolling::new(&self.key);
        let left = std::iter::repeat_n(None, Fingerprint::WINDOW).chain(text.iter().copied().map(Some));
        for (at, (byte, left)) in text.iter().copied().zip(left).enumerate() {
            let Some(hash) = rolling.push(byte, left) else { continue };
            let (word, bit) = sieved(hash);
            if self.sieve.get(word).is_none_or(|word| word & bit == 0) {
                continue;
            }
            self.look_at((at + 1).saturating_sub(Fingerprint::WINDOW), hash, view, found);
        }
    }

    /// Looks whether any of those that begin with this hash stands here.
    fn look_at(&self, start: usize, hash: u64, view: &View<'_>, found: &mut Found<'_>) {
        let from = self.each.partition_point(|value| value.fingerprint.beginning < hash);
        let alike = self.each.iter().skip(from).take_while(|value| value.fingerprint.beginning == hash);
        for Value { fingerprint, rule, class } in alike {
            let length = usize::try_from(fingerprint.length).unwrap_or(usize::MAX);
            let range = start..start.saturating_add(length);
            let text = view.text.as_bytes().get(range.clone());
            if text.is_some_and(|text| self.key.hash(text) == fingerprint.whole) {
                let (severity, confidence) = (Severity::Critical, Confidence::High);
                found.add(Sighting { rule, class, severity, confidence, weight: u8::MAX, range });
            }
        }
    }
}

/// Where the sieve has a hash.
fn sieved(hash: u64) -> (usize, u64) {
    let place = hash >> (u64::BITS - SIEVE_BITS);
    (usize::try_from(place >> 6).unwrap_or_default(), 1 << (place & 63))
}

#[cfg(test)]
mod tests;
