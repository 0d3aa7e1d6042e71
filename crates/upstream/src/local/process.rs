//! A running local server: its calls, and whose they are.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use http::StatusCode;
use model::limits;
use serde_json::{Map, Value};
use tokio::sync::{broadcast, mpsc};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use wire::answer::{self, Incoming, Notification};
use wire::{Id, Revision, lines, outgoing};

use super::LocalSpec;
use super::attend::attend;
use super::envelope::{self, Names};
use super::replies::{self, Replies, Reply, Teller};
use crate::ask::{Line, Question, answer_for};
use crate::listen::{Change, subscribe};
use crate::{Answer, Deadlines, Fault, Purpose, SendError, Stream, Unsent};

/// A running process, as its callers see it. It goes on as long as its [`Keeper`].
pub(crate) struct Process {
    revision: Revision,
    began: Instant,
    /// The number of the newest call.
    last: AtomicI64,
    table: Mutex<Table>,
    queue: mpsc::UnboundedSender<Departing>,
    changes: broadcast::Sender<Change>,
    counters: Arc<Counters>,
    greeting: OnceLock<Map<String, Value>>,
}

/// What keeps a process running. Dropping it kills the process.
pub(super) struct Keeper {
    process: Arc<Process>,
    attending: AbortHandle,
    stderr: sandbox::Stderr,
}

/// What is counted over all processes of a place.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) noise: AtomicU64,
    pub(super) strays: AtomicU64,
    pub(super) dropped: AtomicU64,
}

/// When and why a process ended.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    pub(crate) at: Instant,
    pub(crate) why: Arc<str>,
}

/// A line on its way to the process.
pub(super) struct Departing {
    /// The call that it begins; `None` for what nobody waits for.
    number: Option<i64>,
    pub(super) line: Bytes,
}

#[derive(Default)]
struct Table {
    calls: HashMap<i64, Call>,
    /// Bytes that wait to be written.
    queued: usize,
    ending: Option<Ending>,
}

/// A call that waits for its answer.
struct Call {
    names: Names,
    purpose: Purpose,
    /// Has any of it been written? Until then it provably was not sent.
    written: bool,
    teller: Teller,
}

impl Keeper {
    /// Starts a process.
    pub(super) async fn spawn(
        spec: &LocalSpec,
        revision: Revision,
        changes: &broadcast::Sender<Change>,
        counters: &Arc<Counters>,
    ) -> Result<Self, sandbox::SpawnError> {
        let child = sandbox::spawn(&spec.command).await?;
        let stderr = child.stderr().clone();
        let (queue, departing) = mpsc::unbounded_channel();
        let process = Arc::new(Process {
            revision,
            began: Instant::now(),
            last: AtomicI64::new(0),
            table: Mutex::default(),
            queue,
            changes: changes.clone(),
            counters: Arc::clone(counters),
            greeting: OnceLock::new(),
        });
        let attending = tokio::spawn(attend(Arc::clone(&process), child, departing)).abort_handle();
        Ok(Self { process, attending, stderr })
    }

    pub(super) fn process(&self) -> Arc<Process> {
        Arc::clone(&self.process)
    }

    /// A reason, with what the process wrote to its standard error last.
    pub(super) fn last_words(&self, why: &str) -> String {
        super::attend::with_last_words(why, &self.stderr.tail())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // The task owns the child, which is killed when it is dropped.
        self.attending.abort();
        self.process.end("the gate ended it");
    }
}

impl Process {
    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// When and why it ended, if it did.
    pub(crate) fn ending(&self) -> Option<Ending> {
        self.table().ending.clone()
    }

    /// What it said in the handshake; nothing in a revision without one.
    pub(crate) fn greeting(&self) -> Map<String, Value> {
        self.greeting.get().cloned().unwrap_or_default()
    }

    pub(super) fn greeted(&self, said: Map<String, Value>) {
        // There is one handshake for each process, so the place is empty.
        let _ = self.greeting.set(said);
    }

