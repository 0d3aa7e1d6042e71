//! Does an attack on the gate slow another caller down?
//!
//! One caller makes calls at a fixed, modest rate. In turns it is left alone and has an attacker beside it, who is another
//! caller to the gate. What is measured is what the attack does to the gate, and not that four processes share a machine:
//! the attacker gets what the others leave of the processors (`SCHED_IDLE`), and the caller and its server have one at
//! once when they need it (`SCHED_RR`, where this user may ask for that), as they would on machines of their own. For each
//! kind of attack the report holds the caller's latency in both, round by round, and their ratio.

mod attack;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, ensure};
use clap::Args;
use serde::Serialize;

pub use attack::{Kind, Settings as AttackSettings, run as attack};

use crate::gate::{Gate, Policies};
use crate::kept::{self, say};
use crate::load::{self, Measured, thousandths};
use crate::machine::Machine;
use crate::process::{self, Running};
use crate::report::median;

/// What to measure and how long.
#[derive(Args, Debug)]
pub struct Plan {
    /// Rounds; in each, every attack has its turn, and a turn without one before it.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds measured in each turn.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Calls per second of the caller who is watched.
    #[arg(long, default_value_t = 200.0)]
    rate: f64,
    /// Connections of the attacker.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    attackers: u16,
    /// Attacks of each connection in one second, at most.
    #[arg(long, default_value_t = 20.0)]
    attacks_per_second: f64,
    /// Only these kinds of attack.
    #[arg(long, value_delimiter = ',')]
    kinds: Vec<Kind>,
    /// The gate's program; by default the `portcullis` beside this one.
    #[arg(long)]
    gate: Option<PathBuf>,
    /// Where the installation is made.
    #[arg(long, default_value = "target/bench/hostile")]
    directory: PathBuf,
    /// The report's name.
    #[arg(long, default_value = "hostile")]
    name: String,
    /// Where reports are kept.
    #[arg(long, default_value = "bench/results")]
    results: PathBuf,
}

/// Seconds an attack runs before the caller is looked at.
const WARMUP_SECONDS: f64 = 0.5;
/// Connections of the caller who is watched.
const CALLER_CONNECTIONS: u16 = 8;
/// Bytes of each of the caller's calls and answers.
const CALL_BYTES: usize = 1024;
/// What another caller's 99th percentile may become.
const RATIO_MAX: f64 = 2.0;

/// Everything that was measured in one run.
#[derive(Debug, Serialize)]
struct Report {
    format: u32,
    taken_at_unix_seconds: u64,
    machine: Machine,
    rounds: u32,
    seconds: f64,
    calls_per_second: f64,
    attackers: u16,
    attacks_per_second_each: f64,
    /// Whether the caller and its server had a processor at once.
    caller_and_server_first: bool,
    ratio_max: f64,
    attacks: Vec<Attacked>,
}

/// What one kind of attack did to the caller.
#[derive(Debug, Serialize)]
struct Attacked {
    kind: &'static str,
    /// Each turn in which the caller was left alone.
    quiet: Vec<Measured>,
    /// Each turn beside the attack.
    attacked: Vec<Measured>,
    /// The attacked 99th percentile against the quiet one, medians of the rounds.
    p99_ratio: f64,
    /// The same of the 50th.
    p50_ratio: f64,
    /// Bytes of memory of the gate after the last turn.
    resident_bytes: u64,
}

/// Runs the comparison.
pub fn run(plan: &Plan) -> anyhow::Result<()> {
    let machine = Machine::look();
    let program = std::env::current_exe().context("find this program")?;
    let is_first = may_be_first();
    let (upstream, address) = Running::start(first(is_first, &program).arg("upstream"))?;
    let gate = Gate::install(
        &gate_program(plan.gate.as_deref(), &program)?,
        &plan.directory,
        &address,
        Policies::ReadNoArguments,
    )?;
    let running = gate.start()?;
    let caller = Caller { program: &program, gate: &gate, process: running.id(), plan, is_first };
    let kinds = if plan.kinds.is_empty() { Kind::ALL.to_vec() } else { plan.kinds.clone() };
    let mut attacks: Vec<Attacked> = kinds.iter().map(|kind| Attacked::none(*kind)).collect();
    for round in 0..plan.rounds {
        for (kind, attacked) in kinds.iter().zip(&mut attacks) {
            say(&format!("round {} of {}: {}", round + 1, plan.rounds, kind.name()))?;
            attacked.quiet.push(caller.works()?);
            let attacker = Attacker::start(&program, &gate, *kind, plan)?;
            attacked.attacked.push(caller.works().with_context(|| format!("call during `{}`", kind.name()))?);
            drop(attacker);
            attacked.resident_bytes = process::usage(running.id())?.resident_bytes;
        }
    }
    drop((running, upstream));
    for attacked in &mut attacks {
        attacked.p99_ratio = attacked.ratio(|turn| turn.p99_microseconds);
        attacked.p50_ratio = attacked.ratio(|turn| turn.p50_microseconds);
    }
    let report = Report {
        format: 1,
        taken_at_unix_seconds: SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs()),
        machine,
        rounds: plan.rounds,
        seconds: plan.seconds,
        calls_per_second: plan.rate,
        attackers: plan.attackers,
        attacks_per_second_each: plan.attacks_per_second,
        caller_and_server_first: is_first,
        ratio_max: RATIO_MAX,
        attacks,
    };
    keep(plan, &report)
}

