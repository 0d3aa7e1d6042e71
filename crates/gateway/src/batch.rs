//! Several messages in one array (MCP 2025-03-26, basic/transports): each takes the whole path by itself, with a receipt of
//! its own, and what comes of them is told together.
//!
//! Their answers come as one array, in the order of the requests, or as one event stream where any of them is a stream
//! itself. Such a stream cannot be read on when it breaks off: it is made of several, of which each has its own numbers.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use model::Caller;
use wire::sse;

use crate::apart::{self, Apart};
use crate::arrival;
use crate::body::{JSON, Response, answered, streamed, streaming};
use crate::controls::refuse;
use crate::gate::Gate;
use crate::large::weight;
use crate::relay::Part;
use crate::trail::Trail;

/// Takes a batch of a session that may send some.
pub(crate) async fn run(
    gate: &Arc<Gate>,
    head: &Parts,
    caller: &Arc<Caller>,
    body: &Bytes,
    mut trail: Trail,
) -> Response {
    let elements = match gate.large.beside(weight(body.len(), false), || wire::batch::split(body)).await {
        Ok(elements) => elements,
        Err(flaw) => return refuse::run(gate, trail, flaw),
    };
    // Its messages take their turns by themselves.
    drop(trail.large.take());
    let peer = &trail.peer;
    let answers = elements.iter().map(|element| arrival::one(gate, head, caller, &element.body, peer.clone()));
    let answers = join_all(answers).await;
    let receipts: Vec<HeaderValue> =
        answers.iter().filter_map(|answer| answer.headers().get(refuse::RECEIPT).cloned()).collect();
    let is_answered = elements.iter().any(|element| element.is_answered);
    let (mut whole, mut streams) = (Vec::new(), Vec::new());
    for (element, answer) in elements.iter().zip(answers) {
        if !is_answered && !answer.status().is_success() {
            // Of messages that nothing answers, the status is all that can be told.
            return answer;
        }
        match apart::take(answer).await {
            Apart::Whole(message) if element.is_answered && !message.is_empty() => whole.push(message),
            Apart::Whole(_) => {}
            Apart::Stream(events) => streams.push(apart::parts(events).boxed()),
        }
    }
    let receipt = trail.receipt;
    let mut response = match (is_answered, streams.is_empty()) {
        (false, _) => answered(StatusCode::ACCEPTED, None, Bytes::new(), receipt),
        (true, true) => answered(StatusCode::OK, Some(JSON), array(&whole), receipt),
        (true, false) => {
            let whole = stream::iter(whole).map(|message| sse::encode(&message));
            let rest = stream::select_all(streams).map(|part| match part {
                Part::Message(message) => sse::encode(&message),
                Part::Comment => sse::comment(),
            });
            streaming(streamed(whole.chain(rest)), receipt)
        }
    };
    // The batch itself has no receipt, and each of its messages has one.
    response.headers_mut().remove(refuse::RECEIPT);
    for receipt in receipts {
        response.headers_mut().append(refuse::RECEIPT, receipt);
    }
    response
}

fn array(messages: &[Bytes]) -> Bytes {
    let mut array = BytesMut::with_capacity(messages.iter().map(|message| message.len() + 1).sum::<usize>() + 1);
    for (place, message) in messages.iter().enumerate() {
        array.extend_from_slice(if place == 0 { b"[" } else { b"," });
        array.extend_from_slice(message);
    }
    array.extend_from_slice(if messages.is_empty() { b"[]" } else { b"]" });
    array.freeze()
}
