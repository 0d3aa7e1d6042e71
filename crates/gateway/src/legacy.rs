//! Sessions of clients of the revisions before 2026-07-28, which keep one (MCP 2025-11-25, basic/lifecycle and
//! basic/transports).
//!
//! A session is what the client said at its beginning, the gate's own sessions with the servers behind its endpoint,
//! the streams it can read on, the calls it can take back and the questions it can answer. Its id is a sealed handle: good
//! for the agent and user that began it, at that endpoint, and authenticating nobody. Every message of it takes the whole
//! path, with a token of its own.

mod hear;
mod read;
mod replay;
mod talk;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use identity::Seal;
use model::{Caller, Digest, EndpointName, Object, Reason, Refusal, ServerName, SessionKey, Timestamp, limits};
use tokio::sync::{OnceCell, mpsc, watch};
use tokio::task::AbortHandle;
use wire::{Capabilities, Id, Revision};

use crate::holder;
use crate::line::Lines;

pub(crate) use hear::{Asked, Progress, asked, notified, refused, tell_aside};
pub(crate) use read::{Keeping, read_on};
pub(crate) use replay::{Budget, Reader, Replay};
pub(crate) use talk::end;
pub use talk::tend;
pub(crate) use talk::{Withdrawal, answer, askable, begin, delete, headers, heed, session, set_level, tell, unopened};

/// Every session of clients that keep one, bounded.
pub struct Legacies {
    seal: Seal,
    entropy: Arc<dyn model::Entropy>,
    sessions: Mutex<HashMap<u128, Arc<Legacy>>>,
    /// The event streams of clients of 2024-11-05, which keep their sessions.
    pub(crate) lines: Lines,
    budget: Budget,
}

/// One session.
pub(crate) struct Legacy {
    number: u128,
    owner: SessionKey,
    endpoint: EndpointName,
    /// The revision that was agreed on: every message of the session is of it.
    pub(crate) revision: Revision,
    /// What the client can be asked, as far as its revision knows it.
    pub(crate) capabilities: Capabilities,
    /// Who it says it is: a JSON object.
    pub(crate) client_info: Option<Bytes>,
    began: Timestamp,
    last_seen: AtomicU64,
    over: watch::Sender<bool>,
    held: Mutex<Held>,
    budget: Budget,
    /// The stream that answers nothing: what servers and the gate say by themselves.
    pub(crate) aside: Arc<Replay>,
}

/// What a session holds.
#[derive(Default)]
struct Held {
    servers: HashMap<ServerName, Arc<OnceCell<Arc<upstream::Session>>>>,
    streams: VecDeque<Arc<Replay>>,
    streams_begun: u64,
    calls: HashMap<Id, UnderWay>,
    questions: HashMap<i64, Open>,
    questions_asked: i64,
    /// Pages that were shown, by the server that showed them and its id of them.
    elicitations: HashSet<(ServerName, String)>,
    log_level: Option<String>,
    /// Resources that the client listens to at servers without sessions, and whoever hears of them.
    listened: HashMap<ServerName, (BTreeSet<String>, Option<AbortHandle>)>,
}

/// A call that has not been answered.
struct UnderWay {
    taken_back: watch::Sender<bool>,
    /// The server it went to, and the token under which that may tell of its progress.
    progress: Option<(ServerName, Id)>,
}

/// A session that has just begun.
pub(crate) struct Begun {
    /// Its id, for the client.
    pub(crate) handle: String,
    /// The session that had to end for it.
    pub(crate) ended: Option<Arc<Legacy>>,
}

/// A server's question that the client has not answered.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    /// Who asks.
    pub(crate) server: ServerName,
    /// The id that the server gave it.
    pub(crate) id: Id,
    /// How it asks.
    pub(crate) method: &'static str,
    /// What it asks about: the objects of the call that it came up in.
    pub(crate) objects: Vec<Object>,
    /// Who hears the answer.
    pub(crate) asker: Asker,
}

/// Who hears the answer to a question.
#[derive(Debug, Clone)]
pub(crate) enum Asker {
    /// The server, in the gate's session with it.
    Session,
    /// The bridge, for a server that keeps none.
    Bridge(mpsc::UnboundedSender<(Id, Given)>),
}

/// What became of a question.
#[derive(Debug)]
pub(crate) enum Given {
    /// The client's response.
    Answer(Bytes),
    /// It was not put, or its answer is not for the server.
    Refused(Reason),
}

/// A call that the client may take back; forgotten when dropped.
pub(crate) struct Call {
    session: Arc<Legacy>,
    id: Id,
    taken_back: watch::Receiver<bool>,
}

