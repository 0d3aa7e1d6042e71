//! Others on the same texts, in the same run.
//!
//! Peers are Python packages (`cisco-ai-mcp-scanner`, `agent-governance-toolkit-core`, `cpex-secrets-detection`,
//! `cpex-pii-filter`, `presidio-analyzer`, `detect-secrets`, `kingfisher-bin`); `peers.py` asks them. One that is not
//! installed is left out.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context;
use inspect::{Inspector, Origin, Rules};
use serde::Deserialize;
use serde_json::{Value, json};

use super::corpora::{FOLDS, gunzip, lines};
use super::learn::Lab;
use super::rates::Report;
use super::samples::{Folds, Maker};
use super::score::{has_class, in_bytes, meets, spans};

/// The script that asks them.
const SCRIPT: &str = include_str!("peers.py");
/// What this project is called in the table.
const OURS: &str = "Portcullis";
/// What it is called where it looks for secrets alone, as peers do that know nothing else.
const SECRETS_ALONE: &str = "Portcullis, secrets alone";

#[derive(Deserialize)]
struct Answer {
    /// Of each text whether something was seen in it.
    #[serde(default)]
    seen: Vec<u8>,
    /// Of each text with personal data where it was seen, in characters.
    #[serde(default)]
    spans: Vec<Vec<(usize, usize)>>,
    seconds: f64,
}

/// A text that everybody is asked about.
struct Asked {
    topic: &'static str,
    /// Texts that belong together: with an injection, and without.
    what: &'static str,
    text: String,
    clean: Option<String>,
    fold: Option<u8>,
    /// Where personal data of a structured kind stands, and any other.
    spans: (Vec<Range<usize>>, Vec<Range<usize>>),
}

impl Asked {
    fn plain(topic: &'static str, what: &'static str, text: &str) -> Self {
        Self { topic, what, text: text.to_owned(), clean: None, fold: None, spans: (Vec::new(), Vec::new()) }
    }
}

/// The topic of personal data.
const PERSONAL: &str = "personal";

/// What was found of personal data, and how much of what was found is any.
fn told(name: &str, one: &Asked, found: &[Range<usize>], report: &mut Report) {
    let (structured, others) = &one.spans;
    for span in structured {
        report.add("peers: personal data, structured: recall", name, found.iter().any(|other| meets(other, span)));
    }
    for range in found {
        let right = structured.iter().chain(others).any(|span| meets(range, span));
        report.add("peers: personal data, all that was flagged: precision", name, right);
    }
}

/// Asks the peers and ourselves about injections, definitions and secrets.
pub(crate) fn compare(python: &Path, maker: &Maker, corpora: &Path, report: &mut Report) -> anyhow::Result<()> {
    let asked = asked(maker, corpora)?;
    let lines: Vec<Value> = asked
        .iter()
        .flat_map(|one| {
            std::iter::once(&one.text).chain(&one.clean).map(|text| json!({"topic": one.topic, "text": text}))
        })
        .collect();
    let answers = ask(python, &lines)?;
    for (topic, answers) in answers {
        let bytes: usize = lines
            .iter()
            .filter(|line| line.get("topic").and_then(Value::as_str) == Some(topic.as_str()))
            .filter_map(|line| line.get("text")?.as_str())
            .map(str::len)
            .sum();
        for (name, answer) in answers {
            report.figure(&format!("peers: {topic}: {name}, MB/s"), bytes as f64 / answer.seconds.max(1e-9) / 1e6);
            let spans = asked.iter().filter(|one| one.topic == PERSONAL).zip(&answer.spans);
            for (one, spans) in spans.filter(|_| topic == PERSONAL) {
                let found: Vec<Range<usize>> =
                    spans.iter().map(|(start, end)| in_bytes(&one.text, *start..*end)).collect();
                told(&name, one, &found, report);
            }
            let mut seen = answer.seen.into_iter().map(|seen| seen == 1);
            for one in asked.iter().filter(|one| one.topic == topic && topic != PERSONAL) {
                let (with, without) = (seen.next(), one.clean.as_ref().and_then(|_| seen.next()));
                report.add(&format!("peers: {}", one.what), &name, with == Some(true) && without != Some(true));
            }
        }
    }
    ours(maker, &asked, report)
}

