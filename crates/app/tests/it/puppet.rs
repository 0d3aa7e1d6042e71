//! The server behind the gate: honest until a test pulls a string. It remembers everything that reached it.

pub(crate) mod tasks;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch};
use tokio::task::AbortHandle;

/// A message that reached the server.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the gate asked for itself: to read definitions, or to hear of changes.
    pub(crate) of_the_gate: bool,
}

/// What the server says of itself, and how it answers.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) instructions: Value,
    pub(crate) tools: Vec<Value>,
    pub(crate) prompts: Vec<Value>,
    pub(crate) templates: Vec<Value>,
    pub(crate) resources: Vec<Value>,
    /// How many of the resources are on one page.
    pub(crate) page: usize,
    /// What it tells of its task, as `tasks::task` takes it.
    pub(crate) task: Value,
    /// What is in each of its resources.
    pub(crate) contents: Value,
    pub(crate) manner: Manner,
}

/// How the server answers what agents send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Honest,
    /// Closes the connection instead of answering.
    Hangs,
    /// Answers another request than it was asked.
    AnswersAnother,
    /// Asks the user for something.
    Asks,
    /// Asks the user for something, and once that is answered for something else, before it does what it is asked.
    AsksTwice,
    /// Goes on with calls of tools by itself, and says that they became tasks.
    BecomesTask,
    /// The same with whatever it is asked.
    Everything,
    /// Says in HTTP that the credential is wrong, and repeats it.
    Unauthorised,
}

/// What stands before a server: it answers in its place, or lets a request through.
pub(crate) type Guard = Arc<dyn Fn(&Method, &Uri, &HeaderMap) -> Option<Response> + Send + Sync>;

/// A running server. It stops when dropped.
pub(crate) struct Puppet {
    address: SocketAddr,
    strings: Arc<Strings>,
    task: AbortHandle,
}

/// In place of a resource: which resources there are.
const RESTOCKED: &str = "";

struct Strings {
    guard: Option<Guard>,
    script: Mutex<Script>,
    seen: Mutex<Vec<Seen>>,
    /// Counts changes that listeners are told of.
    changes: watch::Sender<u64>,
    /// Resources that changed, for whoever listens to them.
    updates: broadcast::Sender<String>,
    /// What listeners are told of tasks.
    tasks: broadcast::Sender<Value>,
    /// Counts the messages of the `watch` tool; the slow tools answer when it counts on.
    ticks: watch::Sender<u64>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Puppet {
    pub(crate) async fn start() -> Self {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// One that listens there.
    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        Self::behind(address, None).await
    }

    /// One behind a guard.
    pub(crate) async fn guarded(guard: Guard) -> Self {
        Self::behind((Ipv4Addr::LOCALHOST, 0).into(), Some(guard)).await
    }

    async fn behind(address: SocketAddr, guard: Option<Guard>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let strings = Arc::new(Strings {
            guard,
            script: Mutex::new(Script::desk()),
            seen: Mutex::default(),
            changes: watch::Sender::new(0),
            updates: broadcast::Sender::new(16),
            tasks: broadcast::Sender::new(16),
            ticks: watch::Sender::new(0),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&strings));
        let task = tokio::spawn(async move { drop(axum::serve(listener, router).await) }).abort_handle();
        Self { address, strings, task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// Everything that reached it.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        locked(&self.strings.seen).clone()
    }

    /// Takes what reached it since the last time, for a test that would otherwise keep too much.
    pub(crate) fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *locked(&self.strings.seen))
    }

