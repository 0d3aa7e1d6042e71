//! Whoever comes and goes beside the load: clients that keep sessions, subscribers, and callers of a local server
//! and of one that needs a session of the gate's.
//!
//! Each visit leaves something behind in the gate that must not stay: a session, two streams, now and then a process that
//! has ended. Some say goodbye and some just leave, as people's machines do.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde::Serialize;
use serde_json::{Value, json};

use super::elder;
use crate::gate::Gate;
use crate::many::shelves;

/// Streams that are held open, the newest ones of each kind; the oldest is closed for a new one.
const HELD: usize = 8;
/// Of so many clients one leaves without a word; no multiple of two, so that they leave from both endpoints.
const LEAVERS: usize = 3;
/// Between two calls of the local server, and of the one of another era, this many visits.
const CALL_EVERY: usize = 10;
/// Time the gate may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;

/// What came of the visits.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Visits {
    /// Sessions begun.
    pub(super) sessions: usize,
    /// Of them, those ended by their clients.
    pub(super) ended: usize,
    /// Streams opened: of sessions and of subscriptions.
    pub(super) streams: usize,
    /// Calls of the local server.
    pub(super) local_calls: usize,
    /// Calls of 2026-07-28 to the server of 2025-11-25.
    pub(super) bridged_calls: usize,
    /// Visits that something came in the way of.
    pub(super) failures: usize,
    /// What it was, of the first of them.
    pub(super) first_failures: Vec<String>,
}

/// Visitors on a thread of their own, until they are asked to end.
pub(super) struct Visitors {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Visits>,
}

