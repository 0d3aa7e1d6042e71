//! What does the gate cost?
//!
//! One command, `cargo xtask bench`, measures the gate against a bare reverse proxy and against no proxy at all, on the
//! same work, side by side in one run on loopback. Everything that takes part is a subcommand of one binary, run as its
//! own process:
//!
//! - [`upstream`]: a small, fast MCP server;
//! - [`bare`]: a `hyper` reverse proxy that copies and does nothing else, the yardstick;
//! - [`load`]: 64 connections of an agent that calls one tool, as fast as answers come or at a fixed rate;
//! - [`run`]: starts them all and the gate, takes turns between them, and prints and keeps the report.
//!
//! - [`instructions`]: how many instructions a call takes, which hardly differs from host to host;
//! - [`hostile`]: what attacks do to another caller's latency, against that caller left alone, in turns;
//! - [`definitions`]: what the judge finds in definitions given by path, and what becomes of changes to them;
//! - [`many`]: thousands of servers, tools, sessions and streams on one gate, and what it holds then;
//! - [`soak`]: whether memory, files, threads and children grow while the gate works at half load, for as long as asked.
//!
//! `cargo xtask bench stages` measures what each step of the gate costs by itself. The gate has no switches to take
//! controls out with, so that the cost of each control is measured through the crate it lives in. It is a binary of its
//! own (`bin/stages`), because it is linked with those crates and the others need not be.
//!
//! Numbers are ratios to the bare proxy, because machines differ. CPU is what the kernel accounted to the process under
//! test (user and system, `/proc/PID/stat`, to 20 ms in a window of seconds). A file in `results/` holds every round.

pub mod bare;
pub mod definitions;
mod flush;
pub mod gate;
pub mod hostile;
pub mod instructions;
mod kept;
mod listen;
pub mod load;
pub mod machine;
pub mod many;
pub mod payload;
pub mod process;
pub mod report;
pub mod run;
pub mod soak;
pub mod upstream;
