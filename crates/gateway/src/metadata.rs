//! Where clients learn who gives tokens for an endpoint (RFC 9728): the one thing that is told to strangers.
//!
//! It is told of every name that an endpoint could have, in the same words, so that nobody learns which there are.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method};
use model::Refusal;

use crate::body::{Response, whole};
use crate::controls::accept;
use crate::gate::Gate;

/// The metadata that is asked for, if it is metadata that is asked for.
pub(crate) fn run(gate: &Gate, head: &Parts) -> Result<Option<Response>, Refusal> {
    if !matches!(head.method, Method::GET | Method::HEAD) || !head.uri.path().starts_with("/.well-known/") {
        return Ok(None);
    }
    let front = gate.front.load();
    let Some(server) = front.callers.server.as_ref().filter(|_| head.uri.query().is_none()) else { return Ok(None) };
    let Some(endpoint) = server.metadata_at(head.uri.path()) else { return Ok(None) };
    accept::addressed(&front.doors, head)?;
    let mut response = http::Response::new(whole(server.metadata(&endpoint).to_string().into()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    Ok(Some(response))
}
