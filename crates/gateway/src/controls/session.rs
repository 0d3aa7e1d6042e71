//! The session of this agent working for this user; for a client that keeps a session of its own, that one too.

use std::sync::Arc;

use flow::{Session, Sessions};
use model::{Reason, Refusal, Timestamp};
use wire::{Capabilities, Request, Revision};

use crate::controls::connect::{Connected, Spoken};
use crate::legacy::{Legacies, Legacy};

/// A connected caller with its session.
pub(crate) struct Present {
    pub(crate) connected: Connected,
    pub(crate) session: Arc<Session>,
    /// The revision that is spoken: the session's, where there is one.
    pub(crate) revision: Revision,
    /// The session that the client keeps; none for clients that keep none, and for one that begins it.
    pub(crate) legacy: Option<Arc<Legacy>>,
}

impl Present {
    /// What the client of this request can do: it said so when its session began, or says so each time.
    pub(crate) fn capabilities<'a>(&'a self, request: &'a Request) -> &'a Capabilities {
        self.legacy.as_ref().map_or(&request.meta.client_capabilities, |session| &session.capabilities)
    }
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

/// Enters the session, bounded in number. An id of a session that is not this caller's is that of no session. A message of
/// a client's session speaks the revision that was agreed on for it, and may not say otherwise.
pub(crate) fn run(
    sessions: &Sessions,
    legacies: &Legacies,
    connected: Connected,
    claim: Claim<'_>,
    spoken: &Spoken<'_>,
    agreed: Revision,
    now: Timestamp,
) -> Result<Present, Refusal> {
    let legacy = match claim {
        Claim::Stateless | Claim::Begins => None,
        Claim::Belongs(None) => return Err(Refusal::new(Reason::SessionMissing, "no Mcp-Session-Id")),
        Claim::Belongs(Some(handle)) => {
            let legacy = legacies.find(handle, &connected.caller, &connected.door.name, now)?;
            as_agreed(legacy.revision, spoken, connected.door.revisions())?;
            Some(legacy)
        }
    };
    let session = sessions.enter(connected.caller.session_key(), now)?;
    let revision = legacy.as_ref().map_or(agreed, |legacy| legacy.revision);
    Ok(Present { connected, session, revision, legacy })
}

/// Whether a message speaks the revision that was agreed on for its session, and the endpoint serves that still. Sessions of
/// a revision that is served no more are ended soon after; no message of theirs passes until then.
fn as_agreed(agreed: Revision, spoken: &Spoken<'_>, mut served: impl Iterator<Item = Revision>) -> Result<(), Refusal> {
    if !served.any(|revision| revision == agreed) {
        return Err(Refusal::new(Reason::SessionUnknown, "the session's revision is not served here any more"));
    }
    if spoken.is_named && spoken.revision != agreed {
        let detail = format!("a message of {} in a session of {agreed}", spoken.revision);
        let hint = format!("`MCP-Protocol-Version` is not {agreed}, as agreed");
        return Err(Refusal::new(Reason::HeaderMismatch, detail).with_hint(hint));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
