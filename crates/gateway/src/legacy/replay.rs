//! What was released on one stream, kept so that a client whose connection broke can read on (MCP 2025-11-25,
//! basic/transports, resumability).
//!
//! Only what passed `release` comes in here. Whoever reads on is authorised anew, for the very objects the stream is about.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use model::{Digest, Object, limits};
use tokio::sync::Notify;
use wire::Id;

/// Bytes kept for all streams of all sessions together, bounded by [`limits::REPLAYS_BYTES_MAX`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Budget(Arc<AtomicUsize>);

impl Budget {
    fn has(&self, bytes: usize) -> bool {
        self.0.load(Ordering::Relaxed).saturating_add(bytes) <= limits::REPLAYS_BYTES_MAX
    }

    fn take(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// One stream: written by whoever reads the server, read by one connection of the client at a time.
#[derive(Debug)]
pub(crate) struct Replay {
    /// The stream's number within its session.
    pub(crate) number: u64,
    /// The request that the stream answers; none for the stream that answers nothing.
    pub(crate) request: Option<Id>,
    /// What the request is about: asked for again whenever somebody reads on.
    pub(crate) objects: Vec<Object>,
    /// At which definitions.
    pub(crate) pins: Vec<Option<Digest>>,
    kept: Mutex<Kept>,
    changed: Notify,
}

/// A message that was released.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) bytes: Bytes,
    /// What it is about beside what its stream is about: on the stream that answers nothing, each message is about another
    /// thing.
    pub(crate) about: Vec<Object>,
    /// Whether it answers the stream's request, after which there is no more to say.
    pub(crate) last: bool,
}

impl Message {
    /// A message on the way to the answer.
    pub(crate) fn said(bytes: Bytes) -> Self {
        Self { bytes, about: Vec::new(), last: false }
    }

    /// The answer.
    pub(crate) fn last(bytes: Bytes) -> Self {
        Self { bytes, about: Vec::new(), last: true }
    }

    /// A message that belongs to no answer.
    pub(crate) fn aside(bytes: Bytes, about: Vec<Object>) -> Self {
        Self { bytes, about, last: false }
    }

    fn len(&self) -> usize {
        self.bytes.len()
    }
}

#[derive(Debug)]
struct Kept {
    budget: Budget,
    messages: VecDeque<Message>,
    bytes: usize,
    /// The number of the first message that is kept.
    first: u64,
    /// The number of the first message that no connection has taken.
    untaken: u64,
    /// Which connection reads now: each takes over from the one before.
    connection: u64,
    attached: bool,
    ended: bool,
}

/// A message could not be kept: nobody reads, and there is no room to wait for somebody.
#[derive(Debug)]
pub(crate) struct Full;

impl Replay {
    /// The stream of this number that answers a request about these objects, at these pins.
    pub(crate) fn new(
        number: u64,
        request: Option<Id>,
        objects: Vec<Object>,
        pins: Vec<Option<Digest>>,
        budget: &Budget,
    ) -> Arc<Self> {
        let kept = Kept {
            budget: budget.clone(),
            messages: VecDeque::new(),
            bytes: 0,
            first: 0,
            untaken: 0,
            connection: 0,
            attached: false,
            ended: false,
        };
        Arc::new(Self { number, request, objects, pins, kept: Mutex::new(kept), changed: Notify::new() })
    }

    /// Adds a message. Waits for a slow client; does not wait for one that is gone.
    pub(crate) async fn push(&self, message: Message) -> Result<(), Full> {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            {
                let mut kept = self.kept();
                kept.make_room(message.len());
                if kept.fits(message.len()) {
                    kept.put(message);
                    drop(kept);
                    self.changed.notify_waiters();
                    return Ok(());
                }
                if !kept.attached {
                    return Err(Full);
                }
            }
            changed.await;
        }
    }

    /// Adds a message that may be lost: without room for it, the oldest go, taken or not.
    pub(crate) fn offer(&self, message: Message) {
        {
            let mut kept = self.kept();
            while !kept.fits(message.len()) && kept.drop_first() {}
            if kept.fits(message.len()) {
                kept.put(message);
            }
        }
        self.changed.notify_waiters();
    }

