//! What each step of the gate costs by itself: the crates' public functions, in this process, on the benchmark's own
//! messages.
//!
//! The steps do not add up to the whole: sockets, headers and the runtime are what the bare proxy has too, and are
//! measured there.

mod authenticate;
mod journal;

use std::fs;
use std::hint::black_box;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use audit::Journal;
use bytes::Bytes;
use clap::Parser;
use http::{HeaderMap, HeaderValue};
use model::{Agent, AgentKind, Assurance, Caller, EndpointName, Object, Timestamp};
use policy::{Action, Policies, Question, ServerVocabulary, Source, Target, ToolVocabulary, Vocabulary};
use registry::InputSchema;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::to_raw_value;
use wire::{Said, Subject};

use bench::load::thousandths;
use bench::machine::Machine;
use bench::{gate, payload, report, upstream};

/// The gate's allocator, so that steps cost here what they cost there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures what each step of the gate costs by itself.
#[derive(Parser, Debug)]
#[command(name = "stages")]
struct Plan {
    /// Bytes in each message.
    #[arg(long, value_delimiter = ',', default_values_t = [1024, 16 * 1024, 256 * 1024])]
    sizes: Vec<usize>,
    /// Where the journal is kept meanwhile: on the disk whose flushes count.
    #[arg(long, default_value = "target/bench/stages")]
    directory: PathBuf,
    /// The report's name.
    #[arg(long, default_value = "stages")]
    name: String,
    /// Where reports are kept.
    #[arg(long, default_value = "bench/results")]
    results: PathBuf,
}

/// One step's cost.
#[derive(Debug, Serialize)]
struct Stage {
    name: &'static str,
    /// Microseconds of one call, by size of the message; one value if the size does not matter.
    microseconds: Vec<f64>,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
struct Stages {
    machine: Machine,
    bytes: Vec<usize>,
    stages: Vec<Stage>,
    journal: Vec<journal::Appended>,
}

/// Samples of each step; the middle one counts.
const SAMPLES: usize = 7;
/// How long one sample lasts.
const SAMPLE: Duration = Duration::from_millis(40);

/// Measures every step, prints a table and keeps the report.
fn main() -> anyhow::Result<()> {
    let plan = Plan::parse();
    let machine = Machine::look();
    let journal = Arc::new(journal::open(&plan.directory)?);
    let mut stages: Vec<Stage> = Vec::new();
    for bytes in &plan.sizes {
        for (name, microseconds) in by_size(&journal, *bytes)? {
            match stages.iter_mut().find(|stage| stage.name == name) {
                Some(stage) => stage.microseconds.push(microseconds),
                None => stages.push(Stage { name, microseconds: vec![microseconds] }),
            }
        }
    }
    for (name, text) in [("decide, remembered", gate::WORKS.to_owned()), ("decide, ten read arguments", with_limits())]
    {
        stages.push(Stage { name, microseconds: vec![decide(text)?] });
    }
    stages.extend(authenticate::measure()?.map(|(name, one)| Stage { name, microseconds: vec![one] }));
    let appended =
        journal::TASKS.into_iter().map(|tasks| journal::append(&journal, tasks)).collect::<Result<_, _>>()?;
    journal.close();
    let measured = Stages { machine, bytes: plan.sizes.clone(), stages, journal: appended };
    let path = plan.results.join(format!("{}.json", plan.name));
    fs::create_dir_all(&plan.results).context("make the folder of the reports")?;
    fs::write(&path, serde_json::to_string_pretty(&measured)? + "\n").context("keep the report")?;
    writeln!(std::io::stdout(), "{}\nKept in {}", table(&measured), path.display()).context("write the table")
}

fn with_limits() -> String {
    format!("{}{}", gate::WORKS, gate::limits())
}

/// The steps that depend on how large a message is.
fn by_size(journal: &Journal, bytes: usize) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let headers = headers();
    let call = payload::call(7, bytes, bytes);
    let answer = payload::answer("7", bytes);
    let said = wire::read(&headers, &call).map_err(|flaw| anyhow::anyhow!("the call is refused: {flaw:?}"))?;
    let Said::Request(request) = said else {
        anyhow::bail!("the call is read as an answer");
    };
    let Subject::Tool { arguments: Some(raw), .. } = request.subject else {
        anyhow::bail!("the call is not read as a tool's");
    };
    let arguments: Value = serde_json::from_slice(&raw).context("read the arguments")?;
    let definition = definition()?;
    let schema = definition.get("inputSchema").context("find the tool's schema")?;
    let schema = InputSchema::compile(schema).context("compile the tool's schema")?;
    ensure!(schema.check(&arguments).is_ok(), "the arguments do not fit their schema");
    ensure!(wire::answer::read(&answer).is_ok(), "the answer is refused");
    let receipt = journal.receipt_id();
    let salts = || journal.commitments().salts(black_box(receipt));
    let salt = salts().answer;
    let commit = |bytes: &Bytes| _ = black_box(salt.commit(black_box(bytes)));
    Ok(vec![
        ("read the request", microseconds(|| drop(black_box(wire::read(black_box(&headers), black_box(&call)))))),
        ("arguments to values", microseconds(|| drop(black_box(serde_json::from_slice::<Value>(black_box(&raw)))))),
        ("check against the schema", microseconds(|| drop(black_box(schema.check(black_box(&arguments)))))),
        ("salts of the commitments", microseconds(|| _ = black_box(salts()))),
        ("commit to the arguments", microseconds(|| commit(&raw))),
        ("read the answer", microseconds(|| drop(black_box(wire::answer::read(black_box(&answer)))))),
        ("commit to the answer", microseconds(|| commit(&answer))),
    ])
}

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("mcp-protocol-version", HeaderValue::from_static(payload::PROTOCOL_VERSION));
    headers.insert("mcp-method", HeaderValue::from_static("tools/call"));
    headers.insert("mcp-name", HeaderValue::from_static(payload::TOOL));
    headers
}

