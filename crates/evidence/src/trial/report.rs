//! What is taken down of a trial, and what it comes down to.

use std::collections::BTreeMap;
use std::time::Duration;

use model::limits;
use sandbox::{Bait, Exit, Note, Tail, Taken};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::judge;
use super::package::Step;
use super::talk::Said;
use crate::Finding;
use crate::finding::shown;

/// What is told of a step that went well.
const DONE: &str = "done";

/// How far a trial is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The jail is being shut.
    Shutting,
    /// It is being installed.
    Installing,
    /// It runs.
    Running,
}

/// What a program tried while nobody was there to be harmed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// What was tried.
    pub what: String,
    /// The digest of the package, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// How long it took.
    pub milliseconds: u64,
    /// What was done before it was started, and how that ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepEnd>,
    /// How it ended, in words.
    pub ended: String,
    /// The revision that it spoke, if it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaks: Option<String>,
    /// The tools that it has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// What it tried to reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reached: Vec<Reached>,
    /// The files that nobody needs, and that it opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touched: Vec<Touched>,
    /// The programs that it started, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub started: Vec<Started>,
    /// Whether more was tried than is listed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// Why programs and connections were not all seen, if so. Nothing got out all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blind: Option<String>,
    /// The end of what it wrote to its standard error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stderr: Vec<String>,
    /// What was seen, the worst first.
    pub findings: Vec<Finding>,
}

/// How a step of the preparation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepEnd {
    /// What was done.
    pub what: String,
    /// How that ended: its status, or in words.
    pub ended: String,
}

/// Something that was to be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reached {
    /// What: `evil.example:443`, `10.0.0.1:25`, `unix:/run/docker.sock`; a name without a port if it was only asked for.
    pub place: String,
    /// When.
    pub phase: Phase,
    /// Whether it was let through.
    pub allowed: bool,
    /// Bytes that it sent there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sent: u64,
    /// Bytes that came from there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub came: u64,
}

/// A file that nobody needs, and that was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Touched {
    /// Where it was found.
    pub file: String,
    /// When.
    pub phase: Phase,
    /// Whether it was read, too.
    pub read: bool,
}

/// A program that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Started {
    /// The program with its arguments.
    pub command: String,
    /// When.
    pub phase: Phase,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What was taken down so far.
pub(super) struct Report {
    trial: Trial,
    planned: Vec<Step>,
    bait: Bait,
    pub(super) said: Said,
}

impl Report {
    pub(super) fn new(what: &str, sha256: Option<String>, planned: Vec<Step>, bait: Bait) -> Self {
        let trial = Trial { what: shown(what), sha256, ..Trial::default() };
        Self { trial, planned, bait, said: Said::default() }
    }

    pub(super) fn steps_done(&self) -> usize {
        self.trial.steps.len()
    }

    /// The step that is under way, in words.
    pub(super) fn under_way(&self) -> String {
        self.planned.get(self.trial.steps.len()).map_or_else(|| "it runs".to_owned(), |step| step.what.clone())
    }

    /// Takes down what the jail told; the phase that begins by it, if one does.
    pub(super) fn note(&mut self, note: Note, phase: Phase) -> Option<Phase> {
        match note {
            Note::Ready => {
                // Whoever made the jail touched what it put there.
                drop(self.bait.taken());
                return Some(if self.planned.is_empty() { Phase::Running } else { Phase::Installing });
            }
            Note::Blind(why) => self.trial.blind = Some(shown(&why)),
            Note::Name(name) => self.reach(Reached { place: name, phase, allowed: false, sent: 0, came: 0 }),
            Note::Reach(place) => {
                // That its name was asked for is told by this.
                let name = place.rsplit_once(':').map_or("", |(name, _)| name).to_owned();
                self.trial.reached.retain(|one| one.place != name);
                self.reach(Reached { place, phase, allowed: false, sent: 0, came: 0 });
            }
            Note::Run(words) => {
                let command = shown(&words.join(" "));
                let is_known = self.trial.started.iter().any(|one| one.command == command);
                if self.trial.started.len() >= limits::TRIAL_LISTED_MAX {
                    self.trial.more |= !is_known;
                } else if !is_known {
                    self.trial.started.push(Started { command, phase });
                }
            }
            Note::Step(number, status) => {
                self.look(phase);
                let step = self.planned.get(number);
                let what = step.map_or_else(String::new, |step| step.what.clone());
                let went_well = self.trial.steps.last().is_some_and(|before| before.ended == DONE);
                let ended = match status {
                    Some(0) if went_well && step.is_some_and(|step| step.is_resort) => "not needed".to_owned(),
                    Some(0) => DONE.to_owned(),
                    Some(status) => format!("failed with status {status}"),
                    None => "was killed".to_owned(),
                };
                self.trial.steps.push(StepEnd { what, ended });
                let next = if self.trial.steps.len() >= self.planned.len() { Phase::Running } else { phase };
                return Some(next);
            }
            Note::More => self.trial.more = true,
        }
        None
    }

    /// Something was to be reached.
    pub(super) fn reach(&mut self, reached: Reached) {
        let Reached { place, phase, allowed, sent, came } = reached;
        let place = shown(&place);
        let is_full = self.trial.reached.len() >= limits::TRIAL_LISTED_MAX;
        let known = self.trial.reached.iter_mut().find(|one| one.place == place && one.allowed == allowed);
        match known {
            Some(one) => {
                one.sent = one.sent.saturating_add(sent);
                one.came = one.came.saturating_add(came);
            }
            None if is_full => self.trial.more = true,
            None => self.trial.reached.push(Reached { place, phase, allowed, sent, came }),
        }
    }

    /// Looks at the bait.
    pub(super) fn look(&mut self, phase: Phase) {
        if phase == Phase::Shutting {
            return;
        }
        let taken: BTreeMap<_, _> = self.bait.taken();
        for (file, done) in taken {
            let (file, read) = (file.display().to_string(), done == Taken::Read);
            match self.trial.touched.iter_mut().find(|one| one.file == file) {
                Some(one) => one.read |= read,
                None => self.trial.touched.push(Touched { file, phase, read }),
            }
        }
    }

    /// All of it.
    pub(super) fn whole(
        &mut self,
        phase: Phase,
        exit: Option<Exit>,
        late: bool,
        stderr: &Tail,
        took: Duration,
    ) -> Trial {
        let mut trial = std::mem::take(&mut self.trial);
        let said = std::mem::take(&mut self.said);
        trial.milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let doing = match phase {
            Phase::Shutting | Phase::Installing => "while it was being installed",
            Phase::Running => "while it ran",
        };
        trial.ended = match (exit, late) {
            (Some(exit), _) => format!("{exit}, {doing}"),
            (None, true) => format!("its time was up {doing}, and it was ended"),
            (None, false) => "all was asked, and it was ended".to_owned(),
        };
        (trial.speaks, trial.tools) = (said.speaks, said.tools);
        let from = stderr.lines.len().saturating_sub(limits::TRIAL_STDERR_LINES_MAX);
        trial.stderr = stderr.lines.iter().skip(from).map(|line| shown(line)).collect();
        trial.findings = judge::judge(&trial, exit, late, phase);
        trial
    }
}
