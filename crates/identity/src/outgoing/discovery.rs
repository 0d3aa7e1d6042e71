//! Who gives out the tokens of a server: its metadata (RFC 9728), and that of its authorization server (RFC 8414, `OpenID`
//! Connect Discovery), in the order of MCP 2026-07-28, basic/authorization/authorization-server-discovery.
//!
//! Nothing found on the way is believed before it is compared: the server's metadata must be of this very server, and an
//! issuer's of that very issuer, letter for letter. Otherwise another server could have the gate send it the tokens of this one.

use http::StatusCode;
use serde_json::{Map, Value};
use url::Url;

use super::challenge::Challenge;
use crate::fetch::{Fetch, FetchError};
use crate::json;
use model::limits;

/// What a server says of who protects it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Protected {
    /// What tokens for it are asked for (RFC 8707).
    pub(crate) resource: String,
    /// Its authorization servers.
    pub(crate) issuers: Vec<String>,
    /// The scopes it knows, if it says.
    pub(crate) scopes: Option<Vec<String>>,
}

/// What an authorization server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issuer {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: Option<Url>,
    pub(crate) token_endpoint: Url,
    pub(crate) registration_endpoint: Option<Url>,
    pub(crate) authentication_methods: Vec<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) has_s256: bool,
    pub(crate) tells_iss: bool,
    pub(crate) takes_documents: bool,
}

/// Why nobody was found who gives out tokens.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The metadata could not be asked for.
    #[error("the metadata cannot be read")]
    Fetch(#[from] FetchError),
    /// A document is not what the RFC says.
    #[error("the metadata at `{host}` cannot be used: {what}")]
    Document {
        /// Where.
        host: String,
        /// What is wrong. It never quotes the document.
        what: &'static str,
    },
    /// The server's metadata is of another server.
    #[error("the server's metadata is for another resource than the server")]
    OtherResource,
    /// The server names a place for its metadata that is not its own.
    #[error("the server says that its metadata is at another origin than its own")]
    Elsewhere,
    /// The issuer's metadata is of another issuer.
    #[error("the metadata of the authorization server names another issuer")]
    OtherIssuer,
    /// The server does not use the issuer that people approved.
    #[error("the server does not name `{0}` among its authorization servers")]
    NotApproved(String),
    /// No document was found.
    #[error("the authorization server has no metadata")]
    NoMetadata,
}

/// Finds out who protects the server at `server`, from where its challenge points or from the places where RFC 9728 §3 puts it.
/// A server without such metadata is of 2025-03-26: its origin is its authorization server.
///
/// # Errors
/// [`DiscoveryError`].
pub(crate) async fn protected(
    fetch: &dyn Fetch,
    server: &Url,
    challenge: &Challenge,
) -> Result<Protected, DiscoveryError> {
    let places = match &challenge.resource_metadata {
        Some(told) => {
            let told = Url::parse(told).map_err(|_| DiscoveryError::Elsewhere)?;
            if told.origin() != server.origin() {
                return Err(DiscoveryError::Elsewhere);
            }
            vec![told]
        }
        None => well_known(server, "oauth-protected-resource"),
    };
    for place in places {
        if let Some(document) = read(fetch, &place).await? {
            return protected_from(&document, server, &place);
        }
    }
    Ok(Protected { resource: server.to_string(), issuers: vec![server.origin().ascii_serialization()], scopes: None })
}

fn protected_from(document: &Map<String, Value>, server: &Url, place: &Url) -> Result<Protected, DiscoveryError> {
    let wrong = |what| DiscoveryError::Document { host: host(place), what };
    let resource = document.get("resource").and_then(Value::as_str).ok_or_else(|| wrong("it has no `resource`"))?;
    if !covers(resource, server) {
        return Err(DiscoveryError::OtherResource);
    }
    let issuers = texts(document, "authorization_servers").filter(|issuers| !issuers.is_empty());
    let issuers = issuers.ok_or_else(|| wrong("it names no authorization server"))?;
    let scopes = match document.get("scopes_supported") {
        None => None,
        Some(_) => Some(texts(document, "scopes_supported").ok_or_else(|| wrong("its scopes are no list of texts"))?),
    };
    Ok(Protected { resource: resource.to_owned(), issuers, scopes })
}

/// Whether a resource identifier is that of the server, or of a part of its origin that holds it.
fn covers(resource: &str, server: &Url) -> bool {
    let Ok(resource) = Url::parse(resource) else { return false };
    let (wide, narrow) = (resource.path().trim_end_matches('/'), server.path().trim_end_matches('/'));
    let within = narrow.strip_prefix(wide).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let plain = resource.fragment().is_none() && (resource.query().is_none() || resource.query() == server.query());
    resource.origin() == server.origin() && within && plain
}

