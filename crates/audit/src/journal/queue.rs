//! Where tasks and the committing thread meet: the batch that gathers, behind one lock.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{Clock, Entropy, Reason, ReceiptId, Timestamp, limits};

use super::flush::{Durable, Flush};
use super::{Condition, Health, JournalError};
use crate::batch::{Batch, Line};
use crate::files::FileError;
use crate::frame;
use crate::record::{Event, Kind, Record, RecordError, Unrecorded};
use crate::strangers::Tally;

/// Bytes a frame's buffer begins with: most records fit.
const FRAME_BYTES: usize = 1024;

/// The meeting place.
pub(super) struct Queue {
    gathering: Mutex<Gathering>,
    bell: Condvar,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

struct Gathering {
    batch: Batch,
    /// The flush the batch will go out with.
    flush: Arc<Flush>,
    /// Whether anyone waits for that flush.
    awaited: bool,
    /// Whether anyone wants to find its records when it is done.
    sought: bool,
    /// An empty batch with grown buffers.
    spare: Batch,
    tally: Tally,
    /// Records that were not taken or could not be written, and are to be told of.
    lost: Option<Unrecorded>,
    /// Since when, and why, nothing can be written.
    failing: Option<(Timestamp, FileError)>,
    checkpoint: Option<String>,
    sleep: Sleep,
    closed: bool,
}

/// What the committing thread does, so that nobody pays for waking it without need.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sleep {
    /// It works, and will look before it sleeps.
    Awake,
    /// It wakes by itself soon enough for records that nobody waits for.
    Short,
    /// It must be woken for anything.
    Long,
}

/// How long the committing thread may sleep when there is nothing to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// For the flush delay: more is likely to come.
    Short,
    /// Until it is woken.
    Long,
}

/// A batch on its way out. Dropped without a result, it tells its waiters that the journal is closed.
pub(super) struct Taken {
    pub(super) batch: Batch,
    flush: Arc<Flush>,
    /// How many lost records the batch tells of.
    lost: u64,
    /// Whether anyone wants to find its records when it is done.
    pub(super) sought: bool,
    /// Whether this is the last one.
    pub(super) last: bool,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.flush.resolve(Err(JournalError::Closed));
    }
}

