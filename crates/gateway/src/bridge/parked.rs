//! Calls that wait until their client has answered a question of the server's.
//!
//! The client holds a sealed handle to its call, good for the agent and user that made it, at its endpoint, for the very
//! same request, once. Whoever comes with it takes the whole path, and is decided on as it is then. A call that nobody may
//! go on with any more, or nobody does in time, is taken back at its server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{Object, Reason, Refusal, SessionKey, Timestamp, limits};
use wire::Id;
use wire::answer::Question;

use super::open::Open;
use crate::controls::connect::Connected;
use crate::controls::{authenticate, halted, visible};
use crate::gate::Gate;

/// Every call that waits, bounded.
#[derive(Default)]
pub(super) struct Parked {
    places: Mutex<HashMap<u128, Waiting>>,
}

/// One of them.
pub(super) struct Waiting {
    pub(super) open: Open,
    /// The server's id of its question.
    pub(super) question: Id,
    /// How it asks, and what.
    pub(super) method: &'static str,
    pub(super) asked: Question,
    pub(super) owner: SessionKey,
    /// Its caller, as it was when the question was put.
    pub(super) connected: Connected,
    pub(super) objects: Vec<Object>,
    pub(super) since: Timestamp,
}

impl Parked {
    /// Whether there is a place for one more call of this caller's.
    pub(super) fn has_room(&self, owner: &SessionKey) -> Result<(), Refusal> {
        let places = self.places();
        let own = places.values().filter(|waiting| waiting.owner == *owner).count();
        if places.len() >= limits::PARKED_CALLS_MAX || own >= limits::PARKED_CALLS_PER_CALLER_MAX {
            return Err(Refusal::new(Reason::Overloaded, "too many calls wait for an answer of their client"));
        }
        Ok(())
    }

    /// Has a call wait under this number.
    pub(super) fn put(&self, number: u128, waiting: Waiting) {
        self.places().insert(number, waiting);
    }

    /// Takes a call out: whoever comes second finds nothing.
    pub(super) fn take(&self, number: u128) -> Option<Waiting> {
        self.places().remove(&number)
    }

    /// Lets go of calls whose time is up, or with which nobody may go on.
    pub(super) fn sweep(&self, gate: &Gate) {
        let now = gate.clock.now();
        let mut gone = Vec::new();
        let mut places = self.places();
        let over = |waiting: &Waiting| {
            now.milliseconds_since(waiting.since) > limits::PARKED_MILLISECONDS_MAX
                || waiting.open.is_over()
                || may_go_on(gate, waiting, now).is_err()
        };
        let numbers: Vec<u128> =
            places.iter().filter(|(_, waiting)| over(waiting)).map(|(number, _)| *number).collect();
        gone.extend(numbers.into_iter().filter_map(|number| places.remove(&number)));
        drop(places);
        // Dropping them tells their servers.
        drop(gone);
    }

    /// How many wait.
    pub(super) fn count(&self) -> usize {
        self.places().len()
    }

    fn places(&self) -> MutexGuard<'_, HashMap<u128, Waiting>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the caller is still somebody who may do this, and nobody stopped or changed it.
fn may_go_on(gate: &Gate, waiting: &Waiting, now: Timestamp) -> Result<(), Refusal> {
    let Waiting { connected, objects, .. } = waiting;
    authenticate::still(gate, &connected.caller)?;
    let again = connected.again(Arc::clone(&gate.snapshots.load()), now)?;
    halted::again(&gate.halts, &again, objects)?;
    visible::again(connected, &again, objects, now)
}
