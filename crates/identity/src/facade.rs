//! The authorization-server façade: any MCP client signs in here, with the enterprise's own identity provider behind it.
//!
//! To clients it is an OAuth 2.1 authorization server (RFC 8414 metadata, PKCE, RFC 8707 resources, RFC 9207 `iss`); to the
//! identity provider it is one client ([`Relying`]). In between stands what neither of them does (MCP 2026-07-28, security
//! best practices, confused deputy):
//!
//! 1. [`mod@authorize`]: who asks, and where would the code go? What is wrong with that is told on a page and sent nowhere.
//! 2. [`mod@consent`]: a page names client, scopes and redirect; only a yes, from the very browser that was asked, makes the
//!    `state` with which the person leaves for the provider.
//! 3. [`mod@callback`]: that state comes back once, in that browser, from that provider; a code goes to the client.
//! 4. [`mod@token`]: the code, once, for an access token of minutes that is good at one endpoint, and a refresh token that
//!    changes with each use. Each use asks the provider whether the person is still who they were.
//!
//! [`mod@device`] is for agents without a browser, [`mod@assertion`] for agents of an enterprise that vouches for their users
//! (ID-JAG), [`mod@logout`] for the end of it all.
//!
//! Nothing that a thief could use is kept: see [`crate::port::Facade`].

pub(crate) mod answer;
mod assertion;
mod attestation;
mod authenticate;
mod authorize;
mod callback;
pub mod client;
mod consent;
mod device;
mod documents;
mod logout;
mod metadata;
mod mint;
pub(crate) mod pages;
pub(crate) mod pkce;
mod possession;
mod register;
mod revocations;
mod rewrapping;
mod signing;
pub(crate) mod sources;
mod token;
pub(crate) mod turns;
mod visitors;
mod vouching;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Response, StatusCode};
use model::{
    Actor, Change, Clock, Digest, EndpointName, Entropy, Expected, Secret, StoreError, Timestamp, UserId, limits,
};
use tokio::sync::broadcast;
use url::Url;

use crate::fetch::Fetch;
use crate::outgoing::Keeper;
use crate::port;
use crate::relying::Relying;
use crate::resource_server::Certificates;
use crate::resource_server::proof::Proofs;
use crate::seal::Seal;
use crate::site::{self, Site, Visit};
use crate::vault::Vault;
use answer::Wrong;
pub use client::{Attester, Client, Doorway, Keys, Proof, RedirectError, Redirects};
use documents::Documents;
pub use mint::ATTESTED;
pub use revocations::Revocations;
pub use signing::{OwnKeys, SigningKeys};
use sources::Sources;
use turns::Turns;

/// What settings say of the façade.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Its issuer: the agents' listener's public URL, without a path and without a `/` at its end.
    pub issuer: String,
    /// Hosts whose client metadata documents are believed, by their exact names, each with the registered client as which such
    /// a client acts unless it is registered itself.
    pub documents: Vec<(String, String)>,
    /// The registered client as which clients act that register by themselves; none, and they cannot.
    pub registration: Option<String>,
    /// Classes of sign-in that the provider is asked for.
    pub acr_values: Vec<String>,
    /// What is put before the provider's name of a person where tokens are read.
    pub user_prefix: String,
    /// Whether clients can come with certificates.
    pub certificates: Certificates,
}

/// What is governed: which clients and endpoints there are. Asked anew each time, so that what people change counts at once.
pub trait Directory: Send + Sync {
    /// The registered agent whose client id this is.
    fn client(&self, client_id: &str) -> Option<Client>;

    /// An endpoint.
    fn endpoint(&self, name: &EndpointName) -> Option<Doorway>;
}

