//! Tasks: calls that their servers go on with by themselves (MCP's extension `io.modelcontextprotocol/tasks`, 2026-07-28).
//!
//! Whoever holds a task's id can ask for what the call would have been answered, and answer what it asks. So a client never
//! sees a server's id. It is given a sealed text, which opens for the agent and user that made the call, at that endpoint, and
//! says whose tool it was, at which definition, and with which arguments. Nothing is remembered here: each `tasks/get`,
//! `tasks/update` and `tasks/cancel` opens it and takes the whole path, decided on as the call itself would be, now. An id that
//! does not open, whose tool is hidden, halted or not what it was, is as one that never was.
//!
//! What is told of a task, in an answer or in a notification, is released as the call's answer would be; its questions are
//! decided on under `ask`, and so are the answers to them.

use std::borrow::Cow;
use std::sync::Arc;

use ::inspect::Origin;
use audit::End;
use bytes::Bytes;
use identity::Seal;
use model::{Digest, Object, PolicyId, Reason, ReceiptId, Refusal, ServerName, Timestamp, ToolName, limits};
use policy::{Action, Foreseen};
use registry::Endpoint;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use wire::answer::{Notification, Question};
use wire::task::{self, EXTENSION, Status};
use wire::{Capabilities, Flaw, Revision, Subject, edit};

use crate::controls::connect::Connected;
use crate::controls::inspect::{self, Passing, Seen};
use crate::controls::read::Message;
use crate::controls::release::{self, Expected};
use crate::controls::{halted, visible};
use crate::gate::Gate;
use crate::holder;
use crate::peer::Peer;
use crate::register::{Control, Direction};
use crate::trail::Trail;

/// A task that a caller was given, at the tool as it was then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    /// The id by which its client knows it.
    pub(crate) told: String,
    /// The server's id of it.
    pub(crate) own: String,
    /// The tool that was called.
    pub(crate) tool: Object,
    /// Its definition.
    pub(crate) pin: Digest,
    /// The receipt of the call.
    pub(crate) call: ReceiptId,
    pub(crate) arguments: Arguments,
}

/// The arguments of the call that became a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Arguments {
    /// These, if it had any.
    Known(Option<Value>),
    /// More than an id can carry.
    TooLarge,
}

/// The tasks of which an answer may tell.
pub(crate) enum Concern {
    /// The one that a call becomes.
    Call {
        /// What the call said: a JSON object.
        arguments: Option<Bytes>,
        /// Its receipt.
        receipt: ReceiptId,
    },
    /// Those that were asked about; none for most requests.
    Asked(Vec<Task>),
}

/// Seals the ids by which clients know tasks. Tasks outlive connections, and so its key should outlive the process.
pub struct Tasks(Seal);

impl Tasks {
    /// Ids that this seals.
    pub fn new(seal: Seal) -> Self {
        Self(seal)
    }
}

/// What the id of a task holds, for nobody but the gate to read.
#[derive(Serialize, Deserialize)]
struct Sealed<'a> {
    server: ServerName,
    tool: ToolName,
    pin: Digest,
    id: Cow<'a, str>,
    call: ReceiptId,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    is_cut: bool,
}

impl Concern {
    /// What the answer to a message may tell of, which is about these tasks.
    pub(crate) fn of(message: &Message, tasks: Vec<Task>, receipt: ReceiptId) -> Self {
        match &message.request.subject {
            Subject::Tool { arguments, .. } => Self::Call { arguments: arguments.clone(), receipt },
            Subject::Task { .. }
            | Subject::Prompt { .. }
            | Subject::Resource { .. }
            | Subject::Completion { .. }
            | Subject::Subscription { .. }
            | Subject::Initialize { .. }
            | Subject::Cancelled { .. }
            | Subject::Progress { .. }
            | Subject::LogLevel { .. }
            | Subject::None => Self::Asked(tasks),
        }
    }

    fn asked(&self) -> &[Task] {
        match self {
            Self::Call { .. } => &[],
            Self::Asked(tasks) => tasks,
        }
    }
}

