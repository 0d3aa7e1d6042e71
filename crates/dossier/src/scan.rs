//! Everything about a package, put together.

mod evidence;
mod image;

pub use evidence::repository_place;
pub use image::examine_image;

use std::collections::BTreeMap;

use model::limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::advisories::{Compared, Index, Vulnerability};
use crate::archive::{ArchiveError, Contents, File, Limits, Oddity, unpacked};
use crate::components::{Component, Components, components};
use crate::image::Image;
use crate::metadata::{self, Form, Metadata};
use crate::provenance::{self, Package, Provenance};
use crate::resemblance::{Resemblance, resemblance};
use crate::rules::{Severity, rules};
use crate::source::{Language, facts};

/// All that is to be known of a package without running it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Examination {
    /// The file's or the folder's name.
    pub name: String,
    /// The digest of the archive, exactly as it came; none for a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The SHA-512 digest of the archive, which npm goes by; none for a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha512: Option<String>,
    /// What it says of itself.
    pub metadata: Metadata,
    /// Which container image it is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// Files in it.
    pub files: usize,
    /// Bytes of them together.
    pub bytes: u64,
    /// Source files that were read.
    pub sources: usize,
    /// The well-known name that its name resembles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resembles: Option<Resemblance>,
    /// What is proven of who made it.
    #[serde(default, skip_serializing_if = "Provenance::is_empty")]
    pub provenance: Provenance,
    /// The package and what runs with it, as far as that shows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Component>,
    /// How many more run with it than are listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub components_unlisted: usize,
    /// The advisories that it was compared with; none if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
    /// Those that are about it, or about what runs with it, the worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vulnerabilities: Vec<Vulnerability>,
    /// What a reviewer should see, the worst first.
    pub findings: Vec<Finding>,
    /// How many more there were of a rule than are listed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unlisted: BTreeMap<String, usize>,
    /// What makes up the score.
    pub score: Vec<Point>,
}

/// Something in a package that a reviewer should see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The rule's name.
    pub rule: String,
    /// How bad it is if the words are true.
    pub severity: Severity,
    /// What was seen, in words.
    pub title: String,
    /// The file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// The line, from 1, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What stands there.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub excerpt: String,
}

/// A line of the score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// What it adds.
    pub points: u32,
    /// What for.
    pub why: String,
}

impl Examination {
    /// The whole score: 0 is what was found in nobody's disfavour.
    pub fn points(&self) -> u32 {
        self.score.iter().map(|point| point.points).sum()
    }

    /// The worst of what was found.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

/// How far the examination is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It is being unpacked.
    Unpacking,
    /// So many of so many source files were read.
    Reading {
        /// How many were.
        done: usize,
        /// How many there are.
        of: usize,
    },
}

/// What there is beside a package that says more of it.
#[derive(Debug, Default)]
pub struct Beside<'a> {
    /// Files of attestations that are given out for it.
    pub attestations: Vec<String>,
    /// Lock files that were made for it, by their names.
    pub locks: Vec<(String, String)>,
    /// Advisories.
    pub advisories: Option<Index<'a>>,
}

/// What something begins with that is packed with gzip.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Examines an archive.
///
/// # Errors
/// When it cannot be unpacked; then that is what is to be known of it.
pub fn examine(
    name: &str,
    bytes: &[u8],
    beside: &Beside<'_>,
    told: &mut dyn FnMut(Progress),
) -> Result<Examination, ArchiveError> {
    told(Progress::Unpacking);
    if crate::archive::tar::is_one(bytes) {
        return examine_image(name, bytes, beside, told);
    }
    let contents = unpacked(bytes, Limits::default())?;
    if bytes.starts_with(&GZIP) && crate::image::is_one(&contents) {
        return image::examine_packed(name, bytes, beside, told);
    }
    let Package { sha256, sha512, .. } = Package::of(bytes);
    let mut examination = examine_contents(name, &contents, beside, told);
    (examination.sha256, examination.sha512) = (Some(sha256), Some(sha512));
    let (_, within) = provenance::split(bytes);
    examination.provenance = Provenance::of(&beside.attestations, within, &examination.package());
    examination.judge_provenance();
    Ok(examination)
}

/// Examines what was unpacked.
pub fn examine_contents(
    name: &str,
    contents: &Contents,
    beside: &Beside<'_>,
    told: &mut dyn FnMut(Progress),
) -> Examination {
    let mut metadata = metadata::read(contents);
    if metadata.form == Form::Files && crate::image::is_one(contents) {
        let why = "it is a container image: give it as one file, as `docker save` or `tar` makes it";
        metadata.malformed = Some(why.to_owned());
    }
    let components = components(contents, &metadata, &beside.locks);
    examined(name, contents, metadata, components, Findings::default(), beside, told)
}

