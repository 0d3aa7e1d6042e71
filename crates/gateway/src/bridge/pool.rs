//! The gate's own sessions with servers, for callers that keep none.
//!
//! A session is for one agent and user, at one endpoint, with one server, and for clients that can be asked the same: what
//! a server learns in it is never another caller's. Calls of one caller share it, as they would if the caller kept it. It is
//! opened by the call that needs it, and ended when nobody has needed it for a while, or when people stop its caller.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use model::{Behalf, Digest, EndpointName, Reason, Refusal, ServerName, SessionKey, Timestamp, limits};
use serde_json::{Value, json};
use tokio::sync::{OnceCell, mpsc, watch};
use upstream::{Route, SendError};
use wire::answer::{self, Incoming, Question};
use wire::{Id, bridge, reply};

use crate::controls::credential;
use crate::controls::halted::Running;
use crate::gate::Gate;
use crate::legacy;
use crate::register::{self, Direction, Path};

/// How often it is looked whether something was said.
const LOOK: Duration = Duration::from_millis(10);
/// What waits on one call.
const ASIDES_MAX: usize = 16;
/// Of these places, those that only questions take.
const ASIDES_OF_QUESTIONS: usize = 4;

/// Whose a session is, and with whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    owner: SessionKey,
    endpoint: EndpointName,
    server: ServerName,
    /// Where the server is: one that moved is another.
    url: String,
    /// What the client can be asked.
    capabilities: Digest,
}

impl Key {
    /// On whose behalf the gate says something by itself there.
    fn behalf(&self) -> Behalf {
        Behalf::from(&self.owner)
    }
}

/// Every session of the gate's own, bounded.
#[derive(Default)]
pub(super) struct Pool {
    sessions: Mutex<HashMap<Key, Arc<Kept>>>,
}

/// One session.
pub(super) struct Kept {
    key: Key,
    open: OnceCell<Arc<upstream::Session>>,
    began: Timestamp,
    last_used: AtomicU64,
    over: watch::Sender<bool>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// The calls that are open, by their numbers, and where they hear what the server says beside its answers.
    calls: HashMap<i64, mpsc::Sender<Aside>>,
    /// The least severe log message that the server was asked for.
    level: Option<usize>,
}

/// What a server said beside its answers, on the stream that answers nothing.
pub(super) enum Aside {
    /// It asks something.
    Question { id: Id, question: Question },
    /// It tells of the call's progress: the whole message.
    Progress(Bytes),
}

/// A call's place in its session; it is given back when dropped.
pub(super) struct Place {
    pub(super) kept: Arc<Kept>,
    pub(super) session: Arc<upstream::Session>,
    number: i64,
}

impl Pool {
    /// The caller's session with a server, for a client that can be asked what `capabilities` say; opened if there is none.
    pub(super) async fn session(
        &self,
        gate: &Arc<Gate>,
        running: &Running,
        route: &Route,
        capabilities: &Value,
    ) -> Result<Arc<Kept>, Refusal> {
        let digest = Digest::of_json(capabilities);
        let key = Key {
            owner: running.caller.session_key(),
            endpoint: running.door.name.clone(),
            server: route.server.clone(),
            url: route.url().map(ToString::to_string).unwrap_or_default(),
            capabilities: digest.map_err(|error| Refusal::new(Reason::ParamsInvalid, error.to_string()))?,
        };
        let kept = self.place(key, gate.clock.now())?;
        let opened = kept.open.get_or_try_init(|| open(gate, running, &kept, route, capabilities)).await;
        opened.map(|_| ())?;
        Ok(kept)
    }

