//! As much of HTTP and JSON-RPC as a liar needs to understand.

use std::io;

use bytes::{Buf, BytesMut};
use model::limits;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;

/// What a request asks for.
pub(super) enum Heard {
    Discover { id: Value },
    ListTools { id: Value },
    CallTool { id: Value },
    Other { id: Value },
    Redirected,
}

/// Reads one request; `None` when the peer has closed between two.
///
/// # Errors
/// When the connection breaks, or the request is longer than the gate's own limits allow it to be.
pub(super) async fn receive(reader: &mut OwnedReadHalf, buffer: &mut BytesMut) -> io::Result<Option<Heard>> {
    loop {
        if let Some((heard, length)) = parse(buffer)? {
            buffer.advance(length);
            return Ok(Some(heard));
        }
        if reader.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// The first request in these bytes and its length, once it is whole.
fn parse(bytes: &[u8]) -> io::Result<Option<(Heard, usize)>> {
    let Some(head_length) = bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|end| end + 4) else {
        return within(bytes.len(), limits::HEADER_BYTES_MAX).map(|()| None);
    };
    let head = String::from_utf8_lossy(bytes.get(..head_length).unwrap_or_default()).into_owned();
    let body_length = content_length(&head)?;
    within(body_length, limits::MESSAGE_BYTES_MAX)?;
    let length = head_length + body_length;
    let Some(body) = bytes.get(head_length..length) else { return Ok(None) };
    Ok(Some((heard(&head, body), length)))
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
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let id = message.get("id").cloned().unwrap_or_default();
    match message.get("method").and_then(Value::as_str) {
        Some("server/discover") => Heard::Discover { id },
        Some("tools/list") => Heard::ListTools { id },
        Some("tools/call") => Heard::CallTool { id },
        Some(_) | None => Heard::Other { id },
    }
}
