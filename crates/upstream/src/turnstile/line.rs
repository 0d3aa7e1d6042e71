//! Whose turn it is: places at a server, and those who wait for one.
//!
//! Callers take turns, and each one's calls go in the order in which they came. What one caller can keep others from is
//! bounded: one that has half of the places gets no more of them while somebody else waits, and never the last quarter,
//! which is kept for those who have less. So whoever comes new finds a place at once, however many slow calls one caller
//! has there.

use std::collections::VecDeque;

use model::{Map, SessionKey, limits};

/// Places and those who wait for them. `Call` is what a waiting call leaves behind to be called by.
pub(super) struct Line<Call> {
    places: usize,
    taken: usize,
    /// How many places each caller has; who has none is not here.
    held: Map<SessionKey, usize>,
    /// The calls that wait, by caller; who waits for nothing is not here.
    waiting: Map<SessionKey, VecDeque<(u64, Call)>>,
    /// The callers that wait, whoever is next first.
    turns: VecDeque<SessionKey>,
    waits: usize,
    tickets: u64,
}

/// The line is as long as it may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl<Call> Line<Call> {
    /// `places` calls at once, one at least.
    pub(super) fn new(places: usize) -> Self {
        Self {
            places: places.max(1),
            taken: 0,
            held: Map::default(),
            waiting: Map::default(),
            turns: VecDeque::new(),
            waits: 0,
            tickets: 0,
        }
    }

    /// So many places from now on. Who has one keeps it.
    pub(super) fn set_places(&mut self, places: usize) {
        self.places = places.max(1);
    }

    pub(super) fn places(&self) -> usize {
        self.places
    }

    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    pub(super) fn waits(&self) -> usize {
        self.waits
    }

    /// Takes a place at once, if one is free and it is nobody else's turn.
    pub(super) fn take(&mut self, caller: &SessionKey) -> bool {
        // Whoever waits while a place is free has as many as it may have, so that nobody is overtaken here.
        let may = !self.waiting.contains_key(caller) && self.may_have(caller, self.turns.is_empty());
        if may {
            self.occupy(caller);
        }
        may
    }

    /// Stands in line, and gives the ticket by which to leave it.
    pub(super) fn wait(&mut self, caller: &SessionKey, call: Call) -> Result<u64, Full> {
        let own = self.waiting.get(caller).map_or(0, VecDeque::len);
        if self.waits >= limits::SERVER_WAITING_MAX || own >= limits::SERVER_WAITING_PER_CALLER_MAX {
            return Err(Full);
        }
        if own == 0 {
            self.turns.push_back(caller.clone());
        }
        self.tickets += 1;
        self.waits += 1;
        self.waiting.entry(caller.clone()).or_default().push_back((self.tickets, call));
        Ok(self.tickets)
    }

    /// Leaves the line, for a call that waits no longer. One that was called has left it already.
    pub(super) fn leave(&mut self, caller: &SessionKey, ticket: u64) {
        let Some(calls) = self.waiting.get_mut(caller) else { return };
        let before = calls.len();
        calls.retain(|(theirs, _)| *theirs != ticket);
        self.waits -= before - calls.len();
        if calls.is_empty() {
            self.waiting.remove(caller);
            self.turns.retain(|waiting| waiting != caller);
        }
    }

    /// Sends everybody away.
    pub(super) fn disperse(&mut self) -> Vec<Call> {
        self.turns.clear();
        self.waits = 0;
        self.waiting.drain().flat_map(|(_, calls)| calls).map(|(_, call)| call).collect()
    }

    /// Gives a place back.
    pub(super) fn give_back(&mut self, caller: &SessionKey) {
        self.taken = self.taken.saturating_sub(1);
        if let Some(held) = self.held.get_mut(caller) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                self.held.remove(caller);
            }
        }
    }

    /// Calls whoever is next, if there is a place for them. They have it from now on.
    pub(super) fn call(&mut self) -> Option<(SessionKey, Call)> {
        let alone = self.turns.len() == 1;
        let next = self.turns.iter().position(|caller| self.may_have(caller, alone))?;
        let caller = self.turns.remove(next)?;
        let calls = self.waiting.get_mut(&caller)?;
        let (_, call) = calls.pop_front()?;
        if calls.is_empty() {
            self.waiting.remove(&caller);
        } else {
            self.turns.push_back(caller.clone());
        }
        self.waits -= 1;
        self.occupy(&caller);
        Some((caller, call))
    }

    fn occupy(&mut self, caller: &SessionKey) {
        self.taken += 1;
        *self.held.entry(caller.clone()).or_default() += 1;
    }

    /// Whether the caller may have one place more; `alone` if nobody else wants one.
    fn may_have(&self, caller: &SessionKey, alone: bool) -> bool {
        let held = self.held.get(caller).copied().unwrap_or_default();
        let (half, kept) = (self.places.div_ceil(2), self.places / 4);
        self.taken < self.places && (held < half || (alone && self.taken < self.places - kept))
    }
}

#[cfg(test)]
mod tests;
