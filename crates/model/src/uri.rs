//! Canonical resource URIs: one spelling for each, so that policy, manifests and servers cannot read one differently.

use crate::limits;

/// Visible ASCII that no URI holds (RFC 3986 §2). Some readers refuse it, others escape it: `"` and `%22` would be two
/// spellings of one thing.
const FOREIGN: &[u8] = br#""<>\^`{|}"#;

/// Whether a URI is the only spelling of what it names (RFC 3986 §6.2.2): characters that a URI may hold, a lower-case
/// scheme and host, no dot segments, no escape of an unreserved character, escapes in upper case.
pub fn is_canonical_uri(uri: &str) -> bool {
    let fits = uri.len() <= limits::URI_BYTES_MAX && uri.bytes().all(|b| b.is_ascii_graphic() && !FOREIGN.contains(&b));
    fits && uri.split_once(':').is_some_and(|(scheme, rest)| {
        is_scheme(scheme) && is_authority(rest) && escapes_are_canonical(rest) && !has_dot_segments(rest)
    })
}

fn is_scheme(scheme: &str) -> bool {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.');
    scheme.starts_with(|c: char| c.is_ascii_lowercase()) && scheme.bytes().all(inside)
}

/// Whether what follows the scheme has no authority, or one whose host is in lower case. What stands before the host, a
/// name and a password, may mean something else in another case.
fn is_authority(rest: &str) -> bool {
    let Some(after) = rest.strip_prefix("//") else { return true };
    let authority = after.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    // An escape has its hexadecimal digits in upper case, wherever it stands.
    let (mut bytes, mut is_lower) = (host.bytes(), true);
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let _ = (bytes.next(), bytes.next());
        }
        is_lower &= !byte.is_ascii_uppercase();
    }
    is_lower
}

fn escapes_are_canonical(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let Some(pair) = after.get(..2) else { return false };
        let hex = |b: u8| b.is_ascii_digit() || (b'A'..=b'F').contains(&b);
        let escaped = u8::from_str_radix(pair, 16).unwrap_or(b'a');
        pair.bytes().all(hex) && !(escaped.is_ascii_alphanumeric() || matches!(escaped, b'-' | b'.' | b'_' | b'~'))
    })
}

fn has_dot_segments(rest: &str) -> bool {
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    path.split('/').any(|segment| segment == "." || segment == "..")
}

#[cfg(test)]
mod tests;
