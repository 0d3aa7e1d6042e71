//! A streamed answer, message by message.

use std::fmt;

use bytes::Bytes;
use hyper::body::Incoming;
use model::limits;
use tokio::time::{Instant, timeout_at};
use wire::sse::{Decoder, Ending, Event};

use crate::local::Replies;
use crate::resume::Resume;
use crate::whole::Progress;
use crate::{Deadlines, Fault, Purpose, SendError};

/// A streamed answer. Dropping it tells the server that nobody waits any more: over the network by closing the
/// connection, to a local server in words.
///
/// In a session a stream that breaks off is read on where it stopped, if the server numbers its events.
#[derive(Debug)]
pub struct Stream {
    source: Source,
    deadlines: Deadlines,
    messages: usize,
    /// When the wait that is going on becomes too long. Kept here, because whoever waits may stop and wait again.
    idle_at: Option<Instant>,
}

/// Where messages come from.
#[derive(Debug)]
enum Source {
    /// It ended, well or badly.
    Ended,
    Events(Box<Events>),
    Local(Replies),
}

/// The events of an answer over the network.
struct Events {
    /// The rest of the answer; `None` while it is read on.
    body: Option<Incoming>,
    progress: Progress,
    decoder: Decoder,
    resume: Option<Resume>,
    /// The newest message, to tell a stream that broke off from one that is complete.
    newest: Option<Bytes>,
}

impl Stream {
    pub(crate) fn new(body: Incoming, deadlines: Deadlines, resume: Option<Resume>) -> Self {
        let events = Events { body: Some(body), progress: begun(), decoder: decoder(), resume, newest: None };
        Self { source: Source::Events(Box::new(events)), deadlines, messages: 0, idle_at: None }
    }

    pub(crate) fn local(replies: Replies, deadlines: Deadlines) -> Self {
        Self { source: Source::Local(replies), deadlines, messages: 0, idle_at: None }
    }

    /// The next message: one JSON-RPC message, unread. `None` at the proper end of the stream, and after an error. Only
    /// the time spent waiting here counts as idle. Dropping the future loses nothing: the next one goes on waiting where
    /// it stopped.
    pub async fn next(&mut self) -> Option<Result<Bytes, SendError>> {
        let next = self.message().await;
        if !matches!(next, Ok(Some(_))) {
            // Nothing more is wanted, so the server hears it now and not when the holder lets go.
            self.source = Source::Ended;
        }
        next.map_err(SendError::from).transpose()
    }

    async fn message(&mut self) -> Result<Option<Bytes>, Fault> {
        let message = match &mut self.source {
            Source::Ended => return Ok(None),
            Source::Events(events) => loop {
                if let Some(message) = events.ready() {
                    break Some(message);
                }
                let idle_at = *self.idle_at.get_or_insert_with(|| Instant::now() + self.deadlines.idle);
                match timeout_at(idle_at, events.more()).await {
                    Err(_) => return Err(Fault::Idle { after: self.deadlines.idle }),
                    Ok(Err(fault)) => return Err(fault),
                    Ok(Ok(More::Nothing)) => break None,
                    Ok(Ok(More::Bytes)) if self.deadlines.purpose == Purpose::Subscription => self.idle_at = None,
                    Ok(Ok(More::Bytes)) => {}
                }
            },
            // A pipe is open or closed and never merely silent, so a subscription needs no sign of life there.
            Source::Local(replies) if self.deadlines.purpose == Purpose::Subscription => replies.next().await?,
            Source::Local(replies) => {
                let idle_at = *self.idle_at.get_or_insert_with(|| Instant::now() + self.deadlines.idle);
                let next = timeout_at(idle_at, replies.next()).await;
                next.map_err(|_| Fault::Idle { after: self.deadlines.idle })??
            }
        };
        if message.is_some() {
            self.idle_at = None;
            self.count()?;
        }
        Ok(message)
    }

    fn count(&mut self) -> Result<(), Fault> {
        self.messages = self.messages.saturating_add(1);
        match self.deadlines.purpose {
            Purpose::Answer if self.messages > limits::STREAM_MESSAGES_MAX => Err(Fault::TooManyMessages),
            Purpose::Answer | Purpose::Subscription => Ok(()),
        }
    }
}

/// What came after what was there.
enum More {
    /// Bytes, which may or may not complete an event.
    Bytes,
    /// The end.
    Nothing,
}

impl Events {
    /// The next message that has come whole.
    fn ready(&mut self) -> Option<Bytes> {
        while let Some(event) = self.decoder.next() {
            let is_message = is_message(&event);
            if let Some(resume) = &mut self.resume {
                resume.note(event.id.as_deref(), event.retry);
                if is_message {
                    resume.note_message();
                    self.newest = Some(event.data.clone());
                }
            }
            if is_message {
                return Some(event.data);
            }
        }
        None
    }

    /// Waits for more bytes, and reads on where they stopped coming.
    async fn more(&mut self) -> Result<More, Fault> {
        let ended = match &mut self.body {
            None => Ok(()),
            Some(body) => match self.progress.next(body).await {
                Ok(Some(piece)) => {
                    self.decoder.push(&piece).map_err(|flaw| Fault::Event { detail: flaw.refusal.detail })?;
                    return Ok(More::Bytes);
                }
                Ok(None) if self.decoder.finish() == Ending::Clean => Ok(()),
                Ok(None) => Err(Fault::CutMidEvent),
                Err(fault) => Err(fault),
            },
        };
        let Some(resume) = self.resume.as_mut().filter(|resume| resume.is_possible()) else {
            return ended.map(|()| More::Nothing);
        };
        if self.newest.as_ref().is_some_and(is_response) {
            return ended.map(|()| More::Nothing);
        }
        self.body = None;
        let body = resume.resume().await?;
        // What was begun and not finished comes again, whole.
        (self.body, self.progress, self.decoder) = (Some(body), begun(), decoder());
        Ok(More::Bytes)
    }
}

/// Messages are not for logs.
impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("progress", &self.progress).field("resume", &self.resume).finish_non_exhaustive()
    }
}

fn begun() -> Progress {
    Progress { declared: None, received: 0 }
}

fn decoder() -> Decoder {
    Decoder::new(limits::MESSAGE_BYTES_MAX)
}

/// Whether a message is an answer, after which nothing more is due.
fn is_response(message: &Bytes) -> bool {
    matches!(wire::answer::read(message), Ok(wire::answer::Incoming::Response { .. }))
}

/// Whether an event carries a message. Readers of event streams hear only the types they ask for, so what is named
/// otherwise reaches none of them, and is not passed on. An event without data only says where to read on.
fn is_message(event: &Event) -> bool {
    !event.data.is_empty() && event.kind.as_deref().is_none_or(|kind| kind == "message")
}
