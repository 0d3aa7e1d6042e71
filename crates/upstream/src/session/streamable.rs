//! A session over streamable HTTP (MCP 2025-11-25, basic/transports).
//!
//! It is over when the server answers 404. What was answered so was provably not carried out, and is not sent again here
//! either. A server may give no session id; then every message stands for itself, and nothing can be over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use model::limits;
use tokio::time::timeout;
use wire::header;

use crate::resume::Resume;
use crate::route::Address;
use crate::send::{begin, challenges, receive};
use crate::{Answer, Deadlines, Fault, SendError, Stream};

/// A session in which every message is a request of its own.
#[derive(Debug)]
pub(super) struct Streamable {
    address: Address,
    /// The server's name for it. It authenticates nobody, but is not for everybody's eyes either.
    id: Option<HeaderValue>,
    over: Arc<AtomicBool>,
}

impl Streamable {
    /// The session of that id, which has just begun.
    pub(super) fn new(address: Address, id: Option<HeaderValue>) -> Self {
        Self { address, id, over: Arc::default() }
    }

    /// Sends one message and waits for its answer, or for the beginning of a stream.
    pub(super) async fn send(
        &self,
        headers: HeaderMap,
        body: Bytes,
        deadlines: Deadlines,
    ) -> Result<Answer, SendError> {
        let resume = self.resume(self.streaming(&headers), deadlines);
        let request = self.address.post(self.name(headers), body);
        let response = self.begin(request, deadlines).await?;
        receive(response, deadlines, Some(resume)).await
    }

    /// Sends what has no answer.
    pub(super) async fn tell(&self, headers: HeaderMap, body: Bytes) -> Result<(), SendError> {
        let request = self.address.post(self.name(headers), body);
        let answer = self.begin(request, Deadlines::CALL).await?;
        let status = answer.status();
        match challenges(status, answer.headers()) {
            Some(challenges) => Err(SendError::Challenged { status, challenges }),
            None if status.is_success() => Ok(()),
            None => Err(Fault::Status { status }.into()),
        }
    }

    /// Opens the stream of what belongs to no answer. `None` if the server has none.
    pub(super) async fn listen(&self, headers: &HeaderMap) -> Result<Option<Stream>, SendError> {
        let headers = self.streaming(headers);
        let request = self.address.bare(Method::GET, headers.clone());
        let response = self.begin(request, Deadlines::SUBSCRIPTION).await?;
        // Without a session a server may know only POST, and say so in either way.
        if matches!(response.status(), StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND) {
            return Ok(None);
        }
        let resume = self.resume(headers, Deadlines::SUBSCRIPTION);
        match receive(response, Deadlines::SUBSCRIPTION, Some(resume)).await? {
            Answer::Stream(stream) => Ok(Some(stream)),
            Answer::Whole { status, .. } => Err(Fault::Status { status }.into()),
            Answer::Accepted => Err(Fault::Status { status: StatusCode::ACCEPTED }.into()),
        }
    }

    /// Tells the server that the session is over.
    pub(super) async fn close(&self, headers: &HeaderMap) {
        if self.over.swap(true, Ordering::Relaxed) || self.id.is_none() {
            return;
        }
        let request = self.address.bare(Method::DELETE, self.streaming(headers));
        let limit = Duration::from_millis(limits::PARTING_MILLISECONDS_MAX);
        // Servers may refuse to be told (405), and forget the session when its time is up.
        drop(timeout(limit, self.address.lane().send(request)).await);
    }

    /// Whether the session ended.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Sends a request of this session, and hears whether there still is one.
    async fn begin(
        &self,
        request: http::Request<http_body_util::Full<Bytes>>,
        deadlines: Deadlines,
    ) -> Result<http::Response<egress::Body>, SendError> {
        if self.is_over() {
            return Err(SendError::SessionOver);
        }
        let response = begin(&self.address, request, deadlines).await?;
        if response.status() == StatusCode::NOT_FOUND && self.id.is_some() {
            self.over.store(true, Ordering::Relaxed);
            return Err(SendError::SessionOver);
        }
        Ok(response)
    }

    /// Writes the session's id over whatever the headers say of one.
    fn name(&self, mut headers: HeaderMap) -> HeaderMap {
        match &self.id {
            Some(id) => headers.insert(header::SESSION_ID, id.clone()),
            None => headers.remove(header::SESSION_ID),
        };
        headers
    }

    /// The headers of a GET or DELETE with the credential and the revision that these have.
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
pub(super) fn session_id(headers: &HeaderMap) -> Result<Option<HeaderValue>, &'static str> {
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
