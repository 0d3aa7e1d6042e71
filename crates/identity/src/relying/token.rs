//! What a token endpoint answers.

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use model::{Secret, limits};
use serde_json::{Map, Value};

use super::RelyingError;
use crate::fetch::Fetched;
use crate::json;
use crate::jwt::Claims;
use crate::secrets::opened_text as opened;

/// Tokens of the provider. They never leave this room but to the provider.
pub(super) struct Answer {
    pub(super) access: Secret<String>,
    pub(super) id_token: Option<Secret<String>>,
    pub(super) refresh: Option<Secret<String>>,
    /// What kind of token the first one is, where one was exchanged for it (RFC 8693 §2.2.1).
    pub(super) issued: Option<String>,
}

impl Answer {
    pub(super) fn read(fetched: &Fetched) -> Result<Self, RelyingError> {
        let members = json::object(&fetched.body, limits::FETCHED_BYTES_MAX);
        if fetched.status != StatusCode::OK {
            return Err(RelyingError::Refused(error_of(members.as_ref().ok(), fetched.status)));
        }
        let mut members = members.map_err(|_| RelyingError::Answer("it is no strict JSON object"))?;
        let issued = members.get("issued_token_type").and_then(Value::as_str).map(str::to_owned);
        let mut secret = |name: &str| match members.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(Secret::new(text)),
            Some(_) | None => None,
        };
        let (access, id_token, refresh) = (secret("access_token"), secret("id_token"), secret("refresh_token"));
        let access = access.ok_or(RelyingError::Answer("there is no access token"))?;
        Ok(Self { access, id_token, refresh, issued })
    }

    /// Whether an ID token is of this very answer, where it says so (OpenID Connect Core 1.0 §3.1.3.6): `at_hash` is the
    /// left half of the access token's digest, by whichever SHA-2 the token's algorithm uses, and their lengths differ.
    pub(super) fn fits(&self, claims: &Claims) -> Result<(), RelyingError> {
        let Some(told) = claims.text("at_hash") else { return Ok(()) };
        let fits = [&SHA256, &SHA384, &SHA512].into_iter().any(|algorithm| {
            let whole = digest(algorithm, opened(&self.access).as_bytes());
            let half = whole.as_ref().get(..whole.as_ref().len() / 2).unwrap_or_default();
            URL_SAFE_NO_PAD.encode(half) == told
        });
        if fits { Ok(()) } else { Err(RelyingError::Unfit("it belongs to another access token")) }
    }
}

/// One of OAuth's words; what is none is told by its status.
fn error_of(members: Option<&Map<String, Value>>, status: StatusCode) -> String {
    let word = members.and_then(|members| members.get("error")).and_then(Value::as_str);
    let is_word = |word: &&str| word.len() <= 64 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    word.filter(is_word).map_or_else(|| status.as_u16().to_string(), str::to_owned)
}
