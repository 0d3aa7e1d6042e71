//! What a verified token says of who presents it.

use std::sync::Arc;

use model::{GroupName, Timestamp, UserId};

/// A verified token's content, in the gate's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Presented {
    /// Whose it is, by its place among the issuers.
    pub(super) issuer: usize,
    /// The OAuth client.
    pub(super) client: String,
    /// The person, if the token is for one.
    pub(super) user: Option<UserId>,
    /// Their groups.
    pub(super) groups: Vec<GroupName>,
    pub(super) acr: Option<Arc<str>>,
    pub(super) amr: Arc<[Arc<str>]>,
    pub(super) signed_in: Option<Timestamp>,
    pub(super) scopes: Arc<[Arc<str>]>,
    /// The clients through which it came, the nearest first.
    pub(super) actors: Vec<String>,
    pub(super) ends: Timestamp,
    /// The sign-in that it came of.
    pub(super) family: Option<Arc<str>>,
    pub(super) bound: Bound,
    /// Whether the gate itself saw that somebody vouches for the client's software.
    pub(super) attested: bool,
}

/// Who can use a token: whoever has it, where it is bound to nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bound {
    /// Whoever holds the key of this thumbprint (RFC 9449 §6.1).
    pub(super) key: Option<String>,
    /// Whoever came with the certificate of this thumbprint (RFC 8705 §3.1).
    pub(super) certificate: Option<String>,
}
