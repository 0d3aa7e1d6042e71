//! One message to a server, and its answer.

use std::time::Duration;

use bytes::Bytes;
use egress::Body;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::Full;
use model::limits;
use tokio::time::timeout;

use crate::resume::Resume;
use crate::route::{Address, Way};
use crate::{Fault, Route, SendError, Stream, Unsent, whole};

/// How long a server may take.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// Until the answer begins.
    pub head: Duration,
    /// From its beginning until a whole answer is complete.
    pub body: Duration,
    /// How long a stream may be idle.
    pub idle: Duration,
    /// What a stream is for.
    pub purpose: Purpose,
}

/// What a stream is for, and so what keeps it alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It is the answer to a call: a complete event is a sign of life, a comment that only keeps the connection warm
    /// is none, and there are at most [`limits::STREAM_MESSAGES_MAX`] messages.
    Answer,
    /// It has nothing to say until something changes: any byte is a sign of life, and it may go on for ever.
    Subscription,
}

impl Deadlines {
    /// For a call, listing or read.
    pub const CALL: Self = Self {
        head: Duration::from_millis(limits::ANSWER_MILLISECONDS_MAX),
        body: Duration::from_millis(limits::ANSWER_MILLISECONDS_MAX),
        idle: Duration::from_millis(limits::ANSWER_MILLISECONDS_MAX),
        purpose: Purpose::Answer,
    };

    /// For a subscription.
    pub const SUBSCRIPTION: Self = Self {
        idle: Duration::from_millis(limits::SUBSCRIPTION_IDLE_MILLISECONDS_MAX),
        purpose: Purpose::Subscription,
        ..Self::CALL
    };

    /// What is left of them for a caller who has waited so long already, while a process was started or a session opened: the
    /// answer begins within [`limits::PATIENCE_MILLISECONDS_MAX`] of the beginning, or not at all.
    ///
    /// # Errors
    /// [`Unsent::Late`] when nothing is left.
    pub fn after(self, waited: Duration) -> Result<Self, Unsent> {
        let left = Duration::from_millis(limits::PATIENCE_MILLISECONDS_MAX).saturating_sub(waited);
        if left.is_zero() { Err(Unsent::Late { waited }) } else { Ok(Self { head: self.head.min(left), ..self }) }
    }
}

/// What a server answered.
#[derive(Debug)]
pub enum Answer {
    /// One JSON document, complete. With a status that is no success it is the server's own account of its error.
    Whole {
        /// The HTTP status.
        status: StatusCode,
        /// The document, as it came.
        body: Bytes,
    },
    /// Messages, one by one.
    Stream(Stream),
    /// The server took a notification (202) and has nothing to say.
    Accepted,
}

/// Sends one message, once. `headers` are complete, credential included, but for the Host; a local server gets none.
/// Dropping the future tells the server that the call is cancelled (MCP 2026-07-28, basic/patterns/cancellation): over
/// the network by closing the connection, to a local server in words.
///
/// # Errors
/// [`SendError`] says what is known of the call: not sent, outcome unknown, or answered unacceptably.
pub async fn send(route: &Route, headers: HeaderMap, body: Bytes, deadlines: Deadlines) -> Result<Answer, SendError> {
    match route.way() {
        Way::Http(address) => {
            let response = begin(address, address.post(headers, body), deadlines).await?;
            receive(response, deadlines, None).await
        }
        Way::Local(local) => local.send(body, deadlines).await,
    }
}

/// Sends a request and waits for the head of its answer.
pub(crate) async fn begin(
    address: &Address,
    request: Request<Full<Bytes>>,
    deadlines: Deadlines,
) -> Result<Response<Body>, SendError> {
    let Ok(begun) = timeout(deadlines.head, address.lane().send(request)).await else {
        return Err(Fault::HeadTimedOut { after: deadlines.head }.into());
    };
    begun.map_err(|error| {
        let error = SendError::from(error);
        if let SendError::NotSent { cause } = &error {
            address.turnstile().not_sent(cause);
        }
        error
    })
}

/// Receives an answer that has begun.
pub(crate) async fn receive(
    response: Response<Body>,
    deadlines: Deadlines,
    resume: Option<Resume>,
) -> Result<Answer, SendError> {
    let (head, body) = response.into_parts();
    if let Some(challenges) = challenges(head.status, &head.headers) {
        return Err(SendError::Challenged { status: head.status, challenges });
    }
    match shape(head.status, &head.headers)? {
        Shape::Accepted => Ok(Answer::Accepted),
        Shape::Stream => Ok(Answer::Stream(Stream::new(body, deadlines, resume))),
        Shape::Whole => match timeout(deadlines.body, whole::read(body)).await {
            Ok(body) => Ok(Answer::Whole { status: head.status, body: body? }),
            Err(_) => Err(Fault::BodyTimedOut { after: deadlines.body }.into()),
        },
    }
}

/// What the server says of the credential it wants, where that is why it answers nothing else.
pub(crate) fn challenges(status: StatusCode, headers: &HeaderMap) -> Option<Box<HeaderMap>> {
    if !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return None;
    }
    let said = headers.get_all(header::WWW_AUTHENTICATE).iter();
    let challenges: HeaderMap = said.map(|one| (header::WWW_AUTHENTICATE, one.clone())).collect();
    (!challenges.is_empty()).then(|| Box::new(challenges))
}

/// Whether a body is announced as an event stream.
pub(crate) fn is_event_stream(headers: &HeaderMap) -> bool {
    matches!(shape(StatusCode::OK, headers), Ok(Shape::Stream))
}

#[derive(Debug, PartialEq, Eq)]
enum Shape {
    Accepted,
    Stream,
    Whole,
}

/// What kind of answer a head announces, decided before any of its body is read.
fn shape(status: StatusCode, headers: &HeaderMap) -> Result<Shape, Fault> {
    if status == StatusCode::ACCEPTED {
        return Ok(Shape::Accepted);
    }
    if status.is_redirection() {
        return Err(Fault::Redirect { status });
    }
    let encoding = headers.get_all(header::CONTENT_ENCODING);
    if let Some(found) = encoding.iter().find(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Fault::ContentEncoding { found: printable(found.as_bytes()) });
    }
    match media_type(headers) {
        Some(kind) if kind.eq_ignore_ascii_case(b"application/json") => Ok(Shape::Whole),
        Some(kind) if kind.eq_ignore_ascii_case(b"text/event-stream") && status == StatusCode::OK => Ok(Shape::Stream),
        Some(_) | None if !status.is_success() => Err(Fault::Status { status }),
        Some(kind) => Err(Fault::ContentType { found: format!("`{}`", printable(kind)) }),
        None => Err(Fault::ContentType { found: "missing or told twice".to_owned() }),
    }
}

/// The media type without its parameters, if there is exactly one.
fn media_type(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    value.as_bytes().split(|byte| *byte == b';').next().map(<[u8]>::trim_ascii)
}

/// The beginning of what a server said, safe to show.
fn printable(bytes: &[u8]) -> String {
    let visible = |byte: &u8| if byte.is_ascii_graphic() { char::from(*byte) } else { '?' };
    bytes.iter().take(80).map(visible).collect()
}

#[cfg(test)]
mod tests;