    /// No more messages come.
    pub(crate) fn end(&self) {
        self.kept().ended = true;
        self.changed.notify_waiters();
    }

    /// Whether no more messages come.
    pub(crate) fn is_ended(&self) -> bool {
        self.kept().ended
    }

    /// Whether a connection reads.
    pub(crate) fn is_read(&self) -> bool {
        self.kept().attached
    }

    /// Bytes kept.
    pub(crate) fn bytes(&self) -> usize {
        self.kept().bytes
    }

    /// A connection that reads from the message of number `from`, or from the first that nobody took. It takes over from
    /// the one before. `None` when that message is gone, or is not the next to come either.
    pub(crate) fn read(self: &Arc<Self>, from: Option<u64>) -> Option<Reader> {
        let mut kept = self.kept();
        let next = from.unwrap_or(kept.untaken);
        if next < kept.first || next > kept.end() {
            return None;
        }
        kept.connection = kept.connection.wrapping_add(1);
        kept.attached = true;
        let connection = kept.connection;
        drop(kept);
        self.changed.notify_waiters();
        Some(Reader { replay: Arc::clone(self), connection, next })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn end(&self) -> u64 {
        self.first.saturating_add(u64::try_from(self.messages.len()).unwrap_or(u64::MAX))
    }

    fn fits(&self, bytes: usize) -> bool {
        // One message always fits in its stream, however large, so that the largest one allowed can pass; to a client that
        // reads, whatever is kept for others.
        let alone = self.messages.is_empty();
        let own = alone || self.bytes.saturating_add(bytes) <= limits::REPLAY_BYTES_MAX;
        (alone && self.attached) || (own && self.budget.has(bytes))
    }

    fn put(&mut self, message: Message) {
        self.budget.take(message.len());
        self.bytes = self.bytes.saturating_add(message.len());
        self.messages.push_back(message);
    }

    /// Lets go of messages that were taken, the oldest first, until there is room.
    fn make_room(&mut self, bytes: usize) {
        while !self.fits(bytes) && self.first < self.untaken && self.drop_first() {}
    }

    fn drop_first(&mut self) -> bool {
        let Some(message) = self.messages.pop_front() else { return false };
        self.budget.give_back(message.len());
        self.bytes = self.bytes.saturating_sub(message.len());
        self.first = self.first.saturating_add(1);
        self.untaken = self.untaken.max(self.first);
        true
    }

    fn get(&self, number: u64) -> Option<&Message> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.messages.get(place)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

/// One connection of the client, reading a stream.
#[derive(Debug)]
pub(crate) struct Reader {
    replay: Arc<Replay>,
    connection: u64,
    next: u64,
}

impl Reader {
    /// The stream that is read.
    pub(crate) fn replay(&self) -> &Arc<Replay> {
        &self.replay
    }

    /// The number of the message that is read next.
    pub(crate) fn position(&self) -> u64 {
        self.next
    }

    /// The next message with its number; `None` at the stream's end, or when another connection took over.
    pub(crate) async fn next(&mut self) -> Option<(u64, Message)> {
        loop {
            let mut changed = pin!(self.replay.changed.notified());
            changed.as_mut().enable();
            {
                let mut kept = self.replay.kept();
                if kept.connection != self.connection {
                    return None;
                }
                // Messages that may be lost were, while nobody looked.
                let number = self.next.max(kept.first);
                if let Some(message) = kept.get(number).cloned() {
                    self.next = number.saturating_add(1);
                    kept.untaken = kept.untaken.max(self.next);
                    drop(kept);
                    self.replay.changed.notify_waiters();
                    return Some((number, message));
                }
                if kept.ended {
                    return None;
                }
            }
            changed.await;
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        {
            let mut kept = self.replay.kept();
            if kept.connection == self.connection {
                kept.attached = false;
            }
        }
        self.replay.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
