//! What proves who somebody is: sealed handles, bearer tokens, signed checkpoints.

use std::sync::{Arc, LazyLock};

use audit::PublicKey;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use identity::{Seal, bearer_token};
use model::{Entropy, limits};

use crate::line_and_rest;

/// Bits that are the same each time, so that a finding can be found again.
struct Fixed;

impl Entropy for Fixed {
    fn bits(&self) -> u128 {
        0x0123_4567_89ab_cdef_0011_2233_4455_6677
    }
}

static SEAL: LazyLock<Seal> = LazyLock::new(|| Seal::new(Arc::new(Fixed)).expect("a key"));

/// Only what was sealed opens, and only for its owner. The input is an owner, a line break and a handle; a handle that
/// begins with `=` is made of a right one, in which each pair of bytes that follows changes one place.
pub(crate) fn seal(bytes: &[u8]) {
    const CONTENT: u128 = 7;
    let (owner, handle) = line_and_rest(bytes);
    let right = SEAL.seal(CONTENT, b"owner").expect("a handle");
    assert_eq!(SEAL.open(&right, b"owner"), Some(CONTENT));
    let handle = match handle.split_first() {
        Some((b'=', changes)) => {
            let mut handle = right.clone().into_bytes();
            for change in changes.chunks_exact(2) {
                let place = usize::from(change[0]) % handle.len();
                handle[place] ^= change[1];
            }
            handle
        }
        Some(_) | None => handle.to_vec(),
    };
    let Ok(handle) = String::from_utf8(handle) else { return };
    if SEAL.open(&handle, owner).is_some() {
        assert_eq!((handle, owner), (right, &b"owner"[..]), "a handle that was not given to this owner opened");
    }
}

/// A bearer token is read as it stands there, once, or not at all.
pub(crate) fn bearer(bytes: &[u8]) {
    let (one, two) = line_and_rest(bytes);
    let values = [one, two].into_iter().filter(|value| !value.is_empty());
    let headers: HeaderMap = values
        .filter_map(|value| HeaderValue::from_bytes(value).ok())
        .map(|value| (AUTHORIZATION, value))
        .fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        });
    if let Ok(token) = bearer_token(&headers) {
        assert_eq!(headers.len(), 1);
        assert!(!token.is_empty() && token.len() <= limits::TOKEN_BYTES_MAX);
        assert!(headers[AUTHORIZATION].as_bytes().ends_with(token));
    }
}

/// A key has one spelling, and opens no checkpoint that it has not signed. The input is a key, a line break and a note.
pub(crate) fn note(bytes: &[u8]) {
    let (key, note) = line_and_rest(bytes);
    let (key, note) = (String::from_utf8_lossy(key), String::from_utf8_lossy(note));
    if let Ok(key) = key.parse::<PublicKey>() {
        let again: PublicKey = key.to_string().parse().expect("a key's spelling is a key");
        assert_eq!(again.to_string(), key.to_string());
        if let Ok(checkpoint) = key.open(&note) {
            assert_eq!(checkpoint.origin, key.name());
            assert!(note.starts_with(&format!("{}\n{}\n", checkpoint.origin, checkpoint.size)));
        }
    }
}
