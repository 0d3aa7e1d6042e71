//! Clients that describe themselves: their id is the URL of a document that says who they are
//! (draft-ietf-oauth-client-id-metadata-document, as MCP 2026-07-28 takes it).
//!
//! Anybody can write such a document and have the gate fetch it. So only hosts that settings name are asked, or URLs that
//! people registered; over `https`, within the reach of the façade's own way out, without redirects; and what the document says is
//! believed only if it says that it is at that very URL.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use http::header::CONTENT_TYPE;
use model::{Timestamp, limits};
use serde_json::{Map, Value};
use url::Url;

use super::answer::Wrong;
use super::client::{Client, Keys, Proof, Redirects};
use super::{Directory, Facade, Terms};
use crate::fetch::Fetched;
use crate::json;
use crate::keys::{KeySet, KeySets, KeySource};

/// What was fetched lately.
#[derive(Default)]
pub(super) struct Documents {
    read: Mutex<HashMap<String, (Timestamp, Arc<Document>)>>,
    keys: Mutex<HashMap<Url, Arc<KeySets>>>,
}

/// What a client says of itself.
#[derive(Debug)]
struct Document {
    name: String,
    redirects: Redirects,
    proof: Proof,
}

impl Facade {
    /// Finds a client: one that people registered, one that describes itself, or one that registered by itself.
    pub(super) async fn find_client(&self, id: &str) -> Result<Option<Client>, Wrong> {
        let registered = self.directory.client(id);
        if let Some(url) = document_url(id) {
            let (known, vouched) = match registered {
                Some(client) if !client.redirects.is_empty() => return Ok(Some(client)),
                Some(client) => (client, true),
                None => match stand_in(&self.terms, &*self.directory, &url, id) {
                    Some(client) => (client, false),
                    None => return Ok(None),
                },
            };
            let document = self.document(&url).await?;
            let (redirects, proof) = (document.redirects.clone(), document.proof.clone());
            let name = if vouched { known.name.clone() } else { document.name.clone() };
            return Ok(Some(Client { name, vouched, redirects, proof, ..known }));
        }
        let Some(registration) = self.terms.registration.as_ref().filter(|_| registered.is_none()) else {
            return Ok(registered);
        };
        let Some(own) = self.port.registered(id).await? else { return Ok(None) };
        let Ok(redirects) = Redirects::new(own.redirects) else { return Ok(None) };
        let stand_in = self.directory.client(registration);
        Ok(stand_in.map(|client| Client {
            id: id.to_owned(),
            name: own.name,
            vouched: false,
            redirects,
            proof: Proof::Public,
            ..client
        }))
    }

    /// The keys with which a client proves that it is one.
    pub(super) fn keys_at(&self, url: &Url) -> Arc<KeySets> {
        let mut keys = self.documents.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = keys.get(url) {
            return Arc::clone(known);
        }
        if keys.len() >= limits::CLIENT_DOCUMENTS_MAX {
            keys.clear();
        }
        let source = KeySource::At(url.clone());
        let age = limits::KEYS_REFRESH_SECONDS;
        let sets = Arc::new(KeySets::new(Arc::clone(&self.fetch), source, Arc::clone(&self.clock), age));
        keys.insert(url.clone(), Arc::clone(&sets));
        sets
    }

    async fn document(&self, url: &Url) -> Result<Arc<Document>, Wrong> {
        let now = self.now();
        if let Some(known) = self.documents.young(url.as_str(), now) {
            return Ok(known);
        }
        let fetched = self.fetch.get(url, "application/json").await.map_err(|error| {
            let why = model::with_causes(&error);
            tracing::warn!(client = url.as_str(), why, "a client's metadata document could not be fetched");
            Wrong::asked("What this application says of itself could not be fetched.")
        })?;
        let document = read(url, &fetched).map_err(|flaw| {
            tracing::warn!(client = url.as_str(), flaw, "a client's metadata document is not believed");
            Wrong::asked("What this application says of itself cannot be believed.")
        })?;
        let document = Arc::new(document);
        self.documents.keep(url.as_str(), now, &document);
        Ok(document)
    }
}

