//! A person connects a server: to its authorization server and back (OAuth 2.1 §4.1 with PKCE, RFC 8707, RFC 9207).
//!
//! What the gate sends away with is remembered under the digest of its `state`, for one return of the same browser within
//! [`limits::CONNECTING_MILLISECONDS_MAX`]. Whoever sends back what somebody else began finds nothing.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use model::{Actor, Change, Digest, Expected, Secret, ServerName, Timestamp, UserId, limits};
use url::{Host, Url};

use super::discovery::{self, Issuer, Protected};
use super::keeper::place;
use super::slot::{Noted, Slot};
use super::token;
use super::{About, Challenge, Holder, Outgoing, OutgoingError, Source, client, locked};
use crate::fetch::{Asked, FetchError};
use crate::secrets::opened;

/// What a server is asked without a credential, so that it says which one it wants.
const PROBE: &[u8] = br#"{"jsonrpc":"2.0","id":0,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"portcullis","version":"0"},"io.modelcontextprotocol/clientCapabilities":{}}}}"#;

/// The scope of a refresh token (OpenID Connect Core 1.0 §11, and what MCP says of it).
pub(super) const OFFLINE: &str = "offline_access";

/// Somebody on the way to an authorization server and back.
pub(super) struct Pending {
    pub(super) source: Arc<Source>,
    holder: Holder,
    by: Actor,
    browser: Digest,
    issuer: Issuer,
    client: String,
    resource: String,
    scopes: Vec<String>,
    verifier: Secret<String>,
    expires: Timestamp,
}

/// The way to the authorization server.
pub struct Begun {
    /// Where the browser is sent.
    pub url: Url,
    /// What only this browser may come back with, as a cookie.
    pub browser: Secret<String>,
}

/// What a browser came back with.
#[derive(Debug, Default)]
pub struct Return {
    /// What the gate sent it away with.
    pub state: String,
    /// The code, if the person agreed.
    pub code: Option<String>,
    /// The error's code, if not.
    pub error: Option<String>,
    /// Who sent it back (RFC 9207).
    pub iss: Option<String>,
}

/// A server that is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// The server.
    pub server: ServerName,
    /// Whose credential it was given.
    pub holder: Holder,
}

/// Why nothing was connected.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// Nobody left with this state, or in another browser, or too long ago, or came back before.
    #[error("nobody is on the way who could come back with this: begin again")]
    Unknown,
    /// Another authorization server answered than was asked, or it did not say who it is though it always does (RFC 9207).
    #[error("another authorization server answered than was asked")]
    OtherIssuer,
    /// The person did not agree, or the authorization server did not let them.
    #[error("the authorization server did not agree: {0}")]
    Denied(String),
    /// What came of it could not be used.
    #[error(transparent)]
    Outgoing(#[from] OutgoingError),
}

