//! Many at once: servers, tools, callers, sessions, open streams and local servers on one gate.
//!
//! Each phase adds something and tells what it took and what the gate holds after it; the report is held against the
//! budget of the design: a listing of 10,000 tools within 30 ms once a caller has read it and within a second before, and
//! 300 MiB of memory with 10,000 tools and 10,000 sessions.

mod place;
pub mod shelves;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, ensure};
use clap::Args;
use serde::Serialize;

use crate::kept::{self, say};
use crate::machine::Machine;
use crate::process::{self, Running};
use place::{Line, Place, Scale};

/// How many of what.
#[derive(Args, Debug)]
pub struct Plan {
    /// Servers over the network, beside the one with the large catalogue.
    #[arg(long, default_value_t = 1_000)]
    servers: usize,
    /// Tools of each.
    #[arg(long, default_value_t = 10)]
    tools: usize,
    /// Tools of the server with the large catalogue.
    #[arg(long, default_value_t = 10_000)]
    catalogue: usize,
    /// Users, each with a token of its own.
    #[arg(long, default_value_t = 200)]
    callers: usize,
    /// Sessions that clients of 2025-11-25 keep, over all callers.
    #[arg(long, default_value_t = 10_000)]
    sessions: usize,
    /// Subscriptions held open, over all callers and servers.
    #[arg(long, default_value_t = 5_000)]
    streams: usize,
    /// Local servers, each a process of the gate's.
    #[arg(long, default_value_t = 200)]
    children: usize,
    /// The gate's program; by default the `portcullis` beside this one.
    #[arg(long)]
    gate: Option<PathBuf>,
    /// Where the installation is made.
    #[arg(long, default_value = "target/bench/many")]
    directory: PathBuf,
    /// The report's name.
    #[arg(long, default_value = "many")]
    name: String,
    /// Where reports are kept.
    #[arg(long, default_value = "bench/results")]
    results: PathBuf,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    format: u32,
    taken_at_unix_seconds: u64,
    machine: Machine,
    scale: Scale,
    phases: Vec<Phase>,
}

/// One phase, and what the gate holds after it.
#[derive(Debug, Serialize)]
struct Phase {
    name: &'static str,
    milliseconds: f64,
    resident_mebibytes: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    figures: Vec<(&'static str, f64)>,
}

/// Times that a listing is read again.
const WARM: usize = 20;
/// Callers that read it for the first time.
const COLD: usize = 5;
/// Calls of which the median is told.
const CALLS: usize = 200;
/// Time for what was just done to settle, before memory is read.
const SETTLE: Duration = Duration::from_secs(1);

/// Runs every phase.
pub fn run(plan: &Plan) -> anyhow::Result<()> {
    let machine = Machine::look();
    let program = std::env::current_exe().context("find this program")?;
    let gate = plan.gate.clone().unwrap_or_else(|| program.with_file_name("portcullis"));
    let gate = gate.canonicalize().context("build the gate first, or name it with --gate")?;
    fs::create_dir_all(&plan.directory).context("make the folder of the installation")?;
    let directory = plan.directory.canonicalize().context("find the folder of the installation")?;
    let scale = Scale {
        servers: plan.servers,
        tools: plan.tools,
        catalogue: plan.catalogue,
        callers: plan.callers.max(1),
        sessions: plan.sessions,
        streams: plan.streams,
        children: plan.children,
    };
    let (_shelves, address) = Running::start(Command::new(&program).arg("shelves"))?;
    let place = Place::install(gate, directory, &address, &program, scale)?;
    let mut measured = Measured { place, phases: Vec::new(), process: 0 };
    let running = measured.approve()?;
    let running = measured.start_again(running)?;
    measured.list()?;
    measured.begin_sessions()?;
    let streams = measured.open_streams()?;
    measured.start_children()?;
    measured.call()?;
    drop(streams);
    drop(running);
    let report = Report {
        format: 1,
        taken_at_unix_seconds: SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs()),
        machine,
        scale: measured.place.scale,
        phases: measured.phases,
    };
    let path = kept::keep(&plan.results, &plan.name, &report)?;
    say(&format!("Kept in {}", path.display()))
}

