//! Counts those who were refused before anyone was authenticated, so that they cannot fill the disk with receipts.

use std::collections::{HashMap, VecDeque};

use model::{Reason, limits};

use crate::record::Strangers;

/// Characters of a source that are kept.
const SOURCE_CHARS_MAX: usize = 64;
/// The source of all who came when too many were told apart already.
const ELSEWHERE: &str = "elsewhere";

/// A bounded count of arrivals by source and reason, given out in the order in which the sources first came.
#[derive(Debug, Default)]
pub struct Tally {
    counts: HashMap<(String, Reason), u64>,
    order: VecDeque<(String, Reason)>,
}

impl Tally {
    /// Counts an arrival.
    pub fn count(&mut self, source: &str, reason: Reason) {
        let mut key = (source.chars().take(SOURCE_CHARS_MAX).collect::<String>(), reason);
        if !self.counts.contains_key(&key) && self.counts.len() >= limits::STRANGERS_MAX {
            key.0 = ELSEWHERE.to_owned();
        }
        if let Some(count) = self.counts.get_mut(&key) {
            *count = count.saturating_add(1);
            return;
        }
        self.order.push_back(key.clone());
        self.counts.insert(key, 1);
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Takes out at most `most` counts, the oldest first.
    pub fn drain(&mut self, most: usize) -> Vec<Strangers> {
        let keys = self.order.drain(..most.min(self.order.len()));
        let counts = &mut self.counts;
        keys.filter_map(|key| {
            let count = counts.remove(&key)?;
            Some(Strangers { source: key.0, reason: key.1, count })
        })
        .collect()
    }
}

#[cfg(test)]
mod tests;
