//! What those who wait for one flush share: its result, and how to wake them all.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use super::JournalError;

/// One flush, to come or done.
#[derive(Default)]
pub(super) struct Flush {
    result: OnceLock<Result<(), JournalError>>,
    waiting: Mutex<Vec<Waker>>,
}

impl Flush {
    /// Tells the result to all who wait, and to those who ask later. The first result stays.
    pub(super) fn resolve(&self, result: Result<(), JournalError>) {
        if self.result.set(result).is_err() {
            return;
        }
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// Resolves when a record is durable, or never will be.
#[must_use = "a record is durable only when this resolves"]
pub struct Durable(State);

enum State {
    /// It was not taken.
    Refused(Box<JournalError>),
    /// It is on its way, with this flush; `place` is that of our waker.
    Waiting { flush: Arc<Flush>, place: Option<usize> },
}

impl Durable {
    pub(super) fn refused(error: JournalError) -> Self {
        Self(State::Refused(Box::new(error)))
    }

    pub(super) fn waiting(flush: Arc<Flush>) -> Self {
        Self(State::Waiting { flush, place: None })
    }
}

impl Future for Durable {
    type Output = Result<(), JournalError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (flush, place) = match &mut self.0 {
            State::Refused(error) => return Poll::Ready(Err(JournalError::clone(error))),
            State::Waiting { flush, place } => (flush, place),
        };
        if let Some(result) = flush.result.get() {
            return Poll::Ready(result.clone());
        }
        let mut waiting = flush.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match place.and_then(|place| waiting.get_mut(place)) {
            Some(waker) => waker.clone_from(context.waker()),
            None => {
                *place = Some(waiting.len());
                waiting.push(context.waker().clone());
            }
        }
        drop(waiting);
        // The result may have come between the look and the lock, with nobody left to wake us.
        flush.result.get().map_or(Poll::Pending, |result| Poll::Ready(result.clone()))
    }
}
