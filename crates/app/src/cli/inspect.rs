//! `portcullis inspect …`: what is in a file, as the gate would see it in a message; and whether rules do what they say.
//!
//! Nothing that was found is printed, only where it stands: what is on the screen is in its history.

mod page;
mod rules;

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ::inspect::{Inspector, Kind, Origin, Rules, classify};
use clap::{Args, Subcommand};
use model::{Finding, limits};
use serde_json::json;

use super::WithGate;
use super::failure::Failure;
use super::feedback::Feedback;
use super::known::Known;
use super::paint::{self, BAD, FAINT, GOOD, visible};
use super::suppressions::Suppressions;

/// What is in a text.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Inspect {
    #[command(subcommand)]
    test: Option<Command>,
    /// The file, JSON or any text; `-` for the standard input
    #[arg(value_name = "FILE", required = true)]
    file: Option<PathBuf>,
    /// Look for what this file of rules describes, too
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

/// What can be done besides.
#[derive(Debug, Subcommand)]
enum Command {
    /// Show the rules: what each sees, of which class, how much harm it does and how sure it is
    Rules(rules::Shown),
    /// Try every rule on the texts that stand beside it
    Test {
        /// A file of rules of your own
        #[arg(long, value_name = "FILE")]
        rules: Option<PathBuf>,
    },
    /// Make a set of words and names, one entry a line, each of which is a finding
    Dictionary(Box<Known>),
    /// Make a set of rows, one a line with commas between columns; several columns of one row are a finding
    Exact(Box<Known>),
    /// Say what inspection got wrong in a message, for the record
    Feedback(Box<WithGate<Feedback>>),
    /// Findings that are not told, until when and on whose word; and which detectors of your own are asked
    Suppressions(Box<WithGate<Suppressions>>),
    /// Make a set of documents, passages of which are a finding
    Documents(Box<Known>),
}

impl Inspect {
    /// Does it. The exit code is 0 if nothing was found, 1 if something was, or if not all was looked at, or a rule fails, 2 if
    /// there is nothing to look into.
    pub(crate) async fn run(self) -> ExitCode {
        let done = match (self.test, self.file) {
            (Some(Command::Feedback(feedback)), _) => {
                let WithGate { own, gate } = *feedback;
                own.run(&gate).await.map(|()| true)
            }
            (Some(Command::Suppressions(suppressions)), _) => {
                let WithGate { own, gate } = *suppressions;
                own.run(&gate).await.map(|()| true)
            }
            (Some(Command::Rules(shown)), _) => shown.run(),
            (Some(Command::Test { rules }), _) => test(rules.as_deref()),
            (Some(Command::Dictionary(known)), _) => known.make(Kind::Dictionary).map(|()| true),
            (Some(Command::Exact(known)), _) => known.make(Kind::Exact).map(|()| true),
            (Some(Command::Documents(known)), _) => known.make(Kind::Documents).map(|()| true),
            (None, Some(file)) => look(&file, self.rules.as_deref(), self.json),
            (None, None) => Err(Failure::usage("there is no file to look into")),
        };
        match done {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(failure) => failure.told(),
        }
    }
}

/// Whether every rule does what its texts say.
fn test(file: Option<&Path>) -> Result<bool, Failure> {
    let rules = rules(file)?;
    let (count, texts) =
        rules.iter().fold((0, 0), |(count, texts), rule| (count + 1, texts + rule.matches.len() + rule.passes.len()));
    let failures = rules.test().map_err(|error| Failure::of(&error))?;
    for failure in &failures {
        paint::out(&format!("{BAD}✗{BAD:#} {}\n", visible(failure)))?;
    }
    let (rules, texts) = (paint::count(count, "rule"), paint::count(texts, "text"));
    if failures.is_empty() {
        paint::out(&format!("{GOOD}✓{GOOD:#} {rules} do what {texts} of theirs say\n"))?;
    }
    Ok(failures.is_empty())
}

