//! A stream on its way to an agent: each message read, decided on and released on its own.
//!
//! The relay is pulled by hyper as the client takes bytes. When the client goes away hyper drops it, and with it the
//! connection to the server, the place in the session and the open intent, which is then closed as cancelled. Nothing
//! has to notice that the client left.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use audit::End;
use bytes::Bytes;
use flow::StreamPlace;
use futures_util::stream;
use model::{Reason, Refusal};
use tokio::sync::watch;
use upstream::Stream;
use wire::answer::{self, Incoming, Notification};
use wire::reply::{self, Answering};
use wire::{Flaw, Subject, sse};

use crate::body::{Body, streamed};
use crate::controls::read::Message;
use crate::controls::release::{self, Expected, Released};
use crate::controls::{authenticate, forward, halted, visible};
use crate::gate::Gate;
use crate::listing;
use crate::register::{self, Direction, Path};
use crate::trail::{OpenIntent, Trail, end_of};

/// How long a stream is silent before the agent is sent a comment, so that nothing between takes it for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// One stream.
pub(crate) struct Relay {
    gate: Arc<Gate>,
    expected: Expected,
    server: Stream,
    /// `None` once the final message went out.
    open: Option<OpenIntent>,
    receipt: model::ReceiptId,
    wants: Wants,
    halts: watch::Receiver<Arc<::watch::HaltSet>>,
    snapshots: watch::Receiver<model::Revision>,
    _place: StreamPlace,
    _counted: Counted,
}

/// What a subscription asked to be told.
#[derive(Default)]
struct Wants {
    tools_list_changed: bool,
    prompts_list_changed: bool,
    resources: HashSet<String>,
}

/// What a stream does next.
enum Next {
    /// These bytes go to the agent.
    Send(Bytes),
    /// Nothing goes to the agent.
    Nothing,
}

impl Relay {
    /// Takes over the open intent of a call whose answer is a stream.
    pub(crate) fn new(
        gate: Arc<Gate>,
        expected: Expected,
        server: Stream,
        place: StreamPlace,
        message: &Message,
        trail: &mut Trail,
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
        let counted = Counted::new(&gate);
        let (open, receipt) = (trail.open.take(), trail.receipt);
        Self { gate, expected, server, open, receipt, wants, halts, snapshots, _place: place, _counted: counted }
    }

    /// The body that the agent reads.
    pub(crate) fn body(self) -> Body {
        streamed(stream::unfold(self, |mut relay| async move { relay.next().await.map(|bytes| (bytes, relay)) }))
    }

    /// The next bytes for the agent; `None` after the final message.
    async fn next(&mut self) -> Option<Bytes> {
        while self.open.is_some() {
            match self.step().await {
                Ok(Next::Send(bytes)) => return Some(bytes),
                Ok(Next::Nothing) => {}
                Err(flaw) => return Some(self.cut(&flaw)),
            }
        }
        None
    }

    /// Waits for whatever comes first.
    async fn step(&mut self) -> Result<Next, Flaw> {
        tokio::select! {
            // Stops first: with a message and a halt both there, the message does not leave.
            biased;
            _ = self.halts.changed() => self.authorise_again(),
            _ = self.snapshots.changed() => self.authorise_again(),
            message = self.server.next() => match message {
                Some(Ok(bytes)) => self.message(bytes),
                Some(Err(error)) => Err(forward::refusal(&error).into()),
                None => Err(Refusal::new(Reason::OutcomeUnknown, "the stream ended without an answer").into()),
            },
            () = tokio::time::sleep(KEEP_ALIVE) => Ok(Next::Send(sse::comment())),
        }
    }

