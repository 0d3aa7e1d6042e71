//! A server's message: read as strictly as an agent's, because an agent's reader must not see in it what the gate's did
//! not.

mod question;

use std::borrow::Cow;

use bytes::Bytes;
use http::HeaderMap;
use model::Reason;

use crate::json::{Bounds, Json, Strict};
use crate::request::{META_MEMBER, PROGRESS_TOKEN, SUBSCRIPTION_ID};
use crate::{Flaw, Id, header, json};

pub use question::Question;
pub(crate) use question::required;

/// The code by which a server of 2025-11-25 says that pages have to be opened before a request can be carried out.
pub const URL_ELICITATION_REQUIRED: i64 = -32042;

const ENVELOPE: &[&str] = &["jsonrpc", "id", "method", "params", "result", "error"];
pub(crate) const RESULT: &[&str] =
    &["resultType", "isError", "inputRequests", "requestState", "_meta", "content", "structuredContent"];
pub(crate) const ERROR: &[&str] = &["code", "message", "data"];
const CLIENT_RESULT: &[&str] = &["_meta", "action", "content", "role", "model", "stopReason", "roots"];
const PARAMS: &[&str] = &["_meta", "progressToken", "uri", "requestId", "elicitationId"];
const META: &[&str] = &[SUBSCRIPTION_ID, PROGRESS_TOKEN];

/// One message of a server. Parts of it are slices of the bytes it came in.
#[derive(Debug, Clone)]
pub enum Incoming {
    /// The answer to a request.
    Response {
        /// The request's id; only an error that could not read it lacks one.
        id: Option<Id>,
        /// What it says.
        outcome: Outcome,
    },
    /// A notification.
    Notification(Notification),
    /// A request, which servers send only in 2025-11-25: a question to the client, or `ping`.
    Request {
        /// Its id, by which the client answers.
        id: Id,
        /// What it asks.
        question: Question,
    },
}

/// What a response says.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The request was carried out, or needs more input.
    Result {
        /// Which of them.
        result_type: ResultType,
        /// Does a tool say that it failed?
        is_error: bool,
        /// The result: a JSON object.
        raw: Bytes,
    },
    /// The request failed.
    Error {
        /// The JSON-RPC code.
        code: i64,
        /// The server's words.
        message: String,
        /// With [`URL_ELICITATION_REQUIRED`], the pages to be opened before the request is made again.
        elicitations: Vec<Question>,
        /// The error: a JSON object.
        raw: Bytes,
    },
}

/// Which kind of result it is.
#[derive(Debug, Clone)]
pub enum ResultType {
    /// The end. An answer that names no type counts as this, as the specification asks.
    Complete,
    /// The server asks before it goes on.
    InputRequired {
        /// Its questions.
        questions: Vec<Question>,
        /// Does it want words of its own returned with the answers?
        has_state: bool,
    },
    /// A type that an extension defines.
    Other(String),
}

/// A notification of a server.
#[derive(Debug, Clone)]
pub struct Notification {
    /// Its method.
    pub method: String,
    /// The subscription it belongs to, by the id of the request that opened it.
    pub subscription: Option<Id>,
    /// The token of the request whose progress it tells.
    pub progress_token: Option<Id>,
    /// The resource it is about.
    pub uri: Option<String>,
    /// The request that `notifications/cancelled` takes back.
    pub request: Option<Id>,
    /// The page whose end `notifications/elicitation/complete` tells.
    pub elicitation_id: Option<String>,
    /// All it carries: a JSON object.
    pub params: Option<Bytes>,
}

