//! The clock and the randomness of the machine.

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

/// The machine's randomness, through aws-lc.
#[derive(Default)]
pub(crate) struct SystemEntropy(SystemRandom);

impl Entropy for SystemEntropy {
    #[expect(clippy::expect_used, reason = "without randomness nothing here is safe: stop rather than go on")]
    fn bits(&self) -> u128 {
        let mut bytes = [0; 16];
        self.0.fill(&mut bytes).expect("the system gives randomness");
        u128::from_ne_bytes(bytes)
    }
}
