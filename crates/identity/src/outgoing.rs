//! With whose credentials does the gate go to a server that has an authorization server of its own?
//!
//! A [`Source`] says how the credential of one server comes about, and whose it is: everybody's, one person's, or one
//! agent's ([`Whose`]). [`Outgoing::credential`] gives the one for a [`Holder`]: kept ones from the vault, renewed before they
//! end, one at a time for all who wait; or a new one, where the gate asks for itself.
//!
//! Where the person need not agree in a browser, because their identity provider speaks for them or the authorization server
//! believes the gate, [`mod@exchange`] gets a token for the person and the agent that acts for them.
//!
//! Where a person has to agree first, [`Outgoing::begin`] sends them to the authorization server (OAuth 2.1 with PKCE, RFC 8707,
//! RFC 9207) and [`Outgoing::finish`] takes what they come back with. What a server says of the credential it was given comes
//! back through [`Outgoing::refused`]: a token is renewed, or more scopes are asked for, within bounds.
//!
//! Nothing here ever sees what a caller presented to the gate.

mod about;
mod agreed;
mod challenge;
mod client;
mod connect;
mod discovery;
mod exchange;
mod health;
mod holder;
mod invite;
mod keeper;
mod pages;
mod people;
mod scopes;
mod slot;
mod supply;
mod token;
mod vouching;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use model::{Clock, Digest, Entropy, ServerName, UserId, limits};
use tokio::sync::broadcast;
use tokio::time::timeout;
use url::Url;

pub use challenge::Challenge;
pub use client::{ClientError, Presence, Proof, Registered, SignsIn, document, is_document};
pub use connect::{Begun, Connected, FinishError, Return};
pub use discovery::DiscoveryError;
pub use exchange::Subject;
pub use health::{Agreed, Health};
pub use holder::{Holder, HolderError, Whose};
pub use invite::Invited;
pub use keeper::{KeepError, Which};
pub use pages::Pages;
pub use scopes::ScopeUse;
pub use slot::Failure;
pub use supply::Supply;
pub use token::TokenError;
pub use vouching::{Identity, VouchError, Vouches};

use crate::assertions::Assertions;
use crate::fetch::Fetch;
use crate::jwt::SigningError;
use crate::port::Credentials;
use crate::vault::Vault;
use crate::{Credential, CredentialError};
pub(crate) use about::About;
use connect::Pending;
use invite::Invite;
pub(crate) use keeper::Keeper;
use people::Awaited;
use scopes::Scopes;
use slot::{Held, Slot};

/// How the credential of one server comes about.
pub struct Source {
    /// The server.
    pub server: ServerName,
    /// What people approved, whole: what is held for another is not used.
    pub identity: Digest,
    /// Where it is. A token that was given out for another place is never sent there.
    pub url: Url,
    /// Whose credential it is.
    pub whose: Whose,
    /// How it is asked for.
    pub flow: Flow,
    /// The only authorization server that people approved; the first that the server names, where there is none.
    pub issuer: Option<String>,
    /// The scopes that people approved; what the server asks for, where there are none.
    pub scopes: Vec<String>,
    /// The client that people registered at the issuer.
    pub client: Option<Registered>,
    /// The way to the server's metadata, within the server's zone.
    pub to_server: Arc<dyn Fetch>,
    /// The way to the authorization server, within its zone.
    pub to_issuer: Arc<dyn Fetch>,
}

/// How a token is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// A person agrees to it in a browser (RFC 6749 §4.1).
    Code,
    /// The gate asks for itself (RFC 6749 §4.4).
    Client,
    /// The gate tells who the person is and which agent acts for them (RFC 8693).
    Exchange(Subject),
    /// The gate shows what the person's identity provider asserts of them for this authorization server (ID-JAG, RFC 7523 §2.1).
    Assertion,
}

