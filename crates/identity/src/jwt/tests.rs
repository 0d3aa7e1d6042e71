use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Timestamp;
use serde_json::{Map, Value, json};

use super::{Audience, JwtError, Rule, SigningKey, Unverified, verify};
use crate::keys::{Algorithm, KeySet};

const NOW: u64 = 1_700_000_000;
const ISSUER: &str = "https://login.example";
const GATE: &str = "https://gate.example/finance/mcp";

fn rule() -> Rule<'static> {
    Rule {
        algorithms: &[Algorithm::Es256],
        typ: &["at+jwt", "JWT", ""],
        issuer: ISSUER,
        audience: Audience::Only(GATE),
        skew: 30,
        now: Timestamp(NOW * 1_000),
        required: &["sub"],
    }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": GATE, "sub": "ada", "exp": NOW + 300, "iat": NOW})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

struct Stage {
    key: SigningKey,
    keys: KeySet,
}

impl Stage {
    fn new() -> Self {
        let key = SigningKey::generate().unwrap();
        let keys = KeySet::of([Arc::clone(key.public())]);
        Self { key, keys }
    }

    fn sign(&self, claims: &Value) -> String {
        self.key.sign("at+jwt", &object(claims)).unwrap()
    }

    /// A token with a header of the test's own, rightly signed.
    fn with_header(&self, header: &str, claims: &str) -> String {
        let header: Map<String, Value> = serde_json::from_str(header).unwrap_or_default();
        self.key.sign_with(&Value::Object(header), &serde_json::from_str(claims).unwrap()).unwrap()
    }

    fn why(&self, token: &str) -> JwtError {
        verify(token, &self.keys, &rule()).unwrap_err()
    }
}

#[test]
fn a_token_of_the_issuer_for_the_gate_is_believed() {
    let stage = Stage::new();
    let claims = verify(&stage.sign(&claims()), &stage.keys, &rule()).unwrap();
    assert_eq!(claims.text("sub"), Some("ada"));
    assert_eq!(claims.texts("aud"), Some(vec![GATE]));
    assert_eq!(claims.seconds("exp"), Some(NOW + 300));
    assert_eq!(claims.text("exp"), None);
}

#[test]
fn a_key_is_the_same_after_it_was_kept() {
    let stage = Stage::new();
    let again = SigningKey::from_pkcs8(&stage.key.pkcs8().unwrap()).unwrap();
    assert_eq!(again.kid(), stage.key.kid());
    assert_eq!(again.kid(), again.public().thumbprint());
    let token = again.sign("at+jwt", &object(&claims())).unwrap();
    assert!(verify(&token, &stage.keys, &rule()).is_ok());
}

#[test]
fn what_a_token_must_say_it_must_say() {
    let stage = Stage::new();
    for (said, why) in [
        (with("aud", json!("https://gate.example/other/mcp")), JwtError::Audience),
        (with("aud", json!([GATE, "https://crm.example"])), JwtError::Audience),
        (with("aud", json!([])), JwtError::Audience),
        (with("aud", json!("https://gate.example/finance/mcp/")), JwtError::Audience),
        (with("aud", json!("HTTPS://gate.example/finance/mcp")), JwtError::Audience),
        (with("aud", json!([GATE, 1])), JwtError::IllTyped("aud")),
        (with("aud", json!(null)), JwtError::IllTyped("aud")),
        (with("iss", json!("https://evil.example")), JwtError::Issuer),
        (with("iss", json!("https://login.example/")), JwtError::Issuer),
        (with("iss", json!([ISSUER])), JwtError::IllTyped("iss")),
        (with("sub", json!(7)), JwtError::IllTyped("sub")),
        (with("exp", json!(NOW - 30)), JwtError::Expired),
        (with("exp", json!("1800000000")), JwtError::IllTyped("exp")),
        (with("exp", json!(-1)), JwtError::IllTyped("exp")),
        (with("exp", json!(1e300)), JwtError::IllTyped("exp")),
        (with("nbf", json!(NOW + 31)), JwtError::Early),
        (with("iat", json!(NOW + 31)), JwtError::Early),
        (with("nbf", json!(null)), JwtError::IllTyped("nbf")),
    ] {
        assert_eq!(stage.why(&stage.sign(&said)), why, "{said}");
    }
    for name in ["iss", "aud", "exp", "sub"] {
        let mut said = object(&claims());
        said.remove(name);
        let token = stage.sign(&Value::Object(said));
        assert!(matches!(stage.why(&token), JwtError::Missing(missing) if missing == name));
    }
}

