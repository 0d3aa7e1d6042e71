//! The bridge between the eras: a client of 2026-07-28 at a server that keeps sessions, and the reverse.
//!
//! It stands between `credential` and the server, and only where the two are of different eras; within one era a message
//! goes as it came. On the way out it says a request in the server's words ([`wire::bridge`]). On the way back it is a
//! [`Source`] of messages that are the client's era's: what stands after it, `release` above all, sees a server like any
//! other. So there is one path, and every control of it meets what crosses.
//!
//! - [`older`]: a server that keeps sessions, for a client that keeps none. The gate keeps them, in a [`pool`]; a call that
//!   waits until its client answers a question of the server's is [`open`], and [`parked`].
//! - [`newer`]: a server that keeps none, for a client that does. Its questions become requests on the client's stream.
//! - [`listening`]: subscriptions, either way.

mod listening;
mod newer;
mod older;
mod open;
mod parked;
mod pool;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use identity::Seal;
use model::{Entropy, Object, Reason, ReceiptId, Refusal};
use serde_json::Value;
use upstream::{Route, Stream, Turn};
use wire::bridge::Introduction;
use wire::{Capabilities, Flaw, Id, Revision, Subject, header, outgoing};

use crate::controls::halted::Running;
use crate::controls::read::Message;
use crate::controls::visible::Visible;
use crate::gate::Gate;
use crate::legacy::Asker;
use crate::naming;
use crate::register::Path;
use crate::rounds;
use crate::search::Phrasing;

use listening::Listening;
use newer::Newer;
use older::Older;

/// What of the bridge outlives a message: the gate's own sessions, and calls that wait for their clients.
pub struct Bridge {
    seal: Seal,
    entropy: Arc<dyn Entropy>,
    numbers: AtomicI64,
    pool: pool::Pool,
    parked: parked::Parked,
}

/// Which way a message crosses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Crossing {
    /// It does not: client and server are of one era.
    None,
    /// To a server that keeps sessions and speaks this revision.
    Older(Revision),
    /// To one that keeps none.
    Newer,
}

/// A message in its server's words.
pub(crate) struct Worded {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) crossing: Crossing,
    /// The gate's own number for the request, where it crosses.
    pub(crate) number: i64,
}

/// An answer that nothing has looked at, in the client's era.
pub(crate) enum Unread {
    /// One message, with its HTTP status.
    Whole(StatusCode, Bytes),
    /// Messages, as the server makes them.
    Stream(Source),
}

impl Unread {
    /// How many bytes are to be read at once.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Whole(_, body) => body.len(),
            Self::Stream(_) => 0,
        }
    }
}

/// Where the messages of a streamed answer come from.
pub(crate) enum Source {
    /// A server of the client's era.
    Server(Stream),
    /// One that keeps sessions, for a client that keeps none.
    Older(Box<Older>),
    /// The reverse.
    Newer(Box<Newer>),
    /// A subscription at one that keeps sessions.
    Listening(Box<Listening>),
}

impl Source {
    /// The next message; `None` at the end. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, Flaw>> {
        match self {
            Self::Server(stream) => {
                let message = stream.next().await?;
                Some(message.map_err(|error| crate::controls::forward::refusal(&error).into()))
            }
            Self::Older(older) => older.next().await,
            Self::Newer(newer) => newer.next().await,
            Self::Listening(listening) => listening.next().await,
        }
    }

    /// Who hears the answers to questions that come from here.
    pub(crate) fn asker(&self) -> Asker {
        match self {
            Self::Newer(newer) => newer.asker(),
            Self::Server(_) | Self::Older(_) | Self::Listening(_) => Asker::Session,
        }
    }
}

impl Bridge {
    /// Nothing yet; what clients return with their answers is sealed by `seal`.
    pub fn new(seal: Seal, entropy: Arc<dyn Entropy>) -> Self {
        let (pool, parked) = (pool::Pool::default(), parked::Parked::default());
        Self { seal, entropy, numbers: AtomicI64::new(0), pool, parked }
    }

    /// What seals that which clients return.
    pub(crate) fn seal(&self) -> &Seal {
        &self.seal
    }

    /// How many sessions of the gate's own there are, and how many calls wait for their clients.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.pool.count(), self.parked.count())
    }

    /// A number that no other message to a server has.
    fn number(&self) -> i64 {
        self.numbers.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }
}

/// Ends sessions whose time is up and calls that nobody may go on with. Called whenever halts or the state change.
pub(crate) fn sweep(gate: &Arc<Gate>) {
    gate.bridge.parked.sweep(gate);
    gate.bridge.pool.sweep(gate);
}

