//! What a session holds: its own sessions with servers, the streams that can be read on, the calls that can be taken back,
//! the questions that wait for an answer, and what the client listens to.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use model::{Digest, Object, Reason, Refusal, ServerName, limits};
use tokio::sync::{OnceCell, watch};
use tokio::task::AbortHandle;
use wire::Id;

use super::{Legacy, Open, Replay};

/// What a session holds.
#[derive(Default)]
pub(super) struct Held {
    servers: HashMap<ServerName, Arc<OnceCell<Arc<upstream::Session>>>>,
    pub(super) streams: VecDeque<Arc<Replay>>,
    streams_begun: u64,
    pub(super) calls: HashMap<Id, UnderWay>,
    questions: HashMap<i64, Open>,
    questions_asked: i64,
    /// Pages that were shown, by the server that showed them and its id of them.
    elicitations: HashSet<(ServerName, String)>,
    log_level: Option<String>,
    /// Resources that the client listens to at servers without sessions, and whoever hears of them.
    listened: HashMap<ServerName, (BTreeSet<String>, Option<AbortHandle>)>,
}

/// A call that has not been answered.
pub(super) struct UnderWay {
    pub(super) taken_back: watch::Sender<bool>,
    /// The server it went to, and the token under which that may tell of its progress.
    progress: Option<(ServerName, Id)>,
}

/// A call that the client may take back; forgotten when dropped.
pub(crate) struct Call {
    session: Arc<Legacy>,
    id: Id,
    taken_back: watch::Receiver<bool>,
}

impl Legacy {
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
        if let Entry::Vacant(place) = held.calls.entry(id.clone()) {
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

    /// The ids with this beginning of what was shown for this server; they are forgotten.
    pub(crate) fn elicitations_ended(&self, server: &ServerName, beginning: &str) -> Vec<String> {
        let is_one = |(of, id): &(ServerName, String)| of == server && id.starts_with(beginning);
        self.held().elicitations.extract_if(is_one).map(|(_, id)| id).collect()
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
