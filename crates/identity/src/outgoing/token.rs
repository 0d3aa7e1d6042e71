//! Asking an authorization server for tokens (RFC 6749 §4 to §6, RFC 8707).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use model::{Secret, Timestamp, limits};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::challenge::scopes;
use super::client::{Client, Presents};
use super::discovery::Issuer;
use crate::fetch::{Fetch, FetchError};
use crate::json;
use crate::secrets::opened;

/// A token for a server (RFC 8693 §3).
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// Any signed token.
pub(crate) const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// What was given out.
pub(crate) struct Tokens {
    pub(crate) access: Secret<String>,
    pub(crate) refresh: Option<Secret<String>>,
    /// When it is over; `None` where the server did not say.
    pub(crate) expires: Option<Timestamp>,
    /// What it is good for, where that is not what was asked for.
    pub(crate) scopes: Option<Vec<String>>,
}

/// Why no token was given out. It never quotes what the authorization server wrote, but for a code that the RFC defines.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The authorization server could not be asked.
    #[error("the authorization server cannot be asked for a token")]
    Fetch(#[from] FetchError),
    /// It said no.
    #[error("the authorization server gives no token: {code}")]
    Refused {
        /// Its code (RFC 6749 §5.2): `invalid_grant`.
        code: String,
    },
    /// Its answer is none that the RFC knows.
    #[error("the authorization server's answer cannot be used: {0}")]
    Answer(&'static str),
    /// The client cannot prove who it is.
    #[error("the gate cannot prove to the authorization server who it is")]
    Proof,
}

impl TokenError {
    /// Whether what was presented is of no use any more, and will not be.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Refused { code } if code == "invalid_grant")
    }
}

/// Asks once. `form` says what for; who asks is added.
///
/// # Errors
/// [`TokenError`].
pub(crate) async fn ask(
    fetch: &dyn Fetch,
    issuer: &Issuer,
    client: &Client,
    form: &[(&str, &str)],
    now: Timestamp,
) -> Result<Tokens, TokenError> {
    tokens(&answer(fetch, issuer, client, form, now).await?, now)
}

/// The same where one token is given for others (RFC 8693), and what came of it has to be one for the server.
///
/// # Errors
/// [`TokenError`].
pub(crate) async fn exchange(
    fetch: &dyn Fetch,
    issuer: &Issuer,
    client: &Client,
    form: &[(&str, &str)],
    now: Timestamp,
) -> Result<Tokens, TokenError> {
    let answer = answer(fetch, issuer, client, form, now).await?;
    let issued = answer.get("issued_token_type").and_then(Value::as_str);
    if !matches!(issued, Some(ACCESS_TOKEN | JWT)) {
        return Err(TokenError::Answer("it issued no access token"));
    }
    tokens(&answer, now)
}

async fn answer(
    fetch: &dyn Fetch,
    issuer: &Issuer,
    client: &Client,
    form: &[(&str, &str)],
    now: Timestamp,
) -> Result<Map<String, Value>, TokenError> {
    let (mut form, mut authorization) = (form.to_vec(), None);
    let assertion;
    match &client.presents {
        Presents::Nothing => form.push(("client_id", client.id.as_str())),
        Presents::InHeader(secret) => authorization = Some(basic(&client.id, secret)),
        Presents::InForm(secret) => {
            form.push(("client_id", client.id.as_str()));
            form.push(("client_secret", opened(secret).as_str()));
        }
        Presents::Signature(key) => {
            assertion = key.assertion(&client.id, &issuer.issuer, now).ok_or(TokenError::Proof)?;
            form.push(("client_id", client.id.as_str()));
            form.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
            form.push(("client_assertion", opened(&assertion).as_str()));
        }
    }
    let fetched = fetch.post_form(&issuer.token_endpoint, &form, authorization.as_ref(), &HeaderMap::new()).await?;
    let answer = json::object(&fetched.body, limits::FETCHED_BYTES_MAX);
    if fetched.status != StatusCode::OK {
        let code = answer.ok().and_then(|answer| answer.get("error").and_then(Value::as_str).map(word));
        return Err(TokenError::Refused { code: code.unwrap_or_else(|| fetched.status.as_u16().to_string()) });
    }
    answer.map_err(|_| TokenError::Answer("it is no JSON object that can be read in one way only"))
}

fn tokens(answer: &Map<String, Value>, now: Timestamp) -> Result<Tokens, TokenError> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let kind = text("token_type").ok_or(TokenError::Answer("it names no type of token"))?;
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err(TokenError::Answer("the token is no bearer token"));
    }
    let access = token(text("access_token")).ok_or(TokenError::Answer("it has no token that fits in a header"))?;
    let refresh = match text("refresh_token") {
        None => None,
        refresh => Some(token(refresh).ok_or(TokenError::Answer("its refresh token is no token"))?),
    };
    let expires = match answer.get("expires_in") {
        None | Some(Value::Null) => None,
        Some(seconds) => {
            let seconds = seconds.as_u64().ok_or(TokenError::Answer("its time is no number of seconds"))?;
            Some(Timestamp(now.0.saturating_add(seconds.saturating_mul(1_000))))
        }
    };
    let scopes = match text("scope") {
        None => None,
        Some(told) => Some(scopes(told).ok_or(TokenError::Answer("its scopes are none"))?),
    };
    Ok(Tokens { access, refresh, expires, scopes })
}

/// `Basic` with both parts encoded as in a form (RFC 6749 §2.3.1).
fn basic(id: &str, secret: &Secret<String>) -> Secret<String> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Secret::new(format!("{}:{}", encoded(id), encoded(opened(secret).as_str())));
    Secret::new(format!("Basic {}", STANDARD.encode(opened(&pair).as_bytes())))
}

/// A text that fits in a header (RFC 6750 §2.1, more widely).
fn token(text: Option<&str>) -> Option<Secret<String>> {
    let fits = |text: &&str| {
        (1..=limits::TOKEN_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    text.filter(fits).map(|text| Secret::new(text.to_owned()))
}

/// An error code as it may be told: those of the RFCs are words of lower-case letters.
fn word(code: &str) -> String {
    let is_word = code.len() <= 60 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_word && !code.is_empty() { code.to_owned() } else { "an error without a code".to_owned() }
}

#[cfg(test)]
mod tests;
