//! Clients of 2024-11-05 over HTTP (basic/transports): one event stream that stays open, and messages posted beside it,
//! whose answers come on the stream.
//!
//! This is a shape of the transport and no second path. Each posted message takes the one path as if it had been posted in a
//! session, with its own token and its own receipt; what comes of it is told on the line, together with what servers say
//! unasked. The line keeps the id of the session, which such clients do not know, and the session ends with the line: then
//! its calls are taken back. The line's own id is a sealed handle, good for the agent and user that opened it, at that
//! endpoint.
//!
//! Whoever does not read is waited for, and holds nobody up but itself: what waits is bounded in messages and bytes, so are
//! the messages that are under way, and a line that is not read for too long ends.

mod reading;

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use model::{Caller, EndpointName, Reason, Refusal, limits};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use wire::header::{PROTOCOL_VERSION, SESSION_ID};

use crate::apart::{self, Apart};
use crate::arrival;
use crate::body::{Response, answered};
use crate::controls::accept::Verb;
use crate::controls::refuse;
use crate::gate::Gate;
use crate::legacy::{self, Handle, Legacies, Legacy};
use crate::peer::Peer;
use crate::pipeline::Admitted;
use crate::relay::Part;
use crate::trail::Trail;

pub(crate) use reading::open;

/// Every line that is open. Their number is bounded by the streams that a caller may have open.
#[derive(Default)]
pub(crate) struct Lines(Mutex<HashMap<u128, Arc<Line>>>);

/// One client's event stream, and what is under way beside it.
pub(crate) struct Line {
    number: u128,
    endpoint: EndpointName,
    phase: Mutex<Phase>,
    told: Mutex<VecDeque<Told>>,
    news: Notify,
    /// Places for messages that are not read yet, and for their bytes.
    places: Arc<Semaphore>,
    room: Arc<Semaphore>,
    /// Places for messages of the client's that are under way.
    calls: Arc<Semaphore>,
    over: watch::Sender<bool>,
}

/// How far the client's session is.
enum Phase {
    /// Not asked for.
    Fresh,
    /// The handshake is under way.
    Beginning,
    /// Begun, under this id.
    Begun(HeaderValue, Arc<Legacy>),
}

/// A message that waits to be read, with the room that it takes.
struct Told {
    message: Bytes,
    _room: [OwnedSemaphorePermit; 2],
}

/// A message that a line has taken.
struct Taken {
    line: Arc<Line>,
    glance: Glance,
    place: OwnedSemaphorePermit,
}

/// What a message looks like before anything is checked: enough to know where its answer goes, and no more.
struct Glance {
    /// It asks for a session.
    begins: bool,
    /// It is a request, or holds some, so that its answer comes on the stream.
    is_answered: bool,
}

impl Lines {
    /// Opens a line and makes its handle.
    fn begin(
        &self,
        legacies: &Legacies,
        caller: &Caller,
        endpoint: &EndpointName,
    ) -> Result<(Arc<Line>, String), Refusal> {
        let (number, handle) = legacies.seal(Handle::Line, &caller.session_key(), endpoint)?;
        let line = Arc::new(Line::new(number, endpoint));
        self.all().insert(number, Arc::clone(&line));
        Ok((line, handle))
    }

    /// The line of a handle, for whoever it was given to, where it was given.
    fn find(&self, legacies: &Legacies, handle: &str, admitted: &Admitted) -> Result<Arc<Line>, Refusal> {
        let unknown = |detail| Refusal::new(Reason::SessionUnknown, detail);
        let (caller, endpoint) = (&admitted.known.caller, &admitted.accepted.endpoint);
        let number = legacies.open(Handle::Line, handle, &caller.session_key(), endpoint);
        let number =
            number.ok_or_else(|| unknown("the stream's handle was not given to this caller at this endpoint"))?;
        self.all().get(&number).cloned().ok_or_else(|| unknown("the stream is over"))
    }

