//! Evidence before effect: the intent is durable before its call leaves.

use audit::{Commitment, Event, Intent, Record, Salt, Salts, Who};
use bytes::Bytes;
use model::{Reason, Refusal};
use wire::answer::Outcome;
use wire::{Id, Response, Subject};

use crate::controls::decide::Permitted;
use crate::controls::halted::Running;
use crate::controls::read::Message;
use crate::gate::Gate;
use crate::naming;
use crate::trail::{OpenIntent, Trail};

/// A permitted message whose intent is durable.
pub(crate) struct Intended {
    pub(crate) permitted: Permitted,
}

/// What is about to leave, as its receipt tells it.
pub(crate) struct Leaving<'a> {
    method: &'a str,
    request: Option<&'a Id>,
    committed: Committed,
    bytes: usize,
}

/// The commitment to what a message says, as its receipt keeps it. It costs in proportion to the message, and is made where
/// the message is decided on: to change threads once more for it would cost as much again.
pub(crate) struct Committed {
    arguments: Option<Commitment>,
    /// For the commitment to what will be answered.
    answer: Salt,
}

impl Committed {
    /// To a request that is to leave as it is.
    pub(crate) fn request(gate: &Gate, message: &Message, trail: &Trail) -> Self {
        let request = &message.request;
        let content = match &request.subject {
            // What it says is what it answers.
            Subject::Task { .. } => request.input_responses.as_ref(),
            Subject::Tool { .. }
            | Subject::Prompt { .. }
            | Subject::Resource { .. }
            | Subject::Completion { .. }
            | Subject::Subscription { .. }
            | Subject::Initialize { .. }
            | Subject::Cancelled { .. }
            | Subject::Progress { .. }
            | Subject::LogLevel { .. }
            | Subject::None => request.subject.arguments(),
        };
        Self::to(gate, content, trail)
    }

    /// To a client's answer to a question; `left` is what is left of it, if something was taken out.
    pub(crate) fn answer(gate: &Gate, answer: &Response, left: Option<&Bytes>, trail: &Trail) -> Self {
        let (Outcome::Result { raw, .. } | Outcome::Error { raw, .. }) = &answer.outcome;
        Self::to(gate, left.or(Some(raw)), trail)
    }

    fn to(gate: &Gate, content: Option<&Bytes>, trail: &Trail) -> Self {
        let Salts { arguments, answer } = gate.journal.commitments().salts(trail.receipt);
        Self { arguments: content.map(|raw| arguments.commit(raw)), answer }
    }
}

impl<'a> Leaving<'a> {
    /// A request.
    pub(crate) fn request(message: &'a Message, committed: Committed) -> Self {
        let request = &message.request;
        Self { method: message.row.method, request: request.id.as_ref(), committed, bytes: request.body.len() }
    }

    /// A client's answer to a question that was asked by this method.
    pub(crate) fn answer(answer: &'a Response, method: &'a str, committed: Committed) -> Self {
        Self { method, request: Some(&answer.id), committed, bytes: answer.body.len() }
    }
}

/// Waits until the intent is durable. With the journal full or failing, the call is not made.
pub(crate) async fn run(
    gate: &Gate,
    running: &Running,
    leaving: Leaving<'_>,
    permitted: Permitted,
    trail: &mut Trail,
) -> Result<Intended, Refusal> {
    let visible = &permitted.valid.live.visible;
    let intent = Intent {
        who: Who::from(&*running.caller),
        session: running.present.legacy.as_ref().map(|session| session.label()),
        endpoint: running.door.name.clone(),
        server: naming::server(visible.objects())?.clone(),
        method: leaving.method.to_owned(),
        request: leaving.request.map(Id::to_string),
        object: visible.object().cloned(),
        call: visible.wording().task().map(|task| task.call),
        pin: visible.pin(),
        arguments: leaving.committed.arguments,
        request_bytes: u64::try_from(leaving.bytes).unwrap_or(u64::MAX),
        findings: trail.noted.told(),
        policies: permitted.policies.clone(),
        revision: running.snapshot.revision,
    };
    let record = Record { id: trail.receipt, at: trail.began, event: Event::Intent(intent) };
    let durable = gate.journal.durable(&record);
    // Before the wait: hyper may drop this call while it waits, and the intent is in the journal all the same.
    let open = OpenIntent::new(gate, trail, leaving.committed.answer);
    if let Err(error) = durable.await {
        open.discard();
        tracing::error!(%error, "the journal cannot be written: calls are refused");
        return Err(Refusal::new(Reason::JournalUnavailable, error.to_string()));
    }
    trail.open = Some(open);
    Ok(Intended { permitted })
}
