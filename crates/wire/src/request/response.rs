//! A client's answer to a server's question, which in 2025-11-25 is a message of its own.

use bytes::Bytes;
use http::HeaderMap;

use super::not_json_rpc;
use super::spoken::spoken;
use crate::answer::{self, Outcome};
use crate::json::Strict;
use crate::{Flaw, Id, Revision, header};

/// An agent's response to a request that a server sent. Parts of the body are slices of it, not copies.
#[derive(Debug, Clone)]
pub struct Response {
    /// The revision, which has sessions.
    pub revision: Revision,
    /// The session it belongs to, by its header.
    pub session: Option<String>,
    /// The id of the server's request.
    pub id: Id,
    /// What it says: a result, which is always complete, or an error.
    pub outcome: Outcome,
    /// The whole body, as it came.
    pub body: Bytes,
}

impl Response {
    pub(super) fn read(headers: &HeaderMap, body: &Bytes, strict: &Strict<'_>, id: Option<Id>) -> Result<Self, Flaw> {
        let revision = spoken(headers, None)?.filter(|revision| revision.has_sessions());
        let revision = revision.ok_or_else(|| not_json_rpc("clients send no responses"))?;
        let read = || {
            if headers.contains_key(header::METHOD) || headers.contains_key(header::NAME) {
                return Err(header::mismatch("a response has neither method nor name"));
            }
            let session = header::session(headers)?;
            let id = id.ok_or_else(|| not_json_rpc("a response needs the `id` of its request"))?;
            let outcome = answer::of_client(strict, body)?;
            Ok(Self { revision, session, id, outcome, body: body.clone() })
        };
        read().map_err(|flaw: Flaw| flaw.with_revision(revision))
    }
}

#[cfg(test)]
mod tests;
