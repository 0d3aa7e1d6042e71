//! A submitted server and where it stands.
//!
//! ```text
//! draft ─► submitted ─► vetted ─► approved ─► suspended ─► …      any of them ─► retired
//!              ▲                                    any but a draft ─► quarantined
//!              └──────────────── released ◄────────────────────────────────┘
//! ```
//!
//! Start with [`Server`]: each arrow is a method of it, pure, so that every store makes the same ones.

mod lifecycle;

use std::sync::Arc;

use model::{Change, Digest, ServerName, Timestamp, limits};
use serde::{Deserialize, Serialize};

use crate::{Observed, Pins, ServerManifest};

pub use lifecycle::{
    Acceptance, Advisory, Approval, Cause, Consequence, Eyes, Lifecycle, Mark, Noticed, Reopening, Standing,
    Suspension, Warning,
};

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
    /// When that approval is over, if it has an end.
    pub expires: Option<Timestamp>,
    /// Who took it out of service, while it is suspended, quarantined or retired.
    pub suspended: Option<Suspension>,
    /// What became known of it since it was approved, the oldest first.
    pub warnings: Vec<Warning>,
    /// How what is observed came to be known; none where nothing is.
    pub noticed: Option<Noticed>,
    /// What of vetting's findings somebody accepted, at most one of each check.
    pub accepted: Vec<Acceptance>,
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
    /// Where it stands does not allow this.
    #[error("server `{server}` is {standing}, so it cannot be {verb}", standing = .standing.as_str())]
    Standing {
        /// The server.
        server: ServerName,
        /// Where it stands.
        standing: Standing,
        /// What was asked for, as a participle.
        verb: &'static str,
    },
    /// Who submitted it would approve it.
    #[error("server `{0}` was submitted by whoever would approve it: somebody else has to")]
    SameHands(ServerName),
    /// Something would be accepted, and nobody says why.
    #[error("say why what was found of server `{0}` is accepted")]
    Unexplained(ServerName),
    /// The approval would be over when it begins.
    #[error("the approval of server `{0}` would be over already")]
    Over(ServerName),
    /// The approval would be good for longer than the manifest says.
    #[error("the manifest of server `{server}` has it approved for at most {days} days")]
    TooLong {
        /// The server.
        server: ServerName,
        /// What the manifest says.
        days: u32,
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
            expires: None,
            suspended: None,
            warnings: Vec::new(),
            noticed: None,
            accepted: Vec::new(),
        }
    }

    /// A server that somebody still writes on: the gate does not look at it.
    pub fn draft(manifest: ServerManifest, change: &Change) -> Self {
        Self { standing: Standing::Draft, ..Self::submit(manifest, change) }
    }

    /// Replaces the manifest of a draft, which stays one.
    ///
    /// # Errors
    /// When it was submitted already.
    pub fn redraft(&mut self, manifest: ServerManifest, change: &Change) -> Result<(), StandingError> {
        if self.standing != Standing::Draft {
            return Err(self.cannot_be("drafted"));
        }
        *self = Self::draft(manifest, change);
        Ok(())
    }

    /// Replaces the manifest. Another identity is another server: what was seen of the old one is forgotten and its
    /// approval no longer counts. A suspension and a quarantine stay, whatever is submitted.
    ///
    /// # Errors
    /// When it is retired, which is final.
    pub fn resubmit(&mut self, manifest: ServerManifest, change: &Change) -> Result<(), StandingError> {
        let is_another = manifest.identity() != self.manifest.identity();
        self.standing = match self.standing {
            Standing::Retired => return Err(self.cannot_be("submitted")),
            Standing::Draft => Standing::Submitted,
            Standing::Vetted | Standing::Approved if is_another => Standing::Submitted,
            same @ (Standing::Submitted
            | Standing::Vetted
            | Standing::Approved
            | Standing::Suspended
            | Standing::Quarantined) => same,
        };
        if is_another {
            (self.observed, self.noticed) = (None, None);
        }
        self.manifest = manifest;
        self.submitted = Mark::from(change);
        Ok(())
    }

    /// Whether the gate may look at it: connect to it, or start it.
    ///
    /// # Errors
    /// When it is a draft, in quarantine or retired.
    pub fn may_be_seen(&self) -> Result<(), StandingError> {
        match self.standing {
            Standing::Draft | Standing::Quarantined | Standing::Retired => Err(self.cannot_be("looked at")),
            Standing::Submitted | Standing::Vetted | Standing::Approved | Standing::Suspended => Ok(()),
        }
    }

    /// Records what was seen under `identity`; returns whether anything is different from before.
    ///
    /// # Errors
    /// When the manifest has another identity by now, or nobody may look at it.
    pub fn observe(&mut self, identity: Digest, observed: Observed, change: &Change) -> Result<bool, StandingError> {
        if identity != self.manifest.identity() {
            return Err(StandingError::IdentityChanged(self.manifest.name.clone()));
        }
        self.may_be_seen()?;
        let changed = self.observed.as_ref().is_none_or(|before| before.digest != observed.digest);
        if changed {
            let (by, reason) = (change.actor.clone(), change.reason.clone());
            self.noticed = Some(Noticed { by, at: observed.at, reason });
        }
        self.observed = Some(observed);
        let is_first = self.standing == Standing::Submitted;
        if is_first {
            self.standing = Standing::Vetted;
        }
        Ok(changed || is_first)
    }

    /// Pins what was seen last. An approval also ends a suspension that came by itself; one that a person made, a person
    /// ends first.
    ///
    /// # Errors
    /// When it was not seen, when it is not what the approver read, when the approver submitted it and somebody else could
    /// approve it, when the approval would be over at once or last too long, or where it stands forbids it.
    pub fn approve(&mut self, approval: Approval, change: &Change) -> Result<(), StandingError> {
        let server = self.manifest.name.clone();
        let came_by_itself = self.suspended.as_ref().is_some_and(|suspended| suspended.cause.is_some());
        match self.standing {
            Standing::Submitted | Standing::Vetted | Standing::Approved => {}
            Standing::Suspended if came_by_itself => {}
            Standing::Draft | Standing::Suspended | Standing::Quarantined | Standing::Retired => {
                return Err(self.cannot_be("approved"));
            }
        }
        if approval.eyes == Eyes::Four && self.submitted.by == change.actor {
            return Err(StandingError::SameHands(server));
        }
        let expires = self.end_of(approval, change.at)?;
        let Some(observed) = &self.observed else {
            return Err(StandingError::Unseen(server));
        };
        if observed.digest != approval.seen {
            return Err(StandingError::SeenOther { server, seen: approval.seen, found: observed.digest });
        }
        let definitions = observed.definitions.clone();
        self.pins = Some(Pins { definitions, identity: self.manifest.identity(), digest: approval.seen });
        self.standing = Standing::Approved;
        self.approved = Some(Mark::from(change));
        (self.expires, self.suspended) = (expires, None);
        // Whoever approves has read them. An end that came is no news of the next one.
        self.warnings.retain(|warning| warning.cause != Cause::Expired);
        self.warnings.iter_mut().for_each(|warning| warning.settled = true);
        Ok(())
    }

    /// Accepts something that vetting found. Whoever submitted the server does not, as they do not approve it.
    ///
    /// # Errors
    /// When nobody says why, when it is whoever submitted the server and somebody else could, or where it stands forbids it.
    pub fn accept(&mut self, check: &str, of: Digest, eyes: Eyes, change: &Change) -> Result<(), StandingError> {
        match self.standing {
            Standing::Submitted | Standing::Vetted | Standing::Approved | Standing::Suspended => {}
            Standing::Draft | Standing::Quarantined | Standing::Retired => return Err(self.cannot_be("accepted")),
        }
        if eyes == Eyes::Four && self.submitted.by == change.actor {
            return Err(StandingError::SameHands(self.manifest.name.clone()));
        }
        let reason = change.reason.as_ref().filter(|reason| !reason.trim().is_empty());
        let reason = reason.ok_or_else(|| StandingError::Unexplained(self.manifest.name.clone()))?.clone();
        self.accepted.retain(|one| one.check != check);
        let (check, by, at) = (check.to_owned(), change.actor.clone(), change.at);
        self.accepted.push(Acceptance { check, of, by, at, reason });
        Ok(())
    }

    /// When an approval is over: when the approver says, and no later than the manifest has it.
    fn end_of(&self, approval: Approval, now: Timestamp) -> Result<Option<Timestamp>, StandingError> {
        let server = || self.manifest.name.clone();
        let longest = self.manifest.lifecycle.approval_days.map(|days| (days, now.after_days(days)));
        match (approval.expires, longest) {
            (Some(expires), _) if expires <= now => Err(StandingError::Over(server())),
            (Some(expires), Some((days, last))) if expires > last => {
                Err(StandingError::TooLong { server: server(), days })
            }
            (Some(expires), _) => Ok(Some(expires)),
            (None, longest) => Ok(longest.map(|(_, last)| last)),
        }
    }

    /// Takes an approved server out of service.
    ///
    /// # Errors
    /// When it is not approved.
    pub fn suspend(&mut self, change: &Change) -> Result<(), StandingError> {
        if self.standing != Standing::Approved {
            return Err(self.cannot_be("suspended"));
        }
        self.standing = Standing::Suspended;
        self.suspended = Some(Suspension::by(change, None));
        Ok(())
    }

    /// Ends a suspension: approved if the pins still hold and the approval is not over, otherwise as it was before one.
    ///
    /// # Errors
    /// When it is not suspended.
    pub fn resume(&mut self, change: &Change) -> Result<(), StandingError> {
        if self.standing != Standing::Suspended {
            return Err(self.cannot_be("resumed"));
        }
        let holds = self.pins_hold() && !self.ends_by(change.at);
        let unapproved = if self.observed.is_some() { Standing::Vetted } else { Standing::Submitted };
        self.standing = if holds { Standing::Approved } else { unapproved };
        self.suspended = None;
        self.warnings.iter_mut().for_each(|warning| warning.settled = true);
        Ok(())
    }

    /// Takes a server that may be hostile out of everything: it is unreachable, and the gate itself does not look at it any
    /// more.
    ///
    /// # Errors
    /// When it is a draft, in quarantine or retired.
    pub fn quarantine(&mut self, change: &Change) -> Result<(), StandingError> {
        match self.standing {
            Standing::Draft | Standing::Quarantined | Standing::Retired => Err(self.cannot_be("put in quarantine")),
            Standing::Submitted | Standing::Vetted | Standing::Approved | Standing::Suspended => {
                self.standing = Standing::Quarantined;
                self.suspended = Some(Suspension::by(change, None));
                Ok(())
            }
        }
    }

    /// Ends a quarantine. It is a submitted server again, of which nothing is known: it is looked at and approved anew.
    ///
    /// # Errors
    /// When it is not in quarantine.
    pub fn release(&mut self) -> Result<(), StandingError> {
        if self.standing != Standing::Quarantined {
            return Err(self.cannot_be("released"));
        }
        self.standing = Standing::Submitted;
        (self.observed, self.noticed, self.suspended) = (None, None, None);
        Ok(())
    }

    /// Ends a server for good. Its record stays, and its name is never given again.
    ///
    /// # Errors
    /// When it is retired already.
    pub fn retire(&mut self, change: &Change) -> Result<(), StandingError> {
        if self.standing == Standing::Retired {
            return Err(self.cannot_be("retired"));
        }
        self.standing = Standing::Retired;
        self.suspended = Some(Suspension::by(change, None));
        Ok(())
    }

    /// Something became known that the approval did not know of. What follows, the manifest says: the server is suspended, or
    /// people are told and it goes on. What is known already changes nothing, so that nobody has to accept it twice.
    pub fn reopen(&mut self, reopening: &Reopening, change: &Change) -> Consequence {
        let Reopening { cause, about, advisories } = reopening;
        let is_new =
            |one: &&Advisory| !self.warnings.iter().flat_map(|known| &known.advisories).any(|known| known.is(one));
        let new: Vec<Advisory> = advisories.iter().filter(is_new).cloned().collect();
        let same = |warning: &Warning| warning.cause == *cause && warning.about == *about;
        let is_known = if advisories.is_empty() { self.warnings.iter().any(same) } else { new.is_empty() };
        let has_come = *cause != Cause::Expired || (self.standing == Standing::Approved && self.ends_by(change.at));
        if is_known || !has_come || matches!(self.standing, Standing::Draft | Standing::Retired) {
            return Consequence::Nothing;
        }
        if self.warnings.len() >= limits::WARNINGS_PER_SERVER_MAX {
            self.make_room();
        }
        let lifecycle = &self.manifest.lifecycle;
        let follows = if new.is_empty() { lifecycle.on(*cause) } else { lifecycle.on_advisories(&new) };
        let about = if new.is_empty() { about.clone() } else { lifecycle::told(&new) };
        self.warnings.push(Warning { cause: *cause, about, advisories: new, at: change.at, settled: false });
        if self.standing != Standing::Approved || follows == Consequence::Warned {
            return Consequence::Warned;
        }
        self.standing = Standing::Suspended;
        self.suspended = Some(Suspension::by(change, Some(*cause)));
        Consequence::Suspended
    }

    /// Forgets the oldest that became known, of what somebody settled if there is any. The advisories of it stay known, so that
    /// none comes twice.
    fn make_room(&mut self) {
        let oldest = self.warnings.iter().position(|warning| warning.settled).unwrap_or_default();
        let forgotten = self.warnings.remove(oldest);
        let heir = self.warnings.iter_mut().find(|warning| warning.cause == forgotten.cause);
        if let Some(heir) = heir {
            heir.advisories.extend(forgotten.advisories);
            heir.advisories.truncate(limits::ADVISORIES_KNOWN_MAX);
        }
    }

    /// The pins, if the server is in service: approved, under the identity it has now.
    pub fn in_service(&self) -> Option<&Pins> {
        let pins = self.pins.as_ref()?;
        (self.standing == Standing::Approved && self.pins_hold()).then_some(pins)
    }

    /// Whether its approval has an end that is not after `moment`.
    pub fn ends_by(&self, moment: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= moment)
    }

    /// The server as it is to be served at a moment: not at all once its approval is over, unless its manifest has it go on.
    /// Whoever compiles what is served goes by this, so that an end needs nothing to be written to come.
    #[must_use]
    pub fn as_of(self: Arc<Self>, now: Timestamp) -> Arc<Self> {
        let ends = self.ends_by(now) && self.manifest.lifecycle.on(Cause::Expired) == Consequence::Suspended;
        if self.standing == Standing::Approved && ends {
            return Arc::new(Self { standing: Standing::Suspended, ..Self::clone(&self) });
        }
        self
    }

    fn pins_hold(&self) -> bool {
        self.pins.as_ref().is_some_and(|pins| pins.identity == self.manifest.identity())
    }

    fn cannot_be(&self, verb: &'static str) -> StandingError {
        StandingError::Standing { server: self.manifest.name.clone(), standing: self.standing, verb }
    }
}

#[cfg(test)]
mod tests;
