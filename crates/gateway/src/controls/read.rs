//! What was said? The body, strictly; that headers say the same; that the register knows the method.

use bytes::Bytes;
use http::HeaderMap;
use model::{Reason, Refusal};
use wire::{Flaw, Request, Response, Revision, Subject};

use crate::register::{self, About, Direction, Row};
use crate::search::Phrasing;
use crate::tasks;

/// A message that every reader reads alike, of a method that may pass.
pub(crate) struct Message {
    pub(crate) request: Box<Request>,
    pub(crate) row: &'static Row,
    /// How it came to say what it says.
    pub(crate) phrasing: Phrasing,
}

impl Message {
    /// The same message in the revision that was agreed on for it, if its method passes there.
    pub(crate) fn agree(&mut self, revision: Revision) -> Result<(), Flaw> {
        self.request.revision = revision;
        if self.row.revisions.contains(&revision) {
            return Ok(());
        }
        Err(about(&self.request, Refusal::new(Reason::MethodUnknown, "the method is of another revision")))
    }
}

/// What a client posts.
pub(crate) enum Said {
    /// A request or a notification.
    Message(Message),
    /// The answer to a server's question (2025-11-25).
    Answer(Box<Response>),
}

/// Reads one message.
pub(crate) fn run(headers: &HeaderMap, body: &Bytes) -> Result<Said, Flaw> {
    let request = match wire::read(headers, body)? {
        wire::Said::Request(request) => request,
        wire::Said::Response(response) => return Ok(Said::Answer(response)),
    };
    let Some(row) = register::find(&request.method, Direction::ToServer, request.revision) else {
        return Err(about(&request, Refusal::new(Reason::MethodUnknown, "the method is not in the register")));
    };
    // A request wants an answer and a notification does not; the other way round, neither side knows what to expect.
    if request.id.is_some() == row.method.starts_with("notifications/") {
        return Err(about(
            &request,
            Refusal::new(Reason::NotJsonRpc, "a notification with an id, or a request without one"),
        ));
    }
    let follows = matches!(&request.subject, Subject::Subscription { task_ids, .. } if !task_ids.is_empty());
    if row.about == About::Task || follows {
        let (id, revision) = (request.id.clone(), request.revision);
        tasks::declared(&request.meta.client_capabilities).map_err(|flaw| flaw.with_id(id).with_revision(revision))?;
    }
    if request.task.is_some() {
        let refusal = Refusal::new(Reason::ParamsInvalid, "a call that wants to become a task");
        return Err(about(&request, refusal.with_hint("`task` was not offered: tasks are of 2026-07-28 here")));
    }
    Ok(Said::Message(Message { request, row, phrasing: Phrasing::Direct }))
}

fn about(request: &Request, refusal: Refusal) -> Flaw {
    Flaw::from(refusal).with_id(request.id.clone()).with_revision(request.revision)
}