    /// Puts a request to the process and waits until it says something about it.
    pub(crate) async fn call(self: &Arc<Self>, body: Bytes, deadlines: Deadlines) -> Result<Answer, SendError> {
        let Some(names) = envelope::read(&body)? else {
            return Ok(Answer::Accepted);
        };
        let mut replies = self.enlist(&body, names, deadlines.purpose)?;
        match timeout(deadlines.head, replies.take()).await {
            Err(_) => Err(Fault::HeadTimedOut { after: deadlines.head }.into()),
            Ok(Reply::Answer(body)) => Ok(Answer::Whole { status: StatusCode::OK, body }),
            Ok(Reply::Message(message)) => {
                replies.put_back(message);
                Ok(Answer::Stream(Stream::local(replies, deadlines)))
            }
            Ok(Reply::Failed(error)) => Err(error),
        }
    }

    /// Sends what nobody waits for an answer to.
    pub(crate) fn tell(&self, message: &Bytes) -> Result<(), Unsent> {
        let mut table = self.table();
        if let Some(Ending { why, .. }) = &table.ending {
            return Err(Unsent::Ended { why: Arc::clone(why) });
        }
        self.depart(&mut table, None, lines::encode(message))
    }

    fn enlist(self: &Arc<Self>, body: &Bytes, names: Names, purpose: Purpose) -> Result<Replies, Unsent> {
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        // A message may be large, so it is written anew before anybody else has to wait for that.
        let line = lines::encode(&envelope::numbered(body, &names, number)?);
        let (teller, inbox) = replies::channel();
        self.register(number, Call { names, purpose, written: false, teller }, line)?;
        Ok(Replies::new(Arc::clone(self), number, inbox))
    }

    fn register(&self, number: i64, call: Call, line: Bytes) -> Result<(), Unsent> {
        let mut table = self.table();
        if let Some(Ending { why, .. }) = &table.ending {
            return Err(Unsent::Ended { why: Arc::clone(why) });
        }
        if table.calls.len() >= limits::LOCAL_REQUESTS_MAX {
            return Err(Unsent::Busy);
        }
        self.depart(&mut table, Some(number), line)?;
        table.calls.insert(number, call);
        Ok(())
    }

    fn depart(&self, table: &mut Table, number: Option<i64>, line: Bytes) -> Result<(), Unsent> {
        let queued = table.queued.saturating_add(line.len());
        if queued > limits::LOCAL_QUEUE_BYTES_MAX {
            return Err(Unsent::Busy);
        }
        table.queued = queued;
        // Nobody receives once the process has ended, and then every call has been told so.
        let _ = self.queue.send(Departing { number, line });
        Ok(())
    }

    /// Whether a line is still to be written; from now on its call counts as sent.
    pub(super) fn departs(&self, departing: &Departing) -> bool {
        let mut table = self.table();
        table.queued = table.queued.saturating_sub(departing.line.len());
        let Some(number) = departing.number else { return true };
        match table.calls.get_mut(&number) {
            Some(call) => {
                call.written = true;
                true
            }
            // Whoever called has gone before it was their turn.
            None => false,
        }
    }

    /// Takes one line that the process wrote. Says no if it is no message.
    pub(super) fn arrived(&self, line: &Bytes) -> bool {
        match answer::read(line) {
            Ok(Incoming::Response { id, .. }) => self.answered(id.and_then(|id| id.as_number()), line),
            Ok(Incoming::Notification(notification)) => self.notified(&notification, line),
            Ok(Incoming::Request { id, question }) => self.asked(&id, &question.method),
            // An answer that breaks the protocol is for its caller to refuse, with the reason.
            Err(_) => match envelope::number_of(line) {
                Some(number) => self.answered(Some(number), line),
                None => return false,
            },
        }
        true
    }

