//! Tasks: what a server makes of a call that takes its time, and goes on with by itself (MCP's extension
//! `io.modelcontextprotocol/tasks`, 2026-07-28).
//!
//! A server shows a task in three places: in the answer that says what became of a call, in the answer to `tasks/get`, and in
//! `notifications/tasks`. It has one shape in all of them, and is read by one function. What a task carries is what the call
//! would have been answered: its result, its error or the questions it waits for. So it is read as strictly as an answer, and
//! may carry nothing but what its status says.

use std::borrow::Cow;

use bytes::Bytes;
use model::limits;

use crate::Flaw;
use crate::answer::{self, Question};
use crate::json::{self, Bounds, Json};

/// The extension's id, among the capabilities of clients and servers.
pub const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// What the type of a result is that says that a call became a task.
pub const RESULT_TYPE: &str = "task";

const TASK: &[&str] = &[
    "resultType",
    "taskId",
    "status",
    "statusMessage",
    "createdAt",
    "lastUpdatedAt",
    "ttlMs",
    "pollIntervalMs",
    "inputRequests",
    "requestState",
    "result",
    "error",
    "_meta",
];
const STATUSES: [&str; 5] = ["working", "input_required", "completed", "failed", "cancelled"];
const ACKNOWLEDGED: &[&str] = &["_meta", "notifications"];
const GRANTED: &[&str] = &["taskIds"];

/// A task, as its server tells it.
#[derive(Debug, Clone)]
pub struct Task {
    /// The server's id of it.
    pub id: String,
    /// How far it is.
    pub status: Status,
}

/// How far a task is, with what it carries then.
#[derive(Debug, Clone)]
pub enum Status {
    /// The server works on it.
    Working,
    /// It waits until these questions are answered by `tasks/update`.
    InputRequired(Vec<Question>),
    /// It has its result.
    Completed {
        /// Does the tool say that it failed?
        is_error: bool,
    },
    /// It ended with an error.
    Failed {
        /// The JSON-RPC code.
        code: i64,
    },
    /// It was taken back.
    Cancelled,
}

/// What a task may carry, as it stands in the text.
#[derive(Default)]
struct Carried<'a> {
    questions: Option<Json<'a>>,
    result: Option<Json<'a>>,
    error: Option<Json<'a>>,
}

/// Reads a task: the `result` of an answer or the `params` of a notification, which are JSON objects.
///
/// # Errors
/// A [`Flaw`] with [`model::Reason::AnswerRefused`]: the text is not strict JSON, has no id of at most
/// [`limits::TASK_ID_BYTES_MAX`] bytes, a status that is none of the five, lacks what its status has to carry, or carries what
/// another one does.
pub fn read(object: &Bytes) -> Result<Task, Flaw> {
    let strict = json::check(object, &Bounds::MESSAGE).map_err(|fault| Flaw::from_server(fault.to_string()))?;
    let (mut id, mut status, mut carried) = (None, None, Carried::default());
    for (key, value) in strict.members() {
        answer::same_case(&[key], TASK)?;
        match key {
            "taskId" => id = Some(task_id(value)?),
            "status" => status = value.string(),
            "inputRequests" => carried.questions = Some(value),
            "result" => carried.result = Some(value),
            "error" => carried.error = Some(value),
            _ => {}
        }
    }
    let id = id.ok_or_else(|| Flaw::from_server("a task has no `taskId`"))?;
    let status = carried.under(status.as_deref().unwrap_or_default(), object)?;
    Ok(Task { id, status })
}

impl Carried<'_> {
    /// What is carried under this status, and nothing else.
    fn under(self, status: &str, bytes: &Bytes) -> Result<Status, Flaw> {
        match (status, self.questions, self.result, self.error) {
            ("working", None, None, None) => Ok(Status::Working),
            ("cancelled", None, None, None) => Ok(Status::Cancelled),
            ("input_required", Some(questions), None, None) => {
                Ok(Status::InputRequired(answer::required(questions, bytes)?))
            }
            ("completed", None, Some(result), None) => Ok(Status::Completed { is_error: is_error(result)? }),
            ("failed", None, None, Some(error)) => Ok(Status::Failed { code: code(error)? }),
            _ => Err(Flaw::from_server("a task's `status` is none, or not one that carries what the task does")),
        }
    }
}

