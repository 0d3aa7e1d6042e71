//! What people's sign-in on the admin side asks of a store.
//!
//! A session is kept under the digest of its secret: whoever reads the store is in nobody's.

use async_trait::async_trait;
use model::{Account, Change, Digest, Role, StoreError, Timestamp};
use serde::{Deserialize, Serialize};

use super::Person;

/// A person's session on the admin side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// How it is shown to the gate.
    pub kind: SessionKind,
    /// Who they are, as the provider said last.
    pub person: Person,
    /// Whether it was begun with the code for the first administrator.
    #[serde(default)]
    pub first: bool,
    /// The provider's refresh token, sealed by the vault for this person.
    pub upstream: Option<String>,
    /// When it began.
    pub begun: Timestamp,
    /// When it ends, whatever happens.
    pub ends: Timestamp,
}

/// How a session is shown to the gate. A secret of one kind is none of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionKind {
    /// As a cookie.
    Browser,
    /// As a bearer token.
    CommandLine,
}

impl SessionKind {
    /// The word in receipts and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::CommandLine => "command-line",
        }
    }
}

/// A session as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSession {
    /// The session.
    pub session: Session,
    /// When it was used last.
    pub seen: Timestamp,
    /// When the provider vouched for the person last.
    pub checked: Timestamp,
}

/// Whose sessions end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndedSession {
    /// This one.
    One {
        /// What it is kept under.
        id: Digest,
        /// Whose it is, for the receipt.
        whose: Account,
    },
    /// All of a person.
    Subject {
        /// The provider.
        issuer: String,
        /// What it calls them.
        subject: String,
    },
    /// Those of one session at the provider.
    Provider {
        /// The provider.
        issuer: String,
        /// What it calls the session (`sid`).
        session: String,
    },
}

/// The memory of people's sessions. Every command is whole.
#[async_trait]
pub trait People: Send + Sync {
    /// Keeps a session that begins, with the roles that it begins with in its receipt. A person who has too many loses the
    /// oldest.
    async fn begin_session(
        &self,
        id: Digest,
        session: Session,
        roles: &[Role],
        change: Change,
    ) -> Result<(), StoreError>;

    /// A session that has not ended.
    async fn session(&self, id: &Digest, now: Timestamp) -> Result<Option<FoundSession>, StoreError>;

    /// Notes that a session is in use.
    async fn seen_session(&self, id: &Digest, now: Timestamp) -> Result<(), StoreError>;

    /// Keeps what the provider said of the person now.
    async fn checked_session(&self, id: &Digest, session: Session, now: Timestamp) -> Result<(), StoreError>;

    /// Every session that has not ended, the newest first.
    async fn sessions(&self, now: Timestamp) -> Result<Vec<FoundSession>, StoreError>;

    /// Ends sessions; returns how many there were. Where there was none, nothing is told.
    async fn end_sessions(&self, ended: EndedSession, change: Change) -> Result<usize, StoreError>;

    /// Writes down that somebody signed in and was let in nowhere.
    async fn refuse_person(&self, change: Change) -> Result<(), StoreError>;

    /// Spends what is good once; returns whether it was the first time.
    async fn spend_once(&self, once: &Digest, expires: Timestamp, now: Timestamp) -> Result<bool, StoreError>;
}
