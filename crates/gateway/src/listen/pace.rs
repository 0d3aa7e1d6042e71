//! One request of a connection at a time, and in between whoever else is ready.
//!
//! A client may send requests without waiting for answers (RFC 9112, section 9.3.2), and where each is answered at once,
//! hyper goes from one to the next within one turn of the connection's task. Others who need the thread would wait for all
//! of them.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::task::yield_now;

/// Whether a connection has had its request in the turn that it has now.
#[derive(Clone, Default)]
pub(super) struct Pace(Arc<AtomicBool>);

/// A connection whose requests each wait for their [turn](Pace::turn).
pub(super) struct Paced<Connection> {
    pace: Pace,
    connection: Pin<Box<Connection>>,
}

impl Pace {
    /// The same connection, at this pace.
    pub(super) fn of<Connection: Future>(self, connection: Connection) -> Paced<Connection> {
        Paced { pace: self, connection: Box::pin(connection) }
    }

    /// Waits until the connection has not had a request in its turn: not at all for one that came alone.
    pub(super) async fn turn(self) {
        if self.0.swap(true, Ordering::Relaxed) {
            yield_now().await;
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

impl<Connection: Future> Future for Paced<Connection> {
    type Output = Connection::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.pace.0.store(false, Ordering::Relaxed);
        self.connection.as_mut().poll(context)
    }
}

#[cfg(test)]
mod tests;
