//! From a database in the form of OSV to an index.

use std::collections::BTreeMap;

use model::{Digest, limits};
use serde::Deserialize;
use serde_json::Value;

use super::severity::severity;
use super::{Head, Line, MAGIC, Range, key};
use crate::archive::{ArchiveError, Limits, each};
use crate::components::Ecosystem;

/// Takes advisories, and makes an index of them.
#[derive(Debug, Default)]
pub struct Importer {
    /// By what the line begins with and the advisory's name: of two with one name, the later counts.
    lines: BTreeMap<(String, String), (String, Line)>,
    advisories: usize,
    passed_over: usize,
}

/// Why a file was not imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is no archive that can be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// It is no advisory.
    #[error("it is no advisory in the form of OSV")]
    NoAdvisory,
    /// There are too many.
    #[error("there are more than {} advisories", limits::ADVISORIES_MAX)]
    TooMany,
}

/// An advisory, as OSV writes it.
#[derive(Deserialize)]
struct Written {
    id: String,
    #[serde(default)]
    modified: String,
    withdrawn: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    severity: Vec<Value>,
    #[serde(default)]
    affected: Vec<Affected>,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Deserialize)]
struct Affected {
    package: Option<Package>,
    #[serde(default)]
    ranges: Vec<WrittenRange>,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    severity: Vec<Value>,
}

#[derive(Deserialize)]
struct Package {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct WrittenRange {
    r#type: String,
    #[serde(default)]
    events: Vec<Event>,
}

/// One of these, by the form.
#[derive(Deserialize)]
struct Event {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

impl Importer {
    /// Takes a zip of advisories, one a file.
    ///
    /// # Errors
    /// When it cannot be read, or holds too many. What in it is no advisory is passed over.
    pub fn archive(&mut self, bytes: &[u8]) -> Result<(), ImportError> {
        let limits = Limits {
            archive: limits::ADVISORY_ARCHIVE_BYTES_MAX,
            unpacked: u64::MAX,
            file: limits::ADVISORY_BYTES_MAX,
            kept: 0,
            entries: limits::ADVISORIES_MAX,
        };
        let mut failed = None;
        each(bytes, limits, &mut |path, content| {
            if path.ends_with(".json") {
                match self.advisory(content) {
                    Ok(()) => {}
                    Err(ImportError::NoAdvisory | ImportError::Archive(_)) => self.passed_over += 1,
                    Err(ImportError::TooMany) => failed = Some(ImportError::TooMany),
                }
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    /// Takes one advisory.
    ///
    /// # Errors
    /// When it is none, or one too many.
    pub fn advisory(&mut self, bytes: &[u8]) -> Result<(), ImportError> {
        let written: Written = serde_json::from_slice(bytes).map_err(|_| ImportError::NoAdvisory)?;
        if written.withdrawn.is_some() {
            return Ok(());
        }
        let mut is_taken = false;
        for affected in &written.affected {
            let Some(package) = &affected.package else { continue };
            let Some(ecosystem) = Ecosystem::of_word(&package.ecosystem) else { continue };
            if package.name.contains(['\t', '\n']) || written.id.len() > limits::LABEL_BYTES_MAX {
                continue;
            }
            let key = (key(ecosystem, &package.name), written.id.clone());
            let line = line(&written, affected, ecosystem);
            if self.lines.len() >= limits::ADVISORIES_MAX && !self.lines.contains_key(&key) {
                return Err(ImportError::TooMany);
            }
            is_taken = true;
            match self.lines.get_mut(&key) {
                Some((modified, known)) if *modified == written.modified => known.join(line),
                Some((modified, _)) if *modified > written.modified => {}
                Some(known) => *known = (written.modified.clone(), line),
                None => drop(self.lines.insert(key, (written.modified.clone(), line))),
            }
        }
        self.advisories += usize::from(is_taken);
        Ok(())
    }

    /// How many advisories were taken that are about packages of a known kind.
    pub fn advisories(&self) -> usize {
        self.advisories
    }

    /// How many files were none.
    pub fn passed_over(&self) -> usize {
        self.passed_over
    }

    /// The index, as it is kept; `now` is in seconds since 1970.
    pub fn index(&self, now: i64) -> Vec<u8> {
        let mut lines = Vec::new();
        for ((key, _), (_, line)) in &self.lines {
            let Ok(line) = serde_json::to_string(line) else { continue };
            lines.extend_from_slice(key.as_bytes());
            lines.extend_from_slice(line.as_bytes());
            lines.push(b'\n');
        }
        let (length, digest) = (u64::try_from(lines.len()).unwrap_or(u64::MAX), Digest::of(&lines));
        let head = Head { imported_at: now, advisories: self.advisories, bytes: length, digest };
        let mut bytes = format!("{MAGIC} {}\n", serde_json::to_string(&head).unwrap_or_default()).into_bytes();
        bytes.append(&mut lines);
        bytes
    }
}

impl Line {
    /// One advisory may speak of a package in several places.
    fn join(&mut self, other: Self) {
        self.ranges.extend(other.ranges);
        self.versions.extend(other.versions);
        self.severity = self.severity.max(other.severity);
    }
}

fn line(written: &Written, affected: &Affected, ecosystem: Ecosystem) -> Line {
    let usual = |range: &&WrittenRange| matches!(range.r#type.as_str(), "SEMVER" | "ECOSYSTEM");
    let ranges: Vec<Range> =
        affected.ranges.iter().filter(usual).flat_map(|range| spans(&range.events, ecosystem)).collect();
    let is_new = |version: &&String| !ranges.iter().any(|range| range.holds(ecosystem, version));
    let versions: Vec<String> = affected.versions.iter().filter(is_new).cloned().collect();
    let short = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = written.database_specific.get("severity").and_then(Value::as_str);
    let is_malice = written.id.starts_with("MAL-") || written.aliases.iter().any(|alias| alias.starts_with("MAL-"));
    let scores = || written.severity.iter().chain(&affected.severity);
    Line {
        id: written.id.clone(),
        aliases: written.aliases.iter().take(limits::ATTESTATIONS_MAX).cloned().collect(),
        severity: if is_malice { Some(crate::Severity::Critical) } else { severity(said, scores()) },
        summary: short(&written.summary).chars().take(limits::SOURCE_EXCERPT_CHARS_MAX).collect(),
        versions,
        ranges,
    }
}

/// What events on a line of versions leave affected between them. They come in any order.
fn spans(events: &[Event], ecosystem: Ecosystem) -> Vec<Range> {
    // An opening, and what ends it: by version where it can be read, and in the order written where it cannot.
    let mut points: Vec<(Option<crate::version::Version>, &Event)> = Vec::new();
    for event in events {
        let text = [&event.introduced, &event.fixed, &event.last_affected, &event.limit];
        let text = text.into_iter().flatten().next().map_or("", String::as_str);
        points.push((ecosystem.version(text), event));
    }
    points.sort_by(|(one, _), (two, _)| one.partial_cmp(two).unwrap_or(std::cmp::Ordering::Equal));
    let mut spans: Vec<Range> = Vec::new();
    let mut open: Option<Range> = None;
    for (_, event) in points {
        if let Some(introduced) = &event.introduced {
            let from = Some(introduced.clone()).filter(|from| from != "0");
            open.get_or_insert(Range { from, ..Range::default() });
        } else if let Some(mut range) = open.take() {
            range.last = event.last_affected.clone();
            range.to = event.fixed.clone().or(event.limit.clone()).filter(|to| to != "*");
            spans.push(range);
        }
    }
    spans.extend(open);
    spans
}
