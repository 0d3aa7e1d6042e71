//! A sign-in for pages of the gate's own, from the page to the provider and back to it, in one browser.
//!
//! Nothing is kept of it here. On the way the browser carries a cookie with the digest of the attempt's `state` and where it
//! goes on. It is sealed, so that no other site and no person can make one; nonce and PKCE verifier are made of it and of the
//! `state` together, so that neither alone is worth anything.

use model::{Digest, Secret, Timestamp, limits};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Attempt, Relying, RelyingError, Returned, SignedIn, Wishes};
use crate::facade::pkce;
use crate::seal::Seal;
use crate::secrets::opened_text as opened;
use crate::site::Parameters;

/// What a trip is made with.
pub(crate) struct Trip<'a> {
    pub(crate) relying: &'a Relying,
    pub(crate) seal: &'a Seal,
    /// Whose pages: a cookie of others opens nothing here.
    pub(crate) purpose: &'static str,
    pub(crate) now: Timestamp,
}

/// Why nobody came back.
pub(crate) enum TripError {
    /// The time for it is over.
    Over,
    /// The provider did not sign them in.
    Refused,
    /// What came back is not to be relied on, or the provider cannot be asked.
    Relying(RelyingError),
    /// Nothing could be sealed.
    Seal,
}

/// Somebody on the way.
#[derive(Serialize, Deserialize)]
struct Leaving<T> {
    state: Digest,
    on: T,
    until: Timestamp,
}

impl From<RelyingError> for TripError {
    fn from(error: RelyingError) -> Self {
        Self::Relying(error)
    }
}

impl Trip<'_> {
    /// Where the browser goes, and the cookie that it takes along; `on` is what is done when it is back.
    pub(crate) async fn leave<T: Serialize>(
        &self,
        state: &Secret<String>,
        on: T,
        wishes: Wishes,
    ) -> Result<(Url, String), TripError> {
        let until = Timestamp(self.now.0.saturating_add(limits::SIGN_IN_MILLISECONDS_MAX));
        let state = opened(state);
        let leaving = Leaving { state: Digest::of(state.as_bytes()), on, until };
        let cookie = sealed(self.seal, self.purpose, &leaving).ok_or(TripError::Seal)?;
        let (nonce, verifier) = (self.bound("nonce", &cookie, state), self.bound("verifier", &cookie, state));
        let attempt = Attempt { state, nonce: opened(&nonce), verifier: &verifier, wishes };
        Ok((self.relying.begin(&attempt).await?, cookie))
    }

    /// Who came back, and what is done now; `None` where this browser left with no such `state`.
    pub(crate) async fn back<T: DeserializeOwned>(
        &self,
        cookie: &str,
        parameters: &Parameters,
    ) -> Result<Option<(SignedIn, T)>, TripError> {
        let Some(state) = parameters.get("state") else { return Ok(None) };
        let Some(leaving) = unsealed::<Leaving<T>>(self.seal, self.purpose, cookie) else { return Ok(None) };
        if leaving.state != Digest::of(state.as_bytes()) {
            return Ok(None);
        }
        if leaving.until <= self.now {
            return Err(TripError::Over);
        }
        // Whose answer this is comes before what it says, an error too (RFC 9207 §2.4).
        self.relying.is_theirs(parameters.get("iss")).await?;
        let code = match (parameters.get("error"), parameters.get("code")) {
            (None, Some(code)) => Secret::new(code.to_owned()),
            (Some(_), _) | (None, None) => return Err(TripError::Refused),
        };
        let (nonce, verifier) = (self.bound("nonce", cookie, state), self.bound("verifier", cookie, state));
        let attempt = Attempt { state, nonce: opened(&nonce), verifier: &verifier, wishes: Wishes::default() };
        let returned = Returned { code: &code, issuer: parameters.get("iss") };
        Ok(Some((self.relying.finish(&returned, &attempt).await?, leaving.on)))
    }

    /// A secret of this browser and this attempt, which nobody has who sees the `state` alone.
    fn bound(&self, what: &str, cookie: &str, state: &str) -> Secret<String> {
        Secret::new(pkce::challenge(&format!("{} {what}\n{cookie}\n{state}", self.purpose)))
    }
}

/// A document that only the gate can have made, for one purpose.
pub(crate) fn sealed(seal: &Seal, purpose: &str, content: &impl Serialize) -> Option<String> {
    seal.seal_text(&serde_json::to_vec(content).ok()?, purpose.as_bytes())
}

/// What is in it.
pub(crate) fn unsealed<T: DeserializeOwned>(seal: &Seal, purpose: &str, text: &str) -> Option<T> {
    serde_json::from_slice(&seal.open_text(text, purpose.as_bytes())?).ok()
}
