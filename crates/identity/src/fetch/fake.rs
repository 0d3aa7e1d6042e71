//! A network of a test's own.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::{Asked, Fetch, FetchError, Fetched};

/// What a question looked like.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// Answers by URL with what it was told last, remembers what it was asked, and cannot reach what it was told nothing of.
#[derive(Default)]
pub(crate) struct FakeFetch {
    answers: Mutex<HashMap<String, Fetched>>,
    asked: Mutex<Vec<Seen>>,
}

impl FakeFetch {
    /// Answers 200 with `body` at `url` from now on.
    pub(crate) fn tell(&self, url: &str, body: impl Into<String>) {
        self.tell_as(url, 200, &[("content-type", "application/json")], body);
    }

    /// The same with a status and headers.
    pub(crate) fn tell_as(&self, url: &str, status: u16, headers: &[(&str, &str)], body: impl Into<String>) {
        let headers = headers.iter().map(|(name, value)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        });
        let status = StatusCode::from_u16(status).unwrap();
        let answer = Fetched { status, headers: headers.collect(), body: Bytes::from(body.into()) };
        self.answers.lock().unwrap().insert(url.to_owned(), answer);
    }

    /// Cannot reach `url` from now on.
    pub(crate) fn forget(&self, url: &str) {
        self.answers.lock().unwrap().remove(url);
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Seen> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Fetch for FakeFetch {
    async fn send(&self, asked: Asked<'_>) -> Result<Fetched, FetchError> {
        self.asked.lock().unwrap().push(Seen {
            method: asked.method.to_string(),
            url: asked.url.to_string(),
            headers: asked.headers,
            body: String::from_utf8_lossy(&asked.body).into_owned(),
        });
        // Whoever asks at the same time gets the chance to.
        tokio::task::yield_now().await;
        let found = self.answers.lock().unwrap().get(asked.url.as_str()).cloned();
        found.ok_or_else(|| FetchError::TimedOut { host: asked.url.host_str().unwrap_or_default().to_owned() })
    }
}
