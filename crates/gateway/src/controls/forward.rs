//! The call itself: once, within its limits. What may have been sent is never sent again.

use std::sync::Arc;

use model::{Object, Reason, ReceiptId, Refusal, with_causes};
use tokio::time::Instant;
use upstream::{Answer, Deadlines, SendError, Turn};
use wire::Flaw;

use crate::bridge::{self, Crossing, Outbound, Source, Unread, Worded};
use crate::controls::credential::{self, Ready};
use crate::controls::halted::{self, Running};
use crate::controls::read::Message;
use crate::controls::visible;
use crate::gate::Gate;
use crate::legacy::{self, Withdrawal};
use crate::naming;
use crate::register::Path;
use crate::tasks::Task;

/// What came back, unread, and what was asked about.
pub(crate) struct Sent {
    pub(crate) answer: Unread,
    pub(crate) objects: Vec<Object>,
    /// The tasks that it was about.
    pub(crate) tasks: Vec<Task>,
    /// Takes the call back at the server until it is answered, where closing the connection does not.
    pub(crate) withdrawal: Withdrawal,
}

/// Sends the call and waits for its answer, or for the beginning of a stream.
pub(crate) async fn run(
    gate: &Arc<Gate>,
    running: &Running,
    message: &Message,
    ready: Ready,
    turn: Turn,
    receipt: ReceiptId,
) -> Result<Sent, Flaw> {
    let Ready { worded, objects, tasks } = ready;
    let (route, _) = running.door.reach(naming::server(&objects)?, message.request.revision)?;
    let deadlines = match message.row.path {
        Path::Streamed => Deadlines::SUBSCRIPTION,
        Path::Pinned | Path::Listed | Path::Called | Path::Absorbed | Path::Relayed | Path::Asked | Path::Heeded => {
            Deadlines::CALL
        }
    };
    let began = Instant::now();
    if let Some(local) = route.process() {
        // Its process may be started by this call, and is compared with its pins then; whoever comes meanwhile waits for that.
        local.wake().await.map_err(|error| refusal(&error))?;
        let snapshot = gate.snapshots.load();
        if snapshot.revision != running.snapshot.revision {
            let now = gate.clock.now();
            let connected = running.again(snapshot, now)?;
            halted::again(&gate.halts, &connected, &objects)?;
            visible::again(running, &connected, &objects, now)?;
        }
    }
    if worded.crossing != Crossing::None {
        let outbound = Outbound { gate, running, message, route, objects: &objects, receipt };
        let answer = Box::pin(bridge::send(outbound, worded, turn)).await?;
        return Ok(Sent { answer, objects, tasks, withdrawal: Withdrawal::none() });
    }
    let Worded { headers, body, .. } = worded;
    let (answer, withdrawal) = match (&running.present.legacy, &message.request.id) {
        (Some(session), Some(id)) if !route.is_local() => {
            let open = Box::pin(legacy::session(gate, running, session, route)).await?;
            let deadlines = left(deadlines, began)?;
            if let Some(token) = &message.request.meta.progress_token {
                session.goes_to(id, &route.server, token);
            }
            let withdrawal = Withdrawal::new(gate, &route.server, running.caller.behalf(), &open, id);
            (open.send(headers, body, deadlines).await, withdrawal)
        }
        (Some(_) | None, _) => {
            let deadlines = left(deadlines, began)?;
            (upstream::send(route, headers, body, deadlines).await, Withdrawal::none())
        }
    };
    turn.told(&answer);
    if !message.request.revision.has_sessions() && upstream::is_of_an_older_kind(&answer) {
        // Full means that a check of this and other servers is under way already.
        let _ = gate.heed.try_send(route.server.clone());
    }
    match answer {
        Ok(Answer::Whole { status, body }) => {
            Ok(Sent { answer: Unread::Whole(status, body), objects, tasks, withdrawal })
        }
        Ok(Answer::Stream(mut stream)) => {
            // A subscription takes no place from calls: it only waits for something to change.
            if message.row.path != Path::Streamed {
                stream.hold(turn);
            }
            Ok(Sent { answer: Unread::Stream(Source::Server(stream)), objects, tasks, withdrawal })
        }
        Ok(Answer::Accepted) => {
            withdrawal.disarm();
            Err(Refusal::new(Reason::AnswerRefused, "the server took a request as a notification").into())
        }
        Err(error) => {
            if matches!(error, SendError::NotSent { .. }) {
                withdrawal.disarm();
            }
            let (keys, behalf) = (&running.snapshot.keys, running.caller.behalf());
            Err(credential::refusal(keys, &route.server, &behalf, objects.first(), &error).into())
        }
    }
}

/// What is left for the server of the time that the caller waits.
fn left(deadlines: Deadlines, began: Instant) -> Result<Deadlines, Refusal> {
    deadlines.after(began.elapsed()).map_err(|late| refusal(&late.into()))
}

/// What is known of a call that went wrong, in the words of the table.
pub(crate) fn refusal(error: &SendError) -> Refusal {
    let reason = match error {
        // The server said that it carried nothing out, and why.
        SendError::NotSent { .. } | SendError::SessionOver => Reason::ServerUnreachable,
        // What it says of a key that nobody can renew is no word on what it carried out.
        SendError::Unknown { .. } | SendError::Challenged { .. } => Reason::OutcomeUnknown,
        SendError::Refused { .. } => Reason::AnswerRefused,
    };
    Refusal::new(reason, with_causes(error))
}
