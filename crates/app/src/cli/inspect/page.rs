//! What was seen, on a page for people: the gravest first, each kind of thing once, with what it is and where it stands.

use std::cmp::Reverse;
use std::collections::HashMap;

use ::inspect::Findings;
use anstyle::Style;
use model::{Finding, RuleId, Severity};

use crate::cli::paint::{self, BAD, FAINT, GOOD, NAME, WARN, visible, wrapped};

/// Places of one kind of thing that are shown.
const PLACES_MAX: usize = 5;
/// Columns before what is told of a kind of thing.
const INDENT: usize = 10;

/// The page. `about` tells of each rule what it sees, and `place` of each finding where it stands.
pub(super) fn page(
    findings: &Findings,
    about: &HashMap<String, String>,
    place: impl Fn(&Finding, &str) -> String,
) -> String {
    let gap = " ".repeat(INDENT);
    let mut page = String::new();
    for (rule, seen) in by_rule(findings) {
        let severity = seen.iter().map(|(finding, _)| finding.severity).max().unwrap_or(Severity::Low);
        let (style, word) = (style(severity), severity.as_str());
        page.push_str(&format!("{style}{word:INDENT$}{style:#}{NAME}{rule}{NAME:#}\n"));
        if let Some(about) = about.get(rule.as_str()) {
            page.push_str(&format!("{gap}{}\n", wrapped(about, INDENT)));
        }
        for (finding, shown) in seen.iter().take(PLACES_MAX) {
            let (place, how) = (place(finding, shown), how(finding));
            page.push_str(&format!("{gap}{FAINT}at{FAINT:#} {}{FAINT}{how}{FAINT:#}\n", visible(&place)));
        }
        if let Some(more) = seen.len().checked_sub(PLACES_MAX).filter(|more| *more > 0) {
            page.push_str(&format!("{gap}{FAINT}and {}{FAINT:#}\n", paint::count(more, "more place")));
        }
        page.push('\n');
    }
    page.push_str(&summary(findings));
    page
}

/// The findings of each rule, with their places; what does most harm comes first, then what stands first.
fn by_rule(findings: &Findings) -> Vec<(&RuleId, Vec<(&Finding, String)>)> {
    let mut rules: Vec<(&RuleId, Vec<(&Finding, String)>)> = Vec::new();
    let mut places: HashMap<&RuleId, usize> = HashMap::new();
    for (finding, shown) in findings.list.iter().zip(findings.pointers()) {
        let at = *places.entry(&finding.rule).or_insert(rules.len());
        match rules.get_mut(at) {
            Some((_, seen)) => seen.push((finding, shown)),
            None => rules.push((&finding.rule, vec![(finding, shown)])),
        }
    }
    rules.sort_by_key(|(_, seen)| Reverse(seen.iter().map(|(finding, _)| finding.severity).max()));
    rules
}

/// How sure a finding is, and what had to be undone to see it.
fn how(finding: &Finding) -> String {
    let read: Vec<&str> = finding.place.decodings.iter().map(|decoding| decoding.as_str()).collect();
    let read = if read.is_empty() { String::new() } else { format!(", through {}", read.join(", ")) };
    format!(", {} confidence{read}", finding.confidence.as_str())
}

fn summary(findings: &Findings) -> String {
    let mut summary = if findings.list.is_empty() {
        format!("{GOOD}Nothing was found.{GOOD:#}\n")
    } else {
        let of = |severity: Severity| findings.list.iter().filter(move |finding| finding.severity == severity).count();
        let counts =
            [Severity::Critical, Severity::High, Severity::Medium, Severity::Low].into_iter().filter_map(|one| {
                let (count, style) = (of(one), style(one));
                (count > 0).then(|| format!("{style}{count} {}{style:#}", one.as_str()))
            });
        let counts: Vec<String> = counts.collect();
        format!("{NAME}{}{NAME:#}: {}\n", paint::count(findings.list.len(), "finding"), counts.join(", "))
    };
    if !findings.complete {
        summary.push_str(&format!("{WARN}Not everything was looked at: the rest may hold anything.{WARN:#}\n"));
    }
    summary
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => BAD,
        Severity::Medium => WARN,
        Severity::Low => FAINT,
    }
}
