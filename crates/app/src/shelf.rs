//! The private registry, on the agents' listener: `GET /v0.1/servers` and what is below it.
//!
//! Who may read it, settings say: anybody, because editors send no token when they look for servers; or who holds its token.
//! Without `[catalogue]` there is none.

use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use bytes::Bytes;
use gateway::Gate;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    WWW_AUTHENTICATE,
};
use http::{HeaderValue, Method, Response, StatusCode};
use identity::site::{self, Parameters, Site, Visit};
use model::Secret;
use registry::Catalogue;
use registry::shelf::{Query, Shelf};
use serde_json::json;
use url::form_urlencoded;

/// Where the list is.
const LIST: &str = "/v0.1/servers";

/// Who may read.
pub(crate) enum Readers {
    /// Anybody who reaches the listener.
    Everybody,
    /// Whoever holds this token.
    Holders(Secret<String>),
}

/// The private registry's pages.
pub(crate) struct Pages {
    shelf: Shelf,
    readers: Readers,
    gate: OnceLock<Weak<Gate>>,
}

impl Pages {
    pub(crate) fn new(shelf: Shelf, readers: Readers) -> Self {
        Self { shelf, readers, gate: OnceLock::new() }
    }

    /// Shows what this gate has in service.
    pub(crate) fn of(&self, gate: &Arc<Gate>) {
        let _first = self.gate.set(Arc::downgrade(gate));
    }

    fn answered(&self, visit: &Visit) -> Response<Bytes> {
        if visit.method == Method::OPTIONS {
            return site::document(StatusCode::NO_CONTENT, "application/json", Bytes::new());
        }
        if !self.admits(visit) {
            let mut refused = refused(StatusCode::UNAUTHORIZED, "this registry is read with its token");
            refused.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return refused;
        }
        let Some(gate) = self.gate.get().and_then(Weak::upgrade) else {
            return refused(StatusCode::SERVICE_UNAVAILABLE, "the gate is not there yet");
        };
        let snapshot = gate.snapshots.load();
        match visit.path.strip_prefix(LIST) {
            Some("" | "/") => self.list(&snapshot.registry, visit),
            Some(rest) => self.entry(&snapshot.registry, rest.trim_start_matches('/')),
            None => missing(),
        }
    }

    fn admits(&self, visit: &Visit) -> bool {
        match &self.readers {
            Readers::Everybody => true,
            Readers::Holders(token) => identity::bearer_token(&visit.headers).is_ok_and(|held| token.matches(held)),
        }
    }

    fn list(&self, catalogue: &Catalogue, visit: &Visit) -> Response<Bytes> {
        let parameters = match Parameters::of_query(visit.query.as_deref()) {
            Ok(parameters) => parameters,
            Err(error) => return refused(StatusCode::BAD_REQUEST, &error.to_string()),
        };
        let said = |name| parameters.get(name).map(str::to_owned);
        let query = Query {
            cursor: said("cursor"),
            limit: said("limit"),
            search: said("search"),
            updated_since: said("updated_since"),
            version: said("version"),
        };
        match self.shelf.list(catalogue, &query) {
            Ok(list) => site::json(StatusCode::OK, &list),
            Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
        }
    }

    /// `NAME/versions` and `NAME/versions/VERSION`.
    fn entry(&self, catalogue: &Catalogue, rest: &str) -> Response<Bytes> {
        let found = match (rest.strip_suffix("/versions"), rest.rsplit_once("/versions/")) {
            (Some(name), _) => self.shelf.versions(catalogue, &decoded(name)),
            (None, Some((name, version))) => self.shelf.version(catalogue, &decoded(name), &decoded(version)),
            (None, None) => None,
        };
        found.map_or_else(missing, |found| site::json(StatusCode::OK, &found))
    }
}

#[async_trait]
impl Site for Pages {
    fn serves(&self, path: &str) -> bool {
        path.strip_prefix(LIST).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn methods(&self) -> &'static str {
        "GET, OPTIONS"
    }

    async fn answer(&self, visit: Visit) -> Response<Bytes> {
        let mut answer = self.answered(&visit);
        let headers = answer.headers_mut();
        // Pages of any origin may read what anybody may; the token is no cookie, which a browser would send along.
        for (name, value) in [
            (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            (ACCESS_CONTROL_ALLOW_METHODS, "GET, OPTIONS"),
            (ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type"),
            (ACCESS_CONTROL_MAX_AGE, "600"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        answer
    }
}

/// What a percent-encoded part of a path says. No name and no version has a `&` or `=`, so there is one part.
fn decoded(part: &str) -> String {
    let plus = part.replace('+', "%2B");
    form_urlencoded::parse(plus.as_bytes()).map(|(key, _)| key.into_owned()).next().unwrap_or_default()
}

fn missing() -> Response<Bytes> {
    refused(StatusCode::NOT_FOUND, "Server not found")
}

fn refused(status: StatusCode, why: &str) -> Response<Bytes> {
    site::json(status, &json!({ "error": why }))
}
