//! A client of 2024-11-05 over HTTP: one event stream that it keeps open, and messages that it posts beside it.

use std::sync::atomic::{AtomicU64, Ordering};

use drill::mcp::Reply;
use http::{HeaderMap, Method, header};
use serde_json::{Value, json};

use crate::gate::value;
use crate::session::{Answer, Line};

/// An event stream, and where to post beside it.
pub(crate) struct Stream {
    pub(crate) heard: Answer,
    /// The path and query to post to.
    pub(crate) address: String,
    line: Line,
    next: AtomicU64,
}

/// Opens an event stream at an endpoint; what comes of it may be a refusal.
pub(crate) async fn get(line: &Line, endpoint: &str) -> Answer {
    let mut headers = line.headers();
    headers.remove(header::CONTENT_TYPE);
    headers.insert(header::ACCEPT, value("text/event-stream"));
    line.at(&format!("/{endpoint}/sse")).send(Method::GET, headers, "").await
}

impl Stream {
    /// Opens one, which tells where to post.
    pub(crate) async fn open(line: &Line, endpoint: &str) -> Self {
        let mut heard = get(line, endpoint).await;
        assert_eq!((heard.status.as_u16(), &heard.headers["content-type"]), (200, &value("text/event-stream")));
        let address = heard.event().await.expect("where to post");
        assert_eq!(heard.kind.as_deref(), Some("endpoint"));
        assert!(address.starts_with(&format!("/{endpoint}/messages?session=")), "{address}");
        Self { heard, address, line: line.clone(), next: AtomicU64::new(1) }
    }

    /// The handle in the address.
    pub(crate) fn handle(&self) -> &str {
        self.address.split_once("session=").unwrap().1
    }

    /// What such a client says of a message: hardly anything.
    pub(crate) fn headers(line: &Line) -> HeaderMap {
        let mut headers = line.headers();
        headers.remove(header::ACCEPT);
        headers
    }

    /// Posts a message, and gives the status with whatever stands beside it.
    pub(crate) async fn post(&self, message: &Value) -> Reply {
        self.post_as(&self.line, message.to_string()).await
    }

    /// The same bytes from somebody else, or other bytes.
    pub(crate) async fn post_as(&self, line: &Line, body: String) -> Reply {
        line.at(&self.address).send(Method::POST, Self::headers(line), body).await.whole().await
    }

    /// A request with an id of its own.
    pub(crate) fn request(&self, method: &str, params: Value) -> Value {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut request = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        request["params"] = params;
        request
    }

    /// Posts a request, whose answer comes on the stream.
    pub(crate) async fn send(&self, method: &str, params: Value) -> Value {
        let request = self.request(method, params);
        crate::sessions::taken(&self.post(&request).await);
        request["id"].clone()
    }

    /// The next message of the stream.
    pub(crate) async fn message(&mut self) -> Value {
        let message = self.heard.message().await;
        assert_eq!(self.heard.kind.as_deref(), Some("message"));
        message
    }

    /// Asks, and waits for the answer.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params).await;
        let answer = self.message().await;
        assert_eq!(answer["id"], id, "{answer:#}");
        answer
    }

    /// Looks a ticket up.
    pub(crate) async fn read_ticket(&mut self) -> Value {
        self.ask("tools/call", json!({ "name": "read_ticket", "arguments": { "ticket": "1" } })).await
    }

    /// Begins a session of this revision.
    pub(crate) async fn begin(&mut self, version: &str, capabilities: Value) {
        let params =
            json!({ "protocolVersion": version, "capabilities": capabilities, "clientInfo": { "name": "old" } });
        let hello = self.ask("initialize", params).await;
        assert_eq!(hello["result"]["protocolVersion"], version, "{hello:#}");
        let noted = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        crate::sessions::taken(&self.post(&noted).await);
    }
}
