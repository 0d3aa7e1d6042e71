//! An agent's message: read whole, headers against body, or refused.

mod meta;
mod subject;

use std::borrow::Cow;

use bytes::Bytes;
use http::HeaderMap;
use model::{Reason, limits};
use serde_json::json;

use crate::json::{Bounds, Json, Strict};
use crate::{Flaw, Id, Revision, header, json};

pub use meta::{Capabilities, Elicitation, Meta};
pub use subject::{Reference, Subject};

pub(crate) use meta::{CLIENT_CAPABILITIES, CLIENT_INFO, PROGRESS_TOKEN, PROTOCOL_VERSION, SUBSCRIPTION_ID};

use meta::Draft;

/// The member of `params` and of results that carries what is about the message.
pub(crate) const META_MEMBER: &str = "_meta";

/// Members of the envelope that any reader may know.
const ENVELOPE: &[&str] = &["jsonrpc", "id", "method", "params", "result", "error"];

/// Members of `params` that any reader may know.
const PARAMS: &[&str] = &[
    "_meta",
    "name",
    "arguments",
    "uri",
    "cursor",
    "inputResponses",
    "requestState",
    "ref",
    "argument",
    "context",
    "notifications",
    "taskId",
];

/// Bytes of an unsupported version that are repeated to the caller.
const VERSION_ECHO_CHARS: usize = 32;

/// One request or notification of an agent. Parts of the body are slices of it, not copies.
#[derive(Debug, Clone)]
pub struct Request {
    /// The revision it speaks, told the same by header and body.
    pub revision: Revision,
    /// Its id; a notification has none.
    pub id: Option<Id>,
    /// Its method, not yet looked up in any register.
    pub method: String,
    /// The thing it is about.
    pub subject: Subject,
    /// What it says of itself.
    pub meta: Meta,
    /// Where a listing goes on.
    pub cursor: Option<String>,
    /// The answers to a server's questions: a JSON object.
    pub input_responses: Option<Bytes>,
    /// The server's own words, returned with the answers. Opaque, and never to be trusted by the server.
    pub request_state: Option<String>,
    /// The whole body, as it came.
    pub body: Bytes,
}

impl Request {
    /// What `Mcp-Name` has to say for this request, if anything.
    pub fn name(&self) -> Option<&str> {
        self.subject.header_name()
    }
}

/// Reads the body of a POST and holds its headers against it.
///
/// The order of the checks is what clients rely on: the JSON, the envelope, the version (so that a client of another
/// revision learns which ones are spoken here), the rest of `_meta`, and then what the method is about.
///
/// # Errors
/// A [`Flaw`] with the reason for the status and code that the specification wants, and the request's id if it could
/// be read.
pub fn read(headers: &HeaderMap, body: &Bytes) -> Result<Request, Flaw> {
    let strict = json::check(body, &Bounds::MESSAGE).map_err(Flaw::from_agent)?;
    let envelope = Envelope::read(&strict)?;
    let id = envelope.id.clone();
    read_params(headers, body, &strict, envelope).map_err(|flaw| flaw.with_id(id))
}

/// JSON-RPC's part of a message.
struct Envelope<'a> {
    id: Option<Id>,
    method: Cow<'a, str>,
    has_params: bool,
}

