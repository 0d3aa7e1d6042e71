//! Tokens byte by byte, signed by a key that the test holds, whatever their headers say.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

/// A key of P-256 with a name.
pub(super) struct Forge {
    kid: &'static str,
    pair: EcdsaKeyPair,
}

impl Forge {
    pub(super) fn new(kid: &'static str) -> Self {
        Self { kid, pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap() }
    }

    /// The half that is published.
    pub(super) fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let (x, y) = (encoded_bytes(&point[1..33]), encoded_bytes(&point[33..]));
        json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.kid, "x": x, "y": y })
    }

    /// The right header.
    pub(super) fn header(&self) -> Value {
        json!({ "alg": "ES256", "typ": "at+jwt", "kid": self.kid })
    }

    /// A token with this header, signed by this key whatever the header says.
    pub(super) fn token(&self, header: &Value, claims: &Map<String, Value>) -> String {
        let signed = signed_part(header, claims);
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", encoded_bytes(signature.as_ref()))
    }

    /// The same signed with a shared secret.
    #[expect(clippy::unused_self, reason = "it reads as what a forge makes")]
    pub(super) fn hmac(&self, header: &Value, claims: &Map<String, Value>, secret: &[u8]) -> String {
        let signed = signed_part(header, claims);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
        format!("{signed}.{}", encoded_bytes(tag.as_ref()))
    }
}

/// What is signed.
pub(super) fn signed_part(header: &Value, claims: &Map<String, Value>) -> String {
    format!("{}.{}", encoded(&header.to_string()), encoded(&Value::Object(claims.clone()).to_string()))
}

pub(super) fn encoded(text: &str) -> String {
    encoded_bytes(text.as_bytes())
}

pub(super) fn encoded_bytes(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decoded(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).unwrap()
}

/// A signature of two numbers side by side, as ASN.1 has it.
pub(super) fn der(signature: &str) -> String {
    let bytes = decoded(signature);
    let mut numbers = Vec::new();
    for half in bytes.chunks(32) {
        // A leading zero keeps the number positive.
        numbers.extend_from_slice(&[2, 33, 0]);
        numbers.extend_from_slice(half);
    }
    let mut sequence = vec![0x30, u8::try_from(numbers.len()).unwrap()];
    sequence.extend(numbers);
    encoded_bytes(&sequence)
}
