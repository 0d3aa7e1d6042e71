//! With whose credentials does the gate go to a server that has an authorization server of its own?
//!
//! A [`Source`] says how the credential of one server comes about, and whose it is: everybody's, one person's, or one
//! agent's ([`Whose`]). [`Outgoing::credential`] gives the one for a [`Holder`]: kept ones from the vault, renewed before they
//! end, one at a time for all who wait; or a new one, where the gate asks for itself.
//!
//! Where a person has to agree first, [`Outgoing::begin`] sends them to the authorization server (OAuth 2.1 with PKCE, RFC 8707,
//! RFC 9207) and [`Outgoing::finish`] takes what they come back with. What a server says of the credential it was given comes
//! back through [`Outgoing::refused`]: a token is renewed, or more scopes are asked for, within bounds.
//!
//! Nothing here ever sees what a caller presented to the gate.

mod about;
mod challenge;
mod client;
mod connect;
mod discovery;
mod health;
mod holder;
mod invite;
mod keeper;
mod pages;
mod people;
mod slot;
mod supply;
mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{Clock, Digest, Entropy, ServerName, Timestamp, UserId, limits};
use tokio::sync::broadcast;
use tokio::time::timeout;
use url::Url;

pub use challenge::Challenge;
pub use client::{ClientError, Presence, Proof, Registered, SignsIn, document, is_document};
pub use connect::{Begun, Connected, FinishError, Return};
pub use discovery::DiscoveryError;
pub use health::{Agreed, Health};
pub use holder::{Holder, HolderError, Whose};
pub use invite::Invited;
pub use keeper::KeepError;
pub use pages::Pages;
pub use slot::Failure;
pub use supply::Supply;
pub use token::TokenError;