/// Reads the source of what was unpacked, and puts together what is known of it.
fn examined(
    name: &str,
    contents: &Contents,
    metadata: Metadata,
    components: Components,
    mut findings: Findings,
    beside: &Beside<'_>,
    told: &mut dyn FnMut(Progress),
) -> Examination {
    contents.oddities.iter().for_each(|oddity| findings.push(odd(oddity)));
    of_metadata(&metadata, &mut findings);
    let resembles = metadata.name.as_deref().and_then(|name| resemblance(metadata.form, name));
    if let Some(Resemblance { name, how }) = &resembles {
        let title = format!("its name is nearly `{name}`: {how}");
        findings.push(finding("nearly-a-known-name", Severity::High, title, ""));
    }
    let sources: Vec<_> =
        contents.files.iter().filter_map(|(path, file)| Some((path, Language::of(path)?, file))).collect();
    let mut read = 0;
    for (done, (path, language, file)) in sources.iter().enumerate() {
        told(Progress::Reading { done, of: sources.len() });
        read += usize::from(of_source(path, *language, file, &mut findings));
    }
    contents.files.iter().for_each(|(path, file)| of_file(path, file, &mut findings));
    let (findings, unlisted) = findings.sorted();
    let mut examination = Examination {
        name: name.to_owned(),
        sha256: None,
        sha512: None,
        image: None,
        provenance: Provenance::default(),
        files: contents.files.len(),
        bytes: contents.bytes,
        sources: read,
        resembles,
        components: components.list,
        components_unlisted: components.unlisted,
        compared: None,
        vulnerabilities: Vec::new(),
        score: score(&findings),
        metadata,
        findings,
        unlisted,
    };
    if let Some(advisories) = &beside.advisories {
        examination.compare(advisories);
    }
    examination
}

/// What was found so far, bounded for each rule: beyond that, one has the place of one that is less severe.
#[derive(Default)]
struct Findings {
    all: Vec<Finding>,
    of_rule: BTreeMap<String, usize>,
}

impl Findings {
    fn push(&mut self, finding: Finding) {
        let number = self.of_rule.entry(finding.rule.clone()).or_default();
        *number += 1;
        if *number <= limits::PACKAGE_SIGHTS_LISTED {
            self.all.push(finding);
            return;
        }
        let of_rule = self.all.iter_mut().filter(|one| one.rule == finding.rule);
        if let Some(least) = of_rule.min_by_key(|one| one.severity)
            && least.severity < finding.severity
        {
            *least = finding;
        }
    }

