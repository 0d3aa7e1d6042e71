//! Do the policies permit it, for the agent and for the user?

use model::{Object, PolicyId, Refusal, ServerName, Timestamp};
use policy::Action;

use crate::controls::halted::{Live, Running};
use crate::controls::inspect::Seen;
use crate::controls::read::Message;
use crate::controls::validate::Valid;
use crate::tasks;

/// What policy permits. The arguments travel inside, so what was decided on is what is sent.
pub(crate) struct Permitted {
    pub(crate) valid: Valid,
    /// The policies that permitted it.
    pub(crate) policies: Vec<PolicyId>,
}

/// Decides `call` on everything the message is about.
pub(crate) fn run(
    running: &Running,
    valid: Valid,
    seen: Option<&Seen>,
    message: &Message,
    now: Timestamp,
) -> Result<Permitted, Refusal> {
    let findings = seen.map(Seen::told);
    let (mut policies, tasks) = (Vec::new(), valid.live.visible.wording().tasks());
    for task in tasks {
        policies.extend(tasks::decide(running, task, findings, now)?);
        if message.request.input_responses.is_some() {
            // What the client says here goes to a server that may ask for it today.
            let server = Object::Server { server: task.tool.server().clone() };
            policies.extend_from_slice(running.decide(Action::Ask, &server, now)?.policies());
        }
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

/// Decides whether a client's answer may go to the server that asked: whether that server may ask, now.
pub(crate) fn answer(running: &Running, server: &ServerName, live: Live, now: Timestamp) -> Result<Permitted, Refusal> {
    let permit = running.decide(Action::Ask, &Object::Server { server: server.clone() }, now)?;
    Ok(Permitted { valid: Valid { live, arguments: None }, policies: permit.policies().to_vec() })
}
