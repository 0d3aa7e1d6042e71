//! The gate's session with a server of 2025-11-25 (basic/lifecycle, basic/transports).
//!
//! A session begins with the client's capabilities and ends when somebody says so: the gate by [`Session::close`], the
//! server by answering 404. What was answered so was provably not carried out, and is not sent again here either. A
//! server may give no session id; then every message stands for itself, and nothing can be over.
//!
//! With a local server there is one handshake for its process, which others use too, and no session: messages go to the
//! process, and there is no stream beside them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use model::limits;
use serde_json::{Map, Value};
use tokio::time::timeout;
use wire::outgoing::{self, Outgoing};
use wire::{Revision, header};

use crate::ask::{Credential, Question};
use crate::resume::Resume;
use crate::route::{Address, Way};
use crate::send::{begin, receive};
use crate::{Answer, AskError, Deadlines, Fault, Local, Route, SendError, Stream};

/// The gate's session with one server, on behalf of one client.
#[derive(Debug)]
pub struct Session {
    with: With,
}

#[derive(Debug)]
enum With {
    Server(Remote),
    Local(Arc<Local>),
}

/// A session over the network.
#[derive(Debug)]
struct Remote {
    address: Address,
    /// The server's name for it. It authenticates nobody, but is not for everybody's eyes either.
    id: Option<HeaderValue>,
    over: Arc<AtomicBool>,
}

/// What a server says at the beginning of a session.
#[derive(Debug, Default)]
pub(crate) struct Greeting {
    pub(crate) result: Map<String, Value>,
}

impl Session {
    /// Opens a session in which the server may ask what `capabilities` (a JSON object) say. `credential` writes the
    /// server's credential into the headers.
    ///
    /// # Errors
    /// When the server does not take part in the handshake, or speaks another revision.
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
    ) -> Result<(Self, Greeting), AskError> {
        let question = Question::new("initialize", 0);
        let address = match route.way() {
            Way::Http(address) => address.clone(),
            Way::Local(local) => {
                local.wake().await.map_err(|source| question.unsent(source))?;
                return Ok((Self { with: With::Local(Arc::clone(local)) }, Greeting::default()));
            }
        };
        let Outgoing { mut headers, body } = outgoing::initialize(&question.id, capabilities);
        credential(&mut headers);
        let request = address.post(headers, body);
        let response = begin(&address, request, Deadlines::CALL).await.map_err(|source| question.unsent(source))?;
        let id = session_id(response.headers()).map_err(|what| question.malformed(what))?;
        let answer = receive(response, Deadlines::CALL, None).await.map_err(|source| question.unsent(source))?;
        let session = Self { with: With::Server(Remote { address, id, over: Arc::default() }) };
        let begun = async {
            let result = question.settle(answer).await?;
            agreed(&question, &result)?;
            let Outgoing { mut headers, body } = outgoing::initialized();
            credential(&mut headers);
            session.tell(headers, body).await.map_err(|source| question.unsent(source))?;
            Ok(Greeting { result })
        };
        match begun.await {
            Ok(greeting) => Ok((session, greeting)),
            Err(error) => {
                // The server may have begun a session that nobody will use.
                session.part(credential).await;
                Err(error)
            }
        }
    }

    /// Sends one message, once. `headers` are complete but for the session's; the session's id and revision are written
    /// over whatever they say. A stream that breaks off before its answer is read on.
    ///
    /// Dropping the future or the stream does not cancel a call in this revision over the network: that is a message of
    /// its own, [`wire::outgoing::cancelled`], for [`Session::tell`].
    ///
    /// # Errors
    /// [`SendError::SessionOver`] if the server ended the session; otherwise as for [`crate::send()`].
    pub async fn send(&self, headers: HeaderMap, body: Bytes, deadlines: Deadlines) -> Result<Answer, SendError> {
        match &self.with {
            With::Server(remote) => remote.send(headers, body, deadlines).await,
            With::Local(local) => local.send(body, deadlines).await,
        }
    }

    /// Sends a notification, or the answer to a question of the server. A local server is told nothing: others use it
    /// too, and it asks nobody.
    ///
    /// # Errors
    /// [`SendError::SessionOver`] if the server ended the session; otherwise as for [`crate::send()`].
    pub async fn tell(&self, headers: HeaderMap, body: Bytes) -> Result<(), SendError> {
        let With::Server(remote) = &self.with else {
            return Ok(());
        };
        let request = remote.address.post(remote.name(headers), body);
        let status = remote.begin(request, Deadlines::CALL).await?.status();
        if status.is_success() { Ok(()) } else { Err(Fault::Status { status }.into()) }
    }

    /// Opens the stream on which the server says what belongs to no answer. `None` if it has none, as local servers do.
    ///
    /// # Errors
    /// [`SendError::SessionOver`] if the server ended the session; otherwise as for [`crate::send()`].
    pub async fn listen(&self, headers: HeaderMap) -> Result<Option<Stream>, SendError> {
        let With::Server(remote) = &self.with else {
            return Ok(None);
        };
        let headers = remote.streaming(&headers);
        let request = remote.address.bare(Method::GET, headers.clone());
        let response = remote.begin(request, Deadlines::SUBSCRIPTION).await?;
        // Without a session a server may know only POST, and say so in either way.
        if matches!(response.status(), StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND) {
            return Ok(None);
        }
        let resume = remote.resume(headers, Deadlines::SUBSCRIPTION);
        match receive(response, Deadlines::SUBSCRIPTION, Some(resume)).await? {
            Answer::Stream(stream) => Ok(Some(stream)),
            Answer::Whole { status, .. } => Err(Fault::Status { status }.into()),
            Answer::Accepted => Err(Fault::Status { status: StatusCode::ACCEPTED }.into()),
        }
    }

    /// Tells the server that the session is over. Whether it hears that is its own affair.
    pub async fn close(&self, headers: HeaderMap) {
        let With::Server(remote) = &self.with else { return };
        if remote.over.swap(true, Ordering::Relaxed) || remote.id.is_none() {
            return;
        }
        let request = remote.address.bare(Method::DELETE, remote.streaming(&headers));
        let limit = Duration::from_millis(limits::PARTING_MILLISECONDS_MAX);
        // Servers may refuse to be told (405), and forget the session when its time is up.
        drop(timeout(limit, remote.address.lane().send(request)).await);
    }

    /// Whether the session ended: closed here, or said to be over by the server.
    pub fn is_over(&self) -> bool {
        match &self.with {
            With::Server(remote) => remote.over.load(Ordering::Relaxed),
            With::Local(_) => false,
        }
    }

    pub(crate) async fn part(&self, credential: Credential<'_>) {
        let mut headers = HeaderMap::new();
        credential(&mut headers);
        self.close(headers).await;
    }
}

