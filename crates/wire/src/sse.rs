//! Server-sent events (WHATWG HTML, section 9.2): how servers stream their messages, one event each.
//!
//! [`Decoder`] takes bytes as they arrive and gives whole events; it holds at most one event and what arrived with it.
//! [`encode`] writes one, [`numbered`] one that a client can name when it reads on (MCP 2025-11-25, basic/transports).

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};
use model::limits;

use crate::{Flaw, scan};

const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// What stands before an event's data in its line.
const DATA_FIELD: &[u8] = b"data: ";

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its type, if it named one. MCP's messages name none, or `message`.
    pub kind: Option<String>,
    /// Its data: its data lines, joined by line feeds. Empty where there is no message, and only the id or the time to
    /// wait is told.
    pub data: Bytes,
    /// The id by which the stream is read on after this event, if it named one that a header can carry back. An empty one
    /// takes back the ids before it.
    pub id: Option<String>,
    /// Milliseconds to wait before the stream is read on, if it said so.
    pub retry: Option<u64>,
}

/// Where a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Between two events.
    Clean,
    /// Inside an event, which is lost.
    MidEvent,
}

/// Cuts a stream of bytes into events, wherever the bytes are cut.
#[derive(Debug)]
pub struct Decoder {
    event_bytes_max: usize,
    /// What has arrived and is not yet a whole line.
    buffer: BytesMut,
    /// How far the buffer was searched for a line's end.
    searched: usize,
    /// Did the stream get past the place where a byte order mark may stand?
    begun: bool,
    /// Was the last line ended by a carriage return, so that a line feed now belongs to it?
    line_feed_may_follow: bool,
    data: Data,
    kind: Option<String>,
    id: Option<String>,
    retry: Option<u64>,
    ready: VecDeque<Event>,
}

/// The data of an event that is not yet complete.
#[derive(Debug)]
enum Data {
    None,
    /// The usual case: one line, a slice of what arrived.
    Line(Bytes),
    /// Several lines, joined.
    Lines(BytesMut),
}

impl Decoder {
    /// A decoder for a stream from its beginning, which takes events of at most so many bytes.
    pub fn new(event_bytes_max: usize) -> Self {
        Self {
            event_bytes_max,
            buffer: BytesMut::new(),
            searched: 0,
            begun: false,
            line_feed_may_follow: false,
            data: Data::None,
            kind: None,
            id: None,
            retry: None,
            ready: VecDeque::new(),
        }
    }

    /// Takes the next bytes of the stream.
    ///
    /// # Errors
    /// When an event, or a single line, is larger than the limit. The stream cannot be read on after that.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Flaw> {
        self.buffer.extend_from_slice(bytes);
        if !self.begin() {
            return Ok(());
        }
        while let Some(line) = self.line() {
            self.take(&line)?;
        }
        self.bound(self.buffer.len(), DATA_FIELD.len())
    }

    /// The next whole event.
    #[expect(clippy::should_implement_trait, reason = "none now does not mean none later, as an iterator's end would")]
    pub fn next(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    /// Says where the stream ended. Call it when no more bytes come.
    pub fn finish(&self) -> Ending {
        let between = self.buffer.is_empty() && matches!(self.data, Data::None);
        if between { Ending::Clean } else { Ending::MidEvent }
    }

    /// Steps over a byte order mark. Says no while too little has arrived to know whether one stands there.
    fn begin(&mut self) -> bool {
        if self.begun {
            return true;
        }
        if self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.buffer.advance(BYTE_ORDER_MARK.len());
        } else if BYTE_ORDER_MARK.starts_with(&self.buffer) {
            return false;
        }
        self.begun = true;
        true
    }

    /// The next whole line, without its end.
    fn line(&mut self) -> Option<Bytes> {
        if self.line_feed_may_follow && !self.buffer.is_empty() {
            self.line_feed_may_follow = false;
            if self.buffer.first() == Some(&b'\n') {
                self.buffer.advance(1);
            }
        }
        let end = scan::line_stop(&self.buffer, self.searched);
        let Some(&terminator) = self.buffer.get(end) else {
            self.searched = end;
            return None;
        };
        let line = self.buffer.split_to(end).freeze();
        self.buffer.advance(1);
        self.searched = 0;
        self.line_feed_may_follow = terminator == b'\r';
        Some(line)
    }

    fn take(&mut self, line: &Bytes) -> Result<(), Flaw> {
        if line.is_empty() {
            self.dispatch();
            return Ok(());
        }
        // A line is bounded the same whether it came whole or in pieces.
        self.bound(line.len(), DATA_FIELD.len())?;
        let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
        let mut value = line.slice((colon + 1).min(line.len())..);
        if value.first() == Some(&b' ') {
            value.advance(1);
        }
        match line.get(..colon) {
            Some(b"data") => self.append(value),
            Some(b"event") => {
                let kind =
                    std::str::from_utf8(&value).map_err(|_| Flaw::from_server("an event's type is not UTF-8"))?;
                self.kind = Some(kind.to_owned());
                Ok(())
            }
            Some(b"id") => {
                let id = std::str::from_utf8(&value).ok().filter(|id| id.is_empty() || returnable(id));
                self.id = id.map(str::to_owned).or(self.id.take());
                Ok(())
            }
            Some(b"retry") => {
                let digits = std::str::from_utf8(&value).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
                self.retry = digits.and_then(|digits| digits.parse().ok()).or(self.retry);
                Ok(())
            }
            // Comments, and fields nobody knows.
            Some(_) | None => Ok(()),
        }
    }

    fn append(&mut self, line: Bytes) -> Result<(), Flaw> {
        let held = match &self.data {
            Data::None => 0,
            Data::Line(first) => first.len() + 1,
            Data::Lines(lines) => lines.len() + 1,
        };
        self.bound(held + line.len(), 0)?;
        self.data = match std::mem::replace(&mut self.data, Data::None) {
            Data::None => Data::Line(line),
            Data::Line(first) => {
                let mut lines = BytesMut::from(first);
                lines.extend_from_slice(b"\n");
                lines.extend_from_slice(&line);
                Data::Lines(lines)
            }
            Data::Lines(mut lines) => {
                lines.extend_from_slice(b"\n");
                lines.extend_from_slice(&line);
                Data::Lines(lines)
            }
        };
        Ok(())
    }

    /// A blank line ends an event. Without data, id and time to wait there is none.
    fn dispatch(&mut self) {
        let kind = self.kind.take().filter(|kind| !kind.is_empty());
        let (id, retry) = (self.id.take(), self.retry.take());
        let data = match std::mem::replace(&mut self.data, Data::None) {
            Data::None if id.is_none() && retry.is_none() => return,
            Data::None => Bytes::new(),
            Data::Line(line) => line,
            Data::Lines(lines) => lines.freeze(),
        };
        self.ready.push_back(Event { kind, data, id, retry });
    }

    fn bound(&self, bytes: usize, beside: usize) -> Result<(), Flaw> {
        let (bytes_max, fits) = (self.event_bytes_max, bytes <= self.event_bytes_max.saturating_add(beside));
        if fits { Ok(()) } else { Err(Flaw::from_server(format!("an event is larger than {bytes_max} bytes"))) }
    }
}

