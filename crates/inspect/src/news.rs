//! Where a reading says something else than those that were shown before it.
//!
//! A long text with one escape in it has two readings that are the same but for a few bytes. What stands elsewhere was seen
//! in the first one; so the second is looked at near those places alone.

use std::ops::Range;

use crate::map::{Map, Turn};

/// The places of a reading that are new, in order; or all of it.
#[derive(Debug)]
pub(crate) struct News(Option<Vec<usize>>);

impl News {
    /// Nothing of it was shown before.
    pub(crate) const ALL: Self = Self(None);

    /// These places alone, which come in order.
    pub(crate) fn at(places: Vec<usize>) -> Self {
        Self(Some(places))
    }

    /// Whether something new stands in the range or at its borders.
    pub(crate) fn is_in(&self, range: &Range<usize>) -> bool {
        self.0.as_ref().is_none_or(|places| {
            let first = places.partition_point(|place| *place < range.start);
            places.get(first).is_some_and(|place| *place <= range.end)
        })
    }

    /// What was new, where it stands in the reading that the map is of.
    pub(crate) fn carried(&self, map: &Map) -> Self {
        let (Some(places), Map::Pieces(turns)) = (&self.0, map) else { return Self::ALL };
        Self(Some(places.iter().map(|place| forward(turns, *place)).collect()))
    }

    /// Where something was undone in the reading that the map is of.
    pub(crate) fn made_by(map: &Map) -> Self {
        match map {
            Map::Whole(_) => Self::ALL,
            Map::Pieces(turns) => Self(Some(turns.iter().map(|turn| turn.after).collect())),
        }
    }

    /// What is new by either.
    pub(crate) fn or(self, other: Self) -> Self {
        let (Some(mut places), Some(others)) = (self.0, other.0) else { return Self::ALL };
        places.extend(others);
        places.sort_unstable();
        places.dedup();
        Self(Some(places))
    }
}

/// Where a place of the text stands in the reading that was made of it; the beginning or the end of what stands for it.
fn forward(turns: &[Turn], place: usize) -> usize {
    let after = turns.partition_point(|turn| turn.before <= place);
    let moved = match after.checked_sub(1).and_then(|index| turns.get(index)) {
        Some(turn) => turn.after + (place - turn.before),
        None => place,
    };
    turns.get(after).map_or(moved, |next| moved.min(next.after))
}

#[cfg(test)]
mod tests;
