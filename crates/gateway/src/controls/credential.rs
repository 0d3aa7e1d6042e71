//! What the server is given: headers made anew, the gate's own credential, its own names for what is asked for, and all of
//! it in its own words where it is of another era than the client.
//! Nothing the caller presented is in the headers.

use http::HeaderMap;
use model::{Object, Reason, Refusal, ServerName};
use watch::Halts;
use wire::Revision;

use crate::bridge::{self, Worded};
use crate::controls::halted::{self, Running};
use crate::controls::intent::Intended;
use crate::controls::read::Message;
use crate::controls::validate::Valid;
use crate::gate::Gate;
use crate::naming;
use crate::tasks::Task;

/// A call that is complete: what was decided on, with what the server needs. Only `forward` takes it.
pub(crate) struct Ready {
    pub(crate) worded: Worded,
    pub(crate) objects: Vec<Object>,
    /// The tasks that it is about.
    pub(crate) tasks: Vec<Task>,
}

/// Looks for halts once more, because making the intent durable took time, and writes the credential.
pub(crate) fn run(
    gate: &Gate,
    running: &Running,
    message: &Message,
    incoming: &HeaderMap,
    intended: &Intended,
) -> Result<Ready, Refusal> {
    let Valid { live, arguments } = &intended.permitted.valid;
    let objects = live.visible.objects();
    let wording = live.visible.wording();
    halted::again(&gate.halts, running, objects).map_err(|refusal| wording.hide(refusal))?;
    let mut worded = bridge::word(gate, running, message, incoming, &live.visible, arguments.as_ref())?;
    write(running, naming::server(objects)?, &mut worded.headers)?;
    Ok(Ready { worded, objects: objects.to_vec(), tasks: wording.tasks().to_vec() })
}

/// The same for a client's answer to a server's question.
pub(crate) fn answer(
    halts: &Halts,
    running: &Running,
    server: &ServerName,
    intended: &Intended,
) -> Result<HeaderMap, Refusal> {
    halted::again(halts, running, intended.permitted.valid.live.visible.objects())?;
    let mut headers = wire::outgoing::session_headers(Revision::V2025_11_25, None);
    write(running, server, &mut headers)?;
    Ok(headers)
}

fn write(running: &Running, server: &ServerName, headers: &mut HeaderMap) -> Result<(), Refusal> {
    let found = running.snapshot.keys.find(server);
    if let Some(credential) = found.map_err(|why| Refusal::new(Reason::CredentialUnavailable, why))? {
        credential.write(headers);
    }
    Ok(())
}
