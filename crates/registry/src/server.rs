//! A submitted server and where it stands.

use model::{Actor, Change, Digest, ServerName, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Observed, Pins, ServerManifest};

/// Where a server stands with the people who approve servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Submitted, and not approved yet or no longer: unreachable.
    Submitted,
    /// Approved: its pinned definitions can be used.
    Approved,
    /// Approved once and taken out of service: unreachable.
    Suspended,
}

impl Standing {
    /// The word used in documents, the API and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Suspended => "suspended",
        }
    }
}

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

impl From<&Change> for Mark {
    fn from(change: &Change) -> Self {
        Self { by: change.actor.clone(), at: change.at }
    }
}

/// Who suspended a server, when, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// Why, in their words.
    pub reason: Option<String>,
}

/// How it came to be known that a server shows something else than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noticed {
    /// Who looked.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// What made them look: that the server told of a change, that its time was up.
    pub reason: Option<String>,
}

/// A submitted server: what people said of it, what the gate saw of it, what people approved.
///
/// The changes of its standing are methods here, pure, so that every store makes the same ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// What was submitted.
    pub manifest: ServerManifest,
    /// Where it stands.
    pub standing: Standing,
    /// What was approved last. Kept when void, so that the difference can be shown.
    pub pins: Option<Pins>,
    /// What was seen last, under the manifest's present identity.
    pub observed: Option<Observed>,
    /// Who submitted the manifest as it is now.
    pub submitted: Mark,
    /// Who approved last.
    pub approved: Option<Mark>,
    /// Who suspended it, while it is suspended.
    pub suspended: Option<Suspension>,
    /// How what is observed came to be known; none where nothing is.
    pub noticed: Option<Noticed>,
}

/// Why a change of a server's standing is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StandingError {
    /// Nothing was observed since the manifest was submitted.
    #[error("server `{0}` was not seen yet: check it first, and read what it offers")]
    Unseen(ServerName),
    /// The approver read something else than what was seen last.
    #[error("server `{server}` now shows definitions {found:?}, not the {seen:?} you read: read them again")]
    SeenOther {
        /// The server.
        server: ServerName,
        /// What the approver read.
        seen: Digest,
        /// What was observed last.
        found: Digest,
    },
    /// The server must be approved for this.
    #[error("server `{server}` is {standing}, so it cannot be {verb}", standing = .standing.as_str())]
    Standing {
        /// The server.
        server: ServerName,
        /// Where it stands.
        standing: Standing,
        /// What was asked for, as a participle.
        verb: &'static str,
    },
    /// The observation is of another server than the manifest names now.
    #[error("server `{0}` was submitted anew in the meantime: check it again")]
    IdentityChanged(ServerName),
}

impl Server {
    /// A server just submitted.
    pub fn submit(manifest: ServerManifest, change: &Change) -> Self {
        Self {
            manifest,
            standing: Standing::Submitted,
            pins: None,
            observed: None,
            submitted: Mark::from(change),
            approved: None,
            suspended: None,
            noticed: None,
        }
    }

    /// Replaces the manifest. Another identity is another server: what was seen of the old one is forgotten and its
    /// approval no longer counts. A suspension stays, whatever is submitted.
    pub fn resubmit(&mut self, manifest: ServerManifest, change: &Change) {
        if manifest.identity() != self.manifest.identity() {
            (self.observed, self.noticed) = (None, None);
            self.standing = match self.standing {
                Standing::Submitted | Standing::Approved => Standing::Submitted,
                Standing::Suspended => Standing::Suspended,
            };
        }
        self.manifest = manifest;
        self.submitted = Mark::from(change);
    }

    /// Records what was seen under `identity`; returns whether the definitions differ from those seen before.
    ///
    /// # Errors
    /// When the manifest has another identity by now.
    pub fn observe(&mut self, identity: Digest, observed: Observed, change: &Change) -> Result<bool, StandingError> {
        if identity != self.manifest.identity() {
            return Err(StandingError::IdentityChanged(self.manifest.name.clone()));
        }
        let changed = self.observed.as_ref().is_none_or(|before| before.digest != observed.digest);
        if changed {
            let (by, reason) = (change.actor.clone(), change.reason.clone());
            self.noticed = Some(Noticed { by, at: observed.at, reason });
        }
        self.observed = Some(observed);
        Ok(changed)
    }

    /// Pins what was seen last.
    ///
    /// # Errors
    /// When it was not seen, when it is not what the approver read, or while it is suspended.
    pub fn approve(&mut self, seen: Digest, change: &Change) -> Result<(), StandingError> {
        let server = self.manifest.name.clone();
        if self.standing == Standing::Suspended {
            return Err(StandingError::Standing { server, standing: self.standing, verb: "approved" });
        }
        let Some(observed) = &self.observed else {
            return Err(StandingError::Unseen(server));
        };
        if observed.digest != seen {
            return Err(StandingError::SeenOther { server, seen, found: observed.digest });
        }
        let definitions = observed.definitions.clone();
        self.pins = Some(Pins { definitions, identity: self.manifest.identity(), digest: seen });
        self.standing = Standing::Approved;
        self.approved = Some(Mark::from(change));
        Ok(())
    }

    /// Takes an approved server out of service.
    ///
    /// # Errors
    /// When it is not approved.
    pub fn suspend(&mut self, change: &Change) -> Result<(), StandingError> {
        if self.standing != Standing::Approved {
            let server = self.manifest.name.clone();
            return Err(StandingError::Standing { server, standing: self.standing, verb: "suspended" });
        }
        self.standing = Standing::Suspended;
        self.suspended = Some(Suspension { by: change.actor.clone(), at: change.at, reason: change.reason.clone() });
        Ok(())
    }

    /// Ends a suspension: approved if the pins still hold, otherwise submitted.
    ///
    /// # Errors
    /// When it is not suspended.
    pub fn resume(&mut self) -> Result<(), StandingError> {
        if self.standing != Standing::Suspended {
            let server = self.manifest.name.clone();
            return Err(StandingError::Standing { server, standing: self.standing, verb: "resumed" });
        }
        self.standing = if self.pins_hold() { Standing::Approved } else { Standing::Submitted };
        self.suspended = None;
        Ok(())
    }

    /// The pins, if the server is in service: approved, under the identity it has now.
    pub fn in_service(&self) -> Option<&Pins> {
        let pins = self.pins.as_ref()?;
        (self.standing == Standing::Approved && self.pins_hold()).then_some(pins)
    }

    fn pins_hold(&self) -> bool {
        self.pins.as_ref().is_some_and(|pins| pins.identity == self.manifest.identity())
    }
}

#[cfg(test)]
mod tests;
