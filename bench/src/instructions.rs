//! How many instructions does a call take?
//!
//! Times differ from host to host and from minute to minute; instructions of one binary hardly do. Each contestant runs under
//! `valgrind --tool=callgrind`, which counts what a process does outside of the kernel, some thirty times slower than the
//! processor, one thread at a time. It has no SHA extensions, so that SHA-256 is counted by itself: with them it takes far
//! fewer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use clap::Args;
use serde::Serialize;

use crate::gate::{Gate, Policies};
use crate::hostile::gate_program;
use crate::kept::{self, say};
use crate::load;
use crate::machine::Machine;
use crate::process::Running;

/// What to count and for how long.
#[derive(Args, Debug)]
pub struct Plan {
    /// Seconds that are counted, for each contestant.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Bytes in each call and in each answer.
    #[arg(long, default_value_t = 1024)]
    bytes: usize,
    /// The gate's program; by default the `portcullis` beside this one.
    #[arg(long)]
    gate: Option<PathBuf>,
    /// Where installations are made, and what is counted is written.
    #[arg(long, default_value = "target/bench/instructions")]
    directory: PathBuf,
    /// The report's name.
    #[arg(long, default_value = "instructions")]
    name: String,
    /// Where reports are kept.
    #[arg(long, default_value = "bench/results")]
    results: PathBuf,
}

/// Connections of the agents. Calls that are under way at the end are counted and not answered: few of them distort little.
const CONNECTIONS: u16 = 16;
/// Calls before anything is counted, so that caches are warm: seconds.
const WARMUP_SECONDS: f64 = 4.0;

/// What is kept.
#[derive(Debug, Serialize)]
struct Report {
    format: u32,
    machine: Machine,
    bytes: usize,
    contestants: Vec<Contestant>,
}

/// One process, for each answered call.
#[derive(Debug, Serialize)]
struct Contestant {
    name: &'static str,
    calls: usize,
    /// Instructions without those of SHA-256.
    instructions: u64,
    /// Those of SHA-256, on a processor without extensions for it.
    sha256_instructions: u64,
}

/// What one file of callgrind's says.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counted {
    all: u64,
    sha256: u64,
}

/// Counts, prints a table and keeps the report.
pub fn run(plan: &Plan) -> anyhow::Result<()> {
    let machine = Machine::look();
    let program = std::env::current_exe().context("find this program")?;
    let gate_program = gate_program(plan.gate.as_deref(), &program)?;
    fs::create_dir_all(&plan.directory).context("make the folder of the installations")?;
    let directory = plan.directory.canonicalize().context("find the folder of the installations")?;
    let (_upstream, upstream) = Running::start(Command::new(&program).arg("upstream"))?;
    let mut contestants = Vec::new();

    let (tool, counts) = callgrind(&directory, "bare")?;
    let (bare, to) = Running::start(under(tool, &program).args(["bare", "--upstream", &upstream]))?;
    contestants.push(contestant(plan, &program, "bare", (&bare, &counts), (&to, "/mcp", "none"))?);
    drop(bare);

    for (name, file, policies) in [
        ("gate, 0 read arguments", "gate-0", Policies::ReadNoArguments),
        ("gate, 10 read arguments", "gate-10", Policies::ReadArguments),
    ] {
        let gate = Gate::install(&gate_program, &directory.join(file), &upstream, policies)?;
        let (tool, counts) = callgrind(&directory, file)?;
        let running = gate.start_by(under(tool, &gate_program))?;
        let door = (&*gate.agents().to_string(), gate.path(), gate.token());
        contestants.push(contestant(plan, &program, name, (&running, &counts), door)?);
    }
    let report = Report { format: 1, machine, bytes: plan.bytes, contestants };
    let path = kept::keep(&plan.results, &plan.name, &report)?;
    say(&format!("{}\nKept in {}", table(&report), path.display()))
}

