//! Answers as JSON documents in a session of revision 2025-11-25, as many servers give them.
//!
//! `rmcp` answers there with event streams only. [`document`] stands in front of it: a stream whose first message is
//! already the answer becomes that message alone; any other passes as it is. The session's id travels in a header and
//! is not touched.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderValue, Method, header};
use http_body_util::BodyExt;
use hyper::body::Frame;
use serde_json::Value;

/// The layer.
pub(crate) async fn document(request: Request, next: Next) -> Response {
    let posted = request.method() == Method::POST;
    let response = next.run(request).await;
    let streamed = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
    if !posted || !streamed {
        return response;
    }
    let (mut head, mut body) = response.into_parts();
    let mut read = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        read.extend_from_slice(&frame.into_data().unwrap_or_default());
        let Some(message) = first_message(&read) else { continue };
        if message.get("method").is_some() {
            break;
        }
        head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        return Response::from_parts(head, Body::from(message.to_string()));
    }
    Response::from_parts(head, Body::new(Resumed { read: Some(read.into()), rest: body }))
}

/// The first message in a stream of events, once it is whole. An event without data carries none.
fn first_message(stream: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(stream).ok()?;
    let (whole, _) = text.rsplit_once("\n\n")?;
    let mut data = whole.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    data.find(|data| !data.is_empty()).and_then(|data| serde_json::from_str(data).ok())
}

/// A body some of which was read already.
struct Resumed {
    read: Option<Bytes>,
    rest: Body,
}

impl HttpBody for Resumed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.read.take() {
            Some(read) => Poll::Ready(Some(Ok(Frame::data(read)))),
            None => Pin::new(&mut self.rest).poll_frame(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_message_is_found_when_it_is_whole() {
        let stream = b"id: 0/0\nretry: 3000\ndata: \n\nid: 1/0\ndata: {\"id\":1}\n\n";
        assert_eq!(first_message(stream).unwrap()["id"], 1);
        for length in 0..stream.len() {
            assert_eq!(first_message(&stream[..length]), None, "{length}");
        }
    }
}