impl Legacies {
    /// None yet; handles are sealed by `seal`.
    pub fn new(seal: Seal, entropy: Arc<dyn model::Entropy>) -> Self {
        Self { seal, entropy, sessions: Mutex::default(), lines: Lines::default(), budget: Budget::default() }
    }

    /// Begins a session and makes its handle.
    ///
    /// # Errors
    /// [`Reason::Overloaded`] when there are too many.
    pub(crate) fn begin(
        &self,
        caller: &Caller,
        endpoint: &EndpointName,
        revision: Revision,
        capabilities: Capabilities,
        client_info: Option<Bytes>,
        now: Timestamp,
    ) -> Result<Begun, Refusal> {
        let owner = caller.session_key();
        let (number, handle) = self.seal(Handle::Session, &owner, endpoint)?;
        let session = Arc::new(Legacy {
            number,
            owner,
            endpoint: endpoint.clone(),
            revision,
            capabilities: capabilities.within(revision),
            client_info,
            began: now,
            last_seen: AtomicU64::new(now.0),
            over: watch::Sender::new(false),
            held: Mutex::default(),
            budget: self.budget.clone(),
            aside: Replay::new(0, None, Vec::new(), Vec::new(), &self.budget),
        });
        let mut sessions = self.sessions();
        let ended = make_room(&mut sessions, &session.owner);
        if sessions.len() >= limits::LEGACY_SESSIONS_MAX {
            return Err(Refusal::new(Reason::Overloaded, "every place for a client's session is taken"));
        }
        sessions.insert(number, session);
        Ok(Begun { handle, ended })
    }

    /// The session of a handle, for whoever it was given to, where it was given.
    ///
    /// # Errors
    /// [`Reason::SessionUnknown`], whatever is wrong: ended, forgotten, somebody else's or never one.
    pub(crate) fn find(
        &self,
        handle: &str,
        caller: &Caller,
        endpoint: &EndpointName,
        now: Timestamp,
    ) -> Result<Arc<Legacy>, Refusal> {
        let unknown = |detail| Refusal::new(Reason::SessionUnknown, detail);
        let number = self.open(Handle::Session, handle, &caller.session_key(), endpoint);
        let number = number.ok_or_else(|| unknown("the session's id was not given to this caller at this endpoint"))?;
        let session = self.sessions().get(&number).cloned();
        let session = session.ok_or_else(|| unknown("the session is over"))?;
        session.last_seen.store(now.0, Ordering::Relaxed);
        Ok(session)
    }

    /// Ends the sessions that `ends` picks, and returns them for their servers to be told.
    pub(crate) fn end(&self, ends: impl Fn(&Legacy) -> bool) -> Vec<Arc<Legacy>> {
        let mut ended = Vec::new();
        self.sessions().retain(|_, session| {
            let over = ends(session);
            if over {
                ended.push(Arc::clone(session));
            }
            !over
        });
        ended.iter().for_each(|session| session.end());
        ended
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.sessions().len()
    }

    /// A number nobody can guess, and the handle by which its owner gives it back.
    ///
    /// # Errors
    /// [`Reason::Internal`] when it cannot be sealed.
    pub(crate) fn seal(
        &self,
        what: Handle,
        owner: &SessionKey,
        endpoint: &EndpointName,
    ) -> Result<(u128, String), Refusal> {
        let number = self.entropy.bits();
        let handle = self.seal.seal(number, &bound(what, owner, endpoint));
        let handle = handle.ok_or_else(|| Refusal::new(Reason::Internal, "a handle could not be sealed"))?;
        Ok((number, handle))
    }

