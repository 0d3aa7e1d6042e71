//! The thread that makes batches durable, one after another, and nothing else: whoever waits, waits for it.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use model::limits;

use super::clerk::Clerk;
use super::queue::{Queue, Rest, Taken};
use crate::writer::{Indexed, Writer};

/// Between two checkpoints, and between two tries to write a disk that failed.
const TICK: Duration = Duration::from_millis(limits::CHECKPOINT_MILLISECONDS);

/// How loaded the gate is, told from how many callers waited for the last flush.
///
/// Under load the next records are on their way: a pause gathers them, and fewer flushes are paid for by all of them. A
/// flush after a longer pause finds more who wait, so that each load ends at a higher number than it begins at.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Load {
    /// A flush follows as soon as somebody waits for one.
    #[default]
    Light,
    /// Several callers share each flush.
    Busy,
    /// So many do that the processors, not the flushes, are what callers wait for: time spent on a flush is theirs.
    Full,
}

impl Load {
    /// Callers for one flush from which on a light load is busy, and below which a busy one is light.
    const BUSY: (usize, usize) = (4, 8);
    /// The same between busy and full.
    const FULL: (usize, usize) = (12, 24);

    /// The load after a flush for which so many callers waited.
    fn after(self, awaited: usize) -> Self {
        let (busy, full) = match self {
            Self::Light => (Self::BUSY.0, usize::MAX),
            Self::Busy => (Self::BUSY.1, Self::FULL.0),
            Self::Full => (Self::BUSY.1, Self::FULL.1),
        };
        match awaited {
            _ if awaited >= full => Self::Full,
            _ if awaited >= busy => Self::Busy,
            _ => Self::Light,
        }
    }

    /// How long the next records may gather.
    fn pause(self) -> Option<Duration> {
        match self {
            Self::Light => None,
            Self::Busy => Some(Duration::from_micros(limits::JOURNAL_PAUSE_MICROSECONDS)),
            Self::Full => Some(Duration::from_micros(limits::JOURNAL_PAUSE_MICROSECONDS_MAX)),
        }
    }
}

struct Committer {
    writer: Writer,
    queue: Arc<Queue>,
    clerk: Clerk,
    flush_delay: Duration,
    load: Load,
    /// Records in the last tree that was handed to the clerk.
    signed: u64,
    ticked: Instant,
}

/// Closes the queue when the thread ends, however it ends, so that nobody waits for it in vain.
struct Closing(Arc<Queue>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Starts the thread.
pub(super) fn start(
    writer: Writer,
    queue: Arc<Queue>,
    clerk: Clerk,
    flush_delay: Duration,
) -> io::Result<JoinHandle<()>> {
    let closing = Closing(Arc::clone(&queue));
    let committer =
        Committer { writer, queue, clerk, flush_delay, load: Load::default(), signed: 0, ticked: Instant::now() };
    thread::Builder::new().name("journal".to_owned()).spawn(move || {
        let _closing = closing;
        committer.run();
    })
}

impl Committer {
    fn run(mut self) {
        // What was there before is vouched for from the beginning, and not a second later: the gate may be killed before.
        self.have_signed();
        loop {
            let strangers = if self.tick() { limits::STRANGERS_PER_SECOND } else { 0 };
            let taken = if self.queue.is_failing() {
                self.queue.take(TICK, Rest::Short, 0)
            } else {
                self.queue.take(self.flush_delay, self.rest(), strangers)
            };
            let last = taken.last;
            self.load = self.load.after(taken.batch.awaited());
            let pause = self.load.pause();
            // Under load more batches follow, and many share one write of the index, unless someone waits to read it.
            let indexed = if pause.is_some() && !taken.sought { Indexed::Soon } else { Indexed::Now };
            self.commit(taken, indexed);
            if last {
                break;
            }
            if let Some(pause) = pause {
                thread::sleep(pause);
            }
        }
        let Self { mut writer, clerk, .. } = self;
        let standing = writer.standing();
        // Zeros that stay at the end mislead nobody.
        writer.close().unwrap_or_default();
        clerk.finish(standing);
    }

    fn commit(&mut self, taken: Taken, indexed: Indexed) {
        match self.writer.commit(&taken.batch, indexed) {
            Ok(()) => self.queue.written(taken),
            Err(error) => self.queue.failed(&taken, &error),
        }
    }

    /// Once a second: has the tree signed if it grew. Says whether a second has passed.
    fn tick(&mut self) -> bool {
        let now = Instant::now();
        if now.duration_since(self.ticked) < TICK {
            return false;
        }
        self.ticked = now;
        self.have_signed();
        true
    }

    /// Has the tree signed if it grew. A clerk that is still busy gets the next tree.
    fn have_signed(&mut self) {
        if self.writer.size() != self.signed && self.clerk.offer(|| self.writer.standing()) {
            self.signed = self.writer.size();
        }
    }

    /// A tree that is not signed yet must be, within the second, and may not be in the index yet.
    fn rest(&self) -> Rest {
        if self.writer.size() == self.signed { Rest::Long } else { Rest::Short }
    }
}

#[cfg(test)]
mod tests;
