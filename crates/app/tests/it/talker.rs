//! A server of 2025-11-25 behind the gate, or of any revision that a test has it speak: before 2026-07-28 it keeps sessions,
//! and speaks by itself when a test has it do so. It remembers everything that reached it.
//!
//! Most of what it is asked it answers at once. A call of the tool `talk` is given to the test, as a [`Stage`]: it answers
//! in one document, or begins a stream and says on it what the test wants.
//!
//! It is found in two ways: over streamable HTTP, and at another address over the HTTP+SSE of 2024-11-05.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::puppet::{Manner, Script};

/// The tool whose calls the test answers.
pub(crate) const TALK: &str = "talk";

/// The revision in which it keeps no sessions.
const STATELESS: &str = "2026-07-28";

/// What the gate asks for itself: to read definitions, and to hear of changes in the way of another revision.
const OWN: [&str; 7] = [
    "initialize",
    "notifications/initialized",
    "server/discover",
    "subscriptions/listen",
    "tools/list",
    "prompts/list",
    "resources/templates/list",
];

const PATIENCE: Duration = Duration::from_secs(90);

/// Something that reached the server.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) verb: Method,
    pub(crate) session: Option<String>,
    pub(crate) headers: HeaderMap,
    /// The message; null for a request without a body.
    pub(crate) message: Value,
    pub(crate) body: Bytes,
}

/// A session of the server's.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) id: String,
    /// What it was told that the client can be asked.
    pub(crate) capabilities: Value,
    /// Who it was told that the client is.
    pub(crate) client: Value,
    /// Whether it was told that it is over, or forgot it.
    pub(crate) over: bool,
}

/// A request that the test answers.
pub(crate) struct Stage {
    pub(crate) session: String,
    pub(crate) message: Value,
    /// The event after which a stream is read on.
    pub(crate) last_event: Option<String>,
    head: oneshot::Sender<Head>,
}

enum Head {
    Whole(Value),
    Stream(mpsc::UnboundedReceiver<Part>),
}

enum Part {
    Bytes(Bytes),
    Break,
}

/// A stream that the server has begun.
#[derive(Clone)]
pub(crate) struct Speech {
    /// The id of the call that it answers; null for one that answers nothing.
    pub(crate) id: Value,
    pub(crate) session: String,
    parts: mpsc::UnboundedSender<Part>,
}

/// The running server. It stops when dropped.
pub(crate) struct Talker {
    address: SocketAddr,
    mind: Arc<Mind>,
    calls: tokio::sync::Mutex<mpsc::UnboundedReceiver<Stage>>,
    resumptions: tokio::sync::Mutex<mpsc::UnboundedReceiver<Stage>>,
    task: AbortHandle,
}

struct Mind {
    script: Mutex<Script>,
    /// The revision it speaks, whatever it is asked for.
    revision: Mutex<&'static str>,
    /// Where it wants to be posted to over HTTP+SSE, if not at its own address.
    elsewhere: Mutex<Option<String>>,
    sessions: Mutex<Vec<Known>>,
    seen: Mutex<Vec<Seen>>,
    asides: Mutex<Vec<Speech>>,
    calls: mpsc::UnboundedSender<Stage>,
    resumptions: mpsc::UnboundedSender<Stage>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Talker {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (calls, taken_calls) = mpsc::unbounded_channel();
        let (resumptions, taken_resumptions) = mpsc::unbounded_channel();
        let mind = Arc::new(Mind {
            script: Mutex::new(Script::lobby()),
            revision: Mutex::new("2025-11-25"),
            elsewhere: Mutex::default(),
            sessions: Mutex::default(),
            seen: Mutex::default(),
            asides: Mutex::default(),
            calls,
            resumptions,
        });
        let router = Router::new().fallback(serve).with_state(Arc::clone(&mind));
        let task = tokio::spawn(async move { drop(axum::serve(listener, router).await) }).abort_handle();
        let (calls, resumptions) = (taken_calls.into(), taken_resumptions.into());
        Self { address, mind, calls, resumptions, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// Where it is found over HTTP+SSE.
    pub(crate) fn url_of_events(&self) -> String {
        format!("http://{}/sse", self.address)
    }

    /// Wants to be posted to at another address from now on, over HTTP+SSE.
    pub(crate) fn wants_posts_at(&self, elsewhere: &str) {
        *locked(&self.mind.elsewhere) = Some(elsewhere.to_owned());
    }

    /// Ends every stream that it speaks on unasked: over HTTP+SSE, every session.
    pub(crate) fn falls_silent(&self) {
        locked(&self.mind.asides).drain(..).for_each(Speech::breaks);
    }

    /// Speaks this revision from now on. It knows the sessions that it has nevertheless.
    pub(crate) fn speaks(&self, revision: &'static str) {
        *locked(&self.mind.revision) = revision;
    }

    /// Everything that reached it.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        locked(&self.mind.seen).clone()
    }

    /// Messages that clients sent and the gate let through, and what the gate said on their behalf.
    pub(crate) fn forwarded(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(Seen::is_of_a_client).collect()
    }

    /// How many of them.
    pub(crate) fn calls(&self) -> usize {
        self.forwarded().len()
    }

    /// The messages of one method.
    pub(crate) fn heard(&self, method: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.method() == method).collect()
    }

