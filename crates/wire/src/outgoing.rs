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

/// The headers of a request that is forwarded with its body unchanged. They are made anew from the body; of what came
/// with it only the `Mcp-Param-*` stay, known or not, as the specification asks of everything that stands between.
pub fn mirror(request: &Request, incoming: &HeaderMap) -> HeaderMap {
    let mut headers = standard(request.revision, &request.method, request.name());
    for (name, value) in incoming.iter().filter(|(name, _)| name.as_str().starts_with(header::PARAM_PREFIX)) {
        headers.append(name.clone(), value.clone());
    }
    headers
}

/// A request of the gate's own. What is in `params` stays; `_meta` says the version, who asks, and that nothing can be
/// asked in return.
pub fn compose(method: &str, mut params: Map<String, Value>, id: &Id) -> Outgoing {
    let revision = Revision::V2026_07_28;
    let meta = json!({
        PROTOCOL_VERSION: revision.as_str(),
        CLIENT_INFO: { "name": "portcullis", "version": env!("CARGO_PKG_VERSION") },
        CLIENT_CAPABILITIES: {},
    });
    let named = params.get("name").or_else(|| params.get("uri")).and_then(Value::as_str).map(str::to_owned);
    params.insert(META_MEMBER.to_owned(), meta);
    let (method_json, params) = (Value::from(method), Value::Object(params));
    let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":{method_json},"params":{params}}}"#);
    Outgoing { headers: standard(revision, method, named.as_deref()), body: body.into() }
}

/// `server/discover`.
pub fn discover(id: &Id) -> Outgoing {
    compose("server/discover", Map::new(), id)
}

/// One page of a listing: `tools/list`, `prompts/list`, `resources/list` or `resources/templates/list`.
pub fn list(method: &str, cursor: Option<&str>, id: &Id) -> Outgoing {
    let params = cursor.map(|cursor| ("cursor".to_owned(), Value::from(cursor)));
    compose(method, params.into_iter().collect(), id)
}

/// `subscriptions/listen`.
pub fn listen(changes: Changes, id: &Id) -> Outgoing {
    let filter = json!({
        "toolsListChanged": changes.tools,
        "promptsListChanged": changes.prompts,
        "resourcesListChanged": changes.resources,
    });
    compose("subscriptions/listen", Map::from_iter([("notifications".to_owned(), filter)]), id)
}

fn standard(revision: Revision, method: &str, name: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    headers.insert(header::PROTOCOL_VERSION, HeaderValue::from_static(revision.as_str()));
    headers.insert(header::METHOD, header::encode(method));
    if let Some(name) = name {
        headers.insert(header::NAME, header::encode(name));
    }
    headers
}

#[cfg(test)]
mod tests;
