//! `portcullis audit …`: find receipts, read them, prove them.

use std::path::{Path, PathBuf};

use admin::requests::Search as Query;
use admin::view::Journal;
use audit::{Kind, PublicKey, Report, Trusted};
use clap::{Args, Subcommand};
use model::{AgentId, ReceiptId, UserId};
use serde_json::Value;

use super::client::segment;
use super::failure::Failure;
use super::paint::{self, BAD, FAINT, GOOD, NAME, WARN, visible, wrapped};
use super::{Gate, WithGate, receipt};

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// One receipt: what was asked, what was decided, what came of it, and the proof
    Show(WithGate<Show>),
    /// The newest receipts that fit
    Search(WithGate<Search>),
    /// Check the whole journal from its files alone; the gate need not run
    Verify(WithGate<Verify>),
    /// How the journal is, and who signs it
    Status(WithGate<Status>),
}

/// A receipt.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its id
    id: ReceiptId,
}

/// Which receipts.
#[derive(Debug, Args)]
pub(crate) struct Search {
    /// A text that the receipt has anywhere: a tool, a policy, a reason
    text: Option<String>,
    /// Of this agent
    #[arg(long)]
    agent: Option<AgentId>,
    /// Of agents acting for this user
    #[arg(long)]
    user: Option<UserId>,
    /// Of this kind: intent, refused, listed, changed, opened, strangers, unrecorded
    #[arg(long, value_parser = kind)]
    kind: Option<Kind>,
    /// Since then: a moment such as 2026-11-21T08:00:00Z, or a time back such as 90m, 12h or 7d
    #[arg(long, value_parser = since)]
    since: Option<u64>,
    /// Before this record: the next page
    #[arg(long, value_name = "NUMBER")]
    before: Option<u64>,
    /// At most so many
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

/// What to check the journal with.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The journal's directory; without it, that of the gate whose settings --config names
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// A file with the public key that you kept; without it, the key beside the journal is believed
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// A file with a checkpoint that you kept; may be given more than once
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
}

/// Nothing.
#[derive(Debug, Args)]
pub(crate) struct Status {}

impl Audit {
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Show(WithGate { own, gate }) => {
                let path = format!("/receipts/{}", segment(&own.id.to_string()));
                let found: Value = gate.client()?.get(&path).await?;
                gate.print(&found, receipt::whole)
            }
            Self::Search(WithGate { own, gate }) => search(own, &gate).await,
            Self::Verify(WithGate { own, gate }) => verify(own, gate).await,
            Self::Status(WithGate { own: _, gate }) => {
                let journal: Journal = gate.client()?.get("/journal").await?;
                gate.print(&journal, status)
            }
        }
    }
}

fn kind(word: &str) -> Result<Kind, String> {
    let known = Kind::ALL.into_iter().find(|kind| kind.as_str() == word);
    known.ok_or_else(|| format!("the kinds are {}", Kind::ALL.map(Kind::as_str).join(", ")))
}

/// A moment as milliseconds since 1970.
fn since(text: &str) -> Result<u64, String> {
    let unknown = || "write a moment as 2026-11-21T08:00:00Z, or a time back as 90m, 12h or 7d".to_owned();
    let moment = match text.parse::<jiff::Timestamp>() {
        Ok(moment) => moment.as_millisecond(),
        Err(_) => {
            let unit = text.chars().last().ok_or_else(unknown)?;
            let minutes = match unit {
                'm' => 1,
                'h' => 60,
                'd' => 24 * 60,
                _ => return Err(unknown()),
            };
            let number: i64 = text.trim_end_matches(unit).parse().map_err(|_| unknown())?;
            let back = number.checked_mul(minutes).and_then(|minutes| minutes.checked_mul(60_000));
            jiff::Timestamp::now().as_millisecond().saturating_sub(back.ok_or_else(unknown)?)
        }
    };
    u64::try_from(moment).map_err(|_| unknown())
}

