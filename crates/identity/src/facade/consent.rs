//! A person's yes: to this client, at this endpoint, with these scopes, back to this address.
//!
//! It is asked for each time, before anybody leaves for the identity provider. Otherwise somebody who is signed in there
//! could be led through without seeing anything, and a client that they never heard of would get a code (MCP 2026-07-28,
//! security best practices, confused deputy).
//!
//! The page's form holds what was asked for, sealed for the browser's cookie: it cannot be written by another site, changed by
//! the person, or sent from another browser. Nothing is kept until somebody says yes.

use bytes::Bytes;
use http::{Response, StatusCode};
use model::{Digest, Secret, Timestamp, limits};
use serde::{Deserialize, Serialize};

use super::answer::{Wrong, refused};
use super::client::Client;
use super::{Facade, kept, pages, pkce};
use crate::port::{Grant, SignIn};
use crate::relying::{Attempt, Wishes};
use crate::secrets::opened_text as opened;
use crate::site::{self, Parameters, Visit};

/// The browser's cookie: no other host can set one of this name, and none is taken that was not sealed here.
const COOKIE: &str = "__Host-portcullis";

/// What was asked for, while a person thinks about it.
#[derive(Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) grant: Grant,
    pub(super) state: Option<String>,
    pub(super) max_age: Option<u64>,
    pub(super) acr_values: Vec<String>,
    /// The device that waits, where there is no redirect.
    pub(super) device: Option<Digest>,
    pub(super) made: Timestamp,
}

/// A browser, by its cookie.
pub(super) struct Browser {
    cookie: Secret<String>,
}

impl Browser {
    /// The browser whose cookie this is.
    pub(super) fn known(facade: &Facade, visit: &Visit) -> Option<Self> {
        let cookie = visit.cookie(COOKIE)?;
        facade.seal.open(cookie, COOKIE.as_bytes())?;
        Some(Self { cookie: Secret::new(cookie.to_owned()) })
    }

    fn new(facade: &Facade) -> Option<Self> {
        let cookie = facade.seal.seal(facade.entropy.bits(), COOKIE.as_bytes())?;
        Some(Self { cookie: Secret::new(cookie) })
    }

    /// What stands for it in the store.
    pub(super) fn digest(&self) -> Digest {
        kept(opened(&self.cookie))
    }

    /// Whom its forms are sealed for.
    fn owner(&self) -> Vec<u8> {
        format!("{COOKIE} form {}", self.digest()).into_bytes()
    }

    /// A secret of this browser and this attempt, which nobody has who sees the attempt's `state` alone. Nothing of it is kept.
    pub(super) fn secret(&self, purpose: &str, state: &str) -> Secret<String> {
        Secret::new(pkce::challenge(&format!("{purpose}\n{}\n{state}", opened(&self.cookie))))
    }
}

/// Shows what is asked for.
pub(super) fn ask(facade: &Facade, visit: &Visit, client: &Client, asked: &Asked) -> Result<Response<Bytes>, Wrong> {
    let failed = || Wrong::page(StatusCode::INTERNAL_SERVER_ERROR, "Not now", "The gate failed. Try again.");
    let (browser, is_new) = match Browser::known(facade, visit) {
        Some(browser) => (browser, false),
        None => (Browser::new(facade).ok_or_else(failed)?, true),
    };
    let content = serde_json::to_vec(asked).map_err(|_| failed())?;
    let sealed = facade.seal.seal_text(&content, &browser.owner()).ok_or_else(failed)?;
    let purpose = facade.directory.endpoint(&asked.grant.endpoint).map(|doorway| doorway.purpose).unwrap_or_default();
    let page = pages::consent(client, asked, &purpose, &sealed);
    Ok(if is_new { site::with_cookie(page, COOKIE, opened(&browser.cookie)) } else { page })
}

/// Takes the answer.
pub(super) async fn run(facade: &Facade, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
    let forged = || {
        let text = "This form was not shown to you by the gate, or its time is over. Begin again in your application.";
        Wrong::page(StatusCode::FORBIDDEN, "This is not a form of yours", text)
    };
    if visit.is_from_elsewhere(facade.issuer()) {
        return Err(forged());
    }
    let form = Parameters::of_form(visit)?;
    let browser = Browser::known(facade, visit).ok_or_else(forged)?;
    let content = form.get("request").and_then(|sealed| facade.seal.open_text(sealed, &browser.owner()));
    let asked: Asked = content.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(forged)?;
    if facade.now().milliseconds_since(asked.made) > limits::SIGN_IN_MILLISECONDS_MAX {
        return Err(forged());
    }
    // People may have changed their minds about the client while somebody thought about it.
    let client = facade.find_client(&asked.grant.client).await?.ok_or_else(forged)?;
    let still = client.endpoints.contains(&asked.grant.endpoint)
        && (asked.device.is_some() || client.redirects.allow(&asked.grant.redirect));
    if !still {
        return Err(forged());
    }
    match form.get("answer") {
        Some("allow") => leave(facade, &browser, asked).await,
        Some("deny") => denied(facade, &asked).await,
        Some(_) | None => Err(forged()),
    }
}

/// Sends the person to the identity provider, with a state that was made for this yes.
async fn leave(facade: &Facade, browser: &Browser, asked: Asked) -> Result<Response<Bytes>, Wrong> {
    let Asked { grant, state: wanted_back, max_age, acr_values, device, made: _ } = asked;
    let state = facade.fresh();
    let nonce = browser.secret("nonce", opened(&state));
    let verifier = browser.secret("verifier", opened(&state));
    let acr_values = if acr_values.is_empty() { facade.terms.acr_values.clone() } else { acr_values };
    let wishes = Wishes { acr_values, max_age, prompt: None, resource: None };
    let attempt = Attempt { state: opened(&state), nonce: opened(&nonce), verifier: &verifier, wishes };
    let target = facade.relying.begin(&attempt).await?;
    let now = facade.now();
    let expires = Timestamp(now.0.saturating_add(limits::SIGN_IN_MILLISECONDS_MAX));
    let sign_in = SignIn { browser: browser.digest(), grant, state: wanted_back, max_age, device };
    facade.port.leave(kept(opened(&state)), sign_in, expires, now).await?;
    Ok(pages::onward("Signing in", "You are on the way to your identity provider.", target.as_str()))
}

async fn denied(facade: &Facade, asked: &Asked) -> Result<Response<Bytes>, Wrong> {
    if let Some(device) = &asked.device {
        facade.port.decide(device, None, facade.change()).await?;
        return Ok(pages::done("You said no", "The device gets no access. You can close this page."));
    }
    let description = "the person said no";
    let state = asked.state.as_deref();
    let target = refused(&asked.grant.redirect, "access_denied", description, state, facade.issuer());
    Ok(pages::onward("You said no", "The application gets no access.", &target))
}
