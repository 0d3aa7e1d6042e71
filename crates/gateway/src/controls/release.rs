//! May the answer leave? It must answer this request, in the protocol's terms, within what policy releases.

use std::sync::Arc;

use audit::End;
use bytes::Bytes;
use http::StatusCode;
use model::{Object, Reason, Refusal, ServerName, Timestamp};
use serde::Deserialize;
use wire::answer::{self, Incoming, Outcome, Question, ResultType};
use wire::task::RESULT_TYPE;
use wire::{Capabilities, Flaw, Id, Revision};

use crate::controls::ask::Put;
use crate::controls::connect::Connected;
use crate::controls::{ask, inspect, intercept};
use crate::gate::Gate;
use crate::legacy::Legacy;
use crate::listing;
use crate::looked::Looked;
use crate::naming;
use crate::register::{Path, Row};
use crate::rounds;
use crate::tasks::{self, Concern};

/// An answer that may leave, byte for byte as the server wrote it unless it is a filtered listing.
pub(crate) struct Released {
    pub(crate) bytes: Bytes,
    pub(crate) status: StatusCode,
    pub(crate) end: End,
}

/// What an answer is held against.
pub(crate) struct Expected {
    /// The caller, in the light of the newest snapshot.
    pub(crate) connected: Connected,
    /// The session that the client keeps.
    pub(crate) legacy: Option<Arc<Legacy>>,
    /// The server that answers.
    pub(crate) server: ServerName,
    /// The revision that is spoken.
    pub(crate) revision: Revision,
    /// The token by which the client knows this call's progress.
    pub(crate) progress: Option<Id>,
    /// The request's id.
    pub(crate) id: Id,
    /// The request's row of the register.
    pub(crate) row: &'static Row,
    /// What the request was about.
    pub(crate) objects: Vec<Object>,
    /// What the client can be asked.
    pub(crate) capabilities: Capabilities,
    /// The tasks of which the answer may tell.
    pub(crate) concern: Concern,
    /// What was seen in the answer so far.
    pub(crate) looked: Looked,
}

/// Reads a whole answer and decides on it.
pub(crate) fn run(
    gate: &Gate,
    expected: &Expected,
    status: StatusCode,
    body: Bytes,
    now: Timestamp,
) -> Result<Released, Flaw> {
    match answer::read(&body).map_err(|flaw| unanswered(status, flaw))? {
        Incoming::Response { id, outcome } => response(gate, expected, status, id.as_ref(), &outcome, body, now),
        Incoming::Notification { .. } => Err(broken("the server answered with a notification")),
        Incoming::Request { .. } => Err(broken("the server answered with a request")),
    }
}

/// Decides on one response.
pub(crate) fn response(
    gate: &Gate,
    expected: &Expected,
    status: StatusCode,
    id: Option<&Id>,
    outcome: &Outcome,
    bytes: Bytes,
    now: Timestamp,
) -> Result<Released, Flaw> {
    if id != Some(&expected.id) {
        return Err(unanswered(status, broken("the server answered another request")));
    }
    if let (Path::Listed, Outcome::Result { .. }) = (expected.row.path, outcome) {
        // What is in it is decided on entry by entry, so that one of them does not withhold all; then on all that is left.
        let bytes = listing::filter(gate, expected, &bytes, now)?;
        let bytes = inspect::answer(gate, expected, &bytes, now)?.unwrap_or(bytes);
        return decided(gate, expected, status, &again(&bytes)?, bytes, now);
    }
    let left = inspect::answer(gate, expected, &bytes, now)?;
    let changed = left.as_ref().map(again).transpose()?;
    let (outcome, bytes) = (changed.as_ref().unwrap_or(outcome), left.unwrap_or(bytes));
    match intercept::answer(gate, expected, outcome, &bytes, now)? {
        None => questioned(gate, expected, status, outcome, bytes, now),
        Some(bytes) => questioned(gate, expected, status, &again(&bytes)?, bytes, now),
    }
}

/// The outcome of an answer that was changed. It was decided on; it is read once more because it is another
/// text.
fn again(bytes: &Bytes) -> Result<Outcome, Flaw> {
    match answer::read(bytes)? {
        Incoming::Response { outcome, .. } => Ok(outcome),
        Incoming::Notification { .. } | Incoming::Request { .. } => Err(broken("a redacted answer is none")),
    }
}

/// Decides on the questions of an answer, if it asks any.
fn questioned(
    gate: &Gate,
    expected: &Expected,
    status: StatusCode,
    outcome: &Outcome,
    bytes: Bytes,
    now: Timestamp,
) -> Result<Released, Flaw> {
    let questions: &[Question] = match outcome {
        // It asks the user to open pages before the call is made again (URL elicitation, MCP 2025-11-25).
        Outcome::Error { elicitations, .. } => elicitations,
        Outcome::Result { result_type: ResultType::InputRequired { .. }, .. } if expected.revision.has_sessions() => {
            return Err(broken("the result asks in the way of another revision"));
        }
        Outcome::Result { result_type: ResultType::InputRequired { questions, .. }, .. } => questions,
        Outcome::Result { result_type: ResultType::Complete | ResultType::Other(_), .. } => &[],
    };
    match ask(gate, expected, questions, &bytes, now)? {
        None => decided(gate, expected, status, outcome, bytes, now),
        Some(bytes) => decided(gate, expected, status, &again(&bytes)?, bytes, now),
    }
}

