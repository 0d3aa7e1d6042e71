//! What does the gate cost?
//!
//! One command measures the gate against a bare reverse proxy and against no proxy at all, on the same work, side by
//! side in one run on loopback. Everything that takes part is a subcommand of this binary, run as its own process:
//!
//! - [`upstream`]: a small, fast MCP server;
//! - [`bare`]: a `hyper` reverse proxy that copies and does nothing else, the yardstick;
//! - [`load`]: 64 connections of an agent that calls one tool, as fast as answers come or at a fixed rate;
//! - [`run`]: starts them all and the gate, takes turns between them, and prints and keeps the report;
//! - [`stages`]: what each step of the gate costs by itself. The gate has no switches to take controls out with, so that
//!   the cost of each control is measured through the crate it lives in.
//!
//! Numbers are ratios to the bare proxy, because machines differ. CPU is what the kernel accounted to the process under
//! test (user and system, `/proc/PID/stat`, to 20 ms in a window of seconds). A file in `results/` holds every round.

mod bare;
mod flush;
mod gate;
mod listen;
mod load;
mod machine;
mod payload;
mod process;
mod report;
mod run;
mod stages;
mod upstream;

use clap::{Parser, Subcommand};

/// The gate's allocator, so that the yardstick has it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures what the gate costs, against a bare reverse proxy on the same work.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand)]
enum Part {
    /// The whole comparison: starts every part, takes turns, prints a table and keeps the report.
    Run(run::Plan),
    /// What each step of the gate costs by itself, in this process.
    Stages(stages::Plan),
    /// The MCP server behind every proxy.
    Upstream(upstream::Settings),
    /// The bare reverse proxy.
    Bare(bare::Settings),
    /// The agents: calls one tool over and over, and prints one JSON report.
    Load(load::Settings),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().part {
        Part::Run(plan) => run::run(&plan),
        Part::Stages(plan) => stages::run(&plan),
        Part::Upstream(settings) => upstream::run(&settings),
        Part::Bare(settings) => bare::run(&settings),
        Part::Load(settings) => load::run(&settings),
    }
}