    fn answered(&self, number: Option<i64>, line: &Bytes) {
        let call = number.and_then(|number| self.table().take_sent(number));
        match call.and_then(|call| Some((envelope::answered(line, &call.names)?, call))) {
            Some((message, call)) => call.teller.answer(message),
            // Whoever asked has gone, was answered before, or never asked.
            None => self.stray(),
        }
    }

    fn notified(&self, notification: &Notification, line: &Bytes) {
        if let Some(number) = envelope::about(notification) {
            return self.told_of(number, notification, line);
        }
        match Change::of(&notification.method) {
            // Nobody listens at the moment, and that is fine.
            Some(change) => drop(self.changes.send(change)),
            None => self.stray(),
        }
    }

    fn told_of(&self, number: i64, notification: &Notification, line: &Bytes) {
        let mut table = self.table();
        // Numbers can be guessed, so what is said about a call that was not sent yet is about none.
        let told = table.calls.get(&number).filter(|call| call.written).and_then(|call| {
            let message = envelope::notified(line, notification, &call.names)?;
            Some(call.teller.message(message).map_err(|replies::Full| call.purpose))
        });
        match told {
            Some(Ok(())) => {}
            None => self.stray(),
            // The next notification of progress says all that this one does.
            Some(Err(Purpose::Answer)) => _ = self.counters.dropped.fetch_add(1, Ordering::Relaxed),
            Some(Err(Purpose::Subscription)) => {
                if let Some(call) = table.calls.remove(&number) {
                    call.teller.fail(Fault::Backlog.into());
                }
                self.cancel(&mut table, number);
            }
        }
    }

    fn asked(&self, id: &Id, method: &str) {
        if self.tell(&answer_for(id, method)).is_err() {
            // A process that asks and does not read is not owed an answer.
            self.counters.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes a call back, if it is not answered yet. One that was not sent either needs no word about it.
    pub(super) fn withdraw(&self, number: i64) {
        let mut table = self.table();
        if table.calls.remove(&number).is_some_and(|call| call.written) {
            self.cancel(&mut table, number);
        }
    }

    fn cancel(&self, table: &mut Table, number: i64) {
        if table.ending.is_none() {
            let message = outgoing::cancelled(self.revision, &Id::number(number)).body;
            // A process with that much to read will end before it matters.
            drop(self.depart(table, None, lines::encode(&message)));
        }
    }

    fn stray(&self) {
        self.counters.strays.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn noise(&self) {
        self.counters.noise.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that the process ended, and tells everybody who waits. Only the first reason counts.
    pub(super) fn end(&self, why: &str) {
        let why: Arc<str> = why.into();
        let mut table = self.table();
        if table.ending.is_some() {
            return;
        }
        table.ending = Some(Ending { at: Instant::now(), why: Arc::clone(&why) });
        for (_, call) in table.calls.drain() {
            let why = Arc::clone(&why);
            let error = if call.written { Fault::ProcessEnded { why }.into() } else { Unsent::Ended { why }.into() };
            call.teller.fail(error);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// The call of that number, if it was sent and waits.
    fn take_sent(&mut self, number: i64) -> Option<Call> {
        self.calls.get(&number).filter(|call| call.written)?;
        self.calls.remove(&number)
    }
}

/// Messages are not for logs, neither those on their way nor those that wait.
impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("revision", &self.revision).finish_non_exhaustive()
    }
}

/// Hears from a process of 2026-07-28 that its lists changed: it only says so to who subscribes.
pub(super) async fn hear(process: Arc<Process>, changes: broadcast::Sender<Change>) {
    let question = Question::new("subscriptions/listen", 1);
    let Ok(mut stream) = subscribe(&question, Line::Process(&process)).await else {
        // Many servers never change, and do not know the method.
        return;
    };
    while let Some(Ok(message)) = stream.next().await {
        if let Ok(Incoming::Notification(notification)) = answer::read(&message)
            && let Some(change) = Change::of(&notification.method)
        {
            drop(changes.send(change));
        }
    }
}
