//! Asking somebody about identity: an issuer for its keys, a provider for a token, a vault for a key.
//!
//! Everything that identity says over the network goes through [`Fetch`], so that there is one place where the rules
//! hold: `https` only (but for a plain URL of loopback, where the reach names loopback), no redirects, an answer of at
//! most [`limits::FETCHED_BYTES_MAX`] within [`limits::FETCH_MILLISECONDS_MAX`], and no secret in any error. The real one
//! is [`Outbound`], on a lane of `egress` under a reach of its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use egress::{Client, EgressError, Lane, Reach};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use model::{Secret, limits};
use tokio::time::timeout;
use url::{Host, Url, form_urlencoded};

use crate::secrets::opened;

#[cfg(test)]
pub(crate) mod fake;

/// What was answered, whole.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The status. A redirect is told as what it is: nobody follows it.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// A question. Whoever wants to see what is asked in a test implements [`Fetch::send`] and reads this.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// `GET` or `POST`.
    pub method: Method,
    /// Whom.
    pub url: &'a Url,
    /// With what; the authorization is marked sensitive, so that it is not printed.
    pub headers: HeaderMap,
    /// The body, empty for `GET`.
    pub body: Bytes,
}

/// Why there is no answer. It names the host at most: a URL's query may hold what must not be told.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The URL is neither `https` nor a plain one of loopback within reach.
    #[error("`{host}` is not asked without TLS")]
    NotSecure {
        /// The host.
        host: String,
    },
    /// The URL has a user, a password, a fragment or no host.
    #[error("the URL is not one that can be asked")]
    UrlUnusable,
    /// What was to be sent cannot be written in a header.
    #[error("the authorization cannot be written in a header")]
    Header,
    /// No connection, or one that failed.
    #[error("`{host}` cannot be reached")]
    Unreachable {
        /// The host.
        host: String,
        /// What egress said.
        #[source]
        source: EgressError,
    },
    /// The connection broke, or the answer was longer than it may be.
    #[error("the answer of `{host}` broke off or was longer than {} bytes", limits::FETCHED_BYTES_MAX)]
    Answer {
        /// The host.
        host: String,
    },
    /// The answer was not there in time.
    #[error("`{host}` did not answer within {} ms", limits::FETCH_MILLISECONDS_MAX)]
    TimedOut {
        /// The host.
        host: String,
    },
}

/// Asks, once.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Sends one request and takes its whole answer, whatever its status.
    ///
    /// # Errors
    /// [`FetchError`]: nothing was sent, or what came of it is not known.
    async fn send(&self, asked: Asked<'_>) -> Result<Fetched, FetchError>;

    /// Reads what is at a URL.
    ///
    /// # Errors
    /// As [`Fetch::send`].
    async fn get(&self, url: &Url, accept: &str) -> Result<Fetched, FetchError> {
        self.send(Asked { method: Method::GET, url, headers: accepting(accept)?, body: Bytes::new() }).await
    }

    /// The same with an authorization, whole as it stands in its header: `Bearer …`.
    ///
    /// # Errors
    /// As [`Fetch::send`].
    async fn get_as(&self, url: &Url, accept: &str, authorization: &Secret<String>) -> Result<Fetched, FetchError> {
        let mut headers = accepting(accept)?;
        headers.insert(AUTHORIZATION, sensitive(authorization)?);
        self.send(Asked { method: Method::GET, url, headers, body: Bytes::new() }).await
    }

    /// Posts a form, as OAuth does (RFC 6749 appendix B), with an authorization, whole as it stands in its header.
    ///
    /// # Errors
    /// As [`Fetch::send`].
    async fn post_form(
        &self,
        url: &Url,
        form: &[(&str, &str)],
        authorization: Option<&Secret<String>>,
        extra: &HeaderMap,
    ) -> Result<Fetched, FetchError> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut headers = extra.clone();
        headers.extend(accepting("application/json")?);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, sensitive(authorization)?);
        }
        self.send(Asked { method: Method::POST, url, headers, body: body.into() }).await
    }

    /// Posts JSON.
    ///
    /// # Errors
    /// As [`Fetch::send`].
    async fn post_json(
        &self,
        url: &Url,
        body: &serde_json::Value,
        authorization: Option<&Secret<String>>,
    ) -> Result<Fetched, FetchError> {
        let mut headers = accepting("application/json")?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.post(url, headers, body.to_string().into(), authorization).await
    }

    /// Posts what somebody else wrote, under headers of theirs.
    ///
    /// # Errors
    /// As [`Fetch::send`].
    async fn post(
        &self,
        url: &Url,
        mut headers: HeaderMap,
        body: Bytes,
        authorization: Option<&Secret<String>>,
    ) -> Result<Fetched, FetchError> {
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, sensitive(authorization)?);
        }
        self.send(Asked { method: Method::POST, url, headers, body }).await
    }
}