/// One event that carries `data`, a JSON message. Line breaks in it, which in JSON are only white space, become several
/// data lines.
pub fn encode(data: &[u8]) -> Bytes {
    let mut event = BytesMut::with_capacity(DATA_FIELD.len() + data.len() + 2);
    push_data(&mut event, data);
    event.freeze()
}

/// The same with its type named, as clients of 2024-11-05 tell their events apart.
pub fn of_kind(kind: &str, data: &[u8]) -> Bytes {
    let mut event = BytesMut::with_capacity(kind.len() + DATA_FIELD.len() + data.len() + 10);
    event.extend_from_slice(b"event: ");
    // A line break would end the field.
    event.extend(kind.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')));
    event.extend_from_slice(b"\n");
    push_data(&mut event, data);
    event.freeze()
}

/// The same with an id, by which the client reads on after it. An id that a header could not carry back is left out.
pub fn numbered(id: &str, data: &[u8]) -> Bytes {
    let mut event = BytesMut::with_capacity(id.len() + DATA_FIELD.len() + data.len() + 8);
    push_id(&mut event, id);
    push_data(&mut event, data);
    event.freeze()
}

/// An event without a message, which only gives the client an id to read on from, and how many milliseconds it should
/// wait before it does (SEP-1699).
pub fn priming(id: &str, retry_milliseconds: u64) -> Bytes {
    let mut event = BytesMut::new();
    push_id(&mut event, id);
    event.extend_from_slice(format!("retry: {retry_milliseconds}\n").as_bytes());
    push_data(&mut event, b"");
    event.freeze()
}

/// A comment: it keeps a quiet stream open, and carries nothing.
pub fn comment() -> Bytes {
    Bytes::from_static(b":\n\n")
}

fn push_id(event: &mut BytesMut, id: &str) {
    if returnable(id) {
        event.extend_from_slice(b"id: ");
        event.extend_from_slice(id.as_bytes());
        event.extend_from_slice(b"\n");
    }
}

fn push_data(event: &mut BytesMut, data: &[u8]) {
    let mut start = 0;
    loop {
        let end = scan::line_stop(data, start);
        event.extend_from_slice(DATA_FIELD);
        event.extend_from_slice(data.get(start..end).unwrap_or_default());
        event.extend_from_slice(b"\n");
        start = match (data.get(end), data.get(end + 1)) {
            (None, _) => break,
            (Some(b'\r'), Some(b'\n')) => end + 2,
            (Some(_), _) => end + 1,
        };
    }
    event.extend_from_slice(b"\n");
}

/// Can the header `Last-Event-ID` carry an event's id back as it is?
fn returnable(id: &str) -> bool {
    (1..=limits::EVENT_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests;
