use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PSS_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::{Algorithm, Key, KeyFlaw, KeySet, KeySetFlaw};
use crate::jwt::SigningKey;

fn key(jwk: &Value) -> Result<Key, KeyFlaw> {
    Key::read(jwk.as_object().unwrap())
}

fn set(keys: &[Value]) -> Result<KeySet, KeySetFlaw> {
    KeySet::read(json!({"keys": keys}).to_string().as_bytes())
}

fn with(jwk: &Value, name: &str, value: Value) -> Value {
    let mut jwk = jwk.clone();
    jwk[name] = value;
    jwk
}

fn p256() -> Value {
    SigningKey::generate().unwrap().public_jwk()
}

fn rsa(size: KeySize) -> Value {
    let pair = KeyPair::generate(size).unwrap();
    published(&pair)
}

/// The key as an issuer publishes it: modulus and exponent of its PKCS#1 form.
fn published(pair: &KeyPair) -> Value {
    let der = pair.public_key().as_ref();
    // A sequence with a length of two bytes, the modulus with a length of two bytes and a zero in front, the exponent.
    let length = usize::from(u16::from_be_bytes([der[6], der[7]]));
    let (n, e) = (&der[9..8 + length], &der[8 + length + 2..]);
    let [n, e] = [n, e].map(|number| URL_SAFE_NO_PAD.encode(number));
    json!({"kty": "RSA", "kid": "r", "n": n, "e": e})
}

/// The key of RFC 7638 §3.1, whose thumbprint stands there.
fn of_the_rfc() -> Value {
    json!({
        "kty": "RSA",
        "n": concat!(
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi",
            "FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb",
            "9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0L",
            "s1jF44-csFCur-kEgU8awapJzKnqDKgw"
        ),
        "e": "AQAB",
        "alg": "RS256",
        "kid": "2011-04-29"
    })
}

#[test]
fn a_thumbprint_is_that_of_the_rfc() {
    assert_eq!(key(&of_the_rfc()).unwrap().thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn a_key_checks_the_one_algorithm_that_it_is_meant_for() {
    let pinned = key(&of_the_rfc()).unwrap();
    assert!(pinned.fits(Algorithm::Rs256));
    assert!(!pinned.fits(Algorithm::Ps256) && !pinned.fits(Algorithm::Rs512) && !pinned.fits(Algorithm::Es256));
    let free = key(&rsa(KeySize::Rsa2048)).unwrap();
    assert!(free.fits(Algorithm::Rs256) && free.fits(Algorithm::Ps512) && !free.fits(Algorithm::EdDsa));
}

#[test]
fn every_kind_of_key_is_read() {
    let pair = Ed25519KeyPair::generate().unwrap();
    let ed25519 = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(pair.public_key().as_ref())});
    let signature = pair.sign(b"what is said");
    let ed25519 = key(&ed25519).unwrap();
    assert!(ed25519.signed(Algorithm::EdDsa, b"what is said", signature.as_ref()));
    assert!(!ed25519.signed(Algorithm::EdDsa, b"what is sung", signature.as_ref()));
    assert!(!ed25519.signed(Algorithm::Es256, b"what is said", signature.as_ref()));
    let pair = KeyPair::generate(KeySize::Rsa3072).unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), b"what is said", &mut signature).unwrap();
    let rsa = key(&published(&pair)).unwrap();
    assert!(rsa.signed(Algorithm::Ps256, b"what is said", &signature));
    assert!(!rsa.signed(Algorithm::Rs256, b"what is said", &signature));
    assert!(key(&p256()).is_ok());
}

#[test]
fn a_secret_key_in_a_set_spoils_the_whole_set() {
    let good = p256();
    for secret in [
        with(&good, "d", json!("AAAA")),
        with(&of_the_rfc(), "p", json!("AAAA")),
        json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "h"}),
        json!({"kty": "oct"}),
    ] {
        assert_eq!(set(&[good.clone(), secret.clone()]).unwrap_err(), KeySetFlaw::Secret, "{secret}");
    }
}