struct Measured {
    place: Place,
    phases: Vec<Phase>,
    process: u32,
}

impl Measured {
    /// Notes a phase that took from `began` until now.
    fn phase(&mut self, name: &'static str, began: Instant, figures: Vec<(&'static str, f64)>) -> anyhow::Result<()> {
        let milliseconds = milliseconds(began.elapsed());
        std::thread::sleep(SETTLE);
        let resident = process::usage(self.process)?.resident_bytes;
        let resident_mebibytes = f64::from(u32::try_from(resident / 1024).unwrap_or(u32::MAX)) / 1024.0;
        let told: String = figures.iter().map(|(name, figure)| format!("  {name} {figure:.2}")).collect();
        say(&format!("{name:<44} {milliseconds:>10.1} ms {resident_mebibytes:>8.1} MiB{told}"))?;
        self.phases.push(Phase { name, milliseconds, resident_mebibytes, figures });
        Ok(())
    }

    fn approve(&mut self) -> anyhow::Result<Running> {
        let running = self.place.start()?;
        self.process = running.id();
        self.phase("started, empty", Instant::now(), vec![("ready ms", milliseconds(running.ready_after))])?;
        let began = Instant::now();
        self.place.apply()?;
        self.phase("everything submitted and looked at", began, Vec::new())?;
        let began = Instant::now();
        self.place.approve()?;
        self.phase("every server approved", began, Vec::new())?;
        Ok(running)
    }

    fn start_again(&mut self, running: Running) -> anyhow::Result<Running> {
        drop(running);
        let began = Instant::now();
        let running = self.place.start()?;
        self.process = running.id();
        self.phase("started again, all in service", began, vec![("ready ms", milliseconds(running.ready_after))])?;
        Ok(running)
    }

    /// The large catalogue, read by callers who have not read it and by one who has.
    fn list(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut line = Line::to(self.place.agents())?;
        let (mut cold, mut warm, mut first, mut tools) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for caller in 0..COLD.min(self.place.scale.callers) {
            let one = Instant::now();
            tools = self.place.list(&mut line, caller)?.tools;
            cold.push(milliseconds(one.elapsed()));
        }
        for _ in 0..WARM {
            let one = Instant::now();
            let read = self.place.list(&mut line, 0)?;
            warm.push(milliseconds(one.elapsed()));
            first.push(milliseconds(read.first));
        }
        ensure!(tools == self.place.scale.catalogue, "{tools} tools are listed");
        let figures = vec![
            ("cold ms", median(&mut cold)),
            ("warm ms", median(&mut warm)),
            ("warm first page ms", median(&mut first)),
        ];
        self.phase("the large catalogue listed, page by page", began, figures)?;
        let began = Instant::now();
        for caller in 0..self.place.scale.callers {
            self.place.list(&mut line, caller)?;
        }
        self.phase("listed by every caller", began, Vec::new())
    }

    fn begin_sessions(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut line = Line::to(self.place.agents())?;
        for session in 0..self.place.scale.sessions {
            self.place.initialize(&mut line, session % self.place.scale.callers)?;
        }
        self.phase("sessions of clients begun", began, Vec::new())
    }

    fn open_streams(&mut self) -> anyhow::Result<Vec<Line>> {
        let began = Instant::now();
        let open = |stream| self.place.subscribe(stream);
        let streams = (0..self.place.scale.streams).map(open).collect::<anyhow::Result<Vec<_>>>()?;
        self.phase("streams opened", began, Vec::new())?;
        Ok(streams)
    }

    fn start_children(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut line = Line::to(self.place.agents())?;
        for child in 0..self.place.scale.children {
            self.place.call_child(&mut line, child)?;
        }
        self.phase("local servers started and called", began, Vec::new())
    }

    fn call(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut line = Line::to(self.place.agents())?;
        let mut times = Vec::new();
        for number in 0..CALLS {
            let one = Instant::now();
            self.place.call(&mut line, number)?;
            times.push(milliseconds(one.elapsed()));
        }
        self.phase("called, with all of it there", began, vec![("p50 ms", median(&mut times))])
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
