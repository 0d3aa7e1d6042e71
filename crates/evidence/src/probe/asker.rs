//! Sending one question within all bounds, and reading as much of its answer as is worth reading.

use std::time::Duration;

use bytes::Bytes;
use egress::EgressError;
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt as _, Full};
use model::limits;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::{Target, whole};

/// A question.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// Its shape, for people.
    pub(super) shape: String,
    pub(super) method: Method,
    /// Where it goes; the server's own URL if nothing is said.
    pub(super) url: Option<Uri>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    /// Whether the gate's credential is with it. Never, where `url` is another host.
    pub(super) presents: bool,
}

/// What came.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) end: End,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// As answers do, or with what was asked for.
    Whole,
    /// It was larger than what is read.
    TooLarge,
    /// It had not ended when its time was up.
    Endless,
    /// The connection broke.
    Broken,
}

/// Why nothing came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Missed {
    /// Nothing more is asked: questions, bytes or time are used up.
    Spent(&'static str),
    /// It did not begin to answer in time.
    Silent,
    /// There was no connection, or it broke.
    Failed(String),
}

impl Missed {
    /// In words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Spent(what) => format!("not asked: {what}"),
            Self::Silent => "no answer in time".to_owned(),
            Self::Failed(why) => why.clone(),
        }
    }
}

/// Asks one server, within what all questions together may take.
pub(super) struct Asker<'a> {
    target: &'a Target<'a>,
    until: Instant,
    pub(super) asked: usize,
    pub(super) bytes: usize,
    /// Where it would have led somebody who follows.
    pub(super) redirects: Vec<(String, String)>,
}

impl<'a> Asker<'a> {
    pub(super) fn new(target: &'a Target<'a>) -> Self {
        let until = Instant::now() + Duration::from_millis(limits::PROBE_MILLISECONDS_MAX);
        Self { target, until, asked: 0, bytes: 0, redirects: Vec::new() }
    }

    /// Why nothing more is asked, if so.
    pub(super) fn spent(&self) -> Option<&'static str> {
        if self.asked >= limits::PROBE_REQUESTS_MAX {
            return Some("it was asked as often as is allowed");
        }
        if self.bytes >= limits::PROBE_BYTES_MAX {
            return Some("it answered as much as is read");
        }
        (Instant::now() >= self.until).then_some("the time was up")
    }

    pub(super) async fn ask(&mut self, question: &Question) -> Result<Heard, Missed> {
        if let Some(why) = self.spent() {
            return Err(Missed::Spent(why));
        }
        let request = self.request(question)?;
        self.asked += 1;
        let own = Instant::now() + Duration::from_millis(limits::PROBE_ANSWER_MILLISECONDS_MAX);
        let until = own.min(self.until);
        let response = match timeout_at(until, self.target.lane.send(request)).await {
            Err(_) => return Err(Missed::Silent),
            Ok(Err(error)) => return Err(Missed::Failed(why(&error))),
            Ok(Ok(response)) => response,
        };
        let (head, mut body) = response.into_parts();
        if let Some(to) = head.headers.get(LOCATION).filter(|_| head.status.is_redirection()) {
            let to = String::from_utf8_lossy(to.as_bytes()).into_owned();
            self.redirects.push((question.shape.clone(), to));
        }
        let mut heard =
            Heard { status: head.status.as_u16(), headers: head.headers, body: Vec::new(), end: End::Whole };
        loop {
            if heard.is_events() && whole::message(&heard).is_some() {
                break;
            }
            match timeout_at(until, body.frame()).await {
                Err(_) => heard.end = End::Endless,
                Ok(None) => {}
                Ok(Some(Err(_))) => heard.end = End::Broken,
                Ok(Some(Ok(frame))) => {
                    let data = frame.data_ref().cloned().unwrap_or_default();
                    let room = limits::PROBE_ANSWER_BYTES_MAX.saturating_sub(heard.body.len());
                    self.bytes = self.bytes.saturating_add(data.len());
                    heard.body.extend_from_slice(data.get(..room).unwrap_or(&data));
                    if data.len() <= room {
                        continue;
                    }
                    heard.end = End::TooLarge;
                }
            }
            break;
        }
        // Whatever is left of it is not read: dropping it closes the connection.
        Ok(heard)
    }

    fn request(&self, question: &Question) -> Result<Request<Full<Bytes>>, Missed> {
        let Question { shape: _, method, url, headers, body, presents } = question;
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = method.clone();
        let url = url.as_ref().unwrap_or(self.target.url);
        *request.uri_mut() = url.clone();
        let written = request.headers_mut();
        written.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        if !body.is_empty() {
            written.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if *presents {
            // INVARIANT: a question that presents goes to the server's own URL, by its own name.
            let elsewhere = url != self.target.url || headers.iter().any(|(name, _)| *name == http::header::HOST);
            let presents = self.target.presents.filter(|_| !elsewhere);
            let Some(presents) = presents else {
                return Err(Missed::Failed("the gate has no credential for this".to_owned()));
            };
            presents.write(written);
        }
        for (name, value) in headers {
            written.insert(name.clone(), value.clone());
        }
        Ok(request)
    }
}

/// Why it was not reached, with all its causes.
fn why(error: &EgressError) -> String {
    model::with_causes(error)
}

impl Heard {
    /// Whether it is a stream of events.
    pub(super) fn is_events(&self) -> bool {
        let kind = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream")
    }

    /// What a header says.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What it comes down to.
    pub(super) fn said(&self) -> Said {
        match whole::message(self) {
            Some(Value::Object(mut members)) if (200..300).contains(&self.status) => match members.remove("result") {
                Some(result) => Said::Result(result),
                None => Said::Error(members.get("error").and_then(code)),
            },
            Some(message) => match self.status {
                401 | 403 => Said::Refused,
                _ => Said::Error(message.get("error").and_then(code)),
            },
            None if matches!(self.status, 401 | 403) => Said::Refused,
            None => Said::Other,
        }
    }

    /// In words: `401`, `200 with a result`.
    pub(super) fn words(&self) -> String {
        let end = match self.end {
            End::Whole => "",
            End::TooLarge => ", and more than is read",
            End::Endless => ", and no end in time",
            End::Broken => ", and broke off",
        };
        let said = match self.said() {
            Said::Result(_) => " with a result".to_owned(),
            Said::Error(Some(code)) => format!(" with error {code}"),
            Said::Error(None) => " with an error".to_owned(),
            Said::Refused | Said::Other => String::new(),
        };
        format!("{}{said}{end}", self.status)
    }
}

fn code(error: &Value) -> Option<i64> {
    error.get("code")?.as_i64()
}

/// What an answer comes down to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    /// It answered.
    Result(Value),
    /// It understood the question, and does not answer it.
    Error(Option<i64>),
    /// Whoever asks may not.
    Refused,
    /// Nothing of MCP.
    Other,
}

impl Said {
    pub(super) fn is_result(&self) -> bool {
        matches!(self, Self::Result(_))
    }
}
