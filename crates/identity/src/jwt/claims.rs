//! What a token says, and what its reader asks of it (RFC 7519 §4).

use model::Timestamp;
use serde_json::{Map, Value};

use super::{JwtError, seconds};
use crate::keys::Algorithm;

/// What the reader of a token asks for.
#[derive(Debug, Clone, Copy)]
pub struct Rule<'a> {
    /// How it may be signed.
    pub algorithms: &'a [Algorithm],
    /// What kinds of token are taken, as their header names them: `at+jwt`, `JWT`. The empty one stands for a token that
    /// names none.
    pub typ: &'a [&'a str],
    /// Who must have issued it, compared as text.
    pub issuer: &'a str,
    /// Whom it must be for.
    pub audience: Audience<'a>,
    /// Seconds by which the issuer's clock may differ.
    pub skew: u64,
    /// The time now.
    pub now: Timestamp,
    /// What it must say, beside `iss`, `aud` and `exp`.
    pub required: &'a [&'static str],
}

/// Whom a token must be for. A token without an audience is for nobody.
#[derive(Debug, Clone, Copy)]
pub enum Audience<'a> {
    /// For this one and for nobody else: whoever else it were for could use it here.
    Only(&'a str),
    /// For this one, whoever else it is for (ID tokens: OpenID Connect Core 1.0 §3.1.3.7).
    Includes(&'a str),
    /// For one of these and for nobody else.
    OneOf(&'a [&'a str]),
    /// For nobody in particular, because it is a statement about somebody; or, if it names whom it is for, for this one too.
    Unsaid(&'a str),
}

/// What a token says, once it is believed.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims(Map<String, Value>);

/// Registered claims that are text.
const TEXTS: &[&str] =
    &["iss", "sub", "jti", "client_id", "azp", "nonce", "acr", "at_hash", "sid", "htm", "htu", "ath"];
/// Registered claims that are moments.
const MOMENTS: &[&str] = &["exp", "nbf", "iat", "auth_time"];

impl Claims {
    /// Takes claims whose signature was checked, where those that everybody knows are of their types.
    pub(super) fn typed(claims: Map<String, Value>) -> Result<Self, JwtError> {
        let claims = Self(claims);
        for name in TEXTS {
            if claims.has(name) && claims.text(name).is_none() {
                return Err(JwtError::IllTyped(name));
            }
        }
        for name in MOMENTS {
            if claims.has(name) && claims.seconds(name).is_none() {
                return Err(JwtError::IllTyped(name));
            }
        }
        if claims.has("aud") && claims.texts("aud").is_none() {
            return Err(JwtError::IllTyped("aud"));
        }
        Ok(claims)
    }

    /// The same, where they say what the rule asks for.
    pub(super) fn checked(claims: Map<String, Value>, rule: &Rule<'_>) -> Result<Self, JwtError> {
        let claims = Self::typed(claims)?;
        let unsaid = matches!(rule.audience, Audience::Unsaid(_));
        let missing = ["iss", "aud", "exp"].iter().chain(rule.required).filter(|name| !unsaid || **name != "aud");
        let missing = missing.into_iter().find(|name| !claims.has(name));
        if let Some(name) = missing {
            return Err(JwtError::Missing(name));
        }
        if claims.text("iss") != Some(rule.issuer) {
            return Err(JwtError::Issuer);
        }
        let audiences = claims.texts("aud").unwrap_or_default();
        let fits = match rule.audience {
            Audience::Only(wanted) => audiences == [wanted],
            Audience::Includes(wanted) => audiences.contains(&wanted),
            Audience::Unsaid(wanted) => audiences.is_empty() && !claims.has("aud") || audiences.contains(&wanted),
            Audience::OneOf(wanted) => matches!(&*audiences, [single] if wanted.contains(single)),
        };
        if !fits {
            return Err(JwtError::Audience);
        }
        let now = seconds(rule.now);
        if claims.seconds("exp").is_none_or(|end| now >= end.saturating_add(rule.skew)) {
            return Err(JwtError::Expired);
        }
        let latest = now.saturating_add(rule.skew);
        if ["nbf", "iat"].iter().any(|name| claims.seconds(name).is_some_and(|begin| begin > latest)) {
            return Err(JwtError::Early);
        }
        Ok(claims)
    }

    /// Claims that somebody else vouches for: an introspection's answer (RFC 7662 §2.2).
    ///
    /// # Errors
    /// When one that everybody knows is not of its type.
    pub fn vouched(claims: Map<String, Value>) -> Result<Self, JwtError> {
        Self::typed(claims)
    }

    /// Whether there is a claim of that name, whatever it says.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A claim that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// A claim that is one text or a list of nothing else.
    pub fn texts(&self, name: &str) -> Option<Vec<&str>> {
        match self.0.get(name)? {
            Value::String(one) => Some(vec![one]),
            Value::Array(several) => several.iter().map(Value::as_str).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
        }
    }

    /// A claim that is a moment, in whole seconds since the epoch; parts of a second are left out (RFC 7519 §2).
    pub fn seconds(&self, name: &str) -> Option<u64> {
        let number = self.0.get(name)?.as_number()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the bounds that were checked"
        )]
        let whole = |float: f64| (0.0..9e15).contains(&float).then_some(float as u64);
        number.as_u64().or_else(|| number.as_f64().and_then(whole))
    }

    /// A claim that is an object.
    pub fn object(&self, name: &str) -> Option<&Map<String, Value>> {
        self.0.get(name).and_then(Value::as_object)
    }

    /// Any claim.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All of them.
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }
}