#[test]
fn clocks_may_differ_by_the_skew_and_no_more() {
    let stage = Stage::new();
    for said in [with("exp", json!(NOW - 29)), with("nbf", json!(NOW + 30)), with("exp", json!(NOW as f64 + 0.5))] {
        assert!(verify(&stage.sign(&said), &stage.keys, &rule()).is_ok(), "{said}");
    }
}

#[test]
fn a_token_chooses_neither_its_algorithm_nor_its_key() {
    let stage = Stage::new();
    let said = claims().to_string();
    let kid = stage.key.kid();
    let jwk = stage.key.public_jwk();
    for (header, why) in [
        (json!({"alg": "none", "kid": kid}), JwtError::Algorithm),
        (json!({"alg": "nOnE", "kid": kid}), JwtError::Algorithm),
        (json!({"alg": "HS256", "kid": kid}), JwtError::Algorithm),
        (json!({"alg": "ES384", "kid": kid}), JwtError::Algorithm),
        (json!({"alg": "RS256", "kid": kid}), JwtError::Algorithm),
        (json!({"alg": ["ES256"], "kid": kid}), JwtError::Algorithm),
        (json!({"kid": kid}), JwtError::Algorithm),
        (json!({"alg": "ES256", "kid": "../../etc/passwd"}), JwtError::KeyUnknown),
        (json!({"alg": "ES256", "kid": ""}), JwtError::KeyUnknown),
        (json!({"alg": "ES256", "kid": 1}), JwtError::IllTyped("kid")),
        (json!({"alg": "ES256", "kid": kid, "jwk": jwk}), JwtError::Header("jwk")),
        (json!({"alg": "ES256", "kid": kid, "jku": "https://evil.example/keys"}), JwtError::Header("jku")),
        (json!({"alg": "ES256", "kid": kid, "x5u": "https://evil.example/cert"}), JwtError::Header("x5u")),
        (json!({"alg": "ES256", "kid": kid, "x5c": ["AAAA"]}), JwtError::Header("x5c")),
        (json!({"alg": "ES256", "kid": kid, "crit": ["exp"], "exp": 1}), JwtError::Header("crit")),
        (json!({"alg": "ES256", "kid": kid, "crit": []}), JwtError::Header("crit")),
        (json!({"alg": "ES256", "kid": kid, "b64": false}), JwtError::Header("b64")),
        (json!({"alg": "ES256", "kid": kid, "zip": "DEF"}), JwtError::Header("zip")),
        (json!({"alg": "ES256", "kid": kid, "typ": "dpop+jwt"}), JwtError::Type),
        (json!({"alg": "ES256", "kid": kid, "typ": "logout+jwt"}), JwtError::Type),
        (json!({"alg": "ES256", "kid": kid, "typ": null}), JwtError::IllTyped("typ")),
    ] {
        assert_eq!(stage.why(&stage.with_header(&header.to_string(), &said)), why, "{header}");
    }
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "JWT"] {
        let header = json!({"alg": "ES256", "kid": kid, "typ": typ}).to_string();
        assert!(verify(&stage.with_header(&header, &said), &stage.keys, &rule()).is_ok(), "{typ}");
    }
}