/// The gate's program: the one that was named, or the one beside this.
pub(crate) fn gate_program(named: Option<&Path>, this: &Path) -> anyhow::Result<PathBuf> {
    let program = named.map_or_else(|| this.with_file_name("portcullis"), Path::to_path_buf);
    ensure!(program.exists(), "build the gate first, or name it with --gate");
    // Installations are other folders, and the gate is started in them.
    program.canonicalize().context("find the gate's program")
}

/// Whether a process of ours may have a processor before all others.
fn may_be_first() -> bool {
    Command::new("chrt").args(["--rr", "1", "true"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// A program that has a processor at once when it needs one, where that may be.
fn first(is_first: bool, program: &Path) -> Command {
    if !is_first {
        return Command::new(program);
    }
    let mut command = Command::new("chrt");
    command.args(["--rr", "1"]).arg(program);
    command
}

/// Somebody who works at a steady pace.
struct Caller<'a> {
    program: &'a Path,
    gate: &'a Gate,
    process: u32,
    plan: &'a Plan,
    is_first: bool,
}

impl Caller<'_> {
    fn works(&self) -> anyhow::Result<Measured> {
        load::elsewhere(
            first(self.is_first, self.program),
            &[
                ("--to", self.gate.agents().to_string()),
                ("--path", self.gate.path().to_owned()),
                ("--token", self.gate.token().to_owned()),
                ("--bytes", CALL_BYTES.to_string()),
                ("--seconds", self.plan.seconds.to_string()),
                ("--warmup-seconds", WARMUP_SECONDS.to_string()),
                ("--connections", CALLER_CONNECTIONS.to_string()),
                ("--rate", self.plan.rate.to_string()),
                ("--watch", self.process.to_string()),
            ],
        )
    }
}

/// An attack under way, as a process that leaves the processors to others. It ends when dropped.
struct Attacker(Child);

impl Attacker {
    fn start(program: &Path, gate: &Gate, kind: Kind, plan: &Plan) -> anyhow::Result<Self> {
        let mut command = Command::new("chrt");
        command.args(["--idle", "0"]).arg(program).arg("attack").args(["--kind", kind.name()]);
        command.args(["--to", &gate.agents().to_string(), "--path", gate.path(), "--token", gate.token_of_another()]);
        command.args(["--connections", &plan.attackers.to_string()]);
        command.args(["--attacks-per-second", &plan.attacks_per_second.to_string()]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("start the attack")?;
        std::thread::sleep(Duration::from_secs_f64(WARMUP_SECONDS));
        Ok(Self(child))
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Attacked {
    fn none(kind: Kind) -> Self {
        let (p99_ratio, p50_ratio) = (f64::NAN, f64::NAN);
        Self { kind: kind.name(), quiet: Vec::new(), attacked: Vec::new(), p99_ratio, p50_ratio, resident_bytes: 0 }
    }

    /// The median of the attacked turns against the median of the quiet ones.
    fn ratio(&self, latency: impl Fn(&Measured) -> f64) -> f64 {
        let of = |turns: &[Measured]| median(turns.iter().map(&latency));
        thousandths(of(&self.attacked) / of(&self.quiet))
    }
}

fn table(report: &Report) -> String {
    let mut lines =
        vec![format!("{:<24}{:>14}{:>14}{:>9}{:>12}", "attack", "quiet p99 us", "p99 us", "ratio", "gate MiB")];
    for attacked in &report.attacks {
        let of = |turns: &[Measured]| median(turns.iter().map(|turn| turn.p99_microseconds));
        let mark = if attacked.p99_ratio > report.ratio_max { " !" } else { "" };
        lines.push(format!(
            "{:<24}{:>14.0}{:>14.0}{:>8.2}x{:>12.1}{mark}",
            attacked.kind,
            of(&attacked.quiet),
            of(&attacked.attacked),
            attacked.p99_ratio,
            attacked.resident_bytes as f64 / (1024.0 * 1024.0)
        ));
    }
    lines.join("\n")
}

fn keep(plan: &Plan, report: &Report) -> anyhow::Result<()> {
    let path = kept::keep(&plan.results, &plan.name, report)?;
    say(&format!("\n{}\nKept in {}", table(report), path.display()))
}
