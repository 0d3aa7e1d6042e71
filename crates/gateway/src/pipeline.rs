//! One message, one path. Order is safety, so the order stands here and nowhere else.
//!
//! ```text
//! call:     accept → authenticate → read → connect? → session → halted? → visible? → object halted? → validate
//!           → decide → [intent durable] → halted, credential → forward → ask?, release → [outcome] → first byte
//! listing:  accept → authenticate → read → connect? → session → halted? → pinned definitions → visible?
//! ```
//!
//! Each control takes what earlier ones proved and returns its own proof, so none can be skipped or moved. Those that
//! are still to come have their place in the order: inspection and redaction stand before `decide` (and it decides on the
//! final bytes), approvals and step-up after it, budgets before the intent, labels before `release`.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use flow::StreamPlace;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use hyper::body::Incoming;
use model::{Reason, ReceiptId, Refusal};
use wire::Flaw;

use crate::body::{self, Body, Response, whole};
use crate::controls::forward::{Sent, Unread};
use crate::controls::halted::Running;
use crate::controls::read::Message;
use crate::controls::release::Expected;
use crate::controls::{
    accept, authenticate, connect, credential, decide, forward, halted, intent, read, refuse, release, session,
    validate, visible,
};
use crate::gate::Gate;
use crate::listing;
use crate::register::Path;
use crate::relay::Relay;
use crate::trail::Trail;

/// Takes one request and gives its response. Whatever happens leaves a receipt.
pub(crate) async fn run(gate: &Arc<Gate>, request: http::Request<Incoming>, source: IpAddr) -> Response {
    let (head, body) = request.into_parts();
    let mut trail = Trail::begin(gate.journal.receipt_id(), gate.clock.now(), source);
    match walk(gate, &head, body, &mut trail).await {
        Ok(response) => response,
        Err(flaw) => refuse::run(gate, trail, flaw),
    }
}

/// The part that every message has in common.
async fn walk(gate: &Arc<Gate>, head: &Parts, body: Incoming, trail: &mut Trail) -> Result<Response, Flaw> {
    let front = gate.front.load();
    let accepted = accept::run(&front.doors, head)?;

    // Only the head is needed to tell who calls: the body of a stranger is never read.
    let known = authenticate::run(&front.callers, &head.headers)?;
    trail.caller = Some(Arc::clone(&known.caller));
    trail.endpoint = Some(accepted.endpoint.clone());

    let message = read::run(&head.headers, &body::read(body).await?)?;
    trail.note(&message);

    let snapshot = gate.snapshots.load();
    trail.revision = snapshot.revision;
    let connected = connect::run(snapshot, known, &accepted, trail.began)?;
    let present = session::run(&gate.sessions, connected, trail.began)?;
    let running = halted::run(&gate.halts, present)?;

    match message.row.path {
        Path::Pinned => list(gate, &running, &message, trail),
        Path::Called | Path::Listed | Path::Streamed => call(gate, head, running, &message, trail).await,
        Path::Absorbed => {
            gate.journal.queue(&trail.taken(&running, message.row.method));
            Ok(answered(StatusCode::ACCEPTED, None, Bytes::new(), trail.receipt))
        }
        // These rows go the other way: `read` finds none of them.
        Path::Relayed | Path::Asked | Path::Heeded => {
            Err(Refusal::new(Reason::Internal, "a row without a path").into())
        }
    }
}

/// Answers from pinned definitions; no server is asked.
fn list(gate: &Gate, running: &Running, message: &Message, trail: &Trail) -> Result<Response, Flaw> {
    let listing = listing::run(gate, running, message, trail)?;
    gate.journal.queue(&listing.record);
    gate.metrics.answered(message.row.method);
    Ok(answered(StatusCode::OK, Some(JSON), listing.bytes, trail.receipt))
}

/// Everything that reaches a server.
async fn call(
    gate: &Arc<Gate>,
    head: &Parts,
    running: Running,
    message: &Message,
    trail: &mut Trail,
) -> Result<Response, Flaw> {
    let named = visible::name(&running, message)?;
    trail.object = named.object().cloned();
    let visible = visible::run(&running, named, trail.began)?;

    // After `visible`, so that a halted tool and a missing one look alike to whoever may not see it.
    let live = halted::object(&gate.halts, visible)?;
    let valid = validate::run(&running, live, message, &head.headers)?;
    let permitted = decide::run(&running, valid, trail.began)?;
    let place = match message.row.path {
        // Its answer is a stream for certain, so that without a place for it nothing needs to leave.
        Path::Streamed => Some(running.present.session.open_stream()?),
        Path::Pinned | Path::Listed | Path::Called | Path::Absorbed | Path::Relayed | Path::Asked | Path::Heeded => {
            None
        }
    };

    // From here on the call may leave. Its intent is on disk first, and is closed by whatever comes of it.
    let intended = intent::run(gate, &running, message, permitted, trail).await?;
    let ready = credential::run(&gate.halts, &running, message, &head.headers, &intended)?;
    let sent = forward::run(&running, message.row.path, ready).await?;
    release(gate, &running, message, sent, place, trail)
}

/// Lets the answer go: whole, or message by message. The call was made, so what is refused here is withheld.
fn release(
    gate: &Arc<Gate>,
    running: &Running,
    message: &Message,
    sent: Sent,
    place: Option<StreamPlace>,
    trail: &mut Trail,
) -> Result<Response, Flaw> {
    let Some(id) = message.request.id.clone() else {
        return Err(Refusal::new(Reason::Internal, "a call without an id").into());
    };
    let now = gate.clock.now();
    let Sent { answer, objects } = sent;
    // Much may have changed while the server worked; the answer is for who the caller is now.
    authenticate::again(&gate.front.load().callers, &running.caller).map_err(release::withheld)?;
    let connected = running.again(gate.snapshots.load(), now).map_err(release::withheld)?;
    halted::again(&gate.halts, &connected, &objects).map_err(release::withheld)?;
    if connected.snapshot.revision != running.snapshot.revision {
        visible::again(running, &connected, &objects, now).map_err(release::withheld)?;
    }
    let capabilities = message.request.meta.client_capabilities.clone();
    let expected = Expected { connected, id, row: message.row, objects, capabilities };
    match answer {
        Unread::Whole(status, body) => {
            let released = release::run(&expected, status, body, now)?;
            gate.metrics.answered(message.row.method);
            trail.close(released.end, &released.bytes);
            Ok(answered(released.status, Some(JSON), released.bytes, trail.receipt))
        }
        Unread::Stream(stream) => {
            let place = place.map_or_else(|| running.present.session.open_stream(), Ok).map_err(release::withheld)?;
            let relay = Relay::new(Arc::clone(gate), expected, stream, place, message, trail);
            Ok(streaming(relay.body(), trail.receipt))
        }
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

fn answered(status: StatusCode, content_type: Option<HeaderValue>, bytes: Bytes, receipt: ReceiptId) -> Response {
    let mut response = http::Response::new(whole(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, content_type);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(refuse::RECEIPT, refuse::receipt_value(receipt));
    response
}

fn streaming(body: Body, receipt: ReceiptId) -> Response {
    let mut response = http::Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    // Buffering between would hold events back (MCP 2026-07-28, basic/patterns/subscriptions).
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    headers.insert(refuse::RECEIPT, refuse::receipt_value(receipt));
    response
}
