//! Signing in without a browser here: the person types a code at the provider, wherever they have one (RFC 8628).

use http::HeaderMap;
use model::{Secret, limits};
use serde_json::Value;
use url::Url;

use super::metadata::is_safe;
use super::{Relying, RelyingError, SignedIn};
use crate::json;
use crate::secrets::opened_text as opened;

/// A sign-in that was begun.
pub struct Begun {
    /// What the provider is asked with whether it is done.
    pub code: Secret<String>,
    /// What the person types.
    pub user_code: String,
    /// Where they type it.
    pub at: Url,
    /// The same with the code in it.
    pub at_whole: Option<Url>,
    /// Seconds until it is over.
    pub seconds: u64,
    /// Seconds between two questions.
    pub interval: u64,
}

/// What came of it so far.
pub enum Polled {
    /// The person did nothing yet.
    Pending,
    /// It was asked too often: the interval grows by five seconds (RFC 8628 §3.5).
    TooOften,
    /// The person signed in.
    Done(Box<SignedIn>),
}

/// How an answered device says what it wants (RFC 8628 §3.4).
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

impl Relying {
    /// Begins a sign-in for which the person has a browser elsewhere.
    ///
    /// # Errors
    /// [`RelyingError::Metadata`] when the provider has no such way; else when it cannot be asked, or refuses.
    pub async fn begin_device(&self) -> Result<Begun, RelyingError> {
        let metadata = self.metadata().await?;
        let at = metadata.device.as_ref().ok_or(RelyingError::Metadata("it has no `device_authorization_endpoint`"))?;
        let (authorization, added) = self.provider.authenticate(&metadata, self.clock.now())?;
        let scope = self.provider.scope();
        let mut form = vec![("client_id", self.provider.client_id.as_str()), ("scope", scope.as_str())];
        form.extend(added.iter().filter(|(name, _)| *name != "client_id").map(|(name, value)| (*name, opened(value))));
        let fetched = self.fetch.post_form(at, &form, authorization.as_ref(), &HeaderMap::new()).await?;
        if fetched.status != http::StatusCode::OK {
            return Err(RelyingError::Answer("it begins no sign-in of a device"));
        }
        let members = json::object(&fetched.body, limits::FETCHED_BYTES_MAX)
            .map_err(|_| RelyingError::Answer("it is no strict JSON object"))?;
        let text = |name: &str| members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let url = |name: &str| text(name).and_then(|text| Url::parse(text).ok()).filter(is_safe);
        let number = |name: &str| members.get(name).and_then(Value::as_u64);
        let is_typed = |code: &&str| code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_graphic());
        Ok(Begun {
            code: Secret::new(text("device_code").ok_or(RelyingError::Answer("there is no device code"))?.to_owned()),
            user_code: text("user_code")
                .filter(is_typed)
                .ok_or(RelyingError::Answer("there is no code that a person could type"))?
                .to_owned(),
            at: url("verification_uri").ok_or(RelyingError::Answer("it does not say where the code is typed"))?,
            at_whole: url("verification_uri_complete"),
            seconds: number("expires_in").unwrap_or_default().min(limits::DEVICE_MILLISECONDS_MAX / 1_000),
            interval: number("interval").unwrap_or(limits::DEVICE_INTERVAL_MILLISECONDS / 1_000).clamp(1, 60),
        })
    }

    /// Whether the person signed in.
    ///
    /// # Errors
    /// When they refused, it is over, or the provider's answer cannot be relied on.
    pub async fn poll_device(&self, code: &Secret<String>) -> Result<Polled, RelyingError> {
        let metadata = self.metadata().await?;
        let form = [("grant_type", GRANT), ("device_code", opened(code))];
        let answer = match self.ask(&metadata, &form).await {
            Err(RelyingError::Refused(word)) if word == "authorization_pending" => return Ok(Polled::Pending),
            Err(RelyingError::Refused(word)) if word == "slow_down" => return Ok(Polled::TooOften),
            answer => answer?,
        };
        // There was no request by a browser that a nonce could bind it to; the device code does.
        let (claims, word) = self.claims(&answer, None).await?;
        let person = self.person(&metadata, &claims, &answer).await?;
        Ok(Polled::Done(Box::new(SignedIn { person, word, refresh: answer.refresh })))
    }
}
