//! How messages arrive. There is one path, and three shapes of the transport in which a message comes to it:
//!
//! - alone, as nearly all do;
//! - with others in one array, in a session of 2025-03-26: [`crate::batch`];
//! - posted beside the one event stream on which it is answered, from a client of 2024-11-05: [`crate::line`].
//!
//! Whoever calls is known before the body is read, whatever the shape.
//!
//! What is no message at all, but a visit to a page or a document beside the path, goes to [`crate::sites`].

use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use hyper::body::Incoming;
use model::{Caller, Reason, ReceiptId, Refusal, limits};
use wire::batch;
use wire::header::SESSION_ID;

use crate::body::{self, Response};
use crate::controls::accept::Verb;
use crate::controls::refuse;
use crate::gate::Gate;
use crate::peer::Peer;
use crate::pipeline::{self, Admitted};
use crate::trail::Trail;
use crate::{batch as together, line, metadata, sites};

/// Takes one request and gives its response.
///
/// What each connection keeps, and what is moved for each message, is as large as the largest way through: here and further on
/// the rare ways are boxed.
pub(crate) async fn run(gate: &Arc<Gate>, request: http::Request<Incoming>, peer: Peer) -> Response {
    let (head, body) = request.into_parts();
    if let Some(site) = gate.sites.at(head.uri.path()) {
        return sites::run(gate, Arc::clone(site), head, body, peer).await;
    }
    let trail = Trail::begin(gate.journal.receipt_id(), gate.clock.now(), peer.clone());
    match metadata::run(gate, &head) {
        Ok(None) => {}
        Ok(Some(metadata)) => return metadata,
        Err(refusal) => return refuse::run(gate, trail, refusal.into()),
    }
    if !head.headers.contains_key(SESSION_ID) {
        return arrive(gate, head, body, trail).await;
    }
    // A client that keeps a session may lose its connection and read on: what it asked for goes on without it.
    let (alone, receipt) = (Arc::clone(gate), trail.receipt);
    detached(gate, receipt, peer, Box::pin(async move { arrive(&alone, head, body, trail).await })).await
}

/// Sees something through, whether anybody waits for it or not.
pub(crate) async fn detached(
    gate: &Gate,
    receipt: ReceiptId,
    peer: Peer,
    answer: impl Future<Output = Response> + Send + 'static,
) -> Response {
    match tokio::spawn(answer).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "a message was not carried through");
            let trail = Trail::begin(receipt, gate.clock.now(), peer);
            refuse::run(gate, trail, Refusal::new(Reason::Internal, "the message was not carried through").into())
        }
    }
}

async fn arrive(gate: &Arc<Gate>, head: Parts, body: Incoming, mut trail: Trail) -> Response {
    let admitted = match pipeline::admit(gate, &head, &mut trail).await {
        Ok(admitted) => admitted,
        Err(flaw) => return refuse::run(gate, trail, flaw),
    };
    let read = match &admitted.accepted.verb {
        Verb::Post | Verb::Say(_) => {
            let turn = async || gate.large.turn(&admitted.known.caller).await;
            body::read_in_turn(body, limits::MESSAGE_BYTES_MAX, turn).await
        }
        Verb::Get | Verb::Delete | Verb::Open => Ok((Bytes::new(), None)),
    };
    let body = match read {
        Ok((body, turn)) => {
            trail.large = turn;
            body
        }
        Err(refusal) => return refuse::run(gate, trail, refusal.into()),
    };
    match admitted.accepted.verb.clone() {
        Verb::Post => message(gate, &head, admitted, body, trail).await,
        Verb::Get | Verb::Delete => pipeline::run(gate, &head, admitted, &body, trail).await,
        Verb::Open => on_a_line(gate, head, admitted, None, body, trail).await,
        Verb::Say(handle) => on_a_line(gate, head, admitted, Some(handle), body, trail).await,
    }
}

/// Opens a line, or takes what is posted beside the one of this handle. It is a function of its own, because what it moves takes
/// 64 KiB of stack, which every message would touch.
#[inline(never)]
fn on_a_line<'a>(
    gate: &'a Arc<Gate>,
    head: Parts,
    admitted: Admitted,
    handle: Option<String>,
    body: Bytes,
    trail: Trail,
) -> Pin<Box<dyn Future<Output = Response> + Send + 'a>> {
    match handle {
        Some(handle) => Box::pin(async move { line::say(gate, head, admitted, &handle, body, trail).await }),
        None => Box::pin(ready(line::open(gate, admitted, trail))),
    }
}

/// A posted body: one message, or several where the session's revision has batches.
pub(crate) async fn message(gate: &Arc<Gate>, head: &Parts, admitted: Admitted, body: Bytes, trail: Trail) -> Response {
    if batch::is_batch(&body) && may_batch(gate, head, &admitted, &trail) {
        return together::run(gate, head, &admitted.known.caller, &body, trail).await;
    }
    pipeline::run(gate, head, admitted, &body, trail).await
}

/// One message on its own way from the beginning, in the light of a head whose caller is known.
pub(crate) async fn one(gate: &Arc<Gate>, head: &Parts, caller: &Arc<Caller>, body: &Bytes, peer: Peer) -> Response {
    let mut trail = Trail::begin(gate.journal.receipt_id(), gate.clock.now(), peer);
    match pipeline::admit_with(gate, head, caller, &mut trail) {
        Ok(admitted) => pipeline::run(gate, head, admitted, body, trail).await,
        Err(flaw) => refuse::run(gate, trail, flaw),
    }
}

/// Whether the head names a session of the caller's in which messages come in batches.
fn may_batch(gate: &Gate, head: &Parts, admitted: &Admitted, trail: &Trail) -> bool {
    let Some(handle) = head.headers.get(SESSION_ID).and_then(|handle| handle.to_str().ok()) else { return false };
    let (caller, endpoint) = (&admitted.known.caller, &admitted.accepted.endpoint);
    gate.legacies.find(handle, caller, endpoint, trail.began).is_ok_and(|session| session.revision.batches())
}
