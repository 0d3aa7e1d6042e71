//! A streamed answer, message by message.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use egress::Body;
use model::limits;
use tokio::time::{Instant, timeout_at};
use wire::sse::{Decoder, Ending, Event};

use crate::batch;
use crate::pace::Pace;
use crate::resume::Resume;
use crate::switchboard::Replies;
use crate::whole::Progress;
use crate::{Deadlines, Fault, Purpose, SendError, Turn};

/// A streamed answer. Dropping it tells the server that nobody waits any more: over the network by closing the
/// connection, on a line that many calls share in words.
///
/// In a session a stream that breaks off is read on where it stopped, if the server numbers its events.
#[derive(Debug)]
pub struct Stream {
    source: Source,
    deadlines: Deadlines,
    messages: usize,
    /// How fast it is listened to, if it may go on for ever.
    pace: Pace,
    /// When the wait that is going on becomes too long. Kept here, because whoever waits may stop and wait again.
    idle_at: Option<Instant>,
    /// Messages that came in one batch and are not told yet; `None` in revisions without batches.
    batched: Option<VecDeque<Bytes>>,
    /// The place at the server that the call has until the stream ends.
    turn: Option<Box<Turn>>,
}

/// Where messages come from.
#[derive(Debug)]
enum Source {
    /// It ended, well or badly.
    Ended,
    Events(Box<Events>),
    /// On a line that many calls share.
    Line(Box<Replies>),
}

/// The events of an answer over the network.
struct Events {
    /// The rest of the answer; `None` while it is read on.
    body: Option<Body>,
    progress: Progress,
    decoder: Decoder,
    resume: Option<Resume>,
    /// The newest message, to tell a stream that broke off from one that is complete.
    newest: Option<Bytes>,
}

impl Stream {
    pub(crate) fn new(body: Body, deadlines: Deadlines, resume: Option<Resume>) -> Self {
        let events = Events { body: Some(body), progress: begun(), decoder: decoder(), resume, newest: None };
        Self::of(Source::Events(Box::new(events)), deadlines)
    }

    /// What is said about one call on a line that many share.
    pub(crate) fn line(replies: Replies, deadlines: Deadlines) -> Self {
        Self::of(Source::Line(Box::new(replies)), deadlines)
    }

    /// Messages that came together, and nothing after them.
    pub(crate) fn whole(messages: Vec<Bytes>, deadlines: Deadlines) -> Self {
        Self { batched: Some(messages.into()), ..Self::of(Source::Ended, deadlines) }
    }

    fn of(source: Source, deadlines: Deadlines) -> Self {
        Self { source, deadlines, messages: 0, pace: Pace::new(), idle_at: None, batched: None, turn: None }
    }

    /// Keeps the call's place at the server for as long as the stream goes on.
    pub fn hold(&mut self, turn: Turn) {
        self.turn = Some(Box::new(turn));
    }

    /// The same stream, in which the server may send several messages as one array.
    #[must_use]
    pub(crate) fn with_batches(self) -> Self {
        Self { batched: Some(self.batched.unwrap_or_default()), ..self }
    }

    /// The next event, of whatever kind: how a server of HTTP+SSE begins.
    pub(crate) async fn event(&mut self) -> Result<Option<Event>, Fault> {
        let Source::Events(events) = &mut self.source else { return Ok(None) };
        loop {
            if let Some(event) = events.decoder.next() {
                return Ok(Some(event));
            }
            if let More::Nothing = events.more().await? {
                return Ok(None);
            }
        }
    }

    /// The next message: one JSON-RPC message, unread. `None` at the proper end of the stream, and after an error. Only
    /// the time spent waiting here counts as idle. Dropping the future loses nothing: the next one goes on waiting where
    /// it stopped.
    pub async fn next(&mut self) -> Option<Result<Bytes, SendError>> {
        let next = self.message().await;
        if !matches!(next, Ok(Some(_))) {
            // Nothing more is wanted, so the server hears it now and not when the holder lets go.
            self.source = Source::Ended;
            self.turn = None;
        }
        next.map_err(SendError::from).transpose()
    }

    async fn message(&mut self) -> Result<Option<Bytes>, Fault> {
        if self.deadlines.purpose == Purpose::Subscription {
            self.pace.next().await;
        }
        if let Some(message) = self.batched.as_mut().and_then(VecDeque::pop_front) {
            self.count()?;
            return Ok(Some(message));
        }
        let Some(message) = self.arrival().await? else { return Ok(None) };
        self.idle_at = None;
        self.count()?;
        match (&mut self.batched, batch::split(&message)) {
            (Some(batched), Some(messages)) => {
                batched.extend(messages);
                Ok(batched.pop_front())
            }
            (Some(_) | None, _) => Ok(Some(message)),
        }
    }

    /// What comes next from where messages come from.
    async fn arrival(&mut self) -> Result<Option<Bytes>, Fault> {
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
            // Such a line is open or closed and never merely silent, so a subscription needs no sign of life there.
            Source::Line(replies) if self.deadlines.purpose == Purpose::Subscription => replies.next().await?,
            Source::Line(replies) => {
                let idle_at = *self.idle_at.get_or_insert_with(|| Instant::now() + self.deadlines.idle);
                let next = timeout_at(idle_at, replies.next()).await;
                next.map_err(|_| Fault::Idle { after: self.deadlines.idle })??
            }
        };
        Ok(message)
    }

    fn count(&mut self) -> Result<(), Fault> {
        self.pace.heard();
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

/// Whether a message, or one of a batch, is an answer, after which nothing more is due.
fn is_response(message: &Bytes) -> bool {
    let answers = |message: &Bytes| matches!(wire::answer::read(message), Ok(wire::answer::Incoming::Response { .. }));
    match batch::split(message) {
        Some(messages) => messages.iter().any(answers),
        None => answers(message),
    }
}

/// Whether an event carries a message. Readers of event streams hear only the types they ask for, so what is named
/// otherwise reaches none of them, and is not passed on. An event without data only says where to read on.
fn is_message(event: &Event) -> bool {
    !event.data.is_empty() && event.kind.as_deref().is_none_or(|kind| kind == "message")
}
