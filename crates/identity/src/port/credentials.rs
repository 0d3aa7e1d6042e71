//! What the credentials towards servers ask of a store: rows that the vault alone can read.

use async_trait::async_trait;
use model::{Change, ServerName, StoreError, Timestamp};

/// Where a credential is kept: whom it is for, and who may use it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// What it opens: `server crm`, or `issuer https://login.example`, where the gate is a client; or `sign-in`, what an identity
    /// provider said of people.
    pub owner: String,
    /// Who may use it: `shared`, `user ana`, `agent nightly`, or `client`.
    pub holder: String,
}

impl Place {
    /// What opens a server: its credentials are forgotten with it.
    pub fn owner_of(server: &ServerName) -> String {
        format!("server {server}")
    }
}

/// A credential as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What is known of it and is no secret, as JSON. The vault authenticates it with the secret: another text opens nothing.
    pub about: String,
    /// The secret, sealed.
    pub sealed: String,
    /// When it was kept.
    pub at: Timestamp,
}

/// The memory of the credentials towards servers.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// What is kept there.
    async fn kept(&self, place: &Place) -> Result<Option<Kept>, StoreError>;

    /// Everything that is kept of an owner, by holder; of every owner, if none is named.
    async fn kept_of(&self, owner: Option<&str>) -> Result<Vec<(Place, Kept)>, StoreError>;

    /// Keeps a credential that somebody brought about, in place of whatever was there; it leaves a receipt.
    async fn connected(&self, place: Place, kept: Kept, change: Change) -> Result<(), StoreError>;

    /// Puts a credential in place of the one it was made from, which is `before`. Returns whether that was still there: who
    /// was disconnected meanwhile stays so. It leaves no receipt, because it happens by itself every few minutes.
    async fn renewed(&self, place: Place, kept: Kept, before: &str) -> Result<bool, StoreError>;

    /// Keeps what is had for a while, in place of whatever was there. It leaves no receipt, because what brought it about did.
    async fn noted(&self, place: Place, kept: Kept) -> Result<(), StoreError>;

    /// Notes for its receipt that so many sealed things were wrapped anew, and changes nothing.
    async fn rewrapped(&self, count: usize, change: Change) -> Result<(), StoreError>;

    /// Forgets a credential; it leaves a receipt. Returns whether there was one.
    async fn disconnected(&self, place: Place, change: Change) -> Result<bool, StoreError>;
}