impl Visitors {
    /// They begin to come, with a pause between two of them.
    pub(super) fn start(gate: &Gate, pause: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, door) = (Arc::clone(&stop), Door { agents: gate.agents(), token: gate.token() });
        let thread = std::thread::spawn(move || door.visit(&stopped, pause));
        Self { stop, thread }
    }

    /// The thread cannot panic; were it to, nothing would be told of its visits.
    pub(super) fn end(self) -> Visits {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

/// The gate, as visitors know it.
struct Door {
    agents: SocketAddr,
    token: &'static str,
}

/// What was answered.
struct Answer {
    head: String,
    body: String,
}

/// Streams that are read no further, the oldest first.
#[derive(Default)]
struct Streams {
    of_sessions: VecDeque<TcpStream>,
    of_subscriptions: VecDeque<TcpStream>,
}

impl Door {
    fn visit(&self, stopped: &AtomicBool, pause: Duration) -> Visits {
        let (mut visits, mut streams) = (Visits::default(), Streams::default());
        for number in 0.. {
            if stopped.load(Ordering::Relaxed) {
                break;
            }
            let endpoint = if number % 2 == 0 { "desk" } else { "elder" };
            let said_goodbye = self.come_and_go(endpoint, number % LEAVERS != 0, &mut streams, &mut visits);
            let listened = self.listen(&mut streams, &mut visits);
            let called = if number % CALL_EVERY == 0 { self.call_child(&mut visits) } else { Ok(()) };
            let bridged = if number % CALL_EVERY == 1 { self.call_elder(&mut visits) } else { Ok(()) };
            for failure in [said_goodbye, listened, called, bridged].into_iter().filter_map(Result::err) {
                visits.failures += 1;
                if visits.first_failures.len() < 10 {
                    visits.first_failures.push(format!("visit {number}: {failure:#}"));
                }
            }
            std::thread::sleep(pause);
        }
        visits
    }

    /// A client of 2025-11-25: begins a session, lists, calls, listens, and leaves.
    fn come_and_go(
        &self,
        endpoint: &str,
        says_goodbye: bool,
        streams: &mut Streams,
        visits: &mut Visits,
    ) -> anyhow::Result<()> {
        let capabilities = json!({ "elicitation": {} });
        let params = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": capabilities,
            "clientInfo": { "name": "bench-visitor", "version": "1" },
        });
        let answer = self.post(endpoint, &request("initialize", &params), "")?;
        let session = answer.header("mcp-session-id").context("no session was begun")?;
        visits.sessions += 1;
        let of_session = format!("MCP-Protocol-Version: 2025-11-25\r\nMcp-Session-Id: {session}\r\n");
        self.post(endpoint, &json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }), &of_session)?;
        self.post(endpoint, &request("tools/list", &json!({})), &of_session)?.is_about("inputSchema")?;
        if endpoint == "elder" {
            let call = json!({ "name": elder::TOOL, "arguments": { "to": "you" } });
            self.post(endpoint, &request("tools/call", &call), &of_session)?.is_about("hello")?;
        }
        let stream = self.open(&self.head("GET", endpoint, &of_session), "")?;
        visits.streams += 1;
        hold(&mut streams.of_sessions, stream);
        if says_goodbye {
            self.ask(&self.head("DELETE", endpoint, &of_session), "")?;
            visits.ended += 1;
        }
        Ok(())
    }

    /// A subscriber of 2026-07-28.
    fn listen(&self, streams: &mut Streams, visits: &mut Visits) -> anyhow::Result<()> {
        let params = json!({ "notifications": { "toolsListChanged": true }, "_meta": meta() });
        let body = request("subscriptions/listen", &params).to_string();
        let head = self.head("POST", "shelf", &modern("subscriptions/listen", None));
        let stream = self.open(&head, &body)?;
        visits.streams += 1;
        hold(&mut streams.of_subscriptions, stream);
        Ok(())
    }

    /// A call of 2026-07-28 to a process of the gate's.
    fn call_child(&self, visits: &mut Visits) -> anyhow::Result<()> {
        let tool = shelves::name(0);
        let call = json!({ "name": tool, "arguments": { "count": 1, "to": "there" }, "_meta": meta() });
        let answer = self.post("child", &request("tools/call", &call), &modern("tools/call", Some(&tool)))?;
        visits.local_calls += 1;
        answer.is_about("done")
    }

    /// A call of 2026-07-28 to the server of 2025-11-25: the gate keeps the session.
    fn call_elder(&self, visits: &mut Visits) -> anyhow::Result<()> {
        let call = json!({ "name": elder::TOOL, "arguments": { "to": "you" }, "_meta": meta() });
        let answer = self.post("elder", &request("tools/call", &call), &modern("tools/call", Some(elder::TOOL)))?;
        visits.bridged_calls += 1;
        answer.is_about("hello")
    }

    fn head(&self, method: &str, endpoint: &str, headers: &str) -> String {
        format!(
            "{method} /{endpoint}/mcp HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{headers}",
            self.agents, self.token
        )
    }

    fn post(&self, endpoint: &str, message: &Value, headers: &str) -> anyhow::Result<Answer> {
        let method = message.get("method").and_then(Value::as_str).unwrap_or_default();
        self.ask(&self.head("POST", endpoint, headers), &message.to_string())
            .with_context(|| format!("{endpoint}: {method}"))
    }

    /// Sends a request on a connection of its own, and reads the whole answer.
    fn ask(&self, head: &str, body: &str) -> anyhow::Result<Answer> {
        let stream = self.sent(&format!("{head}Connection: close\r\n"), body)?;
        let mut text = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut text).context("read an answer")?;
        let text = String::from_utf8_lossy(&text);
        let (head, body) = text.split_once("\r\n\r\n").context("an answer without an end of its head")?;
        let answer = Answer { head: head.to_owned(), body: body.to_owned() };
        match answer.head.split(' ').nth(1) {
            Some(status) if status.starts_with('2') => Ok(answer),
            _ => bail!("answered {}: {body}", answer.head.lines().next().unwrap_or_default()),
        }
    }

    /// Sends a request on a connection of its own, and reads until its stream has begun.
    fn open(&self, head: &str, body: &str) -> anyhow::Result<TcpStream> {
        let mut lines = BufReader::new(self.sent(head, body)?);
        let mut status = String::new();
        lines.read_line(&mut status).context("read an answer")?;
        ensure!(status.contains(" 200 "), "a stream was not opened: {}", status.trim());
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            ensure!(lines.read_line(&mut line).context("read an answer")? > 0, "the connection was closed");
        }
        Ok(lines.into_inner())
    }

    #[expect(clippy::disallowed_methods, reason = "the benchmark is no part of the product, and calls loopback only")]
    fn sent(&self, head: &str, body: &str) -> anyhow::Result<TcpStream> {
        let mut stream = TcpStream::connect_timeout(&self.agents, PATIENCE).context("connect to the gate")?;
        stream.set_read_timeout(Some(PATIENCE)).context("set a time limit")?;
        let (length, kinds) = (body.len(), "application/json, text/event-stream");
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let text = format!("{head}Accept: {kinds}\r\n{kind}Content-Length: {length}\r\n\r\n{body}");
        stream.write_all(text.as_bytes()).context("send a request")?;
        Ok(stream)
    }
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    fn is_about(&self, word: &str) -> anyhow::Result<()> {
        ensure!(self.body.contains(word), "an answer without `{word}`: {}", self.body);
        Ok(())
    }
}

fn hold(streams: &mut VecDeque<TcpStream>, stream: TcpStream) {
    streams.push_back(stream);
    if streams.len() > HELD {
        streams.pop_front();
    }
}

fn request(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "bench-visitor", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

fn modern(method: &str, name: Option<&str>) -> String {
    let name = name.map(|name| format!("Mcp-Name: {name}\r\n")).unwrap_or_default();
    format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\n{name}")
}
