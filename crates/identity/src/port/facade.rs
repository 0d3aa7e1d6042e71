//! What the façade asks of a store.
//!
//! States, codes, refresh tokens and device codes are kept as digests only: whoever reads the store can use none of them.
//! Every command is whole. What may happen once (a state, a code, a refresh token, the `jti` of an assertion) is spent in
//! the same transaction that looks it up, so that of two who come with it at once only one gets anything.

use async_trait::async_trait;
use model::{AgentId, Change, Digest, EndpointName, GroupName, StoreError, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// A person, as an identity provider told of them when they signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The provider's issuer URL.
    pub issuer: String,
    /// What the provider calls them; never given to another person (OpenID Connect Core 1.0 §2, `sub`).
    pub subject: String,
    /// The provider's session, if it told one: a logout may name it alone.
    pub session: Option<String>,
    /// What they are called here.
    pub user: UserId,
    /// Their groups.
    pub groups: Vec<GroupName>,
    /// How they signed in, as a class (`acr`).
    pub acr: Option<String>,
    /// How they signed in, as methods (`amr`).
    pub amr: Vec<String>,
    /// When they signed in, in seconds since the epoch.
    pub auth_time: Option<u64>,
}

/// What was agreed to: a client may act at one endpoint, for a person or for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The OAuth client.
    pub client: String,
    /// The client id under which people registered it, or the one that it stands in for.
    pub registration: String,
    /// The registered agent that it is.
    pub agent: AgentId,
    /// Whom it acts for.
    pub person: Option<Person>,
    /// Where.
    pub endpoint: EndpointName,
    /// Within which scopes, each once.
    pub scopes: Vec<String>,
    /// Where the code went; empty when there was none.
    pub redirect: String,
    /// The PKCE challenge (RFC 7636, S256); empty when there was no code.
    pub challenge: String,
    /// The thumbprint of the key it is bound to (RFC 9449, `jkt`).
    pub key: Option<String>,
    /// The thumbprint of the certificate it is bound to (RFC 8705 §3.1, `x5t#S256`).
    #[serde(default)]
    pub certificate: Option<String>,
    /// Whether the client's software was vouched for, and the key is the one that the voucher names.
    #[serde(default)]
    pub attested: bool,
    /// The provider's refresh token, sealed by the vault for this grant: with it the person is asked after again.
    pub upstream: Option<serde_json::Value>,
}

/// Somebody on the way to the identity provider and back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// The digest of the browser's cookie: the state of one browser is nothing in another.
    pub browser: Digest,
    /// What the person agreed to before they left.
    pub grant: Grant,
    /// What the client gets back with its code.
    pub state: Option<String>,
    /// The most seconds since the last sign-in that the client takes.
    pub max_age: Option<u64>,
    /// The device that waits for it, instead of a redirect.
    pub device: Option<Digest>,
}

/// Everything that was given out for one grant: one refresh token at a time, and short-lived access tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// Its id, which access tokens name.
    pub id: String,
    /// What was agreed to, as it was last rechecked.
    pub grant: Grant,
    /// When it began.
    pub begun: Timestamp,
    /// When it ends, whatever happens.
    pub ends: Timestamp,
}

/// A refresh token as it is kept. Its first half stays the same while the family lives and its second half changes with each
/// use, so that every token but the last shows itself as used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refresh {
    /// The digest of the first half.
    pub chain: Digest,
    /// The digest of the second half.
    pub link: Digest,
}

/// A sealed text, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedAt {
    /// Where.
    pub place: SealedPlace,
    /// The text.
    pub sealed: String,
}

/// Where something sealed is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealedPlace {
    /// The signing key of this id.
    Key(String),
    /// The provider's refresh token of the family of this id.
    Family(String),
}

/// What came of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// It was good, and is spent.
    Begun,
    /// It was spent before: the family that it began is revoked.
    Again(String),
    /// There is no such code, or its time is over.
    Unknown,
}

/// What came of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotated {
    /// It was the last of its family, and is spent.
    Renewed,
    /// It was used before: its family is revoked.
    Again(String),
    /// There is no such family, or its time is over, or it was revoked.
    Unknown,
}

/// Whose families end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// This one.
    Family(String),
    /// Those of a person of a provider.
    Subject {
        /// The provider.
        issuer: String,
        /// The person there.
        subject: String,
    },
    /// Those of one session at a provider.
    Session {
        /// The provider.
        issuer: String,
        /// The session there.
        session: String,
    },
    /// Those of a person for one client.
    Consent {
        /// The person.
        user: UserId,
        /// The client.
        client: String,
    },
}

/// A device that waits for a person elsewhere (RFC 8628).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The digest of what the device polls with.
    pub device: Digest,
    /// The digest of what the person types.
    pub user_code: Digest,
    /// What the device asks for; without a person yet.
    pub grant: Grant,
    /// When its time is over.
    pub expires: Timestamp,
}

/// What a device hears when it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// Nobody has decided yet.
    Pending,
    /// It asked too soon after the last time.
    TooSoon,
    /// Somebody signed in for it. This is told once.
    Granted(Box<Grant>),
    /// Somebody said no. This is told once.
    Denied,
    /// There is no such device, or its time is over.
    Unknown,
}

