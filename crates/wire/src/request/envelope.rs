//! JSON-RPC's part of a message.

use std::borrow::Cow;

use model::limits;

use super::{not_json_rpc, params_invalid};
use crate::json::{Json, Strict};
use crate::{Flaw, Id};

/// Members of the envelope that any reader may know.
const KNOWN: &[&str] = &["jsonrpc", "id", "method", "params", "result", "error"];

/// What the envelope says the message is.
pub(super) enum Envelope<'a> {
    /// A request, or without an id a notification.
    Method { id: Option<Id>, method: Cow<'a, str> },
    /// A response.
    Response { id: Option<Id> },
}

impl<'a> Envelope<'a> {
    pub(super) fn read(strict: &Strict<'a>) -> Result<Self, Flaw> {
        if strict.top().is_array() {
            return Err(not_json_rpc("batches ended with revision 2025-06-18; send one message"));
        }
        if !strict.top().is_object() {
            return Err(not_json_rpc("a message is an object"));
        }
        Flaw::other_case("the message", strict.members().map(|(key, _)| key), KNOWN)?;
        let member = |name: &str| strict.members().find(|(key, _)| *key == name).map(|(_, value)| value);
        let id = member("id").and_then(Id::from_json);
        let responds = member("result").is_some() || member("error").is_some();
        // The id of a response is the server's: an answer that carried it would be taken for one of the client's own.
        let told = if responds { None } else { id.clone() };
        let flaw = |text: &str| not_json_rpc(text).with_id(told.clone());
        if member("jsonrpc").and_then(Json::string).as_deref() != Some("2.0") {
            return Err(flaw("`jsonrpc` must be \"2.0\""));
        }
        if member("id").is_some() && id.is_none() {
            return Err(flaw("`id` must be a whole number or a short string"));
        }
        if responds {
            let one = member("result").is_some() != member("error").is_some();
            let alone = one && member("method").is_none() && member("params").is_none();
            return if alone { Ok(Self::Response { id }) } else { Err(flaw("a message is a request or a response")) };
        }
        let method = member("method").and_then(Json::string).ok_or_else(|| flaw("`method` must be a string"))?;
        // `Mcp-Method` has no wrapped form, so what a plain header cannot say is no method.
        let plain =
            (1..=limits::METHOD_BYTES_MAX).contains(&method.len()) && method.bytes().all(|b| b.is_ascii_graphic());
        if !plain {
            return Err(flaw("`method` is empty, too long or not visible ASCII"));
        }
        if member("params").is_some_and(|params| !params.is_object()) {
            return Err(params_invalid("`params` must be an object").with_id(id));
        }
        Ok(Self::Method { id, method })
    }
}
