//! Moments and choices that nobody planned, and that repeat with their seed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Numbers from a seed (`SplitMix64`, Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The seed that the variable names, or one that nobody has tried yet.
    pub(super) fn seed_of(variable: &str) -> u64 {
        let given = std::env::var(variable).ok().map(|text| text.parse().expect("a seed is a number"));
        given.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64 % 1_000_000)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    pub(super) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(super) fn one_of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// A time shorter than this.
    pub(super) fn within(&mut self, longest: Duration) -> Duration {
        Duration::from_micros(self.below(longest.as_micros() as usize) as u64)
    }

    pub(super) fn noise(&mut self, bytes: usize) -> Vec<u8> {
        (0..bytes).map(|_| self.bits() as u8).collect()
    }

    /// Another, for a task of its own.
    pub(super) fn fork(&mut self) -> Self {
        Self(self.bits())
    }
}
