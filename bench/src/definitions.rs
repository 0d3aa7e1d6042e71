//! What does the judge find in definitions, and what becomes of changes to them?
//!
//! The definitions are given by path and are not part of this repository. `DIR/tools` holds honest ones
//! (`benign.jsonl`), poisoned ones (`poisoned_fuzzd.jsonl`), tools of a benchmark of attacks (`mixed_msb.jsonl`) and real
//! changes of an honest server (`benign_drift.jsonl`). More poisoned ones are [`made`] here, from classes of attacks that
//! were published, and spliced into honest definitions and into changes.
//!
//! Rates stand with their counts and their 95 % intervals (Wilson). They are rates of these definitions; what wording
//! cannot show is told apart.

mod drift;
mod made;
mod rate;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use anyhow::{Context, ensure};
use clap::Args;
use registry::{Crowd, Definition, Definitions, Judged, Kind, Level, Neighbour, judge_definition};
use serde::Serialize;
use serde_json::{Value, json};

use crate::machine::Machine;
use rate::Rate;

/// Where the definitions are.
#[derive(Args, Debug)]
pub struct Plan {
    /// The directory that holds `tools/`.
    #[arg(long, value_name = "DIR")]
    corpora: PathBuf,
    /// Print each honest definition that is judged high and each poisoned one that is not.
    #[arg(long)]
    misses: bool,
    /// The page for readers; written anew.
    #[arg(long, default_value = "docs/reference/definitions.md")]
    page: PathBuf,
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
    judged: Vec<Rate>,
    changed: Vec<Rate>,
    /// None from a build that was not made to be fast.
    #[serde(skip_serializing_if = "Option::is_none")]
    microseconds_per_definition: Option<f64>,
}

/// Judges everything, prints the table, and keeps it.
pub fn run(plan: &Plan) -> anyhow::Result<()> {
    let tools = plan.corpora.join("tools");
    let benign = rows(&tools.join("benign.jsonl"))?;
    let honest: Vec<Definition> = benign.iter().map(|row| definition(at(row, "/tool"))).collect::<Result<_, _>>()?;
    let nobody = Crowd::default();
    // What is measured is judging, and not reading the rules.
    judge_definition(Kind::Tool, &definition(&json!({ "name": "first" }))?, &nobody);

    let began = Instant::now();
    let verdicts: Vec<Judged> = honest.iter().map(|one| judge_definition(Kind::Tool, one, &nobody)).collect();
    let spent = began.elapsed();
    let mut judged = vec![
        Rate::of("honest definitions, high", &verdicts, |one| one.level == Level::High),
        Rate::of("honest definitions, medium or high", &verdicts, |one| one.level >= Level::Medium),
    ];
    if plan.misses {
        verdicts.iter().filter(|one| one.level == Level::High).try_for_each(|one| missed("honest", one))?;
    }
    judged.extend(published(&rows(&tools.join("poisoned_fuzzd.jsonl"))?, plan.misses)?);
    judged.extend(behaving(&rows(&tools.join("mixed_msb.jsonl"))?, plan.misses)?);
    let made::Poisons { tried, held_out, disguised } = made::poisons()?;
    judged.extend(spliced("made, in wordings the rules were tried on, high", &benign, &tried, plan.misses)?);
    // What is held out is never printed, so that nobody writes a rule for it.
    judged.extend(spliced("held out: wordings the rules were not tried on, high", &benign, &held_out, false)?);
    judged.extend(spliced("held out, in guises, high", &benign, &disguised, false)?.into_iter().take(2));
    let poisons: Vec<made::Poison> = tried.into_iter().chain(held_out).chain(disguised).collect();
    let changed = drift::rates(&rows(&tools.join("benign_drift.jsonl"))?, &poisons, plan.misses)?;

    let each = spent.as_secs_f64() * 1e6 / f64::from(u32::try_from(honest.len().max(1))?);
    let report = Report {
        format: 1,
        taken_at_unix_seconds: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs(),
        machine: Machine::look(),
        judged,
        changed,
        microseconds_per_definition: (!cfg!(debug_assertions)).then_some((each * 10.0).round() / 10.0),
    };
    let page = page(&report);
    write!(std::io::stdout(), "{page}")?;
    fs::create_dir_all(&plan.results)?;
    fs::write(plan.results.join("definitions.json"), serde_json::to_string_pretty(&report)? + "\n")?;
    fs::write(&plan.page, page).with_context(|| format!("cannot write {}", plan.page.display()))
}

