//! A client whose software somebody vouches for: an attester's statement names a key that the software holds, and the client
//! proves that it holds it (attestation-based client authentication, draft-ietf-oauth-attestation-based-client-auth).
//!
//! What it is given is bound to that very key: the token endpoint asks for a `DPoP` proof by it as well.

use http::HeaderMap;
use model::{Digest, Timestamp, limits};

use super::Facade;
use super::answer::Wrong;
use super::authenticate::{SKEW, believed, nobody};
use super::client::Attester;
use crate::jwt::{Audience, Claims, JwtError, Rule, Unverified, seconds};
use crate::keys::{Algorithm, Key, KeySet};
use crate::site::Visit;

/// What the method is called.
pub(super) const METHOD: &str = "attest_jwt_client_auth";

const ATTESTATION: &str = "oauth-client-attestation";
const PROOF: &str = "oauth-client-attestation-pop";

/// The thumbprint of the key that the attester vouches for, if the client proves to hold it.
pub(super) async fn run(facade: &Facade, visit: &Visit, id: &str, attester: &Attester) -> Result<String, Wrong> {
    let (statement, proof) = (only(&visit.headers, ATTESTATION)?, only(&visit.headers, PROOF)?);
    let told = |error: JwtError, what: &str| {
        tracing::info!(client = id, %error, what, "somebody's word for a client's software is not believed");
        nobody()
    };
    let claims = believed(facade, &attester.keys, |keys| check(facade, statement, &attester.issuer, keys)).await?;
    let claims = claims.map_err(|error| told(error, "the attestation"))?;
    let key = vouched(&claims, id).ok_or_else(nobody)?;
    let unverified = Unverified::read(proof).map_err(|error| told(error, "the proof"))?;
    let proof = unverified.verify_by_key(&key, &Algorithm::ALL, &["oauth-client-attestation-pop+jwt"]);
    let proof = proof.map_err(|error| told(error, "the proof"))?;
    let thumbprint = key.thumbprint();
    match is_of_now(facade, &proof, id) && spend(facade, &thumbprint, &proof).await? {
        true => Ok(thumbprint),
        false => Err(nobody()),
    }
}

/// A header that is there once.
fn only<'v>(headers: &'v HeaderMap, name: &str) -> Result<&'v str, Wrong> {
    let mut values = headers.get_all(name).iter();
    match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(nobody()),
    }
}

fn check(facade: &Facade, statement: &str, attester: &str, keys: &KeySet) -> Result<Claims, JwtError> {
    let rule = Rule {
        algorithms: &Algorithm::ALL,
        typ: &["oauth-client-attestation+jwt"],
        issuer: attester,
        audience: Audience::Unsaid(facade.issuer()),
        skew: SKEW,
        now: facade.now(),
        required: &["sub", "cnf"],
    };
    Unverified::read(statement)?.verify(keys, &rule)
}

/// The key that the statement names, if it is about this client.
fn vouched(claims: &Claims, id: &str) -> Option<Key> {
    let jwk = claims.object("cnf")?.get("jwk")?.as_object()?;
    (claims.text("sub") == Some(id)).then(|| Key::read(jwk).ok())?
}

/// Whether a proof is for this gate, of this client, and made just now.
fn is_of_now(facade: &Facade, proof: &Claims, id: &str) -> bool {
    let now = seconds(facade.now());
    let is_fresh = proof.seconds("iat").is_some_and(|made| made.abs_diff(now) <= limits::PROOF_SECONDS_MAX);
    let goes_on = proof.seconds("exp").is_none_or(|end| now < end.saturating_add(SKEW));
    // Older drafts name the client; none lets a proof name another.
    let is_own = proof.text("iss").is_none_or(|issuer| issuer == id);
    is_fresh && goes_on && is_own && proof.texts("aud").as_deref() == Some(&[facade.issuer()])
}

/// Spends a proof. Returns whether this was the first time.
async fn spend(facade: &Facade, thumbprint: &str, proof: &Claims) -> Result<bool, Wrong> {
    let Some(id) = proof.text("jti").filter(|id| !id.is_empty()) else { return Ok(false) };
    let now = facade.now();
    // A thumbprint has one length, so that no two pairs run together.
    let once = Digest::of(format!("attested {thumbprint}{id}").as_bytes());
    // It is good from before its time until after it.
    let end = Timestamp(now.0.saturating_add(2 * limits::PROOF_SECONDS_MAX * 1_000 + 1_000));
    Ok(facade.port.spend(&once, end, now).await?)
}
