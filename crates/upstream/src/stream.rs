//! A streamed answer, message by message.

use bytes::Bytes;
use hyper::body::Incoming;
use model::limits;
use tokio::time::{Instant, timeout_at};
use wire::sse::{Decoder, Ending, Event};

use crate::whole::Progress;
use crate::{Deadlines, Fault, Purpose, SendError};

/// A streamed answer. Dropping it closes the connection, which tells the server that nobody waits any more.
#[derive(Debug)]
pub struct Stream {
    /// The rest of the answer; `None` once it ended, well or badly.
    body: Option<Incoming>,
    progress: Progress,
    decoder: Decoder,
    deadlines: Deadlines,
    messages: usize,
    /// When the wait that is going on becomes too long. Kept here, because whoever waits may stop and wait again.
    idle_at: Option<Instant>,
}

impl Stream {
    pub(crate) fn new(body: Incoming, deadlines: Deadlines) -> Self {
        let progress = Progress { declared: None, received: 0 };
        let decoder = Decoder::new(limits::MESSAGE_BYTES_MAX);
        Self { body: Some(body), progress, decoder, deadlines, messages: 0, idle_at: None }
    }

    /// The next message: one event's data, one JSON-RPC message, unread. `None` at the proper end of the stream, and
    /// after an error. Only the time spent waiting here counts as idle. Dropping the future loses nothing: the next one
    /// goes on waiting where it stopped.
    pub async fn next(&mut self) -> Option<Result<Bytes, SendError>> {
        let next = self.message().await;
        if !matches!(next, Ok(Some(_))) {
            // Nothing more is wanted, so the connection is closed now and not when the holder lets go.
            self.body = None;
        }
        next.map_err(SendError::from).transpose()
    }

    async fn message(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            let Some(body) = &mut self.body else {
                return Ok(None);
            };
            if let Some(event) = self.decoder.next() {
                if is_message(&event) {
                    self.idle_at = None;
                    self.count()?;
                    return Ok(Some(event.data));
                }
                continue;
            }
            let idle_at = *self.idle_at.get_or_insert_with(|| Instant::now() + self.deadlines.idle);
            let Ok(piece) = timeout_at(idle_at, self.progress.next(body)).await else {
                return Err(Fault::Idle { after: self.deadlines.idle });
            };
            let Some(piece) = piece? else {
                return match self.decoder.finish() {
                    Ending::Clean => Ok(None),
                    Ending::MidEvent => Err(Fault::CutMidEvent),
                };
            };
            self.decoder.push(&piece).map_err(|flaw| Fault::Event { detail: flaw.refusal.detail })?;
            if self.deadlines.purpose == Purpose::Subscription {
                self.idle_at = None;
            }
        }
    }

    fn count(&mut self) -> Result<(), Fault> {
        self.messages = self.messages.saturating_add(1);
        match self.deadlines.purpose {
            Purpose::Answer if self.messages > limits::STREAM_MESSAGES_MAX => Err(Fault::TooManyMessages),
            Purpose::Answer | Purpose::Subscription => Ok(()),
        }
    }
}

/// Whether an event carries a message. Readers of event streams hear only the types they ask for, so what is named
/// otherwise reaches none of them, and is not passed on. An event without data only says where to read on.
fn is_message(event: &Event) -> bool {
    !event.data.is_empty() && event.kind.as_deref().is_none_or(|kind| kind == "message")
}
