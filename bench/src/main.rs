//! The benchmark's one binary; see the crate's own page for what it measures.

use bench::{bare, definitions, hostile, instructions, load, many, run, soak, upstream};
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
    /// The MCP server behind every proxy.
    Upstream(upstream::Settings),
    /// The bare reverse proxy.
    Bare(bare::Settings),
    /// The agents: calls one tool over and over, and prints one JSON report.
    Load(load::Settings),
    /// Instructions of each call, counted by valgrind: what differs from host to host does not count.
    Instructions(instructions::Plan),
    /// Another caller's latency beside each kind of attack, against its latency without.
    Hostile(hostile::Plan),
    /// An attacker, until it is ended.
    Attack(hostile::AttackSettings),
    /// Many servers, tools, callers, sessions, streams and local servers: times and memory.
    Many(many::Plan),
    /// The servers of `many`.
    Shelves(many::shelves::Settings),
    /// A local server of `many`.
    Child(many::shelves::ChildSettings),
    /// The server of 2025-11-25 of `soak`.
    Elder(soak::elder::Settings),
    /// Definitions of tools, judged; and what becomes of changes to them.
    Definitions(definitions::Plan),
    /// Half load for long: does the gate hold more and more?
    Soak(soak::Plan),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().part {
        Part::Run(plan) => run::run(&plan),
        Part::Upstream(settings) => upstream::run(&settings),
        Part::Bare(settings) => bare::run(&settings),
        Part::Load(settings) => load::run(&settings),
        Part::Instructions(plan) => instructions::run(&plan),
        Part::Hostile(plan) => hostile::run(&plan),
        Part::Attack(settings) => hostile::attack(&settings),
        Part::Many(plan) => many::run(&plan),
        Part::Shelves(settings) => many::shelves::run(&settings),
        Part::Child(settings) => many::shelves::child(&settings),
        Part::Elder(settings) => soak::elder::run(&settings),
        Part::Definitions(plan) => definitions::run(&plan),
        Part::Soak(plan) => soak::run(&plan),
    }
}
