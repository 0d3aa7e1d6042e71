//! What the gate says itself, to agents.

use std::fmt::Write;

use bytes::Bytes;
use http::StatusCode;
use model::{Code, Reason, ReceiptId, Refusal};
use serde_json::{Map, Value, json};

use crate::request::SUBSCRIPTION_ID;
use crate::{Id, Revision, outgoing};

/// The key under which a refusal explains itself, in an error's `data` or a result's `_meta`.
pub const REFUSAL: &str = "dev.portcullis/refusal";

/// The code of revisions with sessions for a handshake that asks for a revision that is not served.
const INVALID_PARAMS: i32 = -32602;

/// The code of 2025-11-25 for a request that wants pages opened first. Newer revisions must not use it.
const PAGES_REQUIRED: i32 = -32042;

/// The code of revisions with sessions for a resource that is not there.
const RESOURCE_NOT_FOUND: i32 = -32002;

/// What kind of request is answered, which decides how a refusal can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answering {
    /// `tools/call`: what its model can act on is told as a result with `isError`.
    ToolCall,
    /// A resource: in revisions with sessions there is a code of its own for one that is not there.
    Resource,
    /// The handshake: that no revision fits is told in the body, with the code that its revisions have for it (MCP 2025-11-25,
    /// basic/lifecycle).
    Handshake,
    /// Anything else: every refusal is an error.
    Other,
}

impl Answering {
    /// What a request of this method is answered as.
    pub fn of(method: &str) -> Self {
        match method {
            "tools/call" => Self::ToolCall,
            "initialize" => Self::Handshake,
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => Self::Resource,
            _ => Self::Other,
        }
    }
}

/// A result.
pub fn result(id: &Id, result: &Value) -> Bytes {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#).into()
}