/// Whether a server said, when it was approved, that its calls may become tasks.
fn offers(endpoint: &Endpoint, server: &ServerName) -> bool {
    let extensions = |member: &registry::Member| {
        let extension = member.server.capabilities.get("extensions").and_then(|said| said.get(EXTENSION));
        extension.is_some_and(Value::is_object)
    };
    endpoint.member(server).is_some_and(extensions)
}

/// Whether calls may become tasks at any server of an endpoint.
pub(crate) fn are_offered(endpoint: &Endpoint) -> bool {
    endpoint.members.iter().any(|member| offers(endpoint, &member.server.name))
}

/// Whether the client said that it takes tasks; each request that is about one has to say so.
pub(crate) fn declared(capabilities: &Capabilities) -> Result<(), Flaw> {
    if takes(capabilities) {
        return Ok(());
    }
    let refusal = Refusal::new(Reason::CapabilityMissing, "the client did not say that it takes tasks");
    Err(Flaw::from(refusal).with_data(json!({ "requiredCapabilities": { "extensions": { EXTENSION: {} } } })))
}

fn takes(capabilities: &Capabilities) -> bool {
    capabilities.extensions.iter().any(|extension| extension == EXTENSION)
}

/// Every id that is of no task of this caller's here is refused alike; only the receipt says why it is not.
pub(crate) fn unknown(detail: impl Into<String>) -> Refusal {
    Refusal::new(Reason::ObjectNotFound, detail).with_hint("there is no such task")
}

/// Finds the task that was given to this caller under an id.
///
/// # Errors
/// [`Reason::MethodUnknown`] where no server has tasks; else [`Reason::ObjectNotFound`] when it is none.
pub(crate) fn find(gate: &Gate, connected: &Connected, told: &str) -> Result<Task, Refusal> {
    let endpoint = &connected.door.endpoint;
    if !are_offered(endpoint) {
        return Err(Refusal::new(Reason::MethodUnknown, "no server of the endpoint has tasks"));
    }
    let opened = gate.tasks.0.open_text(told, &bound(connected));
    let opened = opened.ok_or_else(|| unknown("an id that was not given to this caller here"))?;
    let sealed: Sealed<'_> = serde_json::from_slice(&opened).map_err(|error| internal(&error.to_string()))?;
    let Sealed { server, tool, pin, id, call, arguments, is_cut } = sealed;
    let is_spoken = connected.door.reach(&server, Revision::V2026_07_28).is_ok_and(|(_, own)| !own.has_sessions());
    if !is_spoken || !offers(endpoint, &server) {
        return Err(unknown("the task's server is not behind the endpoint any more, or has no tasks"));
    }
    let arguments = match (arguments, is_cut) {
        (_, true) => Arguments::TooLarge,
        (None, false) => Arguments::Known(None),
        (Some(raw), false) => {
            Arguments::Known(Some(serde_json::from_str(raw.get()).map_err(|error| internal(&error.to_string()))?))
        }
    };
    let (told, own) = (told.to_owned(), id.into_owned());
    Ok(Task { told, own, tool: Object::Tool { server, name: tool }, pin, call, arguments })
}

/// Those of the tasks with these ids that the caller may be told of, now. Of others nothing is said.
pub(crate) fn followed(gate: &Gate, connected: &Connected, ids: &[String], now: Timestamp) -> Vec<Task> {
    let may = |task: &Task| {
        let tool = std::slice::from_ref(&task.tool);
        visible::unchanged(&[Some(task.pin)], connected, tool, now)?;
        halted::again(&gate.halts, connected, tool)?;
        decide(gate, connected, task, None, now).map(drop)
    };
    let tasks = ids.iter().filter_map(|id| find(gate, connected, id).ok());
    tasks.filter(|task| may(task).is_ok()).collect()
}

