//! What the gate sends to servers: headers for what it forwards, and requests of its own.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value, json};

use crate::request::{CLIENT_CAPABILITIES, CLIENT_INFO, META_MEMBER, PROTOCOL_VERSION};
use crate::{Id, Request, Revision, header};

/// A request of the gate's own, ready to be posted.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Its headers, without credentials.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// What a subscription of the gate's own listens for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Changes {
    /// Changes of the list of tools.
    pub tools: bool,
    /// Changes of the list of prompts.
    pub prompts: bool,
    /// Changes of the list of resources.
    pub resources: bool,
}

/// The headers of a request that is forwarded. They are made anew from the body; of what came with it only the
/// `Mcp-Param-*` stay, known or not, as 2026-07-28 asks of everything that stands between. A session's id is not among
/// them: the gate has a session of its own with the server.
pub fn mirror(request: &Request, incoming: &HeaderMap) -> HeaderMap {
    if request.revision.has_sessions() {
        return session_headers(request.revision, None);
    }
    let mut headers = standard(request.revision, &request.method, request.name());
    for (name, value) in incoming.iter().filter(|(name, _)| name.as_str().starts_with(header::PARAM_PREFIX)) {
        headers.append(name.clone(), value.clone());
    }
    headers
}

/// The headers of a message that is posted in a revision that has sessions: in a session, once there is one.
pub fn session_headers(revision: Revision, session: Option<&str>) -> HeaderMap {
    let mut headers = posted();
    headers.insert(header::PROTOCOL_VERSION, HeaderValue::from_static(revision.as_str()));
    name_session(&mut headers, session);
    headers
}

/// The headers of the GET that opens a stream of a session, or reads on after an event; also of the DELETE that ends the
/// session.
pub fn stream_headers(revision: Revision, session: Option<&str>, last_event_id: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::PROTOCOL_VERSION, HeaderValue::from_static(revision.as_str()));
    name_session(&mut headers, session);
    if let Some(id) = last_event_id.and_then(|id| HeaderValue::from_str(id).ok()) {
        headers.insert(header::LAST_EVENT_ID, id);
    }
    headers
}

/// A request of the gate's own. What is in `params` stays; in 2026-07-28 `_meta` says the version, who asks, and that
/// nothing can be asked in return; before, the session says it.
pub fn compose(revision: Revision, method: &str, mut params: Map<String, Value>, id: &Id) -> Outgoing {
    let headers = if revision.has_sessions() {
        session_headers(revision, None)
    } else {
        let named = params.get("name").or_else(|| params.get("uri")).and_then(Value::as_str);
        let headers = standard(revision, method, named);
        let meta = json!({
            PROTOCOL_VERSION: revision.as_str(),
            CLIENT_INFO: gate(),
            CLIENT_CAPABILITIES: {},
        });
        params.insert(META_MEMBER.to_owned(), meta);
        headers
    };
    let (method, params) = (Value::from(method), Value::Object(params));
    let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":{method},"params":{params}}}"#);
    Outgoing { headers, body: body.into() }
}

/// `server/discover`, of 2026-07-28.
pub fn discover(id: &Id) -> Outgoing {
    compose(Revision::V2026_07_28, "server/discover", Map::new(), id)
}

/// `initialize`, of 2025-11-25: the gate would like a session in which the server may ask what `capabilities` say. Its
/// headers name no version, which is only about to be agreed on.
pub fn initialize(id: &Id, capabilities: &Value) -> Outgoing {
    let params = json!({
        "protocolVersion": Revision::V2025_11_25.as_str(),
        "capabilities": capabilities,
        "clientInfo": gate(),
    });
    let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"initialize","params":{params}}}"#);
    Outgoing { headers: posted(), body: body.into() }
}

/// `notifications/initialized`, of 2025-11-25: the handshake is over.
pub fn initialized() -> Outgoing {
    notify(Revision::V2025_11_25, "notifications/initialized", None)
}

/// `notifications/cancelled`: nobody waits any more for the answer to this request of the gate's own.
pub fn cancelled(revision: Revision, request: &Id) -> Outgoing {
    notify(revision, "notifications/cancelled", Some(&format!(r#"{{"requestId":{request}}}"#)))
}

/// One page of a listing: `tools/list`, `prompts/list`, `resources/list` or `resources/templates/list`.
pub fn list(revision: Revision, method: &str, cursor: Option<&str>, id: &Id) -> Outgoing {
    let params = cursor.map(|cursor| ("cursor".to_owned(), Value::from(cursor)));
    compose(revision, method, params.into_iter().collect(), id)
}

/// `subscriptions/listen`, of 2026-07-28.
pub fn listen(changes: Changes, id: &Id) -> Outgoing {
    let filter = json!({
        "toolsListChanged": changes.tools,
        "promptsListChanged": changes.prompts,
        "resourcesListChanged": changes.resources,
    });
    let params = Map::from_iter([("notifications".to_owned(), filter)]);
    compose(Revision::V2026_07_28, "subscriptions/listen", params, id)
}

/// What the gate calls itself.
pub(crate) fn gate() -> Value {
    json!({ "name": "portcullis", "version": env!("CARGO_PKG_VERSION") })
}

fn notify(revision: Revision, method: &str, params: Option<&str>) -> Outgoing {
    let headers =
        if revision.has_sessions() { session_headers(revision, None) } else { standard(revision, method, None) };
    let params = params.map(|params| format!(r#","params":{params}"#)).unwrap_or_default();
    let body = format!(r#"{{"jsonrpc":"2.0","method":{}{params}}}"#, Value::from(method));
    Outgoing { headers, body: body.into() }
}

pub(crate) fn standard(revision: Revision, method: &str, name: Option<&str>) -> HeaderMap {
    let mut headers = posted();
    headers.insert(header::PROTOCOL_VERSION, HeaderValue::from_static(revision.as_str()));
    headers.insert(header::METHOD, header::encode(method));
    if let Some(name) = name {
        headers.insert(header::NAME, header::encode(name));
    }
    headers
}

fn posted() -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    headers
}

/// Ids of sessions were visible ASCII when they were read, which a header always takes.
fn name_session(headers: &mut HeaderMap, session: Option<&str>) {
    if let Some(session) = session.and_then(|session| HeaderValue::from_str(session).ok()) {
        headers.insert(header::SESSION_ID, session);
    }
}

#[cfg(test)]
mod tests;
