//! Large messages wait for each other, and for nobody else waits for them.
//!
//! A message of some hundred bytes is read and decided on in microseconds, and tasks share the runtime's threads without
//! noticing each other. One of a mebibyte takes a thread for milliseconds, and a few callers who send them take all there
//! are. So whatever costs in proportion to a large message is done beside the runtime, by as many at once as leave the
//! others a processor.

use std::cell::Cell;
use std::thread::available_parallelism;

use model::limits;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

thread_local! {
    /// Whether this thread works on a large message in a place.
    static PLACED: Cell<bool> = const { Cell::new(false) };
}

/// Places for work on large messages, taken in the order in which they come.
#[derive(Debug)]
pub struct Large {
    places: Semaphore,
}

impl Default for Large {
    /// A place for each processor but one; one where there is only one.
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self { places: Semaphore::new(processors.saturating_sub(1).max(1)) }
    }
}

impl Large {
    /// Works on a message of so many bytes: at once where it is small, in turn and beside the others where it is
    /// [large](limits::LARGE_MESSAGE_BYTES).
    pub(crate) async fn beside<T>(&self, bytes: usize, work: impl FnOnce() -> T) -> T {
        if bytes < limits::LARGE_MESSAGE_BYTES {
            return work();
        }
        // Never closed; were it, the work would be done all the same.
        let _place = self.places.acquire().await;
        match Handle::current().runtime_flavor() {
            RuntimeFlavor::MultiThread => tokio::task::block_in_place(|| placed(work)),
            // There is no other thread that could go on with the others.
            RuntimeFlavor::CurrentThread | _ => placed(work),
        }
    }

    /// Waits for something in the middle of such work. Whoever waits needs no processor, so that its place is another's
    /// meanwhile.
    pub(crate) async fn without_place<T>(&self, work: impl Future<Output = T>) -> T {
        if !PLACED.get() {
            return work.await;
        }
        self.places.add_permits(1);
        let done = work.await;
        if let Ok(place) = self.places.acquire().await {
            place.forget();
        }
        done
    }
}

/// Does work that has a place.
fn placed<T>(work: impl FnOnce() -> T) -> T {
    let before = PLACED.replace(true);
    let done = work();
    PLACED.set(before);
    done
}

#[cfg(test)]
mod tests;
