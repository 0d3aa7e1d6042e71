//! Does the gate hold more and more, the longer it works?
//!
//! For as long as is asked, callers come and go in windows of some seconds, at half of what the gate can do, and visitors
//! come and go beside them: clients that keep sessions, with streams, at servers of both eras, subscribers, and callers of
//! a local server that ends again and again. Every second it is sampled what the gate's process holds (memory, open files,
//! sockets, threads, children) and what it counts of itself (streams, sessions of clients), and how many sessions a server
//! of 2025-11-25 behind it has. What counts is the slope of each, by least squares over the run without its first part, and
//! how sure that slope is: a slope within its noise is none.

pub mod elder;
mod trend;
mod visitors;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, ensure};
use clap::Args;
use serde::Serialize;

use crate::gate::{self, Counts, Gate, Other, Place, Policies};
use crate::hostile::gate_program;
use crate::kept::{self, say};
use crate::load::{self, Measured, thousandths};
use crate::machine::Machine;
use crate::process::{self, Running};
use trend::Trend;
use visitors::{Visitors, Visits};

/// How long, and how hard.
#[derive(Args, Debug)]
pub struct Plan {
    /// Minutes in all.
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// Calls per second; without it, half of what the gate does as fast as answers come.
    #[arg(long)]
    rate: Option<f64>,
    /// Seconds of one window, after which every connection is closed and new ones are opened.
    #[arg(long, default_value_t = 10.0)]
    window_seconds: f64,
    /// Milliseconds between two visits. With fewer, what grows with visits shows sooner.
    #[arg(long, default_value_t = 100)]
    pause_milliseconds: u64,
    /// Connections of the callers.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: u16,
    /// The gate's program; by default the `portcullis` beside this one.
    #[arg(long)]
    gate: Option<PathBuf>,
    /// Where the installation is made.
    #[arg(long, default_value = "target/bench/soak")]
    directory: PathBuf,
    /// The report's name.
    #[arg(long, default_value = "soak")]
    name: String,
    /// Where reports are kept.
    #[arg(long, default_value = "bench/results")]
    results: PathBuf,
}

/// Time between two samples.
const SAMPLE: Duration = Duration::from_secs(1);
/// Of so many samples one is kept in the report.
const SAMPLES_KEPT_EVERY: usize = 30;
/// The part of the run at its beginning whose samples do not count: caches fill and allocators settle.
const SETTLING_PART: f64 = 0.2;
/// Calls after which the local server ends.
const CHILD_CALLS: &str = "50";
/// Bytes of each call and of each answer.
const CALL_BYTES: usize = 1024;

