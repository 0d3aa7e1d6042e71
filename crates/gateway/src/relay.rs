//! A stream on its way to an agent: each message read, decided on and released on its own.
//!
//! For a client without a session the relay is pulled by hyper as the client takes bytes. When the client goes away hyper
//! drops it, and with it the connection to the server, the place in the session and the open intent, which is then closed
//! as cancelled. Nothing has to notice that the client left. For a client that keeps a session, `legacy` pulls it, whether
//! a connection reads or not.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use audit::End;
use bytes::Bytes;
use flow::StreamPlace;
use futures_util::stream;
use model::{Reason, ReceiptId, Refusal, limits};
use serde_json::json;
use tokio::sync::watch;
use wire::answer::{self, Incoming, Notification};
use wire::reply::{self, Answering};
use wire::{Flaw, Subject, sse};

use crate::body::{Body, streamed};
use crate::bridge::Source;
use crate::controls::read::Message;
use crate::controls::release::{self, Expected, Released};
use crate::controls::{authenticate, halted, inspect, visible};
use crate::gate::Gate;
use crate::large::weight;
use crate::legacy::{self, Asked, Progress, Withdrawal};
use crate::listing;
use crate::register::{self, Direction, Path};
use crate::tasks;
use crate::trail::{OpenIntent, Trail, end_of};

/// How long a stream is silent before the agent is sent a comment, so that nothing between takes it for dead.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// One stream.
pub(crate) struct Relay {
    gate: Arc<Gate>,
    expected: Expected,
    server: Source,
    /// `None` once the final message went out.
    open: Option<OpenIntent>,
    receipt: ReceiptId,
    wants: Wants,
    halts: watch::Receiver<Arc<::watch::HaltSet>>,
    snapshots: watch::Receiver<model::Revision>,
    /// Tells the server that nobody waits any more, where closing the connection does not.
    withdrawal: Option<Withdrawal>,
    /// Messages for the client that one step gave besides the one it returned.
    more: VecDeque<Bytes>,
    _counted: Counted,
}

/// What the client is sent next.
pub(crate) enum Part {
    /// One message.
    Message(Bytes),
    /// A sign of life.
    Comment,
}

/// What a subscription asked to be told.
#[derive(Default)]
struct Wants {
    tools_list_changed: bool,
    prompts_list_changed: bool,
    resources: HashSet<String>,
}

impl Relay {
    /// Takes over the open intent of a call whose answer is a stream.
    pub(crate) fn new(
        gate: Arc<Gate>,
        expected: Expected,
        server: Source,
        message: &Message,
        trail: &mut Trail,
        withdrawal: Withdrawal,
    ) -> Self {
        let wants = match &message.request.subject {
            Subject::Subscription { tools_list_changed, prompts_list_changed, resource_uris, .. } => Wants {
                tools_list_changed: *tools_list_changed,
                prompts_list_changed: *prompts_list_changed,
                resources: resource_uris.iter().cloned().collect(),
            },
            Subject::Tool { .. }
            | Subject::Prompt { .. }
            | Subject::Resource { .. }
            | Subject::Completion { .. }
            | Subject::Task { .. }
            | Subject::Initialize { .. }
            | Subject::Cancelled { .. }
            | Subject::Progress { .. }
            | Subject::LogLevel { .. }
            | Subject::None => Wants::default(),
        };
        let (mut halts, mut snapshots) = (gate.halts.subscribe(), gate.snapshots.subscribe());
        // What changed between the last look and this subscription must be seen, so the first step looks again.
        halts.mark_changed();
        snapshots.mark_changed();
        expected.looked.noted().begin_stream();
        let counted = Counted::new(&gate);
        let (open, receipt) = (trail.open.take(), trail.receipt);
        let (withdrawal, more) = (Some(withdrawal), VecDeque::new());
        Self { gate, expected, server, open, receipt, wants, halts, snapshots, withdrawal, more, _counted: counted }
    }

    /// The body that an agent without a session reads; `place` is given back with it.
    pub(crate) fn body(self, place: StreamPlace) -> Body {
        let parts = stream::unfold((self, place), |(mut relay, place)| async move {
            let bytes = match relay.next().await? {
                Part::Message(message) => sse::encode(&message),
                Part::Comment => sse::comment(),
            };
            Some((bytes, (relay, place)))
        });
        streamed(parts)
    }

