//! A server's questions: in 2026-07-28 within an answer, in 2025-11-25 as requests of their own, or as pages that an
//! error wants opened.

use std::borrow::Cow;

use bytes::Bytes;
use model::limits;

use super::{META, META_MEMBER, PROGRESS_TOKEN, id_of, object, same_case, text};
use crate::json::Json;
use crate::{Flaw, Id};

const QUESTION: &[&str] = &["method", "params"];
const PARAMS: &[&str] = &["_meta", "mode", "elicitationId", "url", "message"];

/// A server's question to the client, its user or its model.
#[derive(Debug, Clone)]
pub struct Question {
    /// The name under which the answer is wanted, within an answer that asks; elsewhere empty.
    pub key: String,
    /// What kind of question: `elicitation/create`, `sampling/createMessage`, `roots/list`. A request of a server's own
    /// may also be `ping`, or anything else.
    pub method: String,
    /// An elicitation's mode: `form` or `url`.
    pub mode: Option<String>,
    /// The id by which the server will tell that the page was left. Only in 2025-11-25.
    pub elicitation_id: Option<String>,
    /// The token that notifications of the answer's progress carry. Only in 2025-11-25.
    pub progress_token: Option<Id>,
    /// The question itself: a JSON object.
    pub params: Option<Bytes>,
}

impl Question {
    /// A request that a server sends.
    pub(super) fn of_request(method: String, params: Option<Json<'_>>, bytes: &Bytes) -> Result<Self, Flaw> {
        Self::new(String::new(), method, params, bytes)
    }

    fn new(key: String, method: String, params: Option<Json<'_>>, bytes: &Bytes) -> Result<Self, Flaw> {
        let mut question = Self { key, method, mode: None, elicitation_id: None, progress_token: None, params: None };
        let Some(params) = params else { return Ok(question) };
        question.params = Some(object(params, "params", bytes)?);
        for (name, value) in params.members() {
            same_case(&[&name], PARAMS)?;
            match name.as_ref() {
                "mode" => question.mode = Some(text(value, "mode")?),
                "elicitationId" => question.elicitation_id = Some(elicitation_id(value)?),
                META_MEMBER => question.progress_token = progress_token(value)?,
                _ => {}
            }
        }
        Ok(question)
    }
}

/// The questions of an answer that asks.
pub(crate) fn required(value: Json<'_>, bytes: &Bytes) -> Result<Vec<Question>, Flaw> {
    object(value, "inputRequests", bytes)?;
    bounded(value.members().map(|(key, value)| one(key, value, bytes)))
}

/// The pages that an error wants opened: its `data.elicitations`. The specification allows nothing else with its code.
pub(super) fn elicitations(data: Option<Json<'_>>, bytes: &Bytes) -> Result<Vec<Question>, Flaw> {
    let mut listed = None;
    for (key, value) in data.into_iter().flat_map(Json::members) {
        same_case(&[&key], &["elicitations"])?;
        if key == "elicitations" {
            listed = Some(value);
        }
    }
    let listed = listed.filter(|value| value.is_array());
    let listed = listed.ok_or_else(|| Flaw::from_server("pages are required, but `data.elicitations` is no array"))?;
    let questions = bounded(listed.elements().map(|value| {
        let question = Question::new(String::new(), "elicitation/create".to_owned(), Some(value), bytes)?;
        if question.mode.as_deref() == Some("url") && question.elicitation_id.is_some() {
            Ok(question)
        } else {
            Err(Flaw::from_server("a required page has no `elicitationId`, or is none"))
        }
    }))?;
    if questions.is_empty() { Err(Flaw::from_server("pages are required, but none is named")) } else { Ok(questions) }
}

pub(super) fn elicitation_id(value: Json<'_>) -> Result<String, Flaw> {
    let id = text(value, "elicitationId")?;
    let fits = (1..=limits::ELICITATION_ID_BYTES_MAX).contains(&id.len());
    if fits { Ok(id) } else { Err(Flaw::from_server("`elicitationId` is empty or too long")) }
}

fn one(key: Cow<'_, str>, value: Json<'_>, bytes: &Bytes) -> Result<Question, Flaw> {
    object(value, "inputRequests", bytes)?;
    let (mut method, mut params) = (None, None);
    for (name, value) in value.members() {
        same_case(&[&name], QUESTION)?;
        match name.as_ref() {
            "method" => method = Some(text(value, "method")?),
            "params" => params = Some(value),
            _ => {}
        }
    }
    let method = method.ok_or_else(|| Flaw::from_server("a question has no `method`"))?;
    Question::new(key.into_owned(), method, params, bytes)
}

fn progress_token(meta: Json<'_>) -> Result<Option<Id>, Flaw> {
    let mut token = None;
    for (key, value) in meta.members() {
        same_case(&[&key], META)?;
        if key == PROGRESS_TOKEN {
            token = Some(id_of(value, PROGRESS_TOKEN)?);
        }
    }
    Ok(token)
}

fn bounded(questions: impl Iterator<Item = Result<Question, Flaw>>) -> Result<Vec<Question>, Flaw> {
    let questions = questions.take(limits::QUESTIONS_MAX + 1).collect::<Result<Vec<_>, _>>()?;
    if questions.len() > limits::QUESTIONS_MAX {
        return Err(Flaw::from_server("too many questions are asked at once"));
    }
    Ok(questions)
}

#[cfg(test)]
mod tests;
