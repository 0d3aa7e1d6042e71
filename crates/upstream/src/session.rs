//! The gate's own session with a server of 2025-11-25.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::ask::Question;
use crate::{Answer, AskError, Deadlines, Route, SendError, Stream};

/// A session with a server of 2025-11-25. None can be opened yet, so no endpoint is served in that revision.
#[derive(Debug)]
pub struct Session(std::convert::Infallible);

impl Session {
    /// Opens a session in which the server may ask what `capabilities` say.
    ///
    /// # Errors
    /// Always.
    pub async fn open(
        route: &Route,
        capabilities: &Value,
        credential: impl Fn(&mut HeaderMap) + Send + Sync,
    ) -> Result<Self, AskError> {
        let (_, _) = (capabilities, credential);
        Err(Question::new("initialize", 1).malformed(format!("`{}` is not spoken to in this revision", route.server)))
    }

    /// Sends a request.
    ///
    /// # Errors
    /// As [`crate::send`].
    pub async fn send(&self, _: HeaderMap, _: Bytes, _: Deadlines) -> Result<Answer, SendError> {
        match self.0 {}
    }

    /// Sends what needs no answer.
    ///
    /// # Errors
    /// As [`crate::send`].
    pub async fn tell(&self, _: HeaderMap, _: Bytes) -> Result<(), SendError> {
        match self.0 {}
    }

    /// What the server says unasked.
    ///
    /// # Errors
    /// As [`crate::send`].
    pub async fn listen(&self, _: HeaderMap) -> Result<Option<Stream>, SendError> {
        match self.0 {}
    }

    /// Ends it.
    pub async fn close(&self, _: HeaderMap) {
        match self.0 {}
    }

    /// Whether the server ended it.
    pub fn is_over(&self) -> bool {
        match self.0 {}
    }
}

impl Route {
    /// Whether the server is a process that the gate starts.
    pub fn is_local(&self) -> bool {
        false
    }
}
