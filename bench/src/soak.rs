//! Does the gate hold more and more, the longer it works?
//!
//! For as long as is asked, callers come and go in windows of some seconds, at half of what the gate can do. Memory, open
//! files, threads and children of its process are sampled every second. What counts is the slope of each, by least
//! squares over the run without its first part, and how sure that slope is: a slope within its noise is none.

mod trend;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, ensure};
use clap::Args;
use serde::Serialize;

use crate::gate::{Gate, Policies};
use crate::hostile::gate_program;
use crate::load::{self, Measured, thousandths};
use crate::machine::Machine;
use crate::process::{self, Running};
use trend::Trend;

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
/// The part of the run at its beginning whose samples do not count: caches fill and allocators settle.
const SETTLING_PART: f64 = 0.2;
/// Bytes of each call and of each answer.
const CALL_BYTES: usize = 1024;

/// What the gate's process held at one moment.
#[derive(Debug, Clone, Copy, Serialize)]
struct Sample {
    /// Seconds since the run began.
    at: f64,
    resident_bytes: u64,
    open_files: u64,
    threads: u64,
    children: u64,
    /// Open streams, by the gate's own count; nothing where it is not told.
    streams: Option<u64>,
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
    open_files: Trend,
    threads: Trend,
    children: Trend,
    streams: Trend,
    samples: Vec<Sample>,
}

/// Runs it.
pub fn run(plan: &Plan) -> anyhow::Result<()> {
    let machine = Machine::look();
    let program = std::env::current_exe().context("find this program")?;
    let (upstream, address) = Running::start(Command::new(&program).arg("upstream"))?;
    let gate = gate_program(plan.gate.as_deref(), &program)?;
    let gate = Gate::install(&gate, &plan.directory, &address, Policies::ReadArguments)?;
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
        load::elsewhere(&program, &settings)
    };
    let rate = match plan.rate {
        Some(rate) => rate,
        None => work(5.0, None)?.calls_per_second() / 2.0,
    };
    ensure!(rate > 0.0, "a rate is above nothing");
    say(&format!("{rate:.0} calls per second for {} minutes", plan.minutes))?;
    let watcher = Watcher::start(running.id(), gate.admin_metrics());
    let (began, whole) = (Instant::now(), Duration::from_secs_f64(plan.minutes * 60.0));
    let (mut calls, mut p99_microseconds) = (0, Vec::new());
    while began.elapsed() < whole {
        let left = (whole.saturating_sub(began.elapsed())).as_secs_f64().max(0.5);
        let measured = work(plan.window_seconds.min(left), Some(rate))?;
        calls += measured.calls;
        p99_microseconds.push(measured.p99_microseconds);
    }
    let samples = watcher.end();
    drop((running, upstream));
    let settled: Vec<Sample> =
        samples.iter().filter(|sample| sample.at >= SETTLING_PART * plan.minutes * 60.0).copied().collect();
    let trend = |value: &dyn Fn(&Sample) -> f64| Trend::of(settled.iter().map(|sample| (sample.at, value(sample))));
    let report = Report {
        format: 1,
        taken_at_unix_seconds: SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs()),
        machine,
        minutes: plan.minutes,
        calls_per_second: thousandths(rate),
        calls,
        p99_microseconds,
        resident_bytes: trend(&|sample| sample.resident_bytes as f64),
        open_files: trend(&|sample| sample.open_files as f64),
        threads: trend(&|sample| sample.threads as f64),
        children: trend(&|sample| sample.children as f64),
        streams: trend(&|sample| sample.streams.map_or(f64::NAN, |streams| streams as f64)),
        samples,
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
    fn start(process: u32, streams: impl Fn() -> Option<u64> + Send + 'static) -> Self {
        let (stop, samples) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (stopped, kept) = (Arc::clone(&stop), Arc::clone(&samples));
        let thread = std::thread::spawn(move || {
            let began = Instant::now();
            while !stopped.load(Ordering::Relaxed) {
                if let Some(sample) = sample(process, began.elapsed(), streams()) {
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

/// Nothing when the process is gone.
fn sample(process: u32, at: Duration, streams: Option<u64>) -> Option<Sample> {
    let count = |folder: &str| fs::read_dir(format!("/proc/{process}/{folder}")).map(|entries| entries.count() as u64);
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    Some(Sample {
        at: thousandths(at.as_secs_f64()),
        resident_bytes: process::usage(process).ok()?.resident_bytes,
        open_files: count("fd").ok()?,
        threads: count("task").ok()?,
        children: children.split_ascii_whitespace().count() as u64,
        streams,
    })
}

fn keep(plan: &Plan, report: &Report) -> anyhow::Result<()> {
    let path = plan.results.join(format!("{}.json", plan.name));
    fs::create_dir_all(&plan.results).context("make the folder of the reports")?;
    fs::write(&path, serde_json::to_string_pretty(report)? + "\n").context("keep the report")?;
    let mebibyte = 1024.0 * 1024.0;
    say(&format!(
        "{} calls at {:.0} per second\nmemory    {}\nfiles     {}\nthreads   {}\nchildren  {}\nstreams   {}\nKept in {}",
        report.calls,
        report.calls_per_second,
        report.resident_bytes.told(mebibyte, "MiB"),
        report.open_files.told(1.0, ""),
        report.threads.told(1.0, ""),
        report.children.told(1.0, ""),
        report.streams.told(1.0, ""),
        path.display()
    ))
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("write to standard output")
}
