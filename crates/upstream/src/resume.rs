//! Reading a stream on after it broke off (MCP 2025-11-25, basic/transports, resumability).
//!
//! Reading again is not sending again: the message was posted once, and only what the server says about it is fetched
//! by GET, from the event after the last one heard. It is bounded in number here, and in time by the stream's own
//! deadline, which goes on while nothing comes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use egress::{Body, EgressError};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use model::limits;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use crate::Fault;
use crate::route::Address;
use crate::send::is_event_stream;

type Asked = Result<Result<Response<Body>, EgressError>, tokio::time::error::Elapsed>;

/// How one stream can be read on.
pub(crate) struct Resume {
    address: Address,
    /// The headers of the GET, credential and session included.
    headers: HeaderMap,
    head: Duration,
    over: Arc<AtomicBool>,
    /// The event after which to read on.
    last: Option<String>,
    wait: Duration,
    in_a_row: u32,
    /// The wait and the GET that are going on. Kept here, because whoever waits may stop and wait again.
    asking: Option<Mutex<Pin<Box<dyn Future<Output = Asked> + Send>>>>,
}

impl Resume {
    /// Reads on with these headers. A server that says the session is over sets `over`.
    pub(crate) fn new(address: Address, headers: HeaderMap, head: Duration, over: Arc<AtomicBool>) -> Self {
        let wait = Duration::from_millis(limits::STREAM_RETRY_MILLISECONDS);
        Self { address, headers, head, over, last: None, wait, in_a_row: 0, asking: None }
    }

    /// Notes what an event says about reading on.
    pub(crate) fn note(&mut self, id: Option<&str>, retry: Option<u64>) {
        if let Some(id) = id {
            self.last = Some(id.to_owned()).filter(|id| !id.is_empty());
        }
        if let Some(milliseconds) = retry {
            self.wait = Duration::from_millis(milliseconds.min(limits::STREAM_RETRY_MILLISECONDS_MAX));
        }
    }

    /// Notes that a message came.
    pub(crate) fn note_message(&mut self) {
        self.in_a_row = 0;
    }

    /// Is there an event to read on from?
    pub(crate) fn is_possible(&self) -> bool {
        self.last.is_some()
    }

    /// The rest of the stream. Dropping the future loses nothing: the next one goes on where it stopped.
    pub(crate) async fn resume(&mut self) -> Result<Body, Fault> {
        loop {
            if self.asking.is_none() {
                if self.in_a_row >= limits::STREAM_RESUMPTIONS_MAX {
                    return Err(Fault::ResumedTooOften);
                }
                self.in_a_row += 1;
                self.asking = Some(Mutex::new(self.ask()));
            }
            let Some(asking) = &mut self.asking else { continue };
            let asked = asking.get_mut().await;
            self.asking = None;
            // A server that cannot be reached now may be back when the next wait is over.
            let Ok(Ok(response)) = asked else { continue };
            let status = response.status();
            if status == StatusCode::OK && is_event_stream(response.headers()) {
                return Ok(response.into_body());
            }
            if status == StatusCode::NOT_FOUND && self.headers.contains_key(wire::header::SESSION_ID) {
                self.over.store(true, Ordering::Relaxed);
            }
            return Err(Fault::NotResumed { status });
        }
    }

    fn ask(&self) -> Pin<Box<dyn Future<Output = Asked> + Send>> {
        let mut headers = self.headers.clone();
        if let Some(last) = self.last.as_deref().and_then(|last| HeaderValue::from_str(last).ok()) {
            headers.insert(wire::header::LAST_EVENT_ID, last);
        }
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        let request = self.address.bare(Method::GET, headers);
        let (address, wait, head) = (self.address.clone(), self.wait, self.head);
        Box::pin(async move {
            sleep(wait).await;
            timeout(head, address.lane().send(request)).await
        })
    }
}

impl fmt::Debug for Resume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The headers hold a credential.
        f.debug_struct("Resume").field("last", &self.last).finish_non_exhaustive()
    }
}
