//! What the client says, as far as it has to be known to be carried. What is carried is the line itself.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

/// A message of the client.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    /// The line.
    pub(super) body: Bytes,
    pub(super) kind: Kind,
    /// Its parameters, `null` if it has none.
    pub(super) params: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Request {
        id: Value,
        method: String,
    },
    Notification {
        method: String,
    },
    /// The client answers what a server asked.
    Response,
}

/// A line that cannot be carried, and what the client is told.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unreadable {
    pub(super) id: Value,
    pub(super) code: i32,
    pub(super) text: &'static str,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    id: Value,
    method: Option<String>,
    #[serde(default)]
    params: Value,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    error: Value,
}

const NOT_JSON: i32 = -32700;
const NOT_A_REQUEST: i32 = -32600;

impl Message {
    /// Reads a line. The gate reads it again, and more strictly.
    pub(super) fn read(body: Bytes) -> Result<Self, Unreadable> {
        let Envelope { id, method, params, result, error } = serde_json::from_slice(&body).map_err(|_| flaw(&body))?;
        let kind = match (id, method) {
            (Value::Null, Some(method)) => Kind::Notification { method },
            (id @ (Value::Number(_) | Value::String(_)), Some(method)) => Kind::Request { id, method },
            (Value::Number(_) | Value::String(_), None) if !(result.is_null() && error.is_null()) => Kind::Response,
            (id, _) => {
                let text = "the line is no JSON-RPC request, notification or response";
                let id = if id.is_array() || id.is_object() { Value::Null } else { id };
                return Err(Unreadable { id, code: NOT_A_REQUEST, text });
            }
        };
        Ok(Self { body, kind, params })
    }

    /// The version that the message says it is of: 2026-07-28 and later say it in each.
    pub(super) fn version(&self) -> Option<&str> {
        self.params.get("_meta")?.get("io.modelcontextprotocol/protocolVersion")?.as_str()
    }

    pub(super) fn method(&self) -> &str {
        match &self.kind {
            Kind::Request { method, .. } | Kind::Notification { method } => method,
            Kind::Response => "",
        }
    }

    /// The id that an answer to it has.
    pub(super) fn id(&self) -> Option<&Value> {
        match &self.kind {
            Kind::Request { id, .. } => Some(id),
            Kind::Notification { .. } | Kind::Response => None,
        }
    }

    /// What `Mcp-Name` says of it.
    pub(super) fn name(&self) -> Option<&str> {
        let member = match self.method() {
            "tools/call" | "prompts/get" => "name",
            "resources/read" => "uri",
            "tasks/get" | "tasks/update" | "tasks/cancel" => "taskId",
            _ => return None,
        };
        self.params.get(member)?.as_str()
    }

    /// The request that it takes back.
    pub(super) fn cancels(&self) -> Option<&Value> {
        match &self.kind {
            Kind::Notification { method } if method == "notifications/cancelled" => self.params.get("requestId"),
            Kind::Request { .. } | Kind::Notification { .. } | Kind::Response => None,
        }
    }
}

/// What is wrong with a line that is no message. If it is JSON, it may say which request would wait for ever.
fn flaw(body: &Bytes) -> Unreadable {
    match serde_json::from_slice::<Value>(body) {
        Err(_) => Unreadable { id: Value::Null, code: NOT_JSON, text: "the line is not JSON" },
        Ok(Value::Array(_)) => Unreadable {
            id: Value::Null,
            code: NOT_A_REQUEST,
            text: "only revision 2025-03-26 has batches; send one message a line",
        },
        Ok(value) => {
            let id = value.get("id").filter(|id| id.is_number() || id.is_string()).cloned().unwrap_or_default();
            Unreadable { id, code: NOT_A_REQUEST, text: "the line is no JSON-RPC message" }
        }
    }
}

#[cfg(test)]
mod tests;