    /// What agents sent and the gate let through.
    pub(crate) fn forwarded(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| !seen.of_the_gate).collect()
    }

    /// How much of it.
    pub(crate) fn calls(&self) -> usize {
        self.forwarded().len()
    }

    /// Changes what it says of itself, and tells whoever listens.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Script)) {
        self.behave(change);
        self.strings.changes.send_modify(|count| *count += 1);
    }

    /// Tells whoever listens that its list of resources changed.
    pub(crate) fn restock(&self) {
        // Nobody may listen.
        drop(self.strings.updates.send(RESTOCKED.to_owned()));
    }

    /// Waits until somebody listens.
    pub(crate) async fn listened_to(&self) {
        crate::client::eventually("somebody listens", || self.strings.updates.receiver_count() > 0).await;
    }

    /// Changes how it behaves, and tells nobody.
    pub(crate) fn behave(&self, change: impl FnOnce(&mut Script)) {
        change(&mut locked(&self.strings.script));
    }

    /// Tells whoever listens to a resource that it changed.
    pub(crate) fn update(&self, uri: &str) {
        // Nobody may listen.
        let _ = self.strings.updates.send(uri.to_owned());
    }

    /// Tells whoever listens of a task.
    pub(crate) fn tell(&self, task: Value) {
        let _ = self.strings.tasks.send(task);
    }

    /// Has the `watch` tool say something more, and the slow ones begin to answer.
    pub(crate) fn tick(&self) {
        self.strings.ticks.send_modify(|count| *count += 1);
    }

    /// Waits until so many of the agents' messages reached it.
    pub(crate) async fn reached(&self, calls: usize) {
        for _ in 0..500 {
            if self.calls() >= calls {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} of {calls} messages reached the server in five seconds", self.calls());
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Script {
    /// A help desk: some things everybody may use, some nobody may, some with limits.
    pub(crate) fn desk() -> Self {
        let text = || json!({ "type": "string" });
        let tool = |name: &str, properties: Value, required: &[&str]| {
            json!({
                "name": name,
                "description": format!("The desk's `{name}`."),
                "inputSchema": { "type": "object", "properties": properties, "required": required },
            })
        };
        let region = || json!({ "type": "string", "x-mcp-header": "Region" });
        Self {
            instructions: "Look a ticket up before you answer it.".into(),
            tools: vec![
                tool("read_ticket", json!({ "ticket": text() }), &["ticket"]),
                tool(
                    "refund",
                    json!({ "order": text(), "amount": { "type": "number" }, "note": text() }),
                    &["order", "amount"],
                ),
                tool("credit", json!({ "account": text(), "amount": { "type": "number" } }), &["account"]),
                tool("assign", json!({ "ticket": text(), "to": text() }), &["ticket", "to"]),
                tool(
                    "annotate",
                    json!({
                        "ticket": text(),
                        "amount": { "type": "number" },
                        "fields": { "type": "object", "additionalProperties": true },
                    }),
                    &["ticket", "amount"],
                ),
                tool(
                    "find",
                    json!({ "region": region(), "limit": { "type": "integer", "x-mcp-header": "Limit" } }),
                    &["region"],
                ),
                tool("watch", json!({}), &[]),
                tool("slow", json!({}), &[]),
                tool("slow_stream", json!({}), &[]),
                tool("escalate", json!({ "ticket": text() }), &["ticket"]),
                tool("purge", json!({ "days": { "type": "integer" } }), &["days"]),
                tool("sweep", json!({ "region": region() }), &["region"]),
            ],
            prompts: ["summary", "escalation", "minutes"].map(|name| json!({ "name": name })).into(),
            templates: ["desk://tickets/{id}", "desk://escalated/{id}", "desk://vault/{id}"]
                .map(|template| json!({ "uriTemplate": template, "name": template }))
                .into(),
            resources: ["desk://tickets/1", "desk://escalated/1", "desk://vault/1"]
                .map(|uri| json!({ "uri": uri, "name": uri }))
                .into(),
            page: 100,
            task: json!({}),
            contents: json!({ "text": "the contents" }),
            manner: Manner::Honest,
        }
    }

    /// One of its tools, to be changed.
    pub(crate) fn tool(&mut self, name: &str) -> &mut Value {
        self.tools.iter_mut().find(|tool| tool["name"] == name).expect("a tool of this name")
    }
}

async fn answer(
    State(strings): State<Arc<Strings>>,
    verb: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let method = message["method"].as_str().unwrap_or_default().to_owned();
    let client = &message["params"]["_meta"]["io.modelcontextprotocol/clientInfo"]["name"];
    let of_the_gate = client == "portcullis";
    locked(&strings.seen).push(Seen { method: method.clone(), headers: headers.clone(), body, of_the_gate });
    if let Some(refused) = strings.guard.as_ref().and_then(|guard| guard(&verb, &uri, &headers)) {
        return refused;
    }
    let script = locked(&strings.script).clone();
    if !of_the_gate {
        match script.manner {
            Manner::Honest => {}
            Manner::Hangs => {
                let broken = stream::once(async { Err::<Bytes, _>(std::io::Error::other("gone")) });
                return ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(broken)).into_response();
            }
            Manner::AnswersAnother => return result(&"another".into(), &json!({ "content": [] })),
            Manner::Asks => return result(&message["id"], &question("q1", "s")),
            Manner::AsksTwice => match message["params"]["requestState"].as_str() {
                _ if method != "tools/call" => {}
                None => return result(&message["id"], &question("q1", "s-1")),
                Some("s-1") => return result(&message["id"], &question("q2", "s-2")),
                Some(_) => {}
            },
            Manner::BecomesTask if method == "tools/call" => {
                return result(&message["id"], &tasks::begun(&script.task));
            }
            Manner::Everything => return result(&message["id"], &tasks::begun(&script.task)),
            Manner::BecomesTask => {}
            Manner::Unauthorised => {
                let presented = headers.get(header::AUTHORIZATION).cloned();
                let presented = presented.unwrap_or_else(|| http::HeaderValue::from_static("none"));
                let echo = [(header::WWW_AUTHENTICATE, presented.clone()), (header::SET_COOKIE, presented.clone())];
                return (StatusCode::UNAUTHORIZED, echo, presented.as_bytes().to_vec()).into_response();
            }
        }
    }
    act(&strings, &script, &method, &message).await
}

async fn act(strings: &Arc<Strings>, script: &Script, method: &str, message: &Value) -> Response {
    let id = &message["id"];
    match method {
        "server/discover" => result(id, &introduction(script)),
        "tools/list" => result(id, &json!({ "tools": script.tools, "ttlMs": 0, "cacheScope": "public" })),
        "prompts/list" => result(id, &json!({ "prompts": script.prompts, "ttlMs": 0, "cacheScope": "public" })),
        "resources/templates/list" => {
            result(id, &json!({ "resourceTemplates": script.templates, "ttlMs": 0, "cacheScope": "public" }))
        }
        "resources/list" => result(id, &page(script, &message["params"]["cursor"])),
        "resources/read" => {
            let mut contents = script.contents.clone();
            contents["uri"] = message["params"]["uri"].clone();
            let contents = [contents];
            result(id, &json!({ "contents": contents, "ttlMs": 0, "cacheScope": "private" }))
        }
        "tasks/get" => result(id, &tasks::task(&script.task)),
        "tasks/update" | "tasks/cancel" => result(id, &json!({})),
        "prompts/get" => result(id, &json!({ "messages": [] })),
        "completion/complete" => result(id, &json!({ "completion": { "values": ["one"] } })),
        "subscriptions/listen" => subscription(strings, id, &message["params"]["notifications"]),
        "tools/call" => {
            let tool = message["params"]["name"].as_str().unwrap_or_default();
            if tool.starts_with("slow") {
                drop(strings.ticks.subscribe().changed().await);
            }
            if matches!(tool, "watch" | "slow_stream") {
                return watched(strings);
            }
            let done = || format!("did {}", message["params"]["name"]);
            // Who wants a certain answer says so.
            let fields = &message["params"]["arguments"]["fields"];
            let said = fields["answer"].as_str().map_or_else(done, str::to_owned);
            let mut answer = json!({ "content": [{ "type": "text", "text": said }] });
            if let Some(structured) = fields.get("structured") {
                answer["structuredContent"] = structured.clone();
            }
            result(id, &answer)
        }
        _ => error(id, -32601, "what is that?"),
    }
}

fn page(script: &Script, cursor: &Value) -> Value {
    let start = cursor.as_str().and_then(|cursor| cursor.strip_prefix("at-")?.parse().ok()).unwrap_or(0);
    let resources: Vec<_> = script.resources.iter().skip(start).take(script.page).collect();
    let mut page = json!({ "resources": resources, "ttlMs": 0, "cacheScope": "public" });
    if start + script.page < script.resources.len() {
        page["nextCursor"] = format!("at-{}", start + script.page).into();
    }
    page
}

fn introduction(script: &Script) -> Value {
    json!({
        "resultType": "complete",
        "supportedVersions": ["2026-07-28"],
        "capabilities": {
            "tools": { "listChanged": true },
            "prompts": { "listChanged": true },
            "resources": { "listChanged": true, "subscribe": true },
            "completions": {},
            "extensions": { tasks::EXTENSION: {}, "dev.example/other": {} },
        },
        "instructions": script.instructions,
        "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "desk", "version": "1" } },
    })
}

fn question(key: &str, state: &str) -> Value {
    let asked = json!({ "mode": "form", "message": "Your password?", "requestedSchema": { "type": "object" } });
    let requests = json!({ key: { "method": "elicitation/create", "params": asked } });
    json!({ "resultType": "input_required", "inputRequests": requests, "requestState": state })
}

fn result(id: &Value, result: &Value) -> Response {
    let mut result = result.clone();
    if let Some(members) = result.as_object_mut() {
        members.entry("resultType").or_insert("complete".into());
    }
    message(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

fn error(id: &Value, code: i64, text: &str) -> Response {
    message(&json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": text } }))
}

fn message(message: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], message.to_string()).into_response()
}

/// A stream that first says `first`, then what `next` makes of each change of `counter`, and never ends.
fn streamed(first: Value, counter: &watch::Sender<u64>, next: impl Fn() -> Value + Send + 'static) -> Response {
    let event = |message: &Value| Ok::<_, Infallible>(Bytes::from(format!("data: {message}\n\n")));
    let state = (Some(first), counter.subscribe(), next);
    let events = stream::unfold(state, move |(first, mut counter, next)| async move {
        if let Some(first) = first {
            return Some((event(&first), (None, counter, next)));
        }
        counter.changed().await.ok()?;
        Some((event(&next()), (None, counter, next)))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}

fn subscription(strings: &Strings, id: &Value, wanted: &Value) -> Response {
    let id = id.clone();
    let of = move |method: &str| {
        json!({
            "jsonrpc": "2.0",
            "method": method,
            "params": { "_meta": { "io.modelcontextprotocol/subscriptionId": id } },
        })
    };
    let mut acknowledged = of("notifications/subscriptions/acknowledged");
    acknowledged["params"]["notifications"] = json!({});
    if let Some(ids) = wanted.get("taskIds") {
        acknowledged["params"]["notifications"]["taskIds"] = ids.clone();
    }
    let uris: Vec<Value> = wanted["resourceSubscriptions"].as_array().cloned().unwrap_or_default();
    let listens = (strings.changes.subscribe(), strings.updates.subscribe(), strings.tasks.subscribe());
    let events =
        stream::unfold((Some(acknowledged), listens), move |(first, (mut changes, mut updates, mut tasks))| {
            let (of, uris) = (of.clone(), uris.clone());
            async move {
                let event = |message: &Value| Ok::<_, Infallible>(Bytes::from(format!("data: {message}\n\n")));
                if let Some(first) = first {
                    return Some((event(&first), (None, (changes, updates, tasks))));
                }
                let message = loop {
                    tokio::select! {
                        changed = changes.changed() => {
                            changed.ok()?;
                            break of("notifications/tools/list_changed");
                        }
                        task = tasks.recv() => {
                            let mut told = of("notifications/tasks");
                            for (name, value) in task.ok()?.as_object().into_iter().flatten() {
                                told["params"][name] = value.clone();
                            }
                            break told;
                        }
                        uri = updates.recv() => {
                            let uri = uri.ok()?;
                            if uri == RESTOCKED {
                                break of("notifications/resources/list_changed");
                            }
                            let uri: Value = uri.into();
                            if uris.contains(&uri) {
                                let mut updated = of("notifications/resources/updated");
                                updated["params"]["uri"] = uri;
                                break updated;
                            }
                        }
                    }
                };
                Some((event(&message), (None, (changes, updates, tasks))))
            }
        });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}

fn watched(strings: &Strings) -> Response {
    let news = |text: &str| {
        json!({
            "jsonrpc": "2.0",
            "method": "notifications/message",
            "params": { "level": "info", "data": text },
        })
    };
    streamed(news("watching"), &strings.ticks, move || news("still watching"))
}
