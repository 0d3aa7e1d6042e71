//! Large messages wait for each other, and for nobody else waits for them.
//!
//! A message of some hundred bytes is read and decided on in microseconds, and tasks share the runtime's threads without
//! noticing each other. One of a mebibyte takes a thread for milliseconds, and a few callers who send them take all there
//! are. So whatever costs in proportion to a large message is done beside the runtime, by as many at once as leave the
//! others a processor, and each on a thread of its own: the kernel shares processors out by thread, and what a large
//! message took of them is not held against the thread that goes on with small ones.
//!
//! Whoever sends many takes turns with itself: of one agent and user only a few are read and decided on at once, so that
//! its large messages neither fill the gate's memory nor stand before those of others.

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, available_parallelism};
use std::time::Duration;

use model::{Caller, Reason, Refusal, SessionKey, limits};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

thread_local! {
    /// The place in which this thread works on a large message.
    static PLACED: RefCell<Option<Place>> = const { RefCell::new(None) };
}

/// A place for work on a large message, and its caller's line if the message has its turn in one.
#[derive(Clone)]
struct Place(Option<Arc<Semaphore>>);

/// Places for work on large messages, taken in the order in which they come.
#[derive(Debug)]
pub struct Large {
    places: Semaphore,
    /// How many of one agent and user may be under way.
    per_caller: usize,
    lines: Arc<Lines>,
}

/// The lines of those who have a large message under way, each with its places.
type Lines = Mutex<HashMap<SessionKey, Arc<Semaphore>>>;

/// A large message's place among those of the same agent and user; given back when dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    // The order counts: the place is given back before it is looked whether anybody is in the line.
    _place: OwnedSemaphorePermit,
    line: Line,
}

/// Somebody in a line. The last one to leave takes it away.
#[derive(Debug)]
struct Line {
    key: SessionKey,
    places: Option<Arc<Semaphore>>,
    lines: Arc<Lines>,
}

impl Default for Large {
    /// A place for each processor but one; one where there is only one.
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self::with(processors.saturating_sub(1).max(1), (processors / 2).clamp(1, limits::LARGE_PER_CALLER_MAX))
    }
}

/// How large a message is to those who wait for it: one that is only read, and not looked into, counts for less.
pub(crate) fn weight(bytes: usize, is_looked_into: bool) -> usize {
    if is_looked_into { bytes } else { bytes / limits::READ_BYTES_PER_BYTE_SEEN }
}

impl Large {
    fn with(places: usize, per_caller: usize) -> Self {
        Self { places: Semaphore::new(places), per_caller, lines: Arc::default() }
    }

    /// Waits until fewer large messages of the same agent and user are under way than may be.
    ///
    /// # Errors
    /// [`Reason::Overloaded`] when that takes more than [`limits::TURN_MILLISECONDS_MAX`].
    pub(crate) async fn turn(&self, caller: &Caller) -> Result<Turn, Refusal> {
        let line = Line::join(&self.lines, self.per_caller, caller.session_key());
        let patience = Duration::from_millis(limits::TURN_MILLISECONDS_MAX);
        let late = || Refusal::new(Reason::Overloaded, "this agent and user have other large messages under way");
        let places = line.places.clone().ok_or_else(late)?;
        match tokio::time::timeout(patience, places.acquire_owned()).await {
            Ok(Ok(place)) => Ok(Turn { _place: place, line }),
            Ok(Err(_)) | Err(_) => Err(late()),
        }
    }

    /// Works on a message of this [`weight`]: at once where it is small, in turn and beside the others where it is
    /// [large](limits::LARGE_MESSAGE_BYTES).
    pub(crate) async fn beside<T: Send>(&self, weight: usize, work: impl FnOnce() -> T + Send) -> T {
        self.until_done(None, weight, work).await
    }

    /// The same with the last that needs the message's turn, which ends with it.
    pub(crate) async fn until_done<T: Send>(
        &self,
        turn: Option<Turn>,
        weight: usize,
        work: impl FnOnce() -> T + Send,
    ) -> T {
        if weight < limits::LARGE_MESSAGE_BYTES {
            return work();
        }
        // Never closed; were it, the work would be done all the same.
        let _place = self.places.acquire().await;
        let place = Place(turn.as_ref().and_then(|turn| turn.line.places.clone()));
        let runtime = Handle::current();
        match runtime.runtime_flavor() {
            RuntimeFlavor::MultiThread => tokio::task::block_in_place(|| apart(&runtime, place, work)),
            // There is no other thread that could go on with the others.
            RuntimeFlavor::CurrentThread | _ => placed(place, work),
        }
    }

    /// Waits for something in the middle of such work. Whoever waits needs no processor, so that its place and its turn are
    /// others' meanwhile.
    pub(crate) async fn without_place<T>(&self, work: impl Future<Output = T>) -> T {
        let Some(Place(line)) = PLACED.with_borrow(Clone::clone) else { return work.await };
        let lent = line.as_deref().into_iter().chain([&self.places]);
        lent.clone().for_each(|places| places.add_permits(1));
        let done = work.await;
        // First the turn, without which nobody holds a place.
        for places in lent {
            if let Ok(place) = places.acquire().await {
                place.forget();
            }
        }
        done
    }
}

impl Line {
    fn join(lines: &Arc<Lines>, per_caller: usize, key: SessionKey) -> Self {
        let mut known = locked(lines);
        let places = known.entry(key.clone()).or_insert_with(|| Arc::new(Semaphore::new(per_caller)));
        Self { key, places: Some(Arc::clone(places)), lines: Arc::clone(lines) }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let mut known = locked(&self.lines);
        // Given up while the table is locked: of two that leave at once, the later one sees that it is the last.
        self.places = None;
        // What is left is the table's own: nobody else is in the line, and nobody can join meanwhile.
        if known.get(&self.key).is_some_and(|places| Arc::strong_count(places) == 1) {
            known.remove(&self.key);
        }
    }
}

fn locked(lines: &Lines) -> MutexGuard<'_, HashMap<SessionKey, Arc<Semaphore>>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does work that has a place on a thread of its own, and waits for it; where no thread can be had, on this one.
fn apart<T: Send>(runtime: &Handle, place: Place, work: impl FnOnce() -> T + Send) -> T {
    let (mut todo, mut done) = (Some(|| placed(place, work)), None);
    thread::scope(|scope| {
        let work = || {
            let _within = runtime.enter();
            done = todo.take().map(|work| work());
        };
        if let Ok(thread) = thread::Builder::new().name("large-message".to_owned()).spawn_scoped(scope, work)
            && let Err(panic) = thread.join()
        {
            resume_unwind(panic);
        }
    });
    match done.or_else(|| todo.map(|work| work())) {
        Some(done) => done,
        None => resume_unwind(Box::new("work on a large message was neither done nor left")),
    }
}

/// Does work in a place.
fn placed<T>(place: Place, work: impl FnOnce() -> T) -> T {
    let before = PLACED.replace(Some(place));
    let done = work();
    PLACED.set(before);
    done
}

#[cfg(test)]
mod tests;
