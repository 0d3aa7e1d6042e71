use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::fetch::fake::FakeFetch;

const TOKEN: &str = "https://login.example/token";

fn issuer() -> Issuer {
    Issuer {
        issuer: "https://login.example".into(),
        authorization_endpoint: None,
        token_endpoint: TOKEN.parse().unwrap(),
        registration_endpoint: None,
        authentication_methods: Vec::new(),
        scopes: Vec::new(),
        has_s256: true,
        tells_iss: true,
        takes_documents: false,
    }
}

async fn answered(status: u16, body: Value) -> Result<Tokens, TokenError> {
    let network = FakeFetch::default();
    network.tell_as(TOKEN, status, &[], body.to_string());
    let client = Client { id: "gate".into(), presents: Presents::Nothing };
    ask(&network, &issuer(), &client, &[("grant_type", "x")], Timestamp(1_000)).await
}

#[tokio::test]
async fn a_token_has_its_time_and_its_scopes() {
    let body = json!({ "access_token": "a", "token_type": "bearer", "expires_in": 60, "scope": "x y" });
    let tokens = answered(200, body).await.ok().unwrap();
    assert_eq!(tokens.expires, Some(Timestamp(61_000)));
    assert_eq!(tokens.scopes, Some(vec!["x".to_owned(), "y".to_owned()]));
    assert!(tokens.refresh.is_none());
}

#[tokio::test]
async fn what_is_no_token_is_not_used() {
    for body in [
        json!({}),
        json!({ "access_token": "a" }),
        json!({ "access_token": "a", "token_type": "mac" }),
        json!({ "access_token": "", "token_type": "Bearer" }),
        json!({ "access_token": "a\r\nX-Evil: 1", "token_type": "Bearer" }),
        json!({ "access_token": "a b", "token_type": "Bearer" }),
        json!({ "access_token": "a".repeat(limits::TOKEN_BYTES_MAX + 1), "token_type": "Bearer" }),
        json!({ "access_token": "a", "token_type": "Bearer", "expires_in": "60" }),
        json!({ "access_token": "a", "token_type": "Bearer", "refresh_token": "" }),
        json!([1]),
    ] {
        assert!(matches!(answered(200, body.clone()).await, Err(TokenError::Answer(_))), "{body}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_by_its_code_and_nothing_else() {
    let told = |error: TokenError| error.to_string();
    let refused = answered(400, json!({ "error": "invalid_grant", "error_description": "for ana's s3cret" })).await;
    let error = refused.err().unwrap();
    assert!(error.is_final());
    assert_eq!(told(error), "the authorization server gives no token: invalid_grant");
    let odd = answered(400, json!({ "error": "Your S3cret is <script>" })).await.err().unwrap();
    assert!(!odd.is_final() && !told(odd).contains("S3cret"));
    assert!(
        told(answered(302, json!({})).await.err().unwrap()).contains("302"),
        "a redirect is an answer that is none"
    );
}

/// A key that signs nothing in truth.
struct Pen;

impl crate::outgoing::SignsIn for Pen {
    fn assertion(&self, client: &str, audience: &str, now: Timestamp) -> Option<Secret<String>> {
        Some(Secret::new(format!("{client}.{audience}.{}", now.0)))
    }
}

#[tokio::test]
async fn a_client_proves_who_it_is_as_it_was_registered() {
    let secret = || Secret::new("s3cret".to_owned());
    for (presents, body, header) in [
        (Presents::Nothing, "grant_type=x&client_id=gate", None),
        (Presents::InForm(secret()), "grant_type=x&client_id=gate&client_secret=s3cret", None),
        (Presents::InHeader(secret()), "grant_type=x", Some("Basic Z2F0ZTpzM2NyZXQ=")),
        (
            Presents::Signature(Arc::new(Pen)),
            "grant_type=x&client_id=gate&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
             &client_assertion=gate.https%3A%2F%2Flogin.example.1000",
            None,
        ),
    ] {
        let network = FakeFetch::default();
        let client = Client { id: "gate".into(), presents };
        drop(ask(&network, &issuer(), &client, &[("grant_type", "x")], Timestamp(1_000)).await);
        let asked = network.asked();
        assert_eq!(asked[0].body, body);
        assert_eq!(asked[0].headers.get("authorization").map(|value| value.to_str().unwrap()), header);
    }
}
