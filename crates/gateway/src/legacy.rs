//! Sessions of clients of the revisions before 2026-07-28, which keep one (MCP 2025-11-25, basic/lifecycle and
//! basic/transports).
//!
//! A session is what the client said at its beginning, the gate's own sessions with the servers behind its endpoint,
//! the streams it can read on, the calls it can take back and the questions it can answer. Its id is a sealed handle: good
//! for the agent and user that began it, at that endpoint, and authenticating nobody. Every message of it takes the whole
//! path, with a token of its own.

mod hear;
mod held;
mod read;
mod replay;
mod talk;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use identity::Seal;
use model::{Caller, EndpointName, Object, Reason, Refusal, ServerName, SessionKey, Timestamp, UserId, limits};
use tokio::sync::{mpsc, watch};
use wire::{Capabilities, Id, Revision};

use crate::holder;
use crate::line::Lines;

pub use hear::resources_changed;
pub(crate) use hear::{Asked, Progress, asked, notified, refused, tell_aside};
pub(crate) use held::Call;
use held::Held;
pub(crate) use read::{Keeping, read_on};
pub(crate) use replay::{Budget, Message, Reader, Replay};
pub(crate) use talk::end;
pub use talk::tend;
pub(crate) use talk::{
    Withdrawal, answer, askable, begin, delete, headers, heed, parting, session, set_level, tell, unopened,
};

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

    /// Every session there is.
    fn all(&self) -> Vec<Arc<Legacy>> {
        self.sessions().values().cloned().collect()
    }

    /// Those of agents that work for this person.
    pub(crate) fn of_user(&self, user: &UserId) -> Vec<Arc<Legacy>> {
        let sessions = self.sessions();
        sessions.values().filter(|session| session.owner.user.as_ref() == Some(user)).cloned().collect()
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
}

#[cfg(test)]
mod tests;