/// Why there is no credential.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// The server has a credential for each person, and the call is for nobody.
    #[error("server `{0}` has a credential for each person, and this is for none")]
    NoUser(ServerName),
    /// A person has to agree first, or again.
    #[error("server `{server}` is not connected for {holder}: {why}")]
    NotConnected {
        /// The server.
        server: ServerName,
        /// Whose credential is missing.
        holder: Holder,
        /// Why.
        why: &'static str,
    },
    /// Nobody was found who gives out tokens for the server.
    #[error("who gives out tokens for the server cannot be found out")]
    Discovery(#[from] DiscoveryError),
    /// The gate is no client there.
    #[error("the gate is no client of the server's authorization server")]
    Client(#[from] ClientError),
    /// No token was given out.
    #[error("there is no token for the server")]
    Token(#[from] TokenError),
    /// What was given out cannot be kept, or what was kept not be read.
    #[error("the server's credential cannot be kept or read")]
    Keep(#[from] KeepError),
    /// The token does not fit in a header.
    #[error("the token cannot be written in a header")]
    Header(#[from] CredentialError),
    /// The authorization server does what OAuth 2.1 and MCP do not allow.
    #[error("the authorization server cannot be used: {0}")]
    Unsafe(&'static str),
    /// The person's identity provider does not speak for them.
    #[error("nobody speaks for the person of the call")]
    Vouch(#[from] VouchError),
    /// The gate cannot sign for whom it asks.
    #[error("the gate cannot say for whom it asks")]
    Signing(#[from] SigningError),
    /// Too many credentials are asked for at once.
    #[error("too many credentials are being asked for")]
    Busy,
    /// It was being asked for already, and that failed.
    #[error("it was being asked for already, and that failed: {0}")]
    Failed(String),
    /// It was not there in time.
    #[error("the server's credential was not there within {} ms", limits::CREDENTIAL_MILLISECONDS_MAX)]
    TimedOut,
}

/// The gate's credentials towards servers.
pub struct Outgoing {
    keeper: Keeper,
    presence: Presence,
    assertions: Arc<Assertions>,
    /// Who knows people's sign-ins, where people sign in at the gate.
    people: OnceLock<Arc<dyn Vouches>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    slots: Mutex<HashMap<Key, Arc<Slot>>>,
    scopes: Scopes,
    pending: Mutex<HashMap<Digest, Pending>>,
    invites: Mutex<HashMap<(ServerName, Holder), Invite>>,
    awaited: Mutex<HashMap<(ServerName, UserId), Awaited>>,
    news: broadcast::Sender<Connected>,
}

/// Which credential is held where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    server: ServerName,
    identity: Digest,
    holder: Holder,
}

impl Source {
    /// Whether a token may have this scope. That it can be renewed is no scope of the server's.
    fn approves(&self, scope: &str) -> bool {
        scope == connect::OFFLINE || self.scopes.iter().any(|approved| approved == scope)
    }
}

impl Outgoing {
    /// Credentials that `vault` seals and `port` keeps, of a gate that is known to issuers as `presence` and tells them with
    /// `assertions` for whom it asks.
    pub fn new(
        vault: Vault,
        port: Arc<dyn Credentials>,
        presence: Presence,
        assertions: Arc<Assertions>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let keeper = Keeper::new(vault, port);
        Self {
            keeper,
            presence,
            assertions,
            people: OnceLock::new(),
            clock,
            entropy,
            slots: Mutex::default(),
            scopes: Scopes::default(),
            pending: Mutex::default(),
            invites: Mutex::default(),
            awaited: Mutex::default(),
            news: broadcast::Sender::new(limits::CONNECTING_MAX),
        }
    }

    /// Has this one speak for people who sign in at the gate. The first that is named stays.
    pub fn vouched_for_by(&self, people: Arc<dyn Vouches>) {
        drop(self.people.set(people));
    }

    /// Forgets every token that was got for a person without their agreeing in a browser: they left.
    pub fn left(&self, user: &UserId) {
        self.clear_each(|of| of == user);
    }

    /// The same where it is not known who left.
    pub fn all_left(&self) {
        self.clear_each(|_| true);
    }

    fn clear_each(&self, has_left: impl Fn(&UserId) -> bool) {
        let slots = locked(&self.slots);
        for (_, slot) in slots.iter().filter(|(key, _)| matches!(&key.holder, Holder::Both(of, _) if has_left(of))) {
            slot.clear();
        }
    }

    /// Hears of every server that somebody connects from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Connected> {
        self.news.subscribe()
    }

    /// How the gate is known to authorization servers.
    pub fn presence(&self) -> &Presence {
        &self.presence
    }

    /// The credential that this server is given for this holder.
    ///
    /// # Errors
    /// [`OutgoingError`]; [`OutgoingError::NotConnected`] when a person has to agree first.
    pub async fn credential(
        self: &Arc<Self>,
        source: &Arc<Source>,
        holder: &Holder,
    ) -> Result<Credential, OutgoingError> {
        let slot = self.slot(source, holder)?;
        if let Some(held) = slot.usable(self.clock.now()) {
            return Ok(held);
        }
        let (outgoing, source, holder) = (Arc::clone(self), Arc::clone(source), holder.clone());
        let before = slot.attempts();
        // A refresh token that was sent is spent: what comes back is kept, whether anybody still waits for it or not.
        let renewal = tokio::spawn(async move {
            let _turn = slot.turn.lock().await;
            if let Some(held) = slot.usable(outgoing.clock.now()) {
                return Ok(held);
            }
            // Whoever waited for an attempt that failed does not make the next one.
            if let Some(failure) = slot.failure().filter(|_| slot.attempts() != before) {
                return Err(OutgoingError::Failed(failure.why));
            }
            let cleared = slot.cleared();
            match outgoing.obtain(&source, &holder, &slot).await {
                Ok(held) => {
                    let credential = held.credential.clone();
                    slot.hold(held, cleared);
                    Ok(credential)
                }
                // That nobody has connected it yet is no failure, and costs nothing to find out again.
                Err(error @ (OutgoingError::NotConnected { .. } | OutgoingError::NoUser(_))) => Err(error),
                Err(error) => {
                    slot.failed(model::with_causes(&error), outgoing.clock.now());
                    Err(error)
                }
            }
        });
        let patience = Duration::from_millis(limits::CREDENTIAL_MILLISECONDS_MAX);
        match timeout(patience, renewal).await {
            Ok(Ok(obtained)) => obtained,
            Ok(Err(_)) => Err(OutgoingError::Busy),
            Err(_) => Err(OutgoingError::TimedOut),
        }
    }

    /// The credential that is held for this holder now: for what is said beside a call that got it a moment ago.
    pub fn held(&self, source: &Source, holder: &Holder) -> Option<Credential> {
        let slot = locked(&self.slots).get(&key(source, holder)).map(Arc::clone)?;
        slot.held()
    }

    /// Heeds what a server says of the credential it was given: one that it does not take is renewed before it is used again,
    /// and scopes that it lacks are asked for with the next, together with those it had. Scopes that were asked for already are
    /// not asked for again: a server that is never content makes no loop.
    pub fn refused(&self, source: &Source, holder: &Holder, object: Option<&str>, challenge: &Challenge) {
        if let Some(scopes) = &challenge.scopes {
            self.scopes.asked(&source.server, object, scopes, self.clock.now());
        }
        if challenge.wants_more() && !source.scopes.is_empty() {
            // People said which scopes it may have; a server that wants others waits for them.
            return;
        }
        if let Ok(slot) = self.slot(source, holder) {
            slot.refused(challenge, self.clock.now());
        }
    }

    /// A call for `object` went through: what the server asked it for is used.
    pub fn went(&self, server: &ServerName, object: &str) {
        self.scopes.went(server, object, self.clock.now());
    }

    /// The scopes of a server's tokens: given, asked for and used.
    ///
    /// # Errors
    /// When what was kept of them cannot be read.
    pub async fn scopes(&self, server: &ServerName) -> Result<Vec<ScopeUse>, KeepError> {
        self.scopes.of(server, &self.keeper).await
    }

    /// Keeps what has changed of that.
    ///
    /// # Errors
    /// When it cannot be kept; it is tried with the next change.
    pub async fn keep_scopes(&self) -> Result<(), KeepError> {
        self.scopes.write(&self.keeper, self.clock.now()).await
    }

    fn slot(&self, source: &Source, holder: &Holder) -> Result<Arc<Slot>, OutgoingError> {
        let mut slots = locked(&self.slots);
        let key = key(source, holder);
        if let Some(slot) = slots.get(&key) {
            return Ok(Arc::clone(slot));
        }
        if slots.len() >= limits::CREDENTIALS_HELD_MAX {
            // What nobody uses at this moment is read from the vault again when it is needed.
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        if slots.len() >= limits::CREDENTIALS_HELD_MAX {
            return Err(OutgoingError::Busy);
        }
        Ok(Arc::clone(slots.entry(key).or_default()))
    }

    async fn obtain(&self, source: &Source, holder: &Holder, slot: &Slot) -> Result<Held, OutgoingError> {
        match (source.flow, holder) {
            (Flow::Code, _) => self.agreed_to(source, holder, slot).await,
            (Flow::Exchange(subject), Holder::Both(user, agents)) => {
                self.exchanged(source, subject, (user, agents), slot).await
            }
            (Flow::Assertion, Holder::Both(user, _)) => self.asserted(source, user, slot).await,
            // The gate's own looks at a server are for nobody else.
            (Flow::Client | Flow::Exchange(_) | Flow::Assertion, Holder::Shared) => self.for_itself(source, slot).await,
            (
                Flow::Client | Flow::Exchange(_) | Flow::Assertion,
                Holder::User(_) | Holder::Agent(_) | Holder::Both(..),
            ) => Err(OutgoingError::Unsafe("nobody's calls are made with what the gate has for itself")),
        }
    }
}

fn key(source: &Source, holder: &Holder) -> Key {
    Key { server: source.server.clone(), identity: source.identity, holder: holder.clone() }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) use tests::Memory;
#[cfg(test)]
mod tests;
