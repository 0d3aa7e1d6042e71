//! Which client is this, at the endpoints that clients ask themselves? (RFC 7523 §2.2, RFC 8705 §2.1, RFC 9700 §2.5.)
//!
//! A client is public, or it signs, or it comes with its certificate, or with somebody's word for its software. Nobody has a secret
//! that the gate knows as well: who presents one is refused, so that a secret meant for somebody else is noticed.

use model::{Digest, Timestamp, limits};

use super::answer::Wrong;
use super::client::{Client, Keys, Proof};
use super::{Facade, attestation};
use crate::jwt::{Audience, Claims, JwtError, Rule, Unverified, seconds};
use crate::keys::{Algorithm, KeySet};
use crate::site::{Parameters, Visit};

/// The only kind of assertion.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Seconds by which a client's clock may differ.
pub(super) const SKEW: u64 = 30;

pub(super) fn nobody() -> Wrong {
    Wrong::client("invalid_client", "the client is not known, or did not prove that it is this client")
}

/// A client that proved who it is.
pub(super) struct Authenticated {
    pub(super) client: Client,
    /// The thumbprint of the key that an attester vouches for, where one does.
    pub(super) attested: Option<String>,
}

pub(super) async fn run(facade: &Facade, visit: &Visit, form: &Parameters) -> Result<Authenticated, Wrong> {
    let authenticated = proven(facade, visit, form).await?;
    let certificate = visit.certificate.as_deref();
    match &authenticated.client.certificate {
        Some(name) if certificate.is_none_or(|own| !own.names(name)) => Err(nobody()),
        Some(_) | None => Ok(authenticated),
    }
}

/// The client that the form proves to be from, whatever it came with.
async fn proven(facade: &Facade, visit: &Visit, form: &Parameters) -> Result<Authenticated, Wrong> {
    if visit.is_authorized() || form.get("client_secret").is_some() {
        return Err(nobody());
    }
    let client = match (form.get("client_assertion_type"), form.get("client_assertion")) {
        (None, None) => {
            let id = form.get("client_id").ok_or_else(nobody)?;
            facade.find_client(id).await?.ok_or_else(nobody)?
        }
        (Some(JWT_BEARER), Some(assertion)) => {
            let client = by_assertion(facade, form.get("client_id"), assertion).await?;
            return Ok(Authenticated { client, attested: None });
        }
        _ => return Err(nobody()),
    };
    let attested = match &client.proof {
        // The certificate is looked at by `run`.
        Proof::Public | Proof::Certificate => None,
        Proof::Attested(attester) => Some(attestation::run(facade, visit, &client.id, attester).await?),
        Proof::Keys(_) => return Err(nobody()),
    };
    Ok(Authenticated { client, attested })
}

async fn by_assertion(facade: &Facade, named: Option<&str>, assertion: &str) -> Result<Client, Wrong> {
    let unread = Unverified::read(assertion).map_err(|_| nobody())?;
    let id = unread.issuer().filter(|issuer| named.is_none_or(|named| named == *issuer)).ok_or_else(nobody)?.to_owned();
    let client = facade.find_client(&id).await?.ok_or_else(nobody)?;
    let Proof::Keys(keys) = &client.proof else { return Err(nobody()) };
    let claims = believed(facade, keys, |keys| check(facade, assertion, &id, keys)).await?;
    let claims = claims.map_err(|error| {
        tracing::info!(client = id, %error, "a client's assertion is not believed");
        nobody()
    })?;
    if claims.text("sub") != Some(&id) {
        return Err(nobody());
    }
    spend(facade, &claims).await?.then_some(client).ok_or_else(nobody)
}

/// What `check` finds by these keys; where it names one that is not known, by newer ones.
pub(super) async fn believed(
    facade: &Facade,
    keys: &Keys,
    check: impl Fn(&KeySet) -> Result<Claims, JwtError> + Send + Sync,
) -> Result<Result<Claims, JwtError>, Wrong> {
    let url = match keys {
        Keys::Here(keys) => return Ok(check(keys)),
        Keys::At(url) => url,
    };
    let sets = facade.keys_at(url);
    let known = sets.current().await.map_err(|_| nobody())?;
    Ok(match check(&known) {
        Err(JwtError::KeyUnknown) => match sets.newer(&known).await {
            Some(newer) => check(&newer),
            None => Err(JwtError::KeyUnknown),
        },
        checked => checked,
    })
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
