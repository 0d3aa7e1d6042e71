//! Canonical resource URIs: a URI with two spellings is refused, so that policy and server cannot read it differently.

use model::{Reason, Refusal, is_canonical_uri};

/// `uri` itself, if it is the only spelling of what it names.
///
/// # Errors
/// [`Reason::Ambiguous`] otherwise.
pub(crate) fn canonical(uri: &str) -> Result<&str, Refusal> {
    if is_canonical_uri(uri) {
        return Ok(uri);
    }
    Err(Refusal::new(Reason::Ambiguous, "the resource's URI is not in its canonical form")
        .with_hint("write the URI in its normal form: no `..`, no needless escapes, scheme and host in lower case"))
}
