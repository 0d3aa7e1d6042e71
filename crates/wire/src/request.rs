//! An agent's message: read whole, headers against body, or refused.

mod envelope;
mod head;
mod meta;
mod response;
mod spoken;
mod subject;

use std::borrow::Cow;

use bytes::Bytes;
use http::HeaderMap;
use model::Reason;

use crate::json::{Bounds, Json, Strict};
use crate::{Flaw, Id, Revision, header, json};

pub use head::{Head, read_head};
pub use meta::{Capabilities, Elicitation, Meta};
pub use response::Response;
pub use subject::{Reference, Subject};

pub(crate) use meta::{CLIENT_CAPABILITIES, CLIENT_INFO, LOG_LEVEL, PROGRESS_TOKEN, PROTOCOL_VERSION, SUBSCRIPTION_ID};
pub(crate) use subject::LOG_LEVELS;

use envelope::Envelope;
use meta::Draft;

/// The member of `params` and of results that carries what is about the message.
pub(crate) const META_MEMBER: &str = "_meta";

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
    // Only in revisions with sessions.
    "protocolVersion",
    "capabilities",
    "clientInfo",
    "level",
    "requestId",
    "progressToken",
    "task",
];

/// One message of an agent.
#[derive(Debug, Clone)]
pub enum Said {
    /// A request or a notification.
    Request(Box<Request>),
    /// The answer to a server's question: only in revisions with sessions.
    Response(Box<Response>),
}

/// One request or notification of an agent. Parts of the body are slices of it, not copies.
#[derive(Debug, Clone)]
pub struct Request {
    /// The revision it speaks. In 2026-07-28 header and body say it alike.
    pub revision: Revision,
    /// The session it names in its header, in a revision that has sessions. Nobody has looked yet whether there is one.
    pub session: Option<String>,
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
    /// That the call be carried out as a task: a JSON object. Only in 2025-11-25, where it is an experiment.
    pub task: Option<Bytes>,
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
pub fn read(headers: &HeaderMap, body: &Bytes) -> Result<Said, Flaw> {
    let strict = json::check(body, &Bounds::MESSAGE).map_err(Flaw::from_agent)?;
    match Envelope::read(&strict)? {
        Envelope::Method { id, method } => {
            let message = Message { headers, body, strict: &strict, id: id.clone(), method };
            message.read().map(Box::new).map(Said::Request).map_err(|flaw| flaw.with_id(id))
        }
        Envelope::Response { id } => Response::read(headers, body, &strict, id).map(Box::new).map(Said::Response),
    }
}

/// A request or notification whose envelope is sound.
struct Message<'a, 'b> {
    headers: &'b HeaderMap,
    body: &'b Bytes,
    strict: &'b Strict<'a>,
    id: Option<Id>,
    method: Cow<'a, str>,
}

impl<'a> Message<'a, '_> {
    fn read(self) -> Result<Request, Flaw> {
        Flaw::other_case("`params`", self.strict.members_of("params").map(|(key, _)| key), PARAMS)?;
        let draft = self.param("_meta").map(|value| Draft::read(value, self.body)).transpose()?.unwrap_or_default();
        let revision = match spoken::by_method(self.headers, &self.method, draft.version.as_deref())? {
            Some(revision) => revision,
            None if self.id.is_some() => return Err(params_invalid(format!("`{PROTOCOL_VERSION}` is missing"))),
            None => return Err(header::mismatch("`MCP-Protocol-Version` is missing")),
        };
        self.finish(revision, draft).map_err(|flaw| flaw.with_revision(revision))
    }

    fn finish(self, revision: Revision, draft: Draft) -> Result<Request, Flaw> {
        let is_request = self.id.is_some();
        if is_request && !revision.has_sessions() {
            draft.complete()?;
        }
        let said = header::sole(self.headers, &header::METHOD)?;
        // Sessions are older than this header; where it is there all the same, it must not lie.
        let must_be_said = is_request && !revision.has_sessions();
        if said.is_some_and(|said| said != self.method) || (must_be_said && said.is_none()) {
            return Err(header::mismatch("`Mcp-Method` does not say the body's `method`"));
        }
        let param = |name: &str| self.param(name);
        let subject = Subject::read(revision, &self.method, &param, self.body)?;
        if let Some(name) = subject.header_name() {
            agreed_name(self.headers, revision, name)?;
        }
        let (session, meta, task) = if revision.has_sessions() {
            let meta = draft.in_session(&subject, &param, self.body)?;
            (header::session(self.headers)?, meta, subject::object(&param, "task", self.body)?)
        } else {
            (None, draft.finish(), None)
        };
        let cursor = text(&param, "cursor")?;
        let request_state = text(&param, "requestState")?;
        let input_responses = subject::object(&param, "inputResponses", self.body)?;
        Ok(Request {
            revision,
            session,
            id: self.id,
            method: self.method.into_owned(),
            subject,
            meta,
            cursor,
            input_responses,
            request_state,
            task,
            body: self.body.clone(),
        })
    }

    fn param(&self, name: &str) -> Option<Json<'a>> {
        self.strict.members_of("params").find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

fn agreed_name(headers: &HeaderMap, revision: Revision, name: &str) -> Result<(), Flaw> {
    match header::sole(headers, &header::NAME)? {
        None if revision.has_sessions() => Ok(()),
        None => Err(header::mismatch("`Mcp-Name` is missing")),
        Some(said) if header::decode(&header::NAME, said)? == name => Ok(()),
        Some(_) => Err(header::mismatch("`Mcp-Name` does not say the body's name or URI")),
    }
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

#[cfg(test)]
mod tests;
