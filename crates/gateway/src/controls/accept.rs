//! Is this a request to this gate at all? Host, Origin, path, method and media types, from the head alone.
//!
//! An endpoint has one address, `/{endpoint}/mcp`, and two more for clients of 2024-11-05: `/{endpoint}/sse`, whose stream is
//! opened by GET, and `/{endpoint}/messages`, to which they post.
//!
//! A page in a browser can be made to send requests to a local address (DNS rebinding): its Host names the page's own
//! domain and its Origin the page. Both are compared with short lists, before anything else is looked at.

use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, Method};
use model::{EndpointName, Reason, Refusal, limits};
use wire::header::SESSION_ID;

/// The names this listener answers to.
#[derive(Debug, Clone)]
pub struct Doors {
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl Doors {
    /// Hosts as `name:port` and origins as `scheme://name:port`, compared without case.
    pub fn new(hosts: Vec<String>, origins: Vec<String>) -> Self {
        Self { hosts, origins }
    }
}

/// A request that is addressed to an endpoint of this gate.
pub(crate) struct Accepted {
    /// The endpoint its path names. Whether there is one is for `connect` to say.
    pub(crate) endpoint: EndpointName,
    /// What is asked of it.
    pub(crate) verb: Verb,
}

/// What a request asks of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Take this message.
    Post,
    /// Send what servers say by themselves, or the rest of a stream, of a session.
    Get,
    /// End the session.
    Delete,
    /// Open the one stream on which everything is answered (2024-11-05).
    Open,
    /// Take this message, and answer it on the stream of this handle (2024-11-05).
    Say(String),
}

/// Which of an endpoint's addresses a path is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Address {
    Mcp,
    Stream,
    Messages,
}

/// Whether a request is addressed to this listener. A page in a browser reaches it under the page's own name otherwise.
pub(crate) fn addressed(doors: &Doors, head: &Parts) -> Result<(), Refusal> {
    let refused = |detail: &str| Refusal::new(Reason::HostUnknown, detail);
    let host = single(&head.headers, &HOST).ok_or_else(|| refused("not one Host header"))?;
    // A request line with a whole URL names its host there too; whatever stands between may go by either.
    let line = head.uri.authority().map_or(host, Authority::as_str);
    if !listed(&doors.hosts, host) || !line.eq_ignore_ascii_case(host) {
        return Err(refused("the Host is none of the listener's"));
    }
    Ok(())
}

/// Whether a request's headers, and the body that they announce, are within bounds.
pub(crate) fn bounded(head: &Parts, body_bytes_max: usize) -> Result<(), Refusal> {
    let refused = |detail: &str| Refusal::new(Reason::TooLarge, detail);
    if head.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>()
        > limits::HEADER_BYTES_MAX
    {
        return Err(refused("the headers are over the limit"));
    }
    if declared_length(&head.headers).is_some_and(|length| length > body_bytes_max) {
        return Err(refused("Content-Length is over the limit"));
    }
    Ok(())
}

/// Looks at a request's head.
pub(crate) fn run(doors: &Doors, head: &Parts) -> Result<Accepted, Refusal> {
    let refused = |reason: Reason, detail: &str| Refusal::new(reason, detail);
    addressed(doors, head)?;
    if head.headers.contains_key(ORIGIN) {
        // The Origin of a page is never one of ours unless an operator listed it.
        let origin = single(&head.headers, &ORIGIN).unwrap_or_default();
        if !listed(&doors.origins, origin) && !same_origin(&doors.hosts, origin) {
            return Err(refused(Reason::OriginRefused, "the Origin is not listed"));
        }
    }
    let (endpoint, address) =
        address(head.uri.path()).ok_or_else(|| refused(Reason::PathUnknown, "no endpoint's path"))?;
    if address != Address::Messages && head.uri.query().is_some() {
        // Tokens and the like belong in no URL; nothing of ours is asked for in a query.
        return Err(refused(Reason::PathUnknown, "the URL has a query"));
    }
    let verb =
        verb(head, address).ok_or_else(|| refused(Reason::MethodNotAllowed, "the method is none of the protocol's"))?;
    let (json, events) = takes(&head.headers);
    let fits = match verb {
        Verb::Post => is_json(&head.headers) && json && events,
        // Its answer comes elsewhere.
        Verb::Say(_) => is_json(&head.headers),
        Verb::Get | Verb::Open => events,
        Verb::Delete => true,
    };
    if !fits {
        return Err(refused(Reason::MediaTypeRefused, "Content-Type or Accept is not MCP's"));
    }
    bounded(head, limits::MESSAGE_BYTES_MAX)?;
    Ok(Accepted { endpoint, verb })
}

/// GET and DELETE are for sessions, and so for requests that name one. A message without the handle of a stream is posted to
/// none, as one with a wrong handle is.
fn verb(head: &Parts, address: Address) -> Option<Verb> {
    let names_session = head.headers.contains_key(SESSION_ID);
    match (address, &head.method) {
        (Address::Mcp, &Method::POST) => Some(Verb::Post),
        (Address::Mcp, &Method::GET) if names_session => Some(Verb::Get),
        (Address::Mcp, &Method::DELETE) if names_session => Some(Verb::Delete),
        (Address::Stream, &Method::GET) => Some(Verb::Open),
        (Address::Messages, &Method::POST) => Some(Verb::Say(handle(head.uri.query().unwrap_or_default()))),
        _ => None,
    }
}

/// The handle that a query names; an empty one if it says anything else.
fn handle(query: &str) -> String {
    let handle = query.strip_prefix("session=").filter(|handle| handle.len() <= limits::SESSION_ID_BYTES_MAX);
    handle.unwrap_or_default().to_owned()
}

fn address(path: &str) -> Option<(EndpointName, Address)> {
    let (endpoint, last) = path.strip_prefix('/')?.rsplit_once('/')?;
    let address = match last {
        "mcp" => Address::Mcp,
        "sse" => Address::Stream,
        "messages" => Address::Messages,
        _ => return None,
    };
    Some((endpoint.parse().ok()?, address))
}

/// The value of a header that is there exactly once, as visible text.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn listed(list: &[String], given: &str) -> bool {
    list.iter().any(|entry| entry.eq_ignore_ascii_case(given))
}

fn same_origin(hosts: &[String], origin: &str) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some_and(|host| listed(hosts, host))
}

fn is_json(headers: &HeaderMap) -> bool {
    let essence = single(headers, &CONTENT_TYPE).and_then(|value| value.split(';').next());
    // A body in a coding is one thing to who undoes it and another to who does not.
    !headers.contains_key(CONTENT_ENCODING)
        && essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// Whether the caller takes documents, and whether it takes event streams. Who says nothing takes anything.
fn takes(headers: &HeaderMap) -> (bool, bool) {
    if !headers.contains_key(ACCEPT) {
        return (true, true);
    }
    let wanted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (mut json, mut events) = (false, false);
    for range in wanted.flat_map(|value| value.split(',')) {
        let essence = range.split(';').next().unwrap_or_default().trim();
        let is = |name: &str| essence.eq_ignore_ascii_case(name);
        json |= is("application/json") || is("application/*") || is("*/*");
        events |= is("text/event-stream") || is("text/*") || is("*/*");
    }
    (json, events)
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
