//! A fake of the transit engine of `HashiCorp` Vault or `OpenBao`, as far as the gate asks it: it wraps with keys of its own that
//! it never gives, in versions, for whoever has the token.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// The running fake. It stops when dropped.
pub(crate) struct FakeTransit {
    address: SocketAddr,
    mind: Arc<Mutex<Mind>>,
    task: AbortHandle,
}

struct Mind {
    token: String,
    keys: Vec<[u8; 32]>,
    is_away: bool,
    asked: Vec<String>,
}

impl FakeTransit {
    pub(crate) async fn start(token: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mind = Mind { token: token.to_owned(), keys: vec![fresh()], is_away: false, asked: Vec::new() };
        let mind = Arc::new(Mutex::new(mind));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&mind));
        let task = tokio::spawn(async move { drop(axum::serve(listener, router).await) }).abort_handle();
        Self { address, mind, task }
    }

    /// `[vault]` of a gate whose master key is there, with its token in `secrets/transit`.
    pub(crate) fn settings(&self) -> String {
        format!(
            "\n[vault.transit]\nurl = \"http://{}\"\nkey = \"portcullis\"\ntoken = \"file:secrets/transit\"\n\
             networks = [\"127.0.0.1/32\"]\n",
            self.address
        )
    }

    /// Wraps with another version of the key from now on.
    pub(crate) fn rotate(&self) {
        self.mind.lock().unwrap().keys.push(fresh());
    }

    /// Opens nothing any more that an older version of the key wrapped.
    pub(crate) fn forget_old_versions(&self) {
        let mut mind = self.mind.lock().unwrap();
        let last = mind.keys.len() - 1;
        mind.keys[..last].fill([0; 32]);
    }

    /// Answers as a sealed or broken service does, or is back again.
    pub(crate) fn is_away(&self, is_away: bool) {
        self.mind.lock().unwrap().is_away = is_away;
    }

    /// Knows the gate by another token from now on.
    pub(crate) fn knows(&self, token: &str) {
        self.mind.lock().unwrap().token = token.to_owned();
    }

    /// What it was asked to do, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.mind.lock().unwrap().asked.clone()
    }
}

impl Drop for FakeTransit {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn fresh() -> [u8; 32] {
    let mut key = [0; 32];
    SystemRandom::new().fill(&mut key).unwrap();
    key
}

async fn answer(
    State(mind): State<Arc<Mutex<Mind>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut mind = mind.lock().unwrap();
    let no = |status: StatusCode| (status, Json(json!({ "errors": ["no"] }))).into_response();
    if mind.is_away {
        return no(StatusCode::SERVICE_UNAVAILABLE);
    }
    let bearer = format!("Bearer {}", mind.token);
    if headers.get(header::AUTHORIZATION).is_none_or(|said| *said != bearer.as_str()) {
        return no(StatusCode::FORBIDDEN);
    }
    let deed = uri.path().strip_prefix("/v1/transit/").and_then(|rest| rest.strip_suffix("/portcullis"));
    let asked: Option<Value> = serde_json::from_slice(&body).ok();
    let (Some(deed), Some(asked), Method::POST) = (deed, asked, method) else { return no(StatusCode::NOT_FOUND) };
    mind.asked.push(deed.to_owned());
    let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
    let data = match deed {
        "encrypt" => STANDARD.decode(text("plaintext")).ok().map(|plain| json!({ "ciphertext": mind.wrap(&plain) })),
        "decrypt" => mind.open(&text("ciphertext")).map(|plain| json!({ "plaintext": STANDARD.encode(plain) })),
        "rewrap" => mind.open(&text("ciphertext")).map(|plain| json!({ "ciphertext": mind.wrap(&plain) })),
        _ => None,
    };
    data.map_or_else(|| no(StatusCode::BAD_REQUEST), |data| Json(json!({ "data": data })).into_response())
}

impl Mind {
    fn wrap(&self, plain: &[u8]) -> String {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).unwrap();
        let mut sealed = plain.to_vec();
        let used = Nonce::assume_unique_for_key(nonce);
        cipher(self.keys.last().unwrap()).seal_in_place_append_tag(used, Aad::empty(), &mut sealed).unwrap();
        format!("vault:v{}:{}", self.keys.len(), STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    fn open(&self, ciphertext: &str) -> Option<Vec<u8>> {
        let (version, sealed) = ciphertext.strip_prefix("vault:v")?.split_once(':')?;
        let key = self.keys.get(version.parse::<usize>().ok()?.checked_sub(1)?)?;
        let sealed = STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let opened = cipher(key).open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut sealed).ok()?;
        Some(opened.to_vec())
    }
}

fn cipher(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap())
}
