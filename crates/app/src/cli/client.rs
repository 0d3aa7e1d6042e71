//! Talking to the admin API.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use egress::{EgressError, Lane, NotSent, Reach, SystemResolver, Trust};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use identity::Credential;
use model::{SecretReference, limits};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

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
    /// None for whoever has no token yet.
    credential: Option<Credential>,
    /// How long an answer is waited for.
    patience: Duration,
}

/// A refusal in OAuth's words.
#[derive(Debug, Deserialize)]
pub(crate) struct Told {
    /// The word.
    pub(crate) error: String,
    /// What it means.
    #[serde(default)]
    pub(crate) error_description: String,
}

impl Client {
    /// A client for this gate. Nothing is sent yet.
    pub(crate) fn new(connection: &Connection) -> Result<Self, Failure> {
        let Connection { url, token_file, authority } = connection;
        let token = identity::read_secret(&SecretReference::File(token_file.clone()), "".as_ref());
        let token = token.map_err(|error| {
            Failure::of(&error)
                .with_next("sign in with `portcullis login`, or name your token's file with --token-file")
        })?;
        let credential =
            Credential::new("authorization", Some("Bearer"), &token).map_err(|error| Failure::of(&error))?;
        Ok(Self { credential: Some(credential), ..Self::stranger(url, authority.as_deref())? })
    }

    /// A client for somebody who has no token yet.
    pub(crate) fn stranger(url: &str, authority: Option<&Path>) -> Result<Self, Failure> {
        let networks = if url.starts_with("https://") { ANYWHERE } else { HERE };
        let reach = Reach::new(networks.iter().filter_map(|network| network.parse().ok()).collect());
        let trust = match authority {
            None => Trust::Platform,
            Some(file) => Trust::Roots(identity::tls::authorities(file).map_err(|error| {
                Failure::of(&error).with_next("name the authority of the gate's certificate with --authority")
            })?),
        };
        let lane = egress::Client::new(Arc::new(SystemResolver), trust).lane("the gate", &reach);
        let patience = Duration::from_millis(limits::ADMIN_ANSWER_MILLISECONDS_MAX);
        Ok(Self { url: url.to_owned(), lane, credential: None, patience })
    }

    /// The same, for what takes its time.
    #[must_use]
    pub(crate) fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sends a form to a page of the gate, and reads what it answers: what was asked for, or why not.
    pub(crate) async fn form<R: DeserializeOwned>(
        &self,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<Result<R, Told>, Failure> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let form = "application/x-www-form-urlencoded";
        let (status, body) = self.exchange(Method::POST, path, form, body.into()).await?;
        if status.is_success() {
            return serde_json::from_slice(&body).map(Ok).map_err(|_| Failure::unreadable("the gate's answer"));
        }
        match serde_json::from_slice(&body) {
            Ok(told) => Ok(Err(told)),
            Err(_) if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND) => {
                Err(Failure::new("nobody signs in at this gate").with_next("add `[people]` to its settings"))
            }
            Err(_) => Err(self.strange(status)),
        }
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
        let path = format!("/api/v1{path}");
        let (status, body) = self.exchange(method, &path, "application/json", body).await?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| Failure::unreadable("the gate's answer"));
        }
        match serde_json::from_slice(&body) {
            Ok(fault) => Err(Failure::refused(&fault)),
            Err(_) => Err(self.strange(status)),
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        media_type: &'static str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        if let Some(credential) = &self.credential {
            credential.write(&mut headers);
        }
        let url = format!("{}{path}", self.url);
        let mut request = Request::builder().method(method).uri(&url).body(Full::new(body)).map_err(|_| {
            Failure::new(format!("`{}` is no address of a gate", self.url))
                .with_next("write it as http://127.0.0.1:9443")
        })?;
        *request.headers_mut() = headers;
        let answered = tokio::time::timeout(self.patience, self.answer(request)).await;
        answered.unwrap_or_else(|_| {
            Err(Failure::new("the gate did not answer in time")
                .with_next("see its log; `portcullis status` tells more"))
        })
    }

    fn strange(&self, status: StatusCode) -> Failure {
        Failure::new(format!("`{}` answered {status}, and not as a gate does", self.url))
            .with_next("is this the admin address of a gate?")
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
