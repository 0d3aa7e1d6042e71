//! The gate's session with a server of 2025-11-25 or before (basic/lifecycle, basic/transports).
//!
//! A session begins with the client's capabilities, in the revision that the server chooses when it is asked for the
//! newest, and ends when somebody says so: the gate by [`Session::close`], or the server. It goes over one of three lines:
//!
//! - [`streamable`]: every message is a request of its own, since 2025-03-26;
//! - [`events`]: messages are posted, and everything that the server says comes on one stream, as 2024-11-05 has it;
//! - a process that the gate started: there is one handshake for it, which others use too, and no stream beside the answers.

mod endpoint;
mod events;
mod streamable;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use model::limits;
use serde_json::{Map, Value};
use tokio::time::timeout;
use wire::outgoing::{self, Outgoing};
use wire::{Revision, header};

use crate::ask::{Credential, Question};
use crate::route::{Address, Way};
use crate::send::{begin, receive};
use crate::{Answer, AskError, Deadlines, Fault, Local, Route, SendError, Stream, Unsent};

use events::Held;
use streamable::Streamable;

/// The gate's session with one server, on behalf of one client.
#[derive(Debug)]
pub struct Session {
    with: With,
    revision: Revision,
}

#[derive(Debug)]
enum With {
    Streamable(Streamable),
    Events(Held),
    Local(Arc<Local>),
}

/// What a server said to `initialize`, and the line on which it said so.
struct Hello {
    with: With,
    answer: Result<Answer, SendError>,
}

impl Session {
    /// Opens a session in which the server may ask what `capabilities` (a JSON object) say. `credential` writes the
    /// server's credential into the headers.
    ///
    /// # Errors
    /// When the server does not take part in the handshake, or chooses a revision that the gate does not speak. With
    /// [`Unsent::Downgraded`] when it chooses one older than the route has it ([`Route::speaking_at_least`]); see
    /// [`AskError::is_downgrade`].
    pub async fn open(
        route: &Route,
        capabilities: &Value,
        credential: impl Fn(&mut HeaderMap) + Send + Sync,
    ) -> Result<Self, AskError> {
        Self::greet(route, capabilities, &credential).await.map(|(session, _)| session)
    }

    /// The same, with what the server said of itself.
    pub(crate) async fn greet(
        route: &Route,
        capabilities: &Value,
        credential: Credential<'_>,
    ) -> Result<(Self, Map<String, Value>), AskError> {
        let question = Question::new("initialize", 0);
        let address = match route.way() {
            Way::Http(address) => address,
            Way::Local(local) => {
                local.wake().await.map_err(|source| question.unsent(source))?;
                let session = Self { with: With::Local(Arc::clone(local)), revision: local.revision() };
                return Ok((session, Map::new()));
            }
        };
        let limit = Duration::from_millis(limits::OPENING_MILLISECONDS_MAX);
        let opening = Self::over(address, &question, route.oldest(), capabilities, credential);
        let late = |_| Err(question.unsent(Fault::HeadTimedOut { after: limit }.into()));
        timeout(limit, opening).await.unwrap_or_else(late)
    }

    /// The same with a server that is reached at an address.
    async fn over(
        address: &Address,
        question: &Question,
        oldest: Option<Revision>,
        capabilities: &Value,
        credential: Credential<'_>,
    ) -> Result<(Self, Map<String, Value>), AskError> {
        let Hello { with, answer } = hello(address, question, capabilities, credential).await?;
        // Until the server has chosen one, no message names a revision.
        let mut session = Self { with, revision: Revision::V2024_11_05 };
        let begun = session.settle(question, answer, oldest, credential).await;
        if begun.is_err() {
            // The server may have begun a session that nobody will use.
            session.part(credential).await;
        }
        begun.map(|said| (session, said))
    }

    /// Reads what the server said, and finishes the handshake in the revision it chose.
    async fn settle(
        &mut self,
        question: &Question,
        answer: Result<Answer, SendError>,
        oldest: Option<Revision>,
        credential: Credential<'_>,
    ) -> Result<Map<String, Value>, AskError> {
        let said = question.settle(answer.map_err(|source| question.unsent(source))?).await?;
        let found = agreed(question, &said)?;
        if let Some(pinned) = oldest.filter(|oldest| found < *oldest) {
            return Err(question.unsent(Unsent::Downgraded { found, pinned }.into()));
        }
        self.revision = found;
        if let With::Events(held) = &self.with {
            held.events.agreed(found);
        }
        let Outgoing { mut headers, body } = outgoing::initialized();
        credential(&mut headers);
        self.tell(headers, body).await.map_err(|source| question.unsent(source))?;
        Ok(said)
    }

    /// The revision that the server chose.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Sends one message, once. `headers` are complete but for the session's; the session's id and revision are written
    /// over whatever they say. Over streamable HTTP, a stream that breaks off before its answer is read on.
    ///
    /// Over streamable HTTP, dropping the future or the stream does not cancel a call: that is a message of its own,
    /// [`wire::outgoing::cancelled`], for [`Session::tell`]. On other lines dropping it says so, and telling it does no
    /// harm.
    ///
    /// # Errors
    /// [`SendError::SessionOver`] if the server ended the session; otherwise as for [`crate::send()`].
    pub async fn send(&self, headers: HeaderMap, body: Bytes, deadlines: Deadlines) -> Result<Answer, SendError> {
        let headers = self.name(headers);
        let answer = match &self.with {
            With::Streamable(streamable) => streamable.send(headers, body, deadlines).await?,
            With::Events(held) => held.events.send(headers, body, deadlines).await?,
            With::Local(local) => return local.send(body, deadlines).await,
        };
        Ok(if self.revision.batches() { unbatched(answer, deadlines) } else { answer })
    }

