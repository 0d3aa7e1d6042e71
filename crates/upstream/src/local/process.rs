//! A running local server: its calls, and whose they are.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use model::limits;
use serde_json::{Map, Value};
use tokio::sync::{broadcast, mpsc};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use wire::answer::{self, Incoming, Notification};
use wire::{Id, Revision, lines, outgoing};

use super::LocalSpec;
use super::attend::attend;
use crate::ask::{Line, Question, answer_for};
use crate::batch;
use crate::listen::{Change, subscribe};
use crate::switchboard::envelope::{self, Names};
use crate::switchboard::{self, Call, Ending, Replies, SharedLine, Switchboard, Told, replies};
use crate::{Answer, Deadlines, Fault, Purpose, SendError, Unsent};

/// A running process, as its callers see it. It goes on as long as its [`Keeper`].
pub(crate) struct Process {
    /// The revision it was started for; what it chose in a handshake stands with its greeting.
    asked: Revision,
    began: Instant,
    /// The number of the newest call.
    last: AtomicI64,
    table: Mutex<Table>,
    queue: mpsc::UnboundedSender<Departing>,
    changes: broadcast::Sender<Change>,
    counters: Arc<Counters>,
    /// Messages in a row that were for nobody.
    in_vain: AtomicU64,
    greeting: OnceLock<(Revision, Map<String, Value>)>,
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

/// A line on its way to the process.
pub(super) struct Departing {
    /// The call that it begins; `None` for what nobody waits for.
    number: Option<i64>,
    pub(super) line: Bytes,
}

#[derive(Default)]
struct Table {
    board: Switchboard,
    /// Bytes that wait to be written.
    queued: usize,
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
            asked: revision,
            began: Instant::now(),
            last: AtomicI64::new(0),
            table: Mutex::default(),
            queue,
            changes: changes.clone(),
            counters: Arc::clone(counters),
            in_vain: AtomicU64::new(0),
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
    /// The revision it speaks: the one it was started for, or the one it chose in the handshake.
    pub(crate) fn revision(&self) -> Revision {
        self.greeting.get().map_or(self.asked, |(revision, _)| *revision)
    }

    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// When and why it ended, if it did.
    pub(crate) fn ending(&self) -> Option<Ending> {
        self.table().board.ending().cloned()
    }

    /// What it said in the handshake; nothing in a revision without one.
    pub(crate) fn greeting(&self) -> Map<String, Value> {
        self.greeting.get().map(|(_, said)| said.clone()).unwrap_or_default()
    }

    pub(super) fn greeted(&self, revision: Revision, said: Map<String, Value>) {
        // There is one handshake for each process, so the place is empty.
        let _ = self.greeting.set((revision, said));
    }

    /// Puts a request to the process and waits until it says something about it.
    pub(crate) async fn call(self: &Arc<Self>, body: Bytes, deadlines: Deadlines) -> Result<Answer, SendError> {
        let Some(names) = envelope::read(&body)? else {
            return Ok(Answer::Accepted);
        };
        let mut replies = self.enlist(&body, names, deadlines.purpose)?;
        match timeout(deadlines.head, replies.take()).await {
            Err(_) => Err(Fault::HeadTimedOut { after: deadlines.head }.into()),
            Ok(first) => replies.answer(first, deadlines),
        }
    }

    /// Sends what nobody waits for an answer to.
    pub(crate) fn tell(&self, message: &Bytes) -> Result<(), Unsent> {
        let mut table = self.table();
        if let Some(Ending { why, .. }) = table.board.ending() {
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
        Ok(Replies::new(Arc::clone(self) as Arc<dyn SharedLine>, number, inbox))
    }

    fn register(&self, number: i64, call: Call, line: Bytes) -> Result<(), Unsent> {
        let mut table = self.table();
        if let Some(Ending { why, .. }) = table.board.ending() {
            return Err(Unsent::Ended { why: Arc::clone(why) });
        }
        if table.board.len() >= limits::LOCAL_REQUESTS_MAX {
            return Err(Unsent::Busy);
        }
        self.depart(&mut table, Some(number), line)?;
        table.board.enlist(number, call);
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
        // Whoever called may have gone before it was their turn.
        departing.number.is_none_or(|number| table.board.sent(number))
    }

    /// Takes one line that the process wrote. Says no if it is no message.
    pub(super) fn arrived(&self, line: &Bytes) -> bool {
        if self.revision().batches()
            && let Some(messages) = batch::split(line)
        {
            return messages.iter().filter(|message| !self.heard(message)).count() == 0;
        }
        self.heard(line)
    }

    fn heard(&self, line: &Bytes) -> bool {
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
        let call = number.and_then(|number| self.table().board.take_sent(number));
        if call.is_some_and(|call| switchboard::answer(call, line)) {
            self.in_vain.store(0, Ordering::Relaxed);
        } else {
            // Whoever asked has gone, was answered before, or never asked.
            self.stray();
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
        match table.board.tell(number, notification, line) {
            Told::Taken => self.in_vain.store(0, Ordering::Relaxed),
            Told::Stray => self.stray(),
            Told::Dropped => {
                self.in_vain.fetch_add(1, Ordering::Relaxed);
                self.counters.dropped.fetch_add(1, Ordering::Relaxed);
            }
            Told::Over => self.cancel(&mut table, number),
        }
    }

    fn asked(&self, id: &Id, method: &str) {
        if self.tell(&answer_for(id, method)).is_err() {
            // A process that asks and does not read is not owed an answer.
            self.counters.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn cancel(&self, table: &mut Table, number: i64) {
        if table.board.ending().is_none() {
            let message = outgoing::cancelled(self.revision(), &Id::number(number)).body;
            // A process with that much to read will end before it matters.
            drop(self.depart(table, None, lines::encode(&message)));
        }
    }

    /// Whether all it says is for nobody, so that there is no use in listening.
    pub(super) fn raves(&self) -> bool {
        self.in_vain.load(Ordering::Relaxed) > limits::LOCAL_STRAYS_MAX
    }

    fn stray(&self) {
        self.in_vain.fetch_add(1, Ordering::Relaxed);
        self.counters.strays.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn noise(&self) {
        self.counters.noise.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that the process ended, and tells everybody who waits. Only the first reason counts.
    pub(super) fn end(&self, why: &str) {
        let why: Arc<str> = why.into();
        let outcome = |written: bool| {
            let why = Arc::clone(&why);
            if written { Fault::ProcessEnded { why }.into() } else { Unsent::Ended { why }.into() }
        };
        self.table().board.end(&why, outcome);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedLine for Process {
    /// One that was not sent either needs no word about it.
    fn withdraw(&self, number: i64) {
        let mut table = self.table();
        if table.board.withdraw(number) {
            self.cancel(&mut table, number);
        }
    }

    fn ended(&self, why: &str) -> Fault {
        Fault::ProcessEnded { why: why.into() }
    }
}

/// Messages are not for logs, neither those on their way nor those that wait.
impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("revision", &self.revision()).finish_non_exhaustive()
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
