//! A server whose every byte the test writes. It introduces itself as it should, in its era, so that it can be approved;
//! how it answers a call is the test's.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use drill::mcp::Reply;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::gate::files::ANA;
use crate::gate::{Gate, Setup};
use crate::session::{Line, Session};
use crate::upstream::{REPORT, reports};

/// How it is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Era {
    /// Without sessions.
    Modern,
    /// With sessions, which it does not number.
    Legacy,
}

impl Era {
    pub(super) const BOTH: [Self; 2] = [Self::Modern, Self::Legacy];
}

/// One thing that it does to the connection of a call.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// Sends these bytes.
    Say(Vec<u8>),
    /// Sends these bytes again and again, until its client leaves.
    Repeat(Vec<u8>),
    /// Sends these bytes one at a time, with a rest after each.
    Drip(Vec<u8>),
    /// Says nothing more until its client leaves.
    Rest,
    /// Breaks the connection.
    Reset,
}

/// What it does, for a call of this id. The connection is closed at the end.
pub(super) type Play = dyn Fn(&Value) -> Vec<Act> + Send + Sync;

struct Stage {
    era: Era,
    play: Mutex<Arc<Play>>,
    calls: AtomicU64,
    open: AtomicU64,
}

/// The running server. It stops when dropped.
pub(super) struct Actor {
    address: SocketAddr,
    stage: Arc<Stage>,
    task: AbortHandle,
}

/// A gate with such a server behind its endpoint `reports`, approved.
pub(super) struct Theatre {
    pub(super) gate: Gate,
    pub(super) actor: Actor,
    session: Option<Session>,
}

impl Theatre {
    pub(super) async fn start(era: Era) -> Self {
        let actor = Actor::start(era).await;
        let url = format!("http://{}/mcp", actor.address);
        let gate = Gate::with(Setup { state: reports(&url), ..Setup::default() }).await;
        gate.must(&["server", "approve", "reports", "--yes"]).await;
        let session = match era {
            Era::Modern => None,
            Era::Legacy => Some(Line::new(&gate, "reports", ANA).begin(json!({})).await),
        };
        Self { gate, actor, session }
    }

    /// Asks for a report, in the server's own era.
    pub(super) async fn ask(&self) -> Reply {
        let arguments = json!({ "report_id": "r-1" });
        match &self.session {
            Some(session) => session.call(REPORT, arguments).await,
            None => self.gate.client_at("reports", ANA).call(REPORT, arguments).await.unwrap(),
        }
    }
}

