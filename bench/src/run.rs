//! The whole comparison: starts every part, takes turns between them, prints the report and keeps it.
//!
//! What is compared is compared in turns (round by round, each contestant once per round, beginning with another each
//! time), so that whatever else the machine does falls on all of them. What is told is the median of the rounds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, ensure};
use clap::Args;

use crate::gate::{Gate, Policies};
use crate::kept::{self, say};
use crate::load::{self, Measured, thousandths};
use crate::machine::Machine;
use crate::process::{self, Running};
use crate::report::{Contestant, Report, Size};
use crate::{flush, report};

/// What to measure and how long.
#[derive(Args, Debug)]
pub struct Plan {
    /// Rounds; in each, every contestant has its turn.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds measured in each turn.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Seconds before that, which are not measured.
    #[arg(long, default_value_t = 0.5)]
    warmup_seconds: f64,
    /// Connections of the agents, each kept open.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: u16,
    /// Bytes in each call and in each answer, for each part of the comparison.
    #[arg(long, value_delimiter = ',', default_values_t = [1024, 16 * 1024, 256 * 1024])]
    sizes: Vec<usize>,
    /// Starts of each contestant for the time from start to ready.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    starts: u32,
    /// Leave the gate out, and compare the bare proxy with none.
    #[arg(long)]
    without_gate: bool,
    /// The gate's program; by default the `portcullis` beside this one.
    #[arg(long)]
    gate: Option<PathBuf>,
    /// Where installations are made. It must be on the disk whose flushes count, not in memory.
    #[arg(long, default_value = "target/bench")]
    directory: PathBuf,
    /// The report's name.
    #[arg(long, default_value = "latest")]
    name: String,
    /// Where reports are kept.
    #[arg(long, default_value = "bench/results")]
    results: PathBuf,
}

/// Seconds a process is left alone before its idle memory is read.
const SETTLE: Duration = Duration::from_secs(5);

/// A process that takes its turns, and how to call it.
struct Entrant {
    name: &'static str,
    to: String,
    path: &'static str,
    token: &'static str,
    process: u32,
}

/// Runs the comparison.
pub fn run(plan: &Plan) -> anyhow::Result<()> {
    let machine = Machine::look();
    let program = std::env::current_exe().context("find this program")?;
    fs::create_dir_all(&plan.directory).context("make the folder of the installations")?;

    let mut running = Vec::new();
    let mut entrants = Vec::new();
    let mut contestants = Vec::new();

    let (upstream, ready) = starts(plan, || Running::start(Command::new(&program).arg("upstream")))?;
    let (server, address) = upstream;
    entrants.push(Entrant { name: "direct", to: address.clone(), path: "/mcp", token: "none", process: server.id() });
    contestants.push(Contestant::new("direct", ready));
    running.push(server);

    let start_bare = || Running::start(Command::new(&program).args(["bare", "--upstream", &address]));
    let ((bare, to), ready) = starts(plan, start_bare)?;
    entrants.push(Entrant { name: "bare", to, path: "/mcp", token: "none", process: bare.id() });
    contestants.push(Contestant::new("bare", ready));
    running.push(bare);

    if !plan.without_gate {
        let gate_program = gate_program(plan, &program)?;
        for (name, policies) in [
            ("gate, 0 read arguments", Policies::ReadNoArguments),
            ("gate, 10 read arguments", Policies::ReadArguments),
        ] {
            let directory = plan.directory.join(name.replace(", ", "-").replace(' ', "-"));
            let gate = Gate::install(&gate_program, &directory, &address, policies)?;
            let ((process, ()), ready) = starts(plan, || Ok((gate.start()?, ())))?;
            let (to, path, token) = (gate.agents().to_string(), gate.path(), gate.token());
            entrants.push(Entrant { name, to, path, token, process: process.id() });
            contestants.push(Contestant::new(name, ready));
            running.push(process);
        }
    }

    std::thread::sleep(SETTLE);
    for (entrant, contestant) in entrants.iter().zip(&mut contestants) {
        contestant.idle_resident_bytes = process::usage(entrant.process)?.resident_bytes;
        contestant.sizes = plan.sizes.iter().map(|bytes| Size::new(*bytes)).collect();
    }
    let flushes = turns(plan, &program, &entrants, &mut contestants)?;
    drop(running);

    let report = Report {
        format: 1,
        taken_at_unix_seconds: SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs()),
        machine,
        rounds: plan.rounds,
        seconds: plan.seconds,
        connections: plan.connections,
        flush: report::Flush::of(flushes),
        contestants,
    };
    keep(plan, &report)
}