/// A client that registered by itself (RFC 7591).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The id it was given.
    pub id: String,
    /// What it calls itself.
    pub name: String,
    /// Where its codes may go.
    pub redirects: Vec<String>,
    /// When.
    pub at: Timestamp,
}

/// What a person agreed to, as it is shown to them and to operators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The person.
    pub user: UserId,
    /// The client.
    pub client: String,
    /// Where it may act for them.
    pub endpoint: EndpointName,
    /// Within which scopes.
    pub scopes: Vec<String>,
    /// When they agreed last.
    pub at: Timestamp,
}

/// A signing key at rest: what is in it, the vault alone can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptKey {
    /// Its id: the thumbprint of its public half (RFC 7638).
    pub id: String,
    /// The private half, sealed.
    pub sealed: serde_json::Value,
    /// When it was made.
    pub made: Timestamp,
}

/// The façade's memory. Whatever has an end is forgotten after it.
#[async_trait]
pub trait Facade: Send + Sync {
    /// Remembers somebody who leaves for the identity provider; refused when too many are on the way.
    async fn leave(&self, state: Digest, sign_in: SignIn, expires: Timestamp, now: Timestamp)
    -> Result<(), StoreError>;

    /// Who left with this state. It can come back once.
    async fn come_back(&self, state: &Digest, now: Timestamp) -> Result<Option<SignIn>, StoreError>;

    /// Remembers a consent, and the code that was given for it.
    async fn agree(&self, code: Digest, grant: Grant, expires: Timestamp, change: Change) -> Result<(), StoreError>;

    /// What a code stands for, while it is good.
    async fn code(&self, code: &Digest, now: Timestamp) -> Result<Option<Grant>, StoreError>;

    /// Spends a code and begins a family with its first refresh token.
    async fn redeem(
        &self,
        code: &Digest,
        family: Family,
        refresh: Refresh,
        change: Change,
    ) -> Result<Redeemed, StoreError>;

    /// Ends the family that a spent code began, because the code came again; returns its id, if it still lived.
    async fn replayed(&self, code: &Digest, change: Change) -> Result<Option<String>, StoreError>;

    /// Begins a family without a code: for a device.
    async fn begin(&self, family: Family, refresh: Refresh, change: Change) -> Result<(), StoreError>;

    /// The family of a refresh token, whichever of its tokens that is, while it lives and its consent stands.
    async fn family(&self, chain: &Digest, now: Timestamp) -> Result<Option<Family>, StoreError>;

    /// Spends a refresh token and puts the next in its place, with what was learnt of the person.
    async fn rotate(&self, old: Refresh, new: Digest, family: Family, change: Change) -> Result<Rotated, StoreError>;

    /// Ends families; returns their ids.
    async fn end(&self, ended: Ended, change: Change) -> Result<Vec<String>, StoreError>;

    /// The families that were revoked at or after a moment: their access tokens may still be about.
    async fn revoked(&self, since: Timestamp) -> Result<Vec<String>, StoreError>;

    /// Every consent, by person and client.
    async fn consents(&self) -> Result<Vec<Consent>, StoreError>;

    /// Takes a consent back, and ends what was given out for it; returns whether there was one.
    async fn withdraw(&self, user: &UserId, client: &str, change: Change) -> Result<bool, StoreError>;

    /// Remembers a device that waits; refused when too many do.
    async fn await_person(&self, device: Device, now: Timestamp) -> Result<(), StoreError>;

    /// What the device of a user code asks for, by its own digest, while nobody has decided.
    async fn device(&self, user_code: &Digest, now: Timestamp) -> Result<Option<(Digest, Grant)>, StoreError>;

    /// Decides for a device: a grant with a person, or no. Returns whether it still waited.
    async fn decide(&self, device: &Digest, grant: Option<Grant>, change: Change) -> Result<bool, StoreError>;

    /// What a device hears; a decision is told once.
    async fn poll(&self, device: &Digest, now: Timestamp) -> Result<Polled, StoreError>;

    /// Spends something that may be seen once until it expires; returns whether this was the first time.
    async fn spend(&self, once: &Digest, expires: Timestamp, now: Timestamp) -> Result<bool, StoreError>;

    /// Remembers a client that registered by itself; refused when there are too many.
    async fn register(&self, client: Registered, change: Change) -> Result<(), StoreError>;

    /// A client that registered by itself.
    async fn registered(&self, id: &str) -> Result<Option<Registered>, StoreError>;

    /// Notes something that happened for its receipt, and changes nothing.
    async fn note(&self, what: &'static str, grant: Grant, change: Change) -> Result<(), StoreError>;

    /// Every signing key, the newest first.
    async fn signing_keys(&self) -> Result<Vec<KeptKey>, StoreError>;

    /// Keeps a new signing key and forgets those made before `forget`; returns every key that is left, the newest first.
    /// If another replica made one at or after `unless_since`, the new one is not kept.
    async fn keep_signing_key(
        &self,
        key: KeptKey,
        unless_since: Timestamp,
        forget: Timestamp,
    ) -> Result<Vec<KeptKey>, StoreError>;

    /// Everything sealed that is kept for longer than minutes.
    async fn sealed(&self) -> Result<Vec<SealedAt>, StoreError>;

    /// Puts a sealed text in place of the one that was found there; returns whether that was still there.
    async fn reseal(&self, found: SealedAt, sealed: String, now: Timestamp) -> Result<bool, StoreError>;
}