    /// The number of a handle, for whoever it was given to, where it was given.
    pub(crate) fn open(&self, what: Handle, handle: &str, owner: &SessionKey, endpoint: &EndpointName) -> Option<u128> {
        self.seal.open(handle, &bound(what, owner, endpoint))
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<u128, Arc<Legacy>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a handle is of: one of a line opens no session.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Handle {
    Session,
    Line,
}

/// What a handle is bound to: agent, user, what it is of, and endpoint.
fn bound(what: Handle, owner: &SessionKey, endpoint: &EndpointName) -> Vec<u8> {
    let what = match what {
        Handle::Session => "session",
        Handle::Line => "line",
    };
    holder::bound(owner, &[what, endpoint.as_str()])
}

/// A caller that begins more sessions than it may has its oldest one ended.
fn make_room(sessions: &mut HashMap<u128, Arc<Legacy>>, owner: &SessionKey) -> Option<Arc<Legacy>> {
    let own = sessions.values().filter(|session| session.owner == *owner);
    let (mut count, mut oldest) = (0_usize, None::<&Arc<Legacy>>);
    for session in own {
        count += 1;
        if oldest.is_none_or(|oldest| session.last_seen() < oldest.last_seen()) {
            oldest = Some(session);
        }
    }
    if count < limits::LEGACY_SESSIONS_PER_CALLER_MAX {
        return None;
    }
    let number = oldest?.number;
    let session = sessions.remove(&number)?;
    session.end();
    Some(session)
}

impl Legacy {
    /// What receipts call it: nothing that anybody could use.
    pub(crate) fn label(&self) -> String {
        format!("{:032x}", self.number)
    }

    /// Whose it is.
    pub(crate) fn owner(&self) -> &SessionKey {
        &self.owner
    }

    /// Where it was begun.
    pub(crate) fn endpoint(&self) -> &EndpointName {
        &self.endpoint
    }

    /// When it was last used.
    pub(crate) fn last_seen(&self) -> Timestamp {
        Timestamp(self.last_seen.load(Ordering::Relaxed))
    }

    /// When it was begun.
    pub(crate) fn began(&self) -> Timestamp {
        self.began
    }

    /// Whether the session is over.
    pub(crate) fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    /// Resolves when the session is over.
    pub(crate) async fn over(&self) {
        // An error would mean that the sender is gone, and with it the session.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }

    fn end(&self) {
        self.over.send_replace(true);
        let held = self.held();
        held.calls.values().for_each(|call| _ = call.taken_back.send_replace(true));
        held.streams.iter().for_each(|stream| stream.end());
        drop(held);
        self.aside.end();
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place for the gate's own session with a server: opened once by whoever comes first, the others wait.
    pub(crate) fn server(&self, server: &ServerName) -> Arc<OnceCell<Arc<upstream::Session>>> {
        let mut held = self.held();
        let place = held.servers.entry(server.clone()).or_default();
        if place.get().is_some_and(|session| session.is_over()) {
            *place = Arc::default();
        }
        Arc::clone(place)
    }

    /// The gate's own sessions with servers, as far as they are open.
    pub(crate) fn servers(&self) -> Vec<(ServerName, Arc<upstream::Session>)> {
        let held = self.held();
        let open = held.servers.iter().filter_map(|(name, place)| Some((name.clone(), Arc::clone(place.get()?))));
        open.collect()
    }

    /// Begins a stream that answers `request`. Streams that have ended are let go, the oldest first, when there are many.
    ///
    /// # Errors
    /// [`Reason::Overloaded`] when too many are open.
    pub(crate) fn stream(
        &self,
        request: Id,
        objects: Vec<Object>,
        pins: Vec<Option<Digest>>,
    ) -> Result<Arc<Replay>, Refusal> {
        let mut held = self.held();
        let kept = |held: &Held| held.streams.iter().map(|stream| stream.bytes()).sum::<usize>();
        while held.streams.len() >= limits::REPLAYS_PER_SESSION_MAX || kept(&held) >= limits::REPLAY_BYTES_MAX {
            let Some(ended) = held.streams.iter().position(|stream| stream.is_ended() && !stream.is_read()) else {
                break;
            };
            held.streams.remove(ended);
        }
        if held.streams.len() >= limits::REPLAYS_PER_SESSION_MAX {
            return Err(Refusal::new(Reason::Overloaded, "too many streams are open in this session"));
        }
        held.streams_begun += 1;
        let stream = Replay::new(held.streams_begun, Some(request), objects, pins, &self.budget);
        held.streams.push_back(Arc::clone(&stream));
        Ok(stream)
    }

    /// The stream of that number, if it is kept.
    pub(crate) fn find_stream(&self, number: u64) -> Option<Arc<Replay>> {
        if number == self.aside.number {
            return Some(Arc::clone(&self.aside));
        }
        self.held().streams.iter().find(|stream| stream.number == number).cloned()
    }

    /// Notes a call that the client may take back.
    ///
    /// # Errors
    /// [`Reason::ParamsInvalid`] when a call of this id is under way, [`Reason::Overloaded`] when too many are,
    /// [`Reason::SessionUnknown`] when the session has just ended.
    pub(crate) fn call(self: &Arc<Self>, id: &Id) -> Result<Call, Refusal> {
        let mut held = self.held();
        if self.is_over() {
            return Err(Refusal::new(Reason::SessionUnknown, "the session is over"));
        }
        if held.calls.len() >= limits::CALLS_PER_SESSION_MAX {
            return Err(Refusal::new(Reason::Overloaded, "too many calls are open in this session"));
        }
        let (sender, taken_back) = watch::channel(false);
        if let std::collections::hash_map::Entry::Vacant(place) = held.calls.entry(id.clone()) {
            place.insert(UnderWay { taken_back: sender, progress: None });
            return Ok(Call { session: Arc::clone(self), id: id.clone(), taken_back });
        }
        let detail = "a request with this id is under way in this session";
        Err(Refusal::new(Reason::ParamsInvalid, detail).with_hint("each request of a session has an id of its own"))
    }

    /// The client takes a call back. One that is not under way has ended meanwhile.
    pub(crate) fn take_back(&self, id: &Id) {
        if let Some(call) = self.held().calls.get(id) {
            call.taken_back.send_replace(true);
        }
    }

    /// Notes that a call goes to this server, which may tell of its progress under this token.
    pub(crate) fn goes_to(&self, id: &Id, server: &ServerName, token: &Id) {
        if let Some(call) = self.held().calls.get_mut(id) {
            call.progress = Some((server.clone(), token.clone()));
        }
    }

    /// Whether a call is open at this server whose progress goes by this token.
    pub(crate) fn progresses(&self, server: &ServerName, token: &Id) -> bool {
        let held = self.held();
        let mut promised = held.calls.values().filter_map(|call| call.progress.as_ref());
        promised.any(|(to, promised)| to == server && promised == token)
    }

    /// Notes a question and gives it the id by which the client is asked: servers' own ids could collide.
    ///
    /// # Errors
    /// [`Reason::Overloaded`] when too many wait for an answer.
    pub(crate) fn ask(&self, question: Open) -> Result<Id, Refusal> {
        let mut held = self.held();
        if held.questions.len() >= limits::QUESTIONS_MAX {
            return Err(Refusal::new(Reason::Overloaded, "too many questions wait for an answer in this session"));
        }
        held.questions_asked += 1;
        let number = held.questions_asked;
        held.questions.insert(number, question);
        Ok(Id::number(number))
    }

    /// Takes the question that the client answers by this id: each can be answered once.
    pub(crate) fn answered(&self, id: &Id) -> Option<Open> {
        self.held().questions.remove(&id.as_number()?)
    }

    /// Takes the question that a server takes back by its own id, with the id the client knows it by.
    pub(crate) fn withdrawn(&self, server: &ServerName, id: &Id) -> Option<Id> {
        let mut held = self.held();
        let number =
            held.questions.iter().find(|(_, open)| open.server == *server && open.id == *id).map(|(n, _)| *n)?;
        held.questions.remove(&number);
        Some(Id::number(number))
    }

    /// Notes that an elicitation was shown, so that its end may be told.
    pub(crate) fn elicited(&self, server: &ServerName, id: &str) {
        let mut held = self.held();
        if held.elicitations.len() < limits::QUESTIONS_MAX * 4 {
            held.elicitations.insert((server.clone(), id.to_owned()));
        }
    }

    /// Whether an elicitation of this id was shown for this server; it is forgotten.
    pub(crate) fn elicitation_ended(&self, server: &ServerName, id: &str) -> bool {
        self.held().elicitations.remove(&(server.clone(), id.to_owned()))
    }

    /// The resources that the client listens to at a server without sessions.
    pub(crate) fn listened(&self, server: &ServerName) -> BTreeSet<String> {
        self.held().listened.get(server).map(|(uris, _)| uris.clone()).unwrap_or_default()
    }

    /// Notes them, and who hears of them from now on; whoever did so before ends.
    pub(crate) fn listen_to(&self, server: &ServerName, uris: BTreeSet<String>, hears: Option<AbortHandle>) {
        let before = self.held().listened.insert(server.clone(), (uris, hears));
        if let Some((_, Some(before))) = before {
            before.abort();
        }
    }

    /// The least severe log message that the client wants.
    pub(crate) fn log_level(&self) -> Option<String> {
        self.held().log_level.clone()
    }

    /// Notes it.
    pub(crate) fn set_log_level(&self, level: &str) {
        self.held().log_level = Some(level.to_owned());
    }
}

impl Call {
    /// The session it belongs to.
    pub(crate) fn session(&self) -> &Arc<Legacy> {
        &self.session
    }

    /// The client's id of it.
    pub(crate) fn id(&self) -> &Id {
        &self.id
    }

    /// Resolves when the client takes the call back, or the session ends.
    pub(crate) fn taken_back(&self) -> impl Future<Output = ()> + use<> {
        let mut taken_back = self.taken_back.clone();
        async move {
            if taken_back.wait_for(|taken| *taken).await.is_err() {
                // The call has ended: nobody can take it back any more.
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.session.held().calls.remove(&self.id);
    }
}

#[cfg(test)]
mod tests;