    /// Asks everything anew that let the stream open, in the light of the newest snapshot and halts.
    fn authorise_again(&mut self) -> Result<Next, Flaw> {
        let now = self.gate.clock.now();
        let before = &self.expected.connected;
        authenticate::again(&self.gate.front.load().callers, &before.caller)?;
        let connected = before.again(self.gate.snapshots.load(), now)?;
        halted::again(&self.gate.halts, &connected, &self.expected.objects)?;
        visible::again(before, &connected, &self.expected.objects, now)?;
        let same = listing::same(before, &connected);
        self.expected.connected = connected;
        if same {
            return Ok(Next::Nothing);
        }
        // People changed what can be listed here, so the agent is told, in the words of the specification.
        let told = [
            (self.wants.tools_list_changed, "notifications/tools/list_changed"),
            (self.wants.prompts_list_changed, "notifications/prompts/list_changed"),
        ];
        let told = told.into_iter().filter(|(wanted, _)| *wanted);
        let events: Vec<u8> = told.flat_map(|(_, method)| self.list_changed(method)).collect();
        Ok(if events.is_empty() { Next::Nothing } else { Next::Send(events.into()) })
    }

    fn list_changed(&self, method: &str) -> Bytes {
        sse::encode(&reply::list_changed(method, Some(&self.expected.id)))
    }

    /// Decides on one message of the server.
    fn message(&mut self, bytes: Bytes) -> Result<Next, Flaw> {
        let now = self.gate.clock.now();
        match answer::read(&bytes)? {
            Incoming::Notification(notification) => self.notification(&notification, &bytes),
            Incoming::Request { .. } => {
                Err(Refusal::new(Reason::AnswerRefused, "the server sent a request of its own on a stream").into())
            }
            Incoming::Response { id, outcome } => {
                let status = http::StatusCode::OK;
                let released = release::response(&self.expected, status, id.as_ref(), &outcome, bytes, now)?;
                Ok(Next::Send(self.finish(released)))
            }
        }
    }

    fn notification(&self, notification: &Notification, bytes: &Bytes) -> Result<Next, Flaw> {
        let revision = wire::Revision::V2026_07_28;
        let Some(row) = register::find(&notification.method, Direction::ToAgent, revision) else {
            tracing::debug!(server = %self.expected.connected.door.server.name, "a notification is not in the register");
            return Ok(Next::Nothing);
        };
        match row.path {
            Path::Heeded => {
                // Full means that a check of this and other servers is under way already.
                let _ = self.gate.heed.try_send(self.expected.connected.door.server.name.clone());
                Ok(Next::Nothing)
            }
            Path::Relayed if notification.method == "notifications/resources/updated" => {
                let subscribed = notification.uri.as_ref().is_some_and(|uri| self.wants.resources.contains(uri));
                Ok(if subscribed { Next::Send(sse::encode(bytes)) } else { Next::Nothing })
            }
            Path::Relayed => Ok(Next::Send(sse::encode(bytes))),
            Path::Pinned | Path::Listed | Path::Called | Path::Streamed | Path::Absorbed | Path::Asked => {
                Ok(Next::Nothing)
            }
        }
    }

    /// Records the outcome, then lets the final message go.
    fn finish(&mut self, released: Released) -> Bytes {
        if let Some(open) = self.open.take() {
            open.close(released.end, Some(&released.bytes), None);
        }
        self.gate.metrics.answered(self.expected.row.method);
        sse::encode(&released.bytes)
    }

    /// Ends the stream with the reason, as its final message.
    fn cut(&mut self, flaw: &Flaw) -> Bytes {
        let refusal = &flaw.refusal;
        self.gate.metrics.refused(refusal.reason);
        if let Some(open) = self.open.take() {
            let end = end_of(refusal);
            // The call had left; what is cut is the rest of its answer.
            let end = if let End::NotSent(reason) = end { End::Cut(reason) } else { end };
            open.close(end, None, Some(refusal.detail.clone()));
        }
        let answering = Answering::of(self.expected.row.method);
        let (id, revision) = (Some(&self.expected.id), wire::Revision::V2026_07_28);
        let (_, body) = reply::refused(id, revision, refusal, Some(self.receipt), answering, flaw.data.as_deref());
        sse::encode(&body)
    }
}

/// Counts a stream for as long as it is open.
struct Counted(prometheus_client::metrics::gauge::Gauge);

impl Counted {
    fn new(gate: &Gate) -> Self {
        gate.metrics.streams.inc();
        Self(gate.metrics.streams.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
