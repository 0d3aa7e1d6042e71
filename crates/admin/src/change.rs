//! What every change made through the API has in common: who, when, why, and the wait until it is in effect.

use std::time::Duration;

use model::{Change, Expected, Revision, limits};

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
        Ok(Change { actor: person.actor(), expected, at: self.clock.now(), reason })
    }

    /// Waits until the data path goes by a revision, for at most [`limits::IN_EFFECT_MILLISECONDS_MAX`].
    pub(crate) async fn done(&self, revision: Revision) -> Done {
        let limit = Duration::from_millis(limits::IN_EFFECT_MILLISECONDS_MAX);
        let mut published = self.published.clone();
        let waited = tokio::time::timeout(limit, published.wait_for(|now| *now >= revision)).await;
        // The sender is gone only while the gate stops; then nothing is in effect any more.
        Done { revision: revision.0, in_effect: matches!(waited, Ok(Ok(_))) }
    }

    /// The revision the data path goes by.
    pub(crate) fn in_effect(&self) -> Revision {
        *self.published.borrow()
    }
}