use crate::fetch::Fetch;
use crate::port::Credentials;
use crate::vault::Vault;
use crate::{Credential, CredentialError};
pub(crate) use about::About;
use about::renew_at;
use connect::Pending;
use invite::Invite;
use keeper::{Keeper, Opened, place};
use people::Awaited;
use slot::{Held, Slot};
use token::Tokens;

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
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    slots: Mutex<HashMap<Key, Arc<Slot>>>,
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
    /// Credentials that `vault` seals and `port` keeps, of a gate that is known to issuers as `presence`.
    pub fn new(
        vault: Vault,
        port: Arc<dyn Credentials>,
        presence: Presence,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let keeper = Keeper::new(vault, port);
        Self {
            keeper,
            presence,
            clock,
            entropy,
            slots: Mutex::default(),
            pending: Mutex::default(),
            invites: Mutex::default(),
            awaited: Mutex::default(),
            news: broadcast::Sender::new(limits::CONNECTING_MAX),
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
    pub fn refused(&self, source: &Source, holder: &Holder, challenge: &Challenge) {
        if challenge.wants_more() && !source.scopes.is_empty() {
            // People said which scopes it may have; a server that wants others waits for them.
            return;
        }
        if let Ok(slot) = self.slot(source, holder) {
            slot.refused(challenge, self.clock.now());
        }
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
        match source.flow {
            Flow::Code => self.agreed_to(source, holder, slot).await,
            Flow::Client => self.as_client(source, slot).await,
        }
    }

    /// What a person agreed to, renewed if its time is nearly over.
    async fn agreed_to(&self, source: &Source, holder: &Holder, slot: &Slot) -> Result<Held, OutgoingError> {
        let missing = |why| OutgoingError::NotConnected { server: source.server.clone(), holder: holder.clone(), why };
        let place = place(&source.server, holder);
        let kept = self.keeper.read(&place).await?.ok_or_else(|| missing("nobody has connected it yet"))?;
        let about = About::read(&kept.about).ok_or(KeepError::Unreadable)?;
        if about.url != source.url.as_str() {
            return Err(missing("it was connected at another address"));
        }
        if source.issuer.as_ref().is_some_and(|issuer| *issuer != about.issuer) {
            return Err(missing("it was connected at another authorization server"));
        }
        slot.asked_for(&about.requested.join(" "));
        if !source.scopes.is_empty() && about.granted.iter().any(|scope| !source.approves(scope)) {
            return Err(missing("more was agreed to than is approved now"));
        }
        let noted = slot.noted();
        if noted.wanted.iter().any(|scope| !about.requested.contains(scope)) {
            return Err(missing("it asks for more than was agreed to"));
        }
        let now = self.clock.now();
        let Opened { first: Some(access), second: refresh, written, .. } = kept else {
            return Err(KeepError::Unreadable.into());
        };
        // A token that the server refused may be newer here than the one that it refused.
        let in_doubt = noted.doubted.is_some_and(|doubted| doubted >= about.obtained);
        if !in_doubt && about.renew_at().is_none_or(|renew_at| now < renew_at) {
            return Ok(Held::new(&access, about.renew_at(), about.obtained)?);
        }
        let Some(refresh) = refresh else {
            return match about.expires {
                Some(expires) if !in_doubt && now < expires => Ok(Held::new(&access, Some(expires), about.obtained)?),
                Some(_) | None => Err(missing("what was agreed to is over")),
            };
        };
        match self.refreshed(source, &about, &refresh, now).await {
            Ok(tokens) => {
                let next = about.renewed(&tokens, now);
                let second = tokens.refresh.as_ref().unwrap_or(&refresh);
                let stays =
                    self.keeper.renew(place, &next.write(), (&tokens.access, Some(second)), &written, now).await?;
                if !stays {
                    return Err(missing("it was disconnected"));
                }
                Ok(Held::new(&tokens.access, next.renew_at(), next.obtained)?)
            }
            Err(OutgoingError::Token(error)) if error.is_final() => {
                Err(missing("the authorization server takes it back"))
            }
            Err(error) => match about.expires {
                // The authorization server is away for a while; the token is still good.
                Some(expires) if !in_doubt && now < expires => {
                    tracing::warn!(server = %source.server, error = %model::with_causes(&error), "a token could not be renewed yet");
                    let again = Timestamp(now.0.saturating_add(limits::CREDENTIAL_RETRY_MILLISECONDS)).min(expires);
                    Ok(Held::new(&access, Some(again), about.obtained)?)
                }
                Some(_) | None => Err(error),
            },
        }
    }

    async fn refreshed(
        &self,
        source: &Source,
        about: &About,
        refresh: &model::Secret<String>,
        now: Timestamp,
    ) -> Result<Tokens, OutgoingError> {
        let issuer = discovery::issuer(&*source.to_issuer, &about.issuer).await?;
        let client = client::of(source, &issuer, &self.presence, &self.keeper, now).await?;
        if client.id != about.client {
            return Err(OutgoingError::Unsafe("the token was given to another client than the gate is now"));
        }
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", crate::secrets::opened(refresh).as_str()),
            ("resource", about.resource.as_str()),
        ];
        Ok(token::ask(&*source.to_issuer, &issuer, &client, &form, now).await?)
    }

    /// A token that the gate asks for itself. It is kept nowhere: another one can be had at any time.
    async fn as_client(&self, source: &Source, slot: &Slot) -> Result<Held, OutgoingError> {
        let now = self.clock.now();
        let challenge = self.challenge(source, slot).await?;
        let protected = discovery::protected(&*source.to_server, &source.url, &challenge).await?;
        let chosen = discovery::choose(&protected, source.issuer.as_deref())?;
        let issuer = discovery::issuer(&*source.to_issuer, chosen).await?;
        let client = client::of(source, &issuer, &self.presence, &self.keeper, now).await?;
        let scope = connect::scopes(source, &slot.noted(), &challenge, &protected).join(" ");
        let mut form = vec![("grant_type", "client_credentials"), ("resource", protected.resource.as_str())];
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        let tokens = token::ask(&*source.to_issuer, &issuer, &client, &form, now).await?;
        slot.asked_for(&scope);
        Ok(Held::new(&tokens.access, renew_at(now, tokens.expires), now)?)
    }
}

fn key(source: &Source, holder: &Holder) -> Key {
    Key { server: source.server.clone(), identity: source.identity, holder: holder.clone() }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
