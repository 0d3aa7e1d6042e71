//! Connections of one lane: opened, used by one request at a time, and kept for the next.
//!
//! A connection goes back when its answer was read to its end, and closes when the answer is dropped before. What waits too long
//! is closed. A request goes out again only if the connection handed it back whole: then nothing of it was written.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::{self, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use model::limits;
use tower_service::Service as _;

use crate::NotSent;
use crate::connect::{Connector, Door};

/// How long a connection waits for its next request.
const IDLE: Duration = Duration::from_millis(limits::POOL_IDLE_MILLISECONDS_MAX);

/// The connections of one lane.
pub(crate) struct Pool {
    connector: Connector,
    shelf: Arc<Shelf>,
}

/// Those that wait for their next request, the one that waits longest first.
#[derive(Default)]
struct Shelf {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    connections: Vec<Idle>,
    /// Whether somebody closes what waits too long.
    is_swept: bool,
}

struct Idle {
    to: Origin,
    connection: SendRequest<Full<Bytes>>,
    since: Instant,
}

/// What a connection leads to.
#[derive(Clone, PartialEq, Eq)]
struct Origin {
    scheme: Scheme,
    authority: Authority,
}

/// Why there is no answer.
pub(crate) enum Failed {
    /// Nothing of the request left.
    NotSent(NotSent),
    /// Some of it may have.
    Unknown(hyper::Error),
}

/// The body of an answer. Read to its end, it gives its connection to the next request; dropped before, it closes it.
#[derive(Debug)]
pub struct Body {
    body: Incoming,
    back: Option<Back>,
}

/// A connection on its way back.
struct Back {
    to: Origin,
    connection: SendRequest<Full<Bytes>>,
    shelf: Arc<Shelf>,
}

impl Pool {
    pub(crate) fn new(door: Arc<Door>) -> Self {
        Self { connector: Connector(door), shelf: Arc::default() }
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Body>, Failed> {
        let (to, mut request) = addressed(request).map_err(Failed::NotSent)?;
        loop {
            let kept = self.shelf.take(&to);
            let is_new = kept.is_none();
            let mut connection = match kept {
                Some(connection) => connection,
                None => self.open(&to).await.map_err(Failed::NotSent)?,
            };
            let mut failed = match connection.try_send_request(request).await {
                Ok(response) => {
                    let back = Back { to, connection, shelf: Arc::clone(&self.shelf) };
                    return Ok(response.map(|body| Body::new(body, back)));
                }
                Err(failed) => failed,
            };
            match failed.take_message() {
                // It closed while it waited, before it took anything of the request.
                Some(whole) if !is_new => request = whole,
                Some(_) => return Err(Failed::NotSent(NotSent::Closed)),
                None => return Err(Failed::Unknown(failed.into_error())),
            }
        }
    }

    async fn open(&self, to: &Origin) -> Result<SendRequest<Full<Bytes>>, NotSent> {
        let Origin { scheme, authority } = to.clone();
        let url = Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build();
        let stream = self.connector.clone().call(url.map_err(|_| NotSent::UrlUnusable)?).await?;
        let (connection, driver) = http1::Builder::new()
            // The head of an answer must fit in the buffer; at most 100 headers is hyper's own limit, and setting
            // it again would move them from the stack to the heap.
            .max_buf_size(limits::ANSWER_BUFFER_BYTES_MAX)
            .http09_responses(false)
            .allow_spaces_after_header_name_in_responses(false)
            .allow_obsolete_multiline_headers_in_responses(false)
            .ignore_invalid_headers_in_responses(false)
            .handshake(stream)
            .await
            .map_err(|_| NotSent::Closed)?;
        // Whoever waits for an answer hears how it ends.
        tokio::spawn(async move { drop(driver.await) });
        Ok(connection)
    }
}

/// Where a request goes, and the request as HTTP/1.1 has it: the path alone, and the host in a header.
fn addressed(mut request: Request<Full<Bytes>>) -> Result<(Origin, Request<Full<Bytes>>), NotSent> {
    let parts = std::mem::take(request.uri_mut()).into_parts();
    let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else { return Err(NotSent::UrlUnusable) };
    if !request.headers().contains_key(HOST) {
        let usual = if scheme == Scheme::HTTPS { 443 } else { 80 };
        let host = match authority.port_u16() {
            Some(port) if port == usual => HeaderValue::try_from(authority.host()),
            Some(_) | None => HeaderValue::try_from(authority.as_str()),
        };
        request.headers_mut().insert(HOST, host.map_err(|_| NotSent::UrlUnusable)?);
    }
    if let Some(path) = parts.path_and_query {
        *request.uri_mut() = Uri::from(path);
    }
    Ok((Origin { scheme, authority }, request))
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that can take a request: the one that was used last, so that those in excess grow old.
    fn take(&self, to: &Origin) -> Option<SendRequest<Full<Bytes>>> {
        let mut waiting = self.lock();
        let now = Instant::now();
        let fits = |idle: &Idle| idle.connection.is_ready() && idle.to == *to && now - idle.since < IDLE;
        let place = waiting.connections.iter().rposition(fits)?;
        Some(waiting.connections.remove(place).connection)
    }

    /// Keeps a connection for the next request.
    fn put(self: &Arc<Self>, to: Origin, connection: SendRequest<Full<Bytes>>) {
        let mut waiting = self.lock();
        if waiting.connections.len() >= limits::POOL_IDLE_CONNECTIONS_MAX {
            waiting.sweep();
            if waiting.connections.len() >= limits::POOL_IDLE_CONNECTIONS_MAX {
                return;
            }
        }
        waiting.connections.push(Idle { to, connection, since: Instant::now() });
        if !std::mem::replace(&mut waiting.is_swept, true) {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }
}

impl Waiting {
    /// Closes what waited too long, and lets go of what is closed.
    fn sweep(&mut self) {
        self.connections.retain(|idle| !idle.connection.is_closed() && idle.since.elapsed() < IDLE);
    }
}

/// Closes what waits too long, as long as something waits.
async fn sweep(shelf: Weak<Shelf>) {
    loop {
        tokio::time::sleep(IDLE / 2).await;
        let Some(shelf) = shelf.upgrade() else { return };
        let mut waiting = shelf.lock();
        waiting.sweep();
        if waiting.connections.is_empty() {
            waiting.is_swept = false;
            return;
        }
    }
}

impl Body {
    fn new(body: Incoming, back: Back) -> Self {
        let mut own = Self { body, back: Some(back) };
        own.give_back_if_read();
        own
    }

    fn give_back_if_read(&mut self) {
        if body::Body::is_end_stream(&self.body) {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        if let Some(Back { to, connection, shelf }) = self.back.take() {
            shelf.put(to, connection);
        }
    }
}

impl body::Body for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let frame = ready!(body::Body::poll_frame(Pin::new(&mut self.body), cx));
        match &frame {
            Some(Ok(_)) => self.give_back_if_read(),
            // A connection that failed closes.
            Some(Err(_)) => self.back = None,
            None => self.give_back(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        body::Body::is_end_stream(&self.body)
    }

    fn size_hint(&self) -> SizeHint {
        body::Body::size_hint(&self.body)
    }
}

impl std::fmt::Debug for Back {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Back")
    }
}
