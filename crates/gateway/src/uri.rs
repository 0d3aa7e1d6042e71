//! Canonical resource URIs: a URI with two spellings is refused, so that policy and server cannot read it differently.

use model::{Reason, Refusal, limits};

/// `uri` itself, if it is the only spelling of what it names (RFC 3986 §6.2.2): visible ASCII, a lower-case scheme, no dot
/// segments, no escape of an unreserved character, escapes in upper case, no `\`.
///
/// # Errors
/// [`Reason::Ambiguous`] otherwise.
pub(crate) fn canonical(uri: &str) -> Result<&str, Refusal> {
    let fits = uri.len() <= limits::URI_BYTES_MAX && uri.bytes().all(|b| (0x21..=0x7e).contains(&b) && b != b'\\');
    match uri.split_once(':') {
        Some((scheme, rest)) if fits && is_scheme(scheme) && escapes_are_canonical(rest) && !has_dot_segments(rest) => {
            Ok(uri)
        }
        _ => Err(Refusal::new(Reason::Ambiguous, "the resource's URI is not in its canonical form")
            .with_hint("write the URI in its normal form: no `..`, no needless escapes, a lower-case scheme")),
    }
}

fn is_scheme(scheme: &str) -> bool {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.');
    scheme.starts_with(|c: char| c.is_ascii_lowercase()) && scheme.bytes().all(inside)
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
mod tests {
    use super::*;

    #[test]
    fn one_spelling_passes_and_others_do_not() {
        for good in
            ["test://static-text", "file:///a/b%20c.txt", "crm://customers/42?view=full#x", "urn:isbn:1", "a:..b"]
        {
            assert_eq!(canonical(good).unwrap(), good);
        }
        let long = format!("a:{}", "x".repeat(limits::URI_BYTES_MAX));
        for bad in [
            "no-scheme",
            "File:///a",
            "file:///a/../b",
            "file:///a/./b",
            "file:///%2e%2e/b",
            "file:///%41",
            "file:///%2f%2",
            "file:///%c3",
            "file:///a b",
            "file:///ä",
            "file:\\\\a",
            "1a:b",
            ":x",
            "",
            &long,
        ] {
            assert!(canonical(bad).is_err(), "{bad}");
        }
    }
}
