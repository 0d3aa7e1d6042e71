//! The headers of MCP, and how their values are written (2026-07-28, basic/transports/streamable-http; 2025-11-25,
//! basic/transports).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use model::{Reason, limits};

use crate::Flaw;

/// Mirrors `_meta["io.modelcontextprotocol/protocolVersion"]`.
pub const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// Mirrors `method`.
pub const METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// Mirrors `params.name` or `params.uri`.
pub const NAME: HeaderName = HeaderName::from_static("mcp-name");
/// Names the session that a message of 2025-11-25 belongs to.
pub const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// Names the last event that a client of 2025-11-25 heard of the stream it wants to read on.
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Begins the name of each header that mirrors one argument.
pub const PARAM_PREFIX: &str = "mcp-param-";

const SENTINEL_START: &str = "=?base64?";
const SENTINEL_END: &str = "?=";

/// The one value of a header, without the white space around it.
///
/// # Errors
/// When the header stands there twice, so that two readers could choose differently, or holds anything but visible
/// ASCII, spaces and tabs.
pub(crate) fn sole<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Flaw> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(mismatch(format!("`{name}` is there more than once")));
    }
    let text = value.to_str().map_err(|_| mismatch(format!("`{name}` holds characters a header may not")))?;
    Ok(Some(text.trim_matches([' ', '\t'])))
}

/// The session that a message names: visible ASCII, of at most [`limits::SESSION_ID_BYTES_MAX`].
///
/// # Errors
/// When the header stands there twice, or is no session's id.
pub(crate) fn session(headers: &HeaderMap) -> Result<Option<String>, Flaw> {
    let Some(id) = sole(headers, &SESSION_ID)? else { return Ok(None) };
    let sound =
        (1..=limits::SESSION_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    if sound { Ok(Some(id.to_owned())) } else { Err(mismatch(format!("`{SESSION_ID}` is no session's id"))) }
}

/// What a header's value says, which may be wrapped as `=?base64?…?=`.
///
/// # Errors
/// When it is wrapped, but not around canonical base64 of UTF-8.
pub(crate) fn decode<'a>(name: &HeaderName, value: &'a str) -> Result<Cow<'a, str>, Flaw> {
    if !is_wrapped(value) {
        return Ok(Cow::Borrowed(value));
    }
    // `=?base64?=` begins and ends as asked, but the two overlap: readers differ, so it is malformed.
    let inside = value.strip_prefix(SENTINEL_START).and_then(|rest| rest.strip_suffix(SENTINEL_END));
    let decoded = inside.and_then(|inside| STANDARD.decode(inside).ok());
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(Cow::Owned).ok_or_else(|| mismatch(format!("`{name}` is not valid base64 of UTF-8")))
}

/// A header's value that says `text`, wrapped if a plain header cannot carry it.
pub fn encode(text: &str) -> HeaderValue {
    let bare = |byte: u8| (b' '..=b'~').contains(&byte);
    let padded = text.starts_with(' ') || text.ends_with(' ');
    let plain = text.bytes().all(bare) && !padded && !is_wrapped(text);
    let value = if plain { HeaderValue::from_str(text) } else { HeaderValue::from_str(&wrap(text)) };
    // Both are visible ASCII and spaces, which a header value always takes.
    value.unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// A refusal for what a header says, or fails to say.
pub(crate) fn mismatch(text: impl Into<String>) -> Flaw {
    Flaw::new(Reason::HeaderMismatch, text)
}

fn wrap(text: &str) -> String {
    format!("{SENTINEL_START}{}{SENTINEL_END}", STANDARD.encode(text))
}

fn is_wrapped(value: &str) -> bool {
    value.starts_with(SENTINEL_START) && value.ends_with(SENTINEL_END)
}

#[cfg(test)]
mod tests;
