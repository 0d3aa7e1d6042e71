//! What is known of a kept token, beside the token.

use model::{Timestamp, limits};
use serde_json::{Value, json};

use super::token::Tokens;

/// What is known of a kept token, and is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) url: String,
    pub(crate) resource: String,
    pub(crate) issuer: String,
    pub(crate) client: String,
    pub(crate) requested: Vec<String>,
    pub(crate) granted: Vec<String>,
    pub(crate) connected: Timestamp,
    pub(crate) obtained: Timestamp,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) by: String,
}

impl About {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let texts = |name: &str| {
            let list = value.get(name)?.as_array()?;
            list.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        };
        let time = |name: &str| value.get(name).and_then(Value::as_u64).map(Timestamp);
        Some(Self {
            url: text("url")?,
            resource: text("resource")?,
            issuer: text("issuer")?,
            client: text("client")?,
            requested: texts("requested")?,
            granted: texts("granted")?,
            connected: time("connected")?,
            obtained: time("obtained")?,
            expires: time("expires"),
            by: text("by")?,
        })
    }

    pub(crate) fn write(&self) -> Value {
        json!({
            "url": self.url,
            "resource": self.resource,
            "issuer": self.issuer,
            "client": self.client,
            "requested": self.requested,
            "granted": self.granted,
            "connected": self.connected,
            "obtained": self.obtained,
            "expires": self.expires,
            "by": self.by,
        })
    }

    pub(super) fn renewed(&self, tokens: &Tokens, now: Timestamp) -> Self {
        // A second within the same millisecond would look like the first to whoever compares them.
        let obtained = now.max(Timestamp(self.obtained.0.saturating_add(1)));
        let granted = tokens.scopes.clone().unwrap_or_else(|| self.granted.clone());
        Self { granted, obtained, expires: tokens.expires, ..self.clone() }
    }

    pub(crate) fn renew_at(&self) -> Option<Timestamp> {
        renew_at(self.obtained, self.expires)
    }
}

/// When a token is renewed: a fifth of its time before its end, and a minute at most.
pub(super) fn renew_at(obtained: Timestamp, expires: Option<Timestamp>) -> Option<Timestamp> {
    let expires = expires?;
    let early = (expires.milliseconds_since(obtained) / 5).min(limits::CREDENTIAL_EARLY_MILLISECONDS_MAX);
    Some(Timestamp(expires.0.saturating_sub(early)))
}