/// An error. Without an id it answers a message whose id could not be read.
pub fn error(id: Option<&Id>, code: i32, message: &str, data: Option<&Value>) -> Bytes {
    let mut text = String::from(r#"{"jsonrpc":"2.0""#);
    if let Some(id) = id {
        push(&mut text, format_args!(r#","id":{id}"#));
    }
    push(&mut text, format_args!(r#","error":{{"code":{code},"message":{}"#, Value::from(message)));
    if let Some(data) = data {
        push(&mut text, format_args!(r#","data":{data}"#));
    }
    text.push_str("}}");
    text.into()
}

/// The error that wants pages opened before the request is made again (MCP 2025-11-25, client/elicitation); `data` names them.
pub fn pages_required(id: &Id, message: &str, data: &Value) -> Bytes {
    error(Some(id), PAGES_REQUIRED, message, Some(data))
}

/// The notification that a page was left, by the id with which it was shown (MCP 2025-11-25, client/elicitation).
pub fn page_left(elicitation: &str) -> Bytes {
    let params = json!({ "elicitationId": elicitation });
    format!(r#"{{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{params}}}"#).into()
}

/// The answer to `initialize`, in the revision that is spoken from now on. A server that does not say what it is goes by
/// the gate's name, because the specification wants one.
pub fn initialized(
    id: &Id,
    revision: Revision,
    capabilities: &Value,
    server_info: &Value,
    instructions: Option<&str>,
) -> Bytes {
    let server_info = if server_info.is_object() { server_info.clone() } else { outgoing::gate() };
    let mut said = json!({
        "protocolVersion": revision.as_str(),
        "capabilities": capabilities,
        "serverInfo": server_info,
    });
    if let (Some(instructions), Some(members)) = (instructions, said.as_object_mut()) {
        members.insert("instructions".to_owned(), instructions.into());
    }
    result(id, &said)
}

/// The result of a tool call that failed, in words for the model.
pub fn tool_error(id: &Id, revision: Revision, text: &str, meta: &Value) -> Bytes {
    let content = [json!({ "type": "text", "text": text })];
    let mut said = json!({ "content": content, "isError": true, "_meta": meta });
    if let (false, Some(members)) = (revision.has_sessions(), said.as_object_mut()) {
        members.insert("resultType".to_owned(), "complete".into());
    }
    result(id, &said)
}

/// The result of a listing: `key` names the list (`tools`, `prompts`, `resources`, `resourceTemplates`), `definitions`
/// are its elements as JSON, and `next` is where it goes on, if it does. What one caller may see is not for another, so caches may keep it only for this one.
pub fn listing<'a>(
    id: &Id,
    revision: Revision,
    key: &str,
    definitions: impl IntoIterator<Item = &'a str>,
    next: Option<&str>,
    ttl_milliseconds: u64,
) -> Bytes {
    let next = next.map(|cursor| format!(r#","nextCursor":{}"#, Value::from(cursor))).unwrap_or_default();
    let (before, after) = if revision.has_sessions() {
        ("", String::new())
    } else {
        (r#""resultType":"complete","#, format!(r#","ttlMs":{ttl_milliseconds},"cacheScope":"private""#))
    };
    let mut text = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{{before}{}:["#, Value::from(key));
    for (place, definition) in definitions.into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push_str(definition);
    }
    push(&mut text, format_args!("]{next}{after}}}}}"));
    text.into()
}

/// A notification of the gate's own: a list of the server's changed, as people approved it. In 2026-07-28 it belongs to a
/// subscription, before to the session on whose stream it is sent.
pub fn list_changed(method: &str, subscription: Option<&Id>) -> Bytes {
    let method = Value::from(method);
    let params = subscription
        .map(|subscription| format!(r#","params":{{"_meta":{{"{SUBSCRIPTION_ID}":{subscription}}}}}"#))
        .unwrap_or_default();
    format!(r#"{{"jsonrpc":"2.0","method":{method}{params}}}"#).into()
}

/// A refusal, by the one table in `model`: its HTTP status and its body. `data` are members that the specification
/// wants in the error's `data`. Only the caller's text is told, never [`Refusal::detail`].
pub fn refused(
    id: Option<&Id>,
    revision: Revision,
    refusal: &Refusal,
    receipt: Option<ReceiptId>,
    answering: Answering,
    data: Option<&Value>,
) -> (StatusCode, Bytes) {
    let row = refusal.reason.row();
    let mut explanation = json!({ "reason": row.word, "next": row.next });
    if let (Some(receipt), Some(members)) = (receipt, explanation.as_object_mut()) {
        members.insert("receipt".to_owned(), receipt.to_string().into());
    }
    let public = refusal.public();
    let unfit = answering == Answering::Handshake && refusal.reason == Reason::VersionUnsupported;
    let body = match (row.code, answering, id) {
        (Code::ToolError(_), Answering::ToolCall, Some(id)) => {
            let receipt = receipt.map(|receipt| format!(" Receipt: {receipt}.")).unwrap_or_default();
            let text = format!("{public}. Next: {}.{receipt}", row.next);
            tool_error(id, revision, &text, &json!({ REFUSAL: explanation }))
        }
        (Code::ToolError(code) | Code::Error(code), _, id) => {
            let not_there = refusal.reason == Reason::ObjectNotFound && answering == Answering::Resource;
            let code = if not_there && revision.has_sessions() { RESOURCE_NOT_FOUND } else { code };
            let code = if unfit { INVALID_PARAMS } else { code };
            let mut members = data.and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
            members.insert(REFUSAL.to_owned(), explanation);
            error(id, code, &public, Some(&Value::Object(members)))
        }
    };
    let status = if unfit { StatusCode::OK } else { status(id, revision, refusal.reason) };
    (status, body)
}

/// The status of a refusal. Clients with sessions take 404 for the end of their session, and many any status of an error
/// for a failure of the connection: a request that was understood is answered with 200, and the error is in the body.
fn status(id: Option<&Id>, revision: Revision, reason: Reason) -> StatusCode {
    if id.is_some() && revision.has_sessions() && TOLD_IN_BODY.contains(&reason) {
        return StatusCode::OK;
    }
    StatusCode::from_u16(reason.row().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Reasons that are about the request and not about the session or the connection it came on.
const TOLD_IN_BODY: &[Reason] = &[
    Reason::ParamsInvalid,
    Reason::MethodUnknown,
    Reason::Overloaded,
    Reason::ServerBusy,
    Reason::ServerLeftAlone,
    Reason::CapabilityMissing,
    Reason::JournalUnavailable,
    Reason::CredentialUnavailable,
    Reason::ServerUnreachable,
    Reason::OutcomeUnknown,
    Reason::AnswerRefused,
    Reason::Internal,
];

/// Writing to a string cannot fail.
fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(arguments);
}

#[cfg(test)]
mod tests;
