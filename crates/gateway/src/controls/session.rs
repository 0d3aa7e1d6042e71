//! The session of this agent working for this user; for a client that keeps a session of its own, that one too.

use std::sync::Arc;

use flow::{Session, Sessions};
use model::{Reason, Refusal, Timestamp};
use wire::Revision;

use crate::controls::connect::Connected;
use crate::legacy::{Legacies, Legacy};

/// A connected caller with its session.
pub(crate) struct Present {
    pub(crate) connected: Connected,
    pub(crate) session: Arc<Session>,
    /// The session that the client keeps; none for clients that keep none, and for one that begins it.
    pub(crate) legacy: Option<Arc<Legacy>>,
}

/// What a message says of a session of the client's.
#[derive(Clone, Copy)]
pub(crate) enum Claim<'a> {
    /// It is of a revision without sessions.
    Stateless,
    /// It begins one.
    Begins,
    /// It belongs to the one with this id, if it names one.
    Belongs(Option<&'a str>),
}

impl<'a> Claim<'a> {
    /// The claim of a message of that revision and method.
    pub(crate) fn of(revision: Revision, method: Option<&str>, session: Option<&'a str>) -> Self {
        match (revision.has_sessions(), method) {
            (false, _) => Self::Stateless,
            (true, Some("initialize")) => Self::Begins,
            (true, _) => Self::Belongs(session),
        }
    }
}

/// Enters the session, bounded in number. An id of a session that is not this caller's is that of no session.
pub(crate) fn run(
    sessions: &Sessions,
    legacies: &Legacies,
    connected: Connected,
    claim: Claim<'_>,
    now: Timestamp,
) -> Result<Present, Refusal> {
    let legacy = match claim {
        Claim::Stateless | Claim::Begins => None,
        Claim::Belongs(None) => return Err(Refusal::new(Reason::SessionMissing, "no Mcp-Session-Id")),
        Claim::Belongs(Some(handle)) => Some(legacies.find(handle, &connected.caller, &connected.door.name, now)?),
    };
    let session = sessions.enter(connected.caller.session_key(), now)?;
    Ok(Present { connected, session, legacy })
}
