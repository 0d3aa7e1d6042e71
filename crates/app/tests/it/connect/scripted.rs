//! A server of 2025-11-25 as far as `connect` meets one: sessions, streams that break off, questions.

use std::collections::HashSet;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch};
use tokio::task::AbortHandle;

/// What reached it, in one line: `POST s-1 2025-11-25 tools/list`.
pub(super) struct Scripted {
    pub(super) url: String,
    script: Arc<Script>,
    task: AbortHandle,
}

struct Script {
    sessions: Mutex<HashSet<String>>,
    begun: Mutex<u32>,
    seen: Mutex<Vec<String>>,
    offer: Mutex<Value>,
    news: broadcast::Sender<Value>,
    answered: watch::Sender<Option<Value>>,
}

impl Scripted {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/desk/mcp", listener.local_addr().unwrap());
        let script = Arc::new(Script {
            sessions: Mutex::default(),
            begun: Mutex::default(),
            seen: Mutex::default(),
            offer: Mutex::new(json!({ "tools": { "listChanged": true } })),
            news: broadcast::channel(8).0,
            answered: watch::Sender::new(None),
        });
        let router = Router::new().fallback(serve).with_state(Arc::clone(&script));
        let task = tokio::spawn(async move { drop(axum::serve(listener, router).await) }).abort_handle();
        Self { url, script, task }
    }

    pub(super) fn seen(&self) -> Vec<String> {
        self.script.seen.lock().unwrap().clone()
    }

    /// Waits until something reached it.
    pub(super) async fn saw(&self, what: &str) {
        for _ in 0..500 {
            if self.seen().iter().any(|seen| seen == what) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("`{what}` never came: {:#?}", self.seen());
    }

    /// Forgets every session.
    pub(super) fn forget(&self) {
        self.script.sessions.lock().unwrap().clear();
    }

    pub(super) fn offer(&self, offer: Value) {
        *self.script.offer.lock().unwrap() = offer;
    }

    /// Says something by itself.
    pub(super) fn say(&self, message: Value) {
        self.script.news.send(message).unwrap();
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(State(script): State<Arc<Script>>, method: Method, headers: HeaderMap, body: Bytes) -> Response {
    let said = |name: &str| headers.get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let what = match (message["method"].as_str(), said("last-event-id").as_str()) {
        (Some(method), _) => method.to_owned(),
        (None, "-") if method == Method::POST => format!("answer {}", message["id"]),
        (None, "-") => String::new(),
        (None, last) => format!("after {last}"),
    };
    let session = said("mcp-session-id");
    let line = format!("{method} {session} {} {what}", said("mcp-protocol-version"));
    script.seen.lock().unwrap().push(line.trim_end().to_owned());
    assert_eq!(said("authorization"), "Bearer the-token");
    if what == "initialize" {
        return begin(&script, &message);
    }
    if !script.sessions.lock().unwrap().contains(&session) {
        return (StatusCode::NOT_FOUND, "no such session").into_response();
    }
    match method {
        Method::DELETE => {
            script.sessions.lock().unwrap().remove(&session);
            StatusCode::NO_CONTENT.into_response()
        }
        Method::GET if what == "after e-1" => {
            let (id, text) = (json!(1), "and the rest");
            events(vec![Some(format!("id: e-2\ndata: {}\n\n", result(&id, text)))], None)
        }
        Method::GET => events(vec![], Some(script.news.subscribe())),
        _ if message["method"].is_null() => {
            script.answered.send_replace(Some(message["result"].clone()));
            StatusCode::ACCEPTED.into_response()
        }
        _ if message["id"].is_null() => StatusCode::ACCEPTED.into_response(),
        _ => answer(&script, &message).await,
    }
}

fn begin(script: &Script, message: &Value) -> Response {
    let mut begun = script.begun.lock().unwrap();
    *begun += 1;
    let session = format!("s-{begun}");
    script.sessions.lock().unwrap().insert(session.clone());
    let result = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": *script.offer.lock().unwrap(),
        "serverInfo": { "name": "scripted", "version": begun.to_string() },
    });
    let body = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }).to_string();
    ([("mcp-session-id", session.as_str()), ("content-type", "application/json")], body).into_response()
}

async fn answer(script: &Script, message: &Value) -> Response {
    let id = &message["id"];
    match message["params"]["name"].as_str() {
        // Gives an id to read on from, and breaks off.
        Some("breaks") => events(vec![Some("id: e-1\nretry: 10\ndata:\n\n".to_owned())], None),
        Some("breaks for good") => events(vec![Some(": nothing\n\n".to_owned())], None),
        Some("asks") => {
            let mut answered = script.answered.subscribe();
            let question = json!({ "jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": {} });
            let first = stream::iter([Ok::<_, Infallible>(Bytes::from(format!("data: {question}\n\n")))]);
            let id = id.clone();
            let last = stream::once(async move {
                let said = answered.wait_for(Option::is_some).await.unwrap().clone().unwrap();
                Ok(Bytes::from(format!("data: {}\n\n", result(&id, &said.to_string()))))
            });
            let body = Body::from_stream(futures_util::StreamExt::chain(first, last));
            ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
        }
        Some("hangs") => std::future::pending().await,
        _ => ([(header::CONTENT_TYPE, "application/json")], result(id, "done").to_string()).into_response(),
    }
}

fn result(id: &Value, text: &str) -> Value {
    let content = json!([{ "type": "text", "text": text }]);
    json!({ "jsonrpc": "2.0", "id": id, "result": { "content": content } })
}

/// These events, and then what is said by itself, if anything.
fn events(first: Vec<Option<String>>, news: Option<broadcast::Receiver<Value>>) -> Response {
    let state = (first.into_iter().flatten().collect::<std::collections::VecDeque<_>>(), news);
    let events = stream::unfold(state, |(mut first, mut news)| async move {
        if let Some(event) = first.pop_front() {
            return Some((Ok::<_, Infallible>(Bytes::from(event)), (first, news)));
        }
        let message = news.as_mut()?.recv().await.ok()?;
        Some((Ok(Bytes::from(format!("data: {message}\n\n"))), (first, news)))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}