#[test]
fn keys_that_check_no_signatures_here_are_passed_over() {
    let good = p256();
    let odd = URL_SAFE_NO_PAD.encode([7; 32]);
    let short = URL_SAFE_NO_PAD.encode([0xff; 128]);
    let padded = format!("AA{}", URL_SAFE_NO_PAD.encode([0xff; 256]));
    for (what, other) in [
        ("encryption", with(&p256(), "use", json!("enc"))),
        ("operations", with(&p256(), "key_ops", json!(["sign"]))),
        ("operations that are no list", with(&p256(), "key_ops", json!("verify"))),
        ("another algorithm's key", with(&p256(), "alg", json!("RS256"))),
        ("no algorithm of signatures", with(&p256(), "alg", json!("HS256"))),
        ("an unknown curve", with(&p256(), "crv", json!("secp256k1"))),
        ("another curve", with(&p256(), "crv", json!("P-384"))),
        ("a point off its curve", with(&p256(), "y", json!(odd))),
        ("no point", with(&p256(), "x", Value::Null)),
        ("an unknown type", json!({"kty": "AKP", "kid": "x"})),
        ("no type", json!({"kid": "x"})),
        ("1024 bits", with(&rsa(KeySize::Rsa2048), "n", json!(short))),
        ("a zero in front", with(&rsa(KeySize::Rsa2048), "n", json!(padded))),
        ("no exponent", with(&rsa(KeySize::Rsa2048), "e", json!(""))),
        ("a kid that is no text", with(&p256(), "kid", json!(1))),
    ] {
        let read = set(&[good.clone(), other]).unwrap();
        assert_eq!(read.len(), 1, "{what}");
    }
}

#[test]
fn a_set_that_could_be_read_in_two_ways_is_refused() {
    let twice = with(&p256(), "kid", json!("one"));
    let again = with(&p256(), "kid", json!("one"));
    assert_eq!(set(&[twice, again]).unwrap_err(), KeySetFlaw::Repeated);
    for text in ["{}", "[]", r#"{"keys":{}}"#, r#"{"keys":[1]}"#, r#"{"keys":[],"keys":[]}"#, "<html>"] {
        assert_eq!(KeySet::read(text.as_bytes()).unwrap_err(), KeySetFlaw::Shape, "{text}");
    }
    let many: Vec<Value> = (0..65).map(|kid| json!({"kty": "AKP", "kid": kid.to_string()})).collect();
    assert_eq!(set(&many).unwrap_err(), KeySetFlaw::TooMany);
}

#[test]
fn a_token_that_names_no_key_gets_the_only_one_or_none() {
    let (one, two) = (p256(), p256());
    let both = set(&[one.clone(), two]).unwrap();
    assert!(both.find(one["kid"].as_str(), Algorithm::Es256).is_some());
    assert!(both.find(Some("nobody"), Algorithm::Es256).is_none());
    assert!(both.find(None, Algorithm::Es256).is_none());
    assert!(set(&[one, of_the_rfc()]).unwrap().find(None, Algorithm::Es256).is_some());
}

#[test]
fn what_is_published_is_read_back_as_the_same_keys() {
    let read = set(&[p256(), of_the_rfc()]).unwrap();
    let again = KeySet::read(read.published().to_string().as_bytes()).unwrap();
    let prints =
        |set: &KeySet| set.keys.iter().map(|key| (key.thumbprint(), key.kid().map(str::to_owned))).collect::<Vec<_>>();
    assert_eq!(prints(&read), prints(&again));
    let members: Vec<Map<String, Value>> = read.keys.iter().map(|key| key.public()).collect();
    assert!(members.iter().all(|members| !members.contains_key("d")));
}

#[test]
fn the_names_of_algorithms_are_exact() {
    for name in ["none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "rs256", "ES256K", "RSA-OAEP", "dir", ""] {
        assert_eq!(Algorithm::parse(name), None, "{name}");
    }
    for algorithm in Algorithm::ALL {
        assert_eq!(Algorithm::parse(algorithm.as_str()), Some(algorithm));
    }
    assert_eq!(Algorithm::parse("Ed25519"), Some(Algorithm::EdDsa));
}