impl Remote {
    async fn send(&self, headers: HeaderMap, body: Bytes, deadlines: Deadlines) -> Result<Answer, SendError> {
        let resume = self.resume(self.streaming(&headers), deadlines);
        let request = self.address.post(self.name(headers), body);
        let response = self.begin(request, deadlines).await?;
        receive(response, deadlines, Some(resume)).await
    }

    /// Sends a request of this session, and hears whether there still is one.
    async fn begin(
        &self,
        request: http::Request<http_body_util::Full<Bytes>>,
        deadlines: Deadlines,
    ) -> Result<http::Response<hyper::body::Incoming>, SendError> {
        if self.over.load(Ordering::Relaxed) {
            return Err(SendError::SessionOver);
        }
        let response = begin(&self.address, request, deadlines).await?;
        if response.status() == StatusCode::NOT_FOUND && self.id.is_some() {
            self.over.store(true, Ordering::Relaxed);
            return Err(SendError::SessionOver);
        }
        Ok(response)
    }

    /// Writes the session's id and revision over whatever the headers say of them.
    fn name(&self, mut headers: HeaderMap) -> HeaderMap {
        let revision = Revision::V2025_11_25.as_str();
        headers.insert(header::PROTOCOL_VERSION, HeaderValue::from_static(revision));
        match &self.id {
            Some(id) => headers.insert(header::SESSION_ID, id.clone()),
            None => headers.remove(header::SESSION_ID),
        };
        headers
    }

    /// The headers of a GET or DELETE with the credential that these have.
    fn streaming(&self, headers: &HeaderMap) -> HeaderMap {
        let mut headers = headers.clone();
        headers.remove(http::header::CONTENT_TYPE);
        headers.remove(http::header::CONTENT_LENGTH);
        headers.insert(http::header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        self.name(headers)
    }

    fn resume(&self, headers: HeaderMap, deadlines: Deadlines) -> Resume {
        Resume::new(self.address.clone(), headers, deadlines.head, Arc::clone(&self.over))
    }
}

/// The session's id: one, of visible ASCII, within its bound.
fn session_id(headers: &HeaderMap) -> Result<Option<HeaderValue>, &'static str> {
    let mut values = headers.get_all(header::SESSION_ID).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let within = (1..=limits::SESSION_ID_BYTES_MAX).contains(&value.len());
    if values.next().is_some() || !within || !value.as_bytes().iter().all(u8::is_ascii_graphic) {
        return Err("its session id is none");
    }
    let mut id = value.clone();
    id.set_sensitive(true);
    Ok(Some(id))
}

/// Whether the revision that the server chose is the one it was asked for.
pub(crate) fn agreed(question: &Question, result: &Map<String, Value>) -> Result<(), AskError> {
    match result.get("protocolVersion").and_then(Value::as_str) {
        Some(version) if version == Revision::V2025_11_25.as_str() => Ok(()),
        Some(other) => Err(question.version(&[other.to_owned()])),
        None => Err(question.malformed("`protocolVersion` is no text")),
    }
}

#[cfg(test)]
mod tests;