impl Outgoing {
    /// Sends a person to the authorization server of a server, to agree that its credential is used by this holder. `by` says
    /// in the receipt who began it.
    ///
    /// # Errors
    /// [`OutgoingError`], when it is not safe to send anybody there, or too many are on the way.
    pub async fn begin(&self, source: &Arc<Source>, holder: Holder, by: Actor) -> Result<Begun, OutgoingError> {
        let now = self.clock.now();
        let slot = self.slot(source, &holder)?;
        let challenge = self.challenge(source, &slot).await?;
        let protected = discovery::protected(&*source.to_server, &source.url, &challenge).await?;
        let chosen = discovery::choose(&protected, source.issuer.as_deref())?;
        let issuer = discovery::issuer(&*source.to_issuer, chosen).await?;
        let Some(page) = issuer.authorization_endpoint.clone().filter(is_browsable) else {
            return Err(OutgoingError::Unsafe("it has no page that a browser may be sent to"));
        };
        if !issuer.has_s256 {
            return Err(OutgoingError::Unsafe("it does not say that it knows PKCE with S256"));
        }
        let client = client::of(source, &issuer, &self.presence, &self.keeper, now).await?;
        let mut scopes = scopes(source, &slot.noted(), &challenge, &protected);
        if issuer.scopes.iter().any(|scope| scope == OFFLINE) && !scopes.iter().any(|scope| scope == OFFLINE) {
            scopes.push(OFFLINE.to_owned());
        }
        let [state, verifier, browser] = [self.unguessable(), self.unguessable(), self.unguessable()];
        let hashed = digest(&SHA256, opened(&verifier).as_bytes());
        let mut url = page;
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("response_type", "code").append_pair("client_id", &client.id);
            query
                .append_pair("redirect_uri", self.presence.callback.as_str())
                .append_pair("state", opened(&state).as_str());
            query
                .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(hashed))
                .append_pair("code_challenge_method", "S256");
            query.append_pair("resource", &protected.resource);
            if !scopes.is_empty() {
                query.append_pair("scope", &scopes.join(" "));
            }
        }
        let pending = Pending {
            source: Arc::clone(source),
            holder,
            by,
            browser: Digest::of(opened(&browser).as_bytes()),
            issuer,
            client: client.id,
            resource: protected.resource,
            scopes,
            verifier,
            expires: Timestamp(now.0.saturating_add(limits::CONNECTING_MILLISECONDS_MAX)),
        };
        let mut waiting = locked(&self.pending);
        // A person who begins anew at a server takes the place they had.
        let is_anew = |one: &Pending| {
            matches!(one.holder, Holder::User(_))
                && one.holder == pending.holder
                && one.source.server == pending.source.server
        };
        waiting.retain(|_, one| now < one.expires && !is_anew(one));
        if waiting.len() >= limits::CONNECTING_MAX {
            return Err(OutgoingError::Busy);
        }
        waiting.insert(Digest::of(opened(&state).as_bytes()), pending);
        Ok(Begun { url, browser })
    }

    /// Takes what a browser came back with, in which `person` is signed in. Whatever comes of it, it can come back once.
    ///
    /// # Errors
    /// [`FinishError`]. Nothing is connected then.
    pub async fn finish(
        &self,
        back: Return,
        browser: Option<&str>,
        person: Option<&UserId>,
    ) -> Result<Connected, FinishError> {
        let now = self.clock.now();
        let state = Digest::of(back.state.as_bytes());
        let pending = {
            let mut waiting = locked(&self.pending);
            let is_theirs = |pending: &Pending| {
                let browser = browser.map(|browser| Digest::of(browser.as_bytes()));
                // Who began may have left, and somebody else be signed in there by now.
                let is_for_them = match &pending.holder {
                    Holder::User(user) => Some(user) == person,
                    Holder::Shared | Holder::Agent(_) => true,
                    // Nobody connects what is given out for each call's parties.
                    Holder::Both(..) => false,
                };
                now < pending.expires && browser == Some(pending.browser) && is_for_them
            };
            // In another browser it is nothing, and stays there for the one that left with it.
            match waiting.get(&state) {
                Some(pending) if is_theirs(pending) => waiting.remove(&state),
                Some(_) | None => None,
            }
        };
        let Some(pending) = pending else { return Err(FinishError::Unknown) };
        // Compared letter for letter, also when it comes with an error (RFC 9207 §2.4).
        let is_of_issuer = match &back.iss {
            Some(iss) => *iss == pending.issuer.issuer,
            None => !pending.issuer.tells_iss,
        };
        if !is_of_issuer {
            return Err(FinishError::OtherIssuer);
        }
        let code = match (back.code, back.error) {
            (Some(code), None) if code.len() <= limits::TOKEN_BYTES_MAX => Secret::new(code),
            (_, Some(error)) => return Err(FinishError::Denied(error_word(&error))),
            (_, None) => return Err(FinishError::Denied("it sent no code".to_owned())),
        };
        self.take(&pending, &code, now).await?;
        let Pending { source, holder, .. } = pending;
        self.call_off(&source.server, &holder);
        Ok(Connected { server: source.server.clone(), holder })
    }

    /// Gives the code for tokens, and keeps them.
    async fn take(&self, pending: &Pending, code: &Secret<String>, now: Timestamp) -> Result<(), OutgoingError> {
        let Pending { source, holder, issuer, .. } = pending;
        let client = client::of(source, issuer, &self.presence, &self.keeper, now).await?;
        if client.id != pending.client {
            return Err(OutgoingError::Unsafe("the gate is another client there than when it was asked"));
        }
        let form = [
            ("grant_type", "authorization_code"),
            ("code", opened(code).as_str()),
            ("redirect_uri", self.presence.callback.as_str()),
            ("code_verifier", opened(&pending.verifier).as_str()),
            ("resource", pending.resource.as_str()),
        ];
        let tokens = token::ask(&*source.to_issuer, issuer, &client, &form, now).await?;
        let about = About {
            url: source.url.to_string(),
            resource: pending.resource.clone(),
            issuer: issuer.issuer.clone(),
            client: client.id,
            requested: pending.scopes.clone(),
            granted: tokens.scopes.unwrap_or_else(|| pending.scopes.clone()),
            connected: now,
            obtained: now,
            expires: tokens.expires,
            by: pending.by.to_string(),
        };
        let actor = pending.by.clone();
        let change = Change { actor, expected: Expected::Any, at: now, reason: None };
        let kept = (&tokens.access, tokens.refresh.as_ref());
        self.keeper.connect(place(&source.server, holder), &about.write(), kept, change).await?;
        self.clear(&source.server, holder);
        // Nobody may be listening.
        let _ = self.news.send(Connected { server: source.server.clone(), holder: holder.clone() });
        Ok(())
    }

    /// Forgets a server's credential; returns whether there was one.
    ///
    /// # Errors
    /// When the store cannot be used.
    pub async fn disconnect(
        &self,
        server: &ServerName,
        holder: &Holder,
        change: Change,
    ) -> Result<bool, OutgoingError> {
        self.call_off(server, holder);
        let was_there = self.keeper.forget(place(server, holder), change).await?;
        self.clear(server, holder);
        Ok(was_there)
    }

    /// Whoever is invited or on the way to connect a server for this holder connects it no more.
    fn call_off(&self, server: &ServerName, holder: &Holder) {
        self.uninvite(server, holder);
        locked(&self.pending).retain(|_, one| one.source.server != *server || one.holder != *holder);
    }

    /// Forgets what is in memory for a holder, under whatever identity the server had, and wakes who waits for it.
    fn clear(&self, server: &ServerName, holder: &Holder) {
        let slots = locked(&self.slots);
        for (_, slot) in slots.iter().filter(|(key, _)| key.server == *server && key.holder == *holder) {
            slot.clear();
            slot.connected.notify_waiters();
        }
    }

    /// What the server says of the credential it wants: what it said last, or what it says to a request without one.
    pub(super) async fn challenge(&self, source: &Source, slot: &Slot) -> Result<Challenge, OutgoingError> {
        if let Some(challenge) = slot.noted().challenge {
            return Ok(challenge);
        }
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(HeaderName::from_static("mcp-protocol-version"), HeaderValue::from_static("2026-07-28"));
        headers.insert(HeaderName::from_static("mcp-method"), HeaderValue::from_static("server/discover"));
        let asked = Asked { method: Method::POST, url: &source.url, headers, body: Bytes::from_static(PROBE) };
        match source.to_server.send(asked).await {
            Ok(answer) if answer.status == StatusCode::UNAUTHORIZED => {
                Ok(Challenge::read(&answer.headers).unwrap_or_default())
            }
            // It says nothing of a credential; its metadata may.
            Ok(_) | Err(FetchError::Answer { .. } | FetchError::TimedOut { .. }) => Ok(Challenge::default()),
            Err(error) => Err(discovery::DiscoveryError::from(error).into()),
        }
    }

    /// 256 random bits, as text that fits in a URL and a cookie.
    pub(super) fn unguessable(&self) -> Secret<String> {
        let bits = [self.entropy.bits().to_ne_bytes(), self.entropy.bits().to_ne_bytes()].concat();
        Secret::new(URL_SAFE_NO_PAD.encode(bits))
    }
}

/// The scopes to ask for (MCP 2026-07-28, basic/authorization, scope selection): those that people approved; else what the
/// server asked for since, with what was asked for before; else those of its challenge; else those that it knows.
pub(super) fn scopes(source: &Source, noted: &Noted, challenge: &Challenge, protected: &Protected) -> Vec<String> {
    if !source.scopes.is_empty() {
        return source.scopes.clone();
    }
    if !noted.wanted.is_empty() {
        return noted.wanted.iter().cloned().collect();
    }
    challenge.scopes.clone().or_else(|| protected.scopes.clone()).unwrap_or_default()
}

/// Whether a browser may be sent there: `https`, or plain on this machine.
fn is_browsable(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let plain = url.username().is_empty() && url.password().is_none();
    plain && (url.scheme() == "https" || url.scheme() == "http" && is_here)
}

/// An error code as it may be shown (RFC 6749 §4.1.2.1).
fn error_word(error: &str) -> String {
    let is_word = error.len() <= 60 && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_word { error.to_owned() } else { "it sent an error without a code".to_owned() }
}
