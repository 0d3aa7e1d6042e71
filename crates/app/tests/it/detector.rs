//! A detector of somebody's own, as the gate asks one over HTTP: it says what the test has it say.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// The running detector. It stops when dropped.
pub(crate) struct Detector {
    address: SocketAddr,
    mind: Arc<Mutex<Mind>>,
    task: AbortHandle,
}

/// How it answers.
#[derive(Clone)]
pub(crate) enum Manner {
    /// Whatever holds this word has a finding of this class, where the word stands; all else has none.
    Finds(&'static str, &'static str),
    /// After a while.
    Slow(Duration),
    /// With this status.
    Fails(StatusCode),
    /// With this, whatever it is asked.
    Says(String),
}

struct Mind {
    manner: Manner,
    asked: Vec<(Option<String>, Value)>,
}

impl Detector {
    pub(crate) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mind = Arc::new(Mutex::new(Mind { manner, asked: Vec::new() }));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&mind));
        let task = tokio::spawn(async move { drop(axum::serve(listener, router).await) }).abort_handle();
        Self { address, mind, task }
    }

    /// `[[inspection.callout]]` of a gate that asks it, with its token in `secrets/detector`, and more of its settings.
    pub(crate) fn settings(&self, more: &str) -> String {
        format!(
            "\n[[inspection.callout]]\nname = \"own\"\nurl = \"http://{}/inspect\"\ntoken = \"file:secrets/detector\"\n\
             networks = [\"127.0.0.1/32\"]\n{more}\n",
            self.address
        )
    }

    /// Answers in another manner from now on.
    pub(crate) fn is(&self, manner: Manner) {
        self.mind.lock().unwrap().manner = manner;
    }

    /// What it was asked, with the authorization, in order.
    pub(crate) fn asked(&self) -> Vec<(Option<String>, Value)> {
        self.mind.lock().unwrap().asked.clone()
    }

    /// Is gone from now on.
    pub(crate) fn die(&self) {
        self.task.abort();
    }
}

impl Drop for Detector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(mind): State<Arc<Mutex<Mind>>>, headers: HeaderMap, Json(question): Json<Value>) -> Response {
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    let manner = {
        let mut mind = mind.lock().unwrap();
        mind.asked.push((authorization, question.clone()));
        mind.manner.clone()
    };
    match manner {
        Manner::Finds(word, class) => {
            let mut findings = Vec::new();
            look(&question["message"], word, class, &mut String::new(), &mut findings);
            Json(json!({ "findings": findings })).into_response()
        }
        Manner::Slow(time) => {
            tokio::time::sleep(time).await;
            Json(json!({ "findings": [] })).into_response()
        }
        // What it says with such a status counts for nothing.
        Manner::Fails(status) => (status, Json(json!({ "findings": [] }))).into_response(),
        Manner::Says(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
    }
}

/// Every string with the word in it, by its pointer.
fn look(value: &Value, word: &str, class: &str, pointer: &mut String, findings: &mut Vec<Value>) {
    let length = pointer.len();
    match value {
        Value::String(text) if text.contains(word) => {
            findings.push(json!({ "class": class, "severity": "high", "pointer": pointer, "rule": "word" }));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                look(item, word, class, pointer, findings);
                pointer.truncate(length);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                pointer.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1")));
                look(member, word, class, pointer, findings);
                pointer.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
