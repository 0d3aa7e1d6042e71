//! How well inspection finds what it looks for, and how fast: on corpora that are given, against others on the same.
//!
//! `trial score --corpora DIR` scores secrets, personal data, injected instructions, false positives and evasions, each
//! with counts and 95 % intervals (Wilson's), and keeps them as JSON. Injections are scored with models that were fitted
//! without the fold that they are scored on: sources and wordings are folds, never lines. `trial train --corpora DIR`
//! fits the model that ships, on all folds. The corpora are no part of the repository; nothing of them is printed.

mod corpora;
mod curve;
mod definitions;
mod evasions;
mod grammar;
mod kin;
mod learn;
mod peers;
mod pointing;
mod random;
mod rates;
mod samples;
mod score;
mod speed;
mod train;
mod trained;
mod weigh;

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use self::corpora::Corpora;
use self::definitions::Loom;
use self::learn::Lab;
use self::rates::Report;
use self::samples::Maker;

/// The gate's allocator, so that speeds are those of the gate.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Scores inspection on corpora, and trains its model of injected instructions.
#[derive(Parser)]
#[command(name = "trial")]
struct Arguments {
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand)]
enum Part {
    /// What inspection finds on corpora, what it wrongly finds, what disguises it, and how fast it is.
    Score(Plan),
    /// Fits the model of injected instructions that ships, from corpora.
    Train(Training),
    /// Puts words into groups by how they are used, from word vectors in `GloVe`'s form.
    Kin {
        /// The vectors.
        #[arg(long)]
        vectors: PathBuf,
        /// Where the groups are kept.
        #[arg(long, default_value = "crates/inspect/model/kin.bin")]
        groups: PathBuf,
    },
    /// Writes down what every text scores, by models that know nothing of its fold: what other thresholds would find.
    Curve {
        /// The directory of the corpora.
        #[arg(long)]
        corpora: PathBuf,
        /// Where the scores are kept.
        #[arg(long)]
        out: PathBuf,
    },
    /// What the judge of definitions grades high, by weights that know nothing of its fold.
    Definitions {
        /// The directory of the corpora.
        #[arg(long)]
        corpora: PathBuf,
        /// Where a line for each definition is kept.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Where the page of the reference is kept.
        #[arg(long, default_value = "docs/reference/definitions-unseen.md")]
        page: PathBuf,
    },
    /// How fast a message is inspected.
    Speed {
        /// The directory of the corpora.
        #[arg(long)]
        corpora: PathBuf,
        /// Only the texts whose name has this in it.
        #[arg(long, default_value = "")]
        only: String,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().part {
        Part::Score(plan) => run(&plan),
        Part::Train(training) => train(&training),
        Part::Kin { vectors, groups } => Ok(fs::write(groups, kin::make(&vectors)?)?),
        Part::Curve { corpora, out } => {
            let maker = Maker::new(Corpora::read(&corpora)?)?;
            Ok(fs::write(out, curve::scores(&maker)?)?)
        }
        Part::Definitions { corpora, out, page } => {
            let maker = Maker::new(Corpora::read(&corpora)?)?;
            let mut loom = Loom::new(&maker)?;
            let mut report = Report::new();
            let lines = loom.rates(&mut report)?;
            loom.speed(&mut report);
            fs::write(&page, report.page(definitions::PREFACE))
                .with_context(|| format!("cannot write `{}`", page.display()))?;
            if let Some(out) = out {
                fs::write(out, lines)?;
            }
            Ok(std::io::stdout().write_all(report.table().as_bytes())?)
        }
        Part::Speed { corpora, only } => {
            let maker = Maker::new(Corpora::read(&corpora)?)?;
            let mut report = Report::new();
            speed::measure(&maker, &only, &mut report)?;
            Ok(std::io::stdout().write_all(report.table().as_bytes())?)
        }
    }
}

/// What to score, and where to keep it.
#[derive(Args)]
struct Plan {
    /// The directory of the corpora.
    #[arg(long)]
    corpora: PathBuf,
    /// Where the report is kept.
    #[arg(long, default_value = "bench/results/inspect.json")]
    report: PathBuf,
    /// Where the page of the reference is kept.
    #[arg(long, default_value = "docs/reference/inspection.md")]
    page: PathBuf,
    /// A Python that has the peers installed; without it they are left out.
    #[arg(long)]
    peers: Option<PathBuf>,
}

/// What to train on, and where to keep the model.
#[derive(Args)]
struct Training {
    /// The directory of the corpora.
    #[arg(long)]
    corpora: PathBuf,
    /// Where the model is kept.
    #[arg(long, default_value = "crates/inspect/model/injection.bin")]
    model: PathBuf,
    /// Where the weights are kept by which definitions are judged.
    #[arg(long, default_value = "crates/inspect/model/definition.bin")]
    definitions: PathBuf,
    /// Leave the model alone, and fit only those weights.
    #[arg(long)]
    only_definitions: bool,
}

/// Scores, prints the table, keeps the report.
fn run(plan: &Plan) -> anyhow::Result<()> {
    let maker = Maker::new(Corpora::read(&plan.corpora)?)?;
    let mut report = Report::new();
    score::secrets(&plan.corpora, &mut report)?;
    score::personal(&plan.corpora, &mut report)?;
    speed::measure(&maker, "", &mut report)?;
    score::injections(&maker, &mut report)?;
    if let Some(python) = &plan.peers {
        peers::compare(python, &maker, &plan.corpora, &mut report)?;
    }
    let mut output = std::io::stdout().lock();
    write!(output, "{}", report.table())?;
    let text = serde_json::to_string_pretty(&report)?;
    fs::write(&plan.report, text + "\n").with_context(|| format!("cannot write `{}`", plan.report.display()))?;
    fs::write(&plan.page, report.page(rates::INSPECTION))
        .with_context(|| format!("cannot write `{}`", plan.page.display()))
}

/// Fits the model that ships.
fn train(training: &Training) -> anyhow::Result<()> {
    let maker = Maker::new(Corpora::read(&training.corpora)?)?;
    let weights = Loom::new(&maker)?.fit(None);
    let mut output = std::io::stdout().lock();
    let known = weights.worths.iter().filter(|worth| **worth != 0).count();
    let (hint, suspicion, certainty) = (weights.hint, weights.suspicion, weights.certainty);
    writeln!(
        output,
        "judging: {known} pieces, a hint from {hint:.3}, suspicion from {suspicion:.3}, certainty from {certainty:.3}"
    )?;
    let path = &training.definitions;
    fs::write(path, weights.write()).with_context(|| format!("cannot write `{}`", path.display()))?;
    if training.only_definitions {
        return Ok(());
    }
    let model = Lab::new(&maker).fit(None)?;
    for (name, linear) in [("data", &model.data), ("definitions", &model.definitions)] {
        let weights = linear.weights.iter().filter(|weight| **weight != 0).count();
        let (suspicion, certainty) = (linear.suspicion, linear.certainty);
        writeln!(output, "{name}: {weights} weights, suspicion from {suspicion:.3}, certainty from {certainty:.3}")?;
    }
    let path = &training.model;
    fs::write(path, model.write()).with_context(|| format!("cannot write `{}`", path.display()))
}
