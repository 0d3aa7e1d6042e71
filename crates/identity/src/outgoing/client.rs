//! Who the gate is to an authorization server, in the order of MCP 2026-07-28, basic/authorization/client-registration:
//! a client that was registered by people, one that its metadata document describes, or one that registers itself.
//!
//! A client is one at one issuer: what another issuer gave is never shown to this one.

use std::sync::Arc;

use http::StatusCode;
use model::{Secret, Timestamp, limits};
use serde_json::{Value, json};
use url::Url;

use super::Source;
use super::discovery::Issuer;
use super::keeper::{KeepError, Keeper};
use crate::fetch::FetchError;
use crate::json;
use crate::secrets::opened;

/// How the gate is known to authorization servers.
#[derive(Debug, Clone)]
pub struct Presence {
    /// Where people come back to.
    pub callback: Url,
    /// Where the gate's client metadata document is; `None` if it is nowhere that others could read it.
    pub document: Option<Url>,
    /// What people read on the page that asks for their consent.
    pub name: String,
    /// Where people connect servers for themselves, each at its own name; `None` where nobody can say who they are.
    pub people: Option<Url>,
}

/// A client that people registered at an issuer.
#[derive(Clone)]
pub struct Registered {
    /// Its id there.
    pub id: String,
    /// How it proves that it is that client; `None` for a public one.
    pub proof: Option<Proof>,
}

/// How a client proves who it is.
#[derive(Clone)]
pub enum Proof {
    /// It knows a secret.
    Secret(Arc<Secret<String>>),
    /// It has a key (RFC 7523, `private_key_jwt`).
    Key(Arc<dyn SignsIn>),
}

/// A key with which a client signs that it is who it says.
pub trait SignsIn: Send + Sync {
    /// The signed assertion of RFC 7523 §3 for this audience; `None` if the key cannot be used.
    fn assertion(&self, client: &str, audience: &str, now: Timestamp) -> Option<Secret<String>>;
}

/// A client at one issuer.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) presents: Presents,
}

/// What it presents to the token endpoint.
pub(crate) enum Presents {
    Nothing,
    InHeader(Secret<String>),
    InForm(Secret<String>),
    Signature(Arc<dyn SignsIn>),
}

