//! An identity provider that answers by itself, and hosts of clients' documents beside it.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use identity::fetch::{Asked, Fetch, FetchError, Fetched};
use identity::jwt::SigningKey;
use serde_json::{Map, Value, json};
use url::{Url, form_urlencoded};

use super::world::{CLOCK, GATE};

pub(crate) const ISSUER: &str = "https://id.example";

/// The provider, and everything else that can be fetched.
pub(crate) struct Provider {
    pub(crate) key: SigningKey,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    codes: HashMap<String, HashMap<String, String>>,
    refreshes: Vec<String>,
    count: u64,
    documents: HashMap<String, Value>,
    asked: Vec<String>,
    claims: Map<String, Value>,
    unreachable: bool,
}

impl Provider {
    pub(crate) fn new() -> Self {
        let claims =
            json!({ "sub": "s-ada", "sid": "session-1", "groups": ["finance"], "acr": "mfa", "amr": ["pwd", "otp"] });
        let inner = Inner { claims: claims.as_object().cloned().unwrap(), ..Inner::default() };
        Self { key: SigningKey::generate().unwrap(), inner: Mutex::new(inner) }
    }

    /// What it says of the person from now on.
    pub(crate) fn says(&self, name: &str, value: Value) {
        self.inner.lock().unwrap().claims.insert(name.to_owned(), value);
    }

    /// Knows nobody any more whom it gave a refresh token.
    pub(crate) fn forget_everybody(&self) {
        self.inner.lock().unwrap().refreshes.clear();
    }

    pub(crate) fn reachable(&self, reachable: bool) {
        self.inner.lock().unwrap().unreachable = !reachable;
    }

    pub(crate) fn publish(&self, url: &str, document: Value) {
        self.inner.lock().unwrap().documents.insert(url.to_owned(), document);
    }

    /// What it was asked for, by URL.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.inner.lock().unwrap().asked.clone()
    }

    /// The person signs in at its page; returns the parameters with which it sends them back.
    pub(crate) fn sign_in(&self, page: &str) -> HashMap<String, String> {
        let url = Url::parse(page).unwrap();
        assert_eq!(url.origin().ascii_serialization(), ISSUER);
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(asked["redirect_uri"], format!("{GATE}/oauth/callback"));
        assert_eq!((asked["code_challenge_method"].as_str(), asked["response_type"].as_str()), ("S256", "code"));
        let mut inner = self.inner.lock().unwrap();
        inner.count += 1;
        let code = format!("upstream-code-{}", inner.count);
        let state = asked["state"].clone();
        inner.codes.insert(code.clone(), asked);
        HashMap::from([("code".into(), code), ("state".into(), state), ("iss".into(), ISSUER.into())])
    }

    /// A token of its own.
    pub(crate) fn sign(&self, typ: &str, claims: &Value) -> String {
        self.key.sign(typ, claims.as_object().unwrap()).unwrap()
    }

    fn token(&self, form: &HashMap<String, String>) -> (u16, Value) {
        let mut inner = self.inner.lock().unwrap();
        let refused = (400, json!({ "error": "invalid_grant" }));
        let nonce = match form["grant_type"].as_str() {
            "authorization_code" => {
                let Some(asked) = inner.codes.remove(&form["code"]) else { return refused };
                let digest = model::Digest::of(form["code_verifier"].as_bytes());
                let challenge = base64url(digest.as_bytes());
                if asked["code_challenge"] != challenge {
                    return refused;
                }
                Some(asked["nonce"].clone())
            }
            "refresh_token" => {
                let known = inner.refreshes.iter().position(|known| *known == form["refresh_token"]);
                let Some(place) = known else { return refused };
                inner.refreshes.remove(place);
                None
            }
            _ => return (400, json!({ "error": "unsupported_grant_type" })),
        };
        inner.count += 1;
        let refresh = format!("upstream-refresh-{}", inner.count);
        inner.refreshes.push(refresh.clone());
        let mut claims = inner.claims.clone();
        let now = CLOCK.seconds();
        for (name, value) in [("iat", now), ("exp", now + 1_000_000_000), ("auth_time", now)] {
            claims.insert(name.into(), value.into());
        }
        claims.insert("iss".into(), ISSUER.into());
        claims.insert("aud".into(), "portcullis".into());
        if let Some(nonce) = nonce {
            claims.insert("nonce".into(), nonce.into());
        }
        let id_token = self.key.sign("JWT", &claims).unwrap();
        (
            200,
            json!({
                "access_token": "upstream-access", "token_type": "Bearer", "id_token": id_token, "refresh_token": refresh,
            }),
        )
    }
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[async_trait]
impl Fetch for Provider {
    async fn send(&self, asked: Asked<'_>) -> Result<Fetched, FetchError> {
        let url = asked.url.as_str().to_owned();
        let unreachable = {
            let mut inner = self.inner.lock().unwrap();
            inner.asked.push(url.clone());
            inner.unreachable
        };
        if unreachable {
            return Err(FetchError::TimedOut { host: "id.example".into() });
        }
        let (status, body) = match (&asked.method, url.as_str()) {
            (&Method::GET, "https://id.example/.well-known/openid-configuration") => (
                200,
                json!({
                    "issuer": ISSUER,
                    "authorization_endpoint": format!("{ISSUER}/authorize"),
                    "token_endpoint": format!("{ISSUER}/token"),
                    "jwks_uri": format!("{ISSUER}/jwks"),
                    "code_challenge_methods_supported": ["S256"],
                    "authorization_response_iss_parameter_supported": true,
                }),
            ),
            (&Method::GET, "https://id.example/jwks") => (200, json!({ "keys": [self.key.public_jwk()] })),
            (&Method::POST, "https://id.example/token") => {
                self.token(&form_urlencoded::parse(&asked.body).into_owned().collect())
            }
            _ => match self.inner.lock().unwrap().documents.get(&url) {
                Some(document) => (200, document.clone()),
                None => (404, json!({})),
            },
        };
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        Ok(Fetched { status: StatusCode::from_u16(status).unwrap(), headers, body: Bytes::from(body.to_string()) })
    }
}
