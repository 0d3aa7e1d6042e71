//! Which client is this, at the endpoints that clients ask themselves? (RFC 7523 §2.2, RFC 8705 §2.1, RFC 9700 §2.5.)
//!
//! A client is public, or it signs, or it comes with its certificate. Nobody has a secret that the gate knows as well: who presents one is refused, so that a
//! secret meant for somebody else is noticed.

use model::{Digest, Timestamp, limits};

use super::Facade;
use super::answer::Wrong;
use super::client::{Client, Proof};
use crate::jwt::{Audience, Claims, JwtError, Rule, Unverified, seconds};
use crate::keys::{Algorithm, KeySet};
use crate::site::{Parameters, Visit};

/// The only kind of assertion.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Seconds by which a client's clock may differ.
pub(super) const SKEW: u64 = 30;

fn nobody() -> Wrong {
    Wrong::client("invalid_client", "the client is not known, or did not prove that it is this client")
}

pub(super) async fn run(facade: &Facade, visit: &Visit, form: &Parameters) -> Result<Client, Wrong> {
    let client = proven(facade, visit, form).await?;
    let certificate = visit.certificate.as_deref();
    match &client.certificate {
        Some(name) if certificate.is_none_or(|own| !own.names(name)) => Err(nobody()),
        Some(_) | None => Ok(client),
    }
}

/// The client that the form proves to be from, whatever it came with.
async fn proven(facade: &Facade, visit: &Visit, form: &Parameters) -> Result<Client, Wrong> {
    if visit.is_authorized() || form.get("client_secret").is_some() {
        return Err(nobody());
    }
    match (form.get("client_assertion_type"), form.get("client_assertion")) {
        (None, None) => {
            let id = form.get("client_id").ok_or_else(nobody)?;
            let client = facade.find_client(id).await?.ok_or_else(nobody)?;
            match client.proof {
                // The certificate is looked at by `run`.
                Proof::Public | Proof::Certificate => Ok(client),
                Proof::Keys(_) | Proof::KeysAt(_) => Err(nobody()),
            }
        }
        (Some(JWT_BEARER), Some(assertion)) => by_assertion(facade, form.get("client_id"), assertion).await,
        _ => Err(nobody()),
    }
}

async fn by_assertion(facade: &Facade, named: Option<&str>, assertion: &str) -> Result<Client, Wrong> {
    let unread = Unverified::read(assertion).map_err(|_| nobody())?;
    let id = unread.issuer().filter(|issuer| named.is_none_or(|named| named == *issuer)).ok_or_else(nobody)?.to_owned();
    let client = facade.find_client(&id).await?.ok_or_else(nobody)?;
    let claims = match &client.proof {
        Proof::Public | Proof::Certificate => return Err(nobody()),
        Proof::Keys(keys) => check(facade, assertion, &id, keys),
        Proof::KeysAt(url) => {
            let sets = facade.keys_at(url);
            let known = sets.current().await.map_err(|_| nobody())?;
            match check(facade, assertion, &id, &known) {
                Err(JwtError::KeyUnknown) => match sets.newer(&known).await {
                    Some(newer) => check(facade, assertion, &id, &newer),
                    None => Err(JwtError::KeyUnknown),
                },
                checked => checked,
            }
        }
    };
    let claims = claims.map_err(|error| {
        tracing::info!(client = id, %error, "a client's assertion is not believed");
        nobody()
    })?;
    if claims.text("sub") != Some(&id) {
        return Err(nobody());
    }
    spend(facade, &claims).await?.then_some(client).ok_or_else(nobody)
}

fn check(facade: &Facade, assertion: &str, id: &str, keys: &KeySet) -> Result<Claims, JwtError> {
    let issuer = facade.issuer();
    let token_endpoint = format!("{issuer}/oauth/token");
    let rule = Rule {
        algorithms: &Algorithm::ALL,
        typ: &["JWT", "client-authentication+jwt", ""],
        issuer: id,
        audience: Audience::OneOf(&[issuer, &token_endpoint]),
        skew: SKEW,
        now: facade.now(),
        required: &["sub", "jti"],
    };
    Unverified::read(assertion)?.verify(keys, &rule)
}

/// Spends an assertion: it is good once, and not for long. Returns whether this was the first time.
pub(super) async fn spend(facade: &Facade, claims: &Claims) -> Result<bool, Wrong> {
    let (now, expires) = (facade.now(), claims.seconds("exp").unwrap_or_default());
    if expires > seconds(now).saturating_add(limits::ASSERTION_MILLISECONDS_MAX / 1_000).saturating_add(SKEW) {
        return Ok(false);
    }
    let (issuer, id) = (claims.text("iss").unwrap_or_default(), claims.text("jti").unwrap_or_default());
    // Lengths keep two pairs from being one text.
    let once = Digest::of(format!("{}\n{issuer}\n{id}", issuer.len()).as_bytes());
    let end = Timestamp(expires.saturating_add(SKEW).saturating_add(1).saturating_mul(1_000));
    Ok(facade.port.spend(&once, end, now).await?)
}
