//! An identity provider that signs everybody in at once, and says what a test has it say.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use identity::jwt::{Audience, Rule, SigningKey, Unverified};
use identity::keys::{Algorithm, KeySet};
use model::{Digest, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// What the gate is called there.
pub(crate) const CLIENT: &str = "portcullis";
/// The secret that the gate has there.
pub(crate) const SECRET: &str = "secret-of-the-gate-at-its-provider-5d1c";

type Parameters = HashMap<String, String>;

/// The provider. It ends when it is dropped.
pub(crate) struct FakeProvider {
    shared: Arc<Shared>,
    serving: AbortHandle,
}

struct Shared {
    issuer: String,
    key: SigningKey,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// What its tokens say beside what they must.
    claims: Value,
    /// What its answers to browsers say instead of what they should.
    back: Parameters,
    codes: HashMap<String, Parameters>,
    refreshes: Vec<String>,
    count: u64,
    begun: Vec<Parameters>,
    is_away: bool,
    /// What it asserted of people for other authorization servers.
    asserted: Vec<String>,
    /// By which keys the gate signs there; none, and its secret is not looked at.
    client_keys: Option<KeySet>,
    /// What it says that it issued, in place of an assertion.
    issues: Option<String>,
    /// As what, and by which key, its ID tokens are signed instead of what they should be.
    forged: Option<(&'static str, Option<Arc<SigningKey>>)>,
    /// What it says of itself instead of what is so.
    told: HashMap<String, Value>,
    /// What its userinfo endpoint says.
    userinfo: Value,
    /// Whether it renews a sign-in without a word of who that is.
    is_terse: bool,
}

impl FakeProvider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let claims = json!({ "sub": "s-ana", "preferred_username": "ana", "groups": ["support"], "sid": "session-1" });
        let inner = Mutex::new(Inner { claims, ..Inner::default() });
        let shared = Arc::new(Shared { issuer, key: SigningKey::generate().unwrap(), inner });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }).abort_handle();
        Self { shared, serving }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// What its tokens say from now on; `null` takes a claim out.
    pub(crate) fn says(&self, name: &str, value: Value) {
        self.shared.inner.lock().unwrap().claims[name] = value;
    }

    /// What it sends browsers back with from now on; an empty text takes a parameter out.
    pub(crate) fn sends_back(&self, name: &str, value: &str) {
        self.shared.inner.lock().unwrap().back.insert(name.to_owned(), value.to_owned());
    }

    /// Knows nobody any more whom it gave a refresh token.
    pub(crate) fn forgets_everybody(&self) {
        self.shared.inner.lock().unwrap().refreshes.clear();
    }

    /// Signs ID tokens as tokens of this type from now on, and by another key where there is one.
    pub(crate) fn forges(&self, typ: &'static str, key: Option<SigningKey>) {
        self.shared.inner.lock().unwrap().forged = Some((typ, key.map(Arc::new)));
    }

    /// Says this of itself from now on.
    pub(crate) fn tells(&self, name: &str, value: Value) {
        self.shared.inner.lock().unwrap().told.insert(name.to_owned(), value);
    }

    /// What its userinfo endpoint says from now on.
    pub(crate) fn informs(&self, of: Value) {
        self.shared.inner.lock().unwrap().userinfo = of;
    }

    /// Renews sign-ins from now on without an ID token.
    pub(crate) fn is_terse(&self) {
        self.shared.inner.lock().unwrap().is_terse = true;
    }

    /// Answers nothing but errors, or is back again.
    pub(crate) fn is_away(&self, is_away: bool) {
        self.shared.inner.lock().unwrap().is_away = is_away;
    }

    /// The sign-ins that browsers were sent to it with.
    pub(crate) fn begun(&self) -> Vec<Parameters> {
        self.shared.inner.lock().unwrap().begun.clone()
    }

    /// The keys by which its tokens are checked.
    pub(crate) fn keys(&self) -> KeySet {
        KeySet::of([Arc::clone(self.shared.key.public())])
    }

    /// Knows the gate by these keys alone from now on.
    pub(crate) fn knows_by_keys(&self, keys: KeySet) {
        self.shared.inner.lock().unwrap().client_keys = Some(keys);
    }

    /// How often it asserted who somebody is.
    pub(crate) fn asserted(&self) -> usize {
        self.shared.inner.lock().unwrap().asserted.len()
    }

    /// Says from now on that what it issues is something else.
    pub(crate) fn issues(&self, kind: &str) {
        self.shared.inner.lock().unwrap().issues = Some(kind.to_owned());
    }

    /// A token of its own, whose claims are these beside issuer and times.
    pub(crate) fn signs(&self, typ: &str, claims: &Value) -> String {
        let mut whole = json!({ "iss": self.shared.issuer, "iat": seconds(), "exp": seconds() + 60 });
        for (name, value) in claims.as_object().unwrap() {
            whole[name] = value.clone();
        }
        self.shared.key.sign(typ, whole.as_object().unwrap()).unwrap()
    }

    /// Everything secret that it gave the gate.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let inner = self.shared.inner.lock().unwrap();
        inner.refreshes.iter().chain(&inner.asserted).cloned().chain([SECRET.to_owned()]).collect()
    }
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Seconds since the epoch.
pub(crate) fn seconds() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// The challenge of a verifier (RFC 7636 §4.2).
pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Digest::of(verifier.as_bytes()).as_bytes())
}

