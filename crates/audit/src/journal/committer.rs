//! The thread that makes batches durable, one after another, and nothing else: whoever waits, waits for it.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use model::limits;

use super::clerk::Clerk;
use super::load::Load;
use super::queue::{Queue, Rest, Taken};
use crate::writer::{Indexed, Writer};

/// Between two checkpoints, and between two tries to write a disk that failed.
const TICK: Duration = Duration::from_millis(limits::CHECKPOINT_MILLISECONDS);

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
