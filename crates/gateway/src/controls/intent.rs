//! Evidence before effect: the intent is durable before its call leaves.

use std::sync::Arc;

use audit::{Event, Field, Intent, Record, Who};
use model::{Reason, Refusal};
use wire::{Id, Subject};

use crate::controls::decide::Permitted;
use crate::controls::halted::Running;
use crate::controls::read::Message;
use crate::gate::Gate;
use crate::trail::{OpenIntent, Trail};

/// A permitted message whose intent is durable.
pub(crate) struct Intended {
    pub(crate) permitted: Permitted,
}

/// Waits until the intent is durable. With the journal full or failing, the call is not made.
pub(crate) async fn run(
    gate: &Gate,
    running: &Running,
    message: &Message,
    permitted: Permitted,
    trail: &mut Trail,
) -> Result<Intended, Refusal> {
    let request = &message.request;
    let visible = &permitted.valid.live.visible;
    let arguments = match &request.subject {
        Subject::Tool { arguments, .. } | Subject::Prompt { arguments, .. } => arguments.as_ref(),
        Subject::Resource { .. }
        | Subject::Completion { .. }
        | Subject::Subscription { .. }
        | Subject::Initialize { .. }
        | Subject::Cancelled { .. }
        | Subject::Progress { .. }
        | Subject::LogLevel { .. }
        | Subject::None => None,
    };
    let commit = |raw: &bytes::Bytes| gate.journal.commitments().commit(trail.receipt, Field::Arguments, raw);
    let intent = Intent {
        who: Who::from(&*running.caller),
        session: None,
        endpoint: running.door.name.clone(),
        server: running.door.server.name.clone(),
        method: request.method.clone(),
        request: request.id.as_ref().map(Id::to_string),
        object: visible.object().cloned(),
        pin: visible.pin(),
        arguments: arguments.map(commit),
        request_bytes: u64::try_from(request.body.len()).unwrap_or(u64::MAX),
        policies: permitted.policies.clone(),
        revision: running.snapshot.revision,
    };
    let record = Record { id: trail.receipt, at: trail.began, event: Event::Intent(intent) };
    let durable = gate.journal.durable(&record);
    // Before the wait: hyper may drop this call while it waits, and the intent is in the journal all the same.
    let open = OpenIntent::new(Arc::clone(&gate.journal), Arc::clone(&gate.clock), trail.receipt, trail.began);
    if let Err(error) = durable.await {
        open.discard();
        tracing::error!(%error, "the journal cannot be written: calls are refused");
        return Err(Refusal::new(Reason::JournalUnavailable, error.to_string()));
    }
    trail.open = Some(open);
    Ok(Intended { permitted })
}
