//! `portcullis server vet`, `accept`: everything that was found of a server, a line for each check, and what somebody accepts of it.

use std::fmt::Write as _;

use admin::requests::{Accept, Because};
use admin::view::{Done, Points, VettedRow, VettingReport};
use admin::{FailMode, Verdict, VettingCheck};
use anstyle::Style;
use clap::Args;
use model::{Digest, ServerName};

use super::Gate;
use super::failure::Failure;
use super::looked::fitting;
use super::paint::{self, BAD, FAINT, GOOD, NAME, WARN, visible, wrapped};
use super::server::{path, told};

/// Evidence of one check that is shown; `--json` has all of it.
const EVIDENCE_SHOWN: usize = 6;
/// Where a line's text begins.
const TEXT: usize = 26;

/// A server to be vetted.
#[derive(Debug, Args)]
pub(crate) struct VetNamed {
    /// The server
    name: ServerName,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Something to be accepted.
#[derive(Debug, Args)]
pub(crate) struct AcceptFound {
    /// The server
    name: ServerName,
    /// The check that found it, as `server vet` names it
    #[arg(value_parser = check)]
    check: VettingCheck,
    /// Why you accept it, for the record
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

fn check(text: &str) -> Result<VettingCheck, String> {
    let known = VettingCheck::ALL.iter().find(|check| check.word() == text);
    let words = || VettingCheck::ALL.iter().map(|check| check.word()).collect::<Vec<_>>().join(", ");
    known.copied().ok_or_else(|| format!("the checks are {}", words()))
}

impl VetNamed {
    pub(super) async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let Self { name, reason } = self;
        let report: VettingReport = gate.client()?.post(&path(&name, "/vet"), &Because { reason }).await?;
        gate.print(&report, |report| page(&name, report))?;
        match report.checks.iter().find(|row| row.blocks) {
            None => Ok(()),
            Some(row) => Err(Failure::new(format!("server `{name}` cannot be approved as it is"))
                .with_next(format!("mend it, or: portcullis server accept {name} {} --reason TEXT", row.check.word()))),
        }
    }
}

impl AcceptFound {
    pub(super) async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let Self { name, check, reason } = self;
        let client = gate.client()?;
        let report: VettingReport = client.post(&path(&name, "/vet"), &Because::default()).await?;
        let row =
            report.checks.iter().find(|row| row.check == check).ok_or_else(|| Failure::unreadable("the check"))?;
        if !matches!(row.verdict, Verdict::Found | Verdict::CouldNotLook) {
            return Err(Failure::new(format!("`{}` found nothing of server `{name}` to be accepted", check.word())));
        }
        let of: Digest = row.of.parse().map_err(|_| Failure::unreadable("the digest"))?;
        if !gate.json {
            paint::out(&line(row, EVIDENCE_SHOWN))?;
        }
        let done: Done = client.post(&path(&name, "/accept"), &Accept { check, of, reason }).await?;
        gate.print(&done, |done| told(name.as_str(), &format!("{} accepted", check.word()), done))
    }
}

/// Everything that was found.
fn page(name: &ServerName, report: &VettingReport) -> String {
    let mut page = format!("{NAME}{name}{NAME:#}  {FAINT}vetted {}{FAINT:#}\n\n", paint::moment(report.at));
    page.extend(report.checks.iter().map(|row| line(row, EVIDENCE_SHOWN)));
    page.push_str(&score(report));
    page
}

/// What was found the last time, of what somebody should see; one line where there is nothing.
pub(super) fn brief(report: Option<&VettingReport>) -> String {
    let Some(report) = report else { return String::new() };
    let open = |row: &&VettedRow| matches!(row.verdict, Verdict::Found | Verdict::CouldNotLook);
    let mut page = format!("\n{FAINT}vetted {}{FAINT:#}\n", paint::moment(report.at));
    let mut rows = report.checks.iter().filter(open).peekable();
    if rows.peek().is_none() {
        page.push_str(&format!("  {GOOD}passed{GOOD:#}    every check that there was something to look at for\n"));
    }
    page.extend(rows.map(|row| line(row, 0)));
    page
}

fn line(row: &VettedRow, evidence: usize) -> String {
    let (style, word) = shown(row);
    let check = row.check.word();
    let severity = row.severity.iter().map(|severity| format!(" ({severity})")).collect::<String>();
    let text = wrapped(&visible(&format!("{}{severity}", row.says)), TEXT);
    let mut page = format!("  {style}{word:<9}{style:#} {NAME}{check:<13}{NAME:#} {text}\n");
    let indent = " ".repeat(TEXT);
    for one in row.evidence.iter().take(evidence) {
        let _infallible = writeln!(page, "{indent}{FAINT}{}{FAINT:#}", fitting(&visible(one), TEXT));
    }
    let more = row.evidence.len().saturating_sub(evidence);
    if evidence > 0 && more > 0 {
        let _infallible = writeln!(page, "{indent}{FAINT}and {more} more; --json has them{FAINT:#}");
    }
    if let Some(accepted) = &row.accepted {
        let why = accepted.reason.as_deref().unwrap_or_default();
        let text = format!("accepted by {}, {}: {why}", accepted.by, paint::moment(accepted.at));
        let _infallible = writeln!(page, "{indent}{FAINT}{}{FAINT:#}", wrapped(&visible(&text), TEXT));
    }
    page
}

fn shown(row: &VettedRow) -> (Style, &'static str) {
    match (row.verdict, row.mode) {
        _ if row.blocks => (BAD, "blocks"),
        (Verdict::Passed, _) => (GOOD, "passed"),
        (Verdict::Found, FailMode::Block) => (FAINT, "accepted"),
        (Verdict::Found, FailMode::Warn) => (WARN, "found"),
        (Verdict::CouldNotLook, _) => (WARN, "unseen"),
        (Verdict::Nothing, _) => (FAINT, "nothing"),
    }
}

fn score(report: &VettingReport) -> String {
    let VettingReport { points, score, .. } = report;
    if score.is_empty() {
        return format!("\n  {GOOD}score 0{GOOD:#}  nothing was found in its disfavour\n");
    }
    let mut page = format!("\n  {WARN}score {points}{WARN:#}\n");
    for Points { points, why } in score {
        let _infallible = writeln!(page, "    {points:>4}  {}", wrapped(&visible(why), 10));
    }
    page
}
