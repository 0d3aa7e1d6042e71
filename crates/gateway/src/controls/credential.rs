//! What the server is given: headers made anew, and the gate's own credential. Nothing the caller presented is in them.

use bytes::Bytes;
use http::HeaderMap;
use model::{Object, Reason, Refusal, ServerName};
use upstream::Route;
use watch::Halts;
use wire::Revision;

use crate::controls::halted::{self, Running};
use crate::controls::intent::Intended;
use crate::controls::read::Message;

/// A call that is complete: what was decided on, with what the server needs. Only `forward` takes it.
pub(crate) struct Ready {
    pub(crate) route: Route,
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
    let server = &running.door.server.name;
    write(running, server, &mut headers)?;
    let route = running.door.route(server, message.request.revision)?.clone();
    Ok(Ready { route, headers, body: message.request.body.clone(), objects: objects.to_vec() })
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
