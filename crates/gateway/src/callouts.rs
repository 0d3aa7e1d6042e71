//! Detectors of the customer's own, asked over HTTP what is in a message.
//!
//! The gate looks first; what it found is taken out of what a detector is sent, unless settings say otherwise. What the
//! detector finds is told beside the gate's own findings, to policies and in receipts, under rules of its own name. One
//! that does not answer as it should has not looked: by its settings the message is refused then, or goes on with a
//! finding that says so.
//!
//! A detector holds up nobody but those who ask it: questions to one are bounded in number, time and size, and one that
//! failed several times is left alone for a while.

mod answer;
mod interceptors;
mod line;
mod question;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ::inspect::Findings;
use bytes::Bytes;
use identity::fetch::Fetch;
use model::{Confidence, Finding, Object, Part, Place, Reason, Refusal, Secret, ServerName, Severity, Timestamp};
use policy::Action;
use url::Url;

use crate::gate::Gate;
use interceptors::Interceptors;
use line::{Line, Unseen};

/// One detector, as settings name it.
pub struct Callout {
    /// Its rules are `callout.NAME` and what stands below that.
    pub name: String,
    /// Where it is asked.
    pub url: Url,
    /// The way there.
    pub way: Arc<dyn Fetch>,
    /// The whole `Authorization`, if it wants one.
    pub authorization: Option<Secret<String>>,
    /// What it is asked about.
    pub about: About,
    /// What it is sent.
    pub sends: Sends,
    /// What a message does that it has not looked at.
    pub fails: Fails,
    /// How long it is waited for.
    pub patience: Duration,
    /// Questions that it is asked at the same time.
    pub questions: usize,
    /// How it is spoken to.
    pub speaks: Speaks,
}

/// How a detector is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaks {
    /// In the gate's own format.
    Findings,
    /// As an MCP server of interceptors (SEP-2624, experimental), of which these are asked, each by its name.
    Interceptors {
        /// What they say of a message is told as findings.
        validators: Vec<String>,
        /// What they make of a message takes its place.
        mutators: Vec<String>,
    },
}

/// What a detector is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Calls, answers, questions: of the five actions those that are about a message.
    pub actions: BTreeSet<Action>,
    /// Messages to and from these servers; from all, if there are none.
    pub servers: BTreeSet<ServerName>,
}

/// What a detector is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sends {
    /// The message without what the gate found in it.
    Redacted,
    /// The message as it is.
    Whole,
}

/// What a message does that a detector has not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fails {
    /// It goes on, with a finding that says so.
    Open,
    /// It is refused.
    Closed,
}

/// All detectors that settings name.
#[derive(Default)]
pub struct Callouts(Vec<Asked>);

/// One of them, the way there, and what is known of it.
struct Asked {
    callout: Callout,
    line: Line,
    interceptors: Option<Interceptors>,
}

/// What detectors are asked about.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) action: Action,
    pub(crate) objects: &'a [Object],
    pub(crate) text: &'a str,
    /// What the gate found in it.
    pub(crate) own: &'a Findings,
    pub(crate) now: Timestamp,
}

impl Callouts {
    /// None asked so far.
    pub fn new(all: Vec<Callout>) -> Self {
        let asked = |callout: Callout| Asked {
            line: Line::new(callout.questions, callout.patience),
            interceptors: Interceptors::of(&callout.speaks),
            callout,
        };
        Self(all.into_iter().map(asked).collect())
    }

    /// Each, with until when it is left alone, if it ever was.
    pub fn all(&self) -> impl Iterator<Item = (&Callout, Option<Timestamp>)> {
        self.0.iter().map(|asked| (&asked.callout, asked.line.left_alone_until()))
    }

    /// Whether any of them may make another message of any.
    pub(crate) fn may_change(&self) -> bool {
        self.0.iter().filter_map(|asked| asked.interceptors.as_ref()).any(Interceptors::may_change)
    }

    /// Whether any of them may make another message of such a one.
    pub(crate) fn changes(&self, action: Action, objects: &[Object]) -> bool {
        self.changing(action, objects).next().is_some()
    }

    fn changing(&self, action: Action, objects: &[Object]) -> impl Iterator<Item = (&Asked, &Interceptors)> {
        self.0.iter().filter(move |asked| asked.callout.about.covers(action, objects)).filter_map(|asked| {
            let interceptors = asked.interceptors.as_ref().filter(|interceptors| interceptors.may_change())?;
            Some((asked, interceptors))
        })
    }

