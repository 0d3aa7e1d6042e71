//! How often an address may ask in a minute. What it asks for costs a write to the disk, or a question to somebody else.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use model::{Timestamp, limits};

/// Requests of the minute that runs, by address.
#[derive(Default)]
pub(crate) struct Sources(Mutex<Minute>);

#[derive(Default)]
struct Minute {
    began: u64,
    asked: HashMap<IpAddr, u32>,
    /// Those of addresses beyond the ones that are counted apart.
    others: u32,
}

impl Sources {
    /// Counts a request; returns whether it is answered.
    pub(crate) fn admits(&self, source: IpAddr, now: Timestamp) -> bool {
        let minute = now.0 / 60_000;
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.began != minute {
            *counts = Minute { began: minute, ..Minute::default() };
        }
        let is_apart = counts.asked.len() < limits::FACADE_SOURCES_MAX || counts.asked.contains_key(&source);
        let count = if is_apart { counts.asked.entry(source).or_default() } else { &mut counts.others };
        *count = count.saturating_add(1);
        *count <= limits::FACADE_REQUESTS_PER_MINUTE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_asks_too_often_waits_for_the_next_minute_and_others_do_not() {
        let sources = Sources::default();
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let now = Timestamp(600_000);
        for _ in 0..limits::FACADE_REQUESTS_PER_MINUTE {
            assert!(sources.admits(one, now));
        }
        assert!(!sources.admits(one, now));
        assert!(sources.admits(other, now));
        assert!(sources.admits(one, Timestamp(660_000)));
    }
}
