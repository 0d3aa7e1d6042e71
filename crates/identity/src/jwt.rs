//! Signed claims: JSON Web Tokens in their compact form (RFC 7515, RFC 7519), read by the rules of RFC 8725.
//!
//! [`verify`] is the way in. The reader of the token says how it may be signed, by whom and for whom; the token says
//! nothing of that which is believed. Three things are read, once each and strictly: the header, the claims, the
//! signature; a name that stands twice, a header that brings its own key or asks for what this reader does not know, and
//! text beside the three parts refuse the whole.
//!
//! The signature's algorithms are those of `aws-lc-rs`, directly: a library between would read the header a second time,
//! by rules of its own.

mod claims;
mod signing;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{Timestamp, limits};
use serde_json::{Map, Value};

use crate::json;
use crate::keys::{Algorithm, Key, KeySet};

pub use claims::{Audience, Claims, Rule};
pub use signing::{SigningError, SigningKey};

/// Why a token is not believed: for operators. It quotes nothing of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// It is longer than [`limits::TOKEN_BYTES_MAX`].
    #[error("the token is too long")]
    TooLong,
    /// It is not three parts of base64url with strict JSON objects in the first two.
    #[error("the token is no strict compact JWT")]
    Shape,
    /// Its header brings a key, names a place to get one, or asks for what is not known here.
    #[error("the token's header has `{0}`, which nobody may choose for the gate")]
    Header(&'static str),
    /// It is signed in a way that is not allowed, or not at all.
    #[error("the token's algorithm is not one that is allowed")]
    Algorithm,
    /// It is a token of another kind.
    #[error("the token's `typ` is that of another kind of token")]
    Type,
    /// No key of that name and algorithm is known.
    #[error("the token's key is not known")]
    KeyUnknown,
    /// The signature is not the key's.
    #[error("the token's signature is wrong")]
    Signature,
    /// A claim that must be there is not.
    #[error("the token has no `{0}`")]
    Missing(&'static str),
    /// A claim is of another type than its definition says.
    #[error("the token's `{0}` is not of the type that it has")]
    IllTyped(&'static str),
    /// Somebody else issued it.
    #[error("the token is another issuer's")]
    Issuer,
    /// It is for somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is of the future")]
    Early,
}

/// Reads a token and believes it, if everything the rule asks for is so.
///
/// # Errors
/// The first thing that is wrong, checked in this order: its shape, its header, its key, its signature, its claims. A
/// [`JwtError::KeyUnknown`] may be worth a look for newer keys.
pub fn verify(token: &str, keys: &KeySet, rule: &Rule<'_>) -> Result<Claims, JwtError> {
    Unverified::read(token)?.verify(keys, rule)
}

/// A token that was read and that nobody vouches for yet.
pub struct Unverified<'t> {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    /// What is signed: header and claims as they came.
    signed: &'t [u8],
    signature: Vec<u8>,
}

/// Header members by which a token would choose its own key, or is no plain signed one (RFC 7515 §4.1, RFC 7516 §4.1).
const REFUSED: &[&str] = &["crit", "jku", "jwk", "x5u", "x5c", "b64", "enc", "zip"];

impl<'t> Unverified<'t> {
    /// Reads a token without believing anything of it.
    ///
    /// # Errors
    /// When it is no strict compact JWT.
    pub fn read(token: &'t str) -> Result<Self, JwtError> {
        if token.len() > limits::TOKEN_BYTES_MAX {
            return Err(JwtError::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwtError::Shape)?;
        let (header, claims) = signed.split_once('.').ok_or(JwtError::Shape)?;
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtError::Shape);
        let object = |part: &str| json::object(&decoded(part)?, limits::TOKEN_BYTES_MAX).map_err(|_| JwtError::Shape);
        let signature = decoded(signature)?;
        Ok(Self { header: object(header)?, claims: object(claims)?, signed: signed.as_bytes(), signature })
    }

    /// Who the token says issued it: enough to choose whose keys to check it by, and for nothing else.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// Whom the token says it is for, if that is one.
    pub fn audience(&self) -> Option<&str> {
        self.claims.get("aud").and_then(Value::as_str)
    }

    /// The name of the key that the token says it is signed with.
    pub fn kid(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }

    /// Believes the token, if everything the rule asks for is so.
    ///
    /// # Errors
    /// As [`verify`].
    pub fn verify(self, keys: &KeySet, rule: &Rule<'_>) -> Result<Claims, JwtError> {
        self.plain_header(&[])?;
        let algorithm = self.algorithm(rule.algorithms)?;
        self.of_type(rule.typ)?;
        let kid = match self.header.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.as_str()),
            Some(_) => return Err(JwtError::IllTyped("kid")),
        };
        let key = keys.find(kid, algorithm).ok_or(JwtError::KeyUnknown)?;
        if !key.signed(algorithm, self.signed, &self.signature) {
            return Err(JwtError::Signature);
        }
        Claims::checked(self.claims, rule)
    }

    /// Believes a token that is signed with the key that it brings, as a proof of possession is (RFC 9449 §4.3), and gives
    /// that key. Who holds the key is for the caller to say, and so are the claims' meaning and age.
    ///
    /// # Errors
    /// As [`verify`].
    pub fn verify_own_key(self, algorithms: &[Algorithm], typ: &[&str]) -> Result<(Claims, Key), JwtError> {
        self.plain_header(&["jwk"])?;
        let algorithm = self.algorithm(algorithms)?;
        self.of_type(typ)?;
        let Some(Value::Object(jwk)) = self.header.get("jwk") else { return Err(JwtError::Missing("jwk")) };
        let key = Key::read(jwk).map_err(|_| JwtError::Header("jwk"))?;
        if !key.signed(algorithm, self.signed, &self.signature) {
            return Err(JwtError::Signature);
        }
        Ok((Claims::typed(self.claims)?, key))
    }

    /// Believes a token that is signed with a key that somebody vouched for. Its claims' meaning and age are for the caller to
    /// say.
    ///
    /// # Errors
    /// As [`verify`].
    pub fn verify_by_key(self, key: &Key, algorithms: &[Algorithm], typ: &[&str]) -> Result<Claims, JwtError> {
        self.plain_header(&[])?;
        let algorithm = self.algorithm(algorithms)?;
        self.of_type(typ)?;
        if !key.fits(algorithm) || !key.signed(algorithm, self.signed, &self.signature) {
            return Err(JwtError::Signature);
        }
        Claims::typed(self.claims)
    }

    fn plain_header(&self, but: &[&str]) -> Result<(), JwtError> {
        let found = REFUSED.iter().find(|name| !but.contains(name) && self.header.contains_key(**name));
        found.map_or(Ok(()), |name| Err(JwtError::Header(name)))
    }

    fn algorithm(&self, allowed: &[Algorithm]) -> Result<Algorithm, JwtError> {
        let named = self.header.get("alg").and_then(Value::as_str).and_then(Algorithm::parse);
        named.filter(|algorithm| allowed.contains(algorithm)).ok_or(JwtError::Algorithm)
    }

    /// Types are media types: their case means nothing, and `application/` may be left out (RFC 7515 §4.1.9).
    fn of_type(&self, expected: &[&str]) -> Result<(), JwtError> {
        let typ = match self.header.get("typ") {
            None => String::new(),
            Some(Value::String(typ)) => typ.to_ascii_lowercase(),
            Some(_) => return Err(JwtError::IllTyped("typ")),
        };
        let short = typ.strip_prefix("application/").unwrap_or(&typ);
        if expected.iter().any(|expected| expected.eq_ignore_ascii_case(short)) { Ok(()) } else { Err(JwtError::Type) }
    }
}

/// A moment of the gate's clock in the seconds of tokens.
pub(crate) fn seconds(moment: Timestamp) -> u64 {
    moment.0 / 1_000
}

#[cfg(test)]
mod tests;
