//! Who asks, for what, and where would the code go? (RFC 6749 §4.1.1, OAuth 2.1 §4.1.1.)
//!
//! Until client and redirect URI are known to belong together, what is wrong is told to the person on a page: a redirect to
//! a place that nobody checked would make the gate send people wherever a link says.

use bytes::Bytes;
use http::Response;
use model::{AgentKind, EndpointName, limits};

use super::answer::Wrong;
use super::client::Client;
use super::consent::{self, Asked};
use super::{Facade, pkce};
use crate::port::Grant;
use crate::site::{Parameters, Visit};

/// Bytes in what a client wants back with its code.
const STATE_BYTES_MAX: usize = 2_048;

pub(super) async fn run(facade: &Facade, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
    let parameters = Parameters::of_query(visit.query.as_deref())?;
    let client_id = parameters.get("client_id").ok_or(Wrong::asked("The request names no application."))?;
    let unknown = Wrong::asked("This application is not registered here. Ask those who run the gate to register it.");
    let client = facade.find_client(client_id).await?.ok_or(unknown)?;
    let redirect =
        parameters.get("redirect_uri").ok_or(Wrong::asked("The request does not say where to go back to."))?;
    if !client.redirects.allow(redirect) {
        return Err(Wrong::asked("The request would lead to an address that is not the application's."));
    }
    let asked = read(facade, &client, redirect, &parameters).map_err(|(error, description)| Wrong::Redirect {
        redirect: redirect.to_owned(),
        error,
        description,
        state: parameters.get("state").filter(|state| state.len() <= STATE_BYTES_MAX).map(str::to_owned),
        issuer: facade.issuer().to_owned(),
    })?;
    consent::ask(facade, visit, &client, &asked)
}

/// The request itself, of a client that is who it is. An error is one of OAuth's words, and what it means here.
fn read(
    facade: &Facade,
    client: &Client,
    redirect: &str,
    parameters: &Parameters,
) -> Result<Asked, (&'static str, &'static str)> {
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "only `code` is supported")),
        None => return Err(("invalid_request", "there is no `response_type`")),
    }
    if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(("invalid_request", "only the response mode `query` is supported"));
    }
    for (name, error) in [("request", "request_not_supported"), ("request_uri", "request_uri_not_supported")] {
        if parameters.get(name).is_some() {
            return Err((error, "the request's parameters are given as they are"));
        }
    }
    let challenge = parameters.get("code_challenge").filter(|challenge| pkce::is_challenge(challenge));
    let challenge = challenge.ok_or(("invalid_request", "PKCE is required: there is no `code_challenge`"))?;
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(("invalid_request", "PKCE is required with `code_challenge_method=S256`"));
    }
    let state = parameters.get("state").map(str::to_owned);
    if state.as_ref().is_some_and(|state| state.len() > STATE_BYTES_MAX) {
        return Err(("invalid_request", "`state` is too long"));
    }
    if parameters.get("prompt") == Some("none") {
        return Err(("consent_required", "the person is always asked"));
    }
    let max_age =
        parameters.get("max_age").map(|age| age.parse().map_err(|_| ("invalid_request", "`max_age` is no number")));
    let key = parameters.get("dpop_jkt").map(str::to_owned);
    if key.as_ref().is_some_and(|key| !pkce::is_challenge(key)) {
        return Err(("invalid_request", "`dpop_jkt` is no thumbprint"));
    }
    let acr_values = parameters.get("acr_values").unwrap_or_default().split(' ').filter(|acr| !acr.is_empty());
    let (endpoint, scopes) = wanted(facade, client, AgentKind::Delegated, parameters)?;
    let grant = Grant {
        redirect: redirect.to_owned(),
        challenge: challenge.to_owned(),
        key,
        ..client.granted(endpoint, scopes)
    };
    let acr_values = acr_values.take(limits::SCOPES_MAX).map(str::to_owned).collect();
    Ok(Asked { grant, state, max_age: max_age.transpose()?, acr_values, device: None, made: facade.now() })
}

/// Where a client wants to act, and within which scopes: those it asks for as far as the endpoint knows them, all that the
/// endpoint knows where it asks for none. An endpoint that is not there and one that is not for this client look the same.
pub(super) fn wanted(
    facade: &Facade,
    client: &Client,
    kind: AgentKind,
    parameters: &Parameters,
) -> Result<(EndpointName, Vec<String>), (&'static str, &'static str)> {
    if client.kind != kind {
        return Err(("unauthorized_client", "this application is not registered for this way of signing in"));
    }
    let resource =
        parameters.get("resource").ok_or(("invalid_target", "`resource` must name an endpoint of the gate"))?;
    let found =
        facade.endpoint_of(resource).filter(|endpoint| client.endpoints.contains(endpoint)).and_then(|endpoint| {
            let doorway = facade.directory.endpoint(&endpoint)?;
            Some((endpoint, doorway))
        });
    let (endpoint, doorway) = found.ok_or(("invalid_target", "`resource` is no endpoint for this application"))?;
    let scopes = match parameters.get("scope") {
        None => doorway.scopes,
        Some(asked) => narrowed(&doorway.scopes, asked),
    };
    Ok((endpoint, scopes))
}

/// Those of some scopes that are asked for.
pub(super) fn narrowed(allowed: &[String], asked: &str) -> Vec<String> {
    allowed.iter().filter(|scope| asked.split(' ').any(|wanted| wanted == scope.as_str())).cloned().collect()
}