/// Everything that the façade needs.
pub struct Needs {
    /// What settings say of it.
    pub terms: Terms,
    /// Its memory.
    pub port: Arc<dyn port::Facade>,
    /// Where what the provider says of people is kept.
    pub words: Arc<dyn port::Credentials>,
    /// Clients and endpoints.
    pub directory: Arc<dyn Directory>,
    /// The identity provider.
    pub relying: Arc<Relying>,
    /// How clients' documents are fetched: within public addresses, unless settings say otherwise.
    pub fetch: Arc<dyn Fetch>,
    /// What seals signing keys and the provider's refresh tokens.
    pub vault: Vault,
    /// What seals forms and cookies.
    pub seal: Arc<Seal>,
    /// What checks proofs of possession; the same that checks them when tokens are used, so that none counts twice.
    pub proofs: Arc<Proofs>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// The façade.
pub struct Facade {
    terms: Terms,
    port: Arc<dyn port::Facade>,
    words: Keeper,
    departures: broadcast::Sender<UserId>,
    directory: Arc<dyn Directory>,
    relying: Arc<Relying>,
    fetch: Arc<dyn Fetch>,
    vault: Vault,
    seal: Arc<Seal>,
    proofs: Arc<Proofs>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    keys: Arc<SigningKeys>,
    revocations: Arc<Revocations>,
    documents: Documents,
    sources: Sources,
    turns: Turns,
}

/// Why there is no façade.
#[derive(Debug, thiserror::Error)]
pub enum FacadeError {
    /// Its memory cannot be read.
    #[error("the façade's memory cannot be read")]
    Store(#[from] StoreError),
    /// Its keys cannot be had.
    #[error("the façade has no signing key")]
    Keys(#[from] signing::SigningKeysError),
}

impl Facade {
    /// Opens the façade: its keys are there and what was revoked is known.
    ///
    /// # Errors
    /// When its memory cannot be read or its keys cannot be opened.
    pub async fn open(needs: Needs) -> Result<Self, FacadeError> {
        let Needs { terms, port, words, directory, relying, fetch, vault, seal, proofs, clock, entropy } = needs;
        let keys = SigningKeys::open(Arc::clone(&port), vault.clone(), Arc::clone(&clock)).await?;
        let revocations = Revocations::open(&*port, Arc::clone(&clock)).await?;
        Ok(Self {
            terms,
            port,
            words: Keeper::new(vault.clone(), words),
            departures: broadcast::Sender::new(limits::CONNECTING_MAX),
            directory,
            relying,
            fetch,
            vault,
            seal,
            proofs,
            clock,
            entropy,
            keys: Arc::new(keys),
            revocations: Arc::new(revocations),
            documents: Documents::default(),
            sources: Sources::default(),
            turns: Turns::default(),
        })
    }

    /// Who its tokens say that issued them.
    pub fn issuer(&self) -> &str {
        &self.terms.issuer
    }

    /// The identity provider behind it.
    pub fn relying(&self) -> &Relying {
        &self.relying
    }

    /// The keys by which its tokens are checked.
    pub fn keys(&self) -> &Arc<SigningKeys> {
        &self.keys
    }

    /// What was revoked while its tokens may still be about.
    pub fn revocations(&self) -> &Arc<Revocations> {
        &self.revocations
    }

    /// The canonical URI of an endpoint: what a token is for (RFC 8707).
    pub fn resource(&self, endpoint: &EndpointName) -> String {
        format!("{}/{endpoint}/mcp", self.terms.issuer)
    }

    /// The endpoint that a resource is, if it is spelt exactly so.
    fn endpoint_of(&self, resource: &str) -> Option<EndpointName> {
        let endpoint = resource.strip_prefix(&self.terms.issuer)?.strip_prefix('/')?.strip_suffix("/mcp")?;
        endpoint.parse().ok()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// 256 random bits as text.
    fn fresh(&self) -> Secret<String> {
        Secret::new(format!("{:032x}{:032x}", self.entropy.bits(), self.entropy.bits()))
    }

    /// A change that nobody on the admin side made.
    fn change(&self) -> Change {
        Change { actor: Actor::Gate, expected: Expected::Any, at: self.now(), reason: None }
    }

    async fn route(&self, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
        match (&visit.method, visit.path.as_str()) {
            (&Method::GET, "/.well-known/oauth-authorization-server") => Ok(metadata::answer(self)),
            (&Method::GET, "/oauth/jwks") => Ok(site::published(&self.keys.published())),
            (&Method::GET, "/oauth/style.css") => Ok(pages::style()),
            (&Method::GET, "/oauth/icon.svg") => Ok(pages::icon()),
            (&Method::GET, "/oauth/authorize") => authorize::run(self, visit).await,
            (&Method::POST, "/oauth/consent") => consent::run(self, visit).await,
            (&Method::GET, "/oauth/callback") => callback::run(self, visit).await,
            (&Method::POST, "/oauth/token") => token::run(self, visit).await,
            (&Method::POST, "/oauth/revoke") => logout::revoke(self, visit).await,
            (&Method::POST, "/oauth/backchannel-logout") => logout::told(self, visit).await,
            (&Method::POST, "/oauth/device_authorization") => device::begin(self, visit).await,
            (&Method::GET, "/oauth/device") => device::show(self, visit).await,
            (&Method::POST, "/oauth/device") => device::entered(self, visit).await,
            (&Method::POST, "/oauth/register") => register::run(self, visit).await,
            _ => Err(Wrong::page(
                StatusCode::NOT_FOUND,
                "There is nothing here",
                "The address is not one of the gate's.",
            )),
        }
    }
}

#[async_trait]
impl Site for Facade {
    fn serves(&self, path: &str) -> bool {
        path.starts_with("/oauth/") || path == "/.well-known/oauth-authorization-server"
    }

    async fn answer(&self, visit: Visit) -> Response<Bytes> {
        if !self.sources.admits(visit.source, self.now()) {
            return Wrong::too_many().told();
        }
        match self.route(&visit).await {
            Ok(response) => response,
            Err(wrong) => wrong.told(),
        }
    }
}

/// The digest under which something secret is kept.
fn kept(secret: &str) -> Digest {
    Digest::of(secret.as_bytes())
}

/// A URL with parameters added to its query. What stands in it already stays as it is.
pub(crate) fn with_parameters(target: &str, parameters: &[(&str, &str)]) -> String {
    let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let joint = if target.contains('?') { '&' } else { '?' };
    format!("{target}{joint}{encoded}")
}

/// What a person reads of a URL: where it leads, without what is said there.
fn origin_of(url: &str) -> String {
    Url::parse(url)
        .ok()
        .map(|url| url.origin())
        .filter(url::Origin::is_tuple)
        .map_or_else(|| url.split(':').next().unwrap_or_default().to_owned(), |origin| origin.ascii_serialization())
}