/// Decides on the call that became a task as on one that is made now, with what is in its arguments and in what is `said` of it.
pub(crate) fn decide(
    gate: &Gate,
    connected: &Connected,
    task: &Task,
    said: Option<&policy::Findings>,
    now: Timestamp,
) -> Result<Vec<PolicyId>, Refusal> {
    let arguments = match &task.arguments {
        Arguments::Known(arguments) => arguments.as_ref(),
        Arguments::TooLarge => {
            // A policy that reads arguments would not see what it wants to forbid.
            if connected.foresee(Action::Call, &task.tool) == Foreseen::Depends {
                let detail = "what depends on arguments cannot be decided on again: they are too large to be carried";
                return Err(Refusal::new(Reason::PolicyForbids, detail).with_hint(detail));
            }
            None
        }
    };
    let text = arguments.map(Value::to_string).unwrap_or_default();
    let seen = inspect::again(gate, connected, std::slice::from_ref(&task.tool), text.as_bytes())?;
    let findings = match (seen.as_ref().map(Seen::told), said) {
        (Some(own), Some(said)) => Some(own.clone().and(said)),
        (own, said) => own.or(said).cloned(),
    };
    let permit = connected.decide_seen(Action::Call, &task.tool, arguments, findings.as_ref(), now)?;
    Ok(permit.policies().to_vec())
}

/// The answer that says that a call became a task, with an id of the gate's for it.
pub(crate) fn begun(gate: &Gate, expected: &Expected, answer: &Bytes, result: &Bytes) -> Result<Bytes, Flaw> {
    let Expected { connected, server, capabilities, concern, .. } = expected;
    let Concern::Call { arguments, receipt } = concern else {
        return Err(broken("what is no call of a tool became a task"));
    };
    if expected.revision.has_sessions() || !takes(capabilities) || !offers(&connected.door.endpoint, server) {
        return Err(broken(
            "a call became a task, which the server was not approved for or the client did not ask for",
        ));
    }
    let (Some(Object::Tool { name, .. }), Some(Some(pin))) =
        (expected.objects.first(), visible::pins(connected, &expected.objects).first().copied())
    else {
        return Err(Refusal::new(Reason::Internal, "a call of no tool").into());
    };
    let id = task::begun(result)?;
    let carried = arguments.as_ref().filter(|raw| raw.len() <= limits::TASK_ARGUMENTS_BYTES_MAX);
    let raw = carried.map(|raw| serde_json::from_slice::<&RawValue>(raw)).transpose();
    let sealed = Sealed {
        server: server.clone(),
        tool: name.clone(),
        pin,
        id: id.into(),
        call: *receipt,
        arguments: raw.map_err(|error| internal(&error.to_string()))?,
        is_cut: arguments.is_some() && carried.is_none(),
    };
    let sealed = serde_json::to_vec(&sealed).map_err(|error| internal(&error.to_string()))?;
    let told = gate.tasks.0.seal_text(&sealed, &bound(connected));
    let told = told.filter(|told| told.len() <= limits::TASK_HANDLE_BYTES_MAX);
    let told = told.ok_or_else(|| internal("a task's id could not be sealed"))?;
    edit::replace(answer, &[(&["result", "taskId"], &Value::from(told).to_string())])
}

/// The answer to `tasks/get`, under the id that was asked for, and how the task is.
pub(crate) fn told(
    gate: &Gate,
    expected: &Expected,
    answer: &Bytes,
    result: &Bytes,
    now: Timestamp,
) -> Result<(Bytes, End), Flaw> {
    let [task] = expected.concern.asked() else {
        return Err(internal("a task without an id").into());
    };
    let task::Task { id, status } = task::read(result)?;
    fits(expected, result)?;
    if id != task.own {
        return Err(broken("the server told of another task"));
    }
    let end = match status {
        Status::Working | Status::Cancelled | Status::Completed { is_error: false } => End::Completed,
        Status::Completed { is_error: true } => End::ToolError,
        Status::Failed { code } => End::ServerError(code),
        Status::InputRequired(questions) => {
            unchanged(release::ask(gate, expected, &questions, answer, now)?.as_ref())?;
            End::InputRequired
        }
    };
    Ok((edit::replace(answer, &[(&["result", "taskId"], &Value::from(task.told.as_str()).to_string())])?, end))
}

