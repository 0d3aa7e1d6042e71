//! Opaque tokens: their issuer is asked what they are (RFC 7662).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use model::{Reason, Refusal, Secret, Timestamp, limits};
use serde_json::Value;
use tokio::sync::Semaphore;
use url::{Url, form_urlencoded};

use super::refused;
use crate::fetch::Fetch;
use crate::json;
use crate::jwt::{Claims, seconds};
use crate::secrets::opened;

/// What settings say of asking.
pub struct IntrospectionSettings {
    /// The issuer whose opaque tokens these are.
    pub issuer: String,
    /// Whom to ask.
    pub url: Url,
    /// As which client the gate asks.
    pub client_id: String,
    /// With which secret.
    pub client_secret: Secret<String>,
    /// The way there.
    pub fetch: Arc<dyn Fetch>,
}

/// Asks.
pub(super) struct Introspection {
    issuer: String,
    url: Url,
    authorization: Secret<String>,
    fetch: Arc<dyn Fetch>,
    places: Semaphore,
}

impl Introspection {
    pub(super) fn new(settings: IntrospectionSettings) -> Self {
        let IntrospectionSettings { issuer, url, client_id, client_secret, fetch } = settings;
        // RFC 6749 §2.3.1: both are encoded as in a form before they are joined.
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let joined = Secret::new(format!("{}:{}", encoded(&client_id), encoded(opened(&client_secret).as_str())));
        let authorization = Secret::new(format!("Basic {}", STANDARD.encode(opened(&joined))));
        Self { issuer, url, authorization, fetch, places: Semaphore::new(limits::INTROSPECTIONS_MAX) }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What the issuer says of a token for this resource, if it says that the token is good.
    pub(super) async fn ask(&self, token: &str, resource: &str, skew: u64, now: Timestamp) -> Result<Claims, Refusal> {
        let busy = || Refusal::new(Reason::Overloaded, "too many tokens are being asked about");
        let _place = self.places.try_acquire().map_err(|_| busy())?;
        let form = [("token", token), ("token_type_hint", "access_token")];
        let asked = self.fetch.post_form(&self.url, &form, Some(&self.authorization), &HeaderMap::new()).await;
        let answer = asked.map_err(|error| refused(&model::with_causes(&error)))?;
        if answer.status != StatusCode::OK {
            return Err(refused(&format!("the issuer answered {} when asked about the token", answer.status)));
        }
        let said = json::object(&answer.body, limits::FETCHED_BYTES_MAX);
        let said = said.map_err(|_| refused("the issuer's answer about the token is no strict JSON object"))?;
        if said.get("active") != Some(&Value::Bool(true)) {
            return Err(refused("the issuer says that the token is not active"));
        }
        let claims = Claims::vouched(said).map_err(|error| refused(&error.to_string()))?;
        if claims.has("iss") && claims.text("iss") != Some(&self.issuer) {
            return Err(refused("the token is another issuer's"));
        }
        if claims.texts("aud").as_deref() != Some(&[resource]) {
            return Err(refused("the token is for another audience"));
        }
        let now = seconds(now);
        if claims.seconds("exp").is_none_or(|end| now >= end.saturating_add(skew)) {
            return Err(refused("the token has expired, or never does"));
        }
        if claims.seconds("nbf").is_some_and(|begin| begin > now.saturating_add(skew)) {
            return Err(refused("the token is of the future"));
        }
        Ok(claims)
    }
}
