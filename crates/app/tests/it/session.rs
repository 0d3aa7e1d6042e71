//! A client of one of the revisions before 2026-07-28: it keeps a session, is asked and answers, and reads on where a stream broke off.
//!
//! It says what a good client says. To say something wrong, take the right thing from [`Session::request`] and
//! [`Session::headers`], bend it, and send it with [`Line::send`]: it goes out as given.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use drill::mcp::Reply;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::gate::files::{Caller, caller_token};
use crate::gate::{Gate, value};

/// The header that names a session.
pub(crate) const SESSION: &str = "mcp-session-id";
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long nothing has to come for a stream to be called silent.
const SILENCE: Duration = Duration::from_millis(250);

/// A caller's way to an endpoint.
#[derive(Clone)]
pub(crate) struct Line {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    url: String,
    authorization: HeaderValue,
}

/// A session that the gate began for a caller.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) line: Line,
    pub(crate) id: String,
    /// The revision that was agreed on.
    pub(crate) revision: String,
    next: Arc<AtomicU64>,
}

/// An answer that is still arriving. Dropping it closes the connection.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The id of the newest event.
    pub(crate) last: Option<String>,
    /// Milliseconds to wait before it is read on.
    pub(crate) retry: Option<u64>,
    /// The kind of the newest event.
    pub(crate) kind: Option<String>,
    body: BoxBody<Bytes, ()>,
    received: Vec<u8>,
    taken: usize,
}

impl Line {
    pub(crate) fn new(gate: &Gate, endpoint: &str, caller: Caller) -> Self {
        Self::bearing(gate, endpoint, &caller_token(caller.name))
    }

    /// The way of whoever has a token.
    pub(crate) fn bearing(gate: &Gate, endpoint: &str, token: &str) -> Self {
        let url = format!("http://{}/{endpoint}/mcp", gate.agents());
        Self { http: connections(), url, authorization: value(&format!("Bearer {token}")) }
    }

    /// The same caller's way to another path of the gate.
    pub(crate) fn at(&self, path: &str) -> Self {
        let (scheme, rest) = self.url.split_once("://").unwrap();
        let url = format!("{scheme}://{}{path}", rest.split('/').next().unwrap());
        Self { url, ..self.clone() }
    }

    /// The headers of a message outside any session.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, value("application/json"));
        headers.insert(header::ACCEPT, value("application/json, text/event-stream"));
        headers.insert(header::AUTHORIZATION, self.authorization.clone());
        headers
    }

    /// Sends these bytes with these headers, and nothing else but what HTTP needs.
    pub(crate) async fn send(&self, verb: Method, headers: HeaderMap, body: impl Into<Bytes>) -> Answer {
        let mut request = Request::builder().method(verb).uri(&self.url).body(Full::new(body.into())).unwrap();
        *request.headers_mut() = headers;
        let response = tokio::time::timeout(PATIENCE, self.http.request(request)).await.expect("an answer in time");
        let (head, body) = response.expect("an answer").into_parts();
        let (status, headers) = (head.status, head.headers);
        let body = body.map_err(drop).boxed();
        Answer { status, headers, last: None, retry: None, kind: None, body, received: Vec::new(), taken: 0 }
    }

    /// Asks for a session.
    pub(crate) async fn greet(&self, version: &str, capabilities: Value) -> Reply {
        let client = json!({ "name": "it", "version": "1" });
        let params = json!({ "protocolVersion": version, "capabilities": capabilities, "clientInfo": client });
        let message = json!({ "jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": params });
        self.send(Method::POST, self.headers(), message.to_string()).await.whole().await
    }

    /// Begins a session of 2025-11-25.
    pub(crate) async fn begin(&self, capabilities: Value) -> Session {
        self.begin_in("2025-11-25", capabilities).await
    }

    /// Begins a session of this revision, or of the one that is served instead.
    pub(crate) async fn begin_in(&self, version: &str, capabilities: Value) -> Session {
        let hello = self.greet(version, capabilities).await;
        let shown = String::from_utf8_lossy(&hello.body).into_owned();
        assert_eq!(hello.status, 200, "{shown}");
        let id = hello.headers.get(SESSION).unwrap_or_else(|| panic!("a session's id: {shown}"));
        let id = id.to_str().unwrap().to_owned();
        let revision = hello.result().unwrap()["protocolVersion"].as_str().unwrap().to_owned();
        let session = Session { line: self.clone(), id, revision, next: Arc::new(AtomicU64::new(1)) };
        let reply = session.tell("notifications/initialized", json!({})).await;
        assert_eq!(reply.status, 202, "{}", String::from_utf8_lossy(&reply.body));
        session
    }
}

impl Session {
    /// The same session's id in another caller's hands, or at another endpoint.
    pub(crate) fn with(&self, line: Line) -> Self {
        Self { line, ..self.clone() }
    }

    /// Another session's id in this caller's hands.
    pub(crate) fn named(&self, id: &str) -> Self {
        Self { id: id.to_owned(), ..self.clone() }
    }

