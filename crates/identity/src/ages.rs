//! How old the keys are that somebody keeps for servers, and when another one is due.
//!
//! A key is as old as its text: a file's date says when it was written, which whoever copies it changes. What is remembered
//! is a digest of the text, sealed by the vault, with the moment since when it is known; a file that was older than that when
//! it was first seen is as old as it says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use model::{Clock, Digest, Secret, SecretReference, ServerName, Timestamp};
use serde_json::{Value, json};

use crate::outgoing::{KeepError, Keeper};
use crate::port::{Credentials, Place};
use crate::secrets::{opened, read_secret};
use crate::vault::Vault;

/// Milliseconds of a day.
const DAY: u64 = 24 * 60 * 60_000;

/// The ages of servers' keys.
pub struct Ages {
    keeper: Keeper,
    clock: Arc<dyn Clock>,
    known: Mutex<BTreeMap<ServerName, Known>>,
}

struct Known {
    digest: Digest,
    age: Age,
    /// When it was last said that it is late.
    said: Option<Timestamp>,
}

/// How old one key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    /// Since when it has been the same.
    pub since: Timestamp,
    /// When another one is due, if somebody said.
    pub due: Option<Timestamp>,
}

impl Age {
    /// Milliseconds by which another one is late.
    pub fn late(self, now: Timestamp) -> Option<u64> {
        self.due.filter(|due| *due < now).map(|due| now.milliseconds_since(due))
    }
}

impl Ages {
    /// What it is kept under in the credentials of a server.
    const HOLDER: &str = "key";

    /// Ages that `vault` seals and `port` keeps.
    pub fn new(vault: Vault, port: Arc<dyn Credentials>, clock: Arc<dyn Clock>) -> Self {
        Self { keeper: Keeper::new(vault, port), clock, known: Mutex::default() }
    }

    /// Looks at the key of a server, which is replaced after `days`. One that cannot be read has no age.
    ///
    /// # Errors
    /// When what is remembered of it cannot be read or kept.
    pub async fn look(
        &self,
        server: &ServerName,
        key: &SecretReference,
        base: &Path,
        days: Option<u32>,
    ) -> Result<(), KeepError> {
        let Ok(secret) = read_secret(key, base) else {
            self.known().remove(server);
            return Ok(());
        };
        let digest = Digest::of(format!("key of {server}\n{}", opened(&secret).as_str()).as_bytes());
        let before = self.known().get(server).filter(|known| known.digest == digest).map(|known| known.age.since);
        let since = match before {
            Some(since) => since,
            None => self.remembered(server, digest, written(key, base)).await?,
        };
        let due = days.map(|days| Timestamp(since.0.saturating_add(u64::from(days).saturating_mul(DAY))));
        let age = Age { since, due };
        let mut known = self.known();
        let said = known.get(server).filter(|before| before.age == age).and_then(|before| before.said);
        known.insert(server.clone(), Known { digest, age, said });
        Ok(())
    }

    /// Forgets servers that have no such key any more.
    pub fn keep(&self, has_one: impl Fn(&ServerName) -> bool) {
        self.known().retain(|server, _| has_one(server));
    }

    /// How old the key of a server is.
    pub fn of(&self, server: &ServerName) -> Option<Age> {
        self.known().get(server).map(|known| known.age)
    }

    /// How old every key is.
    pub fn all(&self) -> Vec<(ServerName, Age)> {
        self.known().iter().map(|(server, known)| (server.clone(), known.age)).collect()
    }

    /// The servers whose keys are late, each once a day, with the days.
    pub fn late(&self) -> Vec<(ServerName, u64)> {
        let now = self.clock.now();
        let mut late = Vec::new();
        for (server, known) in self.known().iter_mut() {
            let is_said = known.said.is_some_and(|said| now.milliseconds_since(said) < DAY);
            if let Some(by) = known.age.late(now).filter(|_| !is_said) {
                known.said = Some(now);
                late.push((server.clone(), by / DAY));
            }
        }
        late
    }

    /// Since when the key is known; from now on, if it is another one than was known.
    async fn remembered(
        &self,
        server: &ServerName,
        digest: Digest,
        written: Option<Timestamp>,
    ) -> Result<Timestamp, KeepError> {
        let place = Place { owner: Place::owner_of(server), holder: Self::HOLDER.to_owned() };
        let kept = self.keeper.read(&place).await?;
        let digest = Secret::new(digest.to_string());
        let since = kept.and_then(|kept| {
            let is_same = kept.first.is_some_and(|known| opened(&known) == opened(&digest));
            kept.about.get("since").and_then(Value::as_u64).filter(|_| is_same)
        });
        if let Some(since) = since {
            return Ok(Timestamp(since));
        }
        let now = self.clock.now();
        let since = written.map_or(now, |written| written.min(now));
        self.keeper.note(place, &json!({ "since": since.0 }), &digest, now).await?;
        Ok(since)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<ServerName, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the file of a key was written; a variable does not say.
fn written(key: &SecretReference, base: &Path) -> Option<Timestamp> {
    let SecretReference::File(path) = key else { return None };
    let modified = std::fs::metadata(base.join(path)).and_then(|file| file.modified()).ok()?;
    let since = modified.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp(u64::try_from(since.as_millis()).ok()?))
}

#[cfg(test)]
mod tests;
