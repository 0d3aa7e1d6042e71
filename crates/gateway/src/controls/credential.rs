//! What the server is given: headers made anew, the gate's own credential, and its own names for what is asked for.
//! Nothing the caller presented is in the headers.

use bytes::Bytes;
use http::HeaderMap;
use model::{Object, Reason, Refusal, ServerName};
use watch::Halts;
use wire::{Revision, header};

use crate::controls::halted::{self, Running};
use crate::controls::intent::Intended;
use crate::controls::read::Message;
use crate::naming;

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
    let visible = &intended.permitted.valid.live.visible;
    let (objects, request) = (visible.objects(), &message.request);
    halted::again(halts, running, objects)?;
    let mut headers = wire::outgoing::mirror(request, incoming);
    let wording = visible.wording();
    if let Some(name) = wording.header(request).filter(|_| !request.revision.has_sessions()) {
        headers.insert(header::NAME, header::encode(name));
    }
    write(running, naming::server(objects)?, &mut headers)?;
    Ok(Ready { headers, body: wording.body(request)?, objects: objects.to_vec() })
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