/// The real one: a lane of `egress` under a reach of its own.
#[derive(Debug, Clone)]
pub struct Outbound {
    lane: Lane,
    reach: Reach,
}

impl Outbound {
    /// A way out to `to`, which names whoever is asked in logs and errors, within `reach`.
    pub fn new(client: &Client, to: &str, reach: &Reach) -> Self {
        Self { lane: client.lane(to, reach), reach: reach.clone() }
    }

    /// The same over a lane that is there already, which is within `reach`.
    pub fn over(lane: Lane, reach: &Reach) -> Self {
        Self { lane, reach: reach.clone() }
    }

    /// Whether the URL may be asked as it is written.
    ///
    /// # Errors
    /// [`FetchError::UrlUnusable`] or [`FetchError::NotSecure`].
    pub fn takes(&self, url: &Url) -> Result<(), FetchError> {
        self.check(url).map(drop)
    }

    /// The host to ask, if the URL may be asked as it is written.
    fn check(&self, url: &Url) -> Result<String, FetchError> {
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let host = url.host().filter(|_| plain).ok_or(FetchError::UrlUnusable)?;
        let here: Option<IpAddr> = match &host {
            Host::Ipv4(address) if address.is_loopback() => Some((*address).into()),
            Host::Ipv6(address) if address.is_loopback() => Some((*address).into()),
            // RFC 6761 §6.3: the name is that of loopback to everybody.
            Host::Domain("localhost") if self.reach.allows(Ipv4Addr::LOCALHOST.into()).is_ok() => {
                Some(Ipv4Addr::LOCALHOST.into())
            }
            Host::Domain("localhost") => Some(Ipv6Addr::LOCALHOST.into()),
            Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_) => None,
        };
        let is_near = here.is_some_and(|address| self.reach.allows(address).is_ok());
        match url.scheme() {
            "https" => Ok(host.to_string()),
            "http" if is_near => Ok(host.to_string()),
            _ => Err(FetchError::NotSecure { host: host.to_string() }),
        }
    }
}

#[async_trait]
impl Fetch for Outbound {
    async fn send(&self, asked: Asked<'_>) -> Result<Fetched, FetchError> {
        let host = self.check(asked.url)?;
        let mut request = Request::new(Full::new(asked.body));
        *request.method_mut() = asked.method;
        *request.uri_mut() = asked.url.as_str().parse().map_err(|_| FetchError::UrlUnusable)?;
        *request.headers_mut() = asked.headers;
        let exchange = async {
            let sent = self.lane.send(request).await;
            let answer = sent.map_err(|source| FetchError::Unreachable { host: host.clone(), source })?;
            let (head, body) = answer.into_parts();
            let read = Limited::new(body, limits::FETCHED_BYTES_MAX).collect().await;
            let body = read.map_err(|_| FetchError::Answer { host: host.clone() })?.to_bytes();
            Ok(Fetched { status: head.status, headers: head.headers, body })
        };
        let answered = timeout(Duration::from_millis(limits::FETCH_MILLISECONDS_MAX), exchange).await;
        answered.unwrap_or_else(|_| Err(FetchError::TimedOut { host: host.clone() }))
    }
}

fn accepting(accept: &str) -> Result<HeaderMap, FetchError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_str(accept).map_err(|_| FetchError::Header)?);
    Ok(headers)
}

fn sensitive(authorization: &Secret<String>) -> Result<HeaderValue, FetchError> {
    let mut value = HeaderValue::from_str(opened(authorization).as_str()).map_err(|_| FetchError::Header)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