/// The tool that counts, and the file that it will write when it is asked to.
fn callgrind(directory: &Path, name: &str) -> anyhow::Result<(Command, PathBuf)> {
    let out = directory.join(format!("{name}.callgrind"));
    let asked = directory.join(format!("{name}.callgrind.1"));
    if asked.exists() {
        fs::remove_file(&asked).context("remove what was counted before")?;
    }
    let known = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    ensure!(known.is_ok_and(|status| status.success()), "`valgrind` is not there; Debian's package `valgrind` has it");
    let mut tool = Command::new("valgrind");
    tool.args(["--quiet", "--tool=callgrind", "--instr-atstart=no"]);
    tool.arg(format!("--callgrind-out-file={}", out.display()));
    Ok((tool, asked))
}

fn under(mut tool: Command, program: &Path) -> Command {
    tool.arg(program);
    tool
}

/// Counts one process under load.
fn contestant(
    plan: &Plan,
    program: &Path,
    name: &'static str,
    (process, counts): (&Running, &Path),
    (to, path, token): (&str, &str, &str),
) -> anyhow::Result<Contestant> {
    say(&format!("counting: {name}"))?;
    let work = |seconds: f64| {
        let settings = [
            ("--to", to.to_owned()),
            ("--path", path.to_owned()),
            ("--token", token.to_owned()),
            ("--bytes", plan.bytes.to_string()),
            ("--seconds", seconds.to_string()),
            ("--warmup-seconds", "0".to_owned()),
            ("--connections", CONNECTIONS.to_string()),
        ];
        load::elsewhere(Command::new(program), &settings)
    };
    work(WARMUP_SECONDS)?;
    control(process, &["--instr=on"])?;
    let calls = work(plan.seconds)?.calls;
    control(process, &["--instr=off"])?;
    control(process, &["--dump"])?;
    ensure!(calls > 0, "`{name}` answered nothing");
    let text = fs::read_to_string(counts).with_context(|| format!("read `{}`", counts.display()))?;
    let counted = Counted::read(&text).with_context(|| format!("no totals in `{}`", counts.display()))?;
    let each = |instructions: u64| instructions / u64::try_from(calls).unwrap_or(u64::MAX);
    let (instructions, sha256_instructions) = (each(counted.all.saturating_sub(counted.sha256)), each(counted.sha256));
    Ok(Contestant { name, calls, instructions, sha256_instructions })
}

/// Asks the tool around a process for something, and waits until it is done.
fn control(process: &Running, asked: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("callgrind_control")
        .args(asked)
        .arg(process.id().to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("run `callgrind_control`, which comes with valgrind")?;
    ensure!(status.success(), "`callgrind_control {}` failed", asked.join(" "));
    Ok(())
}

impl Counted {
    /// Reads a profile (Valgrind manual, callgrind format): lines of costs under `fn=(number) name`, where the line after
    /// `calls=` tells what was called and not the function itself, and at the end `totals:`.
    fn read(text: &str) -> Option<Self> {
        let (mut sha256, mut is_sha256, mut is_callee) = (0, false, false);
        let (mut all, mut ids) = (None, Vec::new());
        for line in text.lines() {
            if let Some(function) = line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn=")) {
                // The name stands where the number comes first, be it of a function that is called.
                let (id, name) = function.split_once(' ').unwrap_or((function, ""));
                if name.contains("sha256_block_data_order") {
                    ids.push(id);
                }
                if line.starts_with('f') {
                    is_sha256 = ids.contains(&id);
                }
            } else if line.starts_with("calls=") {
                is_callee = true;
            } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
                if is_sha256 && !is_callee {
                    sha256 += line.rsplit(' ').next()?.parse::<u64>().ok()?;
                }
                is_callee = false;
            } else if let Some(total) = line.strip_prefix("totals: ") {
                all = total.trim().parse().ok();
            }
        }
        Some(Self { all: all?, sha256 })
    }
}

fn table(report: &Report) -> String {
    let first = report.contestants.first().map_or(1, |bare| bare.instructions.max(1)) as f64;
    let mut table = format!(
        "\nInstructions for each call of {} bytes outside of the kernel; against bare; SHA-256 by itself\n",
        report.bytes
    );
    for Contestant { name, instructions, sha256_instructions, .. } in &report.contestants {
        let ratio = *instructions as f64 / first;
        table.push_str(&format!("  {name:24}{instructions:>9}{ratio:>8.2}x{sha256_instructions:>9}\n"));
    }
    table
}

#[cfg(test)]
mod tests;
