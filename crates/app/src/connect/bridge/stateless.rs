//! Messages of 2026-07-28: each stands for itself, with headers that repeat what its body says.

use http::{HeaderMap, HeaderValue};
use model::limits;
use serde_json::{Map, Value, json};

use super::answer::Heard;
use super::{Bridge, ForClient};
use crate::connect::gate::{Answer, Said};
use crate::connect::message::Message;
use crate::connect::trouble::Trouble;

/// The code of a refusal for headers that do not say what the body says (MCP 2026-07-28, basic).
const HEADER_MISMATCH: i64 = -32020;

impl Bridge {
    /// Carries one message.
    pub(super) async fn stateless(&self, message: &Message) -> Result<ForClient, Trouble> {
        let headers = self.headers_of(message);
        let mut answer = self.gate.post(headers.clone(), message.body.clone()).await?;
        if message.method() == "tools/call" && is_mismatch(&answer) {
            // A refusal before any effect, so that the call may be sent again once the tools are known as they are now.
            self.list_tools(message).await?;
            let renewed = self.headers_of(message);
            if renewed != headers {
                answer = self.gate.post(renewed, message.body.clone()).await?;
            }
        }
        self.outcome(message, answer, None).await
    }

    /// The headers that the revision wants. What no header can carry is left out, and the gate says so.
    fn headers_of(&self, message: &Message) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(8);
        if let Some(version) = message.version().and_then(|version| HeaderValue::from_str(version).ok()) {
            headers.insert(wire::header::PROTOCOL_VERSION, version);
        }
        headers.insert(wire::header::METHOD, wire::header::encode(message.method()));
        if let Some(name) = message.name() {
            headers.insert(wire::header::NAME, wire::header::encode(name));
        }
        if message.method() == "tools/call" {
            self.mirrored.write(&message.params, &mut headers);
        }
        headers
    }

    /// Reads every tool, for the headers that they want, as the client would.
    async fn list_tools(&self, message: &Message) -> Result<(), Trouble> {
        let mut cursor = Value::Null;
        for page in 0..limits::LISTING_PAGES_MAX {
            let mut params = Map::from_iter([("_meta".to_owned(), self_description(message))]);
            if cursor.is_string() {
                params.insert("cursor".to_owned(), cursor);
            }
            let id = format!("portcullis-connect-{page}");
            let body = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/list", "params": params }).to_string();
            let Ok(listing) = Message::read(body.into()) else { return Err(Trouble::Unreadable) };
            let answer = self.gate.post(self.headers_of(&listing), listing.body.clone()).await?;
            let answer = self.outcome(&listing, answer, None).await?.unwrap_or_default();
            let result =
                Heard::read(&answer)?.result.and_then(|result| serde_json::from_str::<Value>(result.get()).ok());
            cursor = result.and_then(|mut result| result.get_mut("nextCursor").map(Value::take)).unwrap_or_default();
            if !cursor.is_string() {
                break;
            }
        }
        Ok(())
    }
}

/// What the client said of itself in this message, without what belongs to this message alone.
fn self_description(message: &Message) -> Value {
    let mut meta = message.params.get("_meta").cloned().unwrap_or_default();
    if let Some(members) = meta.as_object_mut() {
        members.retain(|key, _| {
            matches!(
                key.as_str(),
                "io.modelcontextprotocol/protocolVersion"
                    | "io.modelcontextprotocol/clientInfo"
                    | "io.modelcontextprotocol/clientCapabilities"
            )
        });
    }
    meta
}

fn is_mismatch(answer: &Answer) -> bool {
    match &answer.said {
        Said::Whole(body) => Heard::read(body).is_ok_and(|heard| heard.code() == Some(HEADER_MISMATCH)),
        Said::Stream(_) | Said::Nothing => false,
    }
}
