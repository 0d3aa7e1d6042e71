//! Requests of the gate's own, and what servers answer to them.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};
use wire::answer::{Incoming, Outcome, ResultType};
use wire::outgoing::{self, Outgoing};
use wire::{Id, Revision, reply};

use crate::local::Process;
use crate::{Answer, Deadlines, Fault, Route, SendError, Session, Stream, Unsent, send};

/// Writes the server's credential into headers.
pub(crate) type Credential<'a> = &'a (dyn Fn(&mut HeaderMap) + Send + Sync);

const METHOD_NOT_FOUND: i32 = -32601;
const VERSION_UNSUPPORTED: i64 = -32022;

/// What a question is put through.
#[derive(Clone, Copy)]
pub(crate) enum Line<'a> {
    /// A server of 2026-07-28.
    Stateless(&'a Route, Credential<'a>),
    /// A session with a server of 2025-11-25 or before.
    Session(&'a Session, Credential<'a>),
    /// A running local server, whichever it speaks.
    Process(&'a Arc<Process>),
}

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
    /// The server does not speak the revision it was asked in.
    #[error("the server answered `{method}` that it speaks {supported:?}")]
    Version {
        /// What was asked.
        method: &'static str,
        /// What it speaks, shortened and made printable.
        supported: Vec<String>,
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

/// What a message says to whoever asked.
pub(crate) enum Heard {
    /// The result.
    Result(Map<String, Value>),
    /// A notification, which may come before it.
    Notification,
    /// A question back, by its id and method.
    Question(Id, String),
}

impl AskError {
    /// Whether the server chose an older revision than it spoke when people approved it: a reason to look at all it says.
    pub fn is_downgrade(&self) -> bool {
        let Self::Send { source, .. } = self else { return false };
        matches!(source, SendError::NotSent { cause: Unsent::Downgraded { .. } })
    }

    /// How the question or its answer went wrong on the way, if that is what went wrong.
    pub fn sent(&self) -> Option<&SendError> {
        match self {
            Self::Send { source, .. } => Some(source),
            Self::Answered { .. } | Self::Version { .. } | Self::Malformed { .. } => None,
        }
    }

    /// Whether a status came in place of an answer, and is such a one.
    pub(crate) fn is_status(&self, is_such: impl Fn(StatusCode) -> bool) -> bool {
        let Self::Send { source: SendError::Unknown { fault: Fault::Status { status } }, .. } = self else {
            return false;
        };
        is_such(*status)
    }
}

impl Line<'_> {
    /// The revision that is spoken.
    pub(crate) fn revision(self) -> Revision {
        match self {
            Self::Stateless(..) => Revision::V2026_07_28,
            Self::Session(session, _) => session.revision(),
            Self::Process(process) => process.revision(),
        }
    }

    async fn send(self, outgoing: Outgoing, deadlines: Deadlines) -> Result<Answer, SendError> {
        let Outgoing { mut headers, body } = outgoing;
        match self {
            Self::Stateless(route, credential) => {
                credential(&mut headers);
                send(route, headers, body, deadlines).await
            }
            Self::Session(session, credential) => {
                credential(&mut headers);
                session.send(headers, body, deadlines).await
            }
            Self::Process(process) => process.call(body, deadlines).await,
        }
    }

    /// Answers a question that the server asks the gate: there is nothing the gate can be asked but whether it is there.
    ///
    /// # Errors
    /// When questions cannot be answered, because there are none in this revision.
    pub(crate) async fn answer(self, id: &Id, method: &str) -> Result<(), &'static str> {
        match self {
            Self::Stateless(..) | Self::Process(_) => Err("it asks a question back"),
            Self::Session(session, credential) => {
                let mut headers = outgoing::session_headers(session.revision(), None);
                credential(&mut headers);
                // Whether it hears that is its own affair: the answer that is waited for may come nevertheless.
                drop(session.tell(headers, answer_for(id, method)).await);
                Ok(())
            }
        }
    }
}

/// The gate's answer to a question that is put to it, and not to a client.
pub(crate) fn answer_for(id: &Id, method: &str) -> Bytes {
    match method {
        "ping" => reply::result(id, &json!({})),
        _ => reply::error(Some(id), METHOD_NOT_FOUND, "the gate can be asked nothing here", None),
    }
}