    /// Sends a notification, or the answer to a question of the server. A local server is told nothing: others use it
    /// too, and it asks nobody.
    ///
    /// # Errors
    /// [`SendError::SessionOver`] if the server ended the session; otherwise as for [`crate::send()`].
    pub async fn tell(&self, headers: HeaderMap, body: Bytes) -> Result<(), SendError> {
        let headers = self.name(headers);
        match &self.with {
            With::Streamable(streamable) => streamable.tell(headers, body).await,
            With::Events(held) => held.events.tell(headers, body).await,
            With::Local(_) => Ok(()),
        }
    }

    /// Opens the stream on which the server says what belongs to no answer. `None` if it has none, as local servers do; over
    /// HTTP+SSE there is one, for whoever opens it first.
    ///
    /// # Errors
    /// [`SendError::SessionOver`] if the server ended the session; otherwise as for [`crate::send()`].
    pub async fn listen(&self, headers: HeaderMap) -> Result<Option<Stream>, SendError> {
        let stream = match &self.with {
            With::Streamable(streamable) => streamable.listen(&self.name(headers)).await?,
            With::Events(held) => held.events.listen()?,
            With::Local(_) => None,
        };
        Ok(if self.revision.batches() { stream.map(Stream::with_batches) } else { stream })
    }

    /// Tells the server that the session is over. Whether it hears that is its own affair.
    pub async fn close(&self, headers: HeaderMap) {
        match &self.with {
            With::Streamable(streamable) => streamable.close(&self.name(headers)).await,
            With::Events(held) => held.close(),
            With::Local(_) => {}
        }
    }

    /// Whether the session ended: closed here, or said to be over by the server.
    pub fn is_over(&self) -> bool {
        match &self.with {
            With::Streamable(streamable) => streamable.is_over(),
            With::Events(held) => held.events.is_over(),
            With::Local(_) => false,
        }
    }

    pub(crate) async fn part(&self, credential: Credential<'_>) {
        let mut headers = HeaderMap::new();
        credential(&mut headers);
        self.close(headers).await;
    }

    /// Writes the session's revision over whatever the headers say of one; none where messages do not name it.
    fn name(&self, mut headers: HeaderMap) -> HeaderMap {
        if self.revision.has_version_header() {
            headers.insert(header::PROTOCOL_VERSION, http::HeaderValue::from_static(self.revision.as_str()));
        } else {
            headers.remove(header::PROTOCOL_VERSION);
        }
        headers
    }
}

/// Says `initialize` to a server, on the line that it has. One that does not know how it is spoken to over streamable
/// HTTP may be of HTTP+SSE, and shows it by how it answers a GET (2025-11-25, basic/transports, backwards compatibility).
async fn hello(
    address: &Address,
    question: &Question,
    capabilities: &Value,
    credential: Credential<'_>,
) -> Result<Hello, AskError> {
    let Outgoing { mut headers, body } = outgoing::initialize(&question.id, capabilities);
    credential(&mut headers);
    if address.is_of_events() {
        match events::open(address, question, credential).await {
            Ok(held) => return on_events(held, headers, body).await,
            Err(error) if !error.is_status(is_none_of_streamable) => return Err(error),
            // It is not what it was, so it is found out anew.
            Err(_) => address.note_events(false),
        }
    }
    let request = address.post(headers.clone(), body.clone());
    let response = begin(address, request, Deadlines::CALL).await.map_err(|source| question.unsent(source))?;
    let status = response.status();
    let id = streamable::session_id(response.headers()).map_err(|what| question.malformed(what))?;
    let answer = receive(response, Deadlines::CALL, None).await;
    if is_none_of_streamable(status) {
        match events::open(address, question, credential).await {
            Ok(held) => {
                address.note_events(true);
                return on_events(held, headers, body).await;
            }
            // It begins as such a server does, and then says what none may.
            Err(error @ AskError::Malformed { .. }) => return Err(error),
            // It is none of these either, so what it said first is what counts.
            Err(_) => {}
        }
    }
    Ok(Hello { with: With::Streamable(Streamable::new(address.clone(), id)), answer })
}

async fn on_events(held: Held, headers: HeaderMap, body: Bytes) -> Result<Hello, AskError> {
    let answer = held.events.send(headers, body, Deadlines::CALL).await;
    Ok(Hello { with: With::Events(held), answer })
}

/// The answers of servers that do not know streamable HTTP.
fn is_none_of_streamable(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
}

/// The messages of an answer in a revision with batches, one by one.
fn unbatched(answer: Answer, deadlines: Deadlines) -> Answer {
    match answer {
        Answer::Whole { status, body } => match crate::batch::split(&body) {
            Some(messages) if status.is_success() => Answer::Stream(Stream::whole(messages, deadlines)),
            Some(_) | None => Answer::Whole { status, body },
        },
        Answer::Stream(stream) => Answer::Stream(stream.with_batches()),
        Answer::Accepted => Answer::Accepted,
    }
}

/// The revision that the server chose: any that has a handshake.
pub(crate) fn agreed(question: &Question, result: &Map<String, Value>) -> Result<Revision, AskError> {
    match result.get("protocolVersion").and_then(Value::as_str) {
        Some(version) => {
            let spoken = Revision::parse(version).filter(|revision| revision.has_sessions());
            spoken.ok_or_else(|| question.version(&[version.to_owned()]))
        }
        None => Err(question.malformed("`protocolVersion` is no text")),
    }
}

#[cfg(test)]
mod tests;
