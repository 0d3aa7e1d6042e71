//! People at the gate's own pages: they sign in at the identity provider as for an application, and are known to these pages
//! for some minutes.
//!
//! Nothing is kept of them here. On the way to the provider the browser carries a cookie with the digest of the attempt's
//! `state` and the page to come back to; afterwards, one with who it is. Both are sealed, so that no other site and no person
//! can make one, and the second takes the place of the first, so that an attempt ends once in the browser that began it.

use bytes::Bytes;
use http::{Response, StatusCode};
use model::{Digest, Secret, Timestamp, UserId, limits};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::answer::Wrong;
use super::{Facade, kept, pkce};
use crate::relying::{Attempt, Returned, Wishes};
use crate::secrets::opened_text as opened;
use crate::site::{self, Parameters, Visit};

/// The browser's cookie at these pages.
const COOKIE: &str = "__Host-portcullis-visitor";
/// What it is sealed for while somebody is on the way.
const LEAVING: &[u8] = b"visitor leaving";
/// What it is sealed for once they are back.
const HERE: &[u8] = b"visitor here";

/// Somebody on the way to the identity provider.
#[derive(Serialize, Deserialize)]
struct Leaving {
    state: Digest,
    to: String,
    until: Timestamp,
}

/// Somebody who signed in.
#[derive(Serialize, Deserialize)]
struct Here {
    user: UserId,
    until: Timestamp,
}

impl Facade {
    /// The person in whose browser this is, if they signed in for these pages of late.
    pub(crate) fn visitor(&self, visit: &Visit) -> Option<UserId> {
        let here: Here = open(self, HERE, visit.cookie(COOKIE)?)?;
        (self.now() < here.until).then_some(here.user)
    }

    /// Sends whoever is there to sign in, and back to the page that they opened.
    pub(crate) async fn welcome(&self, visit: &Visit) -> Response<Bytes> {
        if !self.sources.admits(visit.source, self.now()) {
            return Wrong::too_many().told();
        }
        match leave(self, &visit.path).await {
            Ok(response) => response,
            Err(wrong) => wrong.told(),
        }
    }
}

async fn leave(facade: &Facade, to: &str) -> Result<Response<Bytes>, Wrong> {
    let state = facade.fresh();
    let until = Timestamp(facade.now().0.saturating_add(limits::SIGN_IN_MILLISECONDS_MAX));
    let leaving = Leaving { state: kept(opened(&state)), to: to.to_owned(), until };
    let cookie = seal(facade, LEAVING, &leaving)?;
    let (nonce, verifier) = (bound("nonce", &cookie, opened(&state)), bound("verifier", &cookie, opened(&state)));
    let wishes = Wishes { acr_values: facade.terms.acr_values.clone(), ..Wishes::default() };
    let attempt = Attempt { state: opened(&state), nonce: opened(&nonce), verifier: &verifier, wishes };
    let target = facade.relying.begin(&attempt).await?;
    Ok(site::with_cookie(site::redirect(target.as_str()), COOKIE, &cookie))
}

/// Takes what the provider sends back, if this browser left from one of these pages with this very `state`.
pub(super) async fn arrive(
    facade: &Facade,
    visit: &Visit,
    parameters: &Parameters,
) -> Result<Option<Response<Bytes>>, Wrong> {
    let (Some(cookie), Some(state)) = (visit.cookie(COOKIE), parameters.get("state")) else { return Ok(None) };
    let leaving: Option<Leaving> = open(facade, LEAVING, cookie);
    let Some(leaving) = leaving.filter(|leaving| leaving.state == kept(state)) else { return Ok(None) };
    let nobody = |text| Wrong::page(StatusCode::FORBIDDEN, "You are not signed in", text);
    if leaving.until <= facade.now() {
        return Err(nobody("The time for this sign-in is over. Open the page again."));
    }
    // Whose answer this is comes before what it says, an error too (RFC 9207 §2.4).
    facade.relying.is_theirs(parameters.get("iss")).await?;
    let code = match (parameters.get("error"), parameters.get("code")) {
        (None, Some(code)) => Secret::new(code.to_owned()),
        (Some(_), _) | (None, None) => {
            return Err(nobody("The identity provider did not sign you in. Open the page again."));
        }
    };
    let (nonce, verifier) = (bound("nonce", cookie, state), bound("verifier", cookie, state));
    let attempt = Attempt { state, nonce: opened(&nonce), verifier: &verifier, wishes: Wishes::default() };
    let returned = Returned { code: &code, issuer: parameters.get("iss") };
    let person = facade.relying.finish(&returned, &attempt).await?.person;
    // The name by which tokens of the façade name them to policies and receipts.
    let user = format!("{}{}", facade.terms.user_prefix, person.user).parse();
    let user = user.map_err(|_| nobody("The identity provider's name for you is none that the gate can use."))?;
    let until = Timestamp(facade.now().0.saturating_add(limits::VISITOR_MILLISECONDS_MAX));
    let cookie = seal(facade, HERE, &Here { user, until })?;
    Ok(Some(site::with_cookie(site::redirect(&leaving.to), COOKIE, &cookie)))
}

/// A secret of this browser and this attempt, which nobody has who sees the `state` alone.
fn bound(purpose: &str, cookie: &str, state: &str) -> Secret<String> {
    Secret::new(pkce::challenge(&format!("visitor {purpose}\n{cookie}\n{state}")))
}

fn seal(facade: &Facade, purpose: &[u8], content: &impl Serialize) -> Result<String, Wrong> {
    let sealed = serde_json::to_vec(content).ok().and_then(|content| facade.seal.seal_text(&content, purpose));
    sealed.ok_or_else(|| Wrong::page(StatusCode::INTERNAL_SERVER_ERROR, "Not now", "The gate failed. Try again."))
}

fn open<T: DeserializeOwned>(facade: &Facade, purpose: &[u8], cookie: &str) -> Option<T> {
    serde_json::from_slice(&facade.seal.open_text(cookie, purpose)?).ok()
}
