//! An answer of the path taken apart again, for a client that is told it in another shape of the transport.

use bytes::Bytes;
use futures_util::{Stream, stream};
use http_body_util::{BodyExt as _, Either, StreamBody};
use model::limits;
use wire::sse::Decoder;

use crate::body::{Messages, Response};
use crate::relay::Part;

/// An answer, apart.
pub(crate) enum Apart {
    /// One message; empty where there is nothing to say.
    Whole(Bytes),
    /// Messages as they come.
    Stream(StreamBody<Messages>),
}

/// Takes an answer apart.
pub(crate) async fn take(response: Response) -> Apart {
    match response.into_body() {
        Either::Left(whole) => {
            let Ok(whole) = whole.collect().await;
            Apart::Whole(whole.to_bytes())
        }
        Either::Right(events) => Apart::Stream(events),
    }
}

/// The messages of a stream, without the events they came in. An event's id goes with its event: whoever is told the
/// messages in another shape reads on in another way, or not at all.
pub(crate) fn parts(events: StreamBody<Messages>) -> impl Stream<Item = Part> + Send {
    let decoder = Decoder::new(limits::LINE_BYTES_MAX);
    stream::unfold((events, decoder), |(mut events, mut decoder)| async move {
        loop {
            if let Some(event) = decoder.next() {
                let part = if event.data.is_empty() { Part::Comment } else { Part::Message(event.data) };
                return Some((part, (events, decoder)));
            }
            let Ok(frame) = events.frame().await?;
            let Ok(bytes) = frame.into_data() else { continue };
            if let Err(flaw) = decoder.push(&bytes) {
                tracing::error!(detail = %flaw.refusal.detail, "an answer of the gate's own could not be taken apart");
                return None;
            }
            if bytes.first() == Some(&b':') {
                return Some((Part::Comment, (events, decoder)));
            }
        }
    })
}