impl Actor {
    async fn start(era: Era) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let play: Arc<Play> = Arc::new(|_| Vec::new());
        let stage = Arc::new(Stage { era, play: Mutex::new(play), calls: AtomicU64::new(0), open: AtomicU64::new(0) });
        let task = tokio::spawn(accept(listener, Arc::clone(&stage))).abort_handle();
        Self { address, stage, task }
    }

    /// From the next call on it does this.
    pub(super) fn plays(&self, play: impl Fn(&Value) -> Vec<Act> + Send + Sync + 'static) {
        *self.stage.play.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(play);
    }

    /// Calls of its tool that reached it.
    pub(super) fn calls(&self) -> u64 {
        self.stage.calls.load(Ordering::Relaxed)
    }

    /// Connections to it that are open.
    pub(super) fn open(&self) -> u64 {
        self.stage.open.load(Ordering::Relaxed)
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, stage: Arc<Stage>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let stage = Arc::clone(&stage);
                stage.open.fetch_add(1, Ordering::Relaxed);
                connections.spawn(async move {
                    let _ = stream.set_nodelay(true);
                    attend(stream, &stage).await;
                    stage.open.fetch_sub(1, Ordering::Relaxed);
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection: request after request, until either side has had enough.
async fn attend(mut stream: TcpStream, stage: &Stage) {
    let mut read = Vec::new();
    while let Some((verb, body)) = receive(&mut stream, &mut read).await {
        let message: Value = serde_json::from_slice(&body).unwrap_or_default();
        if message["method"] == "tools/call" {
            stage.calls.fetch_add(1, Ordering::Relaxed);
            let play = Arc::clone(&stage.play.lock().unwrap_or_else(PoisonError::into_inner));
            perform(stream, play(&message["id"])).await;
            return;
        }
        if stream.write_all(&honest(stage.era, &verb, &message)).await.is_err() {
            return;
        }
    }
}

/// The next request's method and body.
async fn receive(stream: &mut TcpStream, read: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let mut some = [0; 16 * 1024];
    loop {
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            let length = crate::client::line::header(&head, "content-length").and_then(|length| length.parse().ok());
            let whole = end + 4 + length.unwrap_or(0);
            if read.len() >= whole {
                let request: Vec<u8> = read.drain(..whole).collect();
                let verb = head.split(' ').next().unwrap_or_default().to_owned();
                return Some((verb, request[end + 4..].to_vec()));
            }
        }
        match stream.read(&mut some).await {
            Ok(count) if count > 0 => read.extend_from_slice(&some[..count]),
            _ => return None,
        }
    }
}

async fn perform(mut stream: TcpStream, acts: Vec<Act>) {
    for act in acts {
        let done = match act {
            Act::Say(bytes) => stream.write_all(&bytes).await.is_ok(),
            Act::Repeat(bytes) => {
                while stream.write_all(&bytes).await.is_ok() {
                    tokio::task::yield_now().await;
                }
                false
            }
            Act::Drip(bytes) => {
                for byte in bytes {
                    if stream.write_all(&[byte]).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                true
            }
            Act::Rest => {
                let mut byte = [0];
                drop(stream.read(&mut byte).await);
                false
            }
            Act::Reset => {
                let _ = stream.set_zero_linger();
                false
            }
        };
        if !done {
            return;
        }
    }
    // So that what was said is read before the connection ends.
    drop(stream.shutdown().await);
    let mut byte = [0];
    drop(tokio::time::timeout(Duration::from_secs(5), stream.read(&mut byte)).await);
}

/// What a server of its era answers to everything but calls.
fn honest(era: Era, verb: &str, message: &Value) -> Vec<u8> {
    let id = &message["id"];
    let result = match (era, message["method"].as_str().unwrap_or_default()) {
        (Era::Modern, "server/discover") => json!({
            "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": { "tools": {} },
            "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "reports", "version": "1" } },
            "ttlMs": 60_000, "cacheScope": "public",
        }),
        (Era::Legacy, "initialize") => json!({
            "protocolVersion": "2025-11-25", "capabilities": { "tools": {} },
            "serverInfo": { "name": "reports", "version": "1" },
        }),
        (_, "tools/list") => {
            let properties = json!({ "report_id": { "type": "string" } });
            let schema = json!({ "type": "object", "properties": properties, "required": ["report_id"] });
            json!({
                "tools": [{ "name": REPORT, "description": "A report.", "inputSchema": schema }],
                "resultType": "complete", "ttlMs": 60_000, "cacheScope": "public",
            })
        }
        (_, "ping") => json!({}),
        (Era::Legacy, _) if id.is_null() && verb == "POST" => {
            return b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_vec();
        }
        (Era::Legacy, _) if verb != "POST" => {
            return b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n".to_vec();
        }
        _ => {
            let status = if era == Era::Modern { "404 Not Found" } else { "400 Bad Request" };
            let error = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32601, "message": "unknown" } });
            return document(status, error.to_string().as_bytes());
        }
    };
    document("200 OK", json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string().as_bytes())
}

/// A whole answer over HTTP, the last one of its connection: a call that takes a kept one at the moment of its end would
/// end as unknown.
pub(super) fn document(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// What an honest server says to a call.
pub(super) fn report(id: &Value) -> Value {
    let text = json!([{ "type": "text", "text": "All quiet." }]);
    json!({ "jsonrpc": "2.0", "id": id, "result": { "resultType": "complete", "content": text } })
}
