//! One TCP connection to the gate, and the bytes on it as the test wants them.

use std::fmt::Write as _;
use std::time::Duration;

use http::HeaderMap;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::PATIENCE;
use crate::gate::Gate;
use crate::gate::files::Caller;

/// A connection.
pub(crate) struct Line {
    stream: TcpStream,
    read: Vec<u8>,
}

/// An answer on a connection.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The word that a refusal gives as its reason.
    pub(crate) fn reason(&self) -> String {
        let message = self.json();
        let told = &message["error"]["data"]["dev.portcullis/refusal"]["reason"];
        let told = if told.is_null() { &message["result"]["_meta"]["dev.portcullis/refusal"]["reason"] } else { told };
        told.as_str().unwrap_or_default().to_owned()
    }
}

impl Line {
    /// Connects to the agents' listener.
    #[expect(clippy::disallowed_methods, reason = "a test looks at the gate from outside")]
    pub(crate) async fn open(gate: &Gate) -> Self {
        let stream = TcpStream::connect(gate.agents()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }

    /// Sends bytes; false when the gate has closed the connection.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Says that nothing more will be sent.
    pub(crate) async fn finish(&mut self) {
        drop(self.stream.shutdown().await);
    }

    /// Sends as much as the gate takes before it stops reading for a while.
    pub(crate) async fn send_what_it_takes(&mut self, bytes: &[u8], rest: Duration) {
        drop(tokio::time::timeout(rest, self.stream.write_all(bytes)).await);
    }

    /// Breaks the connection.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }

    /// The next answer, whole; `None` when the gate closed the connection before one began.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        let head = loop {
            if let Some(end) = position(&self.read, b"\r\n\r\n") {
                let head = self.read.drain(..end + 4).collect::<Vec<_>>();
                break String::from_utf8(head).unwrap();
            }
            if !self.more().await {
                return None;
            }
        };
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = match header(&head, "content-length") {
            Some(length) => self.exactly(length.parse().unwrap()).await,
            None if header(&head, "transfer-encoding").is_some() => self.chunks().await,
            None => Vec::new(),
        };
        Some(Answer { status, body })
    }

    /// Reads until so many bytes have come at all; false when the connection ends first.
    pub(crate) async fn received(&mut self, bytes: usize) -> bool {
        while self.read.len() < bytes {
            if !self.more().await {
                return false;
            }
        }
        true
    }

    /// Whether the gate closes the connection and says nothing more.
    pub(crate) async fn ends(&mut self) -> bool {
        while self.more().await {}
        self.read.is_empty()
    }

    async fn exactly(&mut self, length: usize) -> Vec<u8> {
        assert!(self.received(length).await, "the answer broke off");
        self.read.drain(..length).collect()
    }

    async fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                if let Some(end) = position(&self.read, b"\r\n") {
                    break end;
                }
                assert!(self.more().await, "the answer broke off");
            };
            let size = String::from_utf8(self.read.drain(..end + 2).collect()).unwrap();
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            let chunk = self.exactly(size + 2).await;
            if size == 0 {
                return body;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }

    /// Receives some more; false at the end, whichever way it came.
    async fn more(&mut self) -> bool {
        let mut some = [0; 16 * 1024];
        let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut some)).await.expect("the gate is silent");
        let count = read.unwrap_or_default();
        self.read.extend_from_slice(&some[..count]);
        count > 0
    }
}

/// A header's value.
pub(crate) fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let pairs = head.lines().filter_map(|line| line.split_once(':'));
    let mut values = pairs.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
    values.next()
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// A right call of `read_ticket`: its headers and its body.
pub(crate) fn right(gate: &Gate, caller: Caller) -> (HeaderMap, String) {
    let client = gate.client(caller);
    let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
    (client.headers("tools/call", &params), client.body("tools/call", params).to_string())
}

/// The head of a request to the desk: these headers, `Host` before them, and whatever `more` lines after them.
pub(crate) fn head(gate: &Gate, headers: &HeaderMap, more: &str) -> String {
    let mut text = format!("POST /desk/mcp HTTP/1.1\r\nHost: {}\r\n", gate.agents());
    for (name, value) in headers {
        write!(text, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
    }
    text.push_str(more);
    text.push_str("\r\n");
    text
}

/// A whole right call.
pub(crate) fn whole(gate: &Gate, caller: Caller) -> String {
    let (headers, body) = right(gate, caller);
    format!("{}{body}", head(gate, &headers, &format!("Content-Length: {}\r\n", body.len())))
}
