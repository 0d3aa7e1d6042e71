//! Requests of the gate's own, and what servers answer to them.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value};
use wire::Id;
use wire::answer::{Incoming, Outcome, ResultType};
use wire::outgoing::Outgoing;

use crate::{Answer, Deadlines, Route, SendError, send};

/// Why a request of the gate's own was not answered.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No acceptable answer came.
    #[error("`{method}` was not answered")]
    Send {
        /// What was asked.
        method: &'static str,
        /// How it went wrong.
        #[source]
        source: SendError,
    },
    /// The server answered with an error.
    #[error("the server answered `{method}` with error {code}: {message}")]
    Answered {
        /// What was asked.
        method: &'static str,
        /// The JSON-RPC code.
        code: i64,
        /// The server's words, shortened and made printable.
        message: String,
    },
    /// The answer is not what the specification says it is.
    #[error("the answer to `{method}` is malformed: {what}")]
    Malformed {
        /// What was asked.
        method: &'static str,
        /// What is wrong. It never quotes the answer.
        what: String,
    },
}

/// A request's method and the id it carries.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) method: &'static str,
    pub(crate) id: Id,
}

impl Question {
    /// The question with this number; answers must carry the number back.
    pub(crate) fn new(method: &'static str, number: i64) -> Self {
        Self { method, id: Id::number(number) }
    }

    /// Asks, and reads the result.
    pub(crate) async fn ask(
        &self,
        route: &Route,
        credential: &impl Fn(&mut HeaderMap),
        outgoing: Outgoing,
    ) -> Result<Map<String, Value>, AskError> {
        match self.send(route, credential, outgoing, Deadlines::CALL).await? {
            Answer::Whole { body, .. } => match self.read(&body)? {
                Some(result) => Ok(result),
                None => Err(self.malformed("it is no response")),
            },
            Answer::Stream(mut stream) => {
                while let Some(message) = stream.next().await {
                    let message = message.map_err(|source| self.unsent(source))?;
                    if let Some(result) = self.read(&message)? {
                        return Ok(result);
                    }
                }
                Err(self.malformed("the stream ended without a response"))
            }
            Answer::Accepted => Err(self.malformed("it was taken as a notification")),
        }
    }

    pub(crate) async fn send(
        &self,
        route: &Route,
        credential: &impl Fn(&mut HeaderMap),
        outgoing: Outgoing,
        deadlines: Deadlines,
    ) -> Result<Answer, AskError> {
        let Outgoing { mut headers, body } = outgoing;
        credential(&mut headers);
        send(route, headers, body, deadlines).await.map_err(|source| self.unsent(source))
    }

    /// The result, if the message is the response; `None` for a notification, which may come before it.
    pub(crate) fn read(&self, message: &Bytes) -> Result<Option<Map<String, Value>>, AskError> {
        let incoming = wire::answer::read(message).map_err(|flaw| self.malformed(flaw.refusal.detail))?;
        let (id, outcome) = match incoming {
            Incoming::Response { id, outcome } => (id, outcome),
            Incoming::Notification(_) => return Ok(None),
            Incoming::Request { .. } => return Err(self.malformed("it asks a question back")),
        };
        // An error may lack the id when the server could not read it; a result never does.
        if id.as_ref().is_some_and(|id| *id != self.id) {
            return Err(self.malformed("it carries another request's id"));
        }
        match outcome {
            Outcome::Result { result_type: ResultType::Complete, raw, .. } => match serde_json::from_slice(&raw) {
                Ok(Value::Object(result)) => Ok(Some(result)),
                Ok(_) | Err(_) => Err(self.malformed("`result` is no object")),
            },
            Outcome::Result { result_type: ResultType::InputRequired { .. } | ResultType::Other(_), .. } => {
                Err(self.malformed("the result is not complete"))
            }
            Outcome::Error { code, message, .. } => {
                Err(AskError::Answered { method: self.method, code, message: printable(&message) })
            }
        }
    }

    pub(crate) fn malformed(&self, what: impl Into<String>) -> AskError {
        AskError::Malformed { method: self.method, what: what.into() }
    }

    pub(crate) fn unsent(&self, source: SendError) -> AskError {
        AskError::Send { method: self.method, source }
    }
}

/// The beginning of what a server said, safe to show.
pub(crate) fn printable(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