async fn metadata(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let at = |path: &str| format!("{}/{path}", shared.issuer);
    let mut told = json!({
        "issuer": shared.issuer,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "userinfo_endpoint": at("userinfo"),
        "jwks_uri": at("jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    for (name, value) in &shared.inner.lock().unwrap().told {
        told[name] = value.clone();
    }
    Json(told)
}

async fn userinfo(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(shared.inner.lock().unwrap().userinfo.clone())
}

async fn keys(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(KeySet::of([Arc::clone(shared.key.public())]).published())
}

async fn authorize(State(shared): State<Arc<Shared>>, Query(asked): Query<Parameters>) -> Redirect {
    let mut inner = shared.inner.lock().unwrap();
    inner.count += 1;
    let code = format!("code-of-the-provider-{}", inner.count);
    let mut back = Parameters::from([
        ("code".to_owned(), code.clone()),
        ("state".to_owned(), asked["state"].clone()),
        ("iss".to_owned(), shared.issuer.clone()),
    ]);
    back.extend(inner.back.clone());
    back.retain(|_, value| !value.is_empty());
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&back).finish();
    let target = format!("{}?{query}", asked["redirect_uri"]);
    inner.begun.push(asked.clone());
    inner.codes.insert(code, asked);
    Redirect::to(&target)
}

/// Whether the gate proves by its key that it is the client, where it is known by that (OpenID Connect Core 1.0 §9).
fn is_the_gate(shared: &Shared, inner: &Inner, form: &Parameters) -> bool {
    let Some(keys) = &inner.client_keys else { return true };
    let audience = format!("{}/token", shared.issuer);
    let rule = Rule {
        algorithms: &[Algorithm::Es256],
        typ: &["JWT"],
        issuer: CLIENT,
        audience: Audience::Only(&audience),
        skew: 5,
        now: Timestamp(seconds() * 1_000),
        required: &["sub", "jti", "iat"],
    };
    let assertion = form.get("client_assertion").map_or("", String::as_str);
    Unverified::read(assertion).and_then(|token| token.verify(keys, &rule)).is_ok()
        && form.get("client_secret").is_none()
}

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ASSERTION: &str = "urn:ietf:params:oauth:token-type:id-jag";

/// Asserts for another authorization server who the person of its own ID token is (ID-JAG).
fn exchanged(shared: &Shared, inner: &mut Inner, form: &Parameters) -> (StatusCode, Json<Value>) {
    let said = |name: &str| form.get(name).map(String::as_str);
    let keys = KeySet::of([Arc::clone(shared.key.public())]);
    let rule = Rule {
        algorithms: &[Algorithm::Es256],
        typ: &["JWT"],
        issuer: &shared.issuer,
        audience: Audience::Only(CLIENT),
        skew: 5,
        now: Timestamp(seconds() * 1_000),
        required: &["sub"],
    };
    let word = Unverified::read(said("subject_token").unwrap_or_default()).and_then(|token| token.verify(&keys, &rule));
    let kind = "urn:ietf:params:oauth:token-type:id_token";
    let is_asked = said("requested_token_type") == Some(ASSERTION) && said("subject_token_type") == Some(kind);
    let (Ok(word), true) = (word, is_asked) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" })));
    };
    inner.count += 1;
    let claims = json!({
        "iss": shared.issuer, "aud": said("audience"), "resource": said("resource"), "sub": word.text("sub"),
        "client_id": super::authorization::CLIENT, "jti": format!("assertion-{}", inner.count), "iat": seconds(),
        "exp": seconds() + 60, "scope": said("scope").unwrap_or_default(),
    });
    let assertion = shared.key.sign("oauth-id-jag+jwt", claims.as_object().unwrap()).unwrap();
    inner.asserted.push(assertion.clone());
    let issued = inner.issues.clone().unwrap_or_else(|| ASSERTION.to_owned());
    let answer =
        json!({ "access_token": assertion, "issued_token_type": issued, "token_type": "N_A", "expires_in": 60 });
    (StatusCode::OK, Json(answer))
}

async fn token(State(shared): State<Arc<Shared>>, form: String) -> (StatusCode, Json<Value>) {
    let form: Parameters = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let mut inner = shared.inner.lock().unwrap();
    let refused = (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" })));
    if inner.is_away {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": "temporarily_unavailable" })));
    }
    if !is_the_gate(&shared, &inner, &form) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" })));
    }
    let nonce = match form["grant_type"].as_str() {
        EXCHANGE => return exchanged(&shared, &mut inner, &form),
        "authorization_code" => {
            let Some(asked) = inner.codes.remove(&form["code"]) else { return refused };
            if asked["code_challenge"] != challenge(&form["code_verifier"]) {
                return refused;
            }
            Some(asked["nonce"].clone())
        }
        _ => {
            let known = inner.refreshes.iter().position(|known| *known == form["refresh_token"]);
            let Some(place) = known else { return refused };
            inner.refreshes.remove(place);
            None
        }
    };
    inner.count += 1;
    let refresh = format!("refresh-token-of-the-provider-{}", inner.count);
    inner.refreshes.push(refresh.clone());
    let mut claims = json!({
        "iss": shared.issuer, "aud": CLIENT, "iat": seconds(), "exp": seconds() + 300, "auth_time": seconds(),
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    for (name, value) in inner.claims.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let claims: serde_json::Map<_, _> =
        claims.as_object().unwrap().clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
    let id_token = match &inner.forged {
        None => shared.key.sign("JWT", &claims).unwrap(),
        Some((typ, key)) => key.as_deref().unwrap_or(&shared.key).sign(typ, &claims).unwrap(),
    };
    let access = format!("access-token-of-the-provider-{}", inner.count);
    let mut answer =
        json!({ "access_token": access, "token_type": "Bearer", "expires_in": 300, "refresh_token": refresh });
    if !inner.is_terse || form["grant_type"] == "authorization_code" {
        answer["id_token"] = id_token.into();
    }
    (StatusCode::OK, Json(answer))
}
