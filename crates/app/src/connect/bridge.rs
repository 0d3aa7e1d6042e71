//! The part in the middle: every line of the client becomes a request to the gate, every message of the gate a line.
//!
//! Messages are carried at the same time, each by a task of its own. A message of 2026-07-28 says its revision itself
//! and needs nothing else: [`stateless`]. Any other belongs to the session that `initialize` began: [`session`]. Where that
//! one has batches (2025-03-26), the messages of a batch are carried, and answered, each by itself.
//! Whatever becomes of a request, its client gets an answer: the gate's, or a [`Trouble`] in words.

mod answer;
mod session;
mod stateless;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use model::limits;
use serde_json::Value;
use tokio::sync::{Notify, mpsc};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use wire::batch;

use super::gate::Gate;
use super::message::Message;
use super::mirrored::Mirrored;
use super::stdio::{Line, Output, Written};
use super::trouble::{Trouble, error};
use crate::cli::failure::Failure;
use crate::cli::paint;

use session::{Sessions, Turn};

const PARTING_MAX: Duration = Duration::from_millis(limits::CONNECT_PARTING_MILLISECONDS_MAX);

/// Between one client and one endpoint.
pub(super) struct Bridge {
    gate: Gate,
    output: Output,
    mirrored: Mirrored,
    sessions: Sessions,
    flights: Mutex<HashMap<String, Flight>>,
    /// The trouble that was last told, until the gate answers again.
    told: Mutex<Option<String>>,
    /// Wakes when a session is over and cannot be begun anew.
    over: Notify,
}

/// A request under way.
struct Flight {
    task: AbortHandle,
    era: Era,
    /// Does it go on until the client ends it?
    lasting: bool,
}

/// What the client is answered: one message, as it came. A notification is answered with nothing.
type ForClient = Option<Bytes>;

/// How a message is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Era {
    /// It says its revision itself, and closing its stream cancels it.
    Stateless,
    /// It belongs to a session, and a message cancels it.
    Session,
}

/// Why there is nothing more to carry.
enum Parting {
    /// The client closed its output.
    Closed,
    /// The client no longer reads, or someone ends this program.
    Gone,
    /// The gate ended the session.
    Over,
}

impl Bridge {
    pub(super) fn new(gate: Gate, output: Output) -> Self {
        Self {
            gate,
            output,
            mirrored: Mirrored::default(),
            sessions: Sessions::default(),
            flights: Mutex::default(),
            told: Mutex::default(),
            over: Notify::new(),
        }
    }

    /// Carries until the client leaves.
    pub(super) async fn run(self, mut input: mpsc::Receiver<Line>, mut written: Written) -> Result<(), Failure> {
        let bridge = Arc::new(self);
        let mut tasks = JoinSet::new();
        let mut asked_to_end = std::pin::pin!(asked_to_end());
        let parting = loop {
            tokio::select! {
                line = input.recv() => match line {
                    Some(line) => bridge.take(line, &mut tasks).await,
                    None => break Parting::Closed,
                },
                Some(_ended) = tasks.join_next() => {}
                () = bridge.over.notified() => break Parting::Over,
                _gone = &mut written => break Parting::Gone,
                () = &mut asked_to_end => break Parting::Gone,
            }
        };
        bridge.leave(&parting, tasks).await;
        // The last holder of the output: what was said is written, and then the thread ends.
        drop(bridge);
        if !matches!(parting, Parting::Gone) {
            let _unread = timeout(PARTING_MAX, written).await;
        }
        match parting {
            Parting::Closed | Parting::Gone => Ok(()),
            Parting::Over => Err(Failure::new(Trouble::SessionOver.to_string()).with_next(Trouble::SessionOver.next())),
        }
    }

    /// What is under way may still be answered, for a moment; subscriptions end, and so does the session.
    async fn leave(&self, parting: &Parting, mut tasks: JoinSet<()>) {
        locked(&self.flights).values().filter(|flight| flight.lasting).for_each(|flight| flight.task.abort());
        if matches!(parting, Parting::Closed) {
            let _unanswered = timeout(PARTING_MAX, async { while tasks.join_next().await.is_some() {} }).await;
        }
        tasks.shutdown().await;
        let _untold = timeout(PARTING_MAX, self.end_session()).await;
    }