fn asked(maker: &Maker, corpora: &Path) -> anyhow::Result<Vec<Asked>> {
    let mut asked = Vec::new();
    for fold in 0..FOLDS {
        let fold_of = Some(fold);
        for sample in maker.injected(Folds::Only(fold), 1, 41) {
            asked.push(Asked {
                clean: Some(sample.clean),
                fold: fold_of,
                ..Asked::plain("result", "injections, other wordings (paired)", &sample.text)
            });
        }
        for sample in maker.harmless(Folds::Only(fold), 0, 41) {
            let what = match sample.kind {
                "result" | "mail" | "sentence" => "injections: false positives, results",
                "hard" | "request" => "injections: false positives, hard",
                _ => continue,
            };
            asked.push(Asked { fold: fold_of, ..Asked::plain("result", what, &sample.text) });
        }
        for pair in maker.corpora().pairs.iter().filter(|pair| pair.text.fold == fold) {
            asked.push(Asked {
                clean: Some(pair.clean.clone()),
                fold: fold_of,
                ..Asked::plain("result", "injections, the corpus's wording (paired)", &pair.text.text)
            });
        }
        for text in maker.corpora().poisoned.iter().filter(|text| text.fold == fold) {
            asked.push(Asked { fold: fold_of, ..Asked::plain("definition", "poisoned definitions", &text.text) });
        }
        for text in maker.corpora().definitions.iter().filter(|text| text.fold == fold) {
            asked.push(Asked {
                fold: fold_of,
                ..Asked::plain("definition", "definitions: false positives", &text.text)
            });
        }
    }
    for value in lines(&corpora.join("personal/presidio_generated.jsonl"))? {
        let Some(text) = value.get("text").and_then(Value::as_str) else { continue };
        asked.push(Asked { spans: spans(&value, text), ..Asked::plain(PERSONAL, "", text) });
    }
    for value in gunzip(&corpora.join("secrets/examples.jsonl.gz"))? {
        let Some(text) = value.get("text").and_then(Value::as_str) else { continue };
        let is_secret = value.get("label").and_then(Value::as_u64) == Some(1);
        let what = if is_secret { "secrets" } else { "secrets: look-alikes flagged" };
        asked.push(Asked::plain("secret", what, text));
    }
    Ok(asked)
}

fn ask(python: &Path, lines: &[Value]) -> anyhow::Result<BTreeMap<String, BTreeMap<String, Answer>>> {
    let mut child = Command::new(python)
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", python.display()))?;
    // It reads all before it answers, so that nobody waits for the other.
    let mut input = child.stdin.take().context("the peers have no input")?;
    for line in lines {
        writeln!(input, "{line}")?;
    }
    drop(input);
    let output = child.wait_with_output()?;
    serde_json::from_slice(&output.stdout).context("the peers' answer is no JSON")
}

fn ours(maker: &Maker, asked: &[Asked], report: &mut Report) -> anyhow::Result<()> {
    let standard = Inspector::standard()?;
    let mut took: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
    let mut lab = Lab::new(maker);
    for fold in [None].into_iter().chain((0..FOLDS).map(Some)) {
        let own = match fold {
            Some(_) => Some(Inspector::with_model(Rules::standard()?, lab.fit(fold)?)?),
            None => None,
        };
        let inspector = own.as_ref().unwrap_or(&standard);
        for one in asked.iter().filter(|one| one.fold == fold) {
            let (origin, class) = match one.topic {
                "definition" => (Origin::Definition, "injection"),
                "secret" => (Origin::Text, "secret"),
                _ => (Origin::Answer, "injection"),
            };
            if one.topic == PERSONAL {
                inspector.scan_text(&one.text, Origin::Text);
                let begun = Instant::now();
                let findings = inspector.scan_text(&one.text, Origin::Text);
                let (seconds, bytes) = took.entry(one.topic).or_default();
                *seconds += begun.elapsed().as_secs_f64();
                *bytes += one.text.len();
                let found: Vec<Range<usize>> = findings.list.into_iter().map(|finding| finding.place.range).collect();
                told(OURS, one, &found, report);
                continue;
            }
            let mut look = |text: &String| {
                // Expressions are compiled when they are first needed, and caches fill.
                inspector.scan_text(text, origin);
                let begun = Instant::now();
                let seen = has_class(&inspector.scan_text(text, origin), class);
                let (seconds, bytes) = took.entry(one.topic).or_default();
                *seconds += begun.elapsed().as_secs_f64();
                *bytes += text.len();
                seen
            };
            let hit = look(&one.text) && !one.clean.as_ref().is_some_and(&mut look);
            report.add(&format!("peers: {}", one.what), OURS, hit);
        }
    }
    for (topic, (seconds, bytes)) in took {
        report.figure(&format!("peers: {topic}: {OURS}, MB/s"), bytes as f64 / seconds.max(1e-9) / 1e6);
    }
    secrets_alone(asked, report)
}

/// The same work as that of peers that look for secrets alone.
fn secrets_alone(asked: &[Asked], report: &mut Report) -> anyhow::Result<()> {
    let inspector = Inspector::of_secrets()?;
    let (mut seconds, mut bytes) = (0.0, 0);
    for one in asked.iter().filter(|one| one.topic == "secret") {
        inspector.scan_text(&one.text, Origin::Text);
        let begun = Instant::now();
        let seen = has_class(&inspector.scan_text(&one.text, Origin::Text), "secret");
        seconds += begun.elapsed().as_secs_f64();
        bytes += one.text.len();
        report.add(&format!("peers: {}", one.what), SECRETS_ALONE, seen);
    }
    report.figure(&format!("peers: secret: {SECRETS_ALONE}, MB/s"), bytes as f64 / seconds.max(1e-9) / 1e6);
    Ok(())
}
