//! The gate's own record of one agent working for one user. It authenticates nobody.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use model::{Map, Reason, Refusal, SessionKey, Timestamp, limits};

/// One agent working for one user.
#[derive(Debug)]
pub struct Session {
    /// When the pair was first seen since the gate started.
    pub began: Timestamp,
    last_seen: AtomicU64,
    streams: AtomicUsize,
    calls: AtomicUsize,
}

/// The place of one open stream in its session; given back when dropped.
#[derive(Debug)]
pub struct StreamPlace(Arc<Session>);

/// The place of one call in its session; given back when dropped.
#[derive(Debug)]
pub struct CallPlace(Arc<Session>);

/// Every session, bounded by [`limits::SESSIONS_MAX`].
#[derive(Debug, Default)]
pub struct Sessions {
    // A session is looked up once a message and the lock held for nanoseconds; sharding it is not worth its weight.
    sessions: Mutex<Map<SessionKey, Arc<Session>>>,
}

impl Sessions {
    /// The session of `key`, begun at `now` if there is none.
    ///
    /// # Errors
    /// [`Reason::Overloaded`] when there are too many and none is idle.
    pub fn enter(&self, key: SessionKey, now: Timestamp) -> Result<Arc<Session>, Refusal> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = sessions.get(&key) {
            session.last_seen.store(now.0, Ordering::Relaxed);
            return Ok(Arc::clone(session));
        }
        if sessions.len() >= limits::SESSIONS_MAX {
            make_room(&mut sessions);
        }
        if sessions.len() >= limits::SESSIONS_MAX {
            return Err(Refusal::new(Reason::Overloaded, "every session has an open stream or a call"));
        }
        let (last_seen, streams, calls) = (AtomicU64::new(now.0), AtomicUsize::new(0), AtomicUsize::new(0));
        let session = Arc::new(Session { began: now, last_seen, streams, calls });
        sessions.insert(key, Arc::clone(&session));
        Ok(session)
    }

    /// How many sessions there are.
    pub fn count(&self) -> usize {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Drops the older half of the sessions that nothing holds: rare, and linear.
fn make_room(sessions: &mut Map<SessionKey, Arc<Session>>) {
    let idle = |session: &Arc<Session>| Arc::strong_count(session) == 1;
    let mut seen: Vec<u64> =
        sessions.values().filter(|s| idle(s)).map(|s| s.last_seen.load(Ordering::Relaxed)).collect();
    let middle = seen.len() / 2;
    if middle >= seen.len() {
        return;
    }
    let (_, median, _) = seen.select_nth_unstable(middle);
    let median = *median;
    sessions.retain(|_, session| !idle(session) || session.last_seen.load(Ordering::Relaxed) > median);
}

impl Session {
    /// When the pair last sent a message.
    pub fn last_seen(&self) -> Timestamp {
        Timestamp(self.last_seen.load(Ordering::Relaxed))
    }

    /// Takes a place for one more open stream.
    ///
    /// # Errors
    /// [`Reason::Overloaded`] when [`limits::STREAMS_PER_SESSION_MAX`] are open.
    pub fn open_stream(self: &Arc<Self>) -> Result<StreamPlace, Refusal> {
        match take(&self.streams, limits::STREAMS_PER_SESSION_MAX) {
            Ok(()) => Ok(StreamPlace(Arc::clone(self))),
            Err(open) => {
                Err(Refusal::new(Reason::Overloaded, format!("{open} streams are open for this agent and user")))
            }
        }
    }

    /// Takes a place for one more call, until its answer begins.
    ///
    /// # Errors
    /// [`Reason::Overloaded`] when [`limits::CALLS_PER_CALLER_MAX`] are under way.
    pub fn begin_call(self: &Arc<Self>) -> Result<CallPlace, Refusal> {
        match take(&self.calls, limits::CALLS_PER_CALLER_MAX) {
            Ok(()) => Ok(CallPlace(Arc::clone(self))),
            Err(open) => {
                Err(Refusal::new(Reason::Overloaded, format!("{open} calls are under way for this agent and user")))
            }
        }
    }
}

/// One more, unless there are so many already.
fn take(places: &AtomicUsize, max: usize) -> Result<(), usize> {
    places.fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| (taken < max).then_some(taken + 1)).map(drop)
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for CallPlace {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