async fn search(own: Search, gate: &Gate) -> Result<(), Failure> {
    let Search { text, agent, user, kind, since, before, limit } = own;
    let query = Query { text, agent, user, kind, since, before, limit: Some(limit) };
    let pairs = serde_json::to_value(&query).map_err(|_| Failure::unreadable("the request"))?;
    let pairs = pairs.as_object().into_iter().flatten().map(|(name, value)| match value {
        Value::String(text) => format!("{name}={}", segment(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            format!("{name}={}", segment(&value.to_string()))
        }
    });
    let path = format!("/receipts?{}", pairs.collect::<Vec<_>>().join("&"));
    let page: Value = gate.client()?.get(&path).await?;
    gate.print(&page, receipt::page)
}

fn status(journal: &Journal) -> String {
    let (style, word) = if journal.condition == "writing" { (GOOD, "writing") } else { (BAD, &*journal.condition) };
    let mut page = format!("{NAME}journal{NAME:#}  {style}{word}{style:#}\n");
    if let Some(why) = &journal.why {
        page.push_str(&format!("  {WARN}{}{WARN:#}\n", wrapped(&visible(why), 2)));
    }
    page.push_str(&format!("  {FAINT}waiting{FAINT:#}    {}\n", paint::count_of(journal.pending, "record")));
    page.push_str(&format!("  {FAINT}signed by{FAINT:#}  {}\n", visible(&journal.public_key)));
    page
}

/// Offline: nothing is asked of the gate, so a gate that lies cannot lie about this.
async fn verify(own: Verify, gate: Gate) -> Result<(), Failure> {
    let directory = match own.dir {
        Some(directory) => directory,
        None => gate.finding.settings()?.data().join("journal"),
    };
    let mut trusted = Trusted::default();
    if let Some(file) = &own.key {
        let key = text(file)?.trim().parse::<PublicKey>();
        trusted.key = Some(key.map_err(|error| Failure::new(format!("`{}`: {error}", file.display())))?);
    }
    trusted.checkpoints = own.checkpoint.iter().map(|file| text(file)).collect::<Result<_, _>>()?;
    let place = directory.clone();
    let verifying = tokio::task::spawn_blocking(move || audit::verify(&place, &trusted, &mut |_progress| {}));
    let report = verifying.await.map_err(|error| Failure::of(&error))?.map_err(|error| {
        Failure::of(&error).with_next("name the journal's directory with --dir: it is `journal` in the data directory")
    })?;
    gate.print(&report, |report| verified(report, &directory))?;
    match report.is_intact() {
        true => Ok(()),
        false => Err(Failure::new("the journal is not as it was written")
            .with_next("keep a copy of it as it is now, and find out who could write to its files")),
    }
}

fn text(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::new(format!("cannot read `{}`: {error}", file.display())))
}

fn verified(report: &Report, directory: &Path) -> String {
    let (style, word) = if report.is_intact() { (GOOD, "intact") } else { (BAD, "not as it was written") };
    let mut page = format!("{NAME}journal{NAME:#}  {style}{word}{style:#}\n");
    let mut row = |label: &str, text: String| {
        page.push_str(&format!("  {FAINT}{label:<12}{FAINT:#}{}\n", wrapped(&visible(&text), 14)));
    };
    row("directory", directory.display().to_string());
    let segments = paint::count_of(report.segments, "segment");
    row("records", format!("{} in {segments}, {} bytes", report.records, report.bytes));
    row("checkpoints", format!("{}, covering {} records", report.checkpoints, report.signed));
    row("root", report.root.to_string());
    row("signed by", report.key.clone());
    if report.unfinished_bytes > 0 {
        row("unfinished", format!("{} bytes at the end, being written or torn by a crash", report.unfinished_bytes));
    }
    if !report.open_intents.is_empty() {
        row("open calls", format!("{} without an outcome yet", report.open_intents.len()));
    }
    for problem in &report.problems {
        let place = format!("{}, byte {}, record {}", problem.file, problem.offset, problem.index);
        page.push_str(&format!("\n  {BAD}{}{BAD:#}\n", visible(&place)));
        page.push_str(&format!("    {}\n", wrapped(&visible(&problem.meaning), 4)));
    }
    let told = u64::try_from(report.problems.len()).unwrap_or(u64::MAX);
    if report.problems_total > told {
        page.push_str(&format!("\n  {BAD}and {} more{BAD:#}\n", report.problems_total - told));
    }
    page
}

#[cfg(test)]
mod tests;
