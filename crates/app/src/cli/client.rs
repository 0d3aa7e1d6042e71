//! Talking to the admin API.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use egress::{EgressError, Lane, NotSent, Reach, SystemResolver, Trust};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use identity::Credential;
use model::{SecretReference, limits};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::connection::Connection;
use super::failure::Failure;

/// Without TLS a token may travel within this machine only.
const HERE: &[&str] = &["127.0.0.0/8", "::1/128"];
/// Over TLS the gate proves that it is the one that was named, wherever that is.
const ANYWHERE: &[&str] = &[
    "0.0.0.0/0",
    "::/0",
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
];

/// A client of one gate's admin API, for one person.
pub(crate) struct Client {
    url: String,
    lane: Lane,
    credential: Credential,
}

impl Client {
    /// A client for this gate. Nothing is sent yet.
    pub(crate) fn new(connection: &Connection) -> Result<Self, Failure> {
        let Connection { url, token_file, authority } = connection;
        let token = identity::read_secret(&SecretReference::File(token_file.clone()), "".as_ref());
        let token = token.map_err(|error| {
            Failure::of(&error)
                .with_next("start the gate once, which makes its token, or name your token's file with --token-file")
        })?;
        let credential =
            Credential::new("authorization", Some("Bearer"), &token).map_err(|error| Failure::of(&error))?;
        let networks = if url.starts_with("https://") { ANYWHERE } else { HERE };
        let reach = Reach::new(networks.iter().filter_map(|network| network.parse().ok()).collect());
        let trust = match authority {
            None => Trust::Platform,
            Some(file) => Trust::Roots(identity::tls::authorities(file).map_err(|error| {
                Failure::of(&error).with_next("name the authority of the gate's certificate with --authority")
            })?),
        };
        let lane = egress::Client::new(Arc::new(SystemResolver), trust).lane("the gate", &reach);
        Ok(Self { url: url.clone(), lane, credential })
    }

    /// Reads.
    pub(crate) async fn get<R: DeserializeOwned>(&self, path: &str) -> Result<R, Failure> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// Changes.
    pub(crate) async fn post<B: Serialize, R: DeserializeOwned>(&self, path: &str, body: &B) -> Result<R, Failure> {
        let body = serde_json::to_vec(body).map_err(|_| Failure::unreadable("the request"))?;
        self.send(Method::POST, path, body.into()).await
    }

    /// Removes.
    pub(crate) async fn delete<R: DeserializeOwned>(&self, path: &str) -> Result<R, Failure> {
        self.send(Method::DELETE, path, Bytes::new()).await
    }

    async fn send<R: DeserializeOwned>(&self, method: Method, path: &str, body: Bytes) -> Result<R, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.credential.write(&mut headers);
        let url = format!("{}/api/v1{path}", self.url);
        let mut request = Request::builder().method(method).uri(&url).body(Full::new(body)).map_err(|_| {
            Failure::new(format!("`{}` is no address of a gate", self.url))
                .with_next("write it as http://127.0.0.1:9443")
        })?;
        *request.headers_mut() = headers;
        let limit = Duration::from_millis(limits::ADMIN_ANSWER_MILLISECONDS_MAX);
        let answered = tokio::time::timeout(limit, self.answer(request)).await;
        let (status, body) = answered.unwrap_or_else(|_| {
            Err(Failure::new("the gate did not answer in time")
                .with_next("see its log; `portcullis status` tells more"))
        })?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| Failure::unreadable("the gate's answer"));
        }
        match serde_json::from_slice(&body) {
            Ok(fault) => Err(Failure::refused(&fault)),
            Err(_) => Err(Failure::new(format!("`{}` answered {status}, and not as a gate does", self.url))
                .with_next("is this the admin address of a gate?")),
        }
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Failure> {
        let response = self.lane.send(request).await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), limits::ADMIN_ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|_| Failure::new("the gate's answer broke off or was too large"))?;
        Ok((status, body.to_bytes()))
    }

    fn unreachable(&self, error: &EgressError) -> Failure {
        match error {
            EgressError::NotSent { cause: NotSent::OutOfReach(_), .. } => {
                Failure::new(format!("`{}` is not on this machine", self.url)).with_next(
                    "without TLS its token stays on this machine: give the listener `[admin.tls]`, or use a tunnel",
                )
            }
            EgressError::NotSent { .. } => Failure::new(format!("no gate answers at `{}`", self.url))
                .with_next("start it with `portcullis serve`, or name another with --config or --admin"),
            EgressError::Unknown { .. } => Failure::new(format!("the connection to `{}` broke off", self.url))
                .with_next("look at what is there now before you try again: it may have been done"),
        }
    }
}

/// A name as one segment of a path.
pub(crate) fn segment(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        match plain(byte) {
            true => segment.push(char::from(byte)),
            false => segment.push_str(&format!("%{byte:02X}")),
        }
    }
    segment
}