impl Question {
    /// The question with this number; answers must carry the number back.
    pub(crate) fn new(method: &'static str, number: i64) -> Self {
        Self { method, id: Id::number(number) }
    }

    /// Asks, and reads the result.
    pub(crate) async fn ask(&self, line: Line<'_>, outgoing: Outgoing) -> Result<Map<String, Value>, AskError> {
        match self.send(line, outgoing, Deadlines::CALL).await? {
            Answer::Stream(stream) => self.follow(stream, Some(line)).await,
            answer @ (Answer::Whole { .. } | Answer::Accepted) => self.settle(answer).await,
        }
    }

    pub(crate) async fn send(
        &self,
        line: Line<'_>,
        outgoing: Outgoing,
        deadlines: Deadlines,
    ) -> Result<Answer, AskError> {
        line.send(outgoing, deadlines).await.map_err(|source| self.unsent(source))
    }

    /// Reads the result from an answer in which nothing can be asked back.
    pub(crate) async fn settle(&self, answer: Answer) -> Result<Map<String, Value>, AskError> {
        match answer {
            Answer::Whole { status, body } => match self.read(&body) {
                Ok(Heard::Result(result)) => Ok(result),
                Ok(Heard::Notification | Heard::Question(..)) => Err(self.malformed("it is no response")),
                // Documents of a web server that knows nothing of MCP may be JSON too.
                Err(AskError::Malformed { .. }) if !status.is_success() => {
                    Err(self.unsent(Fault::Status { status }.into()))
                }
                Err(error) => Err(error),
            },
            Answer::Stream(stream) => self.follow(stream, None).await,
            Answer::Accepted => Err(self.malformed("it was taken as a notification")),
        }
    }

    async fn follow(&self, mut stream: Stream, line: Option<Line<'_>>) -> Result<Map<String, Value>, AskError> {
        while let Some(message) = stream.next().await {
            let message = message.map_err(|source| self.unsent(source))?;
            match (self.read(&message)?, line) {
                (Heard::Result(result), _) => return Ok(result),
                (Heard::Notification, _) => {}
                (Heard::Question(id, method), Some(line)) => {
                    line.answer(&id, &method).await.map_err(|what| self.malformed(what))?;
                }
                (Heard::Question(..), None) => return Err(self.malformed("it asks a question back")),
            }
        }
        Err(self.malformed("the stream ended without a response"))
    }

    /// Reads one message.
    pub(crate) fn read(&self, message: &Bytes) -> Result<Heard, AskError> {
        let incoming = wire::answer::read(message).map_err(|flaw| self.malformed(flaw.refusal.detail))?;
        let (id, outcome) = match incoming {
            Incoming::Response { id, outcome } => (id, outcome),
            Incoming::Notification(_) => return Ok(Heard::Notification),
            Incoming::Request { id, question } => return Ok(Heard::Question(id, question.method)),
        };
        // An error may lack the id when the server could not read it; a result never does. Servers of 2025-11-25 also
        // make ids up for errors of their transport.
        let strange = id.as_ref().is_some_and(|id| *id != self.id);
        if strange && !matches!(&outcome, Outcome::Error { .. }) {
            return Err(self.malformed("it carries another request's id"));
        }
        match outcome {
            Outcome::Result { result_type: ResultType::Complete, raw, .. } => match serde_json::from_slice(&raw) {
                Ok(Value::Object(result)) => Ok(Heard::Result(result)),
                Ok(_) | Err(_) => Err(self.malformed("`result` is no object")),
            },
            Outcome::Result { result_type: ResultType::InputRequired { .. } | ResultType::Other(_), .. } => {
                Err(self.malformed("the result is not complete"))
            }
            Outcome::Error { code: VERSION_UNSUPPORTED, raw, .. } => Err(self.version(&supported(&raw))),
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

    pub(crate) fn version(&self, supported: &[String]) -> AskError {
        let supported = supported.iter().take(10).map(|version| printable(version)).collect();
        AskError::Version { method: self.method, supported }
    }
}

/// The revisions that an error about revisions lists.
fn supported(raw: &Bytes) -> Vec<String> {
    let error: Value = serde_json::from_slice(raw).unwrap_or_default();
    let listed = error.pointer("/data/supported").and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The beginning of what a server said, safe to show.
pub(crate) fn printable(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
