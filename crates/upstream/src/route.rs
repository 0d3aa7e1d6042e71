//! Where a server is, and the way to it.

use http::header::HeaderValue;
use http::uri::Scheme;
use http::{HeaderMap, Method, Request, Uri, header};
use http_body_util::Full;
use model::ServerName;

use bytes::Bytes;

/// One server's address, parsed once, with its lane. Built once per snapshot; cheap to clone.
#[derive(Debug, Clone)]
pub struct Route {
    /// The server.
    pub server: ServerName,
    url: Uri,
    host: HeaderValue,
    lane: egress::Lane,
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
        Ok(Self { server, url, host, lane })
    }

    /// Where the server is.
    pub fn url(&self) -> &Uri {
        &self.url
    }

    /// What went to the server and came back so far.
    pub fn flow(&self) -> egress::FlowCounts {
        self.lane.flow()
    }

    pub(crate) fn lane(&self) -> &egress::Lane {
        &self.lane
    }

    /// The one POST that carries a message. The Host is the server's own, whatever the headers say.
    pub(crate) fn post(&self, mut headers: HeaderMap, body: Bytes) -> Request<Full<Bytes>> {
        headers.insert(header::HOST, self.host.clone());
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = headers;
        request
    }
}

#[cfg(test)]
mod tests;