    async fn take(self: &Arc<Self>, line: Line, tasks: &mut JoinSet<()>) {
        let line = match line {
            Line::TooLong => {
                let text = format!("the line is longer than {} bytes", limits::MESSAGE_BYTES_MAX);
                return self.output.say(&error(&Value::Null, -32700, &text, Value::Null)).await;
            }
            Line::Whole(line) => line,
        };
        if !batch::is_batch(&line) || !self.sessions.batches().await {
            return self.begin(line, tasks).await;
        }
        match batch::split(&line) {
            Ok(elements) => {
                for element in elements {
                    self.begin(element.body, tasks).await;
                }
            }
            Err(flaw) => {
                let text = flaw.refusal.public();
                self.output.say(&error(&Value::Null, -32600, &text, Value::Null)).await;
            }
        }
    }

    /// Begins to carry one message.
    async fn begin(self: &Arc<Self>, line: Bytes, tasks: &mut JoinSet<()>) {
        let message = match Message::read(line) {
            Ok(message) => message,
            Err(flaw) => return self.output.say(&error(&flaw.id, flaw.code, flaw.text, Value::Null)).await,
        };
        if let Some(request) = message.cancels()
            && self.cancelled(request) == Some(Era::Stateless)
        {
            // Its stream was closed, which is all that the gate has to be told.
            return;
        }
        // The handshake is carried alone: what comes after it belongs to the session that it begins.
        let turn = match message.method() {
            "initialize" | "notifications/initialized" => Some(self.sessions.alone().await),
            _ => None,
        };
        let id = message.id().cloned();
        if let Err(trouble) = self.launch(message, turn, tasks) {
            self.tell(&trouble);
            if let Some(id) = id {
                self.output.say(&trouble.answer(&id)).await;
            }
        }
    }

    fn launch(self: &Arc<Self>, message: Message, turn: Option<Turn>, tasks: &mut JoinSet<()>) -> Result<(), Trouble> {
        if tasks.len() >= limits::CONNECT_MESSAGES_MAX {
            return Err(Trouble::TooMany);
        }
        let era = if message.version().is_some() { Era::Stateless } else { Era::Session };
        let lasting = message.method() == "subscriptions/listen";
        // Held until the flight is in, so that it cannot end before.
        let mut flights = locked(&self.flights);
        let key = message.id().map(Value::to_string);
        if key.as_ref().is_some_and(|key| flights.contains_key(key)) {
            return Err(Trouble::IdInUse);
        }
        let (bridge, landing) = (Arc::clone(self), key.clone());
        let task = tasks.spawn(async move {
            bridge.carried(message, era, turn).await;
            if let Some(key) = landing {
                locked(&bridge.flights).remove(&key);
            }
        });
        if let Some(key) = key {
            flights.insert(key, Flight { task, era, lasting });
        }
        Ok(())
    }

    /// Carries one message and gives its client the answer.
    async fn carried(self: &Arc<Self>, message: Message, era: Era, turn: Option<Turn>) {
        let answered = match era {
            Era::Stateless => self.stateless(&message).await,
            Era::Session => self.in_session(&message, turn).await,
        };
        match answered {
            Ok(answer) => {
                self.well();
                if let Some(answer) = answer {
                    self.output.say(&answer).await;
                }
            }
            Err(trouble) => {
                self.tell(&trouble);
                if let Some(id) = message.id() {
                    self.output.say(&trouble.answer(id)).await;
                }
            }
        }
    }

    /// Ends a request that the client takes back. Nothing more is said of it.
    fn cancelled(&self, request: &Value) -> Option<Era> {
        let flight = locked(&self.flights).remove(&request.to_string())?;
        flight.task.abort();
        Some(flight.era)
    }

    /// Tells the person who reads the client's log, once for each trouble.
    fn tell(&self, trouble: &Trouble) {
        let text = trouble.to_string();
        let mut told = locked(&self.told);
        if told.as_ref() != Some(&text) {
            note(&format!("{text}; next: {}", trouble.next()));
            *told = Some(text);
        }
    }

    fn well(&self) {
        if locked(&self.told).take().is_some() {
            note("the gate answers again");
        }
    }
}

/// A line in the client's log.
fn note(text: &str) {
    paint::err(&format!("portcullis: {}\n", paint::visible(text).replace('\n', " ")));
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Somebody interrupts this program, or asks it to end.
async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    let _interrupted = tokio::signal::ctrl_c().await;
}
