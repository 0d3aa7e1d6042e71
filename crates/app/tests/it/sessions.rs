//! Clients and servers of the revisions before 2026-07-28, which keep sessions: how one begins and ends, what passes in it either way, and how
//! it outlives connections.

pub(crate) mod batches;
mod calls;
mod cancellation;
mod eras;
mod lifecycle;
mod news;
mod oldest;
mod pages;
mod questions;
mod resumption;
pub(crate) mod revisions;

use std::fs;

use drill::mcp::Reply;
use serde_json::{Value, json};

use crate::gate::files::{Caller, endpoint, policies_at, server};
use crate::gate::{Gate, Setup};
use crate::session::{Answer, Line, Session};
use crate::talker::{Speech, TALK, Talker};

/// What the clients of these tests can be asked, and two capabilities that are no server's business.
pub(crate) fn capabilities() -> Value {
    json!({
        "elicitation": { "form": {}, "url": {} },
        "sampling": { "context": {}, "tools": {} },
        "roots": { "listChanged": true },
        "tasks": { "requests": {} },
        "experimental": { "party": {} },
    })
}

/// The lobby may ask.
const ASKS: &str = r#"
@id("lobby-asks")
permit (principal, action == Action::"ask", resource == Server::"lobby");
"#;

/// Nobody may.
const NO_ASKS: &str = r#"
@id("lobby-asks-nothing")
forbid (principal, action == Action::"ask", resource == Server::"lobby");
"#;

/// A gate with a second endpoint, `lobby`, and behind it a server that keeps sessions and may ask.
pub(crate) struct Lobby {
    pub(crate) gate: Gate,
    pub(crate) talker: Talker,
}

impl Lobby {
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// One whose server may not ask.
    pub(crate) async fn silent() -> Self {
        let state = vec![("policies/lobby-asks.cedar".to_owned(), NO_ASKS.to_owned())];
        Self::with(Setup { state, ..Setup::default() }).await
    }

    /// One whose server speaks this revision.
    pub(crate) async fn speaking(revision: &'static str) -> Self {
        let talker = Talker::start().await;
        talker.speaks(revision);
        Self::before(talker, Setup::default()).await
    }

    /// One with something different.
    pub(crate) async fn with(setup: Setup) -> Self {
        Self::before(Talker::start().await, setup).await
    }

    /// One whose server speaks this revision over HTTP+SSE.
    pub(crate) async fn of_events(revision: &'static str) -> Self {
        let talker = Talker::start().await;
        talker.speaks(revision);
        let url = talker.url_of_events();
        let state = vec![("servers/lobby.toml".to_owned(), server("lobby", &url, true))];
        Self::before(talker, Setup { state, guarded: true, ..Setup::default() }).await
    }

    async fn before(talker: Talker, mut setup: Setup) -> Self {
        let mut state = vec![
            ("servers/lobby.toml".to_owned(), server("lobby", &talker.url(), setup.guarded)),
            ("endpoints/lobby.toml".to_owned(), endpoint("lobby", "lobby")),
            ("endpoints/annex.toml".to_owned(), endpoint("annex", "lobby")),
            ("policies/lobby.cedar".to_owned(), policies_at("lobby")),
            ("policies/annex.cedar".to_owned(), ANNEX.to_owned()),
            ("policies/lobby-asks.cedar".to_owned(), ASKS.to_owned()),
        ];
        state.append(&mut setup.state);
        let gate = Gate::with(Setup { state, ..setup }).await;
        gate.must(&["server", "approve", "lobby", "--yes"]).await;
        Self { gate, talker }
    }

    pub(crate) fn line(&self, caller: Caller) -> Line {
        self.line_at("lobby", caller)
    }

    pub(crate) fn line_at(&self, endpoint: &str, caller: Caller) -> Line {
        Line::new(&self.gate, endpoint, caller)
    }

    /// Begins a session of a client that can be asked everything.
    pub(crate) async fn begin(&self, caller: Caller) -> Session {
        self.line(caller).begin(capabilities()).await
    }

    /// Calls the tool that talks, whose answer begins as a stream.
    pub(crate) async fn talk(&self, session: &Session) -> (Answer, Speech) {
        self.talk_of(session, json!({ "name": TALK })).await
    }

    /// The same with these parameters.
    pub(crate) async fn talk_of(&self, session: &Session, params: Value) -> (Answer, Speech) {
        let call = session.request("tools/call", params);
        let (answer, stage) = tokio::join!(session.post(&call), async { self.talker.call().await.speaks() });
        assert_eq!(answer.status, 200);
        (answer, stage)
    }

    /// The stream on which the server speaks unasked in this session, and the client's.
    pub(crate) async fn aside(&self, session: &Session) -> (Answer, Speech) {
        let answer = session.listen().await;
        assert_eq!(answer.status, 200);
        crate::verdict::passes(&session.read_ticket().await);
        let last = self.talker.forwarded().pop().expect("a call at the server");
        (answer, self.talker.aside(&last.session.expect("the server's session")).await)
    }

    /// Puts a file of the state in place of what is there, and applies it.
    pub(crate) async fn put(&self, file: &str, text: &str) {
        fs::write(self.gate.directory().join("state").join(file), text).unwrap();
        self.gate.apply().await;
    }

    /// Forbids the server to ask, or permits it again.
    pub(crate) async fn may_ask(&self, may: bool) {
        self.put("policies/lobby-asks.cedar", if may { ASKS } else { NO_ASKS }).await;
    }

    /// Waits until the gate has seen that the lobby is not what was approved, and goes by it.
    pub(crate) async fn drift_seen(&self) {
        let seen = |drift: &Value| drift["changes"].as_array().is_some_and(|changes| !changes.is_empty());
        self.gate.until("/servers/lobby/difference", seen).await;
        self.gate.until("/revision", |revision| revision["revision"] == revision["in_effect"]).await;
    }

    /// The newest receipts of a kind, as their events.
    pub(crate) async fn receipts(&self, kind: &str) -> Vec<Value> {
        let page = self.gate.read(&format!("/receipts?kind={kind}")).await;
        page["receipts"].as_array().unwrap().iter().map(|one| one["record"]["event"].clone()).collect()
    }

    /// Waits until so much of something has reached the server.
    pub(crate) async fn hears(&self, what: &str, so: impl Fn(&Talker) -> bool) {
        crate::client::eventually(what, || so(&self.talker)).await;
    }
}

/// Who uses the lobby's server from the annex: everybody who may at the lobby.
const ANNEX: &str = r#"
@id("annex-connects")
permit (principal, action == Action::"connect", resource == Endpoint::"annex");
"#;

/// The reply took a notification or an answer.
pub(crate) fn taken(reply: &Reply) {
    assert_eq!((reply.status.as_u16(), reply.body.len()), (202, 0), "{}", String::from_utf8_lossy(&reply.body));
}

/// The text of a tool's result.
pub(crate) fn text(message: &Value) -> &str {
    message["result"]["content"][0]["text"].as_str().unwrap_or_default()
}
