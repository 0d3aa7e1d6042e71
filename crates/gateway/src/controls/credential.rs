//! What the server is given: headers made anew, the gate's own credential, its own names for what is asked for, and all of
//! it in its own words where it is of another era than the client.
//! Nothing the caller presented is in the headers.

use http::HeaderMap;
use model::{Behalf, Object, Reason, Refusal, ServerName, with_causes};
use upstream::SendError;
use watch::Halts;
use wire::Revision;

use crate::bridge::{self, Worded};
use crate::controls::forward;
use crate::controls::halted::{self, Running};
use crate::controls::intent::Intended;
use crate::controls::read::Message;
use crate::controls::validate::Valid;
use crate::gate::Gate;
use crate::naming;
use crate::snapshot::Keys;
use crate::tasks::Task;

/// A call that is complete: what was decided on, with what the server needs. Only `forward` takes it.
pub(crate) struct Ready {
    pub(crate) worded: Worded,
    pub(crate) objects: Vec<Object>,
    /// The tasks that it is about.
    pub(crate) tasks: Vec<Task>,
}

/// Has the credential ready, looks for halts once more, because that and making the intent durable took time, and writes it.
pub(crate) async fn run(
    gate: &Gate,
    running: &Running,
    message: &Message,
    incoming: &HeaderMap,
    intended: &Intended,
) -> Result<Ready, Refusal> {
    let Valid { live, arguments } = &intended.permitted.valid;
    let objects = live.visible.objects();
    let wording = live.visible.wording();
    let server = naming::server(objects)?;
    let credential = running.snapshot.keys.ready(server, &running.caller.behalf()).await?;
    halted::again(&gate.halts, running, objects).map_err(|refusal| wording.hide(refusal))?;
    let mut worded = bridge::word(gate, running, message, incoming, &live.visible, arguments.as_ref())?;
    if let Some(credential) = credential {
        credential.write(&mut worded.headers);
    }
    Ok(Ready { worded, objects: objects.to_vec(), tasks: wording.tasks().to_vec() })
}

/// The same for a client's answer to a server's question.
pub(crate) async fn answer(
    halts: &Halts,
    running: &Running,
    server: &ServerName,
    intended: &Intended,
) -> Result<HeaderMap, Refusal> {
    let credential = running.snapshot.keys.ready(server, &running.caller.behalf()).await?;
    halted::again(halts, running, intended.permitted.valid.live.visible.objects())?;
    let mut headers = wire::outgoing::session_headers(Revision::V2025_11_25, None);
    if let Some(credential) = credential {
        credential.write(&mut headers);
    }
    Ok(headers)
}

/// What is known of a call that went wrong. A server that does not take the token it was given carried nothing out, and has
/// said what it wants; the next call brings it. This one is not made again: that is for whoever made it.
pub(crate) fn refusal(
    keys: &Keys,
    server: &ServerName,
    behalf: &Behalf,
    object: Option<&Object>,
    error: &SendError,
) -> Refusal {
    match error {
        SendError::Challenged { challenges, .. } if keys.heed(server, behalf, object, challenges) => {
            Refusal::new(Reason::CredentialUnavailable, with_causes(error))
        }
        SendError::Challenged { .. }
        | SendError::NotSent { .. }
        | SendError::SessionOver
        | SendError::Unknown { .. }
        | SendError::Refused { .. } => forward::refusal(error),
    }
}
