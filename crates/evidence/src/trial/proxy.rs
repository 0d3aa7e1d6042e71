//! The one way out of a jail: to hosts that settings allow, through `egress`, and to nobody else.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::timeout;

use super::Scene;
use super::report::{Phase, Reached, Report};

/// Bytes of the head of a request.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// How long a head may take.
const HEAD: Duration = Duration::from_secs(5);
/// Connections at once.
const OPEN_MAX: usize = 32;

/// A host that may be reached: `registry.npmjs.org`, or with a port other than 443.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    host: String,
    port: u16,
}

impl FromStr for Allowed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = "write a host, such as `registry.npmjs.org`, or a host and a port";
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| refused)?),
            None => (text, 443),
        };
        let is_host = !host.is_empty()
            && host.len() <= limits::HOST_BYTES_MAX
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
        if !is_host || port == 0 {
            return Err(refused);
        }
        Ok(Self { host: host.to_ascii_lowercase(), port })
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Carries what is allowed, for as long as it is polled: dropping it closes every connection.
pub(super) async fn carry(
    listener: UnixListener,
    scene: &Scene<'_>,
    report: &Mutex<Report>,
    phases: &watch::Receiver<Phase>,
) {
    let one = |stream: UnixStream| async move {
        let phase = *phases.borrow();
        let (place, carried) = serve(stream, scene).await;
        let Some(place) = place else { return };
        let (sent, came) = carried.unwrap_or_default();
        let reached = Reached { place, phase, allowed: carried.is_some(), sent, came };
        report.lock().unwrap_or_else(PoisonError::into_inner).reach(reached);
    };
    // Workers that are polled here and nowhere else end with whoever polls them.
    let worker = || async {
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                one(stream).await;
            }
        }
    };
    let mut workers: Vec<_> = (0..OPEN_MAX).map(|_| Box::pin(worker())).collect();
    std::future::poll_fn(|context| {
        for worker in &mut workers {
            let _never: std::task::Poll<std::convert::Infallible> = worker.as_mut().poll(context);
        }
        std::task::Poll::<()>::Pending
    })
    .await;
}

/// Serves one connection: where it was to lead, and what went over it if it was let through.
async fn serve(mut inner: UnixStream, scene: &Scene<'_>) -> (Option<String>, Option<(u64, u64)>) {
    let Ok(Some(head)) = timeout(HEAD, head(&mut inner)).await else { return (None, None) };
    let Some(place) = wanted(&head) else { return (None, None) };
    let allowed = scene.allowed.iter().find(|allowed| allowed.to_string() == place && head.starts_with("CONNECT "));
    let Some(Allowed { host, port }) = allowed else {
        let _ = inner.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
        return (Some(place), None);
    };
    let Ok(mut outer) = scene.lane.tunnel(host, *port).await else {
        let _ = inner.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
        return (Some(place), Some((0, 0)));
    };
    if inner.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.is_err() {
        return (Some(place), Some((0, 0)));
    }
    (Some(place), Some(copy_bidirectional(&mut inner, &mut outer).await.unwrap_or_default()))
}

/// The head of a request, byte by byte: what follows it is not ours.
async fn head(stream: &mut UnixStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD_BYTES_MAX {
            return None;
        }
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// Where a request is to lead: `host:port`.
pub(super) fn wanted(head: &str) -> Option<String> {
    let mut words = head.lines().next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    if method == "CONNECT" {
        return Some(target.to_ascii_lowercase());
    }
    let rest = target.strip_prefix("http://")?;
    let authority = rest.split(['/', '?']).next()?.rsplit('@').next()?.to_ascii_lowercase();
    Some(if authority.contains(':') { authority } else { format!("{authority}:80") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_allowed_by_name_and_port_and_nothing_else_is_one() {
        let allowed = |text: &str| text.parse::<Allowed>().map(|allowed| allowed.to_string());
        assert_eq!(allowed("Registry.npmjs.org").unwrap(), "registry.npmjs.org:443");
        assert_eq!(allowed("127.0.0.1:8080").unwrap(), "127.0.0.1:8080");
        for wrong in ["", ":443", "*", "*.example", "https://x.example", "x.example:0", "x.example:x", "x y"] {
            assert!(allowed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn where_a_request_is_to_lead_is_read_as_a_proxy_reads_it() {
        assert_eq!(wanted("CONNECT Evil.example:443 HTTP/1.1\r\n\r\n").unwrap(), "evil.example:443");
        assert_eq!(wanted("GET http://a@evil.example/x HTTP/1.1\r\n\r\n").unwrap(), "evil.example:80");
        assert_eq!(wanted("GET /x HTTP/1.1\r\n\r\n"), None);
        assert_eq!(wanted(""), None);
    }
}
