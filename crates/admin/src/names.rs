//! Is the request meant for this listener? Host and Origin, checked before anything else is looked at.
//!
//! A web page that a person has open can make the browser send requests to the gate's own machine. By DNS rebinding it
//! can even read the answers; then the Host header still carries the page's own name.

use std::net::SocketAddr;

use axum::http::header::{HOST, HeaderName, ORIGIN};
use axum::http::request::Parts;

use crate::fault::{Code, Fault};

/// The names by which the admin listener may be called, and the origins whose pages may call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl Names {
    /// The listener's own address (and `localhost` where that reaches it), what settings add as `host` or `host:port`,
    /// and origins written as `scheme://host[:port]`.
    pub fn new(listen: SocketAddr, hosts: &[String], origins: &[String]) -> Self {
        let port = listen.port();
        let mut known: Vec<String> = hosts.iter().flat_map(|host| [host.clone(), format!("{host}:{port}")]).collect();
        if !listen.ip().is_unspecified() {
            known.push(listen.to_string());
        }
        if listen.ip().is_loopback() || listen.ip().is_unspecified() {
            known.push(format!("localhost:{port}"));
        }
        let same = known.iter().flat_map(|host| [format!("http://{host}"), format!("https://{host}")]);
        let origins = origins.iter().cloned().chain(same).collect();
        Self { hosts: known, origins }
    }

    /// Lets a request in that is addressed to this listener and comes from no foreign page.
    pub(crate) fn admit(&self, request: &Parts) -> Result<(), Fault> {
        let host = only(request, &HOST).ok_or_else(|| Fault::new(Code::HostUnknown, "one Host header is required"))?;
        // A request line with a whole URL names its host there too, and the two must agree.
        let line = request.uri.authority().map_or(host, http::uri::Authority::as_str);
        if !line.eq_ignore_ascii_case(host) || !contains(&self.hosts, host) {
            return Err(Fault::new(Code::HostUnknown, "the Host header names no host of this listener"));
        }
        if !request.headers.contains_key(ORIGIN) {
            return Ok(());
        }
        match only(request, &ORIGIN) {
            Some(origin) if contains(&self.origins, origin) => Ok(()),
            Some(_) | None => Err(Fault::new(Code::OriginRefused, "pages of this origin may not call the admin API")),
        }
    }
}

/// The header's value if it is there exactly once and is text.
fn only<'r>(request: &'r Parts, name: &HeaderName) -> Option<&'r str> {
    let mut values = request.headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        (Some(_), Some(_)) | (None, _) => None,
    }
}

fn contains(list: &[String], given: &str) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(given))
}

#[cfg(test)]
mod tests;
