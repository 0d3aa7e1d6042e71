//! How one detector fares: how many questions are open, how often it failed, until when it is left alone.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use model::{Timestamp, limits};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;
use tokio::time::{Duration, timeout};

use crate::gate::Gate;

/// The way to one detector.
pub(super) struct Line {
    places: Semaphore,
    /// How long it is waited for.
    patience: Duration,
    /// Failures since it last answered.
    failures: AtomicU32,
    /// Until when it is left alone, in milliseconds.
    alone_until: AtomicU64,
}

/// Why a detector has not looked. The word is that of metrics and receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unseen {
    Busy,
    LeftAlone,
    TooLarge,
    TimedOut,
    Unreachable,
    Status(u16),
    Answer(&'static str),
}

impl Line {
    /// One on which so many questions may be open, each for so long.
    pub(super) fn new(questions: usize, patience: Duration) -> Self {
        let (failures, alone_until) = (AtomicU32::new(0), AtomicU64::new(0));
        Self { places: Semaphore::new(questions), patience, failures, alone_until }
    }

    /// Until when it is left alone, if it ever was.
    pub(super) fn left_alone_until(&self) -> Option<Timestamp> {
        let until = self.alone_until.load(Ordering::Relaxed);
        (until > 0).then_some(Timestamp(until))
    }

    /// Asks about a message of so many bytes, and waits for the answer no longer than may be.
    pub(super) fn ask<T>(
        &self,
        gate: &Gate,
        (bytes, now): (usize, Timestamp),
        exchange: impl Future<Output = Result<T, Unseen>>,
    ) -> Result<T, Unseen> {
        if now.0 < self.alone_until.load(Ordering::Relaxed) {
            return Err(Unseen::LeftAlone);
        }
        if bytes > limits::CALLOUT_BYTES_MAX {
            return Err(Unseen::TooLarge);
        }
        let _place = self.places.try_acquire().map_err(|_| Unseen::Busy)?;
        let in_time = async { timeout(self.patience, exchange).await.unwrap_or(Err(Unseen::TimedOut)) };
        let found = wait(gate, in_time).unwrap_or(Err(Unseen::Unreachable));
        match &found {
            Ok(_) => self.failures.store(0, Ordering::Relaxed),
            Err(_) => {
                let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
                if failures >= limits::CALLOUT_FAILURES_MAX {
                    // The one that is asked next decides: a single failure leaves it alone again.
                    self.failures.store(limits::CALLOUT_FAILURES_MAX - 1, Ordering::Relaxed);
                    let until = gate.clock.now().0.saturating_add(limits::CALLOUT_LEFT_ALONE_MILLISECONDS);
                    self.alone_until.store(until, Ordering::Relaxed);
                }
            }
        }
        found
    }
}

/// Waits for an answer, and lets others work meanwhile: on this thread's tasks, and in the place of a large message.
fn wait<T>(gate: &Gate, work: impl Future<Output = T>) -> Option<T> {
    let handle = Handle::try_current().ok()?;
    match handle.runtime_flavor() {
        RuntimeFlavor::MultiThread => {
            Some(tokio::task::block_in_place(|| handle.block_on(gate.large.without_place(work))))
        }
        // Nobody would be left to carry the question out.
        RuntimeFlavor::CurrentThread | _ => None,
    }
}

impl Unseen {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::LeftAlone => "left-alone",
            Self::TooLarge => "too-large",
            Self::TimedOut => "timed-out",
            Self::Unreachable => "unreachable",
            Self::Status(_) | Self::Answer(_) => "answer-unusable",
        }
    }

    pub(super) fn words(self) -> String {
        match self {
            Self::Busy => "as many questions as it is asked at once are open".to_owned(),
            Self::LeftAlone => "it failed several times, and is left alone for a while".to_owned(),
            Self::TooLarge => format!("the message is larger than {} bytes", limits::CALLOUT_BYTES_MAX),
            Self::TimedOut => "it did not answer in time".to_owned(),
            Self::Unreachable => "it cannot be reached, or its answer broke off or was too long".to_owned(),
            Self::Status(status) => format!("it answered {status}"),
            Self::Answer(why) => format!("its answer cannot be used: {why}"),
        }
    }
}
