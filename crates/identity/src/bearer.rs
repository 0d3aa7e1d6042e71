//! The bearer token of a request (RFC 6750 §2.1): in the `Authorization` header, once, and nowhere else.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use model::{Reason, Refusal, limits};

/// The token in the `Authorization` header.
///
/// # Errors
/// [`Reason::Unauthenticated`] when there is none, more than one, or one that is no bearer token.
pub fn bearer_token(headers: &HeaderMap) -> Result<&[u8], Refusal> {
    let refused = |detail| Refusal::new(Reason::Unauthenticated, detail);
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| refused("no Authorization header"))?;
    if values.next().is_some() {
        // Two readers could take two different ones.
        return Err(refused("more than one Authorization header"));
    }
    let (scheme, token) = value.as_bytes().split_at_checked(7).ok_or_else(|| refused("no bearer token"))?;
    if !scheme.eq_ignore_ascii_case(b"bearer ") {
        return Err(refused("the Authorization scheme is not Bearer"));
    }
    if token.is_empty() || token.len() > limits::TOKEN_BYTES_MAX {
        return Err(refused("the bearer token is empty or too long"));
    }
    Ok(token)
}
