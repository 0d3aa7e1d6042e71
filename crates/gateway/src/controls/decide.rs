//! Do the policies permit it, for the agent and for the user?

use bytes::Bytes;
use model::{Object, PolicyId, Refusal, ServerName, Timestamp};
use policy::Action;

use crate::controls::halted::{Live, Running};
use crate::controls::inspect::{self, Seen};
use crate::controls::read::Message;
use crate::controls::validate::Valid;
use crate::gate::Gate;
use crate::looked::Noted;
use crate::tasks;

/// What policy permits. The arguments travel inside, so what was decided on is what is sent.
pub(crate) struct Permitted {
    pub(crate) valid: Valid,
    /// The policies that permitted it.
    pub(crate) policies: Vec<PolicyId>,
}

/// Decides `call` on everything the message is about.
pub(crate) fn run(
    gate: &Gate,
    running: &Running,
    valid: Valid,
    seen: Option<&Seen>,
    message: &Message,
    now: Timestamp,
) -> Result<Permitted, Refusal> {
    let findings = seen.map(Seen::told);
    let (mut policies, tasks) = (Vec::new(), valid.live.visible.wording().tasks());
    for task in tasks {
        policies.extend(tasks::decide(gate, running, task, findings, now)?);
    }
    if let Some(server) = inspect::asker(valid.live.visible.objects(), message) {
        // What the client says to questions goes to a server that may ask for it today.
        let said = seen.map(Seen::said);
        policies.extend_from_slice(
            running.decide_seen(Action::Ask, &server, None, said.as_ref().map(Seen::told), now)?.policies(),
        );
    }
    for object in valid.live.visible.objects() {
        // The lists of a server are not called, they are seen: `visible` decided that.
        if matches!(object, Object::Server { .. }) || tasks.iter().any(|task| task.tool == *object) {
            continue;
        }
        let permit = running.decide_seen(Action::Call, object, valid.arguments.as_ref(), findings, now)?;
        policies.extend_from_slice(permit.policies());
    }
    Ok(Permitted { valid, policies })
}

/// Decides whether a client's answer may go to the server that asked: whether that server may ask, now, and be told this.
/// Returns what is left of it as well, where policies want something taken out.
pub(crate) fn answer(
    gate: &Gate,
    running: &Running,
    server: &ServerName,
    (live, answer): (Live, &Bytes),
    noted: &mut Noted,
    now: Timestamp,
) -> Result<(Permitted, Option<Bytes>), Refusal> {
    let inspect::Passed { policies, text } = inspect::said(gate, running, server, answer, noted, now)?;
    Ok((Permitted { valid: Valid { live, arguments: None }, policies }, text))
}
