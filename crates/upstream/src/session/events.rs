//! A session over HTTP+SSE (MCP 2024-11-05, basic/transports).
//!
//! The server's stream is the session: its first event says where to post to ([`endpoint`](super::endpoint)), and what the
//! server says about every call comes on it, so calls are told apart by numbers of the gate's own
//! ([`Switchboard`]). When it ends, the outcome of every open call is unknown.
//! Whose each message is, [`arrival`] says.

mod arrival;

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use model::{limits, with_causes};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;
use wire::{Id, Revision, header, outgoing};

use super::endpoint;
use crate::ask::{Credential, Question};
use crate::route::Address;
use crate::send::{begin, receive};
use crate::switchboard::envelope::{self, Names};
use crate::switchboard::replies::{self, Inbox};
use crate::switchboard::{Call, Replies, Reply, SharedLine, Switchboard, Teller};
use crate::{Answer, AskError, Deadlines, Fault, Purpose, SendError, Stream, Unsent, whole};

use arrival::Arrival;

/// A session, as long as it is held.
pub(super) struct Held {
    pub(super) events: Arc<Events>,
}

/// A session, as its calls see it.
pub(super) struct Events {
    me: Weak<Self>,
    /// Where the server wants to be posted to.
    address: Address,
    /// The headers of what the gate says by itself, with the credential that the session was opened with.
    headers: HeaderMap,
    /// What the server chose in the handshake.
    revision: OnceLock<Revision>,
    /// The number of the newest call.
    last: AtomicI64,
    board: Mutex<Switchboard>,
    aside: Mutex<Aside>,
    posts: Arc<Semaphore>,
    ended: Notify,
}

/// What belongs to no call: who tells it, and until somebody listens, where it waits.
struct Aside {
    teller: Option<Teller>,
    inbox: Option<Inbox>,
}

/// Opens the stream and reads where to post to.
pub(super) async fn open(address: &Address, question: &Question, credential: Credential<'_>) -> Result<Held, AskError> {
    let mut headers = HeaderMap::new();
    headers.insert(http::header::ACCEPT, HeaderValue::from_static("text/event-stream"));
    credential(&mut headers);
    let request = address.bare(Method::GET, headers);
    let begun = async {
        let response = begin(address, request, Deadlines::SUBSCRIPTION).await?;
        let status = response.status();
        match receive(response, Deadlines::SUBSCRIPTION, None).await? {
            Answer::Stream(stream) => Ok(stream),
            Answer::Whole { .. } | Answer::Accepted => Err(SendError::from(Fault::Status { status })),
        }
    };
    let mut stream = begun.await.map_err(|source| question.unsent(source))?;
    let limit = Duration::from_millis(limits::EVENTS_ENDPOINT_MILLISECONDS_MAX);
    let first = match timeout(limit, stream.event()).await {
        Ok(first) => first.map_err(|fault| question.unsent(fault.into()))?,
        Err(_) => return Err(question.unsent(Fault::HeadTimedOut { after: limit }.into())),
    };
    let Some(first) = first.filter(|event| event.kind.as_deref() == Some("endpoint")) else {
        let detail = "its first event does not say where to post to".to_owned();
        return Err(question.unsent(Fault::Event { detail }.into()));
    };
    let said = std::str::from_utf8(&first.data).unwrap_or_default();
    let place = endpoint::resolve(address.url(), said).map_err(|what| question.malformed(what))?;
    let mut headers = outgoing::session_headers(Revision::NEWEST_LEGACY, None);
    credential(&mut headers);
    let (teller, inbox) = replies::channel();
    let events = Arc::new_cyclic(|me| Events {
        me: Weak::clone(me),
        address: address.at(place),
        headers,
        revision: OnceLock::new(),
        last: AtomicI64::new(0),
        board: Mutex::default(),
        aside: Mutex::new(Aside { teller: Some(teller), inbox: Some(inbox) }),
        posts: Arc::new(Semaphore::new(limits::EVENTS_POSTS_MAX)),
        ended: Notify::new(),
    });
    tokio::spawn(attend(Arc::clone(&events), stream));
    Ok(Held { events })
}

