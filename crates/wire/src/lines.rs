//! Messages on the standard streams of a process: one a line (MCP, basic/transports, stdio).

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use crate::sse::Ending;
use crate::{Flaw, scan};

/// Cuts a stream of bytes into lines, wherever the bytes are cut.
#[derive(Debug)]
pub struct Decoder {
    line_bytes_max: usize,
    /// What has arrived and is not yet a whole line.
    buffer: BytesMut,
    /// How far the buffer was searched for a line's end.
    searched: usize,
    ready: VecDeque<Bytes>,
}

impl Decoder {
    /// A decoder for a stream from its beginning, which takes lines of at most so many bytes.
    pub fn new(line_bytes_max: usize) -> Self {
        Self { line_bytes_max, buffer: BytesMut::new(), searched: 0, ready: VecDeque::new() }
    }

    /// Takes the next bytes of the stream.
    ///
    /// # Errors
    /// When a line is longer than the limit. The stream cannot be read on after that.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Flaw> {
        self.buffer.extend_from_slice(bytes);
        loop {
            let end = scan::line_feed(&self.buffer, self.searched);
            if end == self.buffer.len() {
                self.searched = end;
                // One more than the limit: it may be the carriage return before a line feed.
                return self.bound(end.saturating_sub(1));
            }
            let mut line = self.buffer.split_to(end).freeze();
            self.buffer.advance(1);
            self.searched = 0;
            if line.last() == Some(&b'\r') {
                line.truncate(line.len() - 1);
            }
            self.bound(line.len())?;
            // Lines of white space separate nothing.
            if !line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
                self.ready.push_back(line);
            }
        }
    }

    /// The next whole line, without its end.
    #[expect(clippy::should_implement_trait, reason = "none now does not mean none later, as an iterator's end would")]
    pub fn next(&mut self) -> Option<Bytes> {
        self.ready.pop_front()
    }

    /// Says where the stream ended. Call it when no more bytes come.
    pub fn finish(&self) -> Ending {
        if self.buffer.is_empty() { Ending::Clean } else { Ending::MidEvent }
    }

    fn bound(&self, bytes: usize) -> Result<(), Flaw> {
        let bytes_max = self.line_bytes_max;
        if bytes <= bytes_max {
            Ok(())
        } else {
            Err(Flaw::from_server(format!("a line is longer than {bytes_max} bytes")))
        }
    }
}

/// One message as one line. The message has been checked, so that a bare line break in it is white space between its
/// values, never part of one, and can be a space.
pub fn encode(message: &[u8]) -> Bytes {
    let mut line = BytesMut::with_capacity(message.len() + 1);
    let mut start = 0;
    while let Some(part) = message.get(start..).filter(|part| !part.is_empty()) {
        let end = scan::line_stop(part, 0);
        line.extend_from_slice(part.get(..end).unwrap_or_default());
        if end < part.len() {
            line.extend_from_slice(b" ");
        }
        start += end + 1;
    }
    line.extend_from_slice(b"\n");
    line.freeze()
}

#[cfg(test)]
mod tests;
