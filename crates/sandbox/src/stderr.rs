//! What a program writes to its standard error: the end of it is kept, the rest is counted.
//!
//! It is never forwarded anywhere. People read it when a server does not start, so that it must be safe to look at.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::limits::{LOCAL_STDERR_BYTES_MAX, LOCAL_STDERR_BYTES_PER_SECOND};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::time::Instant;

/// Time over which the rate is measured.
const WINDOW: Duration = Duration::from_millis(50);
const BYTES_PER_WINDOW: usize = LOCAL_STDERR_BYTES_PER_SECOND / 20;
const BUFFER_BYTES: usize = 64 * 1024;

/// The standard error of one program. Clones are the same one, and outlive the program.
#[derive(Clone, Default)]
pub struct Stderr {
    kept: Arc<Mutex<Kept>>,
}

/// The end of what a program wrote to its standard error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tail {
    /// The last lines, with control characters and those that turn the direction of text written out.
    pub lines: Vec<String>,
    /// Bytes before them that were not kept.
    pub dropped_bytes: u64,
}

#[derive(Default)]
struct Kept {
    end: VecDeque<u8>,
    dropped_bytes: u64,
}

impl Stderr {
    /// What is kept at this moment.
    pub fn tail(&self) -> Tail {
        let kept = self.kept();
        let (first, second) = kept.end.as_slices();
        let bytes = [first, second].concat();
        let dropped_bytes = kept.dropped_bytes;
        drop(kept);
        // After a cut, what is left of the first line is the end of something else.
        let begin =
            bytes.iter().position(|&byte| byte == b'\n').filter(|_| dropped_bytes > 0).map_or(0, |line| line + 1);
        let (cut, whole) = bytes.split_at_checked(begin).unwrap_or_default();
        let lines = String::from_utf8_lossy(whole).lines().map(printable).collect();
        Tail { lines, dropped_bytes: dropped_bytes + cut.len() as u64 }
    }

    /// Reads to the end.
    ///
    /// A program that writes faster than [`LOCAL_STDERR_BYTES_PER_SECOND`] is made to wait: it cannot fill memory, nor
    /// take more than a few percent of a processor, and it is never refused.
    pub(crate) async fn read(&self, mut pipe: Receiver) {
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut window = Instant::now();
        let mut in_window = 0;
        while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
            self.kept().extend(buffer.get(..count).unwrap_or_default());
            in_window += count;
            if in_window >= BYTES_PER_WINDOW {
                tokio::time::sleep_until(window + WINDOW).await;
                (window, in_window) = (Instant::now(), 0);
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn extend(&mut self, bytes: &[u8]) {
        let (skipped, bytes) = bytes.split_at(bytes.len().saturating_sub(LOCAL_STDERR_BYTES_MAX));
        let excess = (self.end.len() + bytes.len()).saturating_sub(LOCAL_STDERR_BYTES_MAX);
        self.end.drain(..excess);
        self.end.extend(bytes);
        self.dropped_bytes += (skipped.len() + excess) as u64;
    }
}

/// A line that a terminal shows as it is.
fn printable(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for character in line.chars() {
        if character == '\t' || !(character.is_control() || turns_direction(character)) {
            text.push(character);
        } else {
            text.extend(character.escape_unicode());
        }
    }
    text
}

fn turns_direction(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

impl fmt::Display for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dropped_bytes > 0 {
            writeln!(f, "({} bytes before this were not kept)", self.dropped_bytes)?;
        }
        for line in &self.lines {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