/// What the gate's process held at one moment.
#[derive(Debug, Clone, Copy, Serialize)]
struct Sample {
    /// Seconds since the run began.
    at: f64,
    resident_bytes: u64,
    /// Those of them that are no pages of files, and what is swapped out.
    own_bytes: u64,
    open_files: u64,
    threads: u64,
    children: u64,
    sockets: u64,
    /// Open streams, by the gate's own count; nothing where it is not told.
    streams: Option<u64>,
    /// Sessions of clients that keep one, the same way.
    sessions: Option<u64>,
    /// Sessions that the gate keeps for clients that keep none.
    bridge_sessions: Option<u64>,
    /// Sessions that the gate keeps with the server of 2025-11-25, by that server's count.
    upstream_sessions: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Report {
    format: u32,
    taken_at_unix_seconds: u64,
    machine: Machine,
    minutes: f64,
    calls_per_second: f64,
    calls: usize,
    /// The caller's latencies, window by window.
    p99_microseconds: Vec<f64>,
    resident_bytes: Trend,
    own_bytes: Trend,
    open_files: Trend,
    threads: Trend,
    children: Trend,
    sockets: Trend,
    streams: Trend,
    sessions: Trend,
    bridge_sessions: Trend,
    upstream_sessions: Trend,
    visits: Visits,
    samples: Vec<Sample>,
}

/// Runs it.
pub fn run(plan: &Plan) -> anyhow::Result<()> {
    let machine = Machine::look();
    let program = std::env::current_exe().context("find this program")?;
    let (upstream, address) = Running::start(Command::new(&program).arg("upstream"))?;
    let (shelf, shelf_address) = Running::start(Command::new(&program).arg("shelves"))?;
    let (elder, elder_address) = Running::start(Command::new(&program).arg("elder"))?;
    let others = [
        Other { name: "elder", place: Place::Url(format!("http://{elder_address}/mcp")) },
        Other { name: "shelf", place: Place::Url(format!("http://{shelf_address}/shelf/10/mcp")) },
        Other { name: "child", place: Place::Command(program.clone(), vec!["child", "--calls", CHILD_CALLS]) },
    ];
    let gate = gate_program(plan.gate.as_deref(), &program)?;
    let gate = Gate::install_with(&gate, &plan.directory, &address, Policies::ReadArguments, &others)?;
    let running = gate.start()?;
    let work = |seconds: f64, rate: Option<f64>| -> anyhow::Result<Measured> {
        let mut settings = vec![
            ("--to", gate.agents().to_string()),
            ("--path", gate.path().to_owned()),
            ("--token", gate.token().to_owned()),
            ("--bytes", CALL_BYTES.to_string()),
            ("--seconds", seconds.to_string()),
            ("--warmup-seconds", "0.2".to_owned()),
            ("--connections", plan.connections.to_string()),
        ];
        settings.extend(rate.map(|rate| ("--rate", rate.to_string())));
        load::elsewhere(Command::new(&program), &settings)
    };
    let rate = match plan.rate {
        Some(rate) => rate,
        None => work(5.0, None)?.calls_per_second() / 2.0,
    };
    ensure!(rate > 0.0, "a rate is above nothing");
    say(&format!("{rate:.0} calls per second for {} minutes", plan.minutes))?;
    let elder_address = elder_address.parse().context("read an address")?;
    let watcher = Watcher::start(running.id(), gate.counts(), move || elder_sessions(elder_address));
    let visitors = Visitors::start(&gate, Duration::from_millis(plan.pause_milliseconds));
    let (began, whole) = (Instant::now(), Duration::from_secs_f64(plan.minutes * 60.0));
    let (mut calls, mut p99_microseconds) = (0, Vec::new());
    while began.elapsed() < whole {
        let left = (whole.saturating_sub(began.elapsed())).as_secs_f64().max(0.5);
        let measured = work(plan.window_seconds.min(left), Some(rate))?;
        calls += measured.calls;
        p99_microseconds.push(measured.p99_microseconds);
    }
    let visits = visitors.end();
    let samples = watcher.end();
    drop((running, upstream, shelf, elder));
    let settled: Vec<Sample> =
        samples.iter().filter(|sample| sample.at >= SETTLING_PART * plan.minutes * 60.0).copied().collect();
    let trend = |value: &dyn Fn(&Sample) -> f64| Trend::of(settled.iter().map(|sample| (sample.at, value(sample))));
    let report = Report {
        format: 3,
        taken_at_unix_seconds: SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs()),
        machine,
        minutes: plan.minutes,
        calls_per_second: thousandths(rate),
        calls,
        p99_microseconds,
        resident_bytes: trend(&|sample| sample.resident_bytes as f64),
        own_bytes: trend(&|sample| sample.own_bytes as f64),
        open_files: trend(&|sample| sample.open_files as f64),
        threads: trend(&|sample| sample.threads as f64),
        children: trend(&|sample| sample.children as f64),
        sockets: trend(&|sample| sample.sockets as f64),
        streams: trend(&|sample| told(sample.streams)),
        sessions: trend(&|sample| told(sample.sessions)),
        bridge_sessions: trend(&|sample| told(sample.bridge_sessions)),
        upstream_sessions: trend(&|sample| told(sample.upstream_sessions)),
        visits,
        samples: samples.into_iter().step_by(SAMPLES_KEPT_EVERY).collect(),
    };
    keep(plan, &report)
}

