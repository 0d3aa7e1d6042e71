//! What every change made through the API has in common: who, when, why, and the wait until it is in effect.

use std::time::Duration;

use model::{Change, Expected, Revision, limits};
use tokio::sync::watch::Receiver;

use crate::fault::{Code, Fault};
use crate::view::Done;
use crate::{Admin, Person};

impl Admin {
    /// A change by this person, now.
    pub(crate) fn change(&self, person: &Person, expected: Expected, reason: Option<String>) -> Result<Change, Fault> {
        let unfit = |reason: &String| {
            reason.len() > limits::REASON_BYTES_MAX || reason.chars().any(|c| c.is_control() && c != '\n')
        };
        if reason.as_ref().is_some_and(unfit) {
            let most = limits::REASON_BYTES_MAX;
            return Err(Fault::new(Code::RequestInvalid, format!("a reason is at most {most} bytes of plain text")));
        }
        Ok(Change { actor: person.who.clone(), expected, at: self.clock.now(), reason })
    }

    /// What a change answers, once the data path goes by it or the wait was long enough.
    pub(crate) async fn done(&self, revision: Revision) -> Done {
        Done { revision: revision.0, in_effect: reached(self.published.clone(), revision).await, note: None }
    }

    /// The revision the data path goes by.
    pub(crate) fn in_effect(&self) -> Revision {
        *self.published.borrow()
    }
}

/// Waits for a revision, for at most [`limits::IN_EFFECT_MILLISECONDS_MAX`]; says whether it came.
async fn reached(mut published: Receiver<Revision>, revision: Revision) -> bool {
    let limit = Duration::from_millis(limits::IN_EFFECT_MILLISECONDS_MAX);
    let waited = tokio::time::timeout(limit, published.wait_for(|now| *now >= revision)).await;
    // The sender is gone only while the gate stops; then nothing is in effect any more.
    matches!(waited, Ok(Ok(_)))
}

#[cfg(test)]
mod tests;
