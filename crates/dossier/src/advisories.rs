//! Which advisories are about this package, and about what runs with it?
//!
//! Advisories come from a database that somebody has on a disk, in the form of OSV: nothing is asked over a network, so that
//! nobody learns which packages are looked at. [`Importer`] makes an [`Index`] of it: lines in order, found by bisection,
//! so that a package is compared with hundreds of thousands of advisories in milliseconds.
//!
//! Whether a version is affected is decided as OSV says: its lists of versions, or its ranges. A bound that cannot be read
//! is taken for none, so that a mistake in an advisory is told and not passed over.
//!
//! An index tells its own length and digest, so that one that is cut off or was altered is known for that, and never taken for
//! one that knows nothing bad. Who keeps running reads of it only what is said of the packages at hand ([`Excerpt`]).

mod excerpt;
mod import;
mod severity;

use std::collections::BTreeSet;

use model::{Digest, limits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::components::{Component, Ecosystem};
use crate::rules::Severity;

pub use excerpt::Excerpt;
pub use import::{ImportError, Importer};

/// What an index begins with.
const MAGIC: &str = "portcullis-advisories 2";
/// What one began with that does not tell its digest.
const MAGIC_OF_BEFORE: &str = "portcullis-advisories 1";

/// An advisory that is about a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vulnerability {
    /// Its name: `GHSA-…`, `PYSEC-…`, `RUSTSEC-…`, `MAL-…`.
    pub id: String,
    /// Its other names: `CVE-…`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// How bad it is.
    pub severity: Severity,
    /// What it says, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// The package URL of what it is about.
    pub purl: String,
    /// The first version in which it is mended, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mended: Option<String>,
}

impl Vulnerability {
    /// Whether it says that the package was made to do harm.
    pub fn is_malice(&self) -> bool {
        self.id.starts_with("MAL-") || self.aliases.iter().any(|alias| alias.starts_with("MAL-"))
    }
}

/// What a package was compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    /// When the database was imported, in seconds since 1970.
    pub imported_at: i64,
    /// How many advisories it has.
    pub advisories: usize,
}

/// Advisories, ready to be looked up.
#[derive(Debug)]
pub struct Index<'a> {
    compared: Compared,
    /// Lines of ecosystem, name and advisory, in the order of their bytes.
    lines: &'a [u8],
    /// The words of all ecosystems that the whole has something of, where this is a part of it.
    known: Option<&'a BTreeSet<String>>,
}

/// Why there is no index.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoIndex {
    /// It is something else.
    #[error("it is no index of advisories; make one with `portcullis advisories import`")]
    Other,
    /// It was made by an earlier version.
    #[error("an earlier version made it; make it anew with `portcullis advisories import`")]
    Earlier,
    /// It is not whole, or not as it was made.
    #[error("it is damaged: it is not what was imported; make it anew with `portcullis advisories import`")]
    Damaged,
    /// It could not be read to its end.
    #[error("it cannot be read: {0}")]
    Unread(String),
    /// It says more of the packages at hand than anybody could read.
    #[error("it has more than {} bytes about these packages", limits::ADVISORY_EXCERPT_BYTES_MAX)]
    TooMuch,
}

/// The first line of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    /// When it was made, in seconds since 1970.
    imported_at: i64,
    /// How many advisories it has.
    advisories: usize,
    /// Bytes of the lines after this one.
    bytes: u64,
    /// Their digest.
    digest: Digest,
}

impl Head {
    fn read(line: &[u8]) -> Result<Self, NoIndex> {
        let line = std::str::from_utf8(line).map_err(|_| NoIndex::Other)?.trim_end();
        if line.starts_with(MAGIC_OF_BEFORE) {
            return Err(NoIndex::Earlier);
        }
        let head = line.strip_prefix(MAGIC).ok_or(NoIndex::Other)?;
        serde_json::from_str(head).map_err(|_| NoIndex::Damaged)
    }

    fn compared(&self) -> Compared {
        Compared { imported_at: self.imported_at, advisories: self.advisories }
    }
}

/// An advisory, as far as it is about one package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    id: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    severity: Option<Severity>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    summary: String,
    /// Which versions, besides those in the ranges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    versions: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ranges: Vec<Range>,
}

/// From a version to another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Range {
    /// The first that is affected; none if all are up to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// The first that is not affected any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// The last that is affected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<String>,
}

impl Range {
    /// Whether it holds every version there is.
    fn is_all(&self) -> bool {
        self.from.is_none() && self.to.is_none() && self.last.is_none()
    }