impl<'a> Envelope<'a> {
    fn read(strict: &Strict<'a>) -> Result<Self, Flaw> {
        if strict.top().is_array() {
            return Err(not_json_rpc("batches ended with revision 2025-06-18; send one message"));
        }
        if !strict.top().is_object() {
            return Err(not_json_rpc("a message is an object"));
        }
        Flaw::other_case("the message", strict.members().map(|(key, _)| key), ENVELOPE)?;
        let member = |name: &str| strict.members().find(|(key, _)| *key == name).map(|(_, value)| value);
        let id = member("id").and_then(Id::from_json);
        let flaw = |text: &str| not_json_rpc(text).with_id(id.clone());
        if member("jsonrpc").and_then(Json::string).as_deref() != Some("2.0") {
            return Err(flaw("`jsonrpc` must be \"2.0\""));
        }
        if member("result").is_some() || member("error").is_some() {
            return Err(flaw("clients send no responses"));
        }
        if member("id").is_some() && id.is_none() {
            return Err(flaw("`id` must be a whole number or a short string"));
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
        Ok(Self { id, method, has_params: member("params").is_some() })
    }
}

fn read_params(
    headers: &HeaderMap,
    body: &Bytes,
    strict: &Strict<'_>,
    envelope: Envelope<'_>,
) -> Result<Request, Flaw> {
    let Envelope { id, method, has_params } = envelope;
    Flaw::other_case("`params`", strict.members_of("params").map(|(key, _)| key), PARAMS)?;
    let param = |name: &str| strict.members_of("params").find(|(key, _)| *key == name).map(|(_, value)| value);
    let draft = param("_meta").map(|value| Draft::read(value, body)).transpose()?.unwrap_or_default();

    if method == "initialize" && draft.version.is_none() {
        // The handshake of the older revisions: its client learns what is spoken here.
        let asked = param("protocolVersion").and_then(Json::string).unwrap_or_default();
        return Err(version_unsupported(&asked));
    }
    let is_request = id.is_some();
    if is_request && draft.version.is_none() {
        let missing = if has_params { PROTOCOL_VERSION } else { "params" };
        return Err(params_invalid(format!("`{missing}` is missing")));
    }
    let revision = agreed_revision(headers, draft.version.as_deref())?;
    if is_request && draft.client_capabilities.is_none() {
        return Err(params_invalid(format!("`{CLIENT_CAPABILITIES}` is missing")));
    }
    let said = header::sole(headers, &header::METHOD)?;
    if said.is_some_and(|said| said != method) || (is_request && said.is_none()) {
        return Err(header::mismatch("`Mcp-Method` does not say the body's `method`"));
    }
    let subject = Subject::read(&method, &param, body)?;
    if let Some(name) = subject.header_name() {
        agreed_name(headers, name)?;
    }
    let cursor = text(&param, "cursor")?;
    let request_state = text(&param, "requestState")?;
    let input_responses = subject::object(&param, "inputResponses", body)?;
    Ok(Request {
        revision,
        id,
        method: method.into_owned(),
        subject,
        meta: draft.finish(),
        cursor,
        input_responses,
        request_state,
        body: body.clone(),
    })
}

/// The revision that header and body agree on.
fn agreed_revision(headers: &HeaderMap, body: Option<&str>) -> Result<Revision, Flaw> {
    let Some(said) = header::sole(headers, &header::PROTOCOL_VERSION)? else {
        return Err(header::mismatch("`MCP-Protocol-Version` is missing"));
    };
    if body.is_some_and(|body| body != said) {
        return Err(header::mismatch("`MCP-Protocol-Version` does not say the body's protocol version"));
    }
    Revision::parse(said).ok_or_else(|| version_unsupported(said))
}

fn agreed_name(headers: &HeaderMap, name: &str) -> Result<(), Flaw> {
    let Some(said) = header::sole(headers, &header::NAME)? else {
        return Err(header::mismatch("`Mcp-Name` is missing"));
    };
    if header::decode(&header::NAME, said)? == name {
        return Ok(());
    }
    Err(header::mismatch("`Mcp-Name` does not say the body's name or URI"))
}

/// A member of `params` that is a string if it is there.
fn text<'a>(param: &impl Fn(&str) -> Option<Json<'a>>, name: &str) -> Result<Option<String>, Flaw> {
    let Some(value) = param(name) else { return Ok(None) };
    let text = value.string().ok_or_else(|| params_invalid(format!("`{name}` must be a string")))?;
    Ok(Some(text.into_owned()))
}

fn not_json_rpc(text: impl Into<String>) -> Flaw {
    Flaw::new(Reason::NotJsonRpc, text)
}

fn params_invalid(text: impl Into<String>) -> Flaw {
    Flaw::new(Reason::ParamsInvalid, text)
}

fn version_unsupported(asked: &str) -> Flaw {
    let supported: Vec<_> = Revision::SUPPORTED.iter().map(|revision| revision.as_str()).collect();
    let requested: String = asked.chars().take(VERSION_ECHO_CHARS).collect();
    Flaw::new(Reason::VersionUnsupported, format!("supported here: {}", supported.join(", ")))
        .with_data(json!({ "supported": supported, "requested": requested }))
}

#[cfg(test)]
mod tests;
