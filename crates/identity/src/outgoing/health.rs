//! How the credentials of a server are, for those who look after it.

use std::collections::BTreeMap;

use model::{Change, ServerName, Timestamp};

use super::{About, Failure, KeepError, Outgoing, Which, locked};

/// The credential of one holder, without anything that opens anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Whose it is: `shared`, `user ana`, `agent nightly`.
    pub holder: String,
    /// What somebody agreed to, and is kept; none where the gate asks for itself.
    pub kept: Option<Agreed>,
    /// When the one that is in use was given out; none if none is.
    pub obtained: Option<Timestamp>,
    /// When that one is renewed; none if it is used for as long as it is taken.
    pub renew_at: Option<Timestamp>,
    /// How the last attempt to get one failed, unless one was had since.
    pub failure: Option<Failure>,
}

/// What somebody agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// Who gave it out.
    pub issuer: String,
    /// The scopes that were asked for.
    pub requested: Vec<String>,
    /// The scopes that it has.
    pub granted: Vec<String>,
    /// Who brought it about.
    pub by: String,
    /// When.
    pub connected: Timestamp,
    /// When it was renewed last.
    pub renewed: Timestamp,
    /// When it is over, unless it is renewed.
    pub expires: Option<Timestamp>,
}

impl Outgoing {
    /// How the credentials of a server are, by holder: those that are kept, and those that are held or failed of late.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn health(&self, server: &ServerName) -> Result<Vec<Health>, KeepError> {
        let mut told: BTreeMap<String, Health> = BTreeMap::new();
        for (holder, about, _) in self.keeper.known_of(server).await? {
            let Some(About { issuer, requested, granted, by, connected, obtained, expires, .. }) = About::read(&about)
            else {
                continue;
            };
            let kept = Some(Agreed { issuer, requested, granted, by, connected, renewed: obtained, expires });
            told.insert(holder.clone(), Health { holder, kept, ..Health::default() });
        }
        let slots = locked(&self.slots);
        for (key, slot) in slots.iter().filter(|(key, _)| key.server == *server) {
            let (times, failure) = (slot.times(), slot.failure());
            if times.is_none() && failure.is_none() {
                continue;
            }
            let holder = key.holder.to_string();
            let health = told.entry(holder.clone()).or_insert_with(|| Health { holder, ..Health::default() });
            if let Some((obtained, renew_at)) = times.filter(|(obtained, _)| health.obtained < Some(*obtained)) {
                (health.obtained, health.renew_at) = (Some(obtained), renew_at);
            }
            health.failure = failure.or(health.failure.take());
        }
        Ok(told.into_values().collect())
    }

    /// Wraps kept credentials' keys anew; returns how many are wrapped otherwise than before.
    ///
    /// # Errors
    /// The first that cannot be wrapped anew.
    pub async fn rewrap(&self, which: Which) -> Result<usize, KeepError> {
        self.keeper.rewrap(which).await
    }

    /// Notes for its receipt that somebody had so many things wrapped anew.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn note_rewrapped(&self, count: usize, change: Change) -> Result<(), KeepError> {
        self.keeper.note_rewrapped(count, change).await
    }
}
