//! One public key (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Digest;
use serde_json::{Map, Value};

use super::algorithm::{Algorithm, Kind};

/// A key that checks signatures.
#[derive(Debug)]
pub struct Key {
    kid: Option<Arc<str>>,
    /// The one algorithm that its issuer means it for, if it says so.
    pinned: Option<Algorithm>,
    kind: Kind,
    /// Ready to check, one for each algorithm of its kind.
    ready: Vec<(Algorithm, ParsedPublicKey)>,
    /// What makes it this key and no other, in the order of its thumbprint (RFC 7638 §3.2).
    members: Vec<(&'static str, String)>,
}

/// Why a key is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFlaw {
    /// It is private or symmetric.
    #[error("the key is a secret one")]
    Secret,
    /// It is for something else, of an unknown type, malformed, contradicts itself or is too weak.
    #[error("the key cannot check signatures")]
    Unusable,
}

/// Members that only the owner of a key may know (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const SECRET_MEMBERS: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/// Bits that the modulus of an RSA key has at least (RFC 7518 §3.3) and at most.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

impl Key {
    /// Reads a public key.
    ///
    /// # Errors
    /// [`KeyFlaw::Secret`] for one that should not have been shown, [`KeyFlaw::Unusable`] for one that checks nothing.
    pub fn read(jwk: &Map<String, Value>) -> Result<Self, KeyFlaw> {
        let kty = text(jwk, "kty")?.ok_or(KeyFlaw::Unusable)?;
        if kty == "oct" || SECRET_MEMBERS.iter().any(|member| jwk.contains_key(*member)) {
            return Err(KeyFlaw::Secret);
        }
        let is_for_signatures = text(jwk, "use")?.is_none_or(|purpose| purpose == "sig");
        let checks = match jwk.get("key_ops") {
            None => true,
            Some(Value::Array(operations)) => operations.iter().any(|operation| operation == "verify"),
            Some(_) => false,
        };
        if !is_for_signatures || !checks {
            return Err(KeyFlaw::Unusable);
        }
        let curve = text(jwk, "crv")?;
        let kind = match (kty, curve) {
            ("EC", Some("P-256")) => Kind::P256,
            ("EC", Some("P-384")) => Kind::P384,
            ("EC", Some("P-521")) => Kind::P521,
            ("OKP", Some("Ed25519")) => Kind::Ed25519,
            ("RSA", None) => Kind::Rsa,
            _ => return Err(KeyFlaw::Unusable),
        };
        let pinned = match text(jwk, "alg")? {
            None => None,
            Some(name) => Some(Algorithm::parse(name).filter(|alg| alg.kind() == kind).ok_or(KeyFlaw::Unusable)?),
        };
        let algorithms = Algorithm::ALL.into_iter().filter(|algorithm| algorithm.kind() == kind);
        let material = Material::read(jwk, kind)?;
        let ready = algorithms.map(|algorithm| Ok((algorithm, material.ready(algorithm)?)));
        let ready = ready.collect::<Result<Vec<_>, KeyFlaw>>()?;
        let named: &[&'static str] = match kind {
            Kind::Rsa => &["e", "n"],
            Kind::Ed25519 => &["crv", "x"],
            Kind::P256 | Kind::P384 | Kind::P521 => &["crv", "x", "y"],
        };
        let mut members = Vec::with_capacity(named.len() + 1);
        for name in named {
            members.push((*name, text(jwk, name)?.ok_or(KeyFlaw::Unusable)?.to_owned()));
        }
        members.push(("kty", kty.to_owned()));
        members.sort();
        Ok(Self { kid: text(jwk, "kid")?.map(Arc::from), pinned, kind, ready, members })
    }

    /// The id by which tokens name it.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether it may check that algorithm.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        algorithm.kind() == self.kind && self.pinned.is_none_or(|pinned| pinned == algorithm)
    }

    /// Whether `signature` is this key's over `message`.
    #[must_use = "what was not checked is not signed"]
    pub fn signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let ready = self.ready.iter().find(|(ready, _)| *ready == algorithm && self.fits(algorithm));
        ready.is_some_and(|(_, key)| key.verify_sig(message, signature).is_ok())
    }

    /// The thumbprint: SHA-256 over what makes it this key (RFC 7638), in base64url.
    pub fn thumbprint(&self) -> String {
        let members: Vec<String> = self.members.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        URL_SAFE_NO_PAD.encode(Digest::of(format!("{{{}}}", members.join(",")).as_bytes()).as_bytes())
    }

    /// The key as it is published.
    pub fn public(&self) -> Map<String, Value> {
        let own = self.members.iter().map(|(name, value)| (*name, value.as_str()));
        let kid = self.kid.as_deref().map(|kid| ("kid", kid));
        let algorithm = self.pinned.map(|algorithm| ("alg", algorithm.as_str()));
        let members = own.chain(kid).chain(algorithm).chain([("use", "sig")]);
        members.map(|(name, value)| (name.to_owned(), Value::String(value.to_owned()))).collect()
    }
}

/// A member that is text, if it is there.
fn text<'j>(jwk: &'j Map<String, Value>, name: &str) -> Result<Option<&'j str>, KeyFlaw> {
    jwk.get(name).map(|value| value.as_str().ok_or(KeyFlaw::Unusable)).transpose()
}

/// A key's bytes, in the form that the library takes.
enum Material {
    /// A point that is not compressed, or an Ed25519 key.
    Bytes(Vec<u8>),
    /// A modulus and an exponent.
    Rsa(PublicKeyComponents<Vec<u8>>),
}

impl Material {
    fn read(jwk: &Map<String, Value>, kind: Kind) -> Result<Self, KeyFlaw> {
        let bytes = |name: &str| {
            let text = text(jwk, name)?.ok_or(KeyFlaw::Unusable)?;
            URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyFlaw::Unusable)
        };
        let exactly = |name: &str, length: usize| {
            bytes(name).and_then(|read| if read.len() == length { Ok(read) } else { Err(KeyFlaw::Unusable) })
        };
        let point = |length: usize| {
            let (x, y) = (exactly("x", length)?, exactly("y", length)?);
            Ok(Self::Bytes([&[4], &*x, &*y].concat()))
        };
        match kind {
            Kind::P256 => point(32),
            Kind::P384 => point(48),
            Kind::P521 => point(66),
            Kind::Ed25519 => Ok(Self::Bytes(exactly("x", 32)?)),
            Kind::Rsa => {
                let (n, e) = (bytes("n")?, bytes("e")?);
                let first = n.first().copied().unwrap_or_default();
                let bits = (n.len() * 8).saturating_sub(first.leading_zeros().try_into().unwrap_or(8));
                // A zero in front would make two texts of one key, and the library refuses it too.
                if first == 0 || e.first().is_none_or(|first| *first == 0) || !MODULUS_BITS.contains(&bits) {
                    return Err(KeyFlaw::Unusable);
                }
                Ok(Self::Rsa(PublicKeyComponents { n, e }))
            }
        }
    }

    fn ready(&self, algorithm: Algorithm) -> Result<ParsedPublicKey, KeyFlaw> {
        // Points that are not on their curve and moduli that are none are refused here.
        let parsed = match self {
            Self::Bytes(bytes) => ParsedPublicKey::new(algorithm.check(), bytes),
            Self::Rsa(key) => {
                let der: PublicKeyX509Der<'_> = key.as_der().map_err(|_| KeyFlaw::Unusable)?;
                ParsedPublicKey::new(algorithm.check(), der.as_ref())
            }
        };
        parsed.map_err(|_| KeyFlaw::Unusable)
    }
}
