//! The resource server: who an access token stands for, at the endpoint that it came to.
//!
//! Start with [`ResourceServer::authenticate`]. A token is either a signed one of a configured issuer (RFC 9068, or as the
//! issuer's mapping says) or, where an issuer is asked, an opaque one (RFC 7662). Either way it must be for exactly this
//! endpoint ([`ResourceServer::resource`], RFC 8707), of a client that is a registered agent, and for a person exactly
//! where the agent is a delegated one. A token that is bound to a key counts only with a proof of that key, and a proof
//! once ([`proof`]); one that is bound to a certificate, and one of an agent that is registered with a certificate, only over
//! a connection that was made with that certificate (RFC 8705).
//!
//! What was verified is remembered by its digest: until the token ends, the issuer's keys change, the registered agents
//! change, or memory is needed. What was refused is not remembered.
//!
//! Nothing here says what the caller may do: scopes are context for policy, and permit nothing.

mod introspection;
mod issuer;
mod presented;
pub mod proof;
mod told;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;
use http::header::AUTHORIZATION;
use model::{
    Agent, Assurance, Authentication, Cache, Caller, CertificateName, Challenge, Changed, Clock, Digest, EndpointName,
    Reason, Refusal, Timestamp, TokenEnd, TokenFamily, TokenKey, cache, limits,
};
use quick_cache::UnitWeighter;

use crate::agents::{Agents, Registration};
use crate::certificate::Certificate;
use crate::jwt::{Audience, Unverified};
use crate::keys::KeySet;
use introspection::Introspection;
use presented::{Bound, Presented};
use proof::{Proofs, Shown};

pub use introspection::IntrospectionSettings;
pub use issuer::{AppOnly, Issuer, IssuerSettings, Mapping};
pub use told::Certificates;

/// Tokens for which there is room from the start.
const EXPECTED: usize = 1024;

/// Takes tokens.
pub struct ResourceServer {
    /// Where agents reach the gate, without a slash at its end.
    public_url: String,
    /// What clients are told to ask for when they sign in.
    scopes: Vec<String>,
    certificates: Certificates,
    issuers: Vec<Arc<Issuer>>,
    introspection: Option<Introspection>,
    remembered: Cache<Digest, Arc<Remembered>>,
    /// The seconds in which tokens that were verified end.
    ends: Mutex<BTreeSet<u64>>,
    proofs: Arc<Proofs>,
    clock: Arc<dyn Clock>,
}

/// What settings say of the tokens that are taken.
pub struct ResourceSettings {
    /// Where agents reach the gate.
    pub public_url: String,
    /// What clients are told to ask for when they sign in, the same at every endpoint, so that it tells nothing of any.
    pub scopes: Vec<String>,
    /// Whether clients can come with certificates.
    pub certificates: Certificates,
    /// Whose tokens are taken.
    pub issuers: Vec<IssuerSettings>,
    /// Who is asked about opaque ones.
    pub introspection: Option<IntrospectionSettings>,
}

/// A token that was verified.
struct Remembered {
    presented: Presented,
    /// What its agent's certificate calls it, if it has one.
    certificate: Option<CertificateName>,
    endpoint: EndpointName,
    caller: Arc<Caller>,
    /// Who was registered then.
    agents: Arc<Agents>,
    /// The keys it was verified by; none for an opaque one.
    keys: Option<Arc<KeySet>>,
    /// Until when that counts.
    until: Timestamp,
}

/// What a request shows of itself.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Its method.
    pub method: &'a str,
    /// The path of its URL, without a query.
    pub path: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// The endpoint it came to.
    pub endpoint: &'a EndpointName,
    /// The certificate with which its connection was made.
    pub certificate: Option<&'a Certificate>,
}

/// How a token was presented.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Proven,
}

