//! May the answer leave? It must answer this request, in the protocol's terms, within what policy releases.

use std::sync::Arc;

use audit::End;
use bytes::Bytes;
use http::StatusCode;
use model::{Object, Reason, Refusal, ServerName, Timestamp};
use wire::answer::{self, Incoming, Outcome, Question, ResultType};
use wire::task::RESULT_TYPE;
use wire::{Capabilities, Flaw, Id, Revision};

use crate::controls::connect::Connected;
use crate::controls::{ask, inspect};
use crate::gate::Gate;
use crate::legacy::Legacy;
use crate::listing;
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
    if let Some(bytes) = inspect::answer(&gate.inspector, expected, &bytes, now)? {
        // What is left is the same answer, and was decided on; it is read once more because it is another text.
        return match answer::read(&bytes)? {
            Incoming::Response { outcome, .. } => decided(gate, expected, status, &outcome, bytes, now),
            Incoming::Notification { .. } | Incoming::Request { .. } => Err(broken("a redacted answer is none")),
        };
    }
    decided(gate, expected, status, outcome, bytes, now)
}

/// What becomes of a response that policy releases.
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
        let (bytes, end) = tasks::told(expected, &bytes, raw, now)?;
        return Ok(Released { bytes, status: StatusCode::OK, end });
    }
    let end = match outcome {
        Outcome::Error { elicitations, .. } if !elicitations.is_empty() => {
            // It asks the user to open pages before the call is made again (URL elicitation, MCP 2025-11-25).
            ask(expected, elicitations, now)?;
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
            ResultType::InputRequired { .. } if expected.revision.has_sessions() => {
                return Err(broken("the result asks in the way of another revision"));
            }
            ResultType::InputRequired { questions, .. } => {
                ask(expected, questions, now)?;
                End::InputRequired
            }
            ResultType::Other(other) if other == RESULT_TYPE => End::BecameTask,
            ResultType::Other(_) => return Err(broken("the result's type is not in the register")),
        },
    };
    let bytes = match (expected.row.path, outcome) {
        (Path::Listed, Outcome::Result { .. }) => listing::filter(expected, &bytes, now)?,
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

/// Decides `ask` for the questions of an answer.
pub(crate) fn ask(expected: &Expected, questions: &[Question], now: Timestamp) -> Result<(), Flaw> {
    let Expected { connected, server, capabilities, revision, .. } = expected;
    ask::run(connected, server, capabilities, *revision, questions, now)
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
    let told = [Reason::Halted, Reason::ToolHalted, Reason::Withheld, Reason::Overloaded, Reason::PolicyForbids];
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
