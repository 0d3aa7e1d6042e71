//! The client's side: lines in, lines out, each on a thread of its own, because reading a standard input cannot be given
//! up.

use std::io::{self, BufRead, Write as _};
use std::thread;

use bytes::Bytes;
use model::limits;
use tokio::sync::{mpsc, oneshot};

/// Lines that wait, each way.
const WAITING_MAX: usize = 16;

/// A line of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// The line, without its end.
    Whole(Bytes),
    /// It was longer than a message may be, and was skipped.
    TooLong,
}

/// What the client says, until it closes its output.
pub(super) fn input() -> mpsc::Receiver<Line> {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Ok(Some(line)) = read(&mut input, limits::MESSAGE_BYTES_MAX) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Where messages to the client go. Whoever says something waits while the client does not read.
#[derive(Debug, Clone)]
pub(super) struct Output(mpsc::Sender<Bytes>);

/// Ends when everything was written and nobody is left to say more, or when the client no longer reads.
pub(super) type Written = oneshot::Receiver<()>;

pub(super) fn output() -> (Output, Written) {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(WAITING_MAX);
    let (done, written) = oneshot::channel();
    thread::spawn(move || {
        let mut output = io::stdout().lock();
        while let Some(line) = receiver.blocking_recv() {
            if output.write_all(&line).and_then(|()| output.flush()).is_err() {
                break;
            }
        }
        drop(done);
    });
    (Output(sender), written)
}

impl Output {
    /// Says one message, which is known to be JSON.
    pub(super) async fn say(&self, message: &[u8]) {
        // A client that no longer reads ends the program; nobody is left to be told.
        drop(self.0.send(wire::lines::encode(message)).await);
    }
}

/// The next line that is not blank; `None` at the end. Of a line that is too long nothing is kept.
fn read(input: &mut impl BufRead, bytes_max: usize) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let piece = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            piece => piece?,
        };
        let ends = piece.is_empty();
        let newline = piece.iter().position(|&byte| byte == b'\n');
        let (part, used) = match newline {
            Some(place) => (piece.get(..place).unwrap_or_default(), place + 1),
            None => (piece, piece.len()),
        };
        too_long |= line.len() + part.len() > bytes_max;
        if too_long {
            line = Vec::new();
        } else {
            line.extend_from_slice(part);
        }
        input.consume(used);
        if newline.is_none() && !ends {
            continue;
        }
        let blank = line.iter().all(u8::is_ascii_whitespace);
        match (too_long, blank) {
            (true, _) => return Ok(Some(Line::TooLong)),
            (false, false) => return Ok(Some(Line::Whole(std::mem::take(&mut line).into()))),
            (false, true) if ends => return Ok(None),
            (false, true) => line.clear(),
        }
    }
}

#[cfg(test)]
mod tests;
