//! Somebody comes back from the identity provider.
//!
//! The state is spent before anything else is looked at. It is worth something only in the browser in which somebody said
//! yes: a link with another person's state signs nobody in, and a state that leaks opens nothing.

use bytes::Bytes;
use http::{Response, StatusCode};
use model::{Secret, Timestamp, limits};

use super::answer::{Wrong, refused};
use super::consent::Browser;
use super::{Facade, kept, pages, visitors, with_parameters};
use crate::port::{Grant, Person, SignIn};
use crate::relying::{Attempt, RelyingError, Returned, Wishes};
use crate::secrets::opened_text as opened;
use crate::site::{self, Parameters, Visit};

pub(super) async fn run(facade: &Facade, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
    let parameters = Parameters::of_query(visit.query.as_deref())?;
    if let Some(arrived) = visitors::arrive(facade, visit, &parameters).await? {
        return Ok(arrived);
    }
    let stranger = || {
        let text = "This sign-in was not begun in this browser, or its time is over. Begin again in your application.";
        Wrong::page(StatusCode::FORBIDDEN, "You are not signed in", text)
    };
    let state = parameters.get("state").ok_or_else(stranger)?;
    let sign_in = facade.port.come_back(&kept(state), facade.now()).await?.ok_or_else(stranger)?;
    let browser = Browser::known(facade, visit).filter(|browser| browser.digest() == sign_in.browser);
    let browser = browser.ok_or_else(stranger)?;
    // Whose answer this is comes before what it says, an error too (RFC 9207 §2.4).
    facade.relying.is_theirs(parameters.get("iss")).await?;
    let code = match (parameters.get("error"), parameters.get("code")) {
        (None, Some(code)) => Secret::new(code.to_owned()),
        (Some(_), _) => {
            return nothing(facade, sign_in, "access_denied", "the identity provider did not sign in").await;
        }
        (None, None) => return Err(stranger()),
    };
    let (nonce, verifier) = (browser.secret("nonce", state), browser.secret("verifier", state));
    let wishes = Wishes { max_age: sign_in.max_age, ..Wishes::default() };
    let attempt = Attempt { state, nonce: opened(&nonce), verifier: &verifier, wishes };
    let returned = Returned { code: &code, issuer: parameters.get("iss") };
    let signed_in = match facade.relying.finish(&returned, &attempt).await {
        Ok(signed_in) => signed_in,
        Err(RelyingError::Mixed) => return Err(stranger()),
        Err(error) => {
            let why = model::with_causes(&error);
            tracing::warn!(why, "nobody is signed in: the identity provider's answer");
            let (error, description) = match error.is_final() {
                true => ("access_denied", "the identity provider's answer cannot be relied on"),
                false => ("temporarily_unavailable", "the identity provider cannot be reached"),
            };
            return nothing(facade, sign_in, error, description).await;
        }
    };
    facade.keep_word(&signed_in.person, &signed_in.word).await;
    let upstream = match &signed_in.refresh {
        None => None,
        Some(refresh) => Some(seal(facade, &signed_in.person, refresh).await?),
    };
    let grant = Grant { person: Some(signed_in.person), upstream, ..sign_in.grant };
    match sign_in.device {
        Some(device) => {
            if !facade.port.decide(&device, Some(grant), facade.change()).await? {
                return Err(stranger());
            }
            Ok(pages::done("You are signed in", "Your device goes on by itself. You can close this page."))
        }
        None => give_code(facade, grant, sign_in.state.as_deref()).await,
    }
}

/// Sends the person back to their application, with a code that is good once, for a minute.
async fn give_code(facade: &Facade, grant: Grant, state: Option<&str>) -> Result<Response<Bytes>, Wrong> {
    let code = facade.fresh();
    let redirect = grant.redirect.clone();
    let change = facade.change();
    let expires = Timestamp(change.at.0.saturating_add(limits::CODE_MILLISECONDS_MAX));
    facade.port.agree(kept(opened(&code)), grant, expires, change).await?;
    let mut parameters = vec![("code", opened(&code))];
    parameters.extend(state.map(|state| ("state", state)));
    parameters.push(("iss", facade.issuer()));
    Ok(site::redirect(&with_parameters(&redirect, &parameters)))
}

/// Tells whoever waits that nothing comes of it.
async fn nothing(
    facade: &Facade,
    sign_in: SignIn,
    error: &'static str,
    description: &'static str,
) -> Result<Response<Bytes>, Wrong> {
    match sign_in.device {
        Some(device) => {
            facade.port.decide(&device, None, facade.change()).await?;
            let text = "Your device gets no access. Begin again there.";
            Err(Wrong::page(StatusCode::FORBIDDEN, "You are not signed in", text))
        }
        None => {
            let state = sign_in.state.as_deref();
            Ok(site::redirect(&refused(&sign_in.grant.redirect, error, description, state, facade.issuer())))
        }
    }
}

/// What the vault is told that a provider's refresh token is for: this person's, and nobody else's.
pub(super) fn purpose(person: &Person) -> String {
    format!("façade upstream {} {}", person.issuer, person.subject)
}

/// The provider's refresh token as it is kept.
pub(super) async fn seal(
    facade: &Facade,
    person: &Person,
    refresh: &Secret<String>,
) -> Result<serde_json::Value, Wrong> {
    let plain = Secret::new(opened(refresh).to_owned().into_bytes());
    Ok(facade.vault.seal(&purpose(person), &plain).await?.to_string().into())
}
