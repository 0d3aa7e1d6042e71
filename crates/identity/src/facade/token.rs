//! The token endpoint: what a client gets for a code, a refresh token, a device code, an assertion, or for being itself.

use bytes::Bytes;
use http::{Response, StatusCode};
use model::{AgentKind, Secret};

use super::answer::Wrong;
use super::authenticate::Authenticated;
use super::authorize::{narrowed, wanted};
use super::client::{Client, Proof};
use super::mint::RefreshToken;
use super::possession::Possession;
use super::vouching::Leaver;
use super::{Facade, assertion, authenticate, callback, device, kept, pkce};
use crate::port::{Ended, Family, Grant, Person, Redeemed, Rotated};
use crate::secrets::opened;
use crate::site::{Parameters, Visit};

pub(super) async fn run(facade: &Facade, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
    answer(facade, visit).await.map_err(Wrong::for_client)
}

async fn answer(facade: &Facade, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
    let form = Parameters::of_form(visit)?;
    let Authenticated { client, attested } = authenticate::run(facade, visit, &form).await?;
    let held = facade.possessed(visit).await?.attested(attested.as_deref())?;
    match form.get("grant_type") {
        Some("authorization_code") => by_code(facade, &client, &form, held).await,
        Some("refresh_token") => by_refresh(facade, &client, &form, held).await,
        Some("client_credentials") => by_itself(facade, &client, &form, held).await,
        Some("urn:ietf:params:oauth:grant-type:device_code") => device::poll(facade, &client, &form, held).await,
        Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => assertion::run(facade, &client, &form, held).await,
        Some(_) => Err(Wrong::client("unsupported_grant_type", "see `grant_types_supported` of the metadata")),
        None => Err(Wrong::client("invalid_request", "there is no `grant_type`")),
    }
}

fn invalid() -> Wrong {
    // One answer for all of them: unknown, expired, used, another client's.
    Wrong::client("invalid_grant", "it is not good, or not any more, or not for this client")
}

async fn by_code(
    facade: &Facade,
    client: &Client,
    form: &Parameters,
    held: Possession,
) -> Result<Response<Bytes>, Wrong> {
    let code = form.get("code").ok_or(Wrong::client("invalid_request", "there is no `code`"))?;
    let code = kept(code);
    let Some(grant) = facade.port.code(&code, facade.now()).await? else {
        // A code that comes again was seen by somebody else: what it began ends (RFC 6749 §4.1.2).
        facade.revocations.add(facade.port.replayed(&code, facade.change()).await?.into_iter().collect());
        return Err(invalid());
    };
    let verifier = form.get("code_verifier").unwrap_or_default();
    let fits = grant.client == client.id
        && form.get("redirect_uri").is_none_or(|redirect| redirect == grant.redirect)
        && pkce::fits(verifier, &grant.challenge)
        && still_may(facade, client, &grant);
    if !fits {
        return Err(invalid());
    }
    is_for(facade, form, &grant)?;
    let grant = held.binds(grant)?;
    let scopes = grant.scopes.clone();
    let (family, refresh) = (facade.family(grant), RefreshToken::first(facade));
    match facade.port.redeem(&code, family.clone(), refresh.kept(), facade.change()).await? {
        Redeemed::Begun => facade.give(&family, &scopes, Some(&refresh)).await,
        Redeemed::Again(revoked) => {
            facade.revocations.add(vec![revoked]);
            Err(invalid())
        }
        Redeemed::Unknown => Err(invalid()),
    }
}

async fn by_refresh(
    facade: &Facade,
    client: &Client,
    form: &Parameters,
    held: Possession,
) -> Result<Response<Bytes>, Wrong> {
    let token = form.get("refresh_token").ok_or(Wrong::client("invalid_request", "there is no `refresh_token`"))?;
    let token = RefreshToken::read(token).ok_or_else(invalid)?;
    let chain = token.kept().chain;
    // One at a time: the provider's own refresh token may be good once as well.
    let _turn = facade.turns.of(&chain).lock().await;
    let mut family = facade.port.family(&chain, facade.now()).await?.ok_or_else(invalid)?;
    if family.grant.client != client.id || !still_may(facade, client, &family.grant) {
        return Err(invalid());
    }
    held.still_binds(client, &mut family.grant)?;
    is_for(facade, form, &family.grant)?;
    let scopes = match form.get("scope") {
        None => family.grant.scopes.clone(),
        Some(asked) => narrowed(&family.grant.scopes, asked),
    };
    recheck(facade, &mut family).await?;
    let next = token.next(facade);
    match facade.port.rotate(token.kept(), next.kept().link, family.clone(), facade.change()).await? {
        Rotated::Renewed => facade.give(&family, &scopes, Some(&next)).await,
        Rotated::Again(revoked) => {
            facade.revocations.add(vec![revoked]);
            Err(invalid())
        }
        Rotated::Unknown => Err(invalid()),
    }
}