/// Says a message as its server hears it.
pub(crate) fn word(
    gate: &Gate,
    running: &Running,
    message: &Message,
    incoming: &HeaderMap,
    visible: &Visible,
    arguments: Option<&Value>,
) -> Result<Worded, Refusal> {
    let request = &message.request;
    let (wording, server) = (visible.wording(), naming::server(visible.objects())?);
    let body = wording.body(request)?;
    let (_, spoken) = running.door.reach(server, request.revision)?;
    match (request.revision.has_sessions(), spoken.has_sessions()) {
        (true, true) | (false, false) => {
            let mut headers = outgoing::mirror(request, incoming);
            if let Some(name) = wording.header(request).filter(|_| !request.revision.has_sessions()) {
                headers.insert(header::NAME, header::encode(name));
            }
            if message.phrasing != Phrasing::Direct && !request.revision.has_sessions() {
                mirror_arguments(running, visible, arguments, &mut headers);
            }
            let body = match &request.request_state {
                Some(sealed) if !request.revision.has_sessions() => {
                    rounds::open(gate, running, visible.objects(), sealed, &body)?
                }
                Some(_) | None => body,
            };
            Ok(Worded { headers, body, crossing: Crossing::None, number: 0 })
        }
        (false, true) => {
            let number = gate.bridge.number();
            let headers = outgoing::session_headers(spoken, None);
            let body = wire::bridge::to_legacy(&body, &Id::number(number)).map_err(|flaw| flaw.refusal)?;
            Ok(Worded { headers, body, crossing: Crossing::Older(spoken), number })
        }
        (true, false) => {
            let number = gate.bridge.number();
            let name = wording.header(request).or_else(|| request.name());
            let id = Id::number(number);
            let said = introduction(running);
            let worded = wire::bridge::to_modern(&body, &id, &request.method, name, &said, None);
            let outgoing::Outgoing { mut headers, body } = worded.map_err(|flaw| flaw.refusal)?;
            mirror_arguments(running, visible, arguments, &mut headers);
            Ok(Worded { headers, body, crossing: Crossing::Newer, number })
        }
    }
}

/// Says in headers what arguments the tool's schema wants said there, for a client that did not.
fn mirror_arguments(running: &Running, visible: &Visible, arguments: Option<&Value>, headers: &mut HeaderMap) {
    if let Some(tool) = visible.tool() {
        let mirrored = running.door.mirrored.get(&tool.server).and_then(|tools| tools.get(&tool.name));
        mirrored.inspect(|mirrored| mirrored.write(arguments, headers));
    }
}

/// A message that is about to leave: whose it is, where it goes, and what the path has proved of it.
#[derive(Clone, Copy)]
pub(crate) struct Outbound<'a> {
    pub(crate) gate: &'a Arc<Gate>,
    pub(crate) running: &'a Running,
    pub(crate) message: &'a Message,
    pub(crate) route: &'a Route,
    pub(crate) objects: &'a [Object],
    pub(crate) receipt: ReceiptId,
}

/// Sends a message that crosses, and gives its answer as one of the client's era.
pub(crate) async fn send(outbound: Outbound<'_>, worded: Worded, turn: Turn) -> Result<Unread, Flaw> {
    let Outbound { running, message, .. } = outbound;
    match (&worded.crossing, message.row.path) {
        // A subscription takes no place from calls: it only waits for something to change.
        (Crossing::Older(_), Path::Streamed) => listening::open(outbound, worded.headers).await,
        (Crossing::Older(_), _) => older::send(outbound, worded, turn).await,
        (Crossing::Newer, _) => match (listened(&worded.crossing, message), &running.present.legacy) {
            (Some(_), Some(session)) => listening::change(outbound, session, &worded).await,
            (Some(_) | None, _) => newer::send(outbound, worded, turn).await,
        },
        (Crossing::None, _) => Err(Refusal::new(Reason::Internal, "what does not cross came to the bridge").into()),
    }
}

/// What a client with a session said at its beginning, and since.
fn introduction(running: &Running) -> Introduction {
    let Some(session) = &running.present.legacy else {
        return Introduction { capabilities: "{}".to_owned(), client_info: None, log_level: None };
    };
    let client_info = session.client_info.as_ref().and_then(|info| String::from_utf8(info.to_vec()).ok());
    let capabilities = crate::legacy::askable(&session.capabilities).to_string();
    Introduction { capabilities, client_info, log_level: session.log_level() }
}

/// The resource that a client with a session begins or ends to listen to, at a server that knows only subscriptions.
fn listened<'m>(crossing: &Crossing, message: &'m Message) -> Option<&'m str> {
    match (&message.request.subject, message.row.method) {
        (Subject::Resource { uri }, "resources/subscribe" | "resources/unsubscribe")
            if *crossing == Crossing::Newer =>
        {
            Some(uri)
        }
        (
            Subject::Resource { .. }
            | Subject::Tool { .. }
            | Subject::Prompt { .. }
            | Subject::Completion { .. }
            | Subject::Subscription { .. }
            | Subject::Task { .. }
            | Subject::Initialize { .. }
            | Subject::Cancelled { .. }
            | Subject::Progress { .. }
            | Subject::LogLevel { .. }
            | Subject::None,
            _,
        ) => None,
    }
}

/// What a client without a session can be asked, as a server is told it in the handshake.
fn told(capabilities: &Capabilities) -> Result<Value, Refusal> {
    let length = capabilities.raw.as_ref().map_or(0, Bytes::len);
    if length > model::limits::CLIENT_CAPABILITIES_BYTES_MAX {
        let hint = "the client's capabilities are larger than a server that keeps sessions is told";
        return Err(Refusal::new(Reason::ParamsInvalid, hint).with_hint(hint));
    }
    Ok(crate::legacy::askable(capabilities))
}