/// The id of the task that a call became, by the answer that says so. It carries nothing yet: what there is to tell is told
/// when it is asked for.
///
/// # Errors
/// A [`Flaw`] with [`model::Reason::AnswerRefused`], as [`read()`]; and when it carries something all the same.
pub fn begun(result: &Bytes) -> Result<String, Flaw> {
    let strict = json::check(result, &Bounds::MESSAGE).map_err(|fault| Flaw::from_server(fault.to_string()))?;
    let (mut id, mut status) = (None, None);
    for (key, value) in strict.members() {
        answer::same_case(&[key], TASK)?;
        match key {
            "taskId" => id = Some(task_id(value)?),
            "status" => status = value.string(),
            "inputRequests" | "requestState" | "result" | "error" => {
                return Err(Flaw::from_server("a task that begins carries what only `tasks/get` tells"));
            }
            _ => {}
        }
    }
    if !STATUSES.contains(&status.as_deref().unwrap_or_default()) {
        return Err(Flaw::from_server("a task's `status` is none of the five"));
    }
    id.ok_or_else(|| Flaw::from_server("a task has no `taskId`"))
}

/// The tasks of which a server says that it will tell, when it acknowledges a subscription. `params` are its notification's.
///
/// # Errors
/// A [`Flaw`] with [`model::Reason::AnswerRefused`] when they are no list of ids.
pub fn acknowledged(params: &Bytes) -> Result<Option<Vec<String>>, Flaw> {
    let strict = json::check(params, &Bounds::MESSAGE).map_err(|fault| Flaw::from_server(fault.to_string()))?;
    let mut ids = None;
    for (key, value) in strict.members() {
        answer::same_case(&[key], ACKNOWLEDGED)?;
        for (key, value) in value.members().filter(|_| key == "notifications") {
            answer::same_case(&[&key], GRANTED)?;
            if key != "taskIds" {
                continue;
            }
            if !value.is_array() {
                return Err(Flaw::from_server("`taskIds` is no array"));
            }
            let listed = value.elements().take(limits::SUBSCRIPTION_TASKS_MAX).map(task_id);
            ids = Some(listed.collect::<Result<Vec<_>, _>>()?);
        }
    }
    Ok(ids)
}

fn task_id(value: Json<'_>) -> Result<String, Flaw> {
    let id = value.string().filter(|id| (1..=limits::TASK_ID_BYTES_MAX).contains(&id.len()));
    id.map(Cow::into_owned).ok_or_else(|| Flaw::from_server("`taskId` is empty, too long or no string"))
}

/// Whether the result of a task's call says that the tool failed. It has to be the end of the call.
fn is_error(result: Json<'_>) -> Result<bool, Flaw> {
    if !result.is_object() {
        return Err(Flaw::from_server("a task's `result` is no object"));
    }
    let mut is_error = false;
    for (key, value) in result.members() {
        answer::same_case(&[&key], answer::RESULT)?;
        match key.as_ref() {
            "isError" => {
                is_error = value.boolean().ok_or_else(|| Flaw::from_server("a task's `isError` is no boolean"))?;
            }
            "resultType" if value.string().as_deref() != Some("complete") => {
                return Err(Flaw::from_server("a task's `result` is not complete"));
            }
            _ => {}
        }
    }
    Ok(is_error)
}

fn code(error: Json<'_>) -> Result<i64, Flaw> {
    let (mut code, mut has_message) = (None, false);
    for (key, value) in error.members() {
        answer::same_case(&[&key], answer::ERROR)?;
        match key.as_ref() {
            "code" => code = value.integer(),
            "message" => has_message = value.string().is_some(),
            _ => {}
        }
    }
    let code = code.filter(|_| has_message);
    code.ok_or_else(|| Flaw::from_server("a task's `error` needs a whole `code` and a `message`"))
}

#[cfg(test)]
mod tests;
