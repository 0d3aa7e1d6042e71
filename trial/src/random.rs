//! Choices that are the same for the same seed.

/// A stream of numbers: splitmix64.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The stream of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, or 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.draw() % end).unwrap_or(0)
    }

    /// One of them.
    pub(crate) fn of<'them, T>(&mut self, them: &'them [T]) -> Option<&'them T> {
        them.get(self.below(them.len()))
    }

    /// Whether it happens, `share` times of a hundred.
    pub(crate) fn happens(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    /// Puts them in another order.
    pub(crate) fn shuffle<T>(&mut self, them: &mut [T]) {
        for last in (1..them.len()).rev() {
            them.swap(last, self.below(last + 1));
        }
    }
}
