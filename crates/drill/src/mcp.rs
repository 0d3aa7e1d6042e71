//! A tiny honest MCP client, revision 2026-07-28 over streamable HTTP, for stories and tests.
//!
//! [`Client::call`], [`Client::list`] and [`Client::post`] say what a good client says: `_meta` in the body, the
//! headers that repeat it, the credential. [`Client::open`] and [`Client::listen`] read an answer message by message.
//! To say something wrong, take the right thing from [`Client::body`] and [`Client::headers`], bend it, and send it
//! with [`Client::raw`]: it goes out as given.
//!
//! Connections are kept and shared; a client is cheap to clone, and clones share them.

mod answer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use model::limits;
use serde_json::{Value, json};

pub use answer::{Answer, Reply};

/// The revision this client speaks.
pub const REVISION: &str = "2026-07-28";

const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const META_CLIENT: &str = "io.modelcontextprotocol/clientInfo";

const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const MCP_METHOD: HeaderName = HeaderName::from_static("mcp-method");
const MCP_NAME: HeaderName = HeaderName::from_static("mcp-name");

/// Why there is no answer to look at.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The URL is none.
    #[error("`{url}` is not a URL this client can use")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        source: http::uri::InvalidUri,
    },
    /// The token has bytes no header may carry.
    #[error("the token cannot be sent in a header")]
    Token(#[source] header::InvalidHeaderValue),
    /// The request could not be put together.
    #[error("building the request")]
    Request(#[source] http::Error),
    /// No connection, or it broke before an answer began.
    #[error("no answer from the server")]
    Send(#[source] legacy::Error),
    /// The answer began and broke off.
    #[error("the answer broke off after {messages} messages")]
    BrokenOff {
        /// Messages read until then.
        messages: usize,
        /// What happened.
        source: hyper::Error,
    },
    /// A message that is no JSON.
    #[error("the answer holds a message that is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// The answer is longer than this client reads.
    #[error("the answer is longer than {max} bytes")]
    TooLong {
        /// The limit, in bytes.
        max: usize,
    },
    /// Nothing more came in time.
    #[error("nothing came for {milliseconds} milliseconds")]
    TooSlow {
        /// The limit, in milliseconds.
        milliseconds: u128,
    },
}

/// A client of one endpoint.
#[derive(Clone)]
pub struct Client {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    uri: Uri,
    authorization: Option<HeaderValue>,
    capabilities: Value,
    name: String,
    patience: Duration,
    next_id: Arc<AtomicU64>,
}

impl Client {
    /// A client of the endpoint at `url`, presenting `token` as a bearer token if there is one. It declares no
    /// capabilities, and waits [`limits::ANSWER_MILLISECONDS_MAX`] for each message.
    ///
    /// # Errors
    /// When the URL or the token cannot be sent.
    pub fn new(url: &str, token: Option<&str>) -> Result<Self, ClientError> {
        let uri = url.parse().map_err(|source| ClientError::Url { url: url.to_owned(), source })?;
        let authorization = token
            .map(|token| HeaderValue::try_from(format!("Bearer {token}")))
            .transpose()
            .map_err(ClientError::Token)?
            .map(|mut value| {
                value.set_sensitive(true);
                value
            });
        Ok(Self {
            http: connections(),
            uri,
            authorization,
            capabilities: json!({}),
            name: "drill".to_owned(),
            patience: Duration::from_millis(limits::ANSWER_MILLISECONDS_MAX),
            next_id: Arc::new(AtomicU64::new(1)),
        })
    }

    /// The same client declaring these client capabilities.
    #[must_use]
    pub fn with_capabilities(self, capabilities: Value) -> Self {
        Self { capabilities, ..self }
    }

    /// The same client under another name in `clientInfo`.
    #[must_use]
    pub fn with_name(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// The same client waiting this long for each message.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Asks `server/discover`.
    ///
    /// # Errors
    /// When no whole answer came. An answer that refuses is an answer.
    pub async fn discover(&self) -> Result<Reply, ClientError> {
        self.post("server/discover", json!({})).await
    }

    /// Asks one of the listings, `tools/list` for example.
    ///
    /// # Errors
    /// When no whole answer came. An answer that refuses is an answer.
    pub async fn list(&self, method: &str) -> Result<Reply, ClientError> {
        self.post(method, json!({})).await
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// When no whole answer came. An answer that refuses is an answer.
    pub async fn call(&self, tool: &str, arguments: Value) -> Result<Reply, ClientError> {
        self.post("tools/call", json!({ "name": tool, "arguments": arguments })).await
    }

    /// Sends a request of any method and reads the whole answer.
    ///
    /// # Errors
    /// When no whole answer came. An answer that refuses is an answer.
    pub async fn post(&self, method: &str, params: Value) -> Result<Reply, ClientError> {
        self.open(method, params).await?.whole().await
    }

    /// Sends a request of any method; the answer is read message by message. Dropping it closes the connection.
    ///
    /// # Errors
    /// When no answer began.
    pub async fn open(&self, method: &str, params: Value) -> Result<Answer, ClientError> {
        let headers = self.headers(method, &params);
        let body = self.body(method, params);
        self.send(Bytes::from(body.to_string()), headers).await
    }

    /// Subscribes to changes: `notifications` as `subscriptions/listen` takes them, for example
    /// `{"toolsListChanged": true}`.
    ///
    /// # Errors
    /// When no answer began.
    pub async fn listen(&self, notifications: Value) -> Result<Answer, ClientError> {
        self.open("subscriptions/listen", json!({ "notifications": notifications })).await
    }

    /// Sends these bytes with these headers, and nothing else but `Host` (unless given) and the body's length.
    ///
    /// # Errors
    /// When no whole answer came. An answer that refuses is an answer.
    pub async fn raw(&self, body: impl Into<Bytes>, headers: HeaderMap) -> Result<Reply, ClientError> {
        self.send(body.into(), headers).await?.whole().await
    }

    /// The right body for a request: an id of its own, and `_meta` beside whatever `params` brings.
    pub fn body(&self, method: &str, mut params: Value) -> Value {
        let mut meta = json!({
            META_VERSION: REVISION,
            META_CAPABILITIES: self.capabilities,
            META_CLIENT: { "name": self.name, "version": env!("CARGO_PKG_VERSION") },
        });
        if let Some(params) = params.as_object_mut() {
            if let (Some(Value::Object(given)), Some(meta)) = (params.remove("_meta"), meta.as_object_mut()) {
                meta.extend(given);
            }
            params.insert("_meta".to_owned(), meta);
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
    }

    /// The right headers for a request, credential included.
    pub fn headers(&self, method: &str, params: &Value) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        headers.insert(PROTOCOL_VERSION, HeaderValue::from_static(REVISION));
        headers.insert(MCP_METHOD, header_value(method));
        let name = match method {
            "tools/call" | "prompts/get" => params.get("name"),
            "resources/read" => params.get("uri"),
            "tasks/get" | "tasks/update" | "tasks/cancel" => params.get("taskId"),
            _ => None,
        };
        if let Some(name) = name.and_then(Value::as_str) {
            headers.insert(MCP_NAME, header_value(name));
        }
        if let Some(authorization) = &self.authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        headers
    }

    async fn send(&self, body: Bytes, headers: HeaderMap) -> Result<Answer, ClientError> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.uri.clone())
            .body(Full::new(body))
            .map_err(ClientError::Request)?;
        *request.headers_mut() = headers;
        let response = tokio::time::timeout(self.patience, self.http.request(request))
            .await
            .map_err(|_elapsed| ClientError::TooSlow { milliseconds: self.patience.as_millis() })?
            .map_err(ClientError::Send)?;
        Ok(Answer::new(response, self.patience))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is an agent's side: what the gate connects to is not its business")]
fn connections() -> legacy::Client<HttpConnector, Full<Bytes>> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    legacy::Client::builder(TokioExecutor::new()).retry_canceled_requests(false).build(connector)
}

/// A text as a header carries it: as it is where that is safe, otherwise in the base64 wrapping of the protocol.
fn header_value(text: &str) -> HeaderValue {
    let plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
        && text.trim() == text
        && !text.is_empty()
        && !text.starts_with("=?base64?");
    let text = if plain { text.to_owned() } else { format!("=?base64?{}?=", STANDARD.encode(text)) };
    // What is printable, or base64, is always a header's value.
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests;
