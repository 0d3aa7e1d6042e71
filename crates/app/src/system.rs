//! The clock and the randomness of the machine.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use model::{Clock, Entropy, Timestamp};

/// The machine's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// The machine's randomness, through aws-lc. Drawn a block at a time for each thread: an id is needed twice a call, and most
/// of what a draw costs is paid once for the block.
#[derive(Default)]
pub(crate) struct SystemEntropy(SystemRandom);

/// Random bytes that nobody has been given yet.
struct Block {
    bytes: [u8; Block::BYTES],
    given: usize,
}

impl Block {
    const BYTES: usize = 512;
}

thread_local! {
    static BLOCK: RefCell<Block> = const { RefCell::new(Block { bytes: [0; Block::BYTES], given: Block::BYTES }) };
}

impl Entropy for SystemEntropy {
    #[expect(clippy::expect_used, reason = "without randomness nothing here is safe: stop rather than go on")]
    fn bits(&self) -> u128 {
        BLOCK.with_borrow_mut(|block| {
            let Block { bytes, given } = block;
            if *given >= Block::BYTES {
                self.0.fill(bytes).expect("the system gives randomness");
                *given = 0;
            }
            let fresh = bytes.get_mut(*given..).and_then(<[u8]>::first_chunk_mut).expect("a block is whole draws");
            *given += size_of::<u128>();
            // What was given is wiped, so that nothing drawn later stands beside what anybody knows.
            u128::from_ne_bytes(std::mem::take(fresh))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_draw_is_given_twice() {
        let entropy = SystemEntropy::default();
        let drawn: HashSet<u128> = (0..1_000).map(|_| entropy.bits()).collect();
        assert_eq!(drawn.len(), 1_000);
        assert!(!drawn.contains(&0));
    }
}