    /// The place of a session; one that is over makes room for another.
    fn place(&self, key: Key, now: Timestamp) -> Result<Arc<Kept>, Refusal> {
        let mut sessions = self.sessions();
        if let Some(kept) = sessions.get(&key).filter(|kept| !kept.is_over()) {
            kept.last_used.store(now.0, Ordering::Relaxed);
            return Ok(Arc::clone(kept));
        }
        let mut own: Vec<&Arc<Kept>> = sessions.values().filter(|kept| kept.key.owner == key.owner).collect();
        if own.len() >= limits::BRIDGE_SESSIONS_PER_CALLER_MAX {
            own.retain(|kept| kept.is_idle());
            let oldest = own.iter().min_by_key(|kept| kept.last_used.load(Ordering::Relaxed));
            let full =
                || Refusal::new(Reason::Overloaded, "the caller has too many calls open at servers with sessions");
            let oldest = oldest.map(|kept| kept.key.clone()).ok_or_else(full)?;
            if let Some(ended) = sessions.remove(&oldest) {
                ended.over.send_replace(true);
            }
        }
        if sessions.len() >= limits::BRIDGE_SESSIONS_MAX {
            return Err(Refusal::new(Reason::Overloaded, "every place for a session of the gate's own is taken"));
        }
        let kept = Arc::new(Kept {
            key: key.clone(),
            open: OnceCell::new(),
            began: now,
            last_used: AtomicU64::new(now.0),
            over: watch::Sender::new(false),
            held: Mutex::default(),
        });
        sessions.insert(key, Arc::clone(&kept));
        Ok(kept)
    }

