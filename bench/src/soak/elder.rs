//! A server of 2025-11-25 that keeps sessions, and tells how many.
//!
//! Each session that the gate opens with it and does not close stays in its count, which is how the soak sees sessions
//! that leak on the far side of the gate.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use clap::Args;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::{listen, payload};

/// The server needs no settings: it takes a free port.
#[derive(Args)]
pub struct Settings {}

/// Where it tells how many sessions it keeps.
pub(super) const COUNT: &str = "/count";
/// The tool that it has.
pub(super) const TOOL: &str = "greet";
const REVISION: &str = "2025-11-25";
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

static SESSIONS: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

/// The sessions that are open, and how many were ever begun.
#[derive(Default)]
struct Kept {
    open: HashSet<String>,
    begun: u64,
}

/// Serves until the process is ended.
pub fn run(Settings {}: &Settings) -> anyhow::Result<()> {
    listen::serve(answer)
}

fn sessions() -> MutexGuard<'static, Kept> {
    SESSIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(request: Request<Incoming>) -> Response<Full<Bytes>> {
    if request.uri().path() == COUNT {
        return said(StatusCode::OK, &json!(sessions().open.len()));
    }
    let session = request.headers().get(&SESSION).and_then(|id| id.to_str().ok()).map(str::to_owned);
    let method = request.method().clone();
    let body = Limited::new(request.into_body(), payload::MESSAGE_BYTES_MAX).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    if method == Method::DELETE {
        let was_open = session.is_some_and(|session| sessions().open.remove(&session));
        return empty(if was_open { StatusCode::OK } else { StatusCode::NOT_FOUND });
    }
    let Ok(message) = serde_json::from_slice::<Value>(&body) else {
        // There is no stream beside the answers.
        return empty(if method == Method::GET { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::BAD_REQUEST });
    };
    let name = message.get("method").and_then(Value::as_str).unwrap_or_default();
    if name == "initialize" {
        return begun(&message);
    }
    match session {
        None => return empty(StatusCode::BAD_REQUEST),
        Some(session) if !sessions().open.contains(&session) => return empty(StatusCode::NOT_FOUND),
        Some(_) => {}
    }
    match name {
        "tools/list" => result(
            &message,
            &json!({ "tools": [{
            "name": TOOL,
            "description": "Says hello.",
            "inputSchema": { "type": "object", "properties": { "to": { "type": "string" } }, "additionalProperties": false },
        }] }),
        ),
        "tools/call" => result(&message, &json!({ "content": [{ "type": "text", "text": "hello" }] })),
        "ping" => result(&message, &json!({})),
        _ if message.get("id").is_none() => empty(StatusCode::ACCEPTED),
        _ => {
            let error = json!({ "code": -32601, "message": "method not found" });
            said(StatusCode::OK, &json!({ "jsonrpc": "2.0", "id": message.get("id"), "error": error }))
        }
    }
}

fn begun(message: &Value) -> Response<Full<Bytes>> {
    let mut kept = sessions();
    kept.begun += 1;
    let id = format!("elder-{}", kept.begun);
    kept.open.insert(id.clone());
    drop(kept);
    let mut response = result(
        message,
        &json!({
            "protocolVersion": REVISION,
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "bench-elder", "version": "1" },
        }),
    );
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(SESSION, id);
    }
    response
}

fn result(message: &Value, result: &Value) -> Response<Full<Bytes>> {
    said(StatusCode::OK, &json!({ "jsonrpc": "2.0", "id": message.get("id"), "result": result }))
}

fn said(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.to_string().into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response
}