/// The one of the server's authorization servers that the gate goes to: the one people approved, or else the first.
///
/// # Errors
/// [`DiscoveryError::NotApproved`] when the server does not name that one.
pub(crate) fn choose<'a>(protected: &'a Protected, approved: Option<&'a str>) -> Result<&'a str, DiscoveryError> {
    match approved {
        Some(approved) if protected.issuers.iter().any(|issuer| issuer == approved) => Ok(approved),
        Some(approved) => Err(DiscoveryError::NotApproved(approved.to_owned())),
        None => protected.issuers.first().map(String::as_str).ok_or(DiscoveryError::NoMetadata),
    }
}

/// Reads what an authorization server says of itself.
///
/// # Errors
/// [`DiscoveryError`].
pub(crate) async fn issuer(fetch: &dyn Fetch, issuer: &str) -> Result<Issuer, DiscoveryError> {
    let base = Url::parse(issuer).map_err(|_| DiscoveryError::NoMetadata)?;
    let mut places = well_known(&base, "oauth-authorization-server");
    places.truncate(1);
    places.extend(well_known(&base, "openid-configuration").into_iter().take(1));
    if base.path() != "/" {
        let mut appended = base.clone();
        appended.set_path(&format!("{}/.well-known/openid-configuration", base.path().trim_end_matches('/')));
        places.push(appended);
    }
    for place in places {
        if let Some(document) = read(fetch, &place).await? {
            return issuer_from(&document, issuer, &place);
        }
    }
    Err(DiscoveryError::NoMetadata)
}

fn issuer_from(document: &Map<String, Value>, issuer: &str, place: &Url) -> Result<Issuer, DiscoveryError> {
    // RFC 8414 §3.3: identical, without normalisation.
    if document.get("issuer").and_then(Value::as_str) != Some(issuer) {
        return Err(DiscoveryError::OtherIssuer);
    }
    let wrong = |what| DiscoveryError::Document { host: host(place), what };
    let endpoint = |name: &str| document.get(name).and_then(Value::as_str).and_then(|url| Url::parse(url).ok());
    let says = |name: &str| document.get(name).and_then(Value::as_bool) == Some(true);
    let authentication_methods = texts(document, "token_endpoint_auth_methods_supported");
    Ok(Issuer {
        issuer: issuer.to_owned(),
        authorization_endpoint: endpoint("authorization_endpoint"),
        token_endpoint: endpoint("token_endpoint").ok_or_else(|| wrong("it has no token endpoint"))?,
        registration_endpoint: endpoint("registration_endpoint"),
        // RFC 8414 §2: this is what it means to say nothing.
        authentication_methods: authentication_methods.unwrap_or_else(|| vec!["client_secret_basic".to_owned()]),
        scopes: texts(document, "scopes_supported").unwrap_or_default(),
        has_s256: texts(document, "code_challenge_methods_supported")
            .is_some_and(|methods| methods.iter().any(|method| method == "S256")),
        tells_iss: says("authorization_response_iss_parameter_supported"),
        takes_documents: says("client_id_metadata_document_supported"),
    })
}

/// The places of RFC 8615 for a URL: with its path behind the name, and, if it has one, without.
fn well_known(url: &Url, name: &str) -> Vec<Url> {
    let mut root = url.clone();
    root.set_query(None);
    root.set_fragment(None);
    let path = root.path().trim_end_matches('/').to_owned();
    let mut inserted = root.clone();
    inserted.set_path(&format!("/.well-known/{name}{path}"));
    root.set_path(&format!("/.well-known/{name}"));
    if inserted == root { vec![root] } else { vec![inserted, root] }
}

/// The document at a place; `None` if there is none.
async fn read(fetch: &dyn Fetch, place: &Url) -> Result<Option<Map<String, Value>>, DiscoveryError> {
    let fetched = fetch.get(place, "application/json").await?;
    let wrong = |what| DiscoveryError::Document { host: host(place), what };
    match fetched.status {
        StatusCode::OK => {
            let document = json::object(&fetched.body, limits::FETCHED_BYTES_MAX);
            document.map(Some).map_err(|_| wrong("it is no JSON object that can be read in one way only"))
        }
        status if status.is_client_error() => Ok(None),
        _ => Err(wrong("it was not given")),
    }
}

/// A member that is a list of texts, bounded.
fn texts(document: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    let list = document.get(name)?.as_array().filter(|list| list.len() <= limits::METADATA_LIST_MAX)?;
    list.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
