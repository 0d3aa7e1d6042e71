//! What went wrong with a call, and what is known of it because of that.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use model::limits;
use wire::Revision;

/// A call without an acceptable answer. The variant is what may be said of the call; none of them is ever a reason
/// to send it again.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Provably nothing of the call left the gate.
    #[error("nothing was sent")]
    NotSent {
        /// What stopped it.
        #[source]
        cause: Unsent,
    },
    /// The server says that the session is over (404). It carried nothing out, and will take nothing more in this
    /// session.
    #[error("the server ended the session, and carried nothing of this out")]
    SessionOver,
    /// The server does not take the credential that it was given, and says which one it wants (401 or 403 with
    /// `WWW-Authenticate`; RFC 9110 §11.6.1, RFC 6750 §3).
    #[error("the server does not take the credential that it was given: it answered {status}")]
    Challenged {
        /// The status.
        status: StatusCode,
        /// Its `WWW-Authenticate` headers, as they came, and no other.
        challenges: Box<HeaderMap>,
    },
    /// The call was sent, wholly or in part, and no complete answer came back.
    #[error("the call was sent and its outcome is unknown")]
    Unknown {
        /// What is known of how it ended.
        #[source]
        fault: Fault,
    },
    /// The server took the call and answered, and the answer breaks the protocol or a limit.
    #[error("the server's answer cannot be accepted")]
    Refused {
        /// What is wrong with it.
        #[source]
        fault: Fault,
    },
}

/// What stopped a call before any of it was sent.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Unsent {
    /// The way out.
    #[error(transparent)]
    Egress(#[from] egress::NotSent),
    /// The local server could not be started, or was not ready to be used.
    #[error("the local server did not start: {why}")]
    NotStarted {
        /// What stopped it, with what it said last.
        why: Arc<str>,
    },
    /// The local server ended, and is left alone for a while.
    #[error("the local server is started again in {} ms at the earliest: {why}", again_in.as_millis())]
    Resting {
        /// Why it ended or did not start, with what it said last.
        why: Arc<str>,
        /// How long it is still left alone.
        again_in: Duration,
    },
    /// The local server ended before it was sent the call.
    #[error("the local server ended first: {why}")]
    Ended {
        /// Why it ended, with what it said last.
        why: Arc<str>,
    },
    /// The server has as much to do as it may have.
    #[error(
        "the server has {} requests or {} bytes to take already",
        limits::LOCAL_REQUESTS_MAX,
        limits::LOCAL_QUEUE_BYTES_MAX
    )]
    Busy,
    /// The message is none that can be told apart from others on one line.
    #[error("the message cannot be put on a line that many calls share: {detail}")]
    Message {
        /// What is wrong with it. It never quotes the message.
        detail: String,
    },
    /// Whoever called had waited too long when it could have been sent.
    #[error("the caller had waited for {} ms when it could have been sent", waited.as_millis())]
    Late {
        /// How long.
        waited: Duration,
    },
    /// The server chose an older revision than it spoke when people approved it.
    #[error("the server speaks {found} now, and was approved speaking {pinned}")]
    Downgraded {
        /// What it speaks now.
        found: Revision,
        /// What it spoke when it was approved.
        pinned: Revision,
    },
}

