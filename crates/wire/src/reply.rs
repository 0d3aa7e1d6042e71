//! What the gate says itself, to agents.

use std::fmt::Write;

use bytes::Bytes;
use http::StatusCode;
use model::{Code, ReceiptId, Refusal};
use serde_json::{Map, Value, json};

use crate::Id;
use crate::request::SUBSCRIPTION_ID;

/// The key under which a refusal explains itself, in an error's `data` or a result's `_meta`.
pub const REFUSAL: &str = "dev.portcullis/refusal";

/// What kind of request is answered, which decides how a refusal can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answering {
    /// `tools/call`: what its model can act on is told as a result with `isError`.
    ToolCall,
    /// Anything else: every refusal is an error.
    Other,
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

/// The result of a tool call that failed, in words for the model.
pub fn tool_error(id: &Id, text: &str, meta: &Value) -> Bytes {
    let content = [json!({ "type": "text", "text": text })];
    result(id, &json!({ "resultType": "complete", "content": content, "isError": true, "_meta": meta }))
}

/// The result of a listing: `key` names the list (`tools`, `prompts`, `resources`, `resourceTemplates`), `definitions`
/// are its elements as JSON. What one caller may see is not for another, so caches may keep it only for this one.
pub fn listing<'a>(id: &Id, key: &str, definitions: impl IntoIterator<Item = &'a str>, ttl_milliseconds: u64) -> Bytes {
    let mut text = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"resultType":"complete",{}:["#, Value::from(key));
    for (place, definition) in definitions.into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push_str(definition);
    }
    push(&mut text, format_args!(r#"],"ttlMs":{ttl_milliseconds},"cacheScope":"private"}}}}"#));
    text.into()
}

/// A notification of the gate's own on a subscription: a list of the server's changed, as people approved it.
pub fn list_changed(method: &str, subscription: &Id) -> Bytes {
    let method = Value::from(method);
    format!(r#"{{"jsonrpc":"2.0","method":{method},"params":{{"_meta":{{"{SUBSCRIPTION_ID}":{subscription}}}}}}}"#)
        .into()
}

/// A refusal, by the one table in `model`: its HTTP status and its body. `data` are members that the specification
/// wants in the error's `data`. Only the caller's text is told, never [`Refusal::detail`].
pub fn refused(
    id: Option<&Id>,
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
    let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let public = refusal.public();
    let body = match (row.code, answering, id) {
        (Code::ToolError(_), Answering::ToolCall, Some(id)) => {
            let receipt = receipt.map(|receipt| format!(" Receipt: {receipt}.")).unwrap_or_default();
            let text = format!("{public}. Next: {}.{receipt}", row.next);
            tool_error(id, &text, &json!({ REFUSAL: explanation }))
        }
        (Code::ToolError(code) | Code::Error(code), _, id) => {
            let mut members = data.and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
            members.insert(REFUSAL.to_owned(), explanation);
            error(id, code, &public, Some(&Value::Object(members)))
        }
    };
    (status, body)
}

/// Writing to a string cannot fail.
fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(arguments);
}

#[cfg(test)]
mod tests;
