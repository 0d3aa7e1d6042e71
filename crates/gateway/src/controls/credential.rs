//! What the server is given: headers made anew, and the gate's own credential. Nothing the caller presented is in them.

use bytes::Bytes;
use http::HeaderMap;
use model::{Object, Reason, Refusal};
use watch::Halts;

use crate::controls::halted::{self, Running};
use crate::controls::intent::Intended;
use crate::controls::read::Message;

/// A call that is complete: what was decided on, with what the server needs. Only `forward` takes it.
pub(crate) struct Ready {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) objects: Vec<Object>,
}

/// Looks for halts once more, because making the intent durable took time, and writes the credential.
pub(crate) fn run(
    halts: &Halts,
    running: &Running,
    message: &Message,
    incoming: &HeaderMap,
    intended: &Intended,
) -> Result<Ready, Refusal> {
    let objects = intended.permitted.valid.live.visible.objects();
    halted::again(halts, running, objects)?;
    let mut headers = wire::outgoing::mirror(&message.request, incoming);
    let found = running.snapshot.keys.find(&running.door.server.name);
    if let Some(credential) = found.map_err(|why| Refusal::new(Reason::CredentialUnavailable, why))? {
        credential.write(&mut headers);
    }
    Ok(Ready { headers, body: message.request.body.clone(), objects: objects.to_vec() })
}