/// A server's word on a task: for those who follow it, under the id that they know, if it may be released to them.
pub(crate) fn notified(
    gate: &Gate,
    expected: &Expected,
    notification: &Notification,
    bytes: &Bytes,
) -> Result<Option<Bytes>, Flaw> {
    let Some(params) = &notification.params else { return Ok(None) };
    let task::Task { id, status } = task::read(params)?;
    let Some(task) = expected.concern.asked().iter().find(|task| task.own == id) else { return Ok(None) };
    let (connected, now) = (&expected.connected, gate.clock.now());
    let questions = match &status {
        Status::InputRequired(questions) => questions.as_slice(),
        Status::Working | Status::Cancelled | Status::Completed { .. } | Status::Failed { .. } => &[],
    };
    let may = || {
        decide(gate, connected, task, None, now)?;
        let (objects, action) = (std::slice::from_ref(&task.tool), Action::Release);
        let passing = Passing { connected, action, objects, origin: Origin::Answer, now };
        let mut noted = expected.looked.noted();
        unchanged(inspect::pass(gate, &passing, bytes, &mut noted)?.text.as_ref())?;
        drop(noted);
        unchanged(release::ask(gate, expected, questions, bytes, now)?.as_ref())
    };
    let mut trail = Trail::begin(gate.journal.receipt_id(), now, Peer::nobody());
    trail.caller = Some(Arc::clone(&connected.caller));
    trail.endpoint = Some(connected.door.name.clone());
    trail.object = Some(task.tool.clone());
    trail.method = Some("notifications/tasks");
    trail.revision = connected.snapshot.revision;
    if let Err(flaw) = may() {
        // It is not told; whoever asks for the task hears why.
        gate.metrics.refused(flaw.refusal.reason);
        let control = if questions.is_empty() { Control::Release } else { Control::Ask };
        gate.journal.queue(&trail.refused(control, &flaw.refusal));
        return Ok(None);
    }
    put(gate, trail, expected, task, questions);
    let told = Value::from(task.told.as_str()).to_string();
    Ok(Some(edit::replace(bytes, &[(&["params", "taskId"], &told)])?))
}

/// Whether what a task came to is what its tool was approved to answer.
fn fits(expected: &Expected, task: &Bytes) -> Result<(), Flaw> {
    #[derive(Deserialize)]
    struct Told<'a> {
        #[serde(borrow)]
        result: Option<&'a RawValue>,
    }
    let told: Told<'_> = serde_json::from_slice(task).map_err(|error| broken(&error.to_string()))?;
    told.result.map_or(Ok(()), |result| release::fits(expected, &Bytes::copy_from_slice(result.get().as_bytes())))
}

/// What a task asks is put whole or not at all: what policies want taken out of it is no part of the message any more that its
/// client reads by its id.
fn unchanged(left: Option<&Bytes>) -> Result<(), Flaw> {
    match left {
        None => Ok(()),
        Some(_) => {
            let hint = "what a task asks cannot be redacted";
            Err(Refusal::new(Reason::ReleaseRefused, hint).with_hint(hint).into())
        }
    }
}

/// Each question that a notification puts to the client has a receipt.
fn put(gate: &Gate, mut trail: Trail, expected: &Expected, task: &Task, questions: &[Question]) {
    for question in questions {
        let row = crate::register::find(&question.method, Direction::ToAgent, expected.revision);
        trail.method = row.map(|row| row.method);
        gate.journal.queue(&trail.asked(&expected.connected, &expected.server, Some(task.call)));
        trail.receipt = gate.journal.receipt_id();
    }
}

/// The acknowledgement of a subscription, with the ids by which its client knows the tasks that it will hear of.
pub(crate) fn acknowledged(expected: &Expected, notification: &Notification, bytes: &Bytes) -> Result<Bytes, Flaw> {
    let granted = notification.params.as_ref().map(task::acknowledged).transpose()?.flatten();
    let Some(granted) = granted else { return Ok(bytes.clone()) };
    let asked = expected.concern.asked().iter();
    let told: Vec<&str> = asked.filter(|task| granted.contains(&task.own)).map(|task| task.told.as_str()).collect();
    edit::replace(bytes, &[(&["params", "notifications", "taskIds"], &json!(told).to_string())])
}

/// Whom the id of a task is for.
fn bound(connected: &Connected) -> Vec<u8> {
    holder::bound(&connected.caller.session_key(), &["task", connected.door.name.as_str()])
}

fn broken(detail: &str) -> Flaw {
    Refusal::new(Reason::AnswerRefused, detail).into()
}

fn internal(detail: &str) -> Refusal {
    Refusal::new(Reason::Internal, detail)
}
