//! Proof Key for Code Exchange (RFC 7636), with S256 and nothing else.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The challenge of a verifier.
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

/// Whether a text can be a challenge: 32 bytes in base64url.
pub(crate) fn is_challenge(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// Whether a verifier is one (RFC 7636 §4.1) and the challenge's. Both sides are digests, so their comparison tells nothing.
pub(crate) fn fits(verifier: &str, expected: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved) && challenge(verifier) == expected
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_challenge_is_that_of_the_rfc() {
        assert_eq!(challenge(VERIFIER), CHALLENGE);
        assert!(is_challenge(CHALLENGE) && fits(VERIFIER, CHALLENGE));
    }

    #[test]
    fn what_is_no_verifier_fits_nothing() {
        for wrong in ["", "short", VERIFIER.trim_start_matches('d'), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"] {
            assert!(!fits(wrong, CHALLENGE), "{wrong}");
        }
        let odd = format!("{VERIFIER} ");
        assert!(!fits(&odd, &challenge(&odd)), "a letter that no verifier has");
        assert!(!is_challenge(VERIFIER.get(..40).unwrap()));
    }
}
