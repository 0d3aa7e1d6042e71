//! What is asked of a server before people approve it, what became of each question, and whether that keeps it from being approved.

use std::collections::BTreeMap;

use dossier::Severity;
use model::{Digest, Timestamp};
use registry::Server;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::view::{Deed, Points, VettedRow, VettingReport};

/// Declares [`VettingCheck`] and its table together, so that neither can miss a row.
macro_rules! checks {
    ($($(#[$doc:meta])* $name:ident $word:literal $mode:ident $asks:literal;)*) => {
        /// Something that is looked at before a server is approved, and again while it is.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum VettingCheck {
            $($(#[$doc])* $name,)*
        }

        impl VettingCheck {
            /// Every check, in the order in which they are told.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its word in settings, the API and receipts.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The question that it answers.
            pub fn asks(self) -> &'static str {
                match self { $(Self::$name => $asks,)* }
            }

            /// What follows if settings do not say.
            pub fn usual(self) -> FailMode {
                match self { $(Self::$name => FailMode::$mode,)* }
            }
        }
    };
}

checks! {
    /// The words of its definitions.
    Definitions "definitions" Warn "what do its words try to do?";
    /// What it shows now, against what was approved.
    Drift "drift" Warn "is it what was approved?";
    /// What is in its package.
    Package "package" Warn "what is in its package?";
    /// Who made the package.
    Provenance "provenance" Block "is it proven who made its package?";
    /// Whether something in it was made to do harm.
    Malice "malice" Block "is anything in it known to do harm?";
    /// Known weaknesses of what runs with it.
    Advisories "advisories" Warn "is anything in it known to be weak?";
    /// Its name, beside others.
    Name "name" Warn "is it taken for another?";
    /// Whose its name in a registry is.
    Publisher "publisher" Block "is its published name its publisher's?";
    /// Where its source is.
    Repository "repository" Warn "is its source where it says?";
    /// How it is reached.
    Transport "transport" Warn "can anybody read along, or answer for it?";
}

/// What follows when a check finds something, or cannot look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailMode {
    /// The server is not approved, until that is mended or somebody who may accepts it.
    Block,
    /// Whoever approves it is told.
    Warn,
}

/// What follows from which check: what settings say, and else what is usual.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailModes(BTreeMap<VettingCheck, FailMode>);

impl FailModes {
    /// Those that settings say; the others are as usual.
    pub fn new(said: BTreeMap<VettingCheck, FailMode>) -> Self {
        Self(said)
    }

    fn of(&self, check: VettingCheck) -> FailMode {
        self.0.get(&check).copied().unwrap_or(check.usual())
    }
}

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It was looked at, and nothing was found.
    Passed,
    /// Something was found.
    Found,
    /// There is something to look at, and it could not be looked at.
    CouldNotLook,
    /// There is nothing to look at.
    Nothing,
}

/// What a check says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    /// How bad what was found is, or that nobody could look.
    pub(crate) severity: Severity,
    /// In a sentence, for people.
    pub(crate) says: String,
    /// What was looked at, and what was seen there: the same each time as long as it is the same.
    pub(crate) evidence: Vec<String>,
}

impl Answer {
    pub(crate) fn passed(says: impl Into<String>) -> Self {
        Self { verdict: Verdict::Passed, severity: Severity::Note, says: says.into(), evidence: Vec::new() }
    }

    pub(crate) fn found(severity: Severity, says: impl Into<String>) -> Self {
        Self { verdict: Verdict::Found, severity, says: says.into(), evidence: Vec::new() }
    }

    pub(crate) fn could_not_look(says: impl Into<String>) -> Self {
        Self { verdict: Verdict::CouldNotLook, severity: Severity::Low, says: says.into(), evidence: Vec::new() }
    }

    pub(crate) fn nothing(says: impl Into<String>) -> Self {
        Self { verdict: Verdict::Nothing, severity: Severity::Note, says: says.into(), evidence: Vec::new() }
    }

    pub(crate) fn with(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    fn points(&self) -> u32 {
        match self.verdict {
            Verdict::Passed | Verdict::Nothing => 0,
            Verdict::Found | Verdict::CouldNotLook => self.severity.points(),
        }
    }
}

/// Everything that was found out of a server, each check a line.
pub(crate) fn report(
    server: &Server,
    answers: Vec<(VettingCheck, Answer)>,
    modes: &FailModes,
    at: Timestamp,
) -> VettingReport {
    let score: Vec<Points> = answers
        .iter()
        .filter(|(_, answer)| answer.points() > 0)
        .map(|(check, answer)| Points { points: answer.points(), why: format!("{}: {}", check.word(), answer.says) })
        .collect();
    let checks = answers.into_iter().map(|(check, answer)| row(server, check, answer, modes.of(check))).collect();
    VettingReport { at: at.0, points: score.iter().map(|line| line.points).sum(), score, checks }
}

fn row(server: &Server, check: VettingCheck, answer: Answer, mode: FailMode) -> VettedRow {
    let of = digest(server, check, &answer);
    let accepted = server.accepted.iter().find(|one| one.check == check.word() && one.of == of);
    let accepted = accepted.map(|one| Deed::new(&one.by, one.at, Some(&one.reason)));
    let is_open = matches!(answer.verdict, Verdict::Found | Verdict::CouldNotLook);
    let blocks = is_open && mode == FailMode::Block && accepted.is_none();
    let Answer { verdict, severity, says, evidence } = answer;
    let severity = is_open.then(|| severity.word().to_owned());
    VettedRow { check, verdict, severity, mode, says, evidence, of: of.to_string(), accepted, blocks }
}

/// What somebody accepts who accepts this: that it was found, of this server, by this evidence. Anything else is another thing.
fn digest(server: &Server, check: VettingCheck, answer: &Answer) -> Digest {
    let Answer { verdict, severity, says: _, evidence } = answer;
    let identity = server.manifest.identity();
    let basis = json!([check, verdict, severity.word(), evidence, identity]);
    // Texts only, so that there is a canonical form; were that ever wrong, nothing is accepted.
    Digest::of_json(&basis).unwrap_or(Digest::from_bytes([0; 32]))
}

#[cfg(test)]
mod tests;