    /// What those that may change a message make of it, one after the other; `None` if they leave it as it is. `did` is told
    /// who changed it.
    ///
    /// # Errors
    /// When one has not looked without which the message may not go on.
    pub(crate) fn change(
        &self,
        gate: &Gate,
        subject: &Subject<'_>,
        mut did: impl FnMut(String),
    ) -> Result<Option<Bytes>, Refusal> {
        let mut now: Option<Bytes> = None;
        for (asked, interceptors) in self.changing(subject.action, subject.objects) {
            let text = now.as_deref().map_or(Some(subject.text), |now| std::str::from_utf8(now).ok());
            let subject = Subject { text: text.unwrap_or_default(), ..*subject };
            let exchange = interceptors.change(&asked.callout, &subject);
            match asked.told(gate, asked.line.ask(gate, subject.size(), exchange), Option::is_some) {
                Ok(None) => {}
                Ok(Some((changed, by))) => {
                    by.into_iter().for_each(&mut did);
                    now = Some(changed);
                }
                Err(unseen) => did(format!("intercept-failed:{}", asked.unseen(unseen).map(|_| &asked.callout.name)?)),
            }
        }
        Ok(now)
    }

    /// What all detectors find that are asked about such a message.
    ///
    /// # Errors
    /// When one has not looked without which the message may not go on.
    pub(crate) fn ask(&self, gate: &Gate, subject: &Subject<'_>) -> Result<Vec<Finding>, Refusal> {
        let mut found = Vec::new();
        for asked in self.0.iter().filter(|asked| asked.callout.about.covers(subject.action, subject.objects)) {
            let (callout, size) = (&asked.callout, subject.size());
            let answered = match &asked.interceptors {
                None => asked.line.ask(gate, size, question::ask(callout, subject)),
                Some(interceptors) if !interceptors.may_validate() => continue,
                Some(interceptors) => asked.line.ask(gate, size, interceptors.validate(callout, subject)),
            };
            match asked.told(gate, answered, |findings| !findings.is_empty()) {
                Ok(findings) => found.extend(findings),
                Err(unseen) => found.push(asked.unseen(unseen)?),
            }
        }
        Ok(found)
    }
}

impl Subject<'_> {
    /// How large it is, and when.
    fn size(&self) -> (usize, Timestamp) {
        (self.text.len(), self.now)
    }
}

impl Asked {
    /// Counts an answer.
    fn told<T>(&self, gate: &Gate, answered: Result<T, Unseen>, is_found: impl Fn(&T) -> bool) -> Result<T, Unseen> {
        let name = self.callout.name.as_str();
        match &answered {
            Ok(found) => gate.metrics.called_out(name, if is_found(found) { "found" } else { "clean" }),
            Err(unseen) => {
                gate.metrics.called_out(name, unseen.word());
                tracing::warn!(callout = name, why = %unseen.words(), "a detector has not looked at a message");
            }
        }
        answered
    }

    /// What is told of a message that was not looked at. An interceptor's own word counts too: it goes without one only where
    /// both it and settings say so.
    fn unseen(&self, unseen: Unseen) -> Result<Finding, Refusal> {
        let fails = match &self.interceptors {
            Some(interceptors) if !interceptors.fail_open() => Fails::Closed,
            Some(_) | None => self.callout.fails,
        };
        self.callout.unseen(unseen, fails)
    }
}

impl Sends {
    /// The word of settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Redacted => "redacted",
            Self::Whole => "whole",
        }
    }
}

impl Fails {
    /// The word of settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

impl About {
    fn covers(&self, action: Action, objects: &[Object]) -> bool {
        let is_there = |object: &Object| self.servers.contains(object.server());
        self.actions.contains(&action) && (self.servers.is_empty() || objects.iter().any(is_there))
    }
}

impl Callout {
    /// What is told of a message that was not looked at.
    fn unseen(&self, unseen: Unseen, fails: Fails) -> Result<Finding, Refusal> {
        let internal = || Refusal::new(Reason::Internal, "the rule of a detector that failed is none");
        match fails {
            Fails::Closed => {
                let detail = format!("the detector `{}` has not looked at it: {}", self.name, unseen.words());
                Err(Refusal::new(Reason::InspectionFailed, detail))
            }
            Fails::Open => Ok(Finding {
                rule: format!("callout.{}.failed", self.name).parse().map_err(|_| internal())?,
                class: "unchecked".parse().map_err(|_| internal())?,
                severity: Severity::Low,
                confidence: Confidence::High,
                place: Place { pointer: String::new(), part: Part::Value, range: 0..0, decodings: Vec::new() },
            }),
        }
    }
}
