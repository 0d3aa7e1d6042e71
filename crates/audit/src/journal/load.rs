//! How loaded the gate is, told from how many callers wait for each flush.
//!
//! Under load the next records are on their way: a pause gathers them, and fewer flushes are paid for by all of them. Below
//! that a pause only makes callers wait. Callers come in bursts, so that one flush tells nothing; what counts is how many
//! waited for the last dozen or so.

use std::time::Duration;

use model::limits;

/// What the committing thread makes of its callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    level: Level,
    /// Sixteenths of a caller: how many wait for a flush, as a moving average over about [`MEMORY`] of them.
    crowd: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// A flush follows as soon as somebody waits for one.
    Light,
    /// Several callers share each flush.
    Busy,
    /// So many do that the processors, not the flushes, are what callers wait for: time spent on a flush is theirs.
    Full,
}

/// Flushes that the average remembers, and the parts of a caller that it counts.
const MEMORY: usize = 16;

impl Default for Load {
    fn default() -> Self {
        Self { level: Level::Light, crowd: 0 }
    }
}

impl Level {
    /// Callers for one flush below which the level is left for the one under it, and from which on for the one above. The
    /// same callers are more for each flush where flushes are rarer, so that each level is kept by more than it is entered
    /// with.
    fn bounds(self) -> (usize, usize) {
        match self {
            Self::Light => (0, 3),
            Self::Busy => (7, 10),
            Self::Full => (22, usize::MAX),
        }
    }
}

impl Load {
    /// The load after a flush for which so many callers waited.
    pub(super) fn after(self, awaited: usize) -> Self {
        let crowd = self.crowd.saturating_sub(self.crowd / MEMORY).saturating_add(awaited);
        let (least, most) = self.level.bounds();
        let level = match crowd {
            _ if crowd >= most.saturating_mul(MEMORY) => match self.level {
                Level::Light => Level::Busy,
                Level::Busy | Level::Full => Level::Full,
            },
            _ if crowd < least.saturating_mul(MEMORY) => match self.level {
                Level::Full => Level::Busy,
                Level::Busy | Level::Light => Level::Light,
            },
            _ => return Self { crowd, ..self },
        };
        // What was counted at another level says nothing about this one: it begins a quarter above its lower bound.
        let (least, _) = level.bounds();
        let crowd = least.saturating_mul(MEMORY).saturating_add(least.saturating_mul(MEMORY) / 4);
        Self { level, crowd }
    }

    /// How long the next records may gather.
    pub(super) fn pause(self) -> Option<Duration> {
        match self.level {
            Level::Light => None,
            Level::Busy => Some(Duration::from_micros(limits::JOURNAL_PAUSE_MICROSECONDS)),
            Level::Full => Some(Duration::from_micros(limits::JOURNAL_PAUSE_MICROSECONDS_MAX)),
        }
    }
}

#[cfg(test)]
mod tests;
