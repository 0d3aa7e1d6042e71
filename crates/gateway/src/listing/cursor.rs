//! Where a list of pinned definitions goes on.
//!
//! A cursor is a place in the list, sealed: it counts definitions that its holder does not see, and that number is nobody's
//! business. It is good for whom it was given to, at that endpoint, for that list, at that revision of the state; after a
//! change the list is another one, and half of the one with half of the other would be neither.

use identity::Seal;
use model::{Reason, Refusal, Revision, SessionKey};

use super::view::List;
use crate::controls::connect::Connected;
use crate::holder;

/// Makes and reads cursors.
pub struct Cursors(Seal);

impl Cursors {
    /// Cursors that `seal` seals; it must seal nothing else.
    pub fn new(seal: Seal) -> Self {
        Self(seal)
    }

    /// The cursor of a place.
    ///
    /// # Errors
    /// [`Reason::Internal`] when it could not be sealed.
    pub(crate) fn at(&self, connected: &Connected, list: List, place: usize) -> Result<String, Refusal> {
        let (owner, revision) = (connected.caller.session_key(), connected.snapshot.revision);
        let sealed = self.0.seal(content(revision, place), &bound(&owner, connected.door.name.as_str(), list));
        sealed.ok_or_else(|| Refusal::new(Reason::Internal, "a cursor could not be sealed"))
    }

    /// The place of a cursor.
    ///
    /// # Errors
    /// [`Reason::ParamsInvalid`] for one that was not given to this caller for this list, or at another revision.
    pub(crate) fn find(&self, connected: &Connected, list: List, cursor: &str) -> Result<usize, Refusal> {
        let owner = connected.caller.session_key();
        let content = self.0.open(cursor, &bound(&owner, connected.door.name.as_str(), list));
        let content = content.ok_or_else(|| {
            Refusal::new(Reason::ParamsInvalid, "a cursor that the gate did not give for this list")
                .with_hint("unknown cursor")
        })?;
        match place(content, connected.snapshot.revision) {
            Some(place) => Ok(place),
            None => Err(Refusal::new(Reason::ParamsInvalid, "a cursor of another revision of the state")
                .with_hint("what there is to list changed since this cursor was given: list again from the beginning")),
        }
    }
}

/// The revision above, the place below.
fn content(revision: Revision, place: usize) -> u128 {
    (u128::from(revision.0) << 64) | (place as u128)
}

fn place(content: u128, revision: Revision) -> Option<usize> {
    let place = content & u128::from(u64::MAX);
    (content >> 64 == u128::from(revision.0)).then(|| usize::try_from(place).ok()).flatten()
}

/// Whom and what it is for.
fn bound(owner: &SessionKey, endpoint: &str, list: List) -> Vec<u8> {
    holder::bound(owner, &[endpoint, list.key()])
}

#[cfg(test)]
mod tests;
