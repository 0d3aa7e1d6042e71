//! What was found out so far.

use super::{Asked, Outcome};
use crate::finding::shown;
use crate::{Finding, Severity};

/// Findings, and what was asked for them.
#[derive(Debug, Default)]
pub(super) struct Notes {
    asked: Vec<Asked>,
    findings: Vec<Finding>,
    /// How many findings there were when the present thing was begun.
    before: usize,
}

impl Notes {
    /// Something was seen.
    pub(super) fn found(&mut self, rule: &str, severity: Severity, title: &str, sent: &str, came: &str) {
        let finding =
            Finding { rule: rule.to_owned(), severity, title: title.to_owned(), sent: shown(sent), came: shown(came) };
        // The same of the same is told once.
        if !self.findings.iter().any(|one| one.rule == finding.rule && one.title == finding.title) {
            self.findings.push(finding);
        }
    }

    /// All of one thing was asked: it is fine unless something was found meanwhile.
    pub(super) fn done(&mut self, what: &str, note: impl Into<String>) {
        let outcome = if self.findings.len() > self.before { Outcome::Found } else { Outcome::Fine };
        self.end(what, outcome, &note.into());
    }

    /// One thing could not be found out, beyond what was found meanwhile.
    pub(super) fn unknown(&mut self, what: &str, why: impl Into<String>) {
        let outcome = if self.findings.len() > self.before { Outcome::Found } else { Outcome::Unknown };
        self.end(what, outcome, &why.into());
    }

    fn end(&mut self, what: &str, outcome: Outcome, note: &str) {
        self.before = self.findings.len();
        self.asked.push(Asked { what: what.to_owned(), outcome, note: shown(note) });
    }

    /// What was asked, and what was seen, the worst first.
    pub(super) fn whole(mut self) -> (Vec<Asked>, Vec<Finding>) {
        self.findings.sort_by(|one, other| other.severity.cmp(&one.severity).then_with(|| one.rule.cmp(&other.rule)));
        (self.asked, self.findings)
    }
}
