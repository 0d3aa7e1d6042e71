//! Bodies, in and out, and the responses they leave in.

use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, Either, Full, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use model::{Reason, ReceiptId, Refusal, limits};
use tokio::task::yield_now;

use crate::controls::refuse;

/// A body the gate sends: whole, or message by message.
pub(crate) type Body = Either<Full<Bytes>, StreamBody<Messages>>;

/// The messages of a streamed answer, already framed as events.
pub(crate) type Messages = Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>>;

/// A response of the gate.
pub(crate) type Response = http::Response<Body>;

/// A body that is ready.
pub(crate) fn whole(bytes: Bytes) -> Body {
    Either::Left(Full::new(bytes))
}

/// A body whose parts are made when the client takes them. Dropping it, as hyper does when the client goes away, drops
/// whatever makes the parts: nothing is held for a client that left.
pub(crate) fn streamed(parts: impl Stream<Item = Bytes> + Send + 'static) -> Body {
    use futures_util::StreamExt as _;
    Either::Right(StreamBody::new(Box::pin(parts.map(|part| Ok(Frame::data(part))))))
}

/// What a whole answer is written in.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer that is ready. It says which receipt tells of it.
pub(crate) fn answered(
    status: StatusCode,
    content_type: Option<HeaderValue>,
    bytes: Bytes,
    receipt: ReceiptId,
) -> Response {
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

/// An answer in events.
pub(crate) fn streaming(body: Body, receipt: ReceiptId) -> Response {
    let mut response = http::Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    // Buffering between would hold events back (MCP 2026-07-28, basic/patterns/subscriptions).
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    headers.insert(refuse::RECEIPT, refuse::receipt_value(receipt));
    response
}

/// Reads a request's body whole.
///
/// # Errors
/// [`Reason::TooLarge`] past `bytes_max`, [`Reason::TooSlow`] past
/// [`limits::REQUEST_MILLISECONDS_MAX`], [`Reason::NotJson`] when the client stops before the end.
pub(crate) async fn read(body: Incoming, bytes_max: usize) -> Result<Bytes, Refusal> {
    read_in_turn(body, bytes_max, async || Ok(())).await.map(|(bytes, _)| bytes)
}

/// Reads a message whole, and from [so many bytes](limits::LARGE_MESSAGE_BYTES) on only once it is its turn, which is returned
/// with it.
///
/// # Errors
/// Those of [`read`], and that of the turn.
pub(crate) async fn read_in_turn<T>(
    body: Incoming,
    bytes_max: usize,
    turn: impl AsyncFnOnce() -> Result<T, Refusal>,
) -> Result<(Bytes, Option<T>), Refusal> {
    let patience = Duration::from_millis(limits::REQUEST_MILLISECONDS_MAX);
    match tokio::time::timeout(patience, collect(body, bytes_max, turn)).await {
        Ok(read) => read,
        Err(_) => Err(Refusal::new(Reason::TooSlow, "the body did not end in time")),
    }
}

async fn collect<T>(
    mut body: Incoming,
    bytes_max: usize,
    turn: impl AsyncFnOnce() -> Result<T, Refusal>,
) -> Result<(Bytes, Option<T>), Refusal> {
    let Some(first) = next(&mut body).await? else { return Ok((Bytes::new(), None)) };
    if body.is_end_stream() {
        // Nearly every call: one read of the socket held it all, and it is passed on without a copy.
        return bounded(first.len(), bytes_max).map(|()| (first, None));
    }
    let (mut turn, mut taken) = (Some(turn), None);
    let mut all = BytesMut::from(first);
    loop {
        if all.len() >= limits::LARGE_MESSAGE_BYTES
            && let Some(turn) = turn.take()
        {
            taken = Some(turn().await?);
            // Room for the rest, as far as it was announced: growing step by step would copy mebibytes in one go.
            let rest = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
            all.reserve(rest.min(bytes_max.saturating_sub(all.len())));
        }
        if taken.is_some() {
            // Mebibytes that are there already are copied in pieces, and in between whoever else is ready goes on.
            yield_now().await;
        }
        let Some(part) = next(&mut body).await? else { return Ok((all.freeze(), taken)) };
        bounded(all.len().saturating_add(part.len()), bytes_max)?;
        all.extend_from_slice(&part);
    }
}

async fn next(body: &mut Incoming) -> Result<Option<Bytes>, Refusal> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refusal::new(Reason::NotJson, format!("the body broke off: {error}")))?;
        // Trailers carry nothing of MCP's.
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

fn bounded(bytes: usize, bytes_max: usize) -> Result<(), Refusal> {
    if bytes <= bytes_max {
        return Ok(());
    }
    Err(Refusal::new(Reason::TooLarge, format!("the body is over {bytes_max} bytes")))
}