/// Reads one message of a server.
///
/// # Errors
/// A [`Flaw`] with [`model::Reason::AnswerRefused`]: the text is not strict JSON, is no JSON-RPC message, has both or
/// neither of `result` and `error`, or asks for input without asking anything.
pub fn read(bytes: &Bytes) -> Result<Incoming, Flaw> {
    let strict = json::check(bytes, &Bounds::MESSAGE).map_err(|fault| Flaw::from_server(fault.to_string()))?;
    if !strict.top().is_object() {
        return Err(Flaw::from_server("the message is no object"));
    }
    same_case(&strict.members().map(|(key, _)| key).collect::<Vec<_>>(), ENVELOPE)?;
    let member = |name: &str| strict.members().find(|(key, _)| *key == name).map(|(_, value)| value);
    if member("jsonrpc").and_then(Json::string).as_deref() != Some("2.0") {
        return Err(Flaw::from_server("`jsonrpc` is not \"2.0\""));
    }
    let id = match member("id") {
        None => None,
        Some(value) if value.is_null() => None,
        Some(value) => Some(Id::from_json(value).ok_or_else(|| Flaw::from_server("`id` is no id"))?),
    };
    match (member("method"), member("result"), member("error")) {
        (Some(method), None, None) => {
            let method = text(method, "method")?;
            if member("id").is_some() {
                let id = id.ok_or_else(|| Flaw::from_server("a request's `id` is null"))?;
                let question = Question::of_request(method, member("params"), bytes)?;
                return Ok(Incoming::Request { id, question });
            }
            notification(method, member("params"), &strict, bytes).map(Incoming::Notification)
        }
        (None, Some(result), None) if id.is_some() => {
            Ok(Incoming::Response { id, outcome: read_result(result, &strict, bytes)? })
        }
        (None, None, Some(error)) => Ok(Incoming::Response { id, outcome: read_error(error, &strict, bytes)? }),
        _ => Err(Flaw::from_server("the message is neither a response nor a notification")),
    }
}

fn read_result(result: Json<'_>, strict: &Strict<'_>, bytes: &Bytes) -> Result<Outcome, Flaw> {
    let raw = object(result, "result", bytes)?;
    let (mut result_type, mut is_error, mut questions, mut has_state) = (None, false, None, false);
    for (key, value) in strict.members_of("result") {
        same_case(&[key], RESULT)?;
        match key {
            "resultType" => result_type = Some(text(value, key)?),
            "isError" => is_error = value.boolean().ok_or_else(|| Flaw::from_server("`isError` is no boolean"))?,
            "inputRequests" => questions = Some(value),
            "requestState" => has_state = value.string().is_some(),
            _ => {}
        }
    }
    let result_type = match result_type.as_deref() {
        None | Some("complete") => ResultType::Complete,
        Some("input_required") => {
            let questions = questions.map(|value| required(value, bytes)).transpose()?;
            if questions.is_none() && !has_state {
                return Err(Flaw::from_server("input is required, but nothing is asked"));
            }
            ResultType::InputRequired { questions: questions.unwrap_or_default(), has_state }
        }
        Some(other) => ResultType::Other(other.to_owned()),
    };
    Ok(Outcome::Result { result_type, is_error, raw })
}

fn read_error(error: Json<'_>, strict: &Strict<'_>, bytes: &Bytes) -> Result<Outcome, Flaw> {
    let told = Told::read(error, strict, bytes)?;
    let elicitations = match told.code {
        URL_ELICITATION_REQUIRED => question::elicitations(told.data, bytes)?,
        _ => Vec::new(),
    };
    Ok(told.outcome(elicitations))
}

/// What an error says.
struct Told<'a> {
    code: i64,
    message: String,
    data: Option<Json<'a>>,
    raw: Bytes,
}

impl<'a> Told<'a> {
    fn read(error: Json<'a>, strict: &Strict<'a>, bytes: &Bytes) -> Result<Self, Flaw> {
        let raw = object(error, "error", bytes)?;
        let (mut code, mut message, mut data) = (None, None, None);
        for (key, value) in strict.members_of("error") {
            same_case(&[key], ERROR)?;
            match key {
                "code" => code = value.integer(),
                "message" => message = value.string(),
                "data" => data = Some(value),
                _ => {}
            }
        }
        let (Some(code), Some(message)) = (code, message) else {
            return Err(Flaw::from_server("an error needs a whole `code` and a `message`"));
        };
        Ok(Self { code, message: message.into_owned(), data, raw })
    }

