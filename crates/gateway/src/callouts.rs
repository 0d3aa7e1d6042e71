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

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use ::inspect::Findings;
use identity::fetch::Fetch;
use model::{
    Confidence, Finding, Object, Part, Place, Reason, Refusal, Secret, ServerName, Severity, Timestamp, limits,
};
use policy::Action;
use serde_json::{Value, json};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Url;

use crate::gate::Gate;

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
pub struct Callouts(Vec<Line>);

/// One of them, and how it fares.
struct Line {
    callout: Callout,
    places: Semaphore,
    /// Failures since it last answered.
    failures: AtomicU32,
    /// Until when it is left alone, in milliseconds.
    alone_until: AtomicU64,
}

/// Why a detector has not looked. The word is that of metrics and receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unseen {
    Busy,
    LeftAlone,
    TooLarge,
    TimedOut,
    Unreachable,
    Status(u16),
    Answer(&'static str),
}

/// What detectors are asked about.
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
        let line = |callout: Callout| Line {
            places: Semaphore::new(callout.questions),
            callout,
            failures: AtomicU32::new(0),
            alone_until: AtomicU64::new(0),
        };
        Self(all.into_iter().map(line).collect())
    }

    /// Each, with until when it is left alone, if it ever was.
    pub fn all(&self) -> impl Iterator<Item = (&Callout, Option<Timestamp>)> {
        self.0.iter().map(|line| {
            let until = line.alone_until.load(Ordering::Relaxed);
            (&line.callout, (until > 0).then_some(Timestamp(until)))
        })
    }

    /// What all detectors find that are asked about such a message.
    ///
    /// # Errors
    /// When one has not looked without which the message may not go on.
    pub(crate) fn ask(&self, gate: &Gate, subject: &Subject<'_>) -> Result<Vec<Finding>, Refusal> {
        let mut found = Vec::new();
        for line in self.0.iter().filter(|line| line.callout.about.covers(subject)) {
            let name = line.callout.name.as_str();
            match line.ask(gate, subject) {
                Ok(findings) => {
                    gate.metrics.called_out(name, if findings.is_empty() { "clean" } else { "found" });
                    found.extend(findings);
                }
                Err(unseen) => {
                    gate.metrics.called_out(name, unseen.word());
                    tracing::warn!(callout = name, why = %unseen.words(), "a detector has not looked at a message");
                    found.push(line.callout.unseen(unseen)?);
                }
            }
        }
        Ok(found)
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
    fn covers(&self, subject: &Subject<'_>) -> bool {
        let is_there = |object: &Object| self.servers.contains(object.server());
        self.actions.contains(&subject.action) && (self.servers.is_empty() || subject.objects.iter().any(is_there))
    }
}

impl Callout {
    /// What is told of a message that was not looked at.
    fn unseen(&self, unseen: Unseen) -> Result<Finding, Refusal> {
        let internal = || Refusal::new(Reason::Internal, "the rule of a detector that failed is none");
        match self.fails {
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

impl Line {
    fn ask(&self, gate: &Gate, subject: &Subject<'_>) -> Result<Vec<Finding>, Unseen> {
        if subject.now.0 < self.alone_until.load(Ordering::Relaxed) {
            return Err(Unseen::LeftAlone);
        }
        if subject.text.len() > limits::CALLOUT_BYTES_MAX {
            return Err(Unseen::TooLarge);
        }
        let _place = self.places.try_acquire().map_err(|_| Unseen::Busy)?;
        let found = wait(gate, self.exchange(subject)).unwrap_or(Err(Unseen::Unreachable));
        match &found {
            Ok(_) => self.failures.store(0, Ordering::Relaxed),
            Err(_) => {
                let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
                if failures >= limits::CALLOUT_FAILURES_MAX {
                    // The one that is asked next decides: a single failure leaves it alone again.
                    self.failures.store(limits::CALLOUT_FAILURES_MAX - 1, Ordering::Relaxed);
                    let until = gate.clock.now().0.saturating_add(limits::CALLOUT_LEFT_ALONE_MILLISECONDS);
                    self.alone_until.store(until, Ordering::Relaxed);
                }
            }
        }
        found
    }

    async fn exchange(&self, subject: &Subject<'_>) -> Result<Vec<Finding>, Unseen> {
        let Callout { name, url, way, authorization, patience, sends, .. } = &self.callout;
        let question = question(subject, *sends)?;
        let asked = way.post_json(url, &question, authorization.as_ref());
        let answered = timeout(*patience, asked).await.map_err(|_| Unseen::TimedOut)?;
        let fetched = answered.map_err(|_| Unseen::Unreachable)?;
        if !fetched.status.is_success() {
            return Err(Unseen::Status(fetched.status.as_u16()));
        }
        answer::read(name, &fetched.body, subject.text).map_err(Unseen::Answer)
    }
}

/// What a detector is asked.
fn question(subject: &Subject<'_>, sends: Sends) -> Result<Value, Unseen> {
    let redacted = match sends {
        Sends::Whole => None,
        Sends::Redacted => {
            let left = ::inspect::redact(subject.text, &subject.own.list, |_| true);
            Some(left.ok_or(Unseen::Answer("what the gate found cannot be taken out"))?)
        }
    };
    let message = serde_json::from_str::<Value>(redacted.as_deref().unwrap_or(subject.text));
    let told = |finding: &Finding| {
        json!({
            "rule": finding.rule.as_str(),
            "class": finding.class.as_str(),
            "severity": finding.severity.as_str(),
            "pointer": finding.place.pointer,
        })
    };
    Ok(json!({
        "format": 1,
        "action": subject.action.as_str(),
        "objects": subject.objects,
        "message": message.map_err(|_| Unseen::Answer("the message is no JSON"))?,
        "findings": subject.own.list.iter().map(told).collect::<Vec<_>>(),
        "complete": subject.own.complete,
    }))
}

/// Waits for an answer, and lets others work meanwhile: on this thread's tasks, and in the place of a large message.
fn wait<T>(gate: &Gate, work: impl Future<Output = T>) -> Option<T> {
    let handle = Handle::try_current().ok()?;
    match handle.runtime_flavor() {
        RuntimeFlavor::MultiThread => {
            Some(tokio::task::block_in_place(|| handle.block_on(gate.large.without_place(work))))
        }
        // Nobody would be left to carry the question out.
        RuntimeFlavor::CurrentThread | _ => None,
    }
}

impl Unseen {
    fn word(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::LeftAlone => "left-alone",
            Self::TooLarge => "too-large",
            Self::TimedOut => "timed-out",
            Self::Unreachable => "unreachable",
            Self::Status(_) | Self::Answer(_) => "answer-unusable",
        }
    }

    fn words(self) -> String {
        match self {
            Self::Busy => "as many questions as it is asked at once are open".to_owned(),
            Self::LeftAlone => "it failed several times, and is left alone for a while".to_owned(),
            Self::TooLarge => format!("the message is larger than {} bytes", limits::CALLOUT_BYTES_MAX),
            Self::TimedOut => "it did not answer in time".to_owned(),
            Self::Unreachable => "it cannot be reached, or its answer broke off or was too long".to_owned(),
            Self::Status(status) => format!("it answered {status}"),
            Self::Answer(why) => format!("its answer cannot be used: {why}"),
        }
    }
}