/// Reads the stream until it ends, and tells everybody who waits why.
async fn attend(events: Arc<Events>, mut stream: Stream) {
    let (mut noise, mut strays) = (0_u64, 0_u64);
    let why = loop {
        let next = tokio::select! {
            () = events.ended.notified() => return,
            next = stream.next() => next,
        };
        match next {
            None => break "the server ended it".to_owned(),
            Some(Err(error)) => break with_causes(&error),
            Some(Ok(message)) => match events.arrived(&message) {
                Arrival::Heard => strays = 0,
                Arrival::Stray => strays += 1,
                Arrival::Noise => noise += 1,
            },
        }
        if noise > limits::EVENTS_NOISE_MAX {
            break format!("it had more than {} events that are no messages", limits::EVENTS_NOISE_MAX);
        }
        if strays > limits::EVENTS_STRAYS_MAX {
            break format!("it had more than {} messages in a row that were for nobody", limits::EVENTS_STRAYS_MAX);
        }
    };
    events.end(&why);
}

impl Held {
    /// Ends the session.
    pub(super) fn close(&self) {
        self.events.end("the gate ended it");
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.close();
    }
}

impl Events {
    /// Notes what the server chose in the handshake.
    pub(super) fn agreed(&self, revision: Revision) {
        // There is one handshake, so the place is empty.
        let _ = self.revision.set(revision);
    }

    /// Sends one message and waits until the server says something about it.
    pub(super) async fn send(
        &self,
        headers: HeaderMap,
        body: Bytes,
        deadlines: Deadlines,
    ) -> Result<Answer, SendError> {
        let Some(names) = envelope::read(&body)? else {
            self.tell(headers, body).await?;
            return Ok(Answer::Accepted);
        };
        let permit = self.permit()?;
        let (number, mut replies, body) = self.enlist(&body, names, deadlines.purpose)?;
        let mut posted = self.post(permit, headers, body);
        let mut taken = false;
        let first = async {
            loop {
                tokio::select! {
                    reply = replies.take() => return reply,
                    outcome = &mut posted, if !taken => match outcome {
                        Ok(Ok(())) => taken = true,
                        Ok(Err(error)) => return Reply::Failed(error),
                        Err(_) => return Reply::Failed(self.ended("it was let go").into()),
                    },
                }
            }
        };
        let Ok(first) = timeout(deadlines.head, first).await else {
            return Err(Fault::HeadTimedOut { after: deadlines.head }.into());
        };
        if let Reply::Failed(SendError::NotSent { .. }) = &first {
            // The server knows nothing of it, so it is not told that nobody waits.
            self.board().withdraw(number);
        }
        replies.answer(first, deadlines)
    }

    /// Sends what has no answer. A call that is taken back is named as the server knows it.
    pub(super) async fn tell(&self, headers: HeaderMap, body: Bytes) -> Result<(), SendError> {
        if self.is_over() {
            return Err(SendError::SessionOver);
        }
        let permit = self.permit()?;
        let body = match envelope::taken_back(&body) {
            None => body,
            Some(id) => match self.take_back(&id, &body) {
                Some(body) => body,
                // It was answered, or taken back, or never made.
                None => return Ok(()),
            },
        };
        let posted = self.post(permit, headers, body).await;
        posted.unwrap_or_else(|_| Err(self.ended("it was let go").into()))
    }

    fn take_back(&self, id: &str, body: &Bytes) -> Option<Bytes> {
        let mut board = self.board();
        let number = board.named(id)?;
        board.withdraw(number);
        drop(board);
        envelope::taking_back(body, number)
    }

    /// The stream of what belongs to no call, for whoever asks first.
    pub(super) fn listen(&self) -> Result<Option<Stream>, SendError> {
        if self.is_over() {
            return Err(SendError::SessionOver);
        }
        let (inbox, me) = (self.aside().inbox.take(), self.me.upgrade());
        // No call has this number.
        let stream = |(inbox, me)| Stream::line(Replies::new(me, 0, inbox), Deadlines::SUBSCRIPTION);
        Ok(inbox.zip(me.map(|me| me as Arc<dyn SharedLine>)).map(stream))
    }

