//! What is found out of a server, for as long as it is true of the same words.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use model::{Digest, ServerName};

/// One thing for each server, with the digest of what it was made of.
pub(crate) struct Kept<Thing>(Mutex<HashMap<ServerName, (Digest, Arc<Thing>)>>);

impl<Thing> Default for Kept<Thing> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<Thing> Kept<Thing> {
    /// The thing that was made of this, or else a new one. It is made without the lock: others are not kept waiting.
    pub(crate) fn of(&self, server: &ServerName, made_of: Digest, make: impl FnOnce() -> Thing) -> Arc<Thing> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(server).cloned();
        if let Some((_, thing)) = known.filter(|(digest, _)| *digest == made_of) {
            return thing;
        }
        let thing = Arc::new(make());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(server.clone(), (made_of, Arc::clone(&thing)));
        thing
    }

    /// Forgets the things of other servers.
    pub(crate) fn keep(&self, there: &HashSet<&ServerName>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|server, _| there.contains(server));
    }
}

#[cfg(test)]
mod tests;