/// Why the gate is no client there.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody registered it, and it cannot register itself.
    #[error(
        "the gate is not registered at the authorization server, which takes neither documents nor registrations: name a `client_id`"
    )]
    Unregistered,
    /// The registration could not be sent.
    #[error("the gate cannot register itself")]
    Fetch(#[from] FetchError),
    /// The registration was not accepted.
    #[error("the authorization server does not register the gate ({0})")]
    Refused(StatusCode),
    /// The answer is none that RFC 7591 knows.
    #[error("the answer to the registration cannot be used")]
    Answer,
    /// The registration could not be kept, or what was kept not be read.
    #[error("the registration cannot be kept")]
    Keep(#[from] KeepError),
    /// The issuer takes none of the ways in which the client could prove who it is.
    #[error("the authorization server takes no proof that the gate has")]
    Method,
}

/// What is kept of a registration, beside the secret.
const ABOUT_CLIENT: &str = "client_id";

/// The gate as a client of this issuer; it registers itself where nothing else is left.
///
/// # Errors
/// [`ClientError`].
pub(crate) async fn of(
    source: &Source,
    issuer: &Issuer,
    presence: &Presence,
    keeper: &Keeper,
    now: Timestamp,
) -> Result<Client, ClientError> {
    if let Some(Registered { id, proof }) = &source.client {
        let presents = match proof {
            None => Presents::Nothing,
            Some(Proof::Key(key)) => Presents::Signature(Arc::clone(key)),
            Some(Proof::Secret(secret)) => with_secret(issuer, None, Secret::new(opened(secret).to_owned()))?,
        };
        return Ok(Client { id: id.clone(), presents });
    }
    if let Some(document) = presence.document.as_ref().filter(|_| issuer.takes_documents) {
        return Ok(Client { id: document.to_string(), presents: Presents::Nothing });
    }
    let place = super::keeper::client_place(&issuer.issuer);
    if let Some(kept) = keeper.read(&place).await? {
        let about = |name: &str| kept.about.get(name).and_then(Value::as_str);
        if let Some(id) = about(ABOUT_CLIENT)
            && about("redirect") == Some(presence.callback.as_str())
        {
            let presents = match (kept.first, about("method")) {
                (None, _) => Presents::Nothing,
                (Some(secret), method) => with_secret(issuer, method, secret)?,
            };
            return Ok(Client { id: id.to_owned(), presents });
        }
    }
    register(source, issuer, presence, keeper, now).await
}

async fn register(
    source: &Source,
    issuer: &Issuer,
    presence: &Presence,
    keeper: &Keeper,
    now: Timestamp,
) -> Result<Client, ClientError> {
    let endpoint = issuer.registration_endpoint.as_ref().ok_or(ClientError::Unregistered)?;
    let methods = &issuer.authentication_methods;
    let takes = |method: &&str| methods.iter().any(|taken| taken == method);
    let method = ["client_secret_basic", "client_secret_post", "none"].into_iter().find(takes);
    let method = method.ok_or(ClientError::Method)?;
    let asked = json!({
        "client_name": presence.name,
        "redirect_uris": [presence.callback.as_str()],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": method,
        // A gate on somebody's own machine is reached there by plain http, which only native clients are (RFC 8252 §7.3).
        "application_type": if presence.callback.scheme() == "https" { "web" } else { "native" },
    });
    let fetched = source.to_issuer.post_json(endpoint, &asked, None).await?;
    if !matches!(fetched.status, StatusCode::CREATED | StatusCode::OK) {
        return Err(ClientError::Refused(fetched.status));
    }
    let answer = json::object(&fetched.body, limits::FETCHED_BYTES_MAX).map_err(|_| ClientError::Answer)?;
    let text =
        |name: &str| answer.get(name).and_then(Value::as_str).filter(|text| text.len() <= limits::TOKEN_BYTES_MAX);
    let id = text("client_id").filter(|id| !id.is_empty()).ok_or(ClientError::Answer)?.to_owned();
    let secret = text("client_secret").filter(|secret| !secret.is_empty()).map(|secret| Secret::new(secret.to_owned()));
    let method = text("token_endpoint_auth_method").unwrap_or(method);
    let secret = secret.filter(|_| method != "none");
    let about = json!({ ABOUT_CLIENT: id, "method": method, "redirect": presence.callback.as_str() });
    keeper.register(&issuer.issuer, &about, secret.as_ref(), now).await?;
    let presents = match secret {
        None => Presents::Nothing,
        Some(secret) => with_secret(issuer, Some(method), secret)?,
    };
    Ok(Client { id, presents })
}

/// How a secret is presented: as the registration says, or else in the first way that the issuer takes.
fn with_secret(issuer: &Issuer, method: Option<&str>, secret: Secret<String>) -> Result<Presents, ClientError> {
    let taken = |name: &str| issuer.authentication_methods.iter().any(|method| method == name);
    match method {
        Some("client_secret_basic") => Ok(Presents::InHeader(secret)),
        Some("client_secret_post") => Ok(Presents::InForm(secret)),
        None if taken("client_secret_basic") => Ok(Presents::InHeader(secret)),
        None if taken("client_secret_post") => Ok(Presents::InForm(secret)),
        Some(_) | None => Err(ClientError::Method),
    }
}

/// Whether a client metadata document can be there: an `https` URL with a path, and nothing that two readers could take for
/// another place (draft-ietf-oauth-client-id-metadata-document §3).
pub fn is_document(url: &Url) -> bool {
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    url.scheme() == "https" && is_plain && url.fragment().is_none() && url.path() != "/"
}

/// The gate's client metadata document (draft-ietf-oauth-client-id-metadata-document), for whoever reads it at its own URL.
pub fn document(presence: &Presence) -> Option<Value> {
    let url = presence.document.as_ref()?;
    Some(json!({
        "client_id": url.as_str(),
        "client_name": presence.name,
        "redirect_uris": [presence.callback.as_str()],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "web",
    }))
}