/// Starts a contestant several times, ends all but the last, and tells the times from start to ready.
fn starts<T>(
    plan: &Plan,
    mut start: impl FnMut() -> anyhow::Result<(Running, T)>,
) -> anyhow::Result<((Running, T), Vec<Duration>)> {
    let mut times = Vec::new();
    for _ in 1..plan.starts {
        times.push(start()?.0.ready_after);
    }
    let last = start()?;
    times.push(last.0.ready_after);
    Ok((last, times))
}

fn gate_program(plan: &Plan, this: &Path) -> anyhow::Result<PathBuf> {
    let program = plan.gate.clone().unwrap_or_else(|| this.with_file_name("portcullis"));
    ensure!(program.exists(), "build the gate first, name it with --gate, or leave it out with --without-gate");
    // Installations are other folders, and the gate is started in them.
    program.canonicalize().context("find the gate's program")
}

/// All rounds: first as fast as answers come, then at half of what the slowest could do.
fn turns(
    plan: &Plan,
    program: &Path,
    entrants: &[Entrant],
    contestants: &mut [Contestant],
) -> anyhow::Result<Vec<Duration>> {
    let mut flushes = Vec::new();
    for round in 0..plan.rounds {
        say(&format!("round {} of {}: as fast as answers come", round + 1, plan.rounds))?;
        for index in 0..plan.sizes.len() {
            for turn in in_turn(round, entrants.len()) {
                turn_of(plan, program, entrants, contestants, (turn, index), None)?;
            }
        }
    }
    let rates: Vec<f64> = (0..plan.sizes.len()).map(|index| report::half_load(contestants, index)).collect();
    for round in 0..plan.rounds {
        say(&format!("round {} of {}: at half load", round + 1, plan.rounds))?;
        for (index, rate) in rates.iter().enumerate() {
            flushes.append(&mut flush::sample(&plan.directory)?);
            for turn in in_turn(round, entrants.len()) {
                turn_of(plan, program, entrants, contestants, (turn, index), Some(*rate))?;
            }
        }
    }
    Ok(flushes)
}

/// The contestants' places in a round, which begins with another one each time.
fn in_turn(round: u32, contestants: usize) -> impl Iterator<Item = usize> {
    let first = usize::try_from(round).unwrap_or(0) % contestants.max(1);
    (0..contestants).map(move |place| (first + place) % contestants)
}

/// One contestant's turn at one size.
fn turn_of(
    plan: &Plan,
    program: &Path,
    entrants: &[Entrant],
    contestants: &mut [Contestant],
    (turn, index): (usize, usize),
    rate: Option<f64>,
) -> anyhow::Result<()> {
    let (Some(entrant), Some(contestant)) = (entrants.get(turn), contestants.get_mut(turn)) else { return Ok(()) };
    let Some(size) = contestant.sizes.get_mut(index) else { return Ok(()) };
    let measured = measured(plan, program, entrant, size.bytes, rate)
        .with_context(|| format!("call `{}` with {} bytes", entrant.name, size.bytes))?;
    match rate {
        None => size.fastest.push(measured),
        Some(rate) => {
            size.half_load_calls_per_second = Some(thousandths(rate));
            size.half_load.push(measured);
        }
    }
    Ok(())
}

fn measured(
    plan: &Plan,
    program: &Path,
    entrant: &Entrant,
    bytes: usize,
    rate: Option<f64>,
) -> anyhow::Result<Measured> {
    let mut settings = vec![
        ("--to", entrant.to.clone()),
        ("--path", entrant.path.to_owned()),
        ("--token", entrant.token.to_owned()),
        ("--bytes", bytes.to_string()),
        ("--seconds", plan.seconds.to_string()),
        ("--warmup-seconds", plan.warmup_seconds.to_string()),
        ("--connections", plan.connections.to_string()),
        ("--watch", entrant.process.to_string()),
    ];
    settings.extend(rate.map(|rate| ("--rate", rate.to_string())));
    load::elsewhere(Command::new(program), &settings)
}

fn keep(plan: &Plan, report: &Report) -> anyhow::Result<()> {
    let path = kept::keep(&plan.results, &plan.name, report)?;
    say(&format!("\n{}\nKept in {}", report::table(report), path.display()))
}
