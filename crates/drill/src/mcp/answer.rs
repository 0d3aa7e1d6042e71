//! Reading an answer: one JSON document, or a stream of events with one message each.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

use super::ClientError;

/// Bytes of an answer this client reads at most: well above what the gate lets through, so that a gate that fails to
/// stop a long answer is caught by the test and not by the client.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// An answer that is still arriving. Dropping it closes the connection.
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The HTTP headers.
    pub headers: HeaderMap,
    body: Incoming,
    patience: Duration,
    form: Form,
    received: BytesMut,
    /// How far into `received` messages have been taken out.
    taken: usize,
    messages: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Events,
    Document,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// The HTTP headers.
    pub headers: HeaderMap,
    /// The message that answers, with `result` or `error`; `null` when there is none.
    pub json: Value,
    /// All messages, notifications included, in the order they came.
    pub messages: Vec<Value>,
    /// The body, byte for byte.
    pub body: Bytes,
}

impl Answer {
    pub(super) fn new(response: Response<Incoming>, patience: Duration) -> Self {
        let (parts, body) = response.into_parts();
        let events = parts
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        Self {
            status: parts.status,
            headers: parts.headers,
            body,
            patience,
            form: if events { Form::Events } else { Form::Document },
            received: BytesMut::new(),
            taken: 0,
            messages: 0,
        }
    }

    /// The next message; `None` when the answer has ended.
    ///
    /// # Errors
    /// When the answer breaks off, stalls, is too long, or holds something that is not JSON.
    pub async fn next(&mut self) -> Result<Option<Value>, ClientError> {
        loop {
            if let Some(message) = self.take_message()? {
                self.messages += 1;
                return Ok(Some(message));
            }
            if !self.receive().await? {
                return self.take_rest();
            }
        }
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// When the answer breaks off, stalls, or is too long. Only an event that is not JSON is an error; a body that is
    /// no JSON document is a reply without messages.
    pub async fn whole(mut self) -> Result<Reply, ClientError> {
        let mut messages = Vec::new();
        match self.form {
            Form::Events => {
                while let Some(message) = self.next().await? {
                    messages.push(message);
                }
            }
            Form::Document => {
                while self.receive().await? {}
                messages.extend(serde_json::from_slice::<Value>(&self.received));
            }
        }
        let answers = |message: &&Value| message.get("result").is_some() || message.get("error").is_some();
        let json = messages.iter().find(answers).cloned().unwrap_or_default();
        Ok(Reply { status: self.status, headers: self.headers, json, messages, body: self.received.freeze() })
    }

    /// Receives some more; false at the end.
    async fn receive(&mut self) -> Result<bool, ClientError> {
        let frame = tokio::time::timeout(self.patience, self.body.frame())
            .await
            .map_err(|_elapsed| ClientError::TooSlow { milliseconds: self.patience.as_millis() })?;
        let Some(frame) = frame else { return Ok(false) };
        let frame = frame.map_err(|source| ClientError::BrokenOff { messages: self.messages, source })?;
        if let Some(data) = frame.data_ref() {
            if self.received.len() + data.len() > ANSWER_BYTES_MAX {
                return Err(ClientError::TooLong { max: ANSWER_BYTES_MAX });
            }
            self.received.extend_from_slice(data);
        }
        Ok(true)
    }

    /// The next whole event's message. Comments and events without data are passed over.
    fn take_message(&mut self) -> Result<Option<Value>, ClientError> {
        if self.form == Form::Document {
            return Ok(None);
        }
        loop {
            let rest = self.received.get(self.taken..).unwrap_or_default();
            let Some((event, length)) = first_event(rest) else { return Ok(None) };
            let data = event_data(event);
            self.taken += length;
            if !data.is_empty() {
                return serde_json::from_slice(&data).map(Some).map_err(ClientError::NotJson);
            }
        }
    }

    /// What is left when the body has ended: the document itself, or nothing of a stream, since an event without its
    /// empty line never happened.
    fn take_rest(&mut self) -> Result<Option<Value>, ClientError> {
        match self.form {
            Form::Document if self.taken == 0 && !self.received.is_empty() => {
                self.taken = self.received.len();
                self.messages += 1;
                serde_json::from_slice(&self.received).map(Some).map_err(ClientError::NotJson)
            }
            Form::Document | Form::Events => Ok(None),
        }
    }
}

/// The lines of the first event and how many bytes it takes, its empty line included.
fn first_event(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let mut start = 0;
    loop {
        let line = bytes.get(start..)?.iter().position(|byte| *byte == b'\n')?;
        let end = start + line + 1;
        if matches!(bytes.get(start..end), Some(b"\n" | b"\r\n")) {
            return bytes.get(..start).map(|event| (event, end));
        }
        start = end;
    }
}

/// The event's `data` lines, joined.
fn event_data(event: &[u8]) -> Vec<u8> {
    let mut data: Vec<&[u8]> = Vec::new();
    for line in event.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(value) = line.strip_prefix(b"data:") {
            data.push(value.strip_prefix(b" ").unwrap_or(value));
        }
    }
    data.join(&b'\n')
}

impl Reply {
    /// The result, if the answer is one.
    pub fn result(&self) -> Option<&Value> {
        self.json.get("result")
    }

    /// The JSON-RPC error, if the answer is one.
    pub fn error(&self) -> Option<&Value> {
        self.json.get("error")
    }

    /// The JSON-RPC error's code.
    pub fn error_code(&self) -> Option<i64> {
        self.error()?.get("code")?.as_i64()
    }

    /// The JSON-RPC error's message.
    pub fn error_message(&self) -> Option<&str> {
        self.error()?.get("message")?.as_str()
    }

    /// Whether a tool ran, or says so, and failed: `isError`.
    pub fn is_tool_error(&self) -> bool {
        self.result().and_then(|result| result.get("isError")) == Some(&Value::Bool(true))
    }

    /// The texts of a tool's result, one to a line.
    pub fn text(&self) -> String {
        let blocks = self.result().and_then(|result| result.get("content")).and_then(Value::as_array);
        let texts = blocks.into_iter().flatten().filter_map(|block| block.get("text")?.as_str());
        texts.collect::<Vec<_>>().join("\n")
    }

    /// A tool's structured result.
    pub fn structured(&self) -> Option<&Value> {
        self.result()?.get("structuredContent")
    }

    /// The names in a listing's `kind`: `tools` or `prompts`.
    pub fn names(&self, kind: &str) -> Vec<&str> {
        let items = self.result().and_then(|result| result.get(kind)).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(|item| item.get("name")?.as_str()).collect()
    }
}