    /// The headers of a message of the session: its revision is among them since 2025-06-18.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = self.line.headers();
        if self.revision.as_str() >= "2025-06-18" {
            headers.insert("mcp-protocol-version", value(&self.revision));
        }
        headers.insert(SESSION, value(&self.id));
        headers
    }

    /// A request with an id of its own.
    pub(crate) fn request(&self, method: &str, params: Value) -> Value {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut request = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        request["params"] = params;
        request
    }

    /// Posts a message.
    pub(crate) async fn post(&self, message: &Value) -> Answer {
        self.line.send(Method::POST, self.headers(), message.to_string()).await
    }

    /// Posts several messages in one array.
    pub(crate) async fn batch(&self, messages: &[Value]) -> Answer {
        self.line.send(Method::POST, self.headers(), json!(messages).to_string()).await
    }

    /// Posts a request, and reads its answer to the end.
    pub(crate) async fn send(&self, method: &str, params: Value) -> Reply {
        self.post(&self.request(method, params)).await.whole().await
    }

    /// Calls a tool.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Reply {
        self.send("tools/call", json!({ "name": tool, "arguments": arguments })).await
    }

    /// Looks a ticket up: what everybody may do, and the server does at once.
    pub(crate) async fn read_ticket(&self) -> Reply {
        self.call("read_ticket", json!({ "ticket": "1" })).await
    }

    /// Posts a notification.
    pub(crate) async fn tell(&self, method: &str, params: Value) -> Reply {
        self.post(&json!({ "jsonrpc": "2.0", "method": method, "params": params })).await.whole().await
    }

    /// Takes a request back.
    pub(crate) async fn take_back(&self, id: &Value) -> Reply {
        self.tell("notifications/cancelled", json!({ "requestId": id, "reason": "changed my mind" })).await
    }

    /// Answers a question.
    pub(crate) async fn answer(&self, id: &Value, result: Value) -> Reply {
        self.post(&json!({ "jsonrpc": "2.0", "id": id, "result": result })).await.whole().await
    }

    /// Listens to what is said unasked.
    pub(crate) async fn listen(&self) -> Answer {
        self.line.send(Method::GET, self.streaming(), "").await
    }

    /// Reads a stream on after an event.
    pub(crate) async fn read_on(&self, last: &str) -> Answer {
        let mut headers = self.streaming();
        headers.insert("last-event-id", value(last));
        self.line.send(Method::GET, headers, "").await
    }

    /// Ends the session.
    pub(crate) async fn delete(&self) -> Reply {
        self.line.send(Method::DELETE, self.streaming(), "").await.whole().await
    }

    fn streaming(&self) -> HeaderMap {
        let mut headers = self.headers();
        headers.remove(header::CONTENT_TYPE);
        headers.insert(header::ACCEPT, value("text/event-stream"));
        headers
    }
}

impl Answer {
    /// The receipt that it names.
    pub(crate) fn receipt(&self) -> String {
        self.headers["portcullis-receipt"].to_str().unwrap().to_owned()
    }

    /// The next message of a stream; `None` at its end, however it came.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            let event = self.event().await?;
            if !event.is_empty() {
                return Some(serde_json::from_str(&event).expect("an event with a message"));
            }
        }
    }

    /// The next message, which has to be there.
    pub(crate) async fn message(&mut self) -> Value {
        self.next().await.expect("a message more")
    }

    /// All the rest of the messages.
    pub(crate) async fn rest(&mut self) -> Vec<Value> {
        let mut rest = Vec::new();
        while let Some(message) = self.next().await {
            rest.push(message);
        }
        rest
    }

    /// Whether nothing comes, not even the end.
    pub(crate) async fn is_silent(&mut self) -> bool {
        tokio::time::timeout(SILENCE, self.next()).await.is_err()
    }

    /// The data of the next event; comments are passed over, and are no sign that it comes.
    pub(crate) async fn event(&mut self) -> Option<String> {
        tokio::time::timeout(PATIENCE, self.read_event()).await.expect("an event in time")
    }

    async fn read_event(&mut self) -> Option<String> {
        loop {
            let rest = &self.received[self.taken..];
            if let Some(end) = rest.windows(2).position(|two| two == b"\n\n") {
                let event = String::from_utf8(rest[..end].to_vec()).unwrap();
                self.taken += end + 2;
                if let Some(data) = self.read(&event) {
                    return Some(data);
                }
                continue;
            }
            if !self.receive().await {
                return None;
            }
        }
    }

    /// Reads an event's fields; `None` for a comment.
    fn read(&mut self, event: &str) -> Option<String> {
        let field = |name: &str| {
            let line = event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.map(|value| value.trim_start().to_owned())
        };
        let spoken: Vec<_> = event.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim_start).collect();
        let data = (!spoken.is_empty()).then(|| spoken.join("\n"));
        let (id, retry) = (field("id"), field("retry"));
        if id.is_none() && retry.is_none() && data.is_none() {
            return None;
        }
        self.kind = field("event");
        self.last = id.or(self.last.take());
        self.retry = retry.map(|retry| retry.parse().unwrap()).or(self.retry);
        Some(data.unwrap_or_default())
    }

    /// Reads to the end, which has to come.
    pub(crate) async fn whole(self) -> Reply {
        tokio::time::timeout(PATIENCE, self.read_whole()).await.expect("the end of the answer in time")
    }

    async fn read_whole(mut self) -> Reply {
        let streams = self.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let messages: Vec<Value> = match streams {
            true => self.rest().await,
            false => {
                while self.receive().await {}
                serde_json::from_slice(&self.received).into_iter().collect()
            }
        };
        let answers = |message: &&Value| message.get("result").is_some() || message.get("error").is_some();
        let json = messages.iter().find(answers).cloned().unwrap_or_default();
        Reply { status: self.status, headers: self.headers, json, messages, body: self.received.into() }
    }

    async fn receive(&mut self) -> bool {
        let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("more of the answer in time");
        // A connection that breaks is an end too.
        let Some(Ok(frame)) = frame else { return false };
        if let Some(data) = frame.data_ref() {
            self.received.extend_from_slice(data);
        }
        true
    }
}

#[expect(clippy::disallowed_methods, reason = "a test looks at the gate from outside")]
fn connections() -> legacy::Client<HttpConnector, Full<Bytes>> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    legacy::Client::builder(TokioExecutor::new()).retry_canceled_requests(false).build(connector)
}
