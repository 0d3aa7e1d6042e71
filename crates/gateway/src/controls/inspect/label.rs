//! Where a message says what the gate has to say of it: in the member that MCP keeps for such things, under a name of the gate's.
//!
//! What a server wrote there itself is replaced, so that it cannot speak for the gate where the gate speaks.

use bytes::Bytes;
use serde_json::Value;
use wire::edit::{self, Change, Path};

/// The member's name.
const LABEL: &str = "dev.portcullis/label";

/// The message with its label; `None` if it has no place for one.
pub(super) fn put(text: &Bytes, label: &Value) -> Option<Bytes> {
    let message: Value = serde_json::from_slice(text).ok()?;
    let path: Path<'_> = if message.get("result").is_some() {
        &["result", "_meta", LABEL]
    } else if message.get("error").is_some() {
        // An error of JSON-RPC has no other place for what is said besides.
        &["error", "data", LABEL]
    } else if message.get("method").is_some() {
        &["params", "_meta", LABEL]
    } else {
        // An entry of a listing.
        &["_meta", LABEL]
    };
    edit::splice(text, &[(path, Change::Put(&label.to_string()))]).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn put_in(message: &Value) -> Option<Value> {
        let left = put(&Bytes::from(message.to_string()), &json!({ "labels": ["untrusted"] }))?;
        Some(serde_json::from_slice(&left).unwrap())
    }

    #[test]
    fn every_kind_of_message_has_a_place_for_a_label() {
        let label = json!({ "labels": ["untrusted"] });
        let places = [
            (json!({ "id": 1, "result": { "content": [] } }), "/result/_meta"),
            (json!({ "id": 1, "result": { "_meta": { "a": 1, LABEL: "none" } } }), "/result/_meta"),
            (json!({ "id": 1, "error": { "code": 1, "message": "no" } }), "/error/data"),
            (json!({ "method": "notifications/message", "params": { "data": "x" } }), "/params/_meta"),
            (json!({ "uri": "desk://tickets/1", "name": "a ticket" }), "/_meta"),
        ];
        for (message, place) in places {
            let labelled = put_in(&message).unwrap();
            assert_eq!(labelled.pointer(place).unwrap()[LABEL], label, "{labelled:#}");
        }
        // What says something else there is not labelled, and goes no further.
        assert_eq!(put_in(&json!({ "id": 1, "error": { "code": 1, "message": "no", "data": "why" } })), None);
        assert_eq!(put_in(&json!({ "id": 1, "result": { "_meta": [] } })), None);
    }
}
