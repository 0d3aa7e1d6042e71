//! Agents without a browser: the device asks, a person elsewhere types a code, reads who asks, and signs in (RFC 8628).
//!
//! Whoever gets a person to type a code gets their access: so the page says that the code must come from a device of
//! theirs, and names what is asked for, before anybody signs in.

use bytes::Bytes;
use http::{Response, StatusCode};
use model::{AgentKind, Timestamp, limits};
use serde_json::json;

use super::answer::Wrong;
use super::authorize::wanted;
use super::client::Client;
use super::consent::{self, Asked};
use super::mint::RefreshToken;
use super::possession::Possession;
use super::token::still_may;
use super::{Facade, authenticate, kept, pages};
use crate::port::{Device, Polled};
use crate::secrets::opened_text as opened;
use crate::site::{self, Parameters, Visit};

/// Letters that are hard to mistake for each other and spell no words (RFC 8628 §6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Letters in a code that a person types: 34 bits, for ten minutes.
const USER_CODE_LETTERS: usize = 8;

pub(super) async fn begin(facade: &Facade, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
    wait(facade, visit).await.map_err(Wrong::for_client)
}

async fn wait(facade: &Facade, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
    let form = Parameters::of_form(visit)?;
    let client = authenticate::run(facade, visit, &form).await?.client;
    let (endpoint, scopes) =
        wanted(facade, &client, AgentKind::Delegated, &form).map_err(|(e, d)| Wrong::client(e, d))?;
    let (device, user_code, now) = (facade.fresh(), user_code(facade.entropy.bits()), facade.now());
    let grant = client.granted(endpoint, scopes);
    let expires = Timestamp(now.0.saturating_add(limits::DEVICE_MILLISECONDS_MAX));
    let waiting = Device { device: kept(opened(&device)), user_code: kept(&user_code), grant, expires };
    facade.port.await_person(waiting, now).await?;
    let page = format!("{}/oauth/device", facade.issuer());
    let answer = json!({
        "device_code": opened(&device),
        "user_code": user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={user_code}"),
        "expires_in": limits::DEVICE_MILLISECONDS_MAX / 1_000,
        "interval": limits::DEVICE_INTERVAL_MILLISECONDS / 1_000,
    });
    Ok(site::json(StatusCode::OK, &answer))
}

/// The page on which a code is typed.
pub(super) async fn show(_: &Facade, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
    let parameters = Parameters::of_query(visit.query.as_deref())?;
    Ok(pages::device(&canonical(parameters.get("user_code").unwrap_or_default()), ""))
}

/// A code was typed: what does its device want?
pub(super) async fn entered(facade: &Facade, visit: &Visit) -> Result<Response<Bytes>, Wrong> {
    if visit.is_from_elsewhere(facade.issuer()) {
        let text = "This form was not shown to you by the gate.";
        return Err(Wrong::page(StatusCode::FORBIDDEN, "This is not a form of yours", text));
    }
    let form = Parameters::of_form(visit)?;
    let code = canonical(form.get("user_code").unwrap_or_default());
    let found = facade.port.device(&kept(&code), facade.now()).await?;
    let Some((device, grant)) = found else {
        return Ok(pages::device("", "No device waits with this code. Look at it again, or begin again there."));
    };
    let client = facade.find_client(&grant.client).await?.filter(|client| still_may(facade, client, &grant));
    let gone = Wrong::asked("This application is not registered here any more.");
    let client = client.ok_or(gone)?;
    let made = facade.now();
    let asked = Asked { grant, state: None, max_age: None, acr_values: Vec::new(), device: Some(device), made };
    consent::ask(facade, visit, &client, &asked)
}

/// The device asks whether somebody signed in.
pub(super) async fn poll(
    facade: &Facade,
    client: &Client,
    form: &Parameters,
    held: Possession,
) -> Result<Response<Bytes>, Wrong> {
    let code = form.get("device_code").ok_or(Wrong::client("invalid_request", "there is no `device_code`"))?;
    match facade.port.poll(&kept(code), facade.now()).await? {
        Polled::Pending => Err(Wrong::client("authorization_pending", "nobody has decided yet")),
        Polled::TooSoon => Err(Wrong::client("slow_down", "ask again in a few seconds")),
        Polled::Denied => Err(Wrong::client("access_denied", "the person said no, or did not sign in")),
        Polled::Unknown => Err(Wrong::client("expired_token", "no device waits with this code")),
        Polled::Granted(grant) => {
            if grant.client != client.id || !still_may(facade, client, &grant) {
                return Err(Wrong::client("invalid_grant", "it is not for this client"));
            }
            let grant = held.binds(*grant)?;
            let scopes = grant.scopes.clone();
            let (family, refresh) = (facade.family(grant), RefreshToken::first(facade));
            facade.port.begin(family.clone(), refresh.kept(), facade.change()).await?;
            facade.give(&family, &scopes, Some(&refresh)).await
        }
    }
}

/// A code that a person types, out of randomness.
fn user_code(mut bits: u128) -> String {
    let letters = u128::try_from(LETTERS.len()).unwrap_or(1);
    let mut code = String::new();
    for place in 0..USER_CODE_LETTERS {
        if place == USER_CODE_LETTERS / 2 {
            code.push('-');
        }
        let letter = usize::try_from(bits % letters).unwrap_or_default();
        code.push(char::from(LETTERS.get(letter).copied().unwrap_or(b'B')));
        bits /= letters;
    }
    code
}

/// A code as it was shown, however it was typed.
fn canonical(typed: &str) -> String {
    let upper = typed.chars().filter(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_uppercase());
    let letters: String = upper.take(USER_CODE_LETTERS).collect();
    match letters.split_at_checked(USER_CODE_LETTERS / 2) {
        Some((first, second)) if !second.is_empty() => format!("{first}-{second}"),
        Some(_) | None => letters,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = user_code(0x1234_5678_9abc_def0_1234_5678_9abc_def0);
        assert_eq!(code.len(), 9);
        for typed in [code.clone(), code.to_lowercase(), code.replace('-', " "), code.replace('-', "")] {
            assert_eq!(canonical(&typed), code);
        }
        assert_ne!(user_code(1), user_code(2));
    }
}
