//! One credential in memory, and whose turn it is to renew it.

use std::collections::BTreeSet;
use std::sync::Mutex;

use model::{Secret, Timestamp, limits};

use super::{Challenge, locked};
use crate::{Credential, CredentialError};

/// The place in memory for the credential of one server and holder.
#[derive(Default)]
pub(super) struct Slot {
    state: Mutex<State>,
    /// Held by whoever renews it; the others wait, and find it renewed.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// Told when somebody connected it.
    pub(super) connected: tokio::sync::Notify,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    noted: Noted,
    /// When a credential was last given up because the server did not take it.
    given_up: Option<Timestamp>,
    attempts: u64,
    failure: Option<Failure>,
    /// How often everything was forgotten.
    cleared: u64,
}

/// How the last attempt to get the credential failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Why, for operators. It holds no secret.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// A credential, ready to be written.
pub(super) struct Held {
    pub(super) credential: Credential,
    renew_at: Option<Timestamp>,
    obtained: Timestamp,
}

/// What the server said of the credentials it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Noted {
    /// Scopes that it asked for.
    pub(super) wanted: BTreeSet<String>,
    /// It did not take the credential that was obtained then, or an older one.
    pub(super) doubted: Option<Timestamp>,
    /// Its last challenge.
    pub(super) challenge: Option<Challenge>,
    /// What was asked for the last time.
    pub(super) asked: BTreeSet<String>,
}

impl Held {
    pub(super) fn new(
        token: &Secret<String>,
        renew_at: Option<Timestamp>,
        obtained: Timestamp,
    ) -> Result<Self, CredentialError> {
        Ok(Self { credential: Credential::new("authorization", Some("Bearer"), token)?, renew_at, obtained })
    }
}

impl Slot {
    /// The credential, while it need not be renewed.
    pub(super) fn usable(&self, now: Timestamp) -> Option<Credential> {
        let state = locked(&self.state);
        let held = state.held.as_ref().filter(|held| held.renew_at.is_none_or(|renew_at| now < renew_at))?;
        Some(held.credential.clone())
    }

    /// The credential, whether or not it should be renewed.
    pub(super) fn held(&self) -> Option<Credential> {
        locked(&self.state).held.as_ref().map(|held| held.credential.clone())
    }

    /// How often everything was forgotten, for [`Self::hold`].
    pub(super) fn cleared(&self) -> u64 {
        locked(&self.state).cleared
    }

    /// Holds what was obtained, unless everything was forgotten since: it may be of the account from before.
    pub(super) fn hold(&self, held: Held, cleared: u64) {
        let mut state = locked(&self.state);
        if state.cleared == cleared {
            state.held = Some(held);
            state.failure = None;
        }
    }

    /// When the credential was given out, and when it is renewed.
    pub(super) fn times(&self) -> Option<(Timestamp, Option<Timestamp>)> {
        locked(&self.state).held.as_ref().map(|held| (held.obtained, held.renew_at))
    }

    /// How many attempts to get the credential have failed.
    pub(super) fn attempts(&self) -> u64 {
        locked(&self.state).attempts
    }

    pub(super) fn failed(&self, why: String, at: Timestamp) {
        let mut state = locked(&self.state);
        state.attempts = state.attempts.wrapping_add(1);
        state.failure = Some(Failure { why, at });
    }

    /// How the last attempt failed, if it did.
    pub(super) fn failure(&self) -> Option<Failure> {
        locked(&self.state).failure.clone()
    }

    /// Forgets everything: somebody connected the server anew, or disconnected it.
    pub(super) fn clear(&self) {
        let mut state = locked(&self.state);
        let asked = std::mem::take(&mut state.noted.asked);
        let (attempts, cleared) = (state.attempts, state.cleared.wrapping_add(1));
        *state = State { noted: Noted { asked, ..Noted::default() }, attempts, cleared, ..State::default() };
    }

    pub(super) fn noted(&self) -> Noted {
        locked(&self.state).noted.clone()
    }

    /// What was asked for, so that it is not asked for in vain again.
    pub(super) fn asked_for(&self, scope: &str) {
        locked(&self.state).noted.asked =
            scope.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    }

    /// A token that is not taken is given up, but not one after the other: a server that takes none would have the gate ask
    /// for tokens without end, and of many calls that went with the same one, only the first says something new.
    pub(super) fn refused(&self, challenge: &Challenge, now: Timestamp) {
        let mut state = locked(&self.state);
        let State { held, noted, given_up, .. } = &mut *state;
        let scopes: BTreeSet<String> = challenge.scopes.iter().flatten().cloned().collect();
        if challenge.wants_more() {
            if scopes.is_subset(&noted.asked) {
                // It was asked for, and the token is what came of it: another one would be no better.
                return;
            }
            noted.wanted = &noted.asked | &scopes;
        } else if let Some(held) = &*held {
            if given_up.is_some_and(|at| now.milliseconds_since(at) < limits::CREDENTIAL_RETRY_MILLISECONDS) {
                return;
            }
            *given_up = Some(now);
            noted.doubted = Some(held.obtained);
        }
        noted.challenge = Some(challenge.clone());
        *held = None;
    }
}