/// The tool's definition.
fn definition() -> anyhow::Result<Value> {
    let listing: Value = serde_json::from_slice(&upstream::listing()).context("read the listing")?;
    listing.pointer("/result/tools/0").cloned().context("find the tool")
}

/// One decision about a call, for both principals.
fn decide(text: String) -> anyhow::Result<f64> {
    let endpoint: EndpointName = "desk".parse()?;
    let tool = ToolVocabulary::new(payload::TOOL.parse()?, to_raw_value(&definition()?)?.into(), Vec::new());
    let object = Object::Tool { server: "shop".parse()?, name: payload::TOOL.parse()? };
    let server = ServerVocabulary { name: "shop".parse()?, tools: vec![tool] };
    let vocabulary = Vocabulary { endpoints: vec![endpoint.clone()], servers: vec![server.into()] };
    let source = Source { file: "bench.cedar".to_owned(), text };
    let policies = Policies::compile(&[source], &vocabulary)
        .map_err(|errors| anyhow::anyhow!("policies are refused: {errors:?}"))?;
    let agent = Agent { id: "desk".parse()?, kind: AgentKind::Delegated };
    let caller = Caller::new(agent, Some("ada".parse()?), vec!["support".parse()?], Assurance::Development)
        .context("the caller's kind does not fit")?;
    let call: Value = serde_json::from_slice(&payload::call(7, 1024, 1024)).context("read the call")?;
    let question = Question {
        action: Action::Call,
        caller: &caller,
        endpoint: &endpoint,
        target: Target::Object(&object),
        arguments: call.pointer("/params/arguments"),
        findings: None,
        now: Timestamp(1_795_000_000_000),
    };
    ensure!(policies.decide(&question).is_ok(), "the call is not permitted");
    Ok(microseconds(|| drop(black_box(policies.decide(black_box(&question))))))
}

/// Microseconds of one call: the middle of [`SAMPLES`] samples, each of as many calls as fit into [`SAMPLE`].
fn microseconds(mut work: impl FnMut()) -> f64 {
    let mut calls: u32 = 1;
    let sample = |calls: u32, work: &mut dyn FnMut()| {
        let started = Instant::now();
        (0..calls).for_each(|_| work());
        started.elapsed()
    };
    while sample(calls, &mut work) < SAMPLE && calls < u32::MAX / 2 {
        calls *= 2;
    }
    let each = (0..SAMPLES).map(|_| sample(calls, &mut work).as_secs_f64() * 1e6 / f64::from(calls));
    thousandths(report::median(each))
}

fn table(measured: &Stages) -> String {
    let heads: Vec<String> = measured.bytes.iter().map(|bytes| report::bytes_text(*bytes)).collect();
    let mut lines = vec!["One step by itself, microseconds".to_owned(), line("", &heads)];
    for stage in &measured.stages {
        let cells: Vec<String> = stage.microseconds.iter().map(|value| format!("{value:.2}")).collect();
        lines.push(line(stage.name, &cells));
    }
    lines.push("\nDurable records, each task with one at a time".to_owned());
    for journal::Appended { tasks, records_per_second, cpu_microseconds_per_record } in &measured.journal {
        let cost = format!("{records_per_second:.0}/s, {cpu_microseconds_per_record:.1} microseconds of CPU each");
        lines.push(format!("  {tasks} tasks: {cost}"));
    }
    lines.join("\n")
}

fn line(name: &str, cells: &[String]) -> String {
    let cells: String = cells.iter().map(|cell| format!("{cell:>14}")).collect();
    format!("  {name:<28}{cells}").trim_end().to_owned()
}