    /// Whether the session ended.
    pub(super) fn is_over(&self) -> bool {
        self.board().ending().is_some()
    }

    fn permit(&self) -> Result<OwnedSemaphorePermit, Unsent> {
        Arc::clone(&self.posts).try_acquire_owned().map_err(|_| Unsent::Busy)
    }

    fn enlist(&self, body: &Bytes, names: Names, purpose: Purpose) -> Result<(i64, Replies, Bytes), SendError> {
        let Some(me) = self.me.upgrade() else { return Err(SendError::SessionOver) };
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let body = envelope::numbered(body, &names, number)?;
        let (teller, inbox) = replies::channel();
        let mut board = self.board();
        if board.ending().is_some() {
            return Err(SendError::SessionOver);
        }
        if board.len() >= limits::EVENTS_POSTS_MAX {
            return Err(Unsent::Busy.into());
        }
        // The answer may overtake the end of the request that asks for it.
        board.enlist(number, Call { names, purpose, written: true, teller });
        drop(board);
        Ok((number, Replies::new(me, number, inbox), body))
    }

    /// Posts a message, and tells when the server has taken it. It is not taken back by nobody waiting for that: a server
    /// may answer on its stream before it answers here.
    fn post(
        &self,
        permit: OwnedSemaphorePermit,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> oneshot::Receiver<Result<(), SendError>> {
        headers.remove(header::SESSION_ID);
        let (taken, posted) = oneshot::channel();
        let (address, me) = (self.address.clone(), Weak::clone(&self.me));
        tokio::spawn(async move {
            let response = match begin(&address, address.post(headers, body), Deadlines::CALL).await {
                Ok(response) => response,
                Err(error) => return drop(taken.send(Err(error))),
            };
            let status = response.status();
            if status == StatusCode::NOT_FOUND
                && let Some(me) = me.upgrade()
            {
                me.end("the server does not know it any more");
            }
            let outcome = if status.is_success() { Ok(()) } else { Err(Fault::Status { status }.into()) };
            drop(taken.send(outcome));
            // What it says here means nothing, and is read so that the connection can be used again.
            let limit = Duration::from_millis(limits::PARTING_MILLISECONDS_MAX);
            drop(timeout(limit, whole::read(response.into_body())).await);
            drop(permit);
        });
        posted
    }

    /// Says something of the gate's own, which nobody waits for.
    fn say(&self, body: Bytes) {
        // A server that asks more than it takes is not owed an answer, and one that is left alone hears nothing.
        let Ok(permit) = self.permit() else { return };
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let mut headers = self.headers.clone();
        match self.revision.get().filter(|revision| revision.has_version_header()) {
            Some(revision) => {
                headers.insert(header::PROTOCOL_VERSION, HeaderValue::from_static(revision.as_str()));
            }
            None => _ = headers.remove(header::PROTOCOL_VERSION),
        }
        drop(self.post(permit, headers, body));
    }

    fn say_nobody_waits(&self, number: i64) {
        let revision = self.revision.get().copied().unwrap_or(Revision::NEWEST_LEGACY);
        self.say(outgoing::cancelled(revision, &Id::number(number)).body);
    }

    /// Notes that the session ended, and tells everybody who waits.
    fn end(&self, why: &str) {
        let why: Arc<str> = why.into();
        let first = self.board().end(&why, |_| Fault::LineEnded { why: Arc::clone(&why) }.into());
        if !first {
            return;
        }
        let teller = self.aside().teller.take();
        if let Some(teller) = teller {
            teller.fail(Fault::LineEnded { why }.into());
        }
        self.ended.notify_one();
    }

    fn board(&self) -> MutexGuard<'_, Switchboard> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn aside(&self) -> MutexGuard<'_, Aside> {
        self.aside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedLine for Events {
    fn withdraw(&self, number: i64) {
        let mut board = self.board();
        let is_waited_for = board.withdraw(number) && board.ending().is_none();
        drop(board);
        if is_waited_for {
            self.say_nobody_waits(number);
        }
    }

    fn ended(&self, why: &str) -> Fault {
        Fault::LineEnded { why: why.into() }
    }
}

/// Messages and credentials are not for logs.
impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("revision", &self.events.revision).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