impl ResourceServer {
    /// Takes tokens as settings say. What `before` knew of issuers that stay the same is kept, so that reading settings again
    /// asks nobody anything, and so are the ends of tokens by which streams are open.
    pub fn new(settings: ResourceSettings, proofs: Arc<Proofs>, clock: Arc<dyn Clock>, before: Option<&Self>) -> Self {
        let ResourceSettings { public_url, scopes, certificates, issuers, introspection } = settings;
        let known = |settings: &IssuerSettings| {
            let before = before?.issuers.iter().find(|issuer| issuer.is_like(settings))?;
            Some(Arc::clone(before.keys()))
        };
        let issuers = issuers.into_iter().map(|settings| {
            let keys = known(&settings);
            Arc::new(Issuer::new(settings, keys, Arc::clone(&clock)))
        });
        let ends = before.map(|before| before.ends.lock().unwrap_or_else(PoisonError::into_inner).clone());
        Self {
            public_url: public_url.trim_end_matches('/').to_owned(),
            scopes,
            certificates,
            issuers: issuers.collect(),
            introspection: introspection.map(Introspection::new),
            remembered: cache(EXPECTED, limits::TOKENS_REMEMBERED_MAX, UnitWeighter),
            ends: Mutex::new(ends.unwrap_or_default()),
            proofs,
            clock,
        }
    }

    /// What a token must be for at an endpoint: its canonical URI (MCP 2026-07-28, authorization).
    pub fn resource(&self, endpoint: &EndpointName) -> String {
        format!("{}/{endpoint}/mcp", self.public_url)
    }

    /// Where the endpoint's metadata is (RFC 9728 §3.1).
    pub fn metadata_url(&self, endpoint: &EndpointName) -> String {
        let (origin, path) = split_origin(&self.public_url);
        format!("{origin}{}{path}/{endpoint}/mcp", Self::METADATA)
    }

    /// What metadata is found under.
    pub const METADATA: &'static str = "/.well-known/oauth-protected-resource";

    /// A nonce for the next proof of possession.
    pub fn nonce(&self) -> Option<String> {
        self.proofs.nonce(self.clock.now())
    }

    /// Whether tokens of this issuer are taken.
    pub fn takes(&self, issuer: &str) -> bool {
        self.issuers.iter().any(|known| known.url() == issuer)
    }

    /// Whether the sign-in by which a caller came was ended since.
    pub fn has_revoked(&self, authentication: &Authentication) -> bool {
        let issuer = self.issuers.iter().find(|issuer| Some(issuer.url()) == authentication.issuer.as_deref());
        issuer.is_some_and(|issuer| issuer.has_revoked(authentication.family.0.as_deref()))
    }

    /// Fetches every issuer's keys that nobody has fetched yet, so that the first caller need not wait.
    pub async fn warm(&self) {
        for issuer in &self.issuers {
            // What goes wrong is logged where it is, and tried again for whoever comes.
            let _ = issuer.keys().current().await;
        }
    }

    /// Who issues tokens for its endpoints.
    pub fn issuers(&self) -> impl Iterator<Item = &Arc<Issuer>> {
        self.issuers.iter()
    }

    /// Whether a token ended after `since`, up to now: whoever holds a stream open for its caller must look again.
    pub fn ended_since(&self, since: Timestamp) -> bool {
        let now = self.clock.now().0 / 1_000;
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let to_come = ends.split_off(&now.saturating_add(1));
        let ended = std::mem::replace(&mut *ends, to_come);
        ended.last().is_some_and(|last| *last >= since.0 / 1_000)
    }

    /// Who the request's token stands for.
    ///
    /// # Errors
    /// [`Reason::Unauthenticated`] with what the caller can do about it; [`Reason::Overloaded`] when too many proofs or
    /// introspections are open.
    pub async fn authenticate(&self, asked: Asked<'_>, agents: &Arc<Agents>) -> Result<Arc<Caller>, Refusal> {
        let (scheme, token) = presented_token(asked.headers)?;
        let digest = Digest::of(token.as_bytes());
        let now = self.clock.now();
        let known = match self.remembered.get(&digest).filter(|known| self.still_counts(known, &asked, agents, now)) {
            Some(known) => known,
            None => {
                let known = Arc::new(self.verify(token, asked.endpoint, agents, now).await?);
                self.remember(digest, &known);
                known
            }
        };
        came_with(&known, asked.certificate)?;
        self.possession(scheme, known.presented.bound.key.as_deref(), token, &asked, now)?;
        Ok(Arc::clone(&known.caller))
    }

