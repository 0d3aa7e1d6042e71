use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use model::{Challenge, Digest, Entropy, Refusal, Timestamp};
use serde_json::{Value, json};

use super::{DPOP, Proofs, Shown};
use crate::jwt::SigningKey;
use crate::seal::Seal;

const URL: &str = "https://gate.example/desk/mcp";
const NOW: Timestamp = Timestamp(1_700_000_000_000);
const TOKEN: &str = "a-token";

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn bits(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed)) << 3 | 5
    }
}

fn proofs() -> Proofs {
    Proofs::new(Arc::new(Seal::new(Arc::new(Counting(AtomicU64::new(7)))).unwrap()))
}

fn said(proofs: &Proofs, jti: &str) -> Value {
    let ath = URL_SAFE_NO_PAD.encode(Digest::of(TOKEN.as_bytes()).as_bytes());
    let nonce = proofs.nonce(NOW).unwrap();
    json!({"jti": jti, "htm": "POST", "htu": URL, "iat": NOW.0 / 1000, "ath": ath, "nonce": nonce})
}

fn check(proofs: &Proofs, key: &SigningKey, said: &Value, now: Timestamp) -> Result<String, Refusal> {
    let proof = key.prove("dpop+jwt", said.as_object().unwrap()).unwrap();
    let headers = HeaderMap::from_iter([(DPOP, HeaderValue::try_from(proof).unwrap())]);
    proofs.check(&Shown { method: "POST", url: URL, headers: &headers, token: Some(TOKEN), now })
}

fn error(refusal: &Refusal) -> &'static str {
    match refusal.challenge.as_deref() {
        Some(Challenge::Proof { error, nonce: Some(_) }) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_proof_of_now_for_this_request_names_its_key_once() {
    let (proofs, key) = (proofs(), SigningKey::generate().unwrap());
    let first = said(&proofs, "1");
    assert_eq!(check(&proofs, &key, &first, NOW).unwrap(), key.kid());
    assert_eq!(error(&check(&proofs, &key, &first, NOW).unwrap_err()), "invalid_dpop_proof");
    assert!(check(&proofs, &SigningKey::generate().unwrap(), &first, NOW).is_ok(), "another key's id is another");
}

#[test]
fn a_proof_for_anything_else_is_none() {
    let (proofs, key) = (proofs(), SigningKey::generate().unwrap());
    for (name, value) in [
        ("htm", json!("GET")),
        ("htm", json!("post")),
        ("htu", json!("https://gate.example/bank/mcp")),
        ("htu", json!("http://gate.example/desk/mcp")),
        ("htu", json!("https://gate.example/desk/mcp?x=1")),
        ("ath", json!("AAAA")),
        ("ath", Value::Null),
        ("iat", json!(NOW.0 / 1000 - 61)),
        ("iat", json!(NOW.0 / 1000 + 61)),
        ("iat", Value::Null),
        ("jti", json!("")),
        ("jti", Value::Null),
    ] {
        let mut other = said(&proofs, "x");
        other[name] = value.clone();
        let refusal = check(&proofs, &key, &other, NOW).unwrap_err();
        assert_eq!(error(&refusal), "invalid_dpop_proof", "{name}: {value}");
    }
}

#[test]
fn a_proof_repeats_a_nonce_of_this_gate_that_is_not_too_old() {
    let (own, key) = (proofs(), SigningKey::generate().unwrap());
    let elsewhere = Proofs::new(Arc::new(Seal::new(Arc::new(Counting(AtomicU64::new(99)))).unwrap()));
    let old = own.nonce(Timestamp(NOW.0 - 301_000)).unwrap();
    for nonce in [Value::Null, json!("x"), json!(elsewhere.nonce(NOW).unwrap()), json!(old)] {
        let mut other = said(&own, "x");
        if nonce.is_null() {
            other.as_object_mut().unwrap().remove("nonce");
        } else {
            other["nonce"] = nonce;
        }
        assert_eq!(error(&check(&own, &key, &other, NOW).unwrap_err()), "use_dpop_nonce", "{other}");
    }
}

#[test]
fn a_proof_is_remembered_for_as_long_as_it_could_be_good() {
    let (proofs, key) = (proofs(), SigningKey::generate().unwrap());
    // Made a minute ahead of the gate's clock, it is good for two minutes.
    let mut early = said(&proofs, "early");
    early["iat"] = json!(NOW.0 / 1000 + 60);
    assert!(check(&proofs, &key, &early, NOW).is_ok());
    for seconds in [1, 30, 60, 90, 120] {
        let later = Timestamp(NOW.0 + seconds * 1_000);
        let mut other = said(&proofs, &format!("other {seconds}"));
        other["iat"] = json!(later.0 / 1000);
        assert!(check(&proofs, &key, &other, later).is_ok());
        assert!(check(&proofs, &key, &early, later).is_err(), "after {seconds} s");
    }
}
