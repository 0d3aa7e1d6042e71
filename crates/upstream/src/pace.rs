//! How fast a server is listened to that speaks unasked: one that says more waits, and nobody else does.

use std::time::Duration;

use model::limits;
use tokio::time::{Instant, sleep_until};

const SECOND: Duration = Duration::from_secs(1);

/// What was heard in the second that is going on.
#[derive(Debug)]
pub(crate) struct Pace {
    began: Instant,
    heard: u64,
}

impl Pace {
    /// Nothing was heard yet.
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), heard: 0 }
    }

    /// Notes one message.
    pub(crate) fn heard(&mut self) {
        self.heard += 1;
    }

    /// Waits until more may be heard. Dropping the future loses nothing: the next one goes on waiting where it stopped.
    pub(crate) async fn next(&mut self) {
        if self.heard < limits::HEARD_PER_SECOND_MAX {
            return;
        }
        let over = self.began + SECOND;
        sleep_until(over).await;
        *self = Self { began: Instant::now(), heard: 0 };
    }
}

#[cfg(test)]
mod tests;
