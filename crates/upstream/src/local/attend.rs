//! Reading and writing the streams of a local server, until it ends.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use model::limits;
use sandbox::{Child, Tail};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;
use wire::lines::Decoder;

use super::process::{Departing, Process};
use crate::pace::Pace;

/// Bytes read at a time.
const READ_BYTES: usize = 64 * 1024;
/// Bytes of a process's last words that are told with the reason of its end.
const LAST_WORDS_BYTES: usize = 2048;

/// Why a process is attended to no longer.
enum Stop {
    /// One of its streams was closed, which mostly means that it exits. How it exits says more.
    Closed(&'static str),
    /// It did what none may.
    Misbehaved(String),
}

/// Attends to a process until it ends, or must be ended, and tells everybody why.
pub(super) async fn attend(process: Arc<Process>, mut child: Child, departing: mpsc::UnboundedReceiver<Departing>) {
    let (Some(stdin), Some(stdout)) = (child.stdin(), child.stdout()) else {
        return process.end("its streams are somebody else's");
    };
    let limit = Duration::from_millis(limits::LOCAL_EXIT_MILLISECONDS_MAX);
    let mut reading = pin!(read(&process, stdout));
    let stop = tokio::select! {
        stop = &mut reading => stop,
        stop = write(&process, stdin, departing) => match stop {
            // What it wrote before it stopped reading may be an answer, and is not lost.
            Stop::Closed(_) => timeout(limit, reading).await.unwrap_or(stop),
            Stop::Misbehaved(_) => stop,
        },
    };
    let why = match stop {
        Stop::Misbehaved(why) => why,
        Stop::Closed(stream) => timeout(limit, child.wait())
            .await
            .map_or_else(|_| format!("it closed its {stream}"), |exit| exit.to_string()),
    };
    child.kill();
    process.end(&with_last_words(&why, &child.stderr().tail()));
}

/// Hands on line by line; says why nothing more can be read.
async fn read(process: &Process, mut stdout: impl AsyncRead + Unpin) -> Stop {
    let mut decoder = Decoder::new(limits::MESSAGE_BYTES_MAX);
    let mut buffer = vec![0; READ_BYTES];
    let mut noise = 0_u64;
    let mut pace = Pace::new();
    loop {
        let count = match stdout.read(&mut buffer).await {
            Ok(0) | Err(_) => return Stop::Closed("output"),
            Ok(count) => count,
        };
        let pushed = decoder.push(buffer.get(..count).unwrap_or_default());
        while let Some(line) = decoder.next() {
            pace.next().await;
            pace.heard();
            if process.arrived(&line) {
                if process.raves() {
                    let most = limits::LOCAL_STRAYS_MAX;
                    return Stop::Misbehaved(format!("it had more than {most} messages in a row that were for nobody"));
                }
                continue;
            }
            process.noise();
            noise += 1;
            if noise > limits::LOCAL_NOISE_LINES_MAX {
                let most = limits::LOCAL_NOISE_LINES_MAX;
                return Stop::Misbehaved(format!("it wrote more than {most} lines to its output that are no messages"));
            }
        }
        if let Err(flaw) = pushed {
            return Stop::Misbehaved(format!("its output cannot be read on: {}", flaw.refusal.detail));
        }
    }
}

/// Writes line by line; says why nothing more can be written.
async fn write(
    process: &Process,
    mut stdin: impl AsyncWrite + Unpin,
    mut departing: mpsc::UnboundedReceiver<Departing>,
) -> Stop {
    while let Some(next) = departing.recv().await {
        if !process.departs(&next) {
            continue;
        }
        let limit = Duration::from_millis(limits::LOCAL_WRITE_MILLISECONDS_MAX);
        match timeout(limit, stdin.write_all(&next.line)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Stop::Closed("input"),
            Err(_) => {
                let most = limits::LOCAL_WRITE_MILLISECONDS_MAX;
                return Stop::Misbehaved(format!("it did not read a message within {most} ms"));
            }
        }
    }
    // Nobody can call it any more.
    Stop::Closed("input")
}

/// A reason, with what a process wrote to its standard error last, if anything.
pub(super) fn with_last_words(why: &str, tail: &Tail) -> String {
    let said = tail.lines.join("\n");
    let begin = said.len().saturating_sub(LAST_WORDS_BYTES);
    let begin = (begin..=said.len()).find(|at| said.is_char_boundary(*at)).unwrap_or_default();
    match said.get(begin..).map(str::trim).filter(|said| !said.is_empty()) {
        Some(said) => format!("{why}; it wrote last to its standard error:\n{said}"),
        None => why.to_owned(),
    }
}
