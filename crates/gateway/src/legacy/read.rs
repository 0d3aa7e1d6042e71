//! Connections on which a client reads a stream of its session: the answer to a call as it comes, the rest of one whose
//! connection broke, or what is said unasked.

use std::sync::Arc;

use bytes::Bytes;
use flow::StreamPlace;
use futures_util::stream;
use model::{Object, Reason, Refusal, limits};
use policy::Action;
use tokio::sync::watch;
use wire::reply::{self, Answering};
use wire::{Flaw, Revision, sse};

use super::replay::Message;
use super::{Call, Legacy, Reader, Replay};
use crate::body::{Body, Response, streamed, streaming};
use crate::controls::connect::Connected;
use crate::controls::halted::{self, Running};
use crate::controls::{authenticate, visible};
use crate::gate::Gate;
use crate::listing;
use crate::relay::{Counted, KEEP_ALIVE, Part, Relay};
use crate::trail::Trail;

/// One connection.
struct Reading {
    gate: Arc<Gate>,
    connected: Connected,
    reader: Reader,
    receipt: model::ReceiptId,
    /// The event id that stands for everything before the first message of this connection.
    primer: Option<String>,
    over: bool,
    halts: watch::Receiver<Arc<::watch::HaltSet>>,
    snapshots: watch::Receiver<model::Revision>,
    _counted: Counted,
}

/// Lets the client read on (GET): a stream that broke off after an event, or what is said unasked.
pub(crate) fn read_on(
    gate: &Arc<Gate>,
    running: Running,
    last_event: Option<&str>,
    trail: &Trail,
) -> Result<Response, Flaw> {
    let gone = || Refusal::new(Reason::ParamsInvalid, "no stream can be read on from this event");
    let gone = || gone().with_hint("nothing is kept after this event: ask again");
    let Some(session) = running.present.legacy.clone() else { return Err(gone().into()) };
    let (stream, from) = match last_event {
        None => (Arc::clone(&session.aside), None),
        Some(event) => {
            let (stream, next) = place(event).ok_or_else(gone)?;
            (session.find_stream(stream).ok_or_else(gone)?, Some(next))
        }
    };
    // What was released then is released again only to whom it would be released now.
    halted::again(&gate.halts, &running, &stream.objects)?;
    visible::unchanged(&stream.pins, &running, &stream.objects, trail.began)?;
    let reader = stream.read(from).ok_or_else(gone)?;
    gate.journal.queue(&trail.taken(&running, "GET"));
    let primer = last_event.is_none().then(|| event_id(&stream, reader.position()));
    let connected = running.present.connected;
    Ok(streaming(Reading::new(gate, connected, reader, primer, trail.receipt).body(), trail.receipt))
}

/// A place where a call's answer is kept, for a client that may lose its connection.
pub(crate) struct Keeping {
    call: Call,
    stream: Arc<Replay>,
    reading: Reading,
}

impl Keeping {
    /// Makes the place, before anything is in it.
    pub(crate) fn begin(
        gate: &Arc<Gate>,
        running: &Running,
        call: Call,
        objects: &[Object],
        receipt: model::ReceiptId,
    ) -> Result<Self, Refusal> {
        let session: &Arc<Legacy> = call.session();
        let connected = running.again(gate.snapshots.load(), gate.clock.now())?;
        let stream = session.stream(call.id().clone(), objects.to_vec(), visible::pins(running, objects))?;
        let reader = stream.read(None).ok_or_else(|| Refusal::new(Reason::Internal, "a new stream cannot be read"))?;
        let primer = Some(event_id(&stream, 0));
        let reading = Reading::new(gate, connected, reader, primer, receipt);
        Ok(Self { call, stream, reading })
    }

    /// Keeps the call going, and what of its answer was released.
    pub(crate) fn keep(self, relay: Relay, place: StreamPlace) -> Body {
        let Self { call, stream, reading } = self;
        tokio::spawn(carry(relay, call, stream, place));
        reading.body()
    }
}

/// Carries what a server says into the place where it is kept, whether a connection reads or not, until the client takes
/// the call back.
async fn carry(mut relay: Relay, call: Call, stream: Arc<Replay>, place: StreamPlace) {
    let refusal = tokio::select! {
        biased;
        () = call.taken_back() => {
            // A halt that ends the session is the reason, where there is one.
            let taken_back = || Refusal::new(Reason::TakenBack, "the client took it back, or its session ended");
            Some(relay.stopped().unwrap_or_else(taken_back))
        }
        refusal = pump(&mut relay, &stream) => refusal,
    };
    if let Some(refusal) = refusal {
        // Whoever reads on must not wait for more.
        stream.offer(Message::last(relay.cut(&refusal.into())));
    }
    stream.end();
    drop((call, place));
}