    fn all(&self) -> MutexGuard<'_, HashMap<u128, Arc<Line>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a message that is answered on the stream of `handle` (POST).
pub(crate) async fn say(
    gate: &Arc<Gate>,
    head: Parts,
    admitted: Admitted,
    handle: &str,
    body: Bytes,
    trail: Trail,
) -> Response {
    let taken = match take(gate, &admitted, handle, &body) {
        Ok(taken) => taken,
        Err(refusal) => return refuse::run(gate, trail, refusal.into()),
    };
    let head = match taken.line.head(head) {
        Ok(head) => head,
        Err(refusal) => return refuse::run(gate, trail, refusal.into()),
    };
    let admitted = as_posted(admitted);
    let (gate, receipt, peer) = (Arc::clone(gate), trail.receipt, trail.peer.clone());
    if taken.glance.is_answered {
        tokio::spawn(async move { taken.carry(&gate, head, admitted, body, trail).await });
        return answered(StatusCode::ACCEPTED, None, Bytes::new(), receipt);
    }
    // Nothing answers it, and its status is all that the client learns.
    let alone = Arc::clone(&gate);
    let answer = async move {
        let response = arrival::message(&alone, &head, admitted, body, trail).await;
        drop(taken);
        response
    };
    arrival::detached(&gate, receipt, peer, answer).await
}

fn take(gate: &Gate, admitted: &Admitted, handle: &str, body: &Bytes) -> Result<Taken, Refusal> {
    let line = gate.legacies.lines.find(&gate.legacies, handle, admitted)?;
    let full = |_| Refusal::new(Reason::Overloaded, "too many messages are under way beside this stream");
    let place = Arc::clone(&line.calls).try_acquire_owned().map_err(full)?;
    let glance = Glance::at(body);
    if glance.begins {
        line.begins()?;
    }
    Ok(Taken { line, glance, place })
}

/// The same caller at the same endpoint, with a message as every client posts it.
fn as_posted(mut admitted: Admitted) -> Admitted {
    admitted.accepted.verb = Verb::Post;
    admitted
}

impl Glance {
    fn at(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Outline<'a> {
            id: Option<IgnoredAny>,
            #[serde(borrow)]
            method: Option<Cow<'a, str>>,
        }
        // What is no message is refused by the path, whose answer to it is then the status.
        let Ok(outline) = serde_json::from_slice::<Outline<'_>>(body) else {
            return Self { begins: false, is_answered: wire::batch::is_batch(body) };
        };
        let is_answered = outline.id.is_some() && outline.method.is_some();
        Self { begins: is_answered && outline.method.as_deref() == Some("initialize"), is_answered }
    }
}

impl Taken {
    /// Takes the message along the path, and tells on the line what comes of it, for as long as the line is open.
    async fn carry(self, gate: &Arc<Gate>, head: Parts, admitted: Admitted, body: Bytes, trail: Trail) {
        let Self { line, glance, place } = self;
        tokio::select! {
            biased;
            () = line.over() => {}
            () = line.answer(gate, &glance, head, admitted, body, trail) => {}
        }
        drop(place);
    }
}

impl Line {
    fn new(number: u128, endpoint: &EndpointName) -> Self {
        Self {
            number,
            endpoint: endpoint.clone(),
            phase: Mutex::new(Phase::Fresh),
            told: Mutex::default(),
            news: Notify::new(),
            places: Arc::new(Semaphore::new(limits::LINE_MESSAGES_MAX)),
            room: Arc::new(Semaphore::new(limits::LINE_BYTES_MAX)),
            calls: Arc::new(Semaphore::new(limits::LINE_CALLS_MAX)),
            over: watch::Sender::new(false),
        }
    }

    async fn answer(
        self: &Arc<Self>,
        gate: &Arc<Gate>,
        glance: &Glance,
        head: Parts,
        admitted: Admitted,
        body: Bytes,
        trail: Trail,
    ) {
        let (caller, peer) = (Arc::clone(&admitted.known.caller), trail.peer.clone());
        let response = arrival::message(gate, &head, admitted, body, trail).await;
        if glance.begins {
            self.begun(gate, &caller, response.headers().get(SESSION_ID), head, peer);
        }
        self.tell_all(gate, response).await;
    }

    /// Tells what came of a message.
    async fn tell_all(&self, gate: &Arc<Gate>, response: Response) {
        match apart::take(response).await {
            Apart::Whole(message) if message.is_empty() => {}
            Apart::Whole(message) => self.tell(gate, message).await,
            Apart::Stream(events) => {
                let mut parts = std::pin::pin!(apart::parts(events));
                while let Some(part) = parts.next().await {
                    match part {
                        Part::Message(message) => self.tell(gate, message).await,
                        Part::Comment => {}
                    }
                }
            }
        }
    }