    fn still_counts(&self, known: &Remembered, asked: &Asked<'_>, agents: &Arc<Agents>, now: Timestamp) -> bool {
        let same_keys = || match (&known.keys, self.issuers.get(known.presented.issuer)) {
            (None, _) => true,
            (Some(keys), Some(issuer)) => issuer.keys().are_in_force(keys, now),
            (Some(_), None) => false,
        };
        let issuer = self.issuers.get(known.presented.issuer);
        let goes_on = issuer.is_some_and(|issuer| !issuer.has_revoked(known.presented.family.as_deref()));
        goes_on
            && known.endpoint == *asked.endpoint
            && known.until > now
            && Arc::ptr_eq(&known.agents, agents)
            && same_keys()
    }

    fn remember(&self, digest: Digest, known: &Arc<Remembered>) {
        self.remembered.insert(digest, Arc::clone(known));
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        // A day ahead is enough: whoever is later is looked at again before.
        let day = self.clock.now().0 / 1_000 + 24 * 60 * 60;
        ends.insert((known.presented.ends.0 / 1_000).min(day));
    }

    async fn verify(
        &self,
        token: &str,
        endpoint: &EndpointName,
        agents: &Arc<Agents>,
        now: Timestamp,
    ) -> Result<Remembered, Refusal> {
        let resource = self.resource(endpoint);
        let is_signed = token.bytes().filter(|byte| *byte == b'.').count() == 2;
        let (presented, keys, until) = if is_signed {
            let unverified = Unverified::read(token).map_err(|error| refused(&error.to_string()))?;
            let named = unverified
                .issuer()
                .and_then(|name| self.issuers.iter().enumerate().find(|(_, issuer)| issuer.url() == name));
            let (index, issuer) = named.ok_or_else(|| refused("the token is of no configured issuer"))?;
            let (claims, keys) = issuer.verify(token, Audience::Only(&resource), now).await?;
            let presented = issuer.presented(index, &claims)?;
            let until = presented.ends;
            (presented, Some(keys), until)
        } else {
            let asked = self.introspection.as_ref().ok_or_else(|| refused("the token is no signed one"))?;
            let of_issuer = self.issuers.iter().enumerate().find(|(_, issuer)| issuer.url() == asked.issuer());
            let (index, issuer) = of_issuer.ok_or_else(|| refused("the token is of no configured issuer"))?;
            let claims = asked.ask(token, &resource, issuer.skew(), now).await?;
            let presented = issuer.presented(index, &claims)?;
            let soon = Timestamp(now.0.saturating_add(limits::INTROSPECTED_SECONDS_MAX * 1_000));
            let until = presented.ends.min(soon);
            (presented, None, until)
        };
        let registration = self.registered(&presented.client, presented.issuer, agents)?;
        let certificate = registration.certificate.clone();
        let caller = Arc::new(self.caller(&presented, registration, agents)?);
        let (endpoint, agents) = (endpoint.clone(), Arc::clone(agents));
        Ok(Remembered { presented, certificate, endpoint, caller, agents, keys, until })
    }