    /// The responses to its questions.
    pub(crate) fn responses(&self) -> Vec<Value> {
        let said = self.seen().into_iter().map(|seen| seen.message);
        said.filter(|message| message.get("result").is_some() || message.get("error").is_some()).collect()
    }

    /// Its sessions, the gate's own among them.
    pub(crate) fn sessions(&self) -> Vec<Known> {
        locked(&self.mind.sessions).clone()
    }

    /// One of them.
    pub(crate) fn session(&self, id: &str) -> Known {
        self.sessions().into_iter().find(|known| known.id == id).expect("a session of this id")
    }

    /// Forgets a session, as servers do.
    pub(crate) fn forget(&self, id: &str) {
        locked(&self.mind.sessions).iter_mut().filter(|known| known.id == id).for_each(|known| known.over = true);
        locked(&self.mind.asides).retain(|speech| speech.session != id);
    }

    /// Changes how it behaves, and tells nobody.
    pub(crate) fn behave(&self, change: impl FnOnce(&mut Script)) {
        change(&mut locked(&self.mind.script));
    }

    /// Changes what it says of itself, and tells whoever listens.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Script)) {
        self.behave(change);
        let changed = json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" });
        locked(&self.mind.asides).iter().for_each(|speech| speech.say(&changed));
    }

    /// The next call of its tool `talk`.
    pub(crate) async fn call(&self) -> Stage {
        let next = async { self.calls.lock().await.recv().await };
        tokio::time::timeout(PATIENCE, next).await.expect("a call in time").expect("a call")
    }

    /// The next GET that reads a stream on.
    pub(crate) async fn resumption(&self) -> Stage {
        let next = async { self.resumptions.lock().await.recv().await };
        tokio::time::timeout(PATIENCE, next).await.expect("a GET in time").expect("a GET")
    }

    /// The stream on which it speaks unasked in a session, once it is open.
    pub(crate) async fn aside(&self, session: &str) -> Speech {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let open = locked(&self.mind.asides).iter().find(|speech| speech.session == session).cloned();
            if let Some(open) = open {
                return open;
            }
            assert!(tokio::time::Instant::now() < deadline, "nobody listens in `{session}`");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Seen {
    pub(crate) fn method(&self) -> &str {
        self.message["method"].as_str().unwrap_or_default()
    }

    fn is_of_a_client(&self) -> bool {
        self.verb == Method::POST && !OWN.contains(&self.method())
    }
}

impl Stage {
    /// The call's id.
    pub(crate) fn id(&self) -> &Value {
        &self.message["id"]
    }

    /// Answers in one document.
    pub(crate) fn answers(self, result: Value) {
        let mut answer = json!({ "jsonrpc": "2.0", "id": self.id() });
        answer["result"] = result;
        self.sends(answer);
    }

    /// Answers with this document.
    pub(crate) fn sends(self, message: Value) {
        // The gate may be gone by now.
        let _ = self.head.send(Head::Whole(message));
    }

    /// Begins a stream.
    pub(crate) fn speaks(self) -> Speech {
        let (parts, spoken) = mpsc::unbounded_channel();
        let _ = self.head.send(Head::Stream(spoken));
        Speech { id: self.message["id"].clone(), session: self.session, parts }
    }
}

impl Speech {
    /// Says a message.
    pub(crate) fn say(&self, message: &Value) {
        self.send(format!("data: {message}\n\n"));
    }

    /// Says a text, whatever it is.
    pub(crate) fn says(&self, text: &str) {
        self.send(format!("data: {text}\n\n"));
    }

    /// Says a message as an event with an id.
    pub(crate) fn numbered(&self, id: &str, message: &Value) {
        self.send(format!("id: {id}\ndata: {message}\n\n"));
    }

    /// Says where to read on, and when.
    pub(crate) fn primes(&self, id: &str, retry_milliseconds: u64) {
        self.send(format!("id: {id}\nretry: {retry_milliseconds}\ndata:\n\n"));
    }

    /// Says a notification.
    pub(crate) fn notes(&self, method: &str, params: Value) {
        let mut notification = json!({ "jsonrpc": "2.0", "method": method });
        notification["params"] = params;
        self.say(&notification);
    }

    /// Logs something.
    pub(crate) fn logs(&self, text: &str) {
        self.notes("notifications/message", json!({ "level": "info", "data": text }));
    }

    /// Asks something.
    pub(crate) fn asks(&self, id: impl Into<Value>, method: &str, params: Value) {
        let id: Value = id.into();
        let mut question = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        question["params"] = params;
        self.say(&question);
    }

    /// Answers the call, and ends the stream.
    pub(crate) fn answers(self, text: &str) {
        self.say(&json!({ "jsonrpc": "2.0", "id": self.id, "result": said(text) }));
    }

    /// Ends the stream in good order, or not. Only a stream that nobody cloned ends.
    pub(crate) fn breaks(self) {
        let _ = self.parts.send(Part::Break);
    }

    /// Whether the gate still reads it.
    pub(crate) fn is_heard(&self) -> bool {
        !self.parts.is_closed()
    }

    fn send(&self, text: String) {
        // The gate may be gone by now.
        let _ = self.parts.send(Part::Bytes(text.into()));
    }
}

/// A tool's result.
pub(crate) fn said(text: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": text }] })
}

/// A form to fill in.
pub(crate) fn form(message: &str) -> Value {
    json!({ "mode": "form", "message": message, "requestedSchema": { "type": "object", "properties": {} } })
}

/// A page to open.
pub(crate) fn page(id: &str) -> Value {
    let url = "https://login.example/consent";
    json!({ "mode": "url", "elicitationId": id, "url": url, "message": "Sign in there" })
}

impl Script {
    /// What the desk has, at the lobby, and a tool that talks.
    fn lobby() -> Self {
        let mut script = Self::desk();
        let moved = |value: &Value| serde_json::from_str(&value.to_string().replace("desk://", "lobby://")).unwrap();
        script.templates = script.templates.iter().map(moved).collect();
        script.resources = script.resources.iter().map(moved).collect();
        script.tools.push(json!({ "name": TALK, "description": "Talks.", "inputSchema": { "type": "object" } }));
        script
    }
}

async fn serve(State(mind): State<Arc<Mind>>, verb: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let queried = uri.query().and_then(|query| query.strip_prefix("session=")).map(str::to_owned);
    let session = headers.get("mcp-session-id").map(|id| id.to_str().unwrap().to_owned()).or(queried);
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let seen = Seen { verb: verb.clone(), session: session.clone(), headers: headers.clone(), message, body };
    locked(&mind.seen).push(seen.clone());
    let revision = *locked(&mind.revision);
    match (uri.path(), &verb) {
        ("/sse", &Method::GET) => return streamed(&mind),
        ("/sse", _) => return StatusCode::NOT_FOUND.into_response(),
        ("/messages", _) => return beside(&mind, seen, revision),
        _ => {}
    }
    match (seen.method(), session) {
        ("server/discover", None) if revision == STATELESS => introduced(&mind, &seen.message),
        (_, None) if revision == STATELESS && verb == Method::POST => posted(&mind, "", &seen).await,
        ("initialize", None) if revision != STATELESS => greeted(&mind, &seen.message, revision),
        (_, None) => refused(StatusCode::BAD_REQUEST, "no session"),
        (_, Some(session)) => {
            let alive = locked(&mind.sessions).iter().any(|known| known.id == session && !known.over);
            let version = match headers.get("mcp-protocol-version") {
                Some(version) => version == revision,
                None => revision < "2025-06-18",
            };
            match verb {
                _ if !alive => refused(StatusCode::NOT_FOUND, "no such session"),
                _ if !version => refused(StatusCode::BAD_REQUEST, "no version"),
                Method::POST => posted(&mind, &session, &seen).await,
                Method::GET => listened(&mind, session, &headers).await,
                _ => {
                    locked(&mind.sessions).iter_mut().filter(|known| known.id == session).for_each(|k| k.over = true);
                    locked(&mind.asides).retain(|speech| speech.session != session);
                    StatusCode::NO_CONTENT.into_response()
                }
            }
        }
    }
}

fn introduced(mind: &Mind, message: &Value) -> Response {
    let introduction = json!({
        "resultType": "complete",
        "supportedVersions": [STATELESS],
        "capabilities": offered(),
        "instructions": locked(&mind.script).instructions,
        "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "lobby", "version": "1" } },
    });
    answered(&message["id"], introduction)
}

fn offered() -> Value {
    json!({
        "tools": { "listChanged": true },
        "prompts": { "listChanged": true },
        "resources": { "listChanged": true, "subscribe": true },
        "completions": {},
        "logging": {},
        "tasks": { "list": {} },
        "experimental": { "backdoor": {} },
    })
}

/// Begins a session over HTTP+SSE: its stream, which says where to post to.
fn streamed(mind: &Mind) -> Response {
    let id = begun(mind, &Value::Null);
    let (parts, spoken) = mpsc::unbounded_channel();
    let own = format!("/messages?session={id}");
    let place = locked(&mind.elsewhere).clone().unwrap_or(own);
    let speech = Speech { id: Value::Null, session: id, parts };
    speech.send(format!("event: endpoint\ndata: {place}\n\n"));
    locked(&mind.asides).push(speech);
    events(spoken)
}

/// Takes a message beside the stream of its session, and says on that what there is to say.
fn beside(mind: &Arc<Mind>, seen: Seen, revision: &'static str) -> Response {
    let session = seen.session.clone().unwrap_or_default();
    let Some(speech) = locked(&mind.asides).iter().find(|speech| speech.session == session).cloned() else {
        return refused(StatusCode::NOT_FOUND, "no such session");
    };
    let mind = Arc::clone(mind);
    tokio::spawn(async move {
        let response = match seen.method() {
            "initialize" => answered(&seen.message["id"], hello(&mind, revision)),
            _ => posted(&mind, &session, &seen).await,
        };
        let streams = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let mut body = response.into_body().into_data_stream();
        while let Some(Ok(bytes)) = body.next().await {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            speech.send(if streams { text } else { format!("event: message\ndata: {text}\n\n") });
        }
    });
    (StatusCode::ACCEPTED, "Accepted").into_response()
}

/// Notes that a session began.
fn begun(mind: &Mind, params: &Value) -> String {
    let mut sessions = locked(&mind.sessions);
    let id = format!("of-the-lobby-{}", sessions.len() + 1);
    let (capabilities, client) = (params["capabilities"].clone(), params["clientInfo"].clone());
    sessions.push(Known { id: id.clone(), capabilities, client, over: false });
    id
}

fn hello(mind: &Mind, revision: &str) -> Value {
    json!({
        "protocolVersion": revision,
        "capabilities": offered(),
        "serverInfo": { "name": "lobby", "version": "1" },
        "instructions": locked(&mind.script).instructions,
    })
}

fn greeted(mind: &Mind, message: &Value, revision: &str) -> Response {
    let id = begun(mind, &message["params"]);
    let mut response = answered(&message["id"], hello(mind, revision));
    response.headers_mut().insert("mcp-session-id", id.parse().unwrap());
    response
}

async fn posted(mind: &Mind, session: &str, seen: &Seen) -> Response {
    let (message, id) = (&seen.message, &seen.message["id"]);
    if message.get("method").is_none() || id.is_null() {
        return StatusCode::ACCEPTED.into_response();
    }
    let script = locked(&mind.script).clone();
    if seen.is_of_a_client() {
        match script.manner {
            // It has no tasks.
            Manner::Honest | Manner::BecomesTask | Manner::Everything => {}
            Manner::Hangs => {
                let broken = stream::once(async { Err::<Bytes, _>(std::io::Error::other("gone")) });
                return ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(broken)).into_response();
            }
            Manner::AnswersAnother => return answered(&"another".into(), said("")),
            Manner::Asks | Manner::AsksTwice => {
                let error = json!({ "code": -32042, "message": "later", "data": { "elicitations": [page("p-1")] } });
                return document(&json!({ "jsonrpc": "2.0", "id": id, "error": error }));
            }
            Manner::Unauthorised => return refused(StatusCode::UNAUTHORIZED, "who are you?"),
        }
    }
    match seen.method() {
        "tools/list" => answered(id, json!({ "tools": script.tools })),
        "prompts/list" => answered(id, json!({ "prompts": script.prompts })),
        "resources/templates/list" => answered(id, json!({ "resourceTemplates": script.templates })),
        "resources/list" => answered(id, json!({ "resources": script.resources })),
        "resources/read" => {
            let contents = json!([{ "uri": message["params"]["uri"], "text": "the contents" }]);
            answered(id, json!({ "contents": contents }))
        }
        "resources/subscribe" | "resources/unsubscribe" | "logging/setLevel" => answered(id, json!({})),
        "prompts/get" => answered(id, json!({ "messages": [] })),
        "completion/complete" => answered(id, json!({ "completion": { "values": ["one"] } })),
        "tools/call" if message["params"]["name"] == TALK => staged(&mind.calls, session, message, None).await,
        "tools/call" => answered(id, said(&format!("did {}", message["params"]["name"]))),
        _ => {
            let error = json!({ "code": -32601, "message": "what is that?" });
            document(&json!({ "jsonrpc": "2.0", "id": id, "error": error }))
        }
    }
}

