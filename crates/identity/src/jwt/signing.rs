//! The gate's own keys, with which it signs tokens and assertions.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Secret;
use serde_json::{Map, Value, json};

use crate::keys::{Algorithm, Key};
use crate::secrets::opened;

/// A key that signs: ES256, made here. It has no `Debug`.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    public: Arc<Key>,
    kid: String,
}

/// Why there is no key, or no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// The library made none.
    #[error("a key could not be made")]
    Make,
    /// What was kept is no key of the kind that signs here.
    #[error("what was kept is no ES256 key")]
    Kept,
    /// The library did not sign.
    #[error("nothing could be signed")]
    Sign,
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// [`SigningError::Make`].
    pub fn generate() -> Result<Self, SigningError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| SigningError::Make)?;
        Self::of(pair).ok_or(SigningError::Make)
    }

    /// The key that was kept as [`SigningKey::pkcs8`].
    ///
    /// # Errors
    /// [`SigningError::Kept`].
    pub fn from_pkcs8(kept: &Secret<Vec<u8>>) -> Result<Self, SigningError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, opened(kept).as_slice());
        pair.ok().and_then(Self::of).ok_or(SigningError::Kept)
    }

    /// The key as it is kept: PKCS#8, for the vault to seal.
    ///
    /// # Errors
    /// [`SigningError::Make`] when the library does not give it.
    pub fn pkcs8(&self) -> Result<Secret<Vec<u8>>, SigningError> {
        let document = self.pair.to_pkcs8v1().map_err(|_| SigningError::Make)?;
        Ok(Secret::new(document.as_ref().to_vec()))
    }

    /// The id by which its tokens name it: its thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The half that everybody may know.
    pub fn public(&self) -> &Arc<Key> {
        &self.public
    }

    /// The same as it is published.
    pub fn public_jwk(&self) -> Value {
        Value::Object(self.public.public())
    }

    /// A token of that kind that says `claims`.
    ///
    /// # Errors
    /// [`SigningError::Sign`].
    pub fn sign(&self, typ: &str, claims: &Map<String, Value>) -> Result<String, SigningError> {
        self.sign_with(&json!({"typ": typ, "alg": Algorithm::Es256.as_str(), "kid": self.kid}), claims)
    }

    /// The same with the key itself in the header instead of its id, as a proof of possession has it (RFC 9449 §4.2).
    ///
    /// # Errors
    /// [`SigningError::Sign`].
    pub fn prove(&self, typ: &str, claims: &Map<String, Value>) -> Result<String, SigningError> {
        let mut jwk = self.public.public();
        for beside in ["kid", "alg", "use"] {
            jwk.remove(beside);
        }
        self.sign_with(&json!({"typ": typ, "alg": Algorithm::Es256.as_str(), "jwk": jwk}), claims)
    }

    pub(super) fn sign_with(&self, header: &Value, claims: &Map<String, Value>) -> Result<String, SigningError> {
        let claims = serde_json::to_vec(claims).map_err(|_| SigningError::Sign)?;
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signed = self.pair.sign(&SystemRandom::new(), token.as_bytes());
        let signature = signed.map_err(|_| SigningError::Sign)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
        Ok(token)
    }

    fn of(pair: EcdsaKeyPair) -> Option<Self> {
        // The point as it is, not compressed: 4, x, y.
        let (x, y) = pair.public_key().as_ref().get(1..)?.split_at_checked(32)?;
        let mut jwk = Map::new();
        let members = [("kty", "EC"), ("crv", "P-256"), ("alg", "ES256")].map(|(name, value)| (name, value.to_owned()));
        let halves = [("x", x), ("y", y)].map(|(name, half)| (name, URL_SAFE_NO_PAD.encode(half)));
        for (name, value) in members.into_iter().chain(halves) {
            jwk.insert(name.to_owned(), Value::String(value));
        }
        let kid = Key::read(&jwk).ok()?.thumbprint();
        jwk.insert("kid".to_owned(), Value::String(kid.clone()));
        let public = Arc::new(Key::read(&jwk).ok()?);
        Some(Self { pair, public, kid })
    }
}
