//! As much of HTTP and JSON-RPC as a liar needs to understand.

use std::io;

use bytes::{Buf, BytesMut};
use model::limits;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;

/// What a request asks for.
pub(super) enum Heard {
    Discover {
        id: Value,
    },
    Greet {
        id: Value,
    },
    ListTools {
        id: Value,
    },
    CallTool {
        id: Value,
    },
    Other {
        id: Value,
    },
    /// A notification, or an answer to a question.
    Told,
    /// GET: the stream of a session.
    Listen,
    /// DELETE: the end of a session.
    Leave,
    Redirected,
}

/// A request, and the session that its address names, if it names one.
pub(super) struct Request {
    pub(super) heard: Heard,
    pub(super) session: Option<u64>,
}

/// Reads one request; `None` when the peer has closed between two.
///
/// # Errors
/// When the connection breaks, or the request is longer than the gate's own limits allow it to be.
pub(super) async fn receive(reader: &mut OwnedReadHalf, buffer: &mut BytesMut) -> io::Result<Option<Request>> {
    loop {
        if let Some((request, length)) = parse(buffer)? {
            buffer.advance(length);
            return Ok(Some(request));
        }
        if reader.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// The first request in these bytes and its length, once it is whole.
fn parse(bytes: &[u8]) -> io::Result<Option<(Request, usize)>> {
    let Some(head_length) = bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|end| end + 4) else {
        return within(bytes.len(), limits::HEADER_BYTES_MAX).map(|()| None);
    };
    let head = String::from_utf8_lossy(bytes.get(..head_length).unwrap_or_default()).into_owned();
    let body_length = content_length(&head)?;
    within(body_length, limits::MESSAGE_BYTES_MAX)?;
    let length = head_length + body_length;
    let Some(body) = bytes.get(head_length..length) else { return Ok(None) };
    let target = head.split(' ').nth(1).unwrap_or_default();
    let session = target.split_once("?session=").and_then(|(_, session)| session.parse().ok());
    Ok(Some((Request { heard: heard(&head, body), session }, length)))
}

fn within(bytes: usize, max: usize) -> io::Result<()> {
    if bytes > max { Err(io::Error::other("the request is too long")) } else { Ok(()) }
}

fn content_length(head: &str) -> io::Result<usize> {
    let line = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = line.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    match lengths.next() {
        None => Ok(0),
        Some((_, length)) => length.trim().parse().map_err(io::Error::other),
    }
}

fn heard(head: &str, body: &[u8]) -> Heard {
    if head.split(' ').nth(1) == Some(super::mode::ELSEWHERE) {
        return Heard::Redirected;
    }
    match head.split(' ').next() {
        Some("GET") => return Heard::Listen,
        Some("DELETE") => return Heard::Leave,
        Some(_) | None => {}
    }
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let (Some(id), true) = (message.get("id").cloned(), message.get("method").is_some()) else {
        return Heard::Told;
    };
    match message.get("method").and_then(Value::as_str) {
        Some("server/discover") => Heard::Discover { id },
        Some("initialize") => Heard::Greet { id },
        Some("tools/list") => Heard::ListTools { id },
        Some("tools/call") => Heard::CallTool { id },
        Some(_) | None => Heard::Other { id },
    }
}
