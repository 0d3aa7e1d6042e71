//! Which revision does a message speak?
//!
//! A message of 2026-07-28 says so itself, in header and body alike. One of 2025-11-25 says so in the header, or by the
//! session it belongs to; only its handshake says nothing yet, and is known by its method.

use http::HeaderMap;

use crate::{Flaw, Revision, header};

/// The method that begins a session of 2025-11-25.
pub(super) const HANDSHAKE: &str = "initialize";

/// The revision of a request or notification, whose `_meta` names the version `said`.
pub(super) fn by_method(headers: &HeaderMap, method: &str, said: Option<&str>) -> Result<Option<Revision>, Flaw> {
    if method == HANDSHAKE && said.is_none() {
        // What is spoken is only about to be agreed on, so that a header that names a version decides nothing.
        return Ok(Some(Revision::V2025_11_25));
    }
    spoken(headers, said)
}

/// The revision that header and body agree on; none if neither says anything.
pub(super) fn spoken(headers: &HeaderMap, said: Option<&str>) -> Result<Option<Revision>, Flaw> {
    match (header::sole(headers, &header::PROTOCOL_VERSION)?, said) {
        (Some(header), Some(said)) if header != said => {
            Err(header::mismatch("`MCP-Protocol-Version` does not say the body's protocol version"))
        }
        (Some(version), _) => {
            let unsupported = || Flaw::version_unsupported(version, Revision::SUPPORTED);
            Revision::parse(version).map(Some).ok_or_else(unsupported)
        }
        (None, Some(_)) => Err(header::mismatch("`MCP-Protocol-Version` is missing")),
        (None, None) => Ok(headers.contains_key(header::SESSION_ID).then_some(Revision::V2025_11_25)),
    }
}

#[cfg(test)]
mod tests;
