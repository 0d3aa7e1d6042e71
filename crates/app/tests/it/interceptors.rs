//! An MCP server of interceptors (SEP-2624) of somebody's own: it lists and answers what the test has it say.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// The running server. It stops when dropped.
pub(crate) struct House {
    address: SocketAddr,
    mind: Arc<Mutex<Mind>>,
    task: AbortHandle,
}

/// How it answers when one of its interceptors is invoked.
#[derive(Clone)]
pub(crate) enum Manner {
    /// A mutator puts the second word in the place of the first, wherever it stands; a validator lets the first not pass.
    Minds(&'static str, String),
    /// With this result.
    Says(Value),
    /// After a while.
    Slow(Duration),
    /// With this status.
    Fails(StatusCode),
}

struct Mind {
    listed: Value,
    manner: Manner,
    asked: Vec<Value>,
}

/// One interceptor of a listing, on everything that it can hook.
pub(crate) fn interceptor(name: &str, kind: &str, more: &Value) -> Value {
    let mut one = json!({ "name": name, "version": "1", "type": kind, "hook": { "events": ["*"], "phase": "both" } });
    for (member, value) in more.as_object().unwrap() {
        one[member] = value.clone();
    }
    one
}

impl House {
    pub(crate) async fn start(listed: &[Value], manner: Manner) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mind = Arc::new(Mutex::new(Mind { listed: json!(listed), manner, asked: Vec::new() }));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&mind));
        let task = tokio::spawn(async move { drop(axum::serve(listener, router).await) }).abort_handle();
        Self { address, mind, task }
    }

    /// Settings of a gate that asks these, with more of its settings.
    pub(crate) fn settings(&self, names: &str, more: &str) -> String {
        format!(
            "\n[inspection]\nexperimental_interceptors = true\n[[inspection.callout]]\nname = \"house\"\n\
             url = \"http://{}/mcp\"\nnetworks = [\"127.0.0.1/32\"]\nsends = \"whole\"\ninterceptors = {{ {names} }}\n{more}\n",
            self.address
        )
    }

    /// Answers in another manner from now on.
    pub(crate) fn is(&self, manner: Manner) {
        self.mind.lock().unwrap().manner = manner;
    }

    /// Says other things of its interceptors from now on.
    pub(crate) fn lists(&self, listed: &[Value]) {
        self.mind.lock().unwrap().listed = json!(listed);
    }

    /// The parameters of each invocation, in order.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.mind.lock().unwrap().asked.clone()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(mind): State<Arc<Mutex<Mind>>>, headers: HeaderMap, Json(request): Json<Value>) -> Response {
    let (method, params) = (request["method"].as_str().unwrap(), &request["params"]);
    // What a strict server of 2026-07-28 takes.
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let expected = (Some(method), Some("2026-07-28"));
    assert_eq!((header("mcp-method"), header("mcp-protocol-version")), expected, "{headers:?}");
    let said = |result: Value| Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })).into_response();
    if method == "interceptors/list" {
        return said(json!({ "resultType": "complete", "interceptors": mind.lock().unwrap().listed }));
    }
    assert_eq!((method, header("mcp-name")), ("interceptor/invoke", params["name"].as_str()));
    let (manner, is_mutator) = {
        let mut mind = mind.lock().unwrap();
        mind.asked.push(params.clone());
        let mut all = mind.listed.as_array().unwrap().iter();
        (mind.manner.clone(), all.any(|one| one["name"] == params["name"] && one["type"] == "mutation"))
    };
    match manner {
        Manner::Minds(word, instead) => {
            let text = params["payload"].to_string();
            let holds = text.contains(word);
            said(match is_mutator {
                true => {
                    json!({ "modified": holds, "payload": serde_json::from_str::<Value>(&text.replace(word, &instead)).unwrap() })
                }
                false => json!({ "valid": !holds, "severity": "error", "messages": [{ "message": text }] }),
            })
        }
        Manner::Says(result) => said(result),
        Manner::Slow(time) => {
            tokio::time::sleep(time).await;
            said(json!({ "valid": true, "modified": false }))
        }
        // What it says with such a status counts for nothing.
        Manner::Fails(status) => (status, said(json!({ "valid": true, "modified": false }))).into_response(),
    }
}
