//! The corpora that a directory holds, read for training and for scoring. Nothing of them is kept.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::Value;

/// Folds that everything is divided into, by source or by wording.
pub(crate) const FOLDS: u8 = 5;

/// One text of the corpora.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// What it says.
    pub(crate) text: String,
    /// The fold of its source.
    pub(crate) fold: u8,
}

/// A result with an injection.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    /// What it says.
    pub(crate) text: Text,
    /// The same without the injection.
    pub(crate) clean: String,
    /// The same with something else in its place: before it, between its places, and after it.
    pub(crate) around: Vec<String>,
    /// What the attacker wants.
    pub(crate) goal: String,
}

/// What the corpora hold about injected instructions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Corpora {
    /// Results of tools in which nobody instructs a model; by suite.
    pub(crate) results: Vec<Text>,
    /// E-mails, the same.
    pub(crate) mails: Vec<Text>,
    /// Results with an injection, and the same without.
    pub(crate) pairs: Vec<Pair>,
    /// What the attackers of the suites want, by suite.
    pub(crate) goals: Vec<Text>,
    /// Instructions to be put into e-mails, by category.
    pub(crate) asides: Vec<Text>,
    /// Harmless texts with words that attackers use.
    pub(crate) hard: Vec<Text>,
    /// Requests of people to a model.
    pub(crate) requests: Vec<Text>,
    /// Sentences about people.
    pub(crate) sentences: Vec<Text>,
    /// Definitions that people trust, by server.
    pub(crate) definitions: Vec<Text>,
    /// The same as they are served, in the same order.
    pub(crate) tools: Vec<Value>,
    /// Definitions that are poisoned.
    pub(crate) poisoned: Vec<Text>,
    /// Definitions of attacks that are mostly worded like any other.
    pub(crate) mixed: Vec<Text>,
}

impl Corpora {
    /// Reads a directory of corpora.
    pub(crate) fn read(directory: &Path) -> anyhow::Result<Self> {
        let by_index = |(index, value): (usize, Value)| Some(Text { text: text(&value, "text")?, fold: fold(index) });
        let of_text = |name: &str| -> anyhow::Result<Vec<Text>> {
            Ok(lines(&directory.join("text").join(name))?.into_iter().enumerate().filter_map(by_index).collect())
        };
        let mut corpora = Self {
            mails: of_text("contexts_bipia_train.jsonl")?,
            hard: of_text("benign_hard_notinject.jsonl")?,
            requests: of_text("benign_wildguard_half.jsonl")?,
            ..Self::default()
        };
        for value in lines(&directory.join("text/benign_agentdojo.jsonl"))? {
            corpora.results.extend(suite_text(&value));
        }
        for value in lines(&directory.join("text/injected_agentdojo.jsonl"))? {
            let Some(injected) = suite_text(&value) else { continue };
            corpora.pairs.extend(pair(&injected));
        }
        let mut categories: Vec<String> = Vec::new();
        for value in lines(&directory.join("text/injections_bipia_train.jsonl"))? {
            let (Some(category), Some(text)) = (text(&value, "group"), text(&value, "text")) else { continue };
            let number = place(&mut categories, category);
            corpora.asides.push(Text { text, fold: fold(number) });
        }
        for suite in ["banking", "slack", "travel", "workspace"] {
            let mut known: Vec<String> = Vec::new();
            let path = directory.join(format!("agentdojo/{suite}.attack.jsonl"));
            let attacks = if path.exists() { lines(&path)? } else { gunzip(&path.with_extension("jsonl.gz"))? };
            for value in attacks {
                let Some(goal) = text(&value, "goal") else { continue };
                if !known.contains(&goal) {
                    known.push(goal.clone());
                    corpora.goals.push(Text { fold: suite_fold(suite, &goal), text: goal });
                }
            }
        }
        for value in lines(&directory.join("personal/presidio_generated.jsonl"))?.into_iter().enumerate() {
            corpora.sentences.extend(by_index(value).filter(|text| text.text.len() > 40));
        }
        let mut servers: Vec<String> = Vec::new();
        for value in lines(&directory.join("tools/benign.jsonl"))? {
            let (Some(server), Some(text)) = (text(&value, "server"), text(&value, "text")) else { continue };
            let number = place(&mut servers, server);
            corpora.definitions.push(Text { text, fold: fold(number) });
            corpora.tools.push(value.get("tool").cloned().unwrap_or_default());
        }
        for value in lines(&directory.join("tools/poisoned_fuzzd.jsonl"))?.iter().enumerate() {
            let payload = value.1.pointer("/record/payload").and_then(Value::as_str).map(ToOwned::to_owned);
            corpora.poisoned.extend(payload.map(|text| Text { text, fold: fold(value.0) }));
        }
        let mixed = lines(&directory.join("tools/mixed_msb.jsonl"))?.into_iter().enumerate().filter_map(by_index);
        corpora.mixed = mixed.collect();
        Ok(corpora)
    }
}