/// Whether nothing is in the file.
fn look(file: &Path, own: Option<&Path>, as_json: bool) -> Result<bool, Failure> {
    let rules = rules(own)?;
    let about: HashMap<String, String> = rules.iter().map(|rule| (rule.id.to_string(), rule.about.clone())).collect();
    let inspector = Inspector::with(rules).map_err(|error| Failure::of(&error))?;
    let Text { text, is_whole } = read(file)?;
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
    let mut findings =
        if is_json { inspector.scan_json(&text, Origin::Text) } else { inspector.scan_text(&text, Origin::Text) };
    findings.complete &= is_whole;
    let classification = classify(&findings);
    if as_json {
        let told = json!({
            "findings": findings.list,
            "complete": findings.complete,
            "classification": classification.as_str(),
        });
        paint::out(&format!("{told:#}\n"))?;
    } else {
        let place =
            |finding: &Finding, shown: &str| if is_json { pointer(finding, shown) } else { line_of(&text, finding) };
        paint::out(&page::page(&findings, &about, place))?;
        if !is_whole {
            paint::out("Some of its bytes are no text. What they say was not looked at.\n")?;
        }
        paint::out(&format!("{FAINT}Classification{FAINT:#} {}\n", classification.as_str()))?;
    }
    Ok(findings.list.is_empty() && findings.complete)
}

fn pointer(finding: &Finding, shown: &str) -> String {
    let place = &finding.place;
    let side = if place.part == model::Part::Key { " (key)" } else { "" };
    format!("{shown}{side}, bytes {}-{}", place.range.start, place.range.end)
}

/// Line and column, in characters, both from 1.
fn line_of(text: &str, finding: &Finding) -> String {
    let before = text.get(..finding.place.range.start).unwrap_or_default();
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    format!("{}:{column}", before.matches('\n').count() + 1)
}

fn rules(own: Option<&Path>) -> Result<Rules, Failure> {
    let standard = Rules::standard().map_err(|error| Failure::of(&error))?;
    match own {
        None => Ok(standard),
        Some(file) => {
            let name = file.display().to_string();
            let text =
                std::fs::read_to_string(file).map_err(|error| Failure::new(format!("read `{name}`: {error}")))?;
            standard.and(&name, &text).map_err(|error| Failure::of(&error))
        }
    }
}

/// A file as text.
struct Text {
    text: String,
    /// Whether all of its bytes are text.
    is_whole: bool,
}

/// Reads a file, or the standard input, as text.
fn read(file: &Path) -> Result<Text, Failure> {
    let name = if file == Path::new("-") { "the standard input".to_owned() } else { format!("`{}`", file.display()) };
    let failed = |error: std::io::Error| Failure::usage(format!("read {name}: {error}"));
    let most = u64::try_from(limits::INSPECTED_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(most.saturating_add(1)).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut bytes))
    };
    read.map_err(failed)?;
    if bytes.len() > limits::INSPECTED_BYTES_MAX {
        let what = format!("{name} is larger than {}, and nothing of it was looked at", paint::bytes(most));
        return Err(Failure::usage(what).with_next("look into parts of it"));
    }
    text_of(bytes).ok_or_else(|| {
        let next = "take the text out of it first: messages hold text, and that is what the gate looks into";
        Failure::usage(format!("{name} is no text")).with_next(next)
    })
}

/// Bytes as text: UTF-8, or UTF-16 if they say so. Single bytes that are none become marks of what is missing; `None` if it is
/// another kind of file.
fn text_of(bytes: Vec<u8>) -> Option<Text> {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = rest
            .chunks_exact(2)
            .map(|pair| unit([pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)]));
        let text = char::decode_utf16(units).collect::<Result<String, _>>().ok()?;
        Some(Text { text, is_whole: rest.len().is_multiple_of(2) })
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        all if all.contains(&0) => None,
        _ => Some(match String::from_utf8(bytes) {
            Ok(text) => Text { text: text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text), is_whole: true },
            Err(error) => Text { text: String::from_utf8_lossy(error.as_bytes()).into_owned(), is_whole: false },
        }),
    }
}

#[cfg(test)]
mod tests;