    /// The registered agent that is a client of an issuer.
    fn registered<'a>(&self, client: &str, issuer: usize, agents: &'a Agents) -> Result<&'a Registration, Refusal> {
        let issuer = self.issuers.get(issuer).map(|issuer| issuer.url()).unwrap_or_default();
        let found = agents.find(issuer, client).map(AsRef::as_ref);
        found.ok_or_else(|| refused("the token's client is no registered agent"))
    }

    /// The registered agent that presents the token, with whom it acts for.
    fn caller(&self, presented: &Presented, registration: &Registration, agents: &Agents) -> Result<Caller, Refusal> {
        let issuer = self.issuers.get(presented.issuer).map(|issuer| issuer.url()).unwrap_or_default();
        let mut actors: Vec<Agent> = Vec::new();
        for client in &presented.actors {
            let actor = &self.registered(client, presented.issuer, agents)?.agent;
            if *actor != registration.agent && !actors.contains(actor) {
                actors.push(actor.clone());
            }
        }
        // What each of them asks for is asked of every request: see `came_with` and `possession`.
        let Bound { key, certificate } = &presented.bound;
        let assurance = if presented.attested && key.is_some() {
            Assurance::Attested
        } else if certificate.is_some() || registration.certificate.is_some() {
            Assurance::MutualTls
        } else if key.is_some() {
            Assurance::KeyBound
        } else {
            Assurance::Public
        };
        // The certificates of an agent that is known by a name come and go.
        let held = key.as_ref().or(certificate.as_ref().filter(|_| registration.certificate.is_none()));
        let Presented { user, groups, acr, amr, signed_in, scopes, ends, family, .. } = presented;
        let authentication = Authentication {
            issuer: Some(issuer.into()),
            acr: acr.clone(),
            amr: Arc::clone(amr),
            signed_in: *signed_in,
            scopes: Arc::clone(scopes),
            actors: actors.into(),
            ends: TokenEnd(Some(*ends)),
            family: TokenFamily(family.clone()),
            key: TokenKey(held.map(|held| held.as_str().into())),
            changed: Changed::default(),
        };
        let caller = Caller::new(registration.agent.clone(), user.clone(), groups.clone(), assurance);
        let caller = caller.ok_or_else(|| {
            let kind = registration.agent.kind.as_str();
            refused(&format!("agent `{}` is {kind}, and the token does not fit that", registration.agent.id))
        })?;
        Ok(caller.with(authentication))
    }

    /// A token that is bound to a key counts with a proof of that key, and one that is not counts as a bearer token.
    fn possession(
        &self,
        scheme: Scheme,
        bound: Option<&str>,
        token: &str,
        asked: &Asked<'_>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        match (scheme, bound) {
            (Scheme::Bearer, None) if asked.headers.contains_key(proof::DPOP) => {
                Err(refused("a proof of possession came with a token that is bound to no key"))
            }
            (Scheme::Bearer, None) => Ok(()),
            (Scheme::Bearer, Some(_)) => Err(refused("the token is bound to a key and came as a bearer token")),
            (Scheme::Proven, None) => Err(refused("the token is bound to no key and came with a proof")),
            (Scheme::Proven, Some(thumbprint)) => {
                let url = format!("{}{}", self.public_url, asked.path);
                let shown = Shown { method: asked.method, url: &url, headers: asked.headers, token: Some(token), now };
                let key = self.proofs.check(&shown)?;
                // Both are public, so how long comparing them takes tells nothing.
                if key == *thumbprint { Ok(()) } else { Err(refused("the proof is by another key than the token's")) }
            }
        }
    }
}

/// A token that is bound to a certificate, or whose agent has one, counts over a connection that was made with it.
fn came_with(known: &Remembered, certificate: Option<&Certificate>) -> Result<(), Refusal> {
    let bound = known.presented.bound.certificate.as_deref();
    if bound.is_some_and(|bound| certificate.is_none_or(|own| own.thumbprint() != bound)) {
        return Err(refused("the token is bound to another certificate than the connection's"));
    }
    if known.certificate.as_ref().is_some_and(|name| certificate.is_none_or(|own| !own.names(name))) {
        return Err(refused("the connection was not made with the agent's certificate"));
    }
    Ok(())
}

/// The one token of a request, and how it was presented: in the `Authorization` header and nowhere else.
fn presented_token(headers: &HeaderMap) -> Result<(Scheme, &str), Refusal> {
    let nobody = |detail| Refusal::new(Reason::Unauthenticated, detail);
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| nobody("no Authorization header"))?;
    if values.next().is_some() {
        return Err(refused("more than one Authorization header"));
    }
    let text = value.to_str().map_err(|_| refused("the Authorization header is no text"))?;
    let (scheme, token) = text.split_once(' ').ok_or_else(|| refused("no token"))?;
    let scheme = if scheme.eq_ignore_ascii_case("bearer") {
        Scheme::Bearer
    } else if scheme.eq_ignore_ascii_case("dpop") {
        Scheme::Proven
    } else {
        return Err(nobody("the Authorization scheme is none of the gate's"));
    };
    // RFC 6750 §2.1, `b64token`.
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || token.len() > limits::TOKEN_BYTES_MAX || !token.bytes().all(is_token) {
        return Err(refused("the token is empty, too long or no token"));
    }
    Ok((scheme, token))
}

/// A token that came and is not taken. Why is for operators; the caller hears that it is no good.
pub(crate) fn refused(detail: &str) -> Refusal {
    Refusal::new(Reason::Unauthenticated, detail).with_challenge(Challenge::Token)
}

/// A URL's scheme and authority, and its path.
fn split_origin(url: &str) -> (&str, &str) {
    let after = url.find("://").map_or(0, |at| at + 3);
    let at = url.get(after..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| after + at);
    url.split_at_checked(at).unwrap_or((url, ""))
}

#[cfg(test)]
mod tests;