impl Queue {
    pub(super) fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let gathering = Gathering {
            batch: Batch::default(),
            flush: Arc::default(),
            awaited: false,
            sought: false,
            spare: Batch::default(),
            tally: Tally::default(),
            lost: None,
            failing: None,
            checkpoint: None,
            sleep: Sleep::Awake,
            closed: false,
        };
        Self { gathering: Mutex::new(gathering), bell: Condvar::new(), clock, entropy }
    }

    fn lock(&self) -> MutexGuard<'_, Gathering> {
        self.gathering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a record that its caller waits for, unless it cannot be written soon.
    pub(super) fn put_awaited(&self, record: &Record) -> Durable {
        let (line, frame) = match framed(record, true) {
            Ok(framed) => framed,
            Err(error) => return Durable::refused(JournalError::Record(Arc::new(error))),
        };
        let mut gathering = self.lock();
        if let Err(error) = gathering.accepts() {
            gathering.lose(1, self.clock.now());
            return Durable::refused(error);
        }
        gathering.batch.add_framed(line, &frame);
        self.await_flush(gathering)
    }

    /// Waits for all that was added before, in the index too.
    pub(super) fn flush(&self) -> Durable {
        let mut gathering = self.lock();
        gathering.sought = true;
        match gathering.accepts() {
            Ok(()) | Err(JournalError::Overloaded { .. }) => self.await_flush(gathering),
            Err(error) => Durable::refused(error),
        }
    }

    fn await_flush(&self, mut gathering: MutexGuard<'_, Gathering>) -> Durable {
        gathering.awaited = true;
        let flush = Arc::clone(&gathering.flush);
        self.wake(gathering, Sleep::Short);
        Durable::waiting(flush)
    }

    /// Adds a record that nobody waits for. An outcome is always taken: there are no more of them than durable intents.
    pub(super) fn put(&self, record: &Record) {
        let framed = framed(record, false);
        let mut gathering = self.lock();
        let kept = record.event.kind() == Kind::Outcome || gathering.has_room();
        match framed {
            Ok((line, frame)) if kept && !gathering.closed => gathering.batch.add_framed(line, &frame),
            Ok(_) | Err(_) => gathering.lose(1, self.clock.now()),
        }
        self.wake(gathering, Sleep::Long);
    }

    pub(super) fn stranger(&self, source: &str, reason: Reason) {
        let mut gathering = self.lock();
        gathering.tally.count(source, reason);
        self.wake(gathering, Sleep::Long);
    }

    /// Wakes the committing thread if it sleeps this deep or deeper. Once is enough: it looks before it sleeps again.
    fn wake(&self, mut gathering: MutexGuard<'_, Gathering>, from: Sleep) {
        let wake = match gathering.sleep {
            Sleep::Awake => false,
            Sleep::Short => from == Sleep::Short,
            Sleep::Long => true,
        };
        if wake {
            gathering.sleep = Sleep::Awake;
        }
        drop(gathering);
        if wake {
            self.bell.notify_one();
        }
    }

    pub(super) fn health(&self) -> Health {
        let gathering = self.lock();
        let condition = match &gathering.failing {
            _ if gathering.closed => Condition::Closed,
            None => Condition::Writing,
            Some((since, error)) => Condition::Unwritable { since: *since, why: explain(error) },
        };
        let pending = u64::try_from(gathering.batch.len()).unwrap_or(u64::MAX);
        Health { condition, pending, checkpoint: gathering.checkpoint.clone() }
    }

    /// Notes how keeping a checkpoint went.
    pub(super) fn note_checkpoint(&self, result: Result<(), FileError>) {
        self.lock().checkpoint = result.err().as_ref().map(explain);
    }

    pub(super) fn close(&self) {
        let mut gathering = self.lock();
        gathering.closed = true;
        self.wake(gathering, Sleep::Short);
    }

    /// Closes without a last batch: the committing thread is gone.
    pub(super) fn abandon(&self) {
        let mut gathering = self.lock();
        gathering.closed = true;
        gathering.flush.resolve(Err(JournalError::Closed));
    }

    /// Sleeps until there is something to do or `pace` has passed, then takes what has gathered; that may be nothing.
    pub(super) fn take(&self, pace: Duration, rest: Rest, strangers: usize) -> Taken {
        let mut gathering = self.sleep(pace, rest);
        let now = self.clock.now();
        let lost = gathering.lost.clone();
        let failing = gathering.failing.is_some();
        let strangers = if failing { Vec::new() } else { gathering.tally.drain(strangers) };
        for event in lost.clone().map(Event::Unrecorded).into_iter().chain(strangers.into_iter().map(Event::Strangers))
        {
            let record = Record { id: ReceiptId::new(now.0, self.entropy.bits()), at: now, event };
            // Both kinds are short by their making.
            gathering.batch.add(&record, false).unwrap_or_default();
        }
        let spare = std::mem::take(&mut gathering.spare);
        let batch = std::mem::replace(&mut gathering.batch, spare);
        let flush = std::mem::take(&mut gathering.flush);
        gathering.awaited = false;
        let sought = std::mem::take(&mut gathering.sought);
        Taken { batch, flush, lost: lost.map_or(0, |lost| lost.count), sought, last: gathering.closed }
    }

    fn sleep(&self, pace: Duration, rest: Rest) -> MutexGuard<'_, Gathering> {
        let mut gathering = self.lock();
        while !gathering.awaited && !gathering.closed {
            if rest == Rest::Long && gathering.is_quiet() {
                gathering.sleep = Sleep::Long;
                gathering = self.bell.wait(gathering).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            gathering.sleep = Sleep::Short;
            let (back, timeout) = self.bell.wait_timeout(gathering, pace).unwrap_or_else(PoisonError::into_inner);
            gathering = back;
            if timeout.timed_out() {
                break;
            }
        }
        gathering.sleep = Sleep::Awake;
        gathering
    }

    /// Tells those who waited that their records are durable.
    pub(super) fn written(&self, mut taken: Taken) {
        taken.flush.resolve(Ok(()));
        let mut gathering = self.lock();
        gathering.failing = None;
        if let Some(lost) = &mut gathering.lost {
            lost.count = lost.count.saturating_sub(taken.lost);
        }
        gathering.lost = gathering.lost.take().filter(|lost| lost.count > 0);
        taken.batch.clear();
        gathering.spare = std::mem::take(&mut taken.batch);
    }

    /// Refuses those who wait, and keeps what nobody waits for, ahead of what has gathered since.
    pub(super) fn failed(&self, taken: &Taken, error: &FileError) {
        let now = self.clock.now();
        let mut gathering = self.lock();
        let gathered = std::mem::take(&mut gathering.flush);
        gathering.awaited = false;
        let mut kept = Batch::default();
        let mut refused = 0;
        for (line, frame) in taken.batch.frames().chain(gathering.batch.frames()) {
            if line.awaited {
                refused += 1;
            } else if line.kind != Kind::Unrecorded {
                kept.add_framed(*line, frame);
            }
        }
        gathering.batch = kept;
        if refused > 0 {
            gathering.lose(refused, now);
        }
        let since = gathering.failing.take().map_or(now, |(since, _)| since);
        gathering.failing = Some((since, error.clone()));
        drop(gathering);
        // Last, so that whoever is refused and asks how the journal is hears why.
        for flush in [&taken.flush, &gathered] {
            flush.resolve(Err(JournalError::Unwritable(error.clone())));
        }
    }

    /// Whether nothing can be written at the moment.
    pub(super) fn is_failing(&self) -> bool {
        self.lock().failing.is_some()
    }
}

impl Gathering {
    /// Whether a record that its caller waits for can be taken.
    fn accepts(&self) -> Result<(), JournalError> {
        if self.closed {
            return Err(JournalError::Closed);
        }
        if let Some((_, error)) = &self.failing {
            return Err(JournalError::Unwritable(error.clone()));
        }
        if self.has_room() { Ok(()) } else { Err(JournalError::Overloaded { pending: self.batch.len() }) }
    }

    fn has_room(&self) -> bool {
        self.batch.len() < limits::RECORDS_PENDING_MAX && self.batch.bytes().len() < limits::JOURNAL_PENDING_BYTES_MAX
    }

    fn is_quiet(&self) -> bool {
        self.batch.is_empty() && self.tally.is_empty() && self.lost.is_none()
    }

    fn lose(&mut self, count: u64, since: Timestamp) {
        let lost = self.lost.get_or_insert(Unrecorded { count: 0, since });
        lost.count = lost.count.saturating_add(count);
    }
}

/// The record in its frame, made where the caller runs and not under the lock.
fn framed(record: &Record, awaited: bool) -> Result<(Line, Vec<u8>), RecordError> {
    let mut frame = Vec::with_capacity(FRAME_BYTES);
    frame::seal(&mut frame, |out| record.encode(out))?;
    Ok((Line::of(record, frame.len(), awaited), frame))
}

/// An error with its cause, for operators.
fn explain(error: &FileError) -> String {
    format!("{error}: {}", error.source)
}