/// How a call that was sent went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The connection broke before the answer began.
    #[error("the connection broke before the answer began")]
    Connection {
        /// What the connection said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer did not begin in time.
    #[error("no answer began within {after:?}")]
    HeadTimedOut {
        /// How long the gate waited.
        after: Duration,
    },
    /// The answer began and was not complete in time.
    #[error("the answer was not complete within {after:?} of its beginning")]
    BodyTimedOut {
        /// How long the gate waited.
        after: Duration,
    },
    /// The server closed the connection before the end of the answer.
    #[error("the answer ended early, after {received} bytes")]
    EndedEarly {
        /// Bytes that came.
        received: u64,
    },
    /// The server declared more bytes than it sent.
    #[error("the answer declared {declared} bytes and ended after {received}")]
    LengthBroken {
        /// What `Content-Length` said.
        declared: u64,
        /// Bytes that came.
        received: u64,
    },
    /// The answer's framing broke, or the connection did.
    #[error("the answer broke off after {received} bytes")]
    Broken {
        /// Bytes that came.
        received: u64,
        /// What the connection said.
        #[source]
        source: hyper::Error,
    },
    /// A stream was idle for too long.
    #[error("the stream was idle for {after:?}")]
    Idle {
        /// How long the gate waited.
        after: Duration,
    },
    /// A stream ended in the middle of an event.
    #[error("the stream ended in the middle of an event")]
    CutMidEvent,
    /// The stream broke off, and the server does not let it be read on.
    #[error("the stream broke off and the server answered {status} when it was to be read on")]
    NotResumed {
        /// The status.
        status: StatusCode,
    },
    /// The stream broke off again and again.
    #[error("the stream broke off {} times without a message", limits::STREAM_RESUMPTIONS_MAX)]
    ResumedTooOften,
    /// The local server ended.
    #[error("the local server ended: {why}")]
    ProcessEnded {
        /// Why, with what it said last.
        why: Arc<str>,
    },
    /// The one stream on which the server answers every call of a session ended.
    #[error("the stream of the session ended: {why}")]
    LineEnded {
        /// Why.
        why: Arc<str>,
    },
    /// More messages of a line that calls share wait than may.
    #[error("the messages of the server were not taken fast enough")]
    Backlog,
    /// One message is larger than [`limits::MESSAGE_BYTES_MAX`].
    #[error("the answer is larger than {} bytes", limits::MESSAGE_BYTES_MAX)]
    TooLarge,
    /// A stream has more than [`limits::STREAM_MESSAGES_MAX`] messages.
    #[error("the stream has more than {} messages", limits::STREAM_MESSAGES_MAX)]
    TooManyMessages,
    /// An event of a stream is malformed or too large.
    #[error("an event of the stream cannot be accepted: {detail}")]
    Event {
        /// What is wrong with it. It never quotes the event.
        detail: String,
    },
    /// The answer is neither JSON nor an event stream.
    #[error("the answer's content type is {found}")]
    ContentType {
        /// What it is, as far as it is printable.
        found: String,
    },
    /// The answer is compressed, which the gate never asks for and does not undo.
    #[error("the answer's content encoding is {found}")]
    ContentEncoding {
        /// What it is, as far as it is printable.
        found: String,
    },
    /// The server points elsewhere. Redirects are never followed: they would lead a credential to another place.
    #[error("the server redirects ({status})")]
    Redirect {
        /// The status.
        status: StatusCode,
    },
    /// The server answered with a status and no message.
    #[error("the server answered {status} without a message")]
    Status {
        /// The status.
        status: StatusCode,
    },
}

impl From<Fault> for SendError {
    fn from(fault: Fault) -> Self {
        match &fault {
            // What answers with a status or a redirect alone may be a proxy before or behind the server, which
            // may have carried the call out or not.
            Fault::Connection { .. }
            | Fault::HeadTimedOut { .. }
            | Fault::BodyTimedOut { .. }
            | Fault::EndedEarly { .. }
            | Fault::LengthBroken { .. }
            | Fault::Broken { .. }
            | Fault::Idle { .. }
            | Fault::CutMidEvent
            | Fault::NotResumed { .. }
            | Fault::ResumedTooOften
            | Fault::ProcessEnded { .. }
            | Fault::LineEnded { .. }
            | Fault::Backlog
            | Fault::Redirect { .. }
            | Fault::Status { .. } => Self::Unknown { fault },
            Fault::TooLarge
            | Fault::TooManyMessages
            | Fault::Event { .. }
            | Fault::ContentType { .. }
            | Fault::ContentEncoding { .. } => Self::Refused { fault },
        }
    }
}

impl From<egress::EgressError> for SendError {
    fn from(error: egress::EgressError) -> Self {
        match error {
            egress::EgressError::NotSent { cause, .. } => Self::NotSent { cause: cause.into() },
            egress::EgressError::Unknown { source, .. } => Fault::Connection { source }.into(),
        }
    }
}

impl From<Unsent> for SendError {
    fn from(cause: Unsent) -> Self {
        Self::NotSent { cause }
    }
}