/// The values of a file of JSON lines.
pub(crate) fn lines(path: &Path) -> anyhow::Result<Vec<Value>> {
    let file = fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let values = file.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str);
    values.collect::<Result<_, _>>().with_context(|| format!("`{}` is not JSON lines", path.display()))
}

/// The values of a compressed file of JSON lines.
pub(crate) fn gunzip(path: &Path) -> anyhow::Result<Vec<Value>> {
    let mut child =
        Command::new("gzip").arg("-dc").arg(path).stdout(Stdio::piped()).spawn().context("cannot start `gzip`")?;
    let mut text = String::new();
    child.stdout.take().context("`gzip` has no output")?.read_to_string(&mut text)?;
    ensure!(child.wait()?.success(), "`gzip` cannot read `{}`", path.display());
    let values = text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str);
    values.collect::<Result<_, _>>().with_context(|| format!("`{}` is not JSON lines", path.display()))
}

/// The fold of the source with this number.
pub(crate) fn fold(number: usize) -> u8 {
    u8::try_from(number % usize::from(FOLDS)).unwrap_or(0)
}

fn place(names: &mut Vec<String>, name: String) -> usize {
    names.iter().position(|known| *known == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}

fn text(value: &Value, field: &str) -> Option<String> {
    value.get(field).and_then(Value::as_str).map(ToOwned::to_owned)
}

fn suite_text(value: &Value) -> Option<Text> {
    let suite = value.get("group").and_then(Value::as_str)?.rsplit('/').next()?;
    let text = text(value, "text")?;
    Some(Text { fold: suite_fold(suite, &text), text })
}

/// The fold of a suite: the largest has two, one for what has to do with mail.
fn suite_fold(suite: &str, text: &str) -> u8 {
    match suite {
        "banking" => 0,
        "slack" => 1,
        "travel" => 2,
        _ if text.contains("sender:") || text.contains("mail") && !text.contains("id_:") => 4,
        _ => 3,
    }
}

/// The text with and without the blocks that the corpus marks as injected.
fn pair(text: &Text) -> Option<Pair> {
    let mut rest = text.text.as_str();
    let mut around = Vec::new();
    let mut goal = None;
    while let Some((before, after)) = rest.split_once("<INFORMATION>") {
        let (inside, behind) = after.split_once("</INFORMATION>").unwrap_or((after, ""));
        around.push(before.to_owned());
        goal = goal.or_else(|| Some(wanted(inside)?.to_owned()));
        rest = behind;
    }
    around.push(rest.to_owned());
    let goal = unfolded(&goal?);
    (around.len() > 1).then(|| Pair { text: text.clone(), clean: around.concat(), around, goal })
}

/// What the corpus's one wording of an injection asks for.
fn wanted(inside: &str) -> Option<&str> {
    let (_, after) = inside.split_once("first:").or_else(|| inside.split_once("following"))?;
    Some(after.rsplit_once("After").map_or(after, |(wanted, _)| wanted))
}

/// A text as it was before it was put into lines.
fn unfolded(text: &str) -> String {
    let plain = text.replace("\\n", " ").replace("\\\"", "\"").replace(['\\', '\n'], " ").replace("''", "'");
    let mut words: Vec<&str> = plain.split_whitespace().collect();
    words.retain(|word| !word.is_empty());
    words.join(" ")
}