    /// The worst first, and how many of each rule are not listed.
    fn sorted(mut self) -> (Vec<Finding>, BTreeMap<String, usize>) {
        self.all.sort_by(worst_first);
        let more = |(rule, number): (String, usize)| Some((rule, number.checked_sub(limits::PACKAGE_SIGHTS_LISTED)?));
        let unlisted = self.of_rule.into_iter().filter_map(more).filter(|(_, number)| *number > 0).collect();
        (self.all, unlisted)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn worst_first(one: &Finding, two: &Finding) -> std::cmp::Ordering {
    two.severity.cmp(&one.severity).then_with(|| one.rule.cmp(&two.rule))
}

fn finding(rule: &str, severity: Severity, title: impl Into<String>, file: &str) -> Finding {
    let (rule, title, file) = (rule.to_owned(), title.into(), file.to_owned());
    Finding { rule, severity, title, file, line: None, excerpt: String::new() }
}

fn odd(oddity: &Oddity) -> Finding {
    let (rule, title, path) = match oddity {
        Oddity::Outside(path) => ("leads-out", "has a file that would be written outside its folder", path),
        Oddity::Link(path, _) => ("link", "has a link", path),
        Oddity::NoFile(path) => ("no-file", "has a device, a pipe or the like", path),
        Oddity::Twice(path) => ("twice", "has two files at one path, of which readers take one or the other", path),
        Oddity::HiddenName(path) => ("hidden-name", "has a file with characters in its name that are not seen", path),
        Oddity::Enciphered(path) => ("enciphered", "has a file that is enciphered", path),
    };
    let excerpt = if let Oddity::Link(_, to) = oddity { format!("leads to {to}") } else { String::new() };
    Finding { excerpt, ..finding(rule, oddity.severity(), title, path) }
}

fn of_metadata(metadata: &Metadata, findings: &mut Findings) {
    if let Some(why) = &metadata.malformed {
        findings.push(finding(
            "malformed",
            Severity::Medium,
            format!("what it says of itself cannot be read: {why}"),
            "",
        ));
    }
    for (event, command) in &metadata.at_installation {
        let builds = matches!(metadata.form, Form::PythonSource | Form::Crate);
        let known = matches!(command.as_str(), "node-gyp rebuild" | "node-gyp-build" | "husky" | "husky install");
        let severity = if builds || known { Severity::Low } else { Severity::High };
        let title = format!("runs something when it is installed ({event})");
        findings.push(Finding { excerpt: short(command), ..finding("runs-at-installation", severity, title, "") });
    }
    for (name, wanted) in &metadata.dependencies {
        let elsewhere = ["git+", "git:", "http:", "https:", "github:", "file:", "@ http", "@ git"];
        if elsewhere.iter().any(|begin| wanted.starts_with(begin)) {
            let title = "needs something that comes from no registry";
            let excerpt = short(&format!("{name} {wanted}"));
            findings.push(Finding { excerpt, ..finding("from-elsewhere", Severity::Medium, title, "") });
        }
    }
    if metadata.form != Form::Files && metadata.licence.is_none() {
        findings.push(finding("no-licence", Severity::Note, "says no licence", ""));
    }
    if metadata.form != Form::Files && metadata.repository.is_none() {
        findings.push(finding("no-repository", Severity::Note, "does not say where its source is", ""));
    }
}

/// Reads a source file; says whether it could be.
fn of_source(path: &str, language: Language, file: &File, findings: &mut Findings) -> bool {
    let Some(content) = file.content.as_ref().filter(|content| content.len() <= limits::SOURCE_BYTES_MAX) else {
        let title = "has a source file that is too large to be read";
        findings.push(finding("unread", Severity::Low, title, path));
        return false;
    };
    let text = String::from_utf8_lossy(content);
    let facts = facts(language, &text);
    if facts.is_none() {
        findings.push(finding("unread", Severity::Low, "has a source file whose syntax takes too long to read", path));
    }
    for rule in rules().iter().filter(|rule| rule.is_about(path, Some(language))) {
        for sight in rule.sights(&text, facts.as_ref(), limits::PACKAGE_SIGHTS_LISTED) {
            let severity = if is_of_others(path) { rule.severity.less() } else { rule.severity };
            findings.push(Finding {
                line: Some(sight.line),
                excerpt: short(&sight.excerpt),
                ..finding(&rule.id, severity, &rule.title, path)
            });
        }
    }
    true
}

/// Programs of the machine, which nobody can read.
fn of_file(path: &str, file: &File, findings: &mut Findings) {
    let begin = file.content.as_ref().and_then(|content| content.get(..4)).unwrap_or_default();
    let of_machine =
        matches!(
            begin,
            [0x7f, b'E', b'L', b'F'] | [b'M', b'Z', ..] | [0xcf, 0xfa, 0xed, 0xfe] | [0xca, 0xfe, 0xba, 0xbe]
        ) || [".node", ".so", ".dll", ".dylib", ".exe", ".pyc"].iter().any(|ending| path.ends_with(ending));
    if of_machine {
        findings.push(finding("machine-code", Severity::Low, "has a program that only the machine reads", path));
    }
}

/// Whether a file is one that others wrote and the package brings along.
fn is_of_others(path: &str) -> bool {
    ["node_modules/", "site-packages/", "vendor/"].iter().any(|folder| path.contains(folder))
}

/// On one line, and no longer than what is read at a glance.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|letter| !crate::archive::is_hidden(*letter)).take(limits::SOURCE_EXCERPT_CHARS_MAX).collect()
}

/// Each rule counts once, however often it saw something: a long program is no worse for its length.
fn score(findings: &[Finding]) -> Vec<Point> {
    let mut rules: Vec<(&str, &Finding, usize)> = Vec::new();
    for finding in findings {
        match rules.iter_mut().find(|(rule, ..)| *rule == finding.rule) {
            Some((_, _, number)) => *number += 1,
            None => rules.push((&finding.rule, finding, 1)),
        }
    }
    let point = |(_, finding, number): &(&str, &Finding, usize)| {
        let times = if *number == 1 { String::new() } else { format!(" ({number} places)") };
        Point { points: finding.severity.points(), why: format!("{}{times}", finding.title) }
    };
    rules.iter().map(point).filter(|point| point.points > 0).collect()
}

#[cfg(test)]
mod tests;
