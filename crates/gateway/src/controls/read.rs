//! What was said? The body, strictly; that headers say the same; that the register knows the method.

use bytes::Bytes;
use http::HeaderMap;
use model::{Reason, Refusal};
use wire::{Flaw, Request, Revision, Said, Subject};

use crate::register::{self, Direction, Row};

/// The revisions that endpoints are served in.
pub(crate) const SERVED: &[Revision] = &[Revision::V2026_07_28];

/// A message that every reader reads alike, of a method that may pass.
pub(crate) struct Message {
    pub(crate) request: Request,
    pub(crate) row: &'static Row,
}

/// Reads one message.
pub(crate) fn run(headers: &HeaderMap, body: &Bytes) -> Result<Message, Flaw> {
    let request = match wire::read(headers, body).map_err(|flaw| flaw.at(SERVED))? {
        Said::Request(request) => *request,
        Said::Response(_) => return Err(Refusal::new(Reason::NotJsonRpc, "clients send no responses").into()),
    };
    if !SERVED.contains(&request.revision) {
        let requested = match &request.subject {
            Subject::Initialize { version } => version,
            Subject::Tool { .. }
            | Subject::Prompt { .. }
            | Subject::Resource { .. }
            | Subject::Completion { .. }
            | Subject::Subscription { .. }
            | Subject::Cancelled { .. }
            | Subject::Progress { .. }
            | Subject::LogLevel { .. }
            | Subject::None => request.revision.as_str(),
        };
        return Err(Flaw::version_unsupported(requested, SERVED).with_id(request.id));
    }
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
    Ok(Message { request, row })
}

fn about(request: &Request, refusal: Refusal) -> Flaw {
    Flaw::from(refusal).with_id(request.id.clone())
}
