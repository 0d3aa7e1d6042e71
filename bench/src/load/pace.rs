//! When the next call of a connection is due.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The time that is measured: not yet, now, or over. Only the generator's one thread looks at it.
#[derive(Default)]
pub(super) struct Window(Cell<Phase>);

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Warmup,
    Open,
    Closed,
}

impl Window {
    /// Measures from now on.
    pub(super) fn open(&self) {
        self.0.set(Phase::Open);
    }

    /// Measures no more, and lets every connection end.
    pub(super) fn close(&self) {
        self.0.set(Phase::Closed);
    }

    /// Whether an answer that arrives now counts.
    pub(super) fn is_open(&self) -> bool {
        self.0.get() == Phase::Open
    }

    fn is_closed(&self) -> bool {
        self.0.get() == Phase::Closed
    }
}

/// Says to one connection when its calls are due.
pub(super) enum Pace {
    /// Whenever it is free.
    Free,
    /// At the times that arrive here. Unbounded on purpose: what waits is bounded by rate times seconds, and a bound
    /// would hold calls back that are due.
    Due(UnboundedReceiver<Instant>),
}

impl Pace {
    /// The pace of each of `connections`, and for a fixed rate the thread behind them, which ends when it is dropped.
    pub(super) fn start(rate: Option<f64>, connections: usize) -> (Option<Pacer>, Vec<Self>) {
        let Some(rate) = rate else {
            return (None, (0..connections).map(|_| Self::Free).collect());
        };
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..connections).map(|_| unbounded_channel()).unzip();
        let paces = receivers.into_iter().map(Self::Due).collect();
        (Some(Pacer::start(Duration::from_secs_f64(1.0 / rate), senders)), paces)
    }

    /// Waits for the next call to be due and says when it was; nothing when there are no more.
    pub(super) async fn next(&mut self, window: &Window) -> Option<Instant> {
        match self {
            _ if window.is_closed() => None,
            Self::Free => Some(Instant::now()),
            Self::Due(times) => times.recv().await,
        }
    }
}

/// The thread that says when calls are due. The runtime's own timer counts whole milliseconds, too coarse for calls that
/// take a tenth of one; a sleeping thread wakes within some 60 microseconds.
pub(super) struct Pacer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Pacer {
    fn start(interval: Duration, senders: Vec<UnboundedSender<Instant>>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut due = Instant::now();
            for sender in senders.iter().cycle() {
                due += interval;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                // A connection that failed takes no more times; the run ends with its error.
                if stopped.load(Ordering::Relaxed) || sender.send(due).is_err() {
                    return;
                }
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // The thread cannot panic; were it to, the calls that were not made would show.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
