//! Where a server is, and the way to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::HeaderValue;
use http::uri::Scheme;
use http::{HeaderMap, Method, Request, Uri, header};
use http_body_util::Full;
use model::{ServerName, limits};
use wire::Revision;

use crate::{Local, Turnstile};

/// The way to one server. Built once per snapshot; cheap to clone.
#[derive(Debug, Clone)]
pub struct Route {
    /// The server.
    pub server: ServerName,
    way: Way,
    oldest: Option<Revision>,
    turnstile: Arc<Turnstile>,
}

#[derive(Debug, Clone)]
pub(crate) enum Way {
    /// Over the network.
    Http(Address),
    /// A process of the gate's own host.
    Local(Arc<Local>),
}

/// A server's URL, parsed once, with its lane.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    url: Uri,
    host: HeaderValue,
    lane: egress::Lane,
    /// Whether the server was found to be of HTTP+SSE. Known to every clone, so that it is found out once.
    events: Arc<AtomicBool>,
    turnstile: Arc<Turnstile>,
}

/// Why a URL is none a server can be reached at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// It does not begin with `http://` or `https://` and a host.
    #[error("the URL of server `{server}` must be `http://` or `https://` with a host")]
    NotHttp {
        /// The server.
        server: ServerName,
    },
    /// It has a user or a password in it, which would be shown wherever the URL is.
    #[error("the URL of server `{server}` has credentials in it; name them as the server's credential instead")]
    Credentials {
        /// The server.
        server: ServerName,
    },
}

impl Route {
    /// The route to a server at `url`, over `lane`.
    ///
    /// # Errors
    /// When the URL is not absolute, neither `http` nor `https`, or holds credentials.
    pub fn new(server: ServerName, url: Uri, lane: egress::Lane) -> Result<Self, RouteError> {
        let scheme = url.scheme().filter(|scheme| **scheme == Scheme::HTTP || **scheme == Scheme::HTTPS);
        let (Some(_), Some(authority)) = (scheme, url.authority()) else {
            return Err(RouteError::NotHttp { server });
        };
        if authority.as_str().contains('@') {
            return Err(RouteError::Credentials { server });
        }
        let Ok(host) = HeaderValue::from_str(authority.as_str()) else {
            return Err(RouteError::NotHttp { server });
        };
        let turnstile = Turnstile::new(server.clone(), limits::SERVER_CALLS);
        let events = Arc::default();
        let way = Way::Http(Address { url, host, lane, events, turnstile: Arc::clone(&turnstile) });
        Ok(Self { server, way, oldest: None, turnstile })
    }

    /// The route to a server that the gate starts. Its process is that of `child`, for every clone of the route.
    pub fn local(server: ServerName, child: Arc<Local>) -> Self {
        let turnstile = Turnstile::new(server.clone(), limits::SERVER_CALLS);
        Self { server, way: Way::Local(child), oldest: None, turnstile }
    }

    /// The same way, with calls taking turns at this turnstile instead of one of the route's own: there is one for a server,
    /// however many ways lead there.
    #[must_use]
    pub fn through(self, turnstile: &Arc<Turnstile>) -> Self {
        let way = match self.way {
            Way::Http(address) => Way::Http(Address { turnstile: Arc::clone(turnstile), ..address }),
            Way::Local(local) => Way::Local(local),
        };
        Self { way, turnstile: Arc::clone(turnstile), ..self }
    }

    /// Where calls take turns.
    pub fn turnstile(&self) -> &Arc<Turnstile> {
        &self.turnstile
    }

    /// The same way, for sessions in `oldest` or a later revision only: what the server spoke when people approved it. One
    /// that chooses an older revision is sent nothing more.
    #[must_use]
    pub fn speaking_at_least(self, oldest: Option<Revision>) -> Self {
        Self { oldest, ..self }
    }

    /// Whether the gate starts the server itself.
    pub fn is_local(&self) -> bool {
        match &self.way {
            Way::Http(_) => false,
            Way::Local(_) => true,
        }
    }

    /// The place of the server's process, if the gate starts it.
    pub fn process(&self) -> Option<&Arc<Local>> {
        match &self.way {
            Way::Http(_) => None,
            Way::Local(local) => Some(local),
        }
    }

    /// Where the server is; `None` if the gate starts it.
    pub fn url(&self) -> Option<&Uri> {
        match &self.way {
            Way::Http(address) => Some(&address.url),
            Way::Local(_) => None,
        }
    }

    /// What went over the network to the server and came back so far; nothing if the gate starts it.
    pub fn flow(&self) -> egress::FlowCounts {
        match &self.way {
            Way::Http(address) => address.lane.flow(),
            Way::Local(_) => egress::FlowCounts::default(),
        }
    }

    pub(crate) fn way(&self) -> &Way {
        &self.way
    }

    /// The oldest revision in which a session may be opened; none if any will do.
    pub(crate) fn oldest(&self) -> Option<Revision> {
        self.oldest
    }

    /// Whether the server was found to answer every message on one stream, as HTTP+SSE has it.
    pub(crate) fn answers_on_one_stream(&self) -> bool {
        match &self.way {
            Way::Http(address) => address.is_of_events(),
            Way::Local(_) => false,
        }
    }
}

impl Address {
    pub(crate) fn lane(&self) -> &egress::Lane {
        &self.lane
    }

    pub(crate) fn url(&self) -> &Uri {
        &self.url
    }

    pub(crate) fn turnstile(&self) -> &Turnstile {
        &self.turnstile
    }

    /// Another place of the same server, on the same lane. The Host stays what it was.
    pub(crate) fn at(&self, url: Uri) -> Self {
        Self { url, ..self.clone() }
    }

    /// Whether the server was found to be of HTTP+SSE.
    pub(crate) fn is_of_events(&self) -> bool {
        self.events.load(Ordering::Relaxed)
    }

    /// Notes whether it is.
    pub(crate) fn note_events(&self, is_of_events: bool) {
        self.events.store(is_of_events, Ordering::Relaxed);
    }

    /// The one POST that carries a message.
    pub(crate) fn post(&self, headers: HeaderMap, body: Bytes) -> Request<Full<Bytes>> {
        self.request(Method::POST, headers, body)
    }

    /// A GET or a DELETE: what a session has beside its messages.
    pub(crate) fn bare(&self, method: Method, headers: HeaderMap) -> Request<Full<Bytes>> {
        self.request(method, headers, Bytes::new())
    }

    /// The Host is the server's own, whatever the headers say.
    fn request(&self, method: Method, mut headers: HeaderMap, body: Bytes) -> Request<Full<Bytes>> {
        headers.insert(header::HOST, self.host.clone());
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = headers;
        request
    }
}

#[cfg(test)]
mod tests;