/// The same, until there is no more to say, or no room for it.
async fn pump(relay: &mut Relay, stream: &Replay) -> Option<Refusal> {
    while let Some(part) = relay.next().await {
        match part {
            Part::Message(bytes) => {
                let message = if relay.is_over() { Message::last(bytes) } else { Message::said(bytes) };
                if stream.push(message).await.is_err() {
                    return Some(Refusal::new(Reason::Overloaded, "the client is gone, and no more is kept for it"));
                }
            }
            Part::Comment => {}
        }
    }
    None
}

/// An event's id: its stream, and the number of the message after it.
fn event_id(stream: &Replay, next: u64) -> String {
    format!("{}-{next}", stream.number)
}

/// The stream and the message to go on with, from an event's id.
fn place(event: &str) -> Option<(u64, u64)> {
    let (stream, next) = event.split_once('-')?;
    let plain = |text: &str| (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    (plain(stream) && plain(next)).then_some(())?;
    Some((stream.parse().ok()?, next.parse().ok()?))
}

impl Reading {
    fn new(
        gate: &Arc<Gate>,
        connected: Connected,
        reader: Reader,
        primer: Option<String>,
        receipt: model::ReceiptId,
    ) -> Self {
        let (mut halts, mut snapshots) = (gate.halts.subscribe(), gate.snapshots.subscribe());
        // What changed between the last look and this subscription must be seen, so the first step looks again.
        halts.mark_changed();
        snapshots.mark_changed();
        let counted = Counted::new(gate);
        let gate = Arc::clone(gate);
        Self { gate, connected, reader, receipt, primer, over: false, halts, snapshots, _counted: counted }
    }

    fn body(self) -> Body {
        streamed(stream::unfold(self, |mut reading| async move { reading.next().await.map(|bytes| (bytes, reading)) }))
    }

    async fn next(&mut self) -> Option<Bytes> {
        if let Some(primer) = self.primer.take() {
            return Some(sse::priming(&primer, limits::RETRY_MILLISECONDS));
        }
        while !self.over {
            tokio::select! {
                // Stops first: with a message and a halt both there, the message does not leave.
                biased;
                _ = self.halts.changed() => if let Some(bytes) = self.authorise_again() { return Some(bytes) },
                _ = self.snapshots.changed() => if let Some(bytes) = self.authorise_again() { return Some(bytes) },
                message = self.reader.next() => {
                    let (number, message) = message?;
                    if !self.may_hear(&message.about) {
                        continue;
                    }
                    self.over = message.last;
                    let id = event_id(self.reader.replay(), number.saturating_add(1));
                    return Some(sse::numbered(&id, &message.bytes));
                }
                // Who waits for news alone would hold up the stop.
                () = self.gate.stops(), if self.reader.replay().request.is_none() => return None,
                () = tokio::time::sleep(KEEP_ALIVE) => return Some(sse::comment()),
            }
        }
        None
    }

    /// Whether what a message is about is still the client's to hear of: nobody stopped it, and it may see it.
    fn may_hear(&self, about: &[Object]) -> bool {
        let now = self.gate.clock.now();
        let visible = |object: &Object| {
            matches!(object, Object::Server { .. }) || self.connected.decide(Action::List, object, now).is_ok()
        };
        halted::again(&self.gate.halts, &self.connected, about).is_ok() && about.iter().all(visible)
    }

    /// Asks everything anew that let the client read, in the light of the newest snapshot and halts.
    fn authorise_again(&mut self) -> Option<Bytes> {
        let now = self.gate.clock.now();
        let again = || -> Result<Connected, Refusal> {
            let (before, replay) = (&self.connected, self.reader.replay());
            authenticate::again(&self.gate, &before.caller)?;
            let connected = before.again(self.gate.snapshots.load(), now)?;
            halted::again(&self.gate.halts, &connected, &replay.objects)?;
            visible::unchanged(&replay.pins, &connected, &replay.objects, now)?;
            Ok(connected)
        };
        match again() {
            Ok(connected) => {
                let same = listing::same(&self.connected, &connected);
                self.connected = connected;
                let unasked = self.reader.replay().request.is_none();
                (unasked && !same).then(|| self.lists_changed()).flatten()
            }
            Err(refusal) => {
                self.over = true;
                self.gate.metrics.refused(refusal.reason);
                let request = self.reader.replay().request.as_ref()?;
                let revision = Revision::V2025_11_25;
                let (_, body) =
                    reply::refused(Some(request), revision, &refusal, Some(self.receipt), Answering::Other, None);
                Some(sse::encode(&body))
            }
        }
    }

    /// People changed what can be listed here, so the client is told, as far as that was announced.
    fn lists_changed(&self) -> Option<Bytes> {
        let announced = listing::announced(&self.connected);
        let events: Vec<u8> = announced.flat_map(|method| sse::encode(&reply::list_changed(method, None))).collect();
        (!events.is_empty()).then(|| events.into())
    }
}

#[cfg(test)]
mod tests;