/// What becomes of a response that policy releases, and whose questions may be put.
fn decided(
    gate: &Gate,
    expected: &Expected,
    status: StatusCode,
    outcome: &Outcome,
    bytes: Bytes,
    now: Timestamp,
) -> Result<Released, Flaw> {
    if let Outcome::Result { result_type: ResultType::Complete, raw, .. } = outcome
        && expected.row.method == "tasks/get"
    {
        let (bytes, end) = tasks::told(gate, expected, &bytes, raw, now)?;
        return Ok(Released { bytes, status: StatusCode::OK, end });
    }
    if let Outcome::Result { result_type: ResultType::Complete, is_error: false, raw } = outcome {
        fits(expected, raw)?;
    }
    let end = match outcome {
        Outcome::Error { elicitations, .. } if !elicitations.is_empty() => {
            if let Some(session) = &expected.legacy {
                elicitations
                    .iter()
                    .filter_map(|page| page.elicitation_id.as_deref())
                    .for_each(|id| session.elicited(&expected.server, id));
            }
            End::InputRequired
        }
        Outcome::Error { code, .. } => End::ServerError(*code),
        Outcome::Result { result_type, is_error, .. } => match result_type {
            ResultType::Complete if *is_error => End::ToolError,
            ResultType::Complete => End::Completed,
            ResultType::InputRequired { .. } => End::InputRequired,
            ResultType::Other(other) if other == RESULT_TYPE => End::BecameTask,
            ResultType::Other(_) => return Err(broken("the result's type is not in the register")),
        },
    };
    let bytes = match (expected.row.path, outcome) {
        (_, Outcome::Result { result_type: ResultType::InputRequired { has_state: true, .. }, raw, .. }) => {
            rounds::seal(gate, expected, bytes, raw)?
        }
        (_, Outcome::Result { result_type: ResultType::Other(_), raw, .. }) => {
            tasks::begun(gate, expected, &bytes, raw)?
        }
        _ => bytes,
    };
    Ok(Released { bytes, status: told(status, outcome), end })
}

/// Whether the structured content of a tool's result fits the output schema that people approved: it is what agents read by
/// program (MCP 2026-07-28, server/tools: servers must, clients should validate).
pub(crate) fn fits(expected: &Expected, result: &Bytes) -> Result<(), Flaw> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Said {
        structured_content: Option<serde_json::Value>,
    }
    let [object @ Object::Tool { name, .. }] = expected.objects.as_slice() else { return Ok(()) };
    let member = naming::member(&expected.connected.door.endpoint, object);
    let tool = member.and_then(|member| member.server.tool(name));
    let Some(schema) = tool.and_then(|tool| tool.output_schema()) else { return Ok(()) };
    let said: Said = serde_json::from_slice(result).map_err(|_| broken("the result is no object"))?;
    match said.structured_content {
        Some(content) if !schema.fits(&content) => {
            let hint = "the tool's answer does not fit the schema that it was approved with";
            Err(Refusal::new(Reason::AnswerRefused, hint).with_hint(hint).into())
        }
        Some(_) | None => Ok(()),
    }
}

/// Decides `ask` for the questions in a text of the server's. Returns the text without what policies want taken out, where
/// they do.
pub(crate) fn ask(
    gate: &Gate,
    expected: &Expected,
    questions: &[Question],
    text: &Bytes,
    now: Timestamp,
) -> Result<Option<Bytes>, Flaw> {
    let Expected { connected, server, capabilities, revision, .. } = expected;
    let put = Put { connected, server, capabilities, revision: *revision, questions, text };
    ask::run(gate, &put, &mut expected.looked.noted(), now)
}

/// The status the caller is told. What a server says about the gate's own credential is not the caller's affair.
fn told(status: StatusCode, outcome: &Outcome) -> StatusCode {
    match outcome {
        Outcome::Result { .. } => StatusCode::OK,
        Outcome::Error { .. } if status.is_success() => StatusCode::OK,
        Outcome::Error { .. } if matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND) => status,
        Outcome::Error { .. } => StatusCode::BAD_GATEWAY,
    }
}

pub(crate) fn withheld(refusal: Refusal) -> Refusal {
    let told = [
        Reason::Halted,
        Reason::ToolHalted,
        Reason::Withheld,
        Reason::Overloaded,
        Reason::PolicyForbids,
        Reason::InspectionFailed,
    ];
    let words = told.contains(&refusal.reason).then(|| refusal.reason.row().public.to_owned());
    let mut withheld = Refusal::new(Reason::ReleaseRefused, refusal.detail).with_policies(refusal.policies);
    withheld.hint = refusal.hint.or(words);
    withheld
}

/// An error status with something that is no answer to this request may come from a proxy before the server, or from a
/// server that never read the call: nobody can tell whether it was carried out.
fn unanswered(status: StatusCode, flaw: Flaw) -> Flaw {
    if status.is_success() {
        return flaw;
    }
    let detail = format!("the server answered {status}, and not to this request: {}", flaw.refusal.detail);
    Refusal::new(Reason::OutcomeUnknown, detail).into()
}

fn broken(detail: &str) -> Flaw {
    Refusal::new(Reason::AnswerRefused, detail).into()
}
