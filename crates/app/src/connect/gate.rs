//! The gate's side: requests that carry one message each, and what is answered.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use egress::{EgressError, Lane, NotSent};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use model::limits;
use tokio::time::timeout;
use wire::sse::{Decoder, Event};

use super::endpoint::{Endpoint, Token};
use super::trouble::Trouble;

/// What is read of an answer that is no message, to let its connection be used again.
const REST_BYTES_MAX: usize = 64 * 1024;
const SILENCE_MAX: Duration = Duration::from_millis(limits::CONNECT_SILENCE_MILLISECONDS_MAX);

/// An answer's body, whatever carries it.
type Body = BoxBody<Bytes, io::Error>;

/// One endpoint of the gate, for one caller.
#[derive(Debug)]
pub(super) struct Gate {
    endpoint: Endpoint,
    token: Token,
    lane: Lane,
}

/// What was answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) said: Said,
}

/// In which form.
pub(super) enum Said {
    /// One JSON document.
    Whole(Bytes),
    /// Messages, one by one.
    Stream(Events),
    /// Nothing that MCP knows.
    Nothing,
}

/// A stream of the gate's. Dropping it closes the connection.
pub(super) struct Events {
    body: Body,
    decoder: Decoder,
}

impl Gate {
    pub(super) fn new(endpoint: Endpoint, token: Token) -> Self {
        let lane = endpoint.lane();
        Self { endpoint, token, lane }
    }

    /// Sends one message, once.
    pub(super) async fn post(&self, mut headers: HeaderMap, body: Bytes) -> Result<Answer, Trouble> {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        self.send(Method::POST, headers, body).await
    }

    /// Asks for a stream.
    pub(super) async fn get(&self, mut headers: HeaderMap) -> Result<Answer, Trouble> {
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        self.send(Method::GET, headers, Bytes::new()).await
    }

    /// Ends a session.
    pub(super) async fn delete(&self, headers: HeaderMap) -> Result<Answer, Trouble> {
        self.send(Method::DELETE, headers, Bytes::new()).await
    }

    async fn send(&self, method: Method, headers: HeaderMap, body: Bytes) -> Result<Answer, Trouble> {
        let request = Request::builder().method(method).uri(self.endpoint.url().clone()).body(Full::new(body));
        let mut request = request.map_err(|_| Trouble::Unreadable)?;
        *request.headers_mut() = headers;
        let credential = self.token.credential().map_err(|failure| Trouble::Token { why: failure.to_string() })?;
        credential.write(request.headers_mut());
        let sent = timeout(SILENCE_MAX, self.lane.send(request)).await.map_err(|_| Trouble::Broken)?;
        let response = sent.map_err(|error| self.trouble(&error))?;
        let (head, body) = response.map(|body| body.map_err(io::Error::other).boxed()).into_parts();
        if head.status == StatusCode::UNAUTHORIZED {
            return Err(Trouble::Unauthorised { place: self.token.place() });
        }
        let said = said(Response::from_parts(head.clone(), body)).await?;
        Ok(Answer { status: head.status, headers: head.headers, said })
    }

    fn trouble(&self, error: &EgressError) -> Trouble {
        let EgressError::NotSent { cause, .. } = error else { return Trouble::Broken };
        let why = match cause {
            NotSent::Resolve { .. } => "its name is not known".to_owned(),
            NotSent::Connect { source, .. } => source.to_string(),
            NotSent::Tls { source } => format!("it did not prove who it is: {source}"),
            NotSent::UrlUnusable
            | NotSent::HostAmbiguous
            | NotSent::AddressCount { .. }
            | NotSent::OutOfReach(_)
            | NotSent::Roots { .. }
            | NotSent::TimedOut
            | NotSent::TooManyConnections
            | NotSent::Closed => cause.to_string(),
        };
        Trouble::Unreachable { host: self.endpoint.url().authority().map(ToString::to_string).unwrap_or_default(), why }
    }
}

async fn said(response: Response<Body>) -> Result<Said, Trouble> {
    let (head, body) = response.into_parts();
    match media_type(&head.headers) {
        Some(kind) if kind.eq_ignore_ascii_case(b"text/event-stream") && head.status == StatusCode::OK => {
            Ok(Said::Stream(Events { body, decoder: Decoder::new(limits::CONNECT_ANSWER_BYTES_MAX) }))
        }
        Some(kind) if kind.eq_ignore_ascii_case(b"application/json") => {
            let whole = Limited::new(body, limits::CONNECT_ANSWER_BYTES_MAX).collect();
            let whole = timeout(SILENCE_MAX, whole).await.ok().and_then(Result::ok).ok_or(Trouble::Ended)?;
            Ok(Said::Whole(whole.to_bytes()))
        }
        Some(_) | None => {
            let _rest = timeout(Duration::from_secs(1), Limited::new(body, REST_BYTES_MAX).collect()).await;
            Ok(Said::Nothing)
        }
    }
}

/// The media type without its parameters.
fn media_type(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(CONTENT_TYPE)?.as_bytes().split(|byte| *byte == b';').next().map(<[u8]>::trim_ascii)
}

impl Events {
    /// The next event that a reader of messages hears; `None` at the stream's end.
    pub(super) async fn next(&mut self) -> Result<Option<Event>, Trouble> {
        loop {
            if let Some(event) = self.decoder.next() {
                if event.kind.as_deref().is_none_or(|kind| kind == "message") {
                    return Ok(Some(event));
                }
                continue;
            }
            let frame = timeout(SILENCE_MAX, self.body.frame()).await.map_err(|_| Trouble::Ended)?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|_| Trouble::Ended)?;
            if let Some(data) = frame.data_ref() {
                self.decoder.push(data).map_err(|_| Trouble::Unreadable)?;
            }
        }
    }
}