/// The lines of a file of JSON documents.
fn rows(path: &Path) -> anyhow::Result<Vec<Value>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let rows: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    ensure!(!rows.is_empty(), "{} is empty", path.display());
    Ok(rows)
}

fn definition(value: &Value) -> anyhow::Result<Definition> {
    let name = at(value, "/name").as_str().context("a definition has no name")?;
    Ok(Definition::new(name, value)?)
}

/// What stands at a place of a document; null where nothing does.
fn at<'document>(document: &'document Value, pointer: &str) -> &'document Value {
    document.pointer(pointer).unwrap_or(&Value::Null)
}

fn described(name: &str, description: &str) -> Value {
    json!({ "name": name, "description": description, "inputSchema": { "type": "object", "properties": {} } })
}

fn missed(what: &str, judged: &Judged) -> anyhow::Result<()> {
    let name = judged.named.as_ref().map_or("", |named| named.name.as_str());
    writeln!(std::io::stdout(), "{what} {name}: {}", judged.score)?;
    for remark in &judged.remarks {
        writeln!(
            std::io::stdout(),
            "    {:>3} {} {} {:?}",
            remark.points,
            remark.rule,
            remark.pointer,
            remark.excerpt
        )?;
    }
    Ok(())
}

/// Poisoned texts that others published: those of definitions, and those of answers, which stand apart.
fn published(rows: &[Value], misses: bool) -> anyhow::Result<Vec<Rate>> {
    let mut of: BTreeMap<bool, Vec<Judged>> = BTreeMap::new();
    for row in rows {
        let record = at(row, "/record");
        let payload = at(record, "/payload").as_str().context("a record has no payload")?;
        let id = at(record, "/id").as_str().unwrap_or("poisoned");
        let judged = judge_definition(Kind::Tool, &definition(&described(id, payload))?, &Crowd::default());
        if misses && judged.level < Level::High {
            missed("published", &judged)?;
        }
        of.entry(at(record, "/injection_point") == "tool.response").or_default().push(judged);
    }
    let all: Vec<Judged> = of.values().flatten().cloned().collect();
    let definitions = of.remove(&false).unwrap_or_default();
    Ok(vec![
        Rate::of("published poisoned texts, high", &all, |one| one.level == Level::High),
        Rate::of("of these, those meant for definitions, high", &definitions, |one| one.level == Level::High),
    ])
}

/// Attack tools that are one mostly by what they do: by their wording alone, and beside the tools that they imitate.
fn behaving(rows: &[Value], misses: bool) -> anyhow::Result<Vec<Rate>> {
    let is_imitation = |row: &Value| {
        let file = at(row, "/file").as_str().unwrap_or_default();
        file.rsplit('/').next().is_some_and(|file| file.contains('-'))
    };
    let originals = rows.iter().filter(|row| !is_imitation(row));
    let originals: Vec<Definition> = originals.map(|row| definition(at(row, "/tool"))).collect::<Result<_, _>>()?;
    let all = Definitions { tools: originals.clone(), ..Definitions::default() };
    let name = "approved".parse()?;
    let crowd = Crowd::new(&[Neighbour { name: &name, definitions: &all }]);
    let (mut alone, mut beside, mut worded) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let tool = definition(at(row, "/tool"))?;
        let one = judge_definition(Kind::Tool, &tool, &Crowd::default());
        alone.push(one.clone());
        if is_imitation(row) {
            let one = judge_definition(Kind::Tool, &tool, &crowd);
            let is_same = originals.iter().any(|original| original.digest == tool.digest);
            if misses && one.level < Level::High && !is_same {
                missed("imitation", &one)?;
            }
            if !is_same {
                beside.push(one);
            }
        }
        let text = at(row, "/text").as_str().unwrap_or_default();
        if text.contains("best tool") || text.contains("llm_") || at(row, "/tool").to_string().contains("llm_") {
            worded.push(alone.last().cloned().unwrap_or(one));
        }
    }
    Ok(vec![
        Rate::of("attack tools of a benchmark, alone, high", &alone, |one| one.level == Level::High),
        Rate::of("of these, those that are one by their wording, high", &worded, |one| one.level == Level::High),
        Rate::of("imitations, the imitated tool approved, high", &beside, |one| one.level == Level::High),
    ])
}