/// Asks the provider whether the person is still who they were, and learns what changed. A no ends the family; a provider that
/// cannot be asked ends nothing, and gives nothing.
async fn recheck(facade: &Facade, family: &mut Family) -> Result<(), Wrong> {
    let grant = &family.grant;
    let (Some(person), Some(sealed)) = (&grant.person, &grant.upstream) else { return Ok(()) };
    let sealed = sealed.as_str().and_then(|sealed| sealed.parse().ok()).ok_or_else(invalid)?;
    let plain = facade.vault.open(&callback::purpose(person), &sealed).await?;
    let plain: &Vec<u8> = opened(&plain);
    let refresh = Secret::new(String::from_utf8_lossy(plain).into_owned());
    let again = match facade.relying.ask_again(&refresh, person).await {
        Ok(again) => again,
        Err(error) if error.is_final() => {
            let why = model::with_causes(&error);
            tracing::info!(why, "the identity provider knows the person no more");
            return end(facade, family).await;
        }
        Err(error) => {
            let why = model::with_causes(&error);
            tracing::warn!(why, "the identity provider cannot be asked again");
            let (status, error) = (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable");
            return Err(Wrong::Client { status, error, description: "the identity provider cannot be reached" });
        }
    };
    let now = again.person.unwrap_or_else(|| person.clone());
    if !is_same(&now, person) {
        return end(facade, family).await;
    }
    if let Some(word) = &again.word {
        facade.keep_word(&now, word).await;
    }
    if let Some(refresh) = &again.refresh {
        let sealed = callback::seal(facade, &now, refresh).await?;
        family.grant.upstream = Some(sealed);
    }
    family.grant.person = Some(now);
    Ok(())
}

/// Whether it is the person that agreed. What they are called decides what they may do, so another name is another person.
fn is_same(now: &Person, before: &Person) -> bool {
    now.issuer == before.issuer && now.subject == before.subject && now.user == before.user
}

async fn end(facade: &Facade, family: &Family) -> Result<(), Wrong> {
    if let Some(person) = &family.grant.person {
        facade.forget_words(&person.issuer, Leaver::Subject(&person.subject)).await;
    }
    let revoked = facade.port.end(Ended::Family(family.id.clone()), facade.change()).await?;
    facade.revocations.add(revoked);
    Err(invalid())
}

/// A client for itself: an autonomous agent that proves that it is this one. It gets no refresh token, because it can always
/// ask again.
async fn by_itself(
    facade: &Facade,
    client: &Client,
    form: &Parameters,
    held: Possession,
) -> Result<Response<Bytes>, Wrong> {
    if let Proof::Public = client.proof {
        return Err(Wrong::client("unauthorized_client", "a public client cannot act for itself"));
    }
    let (endpoint, scopes) =
        wanted(facade, client, AgentKind::Autonomous, form).map_err(|(e, d)| Wrong::client(e, d))?;
    let grant = held.binds(client.granted(endpoint, scopes))?;
    facade.give_once("signin.token", grant).await
}

/// Whether a client may still do what was agreed to: people may have taken an endpoint from it since.
pub(super) fn still_may(facade: &Facade, client: &Client, grant: &Grant) -> bool {
    client.agent == grant.agent
        && client.endpoints.contains(&grant.endpoint)
        && facade.directory.endpoint(&grant.endpoint).is_some()
}

/// Whether the token is asked for the endpoint that was agreed to (RFC 8707 §2.2).
fn is_for(facade: &Facade, form: &Parameters, grant: &Grant) -> Result<(), Wrong> {
    match form.get("resource") {
        Some(resource) if resource != facade.resource(&grant.endpoint) => {
            Err(Wrong::client("invalid_target", "it was agreed to for another resource"))
        }
        Some(_) | None => Ok(()),
    }
}
