//! Proofs of possession (RFC 9449): who presents a token holds the key that it is bound to, now, for this very request.
//!
//! A proof repeats a nonce of the gate's, so that none can be made in advance, and counts once. Nonces are sealed under a
//! key of this process and looked up nowhere. The ids of proofs are remembered for as long as a proof can be good, in two
//! halves of that time, so that forgetting costs nothing; when a half is full, no further proof is taken until the next.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName};
use model::{Challenge, Digest, Reason, Refusal, Timestamp, limits};

use crate::jwt::{Unverified, seconds};
use crate::keys::Algorithm;
use crate::seal::Seal;

/// The header with the proof.
pub const DPOP: HeaderName = HeaderName::from_static("dpop");
/// The header with the nonce for the next proof.
pub const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
/// How a proof may be signed; told in challenges and metadata.
pub const ALGORITHMS: &[Algorithm] =
    &[Algorithm::Es256, Algorithm::EdDsa, Algorithm::Es384, Algorithm::Ps256, Algorithm::Rs256];

/// Whom nonces are sealed for: whoever asks.
const NONCE: &[u8] = b"dpop-nonce";

/// Checks proofs, and remembers them.
pub struct Proofs {
    seal: Arc<Seal>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    began: Timestamp,
    now: HashSet<Digest>,
    before: HashSet<Digest>,
}

/// What a request shows.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its URL, without query and fragment.
    pub url: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// The token that came with it; none where a token is asked for.
    pub token: Option<&'a str>,
    /// The time now.
    pub now: Timestamp,
}

impl Proofs {
    /// No proof seen yet; nonces are sealed by `seal`.
    pub fn new(seal: Arc<Seal>) -> Self {
        Self { seal, seen: Mutex::default() }
    }

    /// A nonce for the next proof.
    pub fn nonce(&self, now: Timestamp) -> Option<String> {
        self.seal.seal(now.0.into(), NONCE)
    }

    /// Checks the proof of a request, spends it, and gives the thumbprint of its key.
    ///
    /// # Errors
    /// [`Reason::Unauthenticated`] with a challenge that says what is wrong and which nonce to use;
    /// [`Reason::Overloaded`] when no more proofs can be remembered.
    pub fn check(&self, shown: &Shown<'_>) -> Result<String, Refusal> {
        let Shown { method, url, headers, token, now } = *shown;
        let wrong = |detail: &str| self.refused("invalid_dpop_proof", detail, now);
        let mut values = headers.get_all(DPOP).iter();
        let proof = values.next().ok_or_else(|| wrong("no proof of possession"))?;
        if values.next().is_some() {
            return Err(wrong("more than one proof of possession"));
        }
        let proof = proof.to_str().ok().filter(|proof| proof.len() <= limits::PROOF_BYTES_MAX);
        let proof = proof.ok_or_else(|| wrong("the proof is too long or no text"))?;
        let read = Unverified::read(proof).and_then(|proof| proof.verify_own_key(ALGORITHMS, &["dpop+jwt"]));
        let (claims, key) = read.map_err(|error| wrong(&format!("the proof: {error}")))?;
        if claims.text("htm") != Some(method) || claims.text("htu") != Some(url) {
            return Err(wrong("the proof is for another request"));
        }
        let ath = token.map(|token| URL_SAFE_NO_PAD.encode(Digest::of(token.as_bytes()).as_bytes()));
        if ath.is_some() && claims.text("ath") != ath.as_deref() {
            return Err(wrong("the proof is for another token"));
        }
        let age = claims.seconds("iat").map(|made| made.abs_diff(seconds(now)));
        if age.is_none_or(|age| age > limits::PROOF_SECONDS_MAX) {
            return Err(wrong("the proof is not of now"));
        }
        let made = claims.text("nonce").and_then(|nonce| self.seal.open(nonce, NONCE));
        let made = made.and_then(|made| u64::try_from(made).ok()).map(Timestamp);
        if made.is_none_or(|made| now.milliseconds_since(made) > limits::NONCE_SECONDS_MAX * 1_000) {
            return Err(self.refused("use_dpop_nonce", "the proof repeats no nonce of the gate's", now));
        }
        let id = claims.text("jti").filter(|id| !id.is_empty()).ok_or_else(|| wrong("the proof has no id"))?;
        let thumbprint = key.thumbprint();
        // A thumbprint has one length, so that no two pairs run together.
        if self.spend(Digest::of(format!("{thumbprint}{id}").as_bytes()), now)? {
            return Ok(thumbprint);
        }
        Err(wrong("the proof was used before"))
    }

    /// A refusal whose challenge has a nonce.
    pub fn refused(&self, error: &'static str, detail: &str, now: Timestamp) -> Refusal {
        let challenge = Challenge::Proof { error, nonce: self.nonce(now) };
        Refusal::new(Reason::Unauthenticated, detail).with_challenge(challenge)
    }

    /// Remembers a proof. Returns whether it is new.
    fn spend(&self, id: Digest, now: Timestamp) -> Result<bool, Refusal> {
        // A proof is good from before its time until after it.
        const HALF_MILLISECONDS: u64 = 2 * limits::PROOF_SECONDS_MAX * 1_000 + 1_000;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let age = now.milliseconds_since(seen.began);
        if age > HALF_MILLISECONDS {
            seen.before = if age > 2 * HALF_MILLISECONDS { HashSet::new() } else { std::mem::take(&mut seen.now) };
            seen.now = HashSet::new();
            seen.began = now;
        }
        if seen.before.contains(&id) || seen.now.contains(&id) {
            return Ok(false);
        }
        if seen.now.len() >= limits::PROOFS_REMEMBERED_MAX {
            return Err(Refusal::new(Reason::Overloaded, "more proofs of possession came than can be remembered"));
        }
        seen.now.insert(id);
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