/// Samples a process on a thread of its own, until it is asked to end.
struct Watcher {
    stop: Arc<AtomicBool>,
    samples: Arc<Mutex<Vec<Sample>>>,
    thread: std::thread::JoinHandle<()>,
}

impl Watcher {
    fn start(
        process: u32,
        counts: impl Fn() -> Counts + Send + 'static,
        upstream_sessions: impl Fn() -> Option<u64> + Send + 'static,
    ) -> Self {
        let (stop, samples) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (stopped, kept) = (Arc::clone(&stop), Arc::clone(&samples));
        let thread = std::thread::spawn(move || {
            let began = Instant::now();
            while !stopped.load(Ordering::Relaxed) {
                if let Some(sample) = sample(process, began.elapsed(), counts(), upstream_sessions()) {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
                }
                std::thread::sleep(SAMPLE);
            }
        });
        Self { stop, samples, thread }
    }

    fn end(self) -> Vec<Sample> {
        self.stop.store(true, Ordering::Relaxed);
        // The thread cannot panic; were it to, samples would be missing.
        let _ = self.thread.join();
        self.samples.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What was told, or no number.
fn told(count: Option<u64>) -> f64 {
    count.map_or(f64::NAN, |count| count as f64)
}

/// How many sessions the server of 2025-11-25 has.
fn elder_sessions(address: SocketAddr) -> Option<u64> {
    let answer = gate::fetched(address, elder::COUNT, "none").ok()?;
    answer.rsplit_once("\r\n\r\n")?.1.trim().parse().ok()
}

/// Nothing when the process is gone.
fn sample(process: u32, at: Duration, counts: Counts, upstream_sessions: Option<u64>) -> Option<Sample> {
    let count = |folder: &str| fs::read_dir(format!("/proc/{process}/{folder}")).map(|entries| entries.count() as u64);
    let files = fs::read_dir(format!("/proc/{process}/fd")).ok()?.filter_map(Result::ok);
    let is_socket = |file: &fs::DirEntry| {
        fs::read_link(file.path()).is_ok_and(|target| target.to_string_lossy().starts_with("socket:"))
    };
    let usage = process::usage(process).ok()?;
    Some(Sample {
        at: thousandths(at.as_secs_f64()),
        resident_bytes: usage.resident_bytes,
        own_bytes: usage.own_bytes,
        open_files: count("fd").ok()?,
        threads: count("task").ok()?,
        children: children(process).len() as u64,
        sockets: files.filter(is_socket).count() as u64,
        streams: counts.streams,
        sessions: counts.sessions,
        bridge_sessions: counts.bridge_sessions,
        upstream_sessions,
    })
}

/// The processes under a process: whichever of its threads started them, and theirs.
fn children(process: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().filter_map(Result::ok);
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let mut found: Vec<u32> = lists
        .flat_map(|list| list.split_ascii_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect();
    let theirs: Vec<u32> = found.iter().flat_map(|child| children(*child)).collect();
    found.extend(theirs);
    found
}

fn keep(plan: &Plan, report: &Report) -> anyhow::Result<()> {
    let path = kept::keep(&plan.results, &plan.name, report)?;
    let mebibyte = 1024.0 * 1024.0;
    say(&format!(
        "{} calls at {:.0} per second\nmemory    {}\nresident  {}\nfiles     {}\nthreads   {}\nchildren  {}\nsockets   {}\n\
         streams   {}\nsessions  {}\nbridge    {}\nupstream  {}\n{:?}\nKept in {}",
        report.calls,
        report.calls_per_second,
        report.own_bytes.told(mebibyte, "MiB"),
        report.resident_bytes.told(mebibyte, "MiB"),
        report.open_files.told(1.0, ""),
        report.threads.told(1.0, ""),
        report.children.told(1.0, ""),
        report.sockets.told(1.0, ""),
        report.streams.told(1.0, ""),
        report.sessions.told(1.0, ""),
        report.bridge_sessions.told(1.0, ""),
        report.upstream_sessions.told(1.0, ""),
        report.visits,
        path.display()
    ))
}
