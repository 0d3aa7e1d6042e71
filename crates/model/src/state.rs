//! What every change of governed state has in common.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::{Revision, Timestamp, UserId};

/// Who changes the state, when, on top of what, and why: every command of every port carries one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Who.
    pub actor: Actor,
    /// The revision the change was made against.
    pub expected: Expected,
    /// When.
    pub at: Timestamp,
    /// Why, in the person's own words.
    pub reason: Option<String>,
}

/// Who changed something. The ways in which people are known are kept apart, so that none of them is taken for another who is
/// called the same; two values are equal where they are the same somebody, whatever an account is called meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "name", rename_all = "kebab-case")]
pub enum Actor {
    /// Whoever holds a token for the admin side, by the name that settings give the token.
    Person(String),
    /// A person who signed in on the admin side.
    SignedIn(Account),
    /// A person for whom agents work, at a page of the gate's own.
    User(UserId),
    /// The gate: drift it saw, recovery it did.
    Gate,
}

/// A person's account at an identity provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    /// The provider's issuer URL.
    pub issuer: String,
    /// What the provider calls them; never given to another person (OpenID Connect Core 1.0 §2, `sub`).
    pub subject: String,
    /// What people call them. It may change, and tells nobody apart.
    pub name: String,
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        (&self.issuer, &self.subject) == (&other.issuer, &other.subject)
    }
}

impl Eq for Account {}

impl Hash for Account {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.issuer, &self.subject).hash(state);
    }
}

/// In words, as people read it.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(name) => f.write_str(name),
            Self::SignedIn(Account { issuer, subject, name }) if name == subject => write!(f, "{name} at {issuer}"),
            Self::SignedIn(Account { issuer, subject, name }) => write!(f, "{name} ({subject} at {issuer})"),
            Self::User(user) => write!(f, "the user {user}"),
            Self::Gate => f.write_str("the gate"),
        }
    }
}

/// What a person may do on the admin side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reports the inventory of a host, and reads nothing but how that stands to the gate.
    Reporter,
    /// Reads the state.
    Viewer,
    /// Reads receipts.
    Auditor,
    /// Submits and checks servers.
    Reviewer,
    /// Approves servers.
    Approver,
    /// Halts and resumes.
    Responder,
    /// Applies manifests, and everything above.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 7] =
        [Self::Reporter, Self::Viewer, Self::Auditor, Self::Reviewer, Self::Approver, Self::Responder, Self::Admin];

    /// The word used in settings and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reporter => "reporter",
            Self::Viewer => "viewer",
            Self::Auditor => "auditor",
            Self::Reviewer => "reviewer",
            Self::Approver => "approver",
            Self::Responder => "responder",
            Self::Admin => "admin",
        }
    }
}

/// The revision a change was made against; compare-and-set, so that two people cannot overwrite each other unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Only if the state is still at this revision.
    At(Revision),
    /// Whatever the revision: for changes that cannot conflict, such as a halt.
    Any,
}

/// Why a change or a read of state failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Someone else changed the state first.
    #[error("the state is at revision {found}, not at {expected} as you saw it")]
    Conflict {
        /// What the caller expected.
        expected: Revision,
        /// What the store holds.
        found: Revision,
    },
    /// There is no such thing.
    #[error("there is no {kind} named `{name}`")]
    NotFound {
        /// The kind of thing: `server`, `endpoint`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// The thing is in a state that does not allow this change.
    #[error("{0}")]
    Refused(String),
    /// The disk is full. What was to be changed is as it was.
    #[error("the disk that holds the state is full: there was no room to {doing}")]
    Full {
        /// The operation, as a verb phrase.
        doing: &'static str,
    },
    /// The storage itself failed.
    #[error("storage failed while it was to {doing}")]
    Storage {
        /// The operation, as a verb phrase.
        doing: &'static str,
        /// The driver's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// What to do next, where the error alone tells.
    pub fn next(&self) -> Option<&'static str> {
        match self {
            Self::Full { .. } => {
                Some("make room on the disk of the gate's data directory, then try again; nothing was changed")
            }
            Self::Conflict { .. } | Self::NotFound { .. } | Self::Refused(_) | Self::Storage { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
