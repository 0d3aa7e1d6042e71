//! What a server says about one call, on its way to the caller, where many calls share one line.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::StatusCode;
use model::limits;
use tokio::sync::mpsc;

use crate::{Answer, Deadlines, Fault, SendError, Stream};

/// A line that many calls share.
pub(crate) trait SharedLine: Send + Sync {
    /// Takes a call back, unless it is answered.
    fn withdraw(&self, number: i64);

    /// What becomes of calls when the line ends.
    fn ended(&self, why: &str) -> Fault;
}

/// What the server says about one call. Dropping it before the answer tells the server that nobody waits any more.
pub(crate) struct Replies {
    line: Arc<dyn SharedLine>,
    number: i64,
    inbox: Inbox,
    /// A message that was taken to see what kind of answer this is.
    first: Option<Bytes>,
    over: bool,
}

/// What a caller is told.
pub(crate) enum Reply {
    /// A message before the answer.
    Message(Bytes),
    /// The answer.
    Answer(Bytes),
    /// There will be no answer.
    Failed(SendError),
}

/// The end at which a caller is told.
pub(crate) struct Teller {
    sender: mpsc::UnboundedSender<Reply>,
    backlog: Arc<Backlog>,
}

/// The end at which a caller takes what it is told.
pub(crate) struct Inbox {
    receiver: mpsc::UnboundedReceiver<Reply>,
    backlog: Arc<Backlog>,
}

/// What waits until a caller takes it. The answer, or that there is none, always has a place beside it.
#[derive(Default)]
struct Backlog {
    messages: AtomicUsize,
    bytes: AtomicUsize,
}

/// More waits than may.
pub(crate) struct Full;

/// Both ends of what one caller is told.
pub(crate) fn channel() -> (Teller, Inbox) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let backlog = Arc::new(Backlog::default());
    (Teller { sender, backlog: Arc::clone(&backlog) }, Inbox { receiver, backlog })
}

impl Teller {
    /// How many messages wait to be taken.
    pub(crate) fn waiting(&self) -> usize {
        self.backlog.messages.load(Ordering::Relaxed)
    }

    /// Whether whoever is told has gone.
    pub(crate) fn is_gone(&self) -> bool {
        self.sender.is_closed()
    }

    /// Tells one message, unless too much waits already. There is one teller, so nobody else adds to what waits.
    pub(crate) fn message(&self, message: Bytes) -> Result<(), Full> {
        let Backlog { messages, bytes } = &*self.backlog;
        let many = messages.load(Ordering::Relaxed) >= limits::LOCAL_BACKLOG_MESSAGES_MAX;
        if many || bytes.load(Ordering::Relaxed).saturating_add(message.len()) > limits::LOCAL_BACKLOG_BYTES_MAX {
            return Err(Full);
        }
        messages.fetch_add(1, Ordering::Relaxed);
        bytes.fetch_add(message.len(), Ordering::Relaxed);
        self.send(Reply::Message(message));
        Ok(())
    }

    /// Tells the answer.
    pub(crate) fn answer(self, answer: Bytes) {
        self.send(Reply::Answer(answer));
    }

    /// Tells that there will be no answer.
    pub(crate) fn fail(self, error: SendError) {
        self.send(Reply::Failed(error));
    }

    fn send(&self, reply: Reply) {
        // A caller that is just leaving hears nothing.
        drop(self.sender.send(reply));
    }
}

impl Replies {
    pub(crate) fn new(line: Arc<dyn SharedLine>, number: i64, inbox: Inbox) -> Self {
        Self { line, number, inbox, first: None, over: false }
    }

    /// The answer, by the first thing that was said: whole, or what begins with a message before it.
    pub(crate) fn answer(mut self, first: Reply, deadlines: Deadlines) -> Result<Answer, SendError> {
        match first {
            Reply::Answer(body) => Ok(Answer::Whole { status: StatusCode::OK, body }),
            Reply::Message(message) => {
                self.first = Some(message);
                Ok(Answer::Stream(Stream::line(self, deadlines)))
            }
            Reply::Failed(error) => Err(error),
        }
    }

    /// The next message; `None` after the answer.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        if self.over {
            return Ok(None);
        }
        match self.take().await {
            Reply::Message(message) | Reply::Answer(message) => Ok(Some(message)),
            Reply::Failed(SendError::Unknown { fault } | SendError::Refused { fault }) => Err(fault),
            // Something of the call was heard, so it was sent.
            Reply::Failed(
                error @ (SendError::NotSent { .. } | SendError::SessionOver | SendError::Challenged { .. }),
            ) => Err(self.line.ended(&error.to_string())),
        }
    }

    pub(crate) async fn take(&mut self) -> Reply {
        let reply = self.inbox.receiver.recv().await;
        match &reply {
            Some(Reply::Message(message)) => {
                self.inbox.backlog.messages.fetch_sub(1, Ordering::Relaxed);
                self.inbox.backlog.bytes.fetch_sub(message.len(), Ordering::Relaxed);
            }
            Some(Reply::Answer(_) | Reply::Failed(_)) | None => self.over = true,
        }
        reply.unwrap_or_else(|| Reply::Failed(self.line.ended("it was let go").into()))
    }
}

impl Drop for Replies {
    fn drop(&mut self) {
        self.line.withdraw(self.number);
    }
}

/// Messages are not for logs.
impl fmt::Debug for Replies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies").field("number", &self.number).field("over", &self.over).finish_non_exhaustive()
    }
}