impl Documents {
    fn young(&self, url: &str, now: Timestamp) -> Option<Arc<Document>> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let (fetched, document) = read.get(url)?;
        let young = now.milliseconds_since(*fetched) < limits::CLIENT_DOCUMENT_MILLISECONDS_MAX;
        young.then(|| Arc::clone(document))
    }

    fn keep(&self, url: &str, now: Timestamp, document: &Arc<Document>) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.len() >= limits::CLIENT_DOCUMENTS_MAX {
            read.clear();
        }
        read.insert(url.to_owned(), (now, Arc::clone(document)));
    }
}

/// The URL that a client id is, if it is one in its only spelling: `https`, with a path, without query, fragment, user, port and
/// dots that lead elsewhere.
fn document_url(id: &str) -> Option<Url> {
    let url = Url::parse(id).ok().filter(|url| url.as_str() == id && url.scheme() == "https")?;
    let plain = url.username().is_empty() && url.password().is_none() && url.port().is_none();
    (plain && url.path() != "/" && url.query().is_none() && url.fragment().is_none() && url.domain().is_some())
        .then_some(url)
}

/// The agent that clients of a host are which nobody registered one by one.
fn stand_in(terms: &Terms, directory: &dyn Directory, url: &Url, id: &str) -> Option<Client> {
    let (_, registration) = terms.documents.iter().find(|(host, _)| Some(host.as_str()) == url.domain())?;
    directory.client(registration).map(|client| Client { id: id.to_owned(), ..client })
}

fn read(url: &Url, fetched: &Fetched) -> Result<Document, &'static str> {
    if fetched.status != StatusCode::OK {
        return Err("the answer is not 200");
    }
    let media_type = fetched.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if essence != "application/json" && !essence.ends_with("+json") {
        return Err("it is not JSON");
    }
    let members = json::object(&fetched.body, limits::CLIENT_DOCUMENT_BYTES_MAX);
    let members = members.map_err(|_| "it is no strict JSON object, or too long")?;
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    if text("client_id") != Some(url.as_str()) {
        return Err("its `client_id` is not where it is");
    }
    if members.contains_key("client_secret") || members.contains_key("client_secret_expires_at") {
        return Err("it holds a secret that everybody can read");
    }
    let name = text("client_name").filter(|name| !name.is_empty() && name.len() <= limits::NAME_BYTES_MAX);
    let redirects = texts(&members, "redirect_uris").ok_or("its `redirect_uris` are no list of texts")?;
    if redirects.is_empty() || redirects.len() > limits::CLIENT_REDIRECTS_MAX {
        return Err("it has no `redirect_uris`, or too many");
    }
    let redirects = Redirects::new(redirects).map_err(|_| "one of its `redirect_uris` can be none")?;
    let name = name.ok_or("it has no `client_name`, or one that is too long")?.to_owned();
    let proof = proof(url, &members)?;
    Ok(Document { name, redirects, proof })
}

/// How the client proves that it is this one. It has no secret that the gate knows too, because the gate gave it none.
fn proof(url: &Url, members: &Map<String, Value>) -> Result<Proof, &'static str> {
    match members.get("token_endpoint_auth_method").map(Value::as_str) {
        None | Some(Some("none")) => Ok(Proof::Public),
        Some(Some("private_key_jwt")) => match (members.get("jwks"), members.get("jwks_uri")) {
            (Some(set @ Value::Object(_)), None) => {
                let set = KeySet::read(set.to_string().as_bytes()).map_err(|_| "its `jwks` cannot be believed")?;
                Ok(Proof::Keys(Keys::Here(Arc::new(set))))
            }
            (None, Some(Value::String(at))) => {
                let at = Url::parse(at).map_err(|_| "its `jwks_uri` is no URL")?;
                // Who may write the document may say which keys are its own, and nobody else's.
                if at.origin() != url.origin() {
                    return Err("its `jwks_uri` is elsewhere");
                }
                Ok(Proof::Keys(Keys::At(at)))
            }
            _ => Err("it has not one of `jwks` and `jwks_uri`"),
        },
        Some(_) => Err("its `token_endpoint_auth_method` is none that the gate takes"),
    }
}

fn texts(members: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    members.get(name)?.as_array()?.iter().map(|one| one.as_str().map(str::to_owned)).collect()
}
