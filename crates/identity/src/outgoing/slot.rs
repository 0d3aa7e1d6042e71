//! One credential in memory, and whose turn it is to renew it.

use std::collections::BTreeSet;
use std::sync::Mutex;

use model::{Secret, Timestamp};

use super::{Challenge, locked};
use crate::{Credential, CredentialError};

/// The place in memory for the credential of one server and holder.
#[derive(Default)]
pub(super) struct Slot {
    state: Mutex<State>,
    /// Held by whoever renews it; the others wait, and find it renewed.
    pub(super) turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    noted: Noted,
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

    pub(super) fn hold(&self, held: Held) {
        locked(&self.state).held = Some(held);
    }

    /// Forgets everything: somebody connected the server anew, or disconnected it.
    pub(super) fn clear(&self) {
        let mut state = locked(&self.state);
        let asked = std::mem::take(&mut state.noted.asked);
        *state = State { held: None, noted: Noted { asked, ..Noted::default() } };
    }

    pub(super) fn noted(&self) -> Noted {
        locked(&self.state).noted.clone()
    }

    /// What was asked for, so that it is not asked for in vain again.
    pub(super) fn asked_for(&self, scope: &str) {
        locked(&self.state).noted.asked =
            scope.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    }

    pub(super) fn refused(&self, challenge: &Challenge) {
        let mut state = locked(&self.state);
        let State { held, noted } = &mut *state;
        let scopes: BTreeSet<String> = challenge.scopes.iter().flatten().cloned().collect();
        if challenge.wants_more() {
            if scopes.is_subset(&noted.asked) {
                // It was asked for, and the token is what came of it: another one would be no better.
                return;
            }
            noted.wanted = &noted.asked | &scopes;
        } else if let Some(held) = &*held {
            noted.doubted = Some(held.obtained);
        }
        noted.challenge = Some(challenge.clone());
        *held = None;
    }
}
