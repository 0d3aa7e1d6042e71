//! The other end of the path: a refusal is recorded, counted and told. What the caller hears is the table's text; what the
//! operator needs is in the receipt.

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use identity::resource_server::proof::DPOP_NONCE;
use model::{Challenge, Reason, ReceiptId, Refusal};
use wire::reply::{self, Answering};
use wire::{Flaw, Revision};

use crate::body::{Response, whole};
use crate::gate::Gate;
use crate::trail::{Trail, control_of, end_of};

/// The header in which every answer names its receipt.
pub(crate) const RECEIPT: HeaderName = HeaderName::from_static("portcullis-receipt");

/// Records a refusal and makes its response.
pub(crate) fn run(gate: &Gate, mut trail: Trail, flaw: Flaw) -> Response {
    let Flaw { refusal, id, revision, data } = flaw;
    gate.metrics.refused(refusal.reason);
    if trail.id.is_none() {
        trail.id = id;
    }
    match trail.open.take() {
        Some(open) => open.close(end_of(&refusal), None, Some(refusal.detail.clone())),
        // Nobody knows who this is: counted, so that strangers cannot fill the disk.
        None if trail.caller.is_none() => gate.journal.stranger(&trail.peer.address.to_string(), refusal.reason),
        None => gate.journal.queue(&trail.refused(control_of(refusal.reason), &refusal)),
    }
    let answering = Answering::of(trail.method.unwrap_or_default());
    let revision = revision.or(trail.spoken).unwrap_or(Revision::V2026_07_28);
    let known = trail.caller.is_some();
    let receipt = known.then_some(trail.receipt);
    let answered = trail.id.as_ref().filter(|_| !trail.is_answer);
    let (mut status, body) = reply::refused(answered, revision, &refusal, receipt, answering, data.as_deref());
    if trail.is_answer && status.is_success() {
        // The status is all that a client reads of what became of its answer (MCP 2025-11-25, basic/transports).
        status = StatusCode::FORBIDDEN;
    }
    let mut response = http::Response::new(whole(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(receipt) = receipt {
        headers.insert(RECEIPT, receipt_value(receipt));
    }
    if matches!(refusal.reason, Reason::Unauthenticated | Reason::ScopeMissing | Reason::StepUpRequired) {
        challenge(gate, &trail, &refusal, headers);
    }
    if refusal.reason == Reason::MethodNotAllowed {
        headers.insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// What the caller can do about it: where tokens come from, and what is asked of the next one.
fn challenge(gate: &Gate, trail: &Trail, refusal: &Refusal, headers: &mut HeaderMap) {
    let front = gate.front.load();
    let told = front.callers.server.as_ref().zip(trail.endpoint.as_ref()).map(|(server, endpoint)| {
        let assurance = trail.caller.as_ref().map(|caller| caller.assurance);
        server.challenge(endpoint, refusal.challenge.as_deref(), assurance)
    });
    let value = told.and_then(|told| HeaderValue::try_from(told).ok());
    headers.insert(WWW_AUTHENTICATE, value.unwrap_or_else(|| HeaderValue::from_static("Bearer realm=\"portcullis\"")));
    let Some(Challenge::Proof { nonce, .. }) = refusal.challenge.as_deref() else { return };
    let fresh = || front.callers.server.as_ref().and_then(|server| server.nonce());
    if let Some(Ok(nonce)) = nonce.clone().or_else(fresh).map(HeaderValue::try_from) {
        headers.insert(DPOP_NONCE, nonce);
    }
}

/// A receipt's id as a header value.
pub(crate) fn receipt_value(receipt: ReceiptId) -> HeaderValue {
    // 26 letters and digits always fit; were they not to, an empty header would say so.
    HeaderValue::from_str(&receipt.to_string()).unwrap_or(HeaderValue::from_static(""))
}