    /// Ends sessions that nobody needs, those of callers and endpoints that are halted, and those of servers that are
    /// somewhere else now, and tells their servers.
    pub(super) fn sweep(&self, gate: &Arc<Gate>) {
        let (now, halted, snapshot) = (gate.clock.now(), gate.halts.current(), gate.snapshots.load());
        let since = |at: u64| now.milliseconds_since(Timestamp(at));
        self.sessions().retain(|key, kept| {
            let door = snapshot.endpoints.get(&key.endpoint);
            let there = door.is_some_and(|door| door.is_at(&key.server, &key.url));
            let ends = kept.is_over()
                || (kept.is_idle()
                    && since(kept.last_used.load(Ordering::Relaxed)) > limits::BRIDGE_IDLE_MILLISECONDS_MAX)
                || (kept.is_idle() && since(kept.began.0) > limits::LEGACY_AGE_MILLISECONDS_MAX)
                || !there
                || halted.stops_session(&key.owner, &key.endpoint).is_some();
            if ends {
                // Whoever listens in it tells the server.
                kept.over.send_replace(true);
            }
            !ends
        });
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.sessions().len()
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<Key, Arc<Kept>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// A place for a call of this number, with where it hears what the server says beside its answers.
    pub(super) fn call(self: &Arc<Self>, number: i64) -> Result<(Place, mpsc::Receiver<Aside>), Refusal> {
        let Some(session) = self.open.get().filter(|_| !self.is_over()) else {
            return Err(Refusal::new(Reason::ServerUnreachable, "the gate's session with the server is over"));
        };
        let (sender, asides) = mpsc::channel(ASIDES_MAX);
        let mut held = self.held();
        if held.calls.len() >= limits::CALLS_PER_SESSION_MAX {
            return Err(Refusal::new(Reason::Overloaded, "too many calls of the caller are open at this server"));
        }
        held.calls.insert(number, sender);
        drop(held);
        Ok((Place { kept: Arc::clone(self), session: Arc::clone(session), number }, asides))
    }

    /// Has the server say what this client wants to read in its log, unless it says that already.
    pub(super) async fn heed_level(&self, gate: &Gate, level: &str) {
        let (Some(wanted), Some(session)) = (bridge::severity(level), self.open.get()) else { return };
        let before = self.held().level;
        if before.is_some_and(|before| before <= wanted) {
            return;
        }
        if let Ok(headers) = legacy::headers(&gate.snapshots.load(), &self.key.server, &self.key.behalf()).await {
            legacy::set_level(session, headers, level).await;
            self.held().level = Some(wanted);
        }
    }

    fn is_over(&self) -> bool {
        *self.over.borrow() || self.open.get().is_some_and(|session| session.is_over())
    }

    fn is_idle(&self) -> bool {
        self.held().calls.is_empty()
    }

    /// The one call that is open, to which whatever the server asks belongs.
    fn sole(&self) -> Option<mpsc::Sender<Aside>> {
        let held = self.held();
        let mut calls = held.calls.values();
        calls.next().filter(|_| held.calls.len() == 1).cloned()
    }

    /// Tells a call of its progress, unless it is behind with what it was told.
    fn tell_progress(&self, number: i64, message: Bytes) {
        if let Some(call) = self.held().calls.get(&number)
            && call.capacity() > ASIDES_OF_QUESTIONS
        {
            // It may have ended just now.
            let _ = call.try_send(Aside::Progress(message));
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// What is known of the call, which went wrong.
    pub(super) fn refusal(&self, gate: &Gate, error: &SendError) -> Refusal {
        let key = &self.kept.key;
        credential::refusal(&gate.snapshots.load().keys, &key.server, &key.behalf(), None, error)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.kept.held().calls.remove(&self.number);
    }
}

async fn open(
    gate: &Arc<Gate>,
    running: &Running,
    kept: &Arc<Kept>,
    route: &Route,
    capabilities: &Value,
) -> Result<Arc<upstream::Session>, Refusal> {
    let behalf = running.caller.behalf();
    let credential = running.snapshot.keys.ready(&route.server, &behalf).await?;
    let write = |headers: &mut http::HeaderMap| {
        if let Some(credential) = &credential {
            credential.write(headers);
        }
    };
    let opened = upstream::Session::open(route, capabilities, write).await;
    let opened = Arc::new(opened.map_err(|error| legacy::unopened(gate, &route.server, &behalf, &error))?);
    tokio::spawn(hear(Arc::clone(gate), Arc::clone(kept), Arc::clone(&opened)));
    Ok(opened)
}

/// Hears what a server says beside its answers for as long as the session lasts, and tells it of the end.
async fn hear(gate: Arc<Gate>, kept: Arc<Kept>, session: Arc<upstream::Session>) {
    let mut over = kept.over.subscribe();
    let listening = async {
        listen(&gate, &kept, &session).await;
        // The server has no more to say unasked; the session goes on.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = over.wait_for(|over| *over) => {}
        () = listening => {}
    }
    last_words(&session).await;
    if let Ok(headers) = legacy::parting(&gate.snapshots.load(), &kept.key.server, &kept.key.behalf()) {
        // A server that does not answer ends the session when its own time is up.
        let patience = Duration::from_millis(limits::CLOSE_MILLISECONDS_MAX);
        let _ = tokio::time::timeout(patience, session.close(headers)).await;
    }
}

/// Waits a little until what is being said in a session, that its calls are taken back above all, has been said.
async fn last_words(session: &Arc<upstream::Session>) {
    // The pool and whoever waits here hold it too.
    let said = async {
        while Arc::strong_count(session) > 2 {
            tokio::time::sleep(LOOK).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_millis(limits::PARTING_MILLISECONDS_MAX), said).await;
}

async fn listen(gate: &Arc<Gate>, kept: &Arc<Kept>, session: &Arc<upstream::Session>) {
    let (server, behalf) = (&kept.key.server, kept.key.behalf());
    let Ok(headers) = legacy::headers(&gate.snapshots.load(), server, &behalf).await else { return };
    let mut stream = match session.listen(headers).await {
        Ok(Some(stream)) => stream,
        Ok(None) => return,
        Err(error) => {
            tracing::debug!(%server, %error, "a server says nothing unasked");
            return;
        }
    };
    while let Some(Ok(bytes)) = stream.next().await {
        match answer::read(&bytes) {
            // Servers should tell of progress in the answer, but there are those that do not.
            Ok(Incoming::Notification(notification)) if notification.method == "notifications/progress" => {
                if let Some(number) = notification.progress_token.as_ref().and_then(Id::as_number) {
                    kept.tell_progress(number, bytes);
                }
            }
            Ok(Incoming::Notification(notification)) => {
                let row = register::find(&notification.method, Direction::ToAgent, session.revision());
                if row.is_some_and(|row| row.path == Path::Heeded) {
                    // Full means that a check of this and other servers is under way already.
                    let _ = gate.heed.try_send(server.clone());
                }
            }
            Ok(Incoming::Request { id, question }) if question.method == "ping" => {
                legacy::tell(gate, server, behalf.clone(), Arc::clone(session), reply::result(&id, &json!({})));
            }
            Ok(Incoming::Request { id, question }) => {
                // With several calls open nobody knows which of them it is about.
                let put =
                    kept.sole().is_some_and(|call| call.try_send(Aside::Question { id: id.clone(), question }).is_ok());
                if !put {
                    let told = legacy::refused(&id, Reason::ReleaseRefused);
                    legacy::tell(gate, server, behalf.clone(), Arc::clone(session), told);
                }
            }
            // An answer to nothing, or nothing that can be read.
            Ok(Incoming::Response { .. }) | Err(_) => {}
        }
    }
}
