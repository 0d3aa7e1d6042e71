//! Fingerprints in order, with an index over their first bits: eight bytes each, found in one or two steps.

use std::ops::Range;

/// The fingerprints, and what is kept of each.
#[derive(Debug, Default)]
pub(crate) struct Table {
    hashes: Vec<u64>,
    payloads: Vec<u32>,
    /// Where those with these first bits begin.
    buckets: Vec<u32>,
    shift: u32,
}

impl Table {
    /// Of fingerprints with what is kept of each, in any order.
    pub(crate) fn new(mut entries: Vec<(u64, u32)>) -> Self {
        entries.sort_unstable();
        entries.dedup();
        let (hashes, payloads) = entries.into_iter().unzip();
        Self::ordered(hashes, payloads)
    }

    /// Of fingerprints that are in order already; `None` if they are not.
    pub(crate) fn checked(hashes: Vec<u64>, payloads: Vec<u32>) -> Option<Self> {
        (hashes.is_sorted() && hashes.len() == payloads.len()).then(|| Self::ordered(hashes, payloads))
    }

    fn ordered(hashes: Vec<u64>, payloads: Vec<u32>) -> Self {
        let bits = hashes.len().max(2).ilog2().clamp(1, 20);
        let shift = u64::BITS - bits;
        let begin = |bucket: u64| hashes.partition_point(|hash| hash >> shift < bucket);
        let buckets = (0..=1_u64 << bits).map(|bucket| u32::try_from(begin(bucket)).unwrap_or(u32::MAX)).collect();
        Self { hashes, payloads, buckets, shift }
    }

    pub(crate) fn count(&self) -> usize {
        self.hashes.len()
    }

    pub(crate) fn contains(&self, hash: u64) -> bool {
        !self.found(hash).is_empty()
    }

    /// What is kept of a fingerprint; nothing if it is not there.
    pub(crate) fn payloads(&self, hash: u64) -> impl Iterator<Item = u32> {
        self.payloads.get(self.found(hash)).unwrap_or_default().iter().copied()
    }

    fn found(&self, hash: u64) -> Range<usize> {
        let bucket = usize::try_from(hash >> self.shift).unwrap_or(usize::MAX);
        let bound = |at: usize| self.buckets.get(at).and_then(|at| usize::try_from(*at).ok()).unwrap_or_default();
        let (from, to) = (bound(bucket), bound(bucket.saturating_add(1)));
        let Some(here) = self.hashes.get(from..to) else { return 0..0 };
        let first = here.partition_point(|other| *other < hash);
        let length = here.iter().skip(first).take_while(|other| **other == hash).count();
        from + first..from + first + length
    }

    pub(crate) fn parts(&self) -> (&[u64], &[u32]) {
        (&self.hashes, &self.payloads)
    }
}
