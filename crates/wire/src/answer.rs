//! A server's message: read as strictly as an agent's, because an agent's reader must not see in it what the gate's did
//! not.

use std::borrow::Cow;

use bytes::Bytes;
use model::limits;

use crate::json::{Bounds, Json, Strict};
use crate::request::{META_MEMBER, PROGRESS_TOKEN, SUBSCRIPTION_ID};
use crate::{Flaw, Id, json};

const ENVELOPE: &[&str] = &["jsonrpc", "id", "method", "params", "result", "error"];
const RESULT: &[&str] =
    &["resultType", "isError", "inputRequests", "requestState", "_meta", "content", "structuredContent"];
const ERROR: &[&str] = &["code", "message", "data"];
const PARAMS: &[&str] = &["_meta", "progressToken", "uri"];
const META: &[&str] = &[SUBSCRIPTION_ID, PROGRESS_TOKEN];
const QUESTION: &[&str] = &["method", "params"];

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
    /// A request, which servers do not send in 2026-07-28.
    Request {
        /// Its id.
        id: Option<Id>,
        /// Its method.
        method: String,
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

/// A server's question to the client, its user or its model.
#[derive(Debug, Clone)]
pub struct Question {
    /// The name under which the answer is wanted.
    pub key: String,
    /// What kind of question: `elicitation/create`, `sampling/createMessage`, `roots/list`.
    pub method: String,
    /// An elicitation's mode: `form` or `url`.
    pub mode: Option<String>,
    /// The question itself: a JSON object.
    pub params: Option<Bytes>,
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
                return Ok(Incoming::Request { id, method });
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
            let questions = questions.map(|value| read_questions(value, bytes)).transpose()?;
            if questions.is_none() && !has_state {
                return Err(Flaw::from_server("input is required, but nothing is asked"));
            }
            ResultType::InputRequired { questions: questions.unwrap_or_default(), has_state }
        }
        Some(other) => ResultType::Other(other.to_owned()),
    };
    Ok(Outcome::Result { result_type, is_error, raw })
}

fn read_questions(value: Json<'_>, bytes: &Bytes) -> Result<Vec<Question>, Flaw> {
    object(value, "inputRequests", bytes)?;
    let asked = value.members().take(limits::QUESTIONS_MAX + 1);
    let questions = asked.map(|(key, value)| read_question(key, value, bytes)).collect::<Result<Vec<_>, _>>()?;
    if questions.len() > limits::QUESTIONS_MAX {
        return Err(Flaw::from_server("too many questions are asked at once"));
    }
    Ok(questions)
}

fn read_question(key: Cow<'_, str>, value: Json<'_>, bytes: &Bytes) -> Result<Question, Flaw> {
    object(value, "inputRequests", bytes)?;
    let (mut method, mut mode, mut params) = (None, None, None);
    for (name, value) in value.members() {
        same_case(&[&name], QUESTION)?;
        match name.as_ref() {
            "method" => method = Some(text(value, "method")?),
            "params" => {
                params = Some(object(value, "params", bytes)?);
                mode = mode_of(value)?;
            }
            _ => {}
        }
    }
    let method = method.ok_or_else(|| Flaw::from_server("a question has no `method`"))?;
    Ok(Question { key: key.into_owned(), method, mode, params })
}

/// The mode of a question, which decides what capability it needs.
fn mode_of(params: Json<'_>) -> Result<Option<String>, Flaw> {
    let mut mode = None;
    for (name, value) in params.members() {
        same_case(&[&name], &["mode"])?;
        if name == "mode" {
            mode = Some(text(value, "mode")?);
        }
    }
    Ok(mode)
}

fn read_error(error: Json<'_>, strict: &Strict<'_>, bytes: &Bytes) -> Result<Outcome, Flaw> {
    let raw = object(error, "error", bytes)?;
    let (mut code, mut message) = (None, None);
    for (key, value) in strict.members_of("error") {
        same_case(&[key], ERROR)?;
        match key {
            "code" => code = value.integer(),
            "message" => message = value.string(),
            _ => {}
        }
    }
    let (Some(code), Some(message)) = (code, message) else {
        return Err(Flaw::from_server("an error needs a whole `code` and a `message`"));
    };
    Ok(Outcome::Error { code, message: message.into_owned(), raw })
}

fn notification(
    method: String,
    params: Option<Json<'_>>,
    strict: &Strict<'_>,
    bytes: &Bytes,
) -> Result<Notification, Flaw> {
    let params = params.map(|params| object(params, "params", bytes)).transpose()?;
    let (mut subscription, mut progress_token, mut uri) = (None, None, None);
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
            _ => {}
        }
    }
    Ok(Notification { method, subscription, progress_token, uri, params })
}

fn same_case(keys: &[&str], known: &[&'static str]) -> Result<(), Flaw> {
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