async fn listened(mind: &Mind, session: String, headers: &HeaderMap) -> Response {
    if let Some(last) = headers.get("last-event-id") {
        let last = last.to_str().unwrap().to_owned();
        return staged(&mind.resumptions, &session, &Value::Null, Some(last)).await;
    }
    let (parts, spoken) = mpsc::unbounded_channel();
    locked(&mind.asides).push(Speech { id: Value::Null, session, parts });
    events(spoken)
}

/// Has the test answer.
async fn staged(
    stages: &mpsc::UnboundedSender<Stage>,
    session: &str,
    message: &Value,
    last_event: Option<String>,
) -> Response {
    let (head, answer) = oneshot::channel();
    let stage = Stage { session: session.to_owned(), message: message.clone(), last_event, head };
    let _ = stages.send(stage);
    match answer.await {
        Ok(Head::Whole(message)) => document(&message),
        Ok(Head::Stream(spoken)) => events(spoken),
        // The test has ended.
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn events(spoken: mpsc::UnboundedReceiver<Part>) -> Response {
    let events = stream::unfold(spoken, |mut spoken| async move {
        let part = match spoken.recv().await? {
            Part::Bytes(bytes) => Ok(bytes),
            Part::Break => Err(std::io::Error::other("gone")),
        };
        Some((part, spoken))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}

fn answered(id: &Value, result: Value) -> Response {
    let mut answer = json!({ "jsonrpc": "2.0", "id": id });
    answer["result"] = result;
    document(&answer)
}

fn document(message: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], message.to_string()).into_response()
}

fn refused(status: StatusCode, text: &str) -> Response {
    let error = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32000, "message": text } });
    (status, [(header::CONTENT_TYPE, "application/json")], error.to_string()).into_response()
}
