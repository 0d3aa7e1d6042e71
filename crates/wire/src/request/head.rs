//! A request without a body: GET, which opens or reads on a stream of a session, and DELETE, which ends the session
//! (MCP 2025-11-25, basic/transports).

use http::HeaderMap;
use model::{Reason, Refusal, limits};

use super::spoken::spoken;
use crate::{Flaw, Revision, header};

/// What the headers of a GET or DELETE say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The revision, which has sessions.
    pub revision: Revision,
    /// The session.
    pub session: String,
    /// The last event that the client heard of the stream it wants to read on.
    pub last_event_id: Option<String>,
}

/// Reads the headers of a GET or DELETE.
///
/// # Errors
/// A [`Flaw`] with [`Reason::MethodNotAllowed`] when the revision has no sessions, or nothing says which it is; with
/// [`Reason::VersionUnsupported`] when it is not spoken here; with [`Reason::SessionMissing`] when no session is named; and
/// with [`Reason::HeaderMismatch`] when a header is there twice or malformed.
pub fn read_head(headers: &HeaderMap) -> Result<Head, Flaw> {
    let revision = spoken(headers, None)?.filter(|revision| revision.has_sessions());
    let without = || Flaw::new(Reason::MethodNotAllowed, "only sessions of 2025-11-25 have streams to get or end");
    let revision = revision.ok_or_else(without)?;
    let read = || {
        let unnamed = || Refusal::new(Reason::SessionMissing, "a GET or DELETE without a session");
        let session = header::session(headers)?.ok_or_else(unnamed)?;
        Ok(Head { revision, session, last_event_id: last_event_id(headers)? })
    };
    read().map_err(|flaw: Flaw| flaw.with_revision(revision))
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<String>, Flaw> {
    let id = header::sole(headers, &header::LAST_EVENT_ID)?;
    if id.is_some_and(|id| id.is_empty() || id.len() > limits::EVENT_ID_BYTES_MAX) {
        return Err(header::mismatch("`last-event-id` is no event's id"));
    }
    Ok(id.map(str::to_owned))
}

#[cfg(test)]
mod tests;