    /// Whether the final message went out.
    pub(crate) fn is_over(&self) -> bool {
        self.open.is_none()
    }

    /// What the agent is sent next; `None` after the final message.
    pub(crate) async fn next(&mut self) -> Option<Part> {
        loop {
            if let Some(message) = self.more.pop_front() {
                return Some(Part::Message(message));
            }
            self.open.as_ref()?;
            match self.step().await {
                Ok(Some(part)) => return Some(part),
                Ok(None) => {}
                Err(flaw) => return Some(Part::Message(self.cut(&flaw))),
            }
        }
    }

    /// Waits for whatever comes first.
    async fn step(&mut self) -> Result<Option<Part>, Flaw> {
        let (stops, subscription) = (self.gate.stops(), self.expected.row.path == Path::Streamed);
        tokio::select! {
            // Stops first: with a message and a halt both there, the message does not leave.
            biased;
            _ = self.halts.changed() => self.authorise_again().map(|()| None),
            _ = self.snapshots.changed() => self.authorise_again().map(|()| None),
            message = self.server.next() => match message {
                Some(Ok(bytes)) => Ok(self.in_turn(bytes).await?.map(Part::Message)),
                Some(Err(flaw)) => Err(flaw),
                None => Err(Refusal::new(Reason::OutcomeUnknown, "the stream ended without an answer").into()),
            },
            () = stops, if subscription => Ok(Some(Part::Message(self.end()))),
            () = tokio::time::sleep(KEEP_ALIVE) => Ok(Some(Part::Comment)),
        }
    }

    /// Ends a subscription in good order, as its server would (MCP 2026-07-28, basic/patterns/subscriptions).
    fn end(&mut self) -> Bytes {
        let bytes = reply::result(&self.expected.id, &json!({ "resultType": "complete" }));
        self.finish(Released { bytes, status: http::StatusCode::OK, end: End::Completed })
    }

    /// Why the stream may not go on, if it may not.
    pub(crate) fn stopped(&mut self) -> Option<Refusal> {
        self.authorise_again().err().map(|flaw| flaw.refusal)
    }

    /// Asks everything anew that let the stream open, in the light of the newest snapshot and halts.
    fn authorise_again(&mut self) -> Result<(), Flaw> {
        let now = self.gate.clock.now();
        let before = &self.expected.connected;
        authenticate::again(&self.gate, &before.caller)?;
        let connected = before.again(self.gate.snapshots.load(), now)?;
        halted::again(&self.gate.halts, &connected, &self.expected.objects)?;
        visible::again(before, &connected, &self.expected.objects, now)?;
        let same = listing::same(before, &connected);
        self.expected.connected = connected;
        if !same {
            // People changed what can be listed here, so the agent is told, in the words of the specification.
            let told = [
                (self.wants.tools_list_changed, "notifications/tools/list_changed"),
                (self.wants.prompts_list_changed, "notifications/prompts/list_changed"),
            ];
            let told = told.into_iter().filter(|(wanted, _)| *wanted);
            self.more.extend(told.map(|(_, method)| reply::list_changed(method, Some(&self.expected.id))));
        }
        Ok(())
    }

    /// Decides on one message of the server, in turn if it is large; `None` goes no further.
    async fn in_turn(&mut self, bytes: Bytes) -> Result<Option<Bytes>, Flaw> {
        let size = weight(bytes.len(), self.gate.looks_into(&self.expected.connected.snapshot));
        if size < limits::LARGE_MESSAGE_BYTES {
            return self.message(bytes);
        }
        let gate = Arc::clone(&self.gate);
        let decide = || {
            // While it waited its turn, it may have been stopped.
            self.authorise_again()?;
            self.message(bytes)
        };
        gate.large.beside(size, decide).await
    }

