//! The call itself: once, within its limits. What may have been sent is never sent again.

use std::error::Error;

use bytes::Bytes;
use http::StatusCode;
use model::{Object, Reason, Refusal};
use upstream::{Answer, Deadlines, SendError, Stream};

use crate::controls::credential::Ready;
use crate::controls::halted::Running;
use crate::register::Path;

/// What came back, unread, and what was asked about.
pub(crate) struct Sent {
    pub(crate) answer: Unread,
    pub(crate) objects: Vec<Object>,
}

/// An answer that nothing has looked at.
#[expect(clippy::large_enum_variant, reason = "moved once, from here to `release`")]
pub(crate) enum Unread {
    /// One message, with its HTTP status.
    Whole(StatusCode, Bytes),
    /// Messages, as the server makes them.
    Stream(Stream),
}

/// Sends the call and waits for its answer, or for the beginning of a stream.
pub(crate) async fn run(running: &Running, path: Path, ready: Ready) -> Result<Sent, Refusal> {
    let Ready { headers, body, objects } = ready;
    let deadlines = match path {
        Path::Streamed => Deadlines::SUBSCRIPTION,
        Path::Pinned | Path::Listed | Path::Called | Path::Absorbed | Path::Relayed | Path::Asked | Path::Heeded => {
            Deadlines::CALL
        }
    };
    match upstream::send(&running.door.route, headers, body, deadlines).await {
        Ok(Answer::Whole { status, body }) => Ok(Sent { answer: Unread::Whole(status, body), objects }),
        Ok(Answer::Stream(stream)) => Ok(Sent { answer: Unread::Stream(stream), objects }),
        Ok(Answer::Accepted) => Err(Refusal::new(Reason::AnswerRefused, "the server took a request as a notification")),
        Err(error) => Err(refusal(&error)),
    }
}

/// What is known of a call that went wrong, in the words of the table.
pub(crate) fn refusal(error: &SendError) -> Refusal {
    let reason = match error {
        SendError::NotSent { .. } => Reason::ServerUnreachable,
        SendError::Unknown { .. } => Reason::OutcomeUnknown,
        SendError::Refused { .. } => Reason::AnswerRefused,
    };
    Refusal::new(reason, chain(error))
}

/// An error with its causes, for operators.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
