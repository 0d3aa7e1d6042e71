//! Hostile traffic, as numbered cases: what arrives at the agents' door, and what servers answer.
//!
//! Every case says what the gate answers, and that nothing came of it: the server behind has seen the calls that it should
//! and no other, somebody else was served while the case was under way, and afterwards the gate holds as many streams,
//! files and as much memory as before. A file is a door and a kind of traffic, and a table or a list within it; the numbers
//! are unique over all of them.
//!
//! - [`framing`]: what is no HTTP/1.1, or is HTTP that two readers could read differently.
//! - [`bodies`]: messages that are none, in a revision without sessions and in one with them.
//! - [`connections`]: clients that are slow, many, deaf, or gone.
//! - [`documents`] and [`events`]: servers that answer over HTTP, in one document or in a stream, in both eras, by the
//!   bytes of an [`actor`].
//! - [`processes`]: servers that the gate starts itself.

mod actor;
mod bodies;
mod connections;
mod documents;
mod events;
mod framing;
mod processes;

use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{eventually, streams_open};
use crate::gate::Gate;
use crate::gate::files::BOB;
use crate::resilience::process_id;
use crate::verdict::passes;

/// Kilobytes by which the gate may have grown after a test: what an allocator keeps, and far less than what was sent.
const KEPT_KILOBYTES_MAX: u64 = 96 * 1024;
/// Files and sockets that may be open more than before: kept connections of the caller and to the server.
const KEPT_FILES_MAX: usize = 24;

/// What the gate held before anything hostile came, and how often somebody else was served since.
struct Calm {
    files: usize,
    kilobytes: u64,
    served: usize,
}

impl Calm {
    /// Looks at the gate, after one call, so that it is warm.
    async fn before(gate: &Gate) -> Self {
        let mut calm = Self { files: 0, kilobytes: 0, served: 0 };
        calm.serves(gate, 0, "nothing yet").await;
        (calm.files, calm.kilobytes) = (open_files(gate), resident_kilobytes(gate));
        calm
    }

    /// Somebody else is served, now.
    async fn serves(&mut self, gate: &Gate, number: u16, name: &str) {
        println!("{number} {name}");
        let reply = gate.client(BOB).call("read_ticket", json!({ "ticket": "1" })).await;
        passes(&reply.unwrap_or_else(|error| panic!("during {number} `{name}`: {error}")));
        self.served += 1;
    }

    /// The desk has seen what it should, and the gate holds what it held.
    async fn after(self, gate: &Gate, calls: usize) {
        assert_eq!(gate.desk.calls(), self.served + calls, "the desk saw calls that nobody should have made");
        streams_open(gate, 0).await;
        let files = self.files + KEPT_FILES_MAX;
        eventually("as many files are open as before", || open_files(gate) <= files).await;
        let grown = resident_kilobytes(gate).saturating_sub(self.kilobytes);
        assert!(grown < KEPT_KILOBYTES_MAX, "the gate grew by {grown} KiB");
        for secret in crate::gate::secrets() {
            assert!(!gate.output().contains(&secret), "the log holds a secret");
        }
    }
}

/// Kilobytes of memory that the gate's process holds.
fn resident_kilobytes(gate: &Gate) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process_id(gate))).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Files and sockets that the gate's process holds.
fn open_files(gate: &Gate) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", process_id(gate))).unwrap().count()
}

/// Waits until a number that others count is as wanted.
async fn counted(what: &str, mut count: impl FnMut() -> u64, wanted: impl Fn(u64) -> bool) {
    let deadline = Instant::now() + crate::client::PATIENCE;
    loop {
        let now = count();
        if wanted(now) {
            return;
        }
        assert!(Instant::now() < deadline, "{what}: still {now}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
