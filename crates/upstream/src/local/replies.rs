//! What a local server says about one call, on its way to the caller.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use model::limits;
use tokio::sync::mpsc;

use super::process::Process;
use crate::{Fault, SendError};

/// What the process says about one call. Dropping it before the answer tells the process that nobody waits any more.
pub(crate) struct Replies {
    process: Arc<Process>,
    number: i64,
    inbox: Inbox,
    /// A message that was taken to see what kind of answer this is.
    first: Option<Bytes>,
    over: bool,
}

/// What a caller is told.
pub(super) enum Reply {
    /// A message before the answer.
    Message(Bytes),
    /// The answer.
    Answer(Bytes),
    /// There will be no answer.
    Failed(SendError),
}

/// The end at which a caller is told.
pub(super) struct Teller {
    sender: mpsc::UnboundedSender<Reply>,
    backlog: Arc<Backlog>,
}

/// The end at which a caller takes what it is told.
pub(super) struct Inbox {
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
pub(super) struct Full;

/// Both ends of what one caller is told.
pub(super) fn channel() -> (Teller, Inbox) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let backlog = Arc::new(Backlog::default());
    (Teller { sender, backlog: Arc::clone(&backlog) }, Inbox { receiver, backlog })
}

impl Teller {
    /// Tells one message, unless too much waits already. There is one teller, so nobody else adds to what waits.
    pub(super) fn message(&self, message: Bytes) -> Result<(), Full> {
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
    pub(super) fn answer(self, answer: Bytes) {
        self.send(Reply::Answer(answer));
    }

    /// Tells that there will be no answer.
    pub(super) fn fail(self, error: SendError) {
        self.send(Reply::Failed(error));
    }

    fn send(&self, reply: Reply) {
        // A caller that is just leaving hears nothing.
        drop(self.sender.send(reply));
    }
}

impl Replies {
    pub(super) fn new(process: Arc<Process>, number: i64, inbox: Inbox) -> Self {
        Self { process, number, inbox, first: None, over: false }
    }

    /// Puts a message back that was taken to see what kind of answer this is.
    pub(super) fn put_back(&mut self, message: Bytes) {
        self.first = Some(message);
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
            Reply::Failed(error @ (SendError::NotSent { .. } | SendError::SessionOver)) => {
                Err(Fault::ProcessEnded { why: error.to_string().into() })
            }
        }
    }

    pub(super) async fn take(&mut self) -> Reply {
        let reply = self.inbox.receiver.recv().await;
        match &reply {
            Some(Reply::Message(message)) => {
                self.inbox.backlog.messages.fetch_sub(1, Ordering::Relaxed);
                self.inbox.backlog.bytes.fetch_sub(message.len(), Ordering::Relaxed);
            }
            Some(Reply::Answer(_) | Reply::Failed(_)) | None => self.over = true,
        }
        let lost = || Reply::Failed(Fault::ProcessEnded { why: "it was let go".into() }.into());
        reply.unwrap_or_else(lost)
    }
}

impl Drop for Replies {
    fn drop(&mut self) {
        self.process.withdraw(self.number);
    }
}

/// Messages are not for logs.
impl fmt::Debug for Replies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies").field("number", &self.number).field("over", &self.over).finish_non_exhaustive()
    }
}