    /// Tells one message, once there is room for it.
    async fn tell(&self, gate: &Arc<Gate>, message: Bytes) {
        let patience = Duration::from_millis(limits::LINE_STALL_MILLISECONDS_MAX);
        let Some(room) = self.room(message.len(), patience).await else {
            tracing::debug!("a client does not read its stream, which ends");
            return self.end(gate);
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_over() {
            told.push_back(Told { message, _room: room });
            self.news.notify_one();
        }
    }

    /// Room for a message of so many bytes; none if there is none in time.
    async fn room(&self, bytes: usize, patience: Duration) -> Option<[OwnedSemaphorePermit; 2]> {
        // One that is larger than all the room there is takes all of it.
        let bytes = u32::try_from(bytes.min(limits::LINE_BYTES_MAX)).unwrap_or(u32::MAX);
        let room = async {
            let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
            Some([place, Arc::clone(&self.room).acquire_many_owned(bytes).await.ok()?])
        };
        tokio::time::timeout(patience, room).await.ok().flatten()
    }

    /// The next message that waits.
    async fn next(&self) -> Told {
        loop {
            if let Some(told) = self.told.lock().unwrap_or_else(PoisonError::into_inner).pop_front() {
                return told;
            }
            self.news.notified().await;
        }
    }

    /// The head of a message, as it is posted in the session.
    fn head(&self, mut head: Parts) -> Result<Parts, Refusal> {
        let path = format!("/{}/mcp", self.endpoint);
        head.uri = path.parse().map_err(|_| Refusal::new(Reason::Internal, "an endpoint's path is no URI"))?;
        head.headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        head.headers.remove(SESSION_ID);
        if let Phase::Begun(handle, _) = &*self.phase() {
            head.headers.insert(SESSION_ID, handle.clone());
        }
        Ok(head)
    }

    fn begins(&self) -> Result<(), Refusal> {
        let mut phase = self.phase();
        match *phase {
            Phase::Fresh => {
                *phase = Phase::Beginning;
                Ok(())
            }
            Phase::Beginning | Phase::Begun(..) => {
                let refusal = Refusal::new(Reason::ParamsInvalid, "a second handshake on one stream");
                Err(refusal.with_hint("a stream has one session: open another stream for another"))
            }
        }
    }

    /// Keeps the session that the path began; without one the client may try again.
    fn begun(
        self: &Arc<Self>,
        gate: &Arc<Gate>,
        caller: &Arc<Caller>,
        handle: Option<&HeaderValue>,
        head: Parts,
        peer: Peer,
    ) {
        let found = handle.and_then(|handle| {
            let text = handle.to_str().ok()?;
            let session = gate.legacies.find(text, caller, &self.endpoint, gate.clock.now()).ok()?;
            Some((handle.clone(), session))
        });
        let Some((handle, session)) = found else {
            *self.phase() = Phase::Fresh;
            return;
        };
        *self.phase() = Phase::Begun(handle.clone(), Arc::clone(&session));
        if self.is_over() {
            // It ended while the session began, and whoever ended it did not know of that.
            legacy::end(gate, &session);
            return;
        }
        tokio::spawn(Arc::clone(self).listen(Arc::clone(gate), Arc::clone(caller), head, handle, peer));
    }

    /// Tells what is said unasked, for as long as it may be heard; the line ends with it, and with it the session.
    async fn listen(
        self: Arc<Self>,
        gate: Arc<Gate>,
        caller: Arc<Caller>,
        mut head: Parts,
        handle: HeaderValue,
        peer: Peer,
    ) {
        head.method = Method::GET;
        for name in [CONTENT_TYPE, CONTENT_LENGTH, PROTOCOL_VERSION] {
            head.headers.remove(name);
        }
        head.headers.insert(SESSION_ID, handle);
        let heard = async {
            let response = arrival::one(&gate, &head, &caller, &Bytes::new(), peer).await;
            if response.status().is_success() {
                self.tell_all(&gate, response).await;
            }
        };
        tokio::select! {
            biased;
            () = self.over() => {}
            () = heard => {}
        }
        self.end(&gate);
    }

    fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    /// Resolves when the line is over.
    async fn over(&self) {
        // An error would mean that the sender is gone, and with it the line.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }

    /// Ends the line and its session.
    fn end(&self, gate: &Arc<Gate>) {
        self.over.send_replace(true);
        gate.legacies.lines.all().remove(&self.number);
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if let Phase::Begun(_, session) = &*self.phase() {
            legacy::end(gate, session);
        }
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