    fn outcome(self, elicitations: Vec<Question>) -> Outcome {
        Outcome::Error { code: self.code, message: self.message, elicitations, raw: self.raw }
    }
}

/// What a client's response says: of an envelope that has either a result or an error. Whatever code a client chooses, it
/// only says no, and in a session its results are always complete.
pub(crate) fn of_client(strict: &Strict<'_>, bytes: &Bytes) -> Result<Outcome, Flaw> {
    Flaw::other_case("`result`", strict.members_of("result").map(|(key, _)| key), CLIENT_RESULT)?;
    Flaw::other_case("`error`", strict.members_of("error").map(|(key, _)| key), ERROR)?;
    let member = |name: &str| strict.members().find(|(key, _)| *key == name).map(|(_, value)| value);
    let complete = |raw| Outcome::Result { result_type: ResultType::Complete, is_error: false, raw };
    let outcome = match (member("result"), member("error")) {
        (_, Some(error)) => Told::read(error, strict, bytes).map(|told| told.outcome(Vec::new())),
        (Some(result), None) => object(result, "result", bytes).map(complete),
        (None, None) => Err(Flaw::from_server("neither `result` nor `error`")),
    };
    outcome.map_err(|flaw| Flaw::new(Reason::NotJsonRpc, flaw.refusal.detail))
}

/// The id of the session that a server began, by the headers of its answer to `initialize`.
///
/// # Errors
/// A [`Flaw`] with [`Reason::AnswerRefused`] when the header is there twice, or is no session's id.
pub fn session(headers: &HeaderMap) -> Result<Option<String>, Flaw> {
    header::session(headers).map_err(|flaw| Flaw::from_server(flaw.refusal.detail))
}

fn notification(
    method: String,
    params: Option<Json<'_>>,
    strict: &Strict<'_>,
    bytes: &Bytes,
) -> Result<Notification, Flaw> {
    let params = params.map(|params| object(params, "params", bytes)).transpose()?;
    let (mut subscription, mut progress_token, mut uri) = (None, None, None);
    let (mut request, mut elicitation_id) = (None, None);
    for (key, value) in strict.members_of("params") {
        same_case(&[key], PARAMS)?;
        match key {
            META_MEMBER => {
                for (key, value) in value.members() {
                    same_case(&[&key], META)?;
                    if key == SUBSCRIPTION_ID {
                        subscription = Some(id_of(value, SUBSCRIPTION_ID)?);
                    }
                }
            }
            PROGRESS_TOKEN => progress_token = Some(id_of(value, PROGRESS_TOKEN)?),
            "uri" => uri = Some(text(value, "uri")?),
            "requestId" => request = Some(id_of(value, "requestId")?),
            "elicitationId" => elicitation_id = Some(question::elicitation_id(value)?),
            _ => {}
        }
    }
    Ok(Notification { method, subscription, progress_token, uri, request, elicitation_id, params })
}

pub(crate) fn same_case(keys: &[&str], known: &[&'static str]) -> Result<(), Flaw> {
    let other_case = keys.iter().find_map(|key| json::in_another_case(key, known));
    other_case.map_or(Ok(()), |known| Err(Flaw::from_server(format!("a key is `{known}` in another case"))))
}

fn object(value: Json<'_>, name: &str, bytes: &Bytes) -> Result<Bytes, Flaw> {
    let raw = value.is_object().then(|| bytes.slice_ref(value.text().as_bytes()));
    raw.ok_or_else(|| Flaw::from_server(format!("`{name}` is no object")))
}

fn text(value: Json<'_>, name: &str) -> Result<String, Flaw> {
    value.string().map(Cow::into_owned).ok_or_else(|| Flaw::from_server(format!("`{name}` is no string")))
}

fn id_of(value: Json<'_>, name: &str) -> Result<Id, Flaw> {
    Id::from_json(value).ok_or_else(|| Flaw::from_server(format!("`{name}` is no id")))
}

#[cfg(test)]
mod tests;