    /// Decides on one message of the server; `None` goes no further.
    fn message(&mut self, bytes: Bytes) -> Result<Option<Bytes>, Flaw> {
        let now = self.gate.clock.now();
        match answer::read(&bytes)? {
            Incoming::Notification(notification) => match inspect::answer(&self.gate, &self.expected, &bytes, now)? {
                None => self.notification(&notification, &bytes),
                Some(bytes) => match answer::read(&bytes)? {
                    Incoming::Notification(notification) => self.notification(&notification, &bytes),
                    Incoming::Request { .. } | Incoming::Response { .. } => Ok(None),
                },
            },
            Incoming::Request { id, question } => match self.expected.legacy.clone() {
                Some(session) => {
                    let (expected, call) = (&self.expected, Some(self.receipt));
                    let (server, objects) = (&expected.server, expected.objects.clone());
                    let asker = self.server.asker();
                    let asked = Asked { server, id, question, bytes: &bytes, objects, call, asker };
                    Ok(legacy::asked(&self.gate, &session, &expected.connected, asked))
                }
                None => {
                    Err(Refusal::new(Reason::AnswerRefused, "the server sent a request of its own on a stream").into())
                }
            },
            Incoming::Response { id, outcome } => {
                let status = http::StatusCode::OK;
                let released =
                    release::response(&self.gate, &self.expected, status, id.as_ref(), &outcome, bytes, now)?;
                Ok(Some(self.finish(released)))
            }
        }
    }

    fn notification(&self, notification: &Notification, bytes: &Bytes) -> Result<Option<Bytes>, Flaw> {
        let (expected, progress) = (&self.expected, self.expected.progress.as_ref());
        if let Some(session) = &expected.legacy {
            let (connected, server) = (&expected.connected, &expected.server);
            let progress = Progress::OfCall(progress);
            return Ok(legacy::notified(&self.gate, session, connected, server, progress, notification, bytes));
        }
        let Some(row) = register::find(&notification.method, Direction::ToAgent, expected.revision) else {
            return Ok(None);
        };
        let passes = |may: bool| Ok(may.then(|| bytes.clone()));
        match (row.path, row.method) {
            (Path::Heeded, _) => {
                // Full means that a check of this and other servers is under way already.
                let _ = self.gate.heed.try_send(expected.server.clone());
                Ok(None)
            }
            (Path::Relayed, "notifications/resources/updated") => {
                passes(notification.uri.as_ref().is_some_and(|uri| self.wants.resources.contains(uri)))
            }
            (Path::Relayed, "notifications/progress") => {
                passes(progress.is_some() && notification.progress_token.as_ref() == progress)
            }
            (Path::Relayed, "notifications/tasks") => tasks::notified(&self.gate, expected, notification, bytes),
            (Path::Relayed, "notifications/subscriptions/acknowledged") => {
                tasks::acknowledged(expected, notification, bytes).map(Some)
            }
            (Path::Relayed, _) => passes(true),
            (Path::Pinned | Path::Listed | Path::Called | Path::Streamed | Path::Absorbed | Path::Asked, _) => Ok(None),
        }
    }

    /// Records the outcome, then lets the final message go.
    fn finish(&mut self, released: Released) -> Bytes {
        if let Some(withdrawal) = self.withdrawal.take() {
            withdrawal.disarm();
        }
        if let Some(open) = self.open.take() {
            open.close(released.end, Some(&released.bytes), None);
        }
        self.gate.metrics.answered(self.expected.row.method);
        released.bytes
    }

    /// Ends the stream with the reason, as its final message.
    pub(crate) fn cut(&mut self, flaw: &Flaw) -> Bytes {
        let refusal = &flaw.refusal;
        self.gate.metrics.refused(refusal.reason);
        self.withdrawal = None;
        if let Some(open) = self.open.take() {
            let end = end_of(refusal);
            // The call had left; what is cut is the rest of its answer.
            let end = if let End::NotSent(reason) = end { End::Cut(reason) } else { end };
            open.close(end, None, Some(refusal.detail.clone()));
        }
        let answering = Answering::of(self.expected.row.method);
        let (id, revision) = (Some(&self.expected.id), self.expected.revision);
        let (_, body) = reply::refused(id, revision, refusal, Some(self.receipt), answering, flaw.data.as_deref());
        body
    }
}

/// Counts a stream for as long as it is open.
pub(crate) struct Counted(prometheus_client::metrics::gauge::Gauge);

impl Counted {
    pub(crate) fn new(gate: &Gate) -> Self {
        gate.metrics.streams.inc();
        Self(gate.metrics.streams.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
