//! A small real issuer: metadata, keys and introspection over HTTP on loopback. Its keys are made when it starts.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use identity::jwt::SigningKey;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use super::DESK;

/// The gate's own client at the issuer, which may ask about opaque tokens: `gate:hush-of-the-gate`.
const ASKER: &str = "Basic Z2F0ZTpodXNoLW9mLXRoZS1nYXRl";
/// The secret of that client, for a settings file.
pub(crate) const ASKER_SECRET: &str = "hush-of-the-gate";

/// The running issuer. It stops when dropped.
pub(crate) struct TestIssuer {
    address: SocketAddr,
    book: Arc<Mutex<Book>>,
    task: AbortHandle,
}

/// What it knows.
struct Book {
    issuer: String,
    /// The newest is the last, and signs.
    keys: Vec<Arc<SigningKey>>,
    /// What is published instead of the keys.
    published: Option<String>,
    /// What is told as metadata instead of what is so.
    told: Option<Value>,
    /// Whether it answers.
    up: bool,
    opaque: HashMap<String, Value>,
    /// The paths that were asked for.
    asked: Vec<String>,
}

impl TestIssuer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let book = Book {
            issuer: format!("http://{address}"),
            keys: vec![Arc::new(SigningKey::generate().unwrap())],
            published: None,
            told: None,
            up: true,
            opaque: HashMap::new(),
            asked: Vec::new(),
        };
        let book = Arc::new(Mutex::new(book));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&book));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }).abort_handle();
        Self { address, book, task }
    }

    /// Its name, as tokens spell it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What settings say of it.
    pub(crate) fn settings(&self) -> String {
        format!(
            "\n[[issuer]]\nurl = \"{}\"\nnetworks = [\"127.0.0.1/32\"]\nalgorithms = [\"ES256\", \"RS256\"]\n",
            self.url()
        )
    }

    /// The claims of a good token for Ana of support at the desk, through the help desk's agent.
    pub(crate) fn claims(&self) -> Value {
        let now = now();
        json!({
            "iss": self.url(), "aud": DESK, "sub": "ana", "client_id": "client-of-helpdesk", "groups": ["support"],
            "scope": "mcp", "iat": now, "exp": now + 300, "jti": format!("{now}-{:p}", &now),
        })
    }

    /// The same claims with edits; `null` takes one out.
    pub(crate) fn edited(&self, edits: &Value) -> Map<String, Value> {
        let mut claims = self.claims().as_object().unwrap().clone();
        for (name, value) in edits.as_object().unwrap() {
            if value.is_null() {
                claims.remove(name);
            } else {
                claims.insert(name.clone(), value.clone());
            }
        }
        claims
    }

    /// A token of the newest key, with these edits of a good one's claims.
    pub(crate) fn token(&self, edits: &Value) -> String {
        self.key().sign("at+jwt", &self.edited(edits)).unwrap()
    }

    /// A token by which nothing is known, and what is said when somebody asks about it.
    pub(crate) fn opaque(&self, edits: &Value) -> String {
        let token = format!("opaque-{}", self.book().opaque.len());
        let mut said = self.edited(edits);
        said.insert("active".to_owned(), edits.get("active").cloned().unwrap_or(Value::Bool(true)));
        self.book().opaque.insert(token.clone(), Value::Object(said));
        token
    }

    /// The key that signs.
    pub(crate) fn key(&self) -> Arc<SigningKey> {
        Arc::clone(self.book().keys.last().expect("a key"))
    }

    /// Signs with a new key from now on; the old ones stay published.
    pub(crate) fn rotate(&self) {
        self.book().keys.push(Arc::new(SigningKey::generate().unwrap()));
    }

    /// Publishes this instead of its keys.
    pub(crate) fn publish(&self, text: Option<String>) {
        self.book().published = text;
    }

    /// Tells this instead of its metadata.
    pub(crate) fn tell(&self, metadata: Option<Value>) {
        self.book().told = metadata;
    }

    /// Answers from now on, or fails at everything.
    pub(crate) fn be_up(&self, up: bool) {
        self.book().up = up;
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.book().asked.iter().filter(|asked| *asked == path).count()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TestIssuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

async fn answer(State(book): State<Arc<Mutex<Book>>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
    let path = uri.path().to_owned();
    book.asked.push(path.clone());
    if !book.up {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match path.as_str() {
        "/.well-known/openid-configuration" => {
            let issuer = &book.issuer;
            let so = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
            book.told.clone().unwrap_or(so).to_string().into_response()
        }
        "/keys" => {
            let keys: Vec<Value> = book.keys.iter().map(|key| key.public_jwk()).collect();
            book.published.clone().unwrap_or_else(|| json!({ "keys": keys }).to_string()).into_response()
        }
        "/introspect" => {
            if headers.get("authorization").is_none_or(|given| given != ASKER) {
                return StatusCode::UNAUTHORIZED.into_response();
            }
            let form = String::from_utf8_lossy(&body).into_owned();
            let token = form.split('&').find_map(|pair| pair.strip_prefix("token=")).unwrap_or_default();
            let inactive = json!({ "active": false });
            book.opaque.get(token).unwrap_or(&inactive).to_string().into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