#[test]
fn a_text_that_is_no_strict_token_is_none() {
    let stage = Stage::new();
    let good = stage.sign(&claims());
    let [header, said, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
    for text in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        header.to_owned(),
        format!("{header}.{said}"),
        format!("{good}.{signature}"),
        format!("{good}="),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{header}.{said}=.{signature}"),
        format!("{}.{said}.{signature}", encoded(r#"{"alg":"ES256","alg":"none"}"#)),
        format!("{header}.{}.{signature}", encoded(r#"{"sub":"ada","sub":"eve"}"#)),
        format!("{header}.{}.{signature}", encoded("[]")),
        format!("{header}.{}.{signature}", encoded("{} {}")),
        good.replace('.', "!"),
    ] {
        assert_eq!(stage.why(&text), JwtError::Shape, "{text}");
    }
    assert_eq!(stage.why(&"a".repeat(9_000)), JwtError::TooLong);
}

#[test]
fn a_signature_is_over_exactly_what_was_said_by_exactly_that_key() {
    let (stage, other) = (Stage::new(), Stage::new());
    let good = stage.sign(&claims());
    let [header, said, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let changed = URL_SAFE_NO_PAD.encode(with("sub", json!("eve")).to_string());
    let null = URL_SAFE_NO_PAD.encode([0; 64]);
    for token in [
        format!("{header}.{changed}.{signature}"),
        format!("{header}.{said}."),
        format!("{header}.{said}.{null}"),
        format!("{header}.{said}.{}", URL_SAFE_NO_PAD.encode([0; 63])),
        format!("{header}.{said}.{}", other.sign(&claims()).rsplit_once('.').unwrap().1),
    ] {
        assert_eq!(stage.why(&token), JwtError::Signature, "{token}");
    }
    assert_eq!(stage.why(&other.sign(&claims())), JwtError::KeyUnknown);
}

#[test]
fn an_id_token_may_be_for_others_too_and_an_assertion_for_one_of_several_names() {
    let stage = Stage::new();
    let token = stage.sign(&with("aud", json!(["client", GATE])));
    let includes = Rule { audience: Audience::Includes("client"), ..rule() };
    assert!(verify(&token, &stage.keys, &includes).is_ok());
    let one_of = |names| Rule { audience: Audience::OneOf(names), ..rule() };
    assert_eq!(verify(&token, &stage.keys, &one_of(&["client", GATE])).unwrap_err(), JwtError::Audience);
    assert!(verify(&stage.sign(&claims()), &stage.keys, &one_of(&["x", GATE])).is_ok());
}

#[test]
fn a_proof_is_checked_by_the_key_that_it_brings_and_by_no_secret_one() {
    let stage = Stage::new();
    let said = object(&json!({"jti": "1", "htm": "POST", "htu": GATE, "iat": NOW}));
    let proof = stage.key.prove("dpop+jwt", &said).unwrap();
    let (claims, key) = Unverified::read(&proof).unwrap().verify_own_key(&[Algorithm::Es256], &["dpop+jwt"]).unwrap();
    assert_eq!(claims.text("htm"), Some("POST"));
    assert_eq!(key.thumbprint(), stage.key.kid());
    let why = |token: &str| {
        Unverified::read(token).unwrap().verify_own_key(&[Algorithm::Es256], &["dpop+jwt"]).err().unwrap()
    };
    assert_eq!(why(&stage.key.sign("dpop+jwt", &said).unwrap()), JwtError::Missing("jwk"));
    assert_eq!(why(&stage.key.prove("at+jwt", &said).unwrap()), JwtError::Type);
    let mut secret = stage.key.public_jwk();
    secret["d"] = json!("AAAA");
    let header = json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": secret}).to_string();
    assert_eq!(why(&stage.with_header(&header, "{}")), JwtError::Header("jwk"));
    assert_eq!(stage.why(&proof), JwtError::Header("jwk"), "a proof is no token");
}

#[test]
fn no_error_quotes_the_token() {
    let stage = Stage::new();
    let token = stage.sign(&with("aud", json!("zanzibar")));
    assert!(!format!("{:?} {}", stage.why(&token), stage.why(&token)).contains("zanzibar"));
}