/// Made poisons, each in honest definitions, by class.
fn spliced(what: &str, benign: &[Value], poisons: &[made::Poison], misses: bool) -> anyhow::Result<Vec<Rate>> {
    let mut by_class: BTreeMap<&str, Vec<Judged>> = BTreeMap::new();
    let mut all = Vec::new();
    for (turn, poison) in poisons.iter().enumerate() {
        // Every carrier in its turn: the same in every run.
        let carrier = benign.get(turn * 7 % benign.len()).map(|row| at(row, "/tool")).context("no carrier")?;
        let poisoned = poison.spliced(carrier, turn);
        let judged = judge_definition(Kind::Tool, &definition(&poisoned)?, &Crowd::default());
        if misses && judged.level < Level::High {
            writeln!(std::io::stdout(), "made {} ({}): {:?}", poison.class, poison.guise, poison.text)?;
            missed("made", &judged)?;
        }
        all.push(judged.clone());
        by_class.entry(&poison.class).or_default().push(judged);
    }
    let each = by_class
        .into_iter()
        .map(|(class, all)| Rate::of(format!("made: {class}, high"), &all, |one: &Judged| one.level == Level::High));
    let mut rates = vec![
        Rate::of(what, &all, |one| one.level == Level::High),
        Rate::of(what.replace("high", "medium or high"), &all, |one| one.level >= Level::Medium),
    ];
    rates.extend(each);
    Ok(rates)
}

fn page(report: &Report) -> String {
    let mut page = String::from(
        "<!-- Generated by `cargo run --release -p bench -- definitions --corpora DIR` -->\n\n# Definitions, judged\n\n\
         What the judge of wording finds in 1,399 honest definitions of real servers, in poisoned ones that others published,\n\
         and in ones made by program from published classes of attacks; and what becomes of 334 real changes of an honest\n\
         server, as they are and with poisons spliced in. [Approving servers](../guides/approving-servers.md) tells what the\n\
         grades mean.\n\n\
         The rules were written with these texts in sight, the weights of what sounds like an order were trained on the honest\n\
         ones and on wordings of their own (`bench/definitions/trained.toml`), and the list of words that change nothing was\n\
         completed with these changes in sight, so elsewhere rates will be lower. What was not in sight stands in the rows called\n\
         held out: 178 wordings in 15 classes, written before the rules were changed, by the same people, and never printed while\n\
         they were. [Definitions that were not trained on](definitions-unseen.md) has the rates by weights that never saw the\n\
         server or the wording, and what judging costs.\n\n",
    );
    let table = |title: &str, rates: &[Rate]| {
        let rows: String = rates.iter().map(Rate::row).collect();
        format!("| {title} | count | of | rate | 95 % |\n|--|--|--|--|--|\n{rows}\n")
    };
    page.push_str(&table("judged", &report.judged));
    page.push_str(&table("changes", &report.changed));
    if let Some(each) = report.microseconds_per_definition {
        page.push_str(&format!("Judging one definition took {each} µs.\n\n"));
    }
    page.push_str(
        "What wording cannot show: a tool that does harm behind an honest description. Most attack tools of the benchmark are\n\
         such; of them the judge finds those that praise themselves, that ask which model calls, and that imitate a tool that\n\
         is approved. The rules were written against classes of attacks and tried on these definitions, and on all poisons\n\
         but those held out. The rate of those, each wording once and as it is, is what to expect of new wordings: most of\n\
         what is missed orders other tools about or asks for more than a tool needs, in words that an honest tool could have\n\
         too. In guises more is found, because a guise is a flaw itself. Of honest definitions, more will be high where the\n\
         weights did not see the server: that rate stands first on the page of those that were not trained on.\n\n\
         Drift is held to more than the rules: a change is served only in words that are known, so that a poison which no rule\n\
         finds is not served either.\n",
    );
    page
}