    fn holds(&self, ecosystem: Ecosystem, version: &str) -> bool {
        if self.is_all() {
            return true;
        }
        let Some(version) = ecosystem.version(version) else { return false };
        let bound = |text: &Option<String>| text.as_deref().and_then(|text| ecosystem.version(text));
        bound(&self.from).is_none_or(|from| from <= version)
            && bound(&self.to).is_none_or(|to| version < to)
            && bound(&self.last).is_none_or(|last| version <= last)
    }
}

impl Line {
    fn is_about(&self, ecosystem: Ecosystem, version: &str) -> bool {
        // Of a package without a fixed version only that is known which is true of all of them.
        let is_any = self.ranges.iter().any(Range::is_all);
        let named = || self.versions.iter().any(|one| one == version);
        is_any || (!version.is_empty() && (named() || self.ranges.iter().any(|range| range.holds(ecosystem, version))))
    }

    fn mended(&self, ecosystem: Ecosystem, version: &str) -> Option<String> {
        let holding = self.ranges.iter().filter(|range| range.holds(ecosystem, version));
        holding.filter_map(|range| range.to.clone()).next()
    }
}

impl<'a> Index<'a> {
    /// An index that was imported.
    ///
    /// # Errors
    /// When it is none, or not whole.
    pub fn new(bytes: &'a [u8]) -> Result<Self, NoIndex> {
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(NoIndex::Other)?;
        let (head, lines) = bytes.split_at_checked(end + 1).ok_or(NoIndex::Other)?;
        let head = Head::read(head)?;
        if Digest::of(lines) != head.digest {
            return Err(NoIndex::Damaged);
        }
        Ok(Self { compared: head.compared(), lines, known: None })
    }

    /// What is in it.
    pub fn compared(&self) -> &Compared {
        &self.compared
    }

    /// Whether there is any advisory about packages of an ecosystem.
    pub fn knows(&self, ecosystem: Ecosystem) -> bool {
        let word = ecosystem.word();
        self.known.map_or_else(
            || {
                let key = format!("{word}\t");
                self.lines.get(self.first(key.as_bytes())..).is_some_and(|rest| rest.starts_with(key.as_bytes()))
            },
            |known| known.contains(word.as_ref()),
        )
    }

    /// The advisories about any of these packages, the worst first.
    pub fn about(&self, components: &[Component]) -> Vec<Vulnerability> {
        let mut found: Vec<Vulnerability> = Vec::new();
        let each = |component| Component::advised(component).map(move |advised| (component, advised));
        for (component, (name, version)) in components.iter().flat_map(each) {
            let ecosystem = component.ecosystem;
            for line in self.of(ecosystem, name) {
                if !line.is_about(ecosystem, version) {
                    continue;
                }
                found.push(Vulnerability {
                    severity: line.severity.unwrap_or(Severity::Medium),
                    purl: component.purl(),
                    mended: line.mended(ecosystem, version),
                    id: line.id,
                    aliases: line.aliases,
                    summary: line.summary,
                });
            }
        }
        found.sort_by(|one, two| {
            two.severity.cmp(&one.severity).then_with(|| one.purl.cmp(&two.purl)).then_with(|| one.id.cmp(&two.id))
        });
        let mut kept: Vec<Vulnerability> = Vec::new();
        for one in found {
            // Two databases may tell of one thing, each under its own name.
            let is_known = |other: &Vulnerability| {
                let is_same = other.id == one.id || other.aliases.contains(&one.id) || one.aliases.contains(&other.id);
                other.purl == one.purl && is_same
            };
            if !kept.iter().any(is_known) && kept.len() < limits::VULNERABILITIES_MAX {
                kept.push(one);
            }
        }
        kept
    }

    /// What is said of a package, whatever its version.
    fn of(&self, ecosystem: Ecosystem, name: &str) -> impl Iterator<Item = Line> {
        let key = key(ecosystem, name);
        let rest = self.lines.get(self.first(key.as_bytes())..).unwrap_or_default();
        let lines = rest.split(|byte| *byte == b'\n');
        lines
            .map_while(move |line| line.strip_prefix(key.as_bytes()))
            .filter_map(|line| serde_json::from_slice(line).ok())
    }

    /// Where the first line is that is not before a key.
    fn first(&self, key: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.lines.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let before = self.lines.get(low..middle).unwrap_or_default();
            let start = before.iter().rposition(|byte| *byte == b'\n').map_or(low, |at| low + at + 1);
            let line = self.lines.get(start..).unwrap_or_default();
            let length = line.iter().position(|byte| *byte == b'\n').unwrap_or(line.len());
            if line.get(..length).unwrap_or_default() < key {
                low = start + length + 1;
            } else {
                high = start;
            }
        }
        low
    }
}

/// What the lines about a package begin with.
fn key(ecosystem: Ecosystem, name: &str) -> String {
    format!("{}\t{}\t", ecosystem.word(), ecosystem.name(name))
}

#[cfg(test)]
mod tests;
