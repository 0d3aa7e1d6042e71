//! What inspection saw in a message, or in all messages of one answer, until it is written into a receipt.
//!
//! Rules, classes and places are kept, and no text; only how the last message of a stream ended is held for the next one,
//! because what a server says can be split between two of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use audit::{Saw, Sight};
use inspect::{Findings, Inspector, Origin, Tail, Values};
use model::{Finding, limits};

/// What was seen so far.
#[derive(Default)]
pub(crate) struct Noted {
    saw: Option<Box<Saw>>,
    /// How the messages before ended, in a stream.
    tail: Option<Tail>,
}

/// The same for whoever reads an answer and for whoever records how it ended.
#[derive(Clone, Default)]
pub(crate) struct Looked(Arc<Mutex<Noted>>);

impl Looked {
    /// What was seen so far.
    pub(crate) fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Noted {
    /// For messages of one stream.
    pub(crate) fn of_stream() -> Self {
        Self { saw: None, tail: Some(Tail::default()) }
    }

    /// What comes now is a stream's.
    pub(crate) fn begin_stream(&mut self) {
        self.tail.get_or_insert_default();
    }

    /// Looks into a message, and notes what it sees and `tells`.
    pub(crate) fn look(
        &mut self,
        inspector: &Inspector,
        text: &str,
        origin: Origin,
        known: &Values,
        mut tells: impl FnMut(&Finding) -> bool,
    ) -> Findings {
        let mut findings = inspector.scan_for(text, origin, self.tail.as_mut(), known);
        let before = findings.list.len();
        findings.list.retain(|finding| tells(finding));
        if findings.list.len() < before {
            let missing = u32::try_from(before - findings.list.len()).unwrap_or(u32::MAX);
            let saw = self.saw();
            saw.suppressed = saw.suppressed.saturating_add(missing);
        }
        self.note(&findings);
        findings
    }

    /// Notes findings. The same thing at the same place is noted once, however often a message is looked at.
    pub(crate) fn note(&mut self, findings: &Findings) {
        if findings.list.is_empty() && findings.complete {
            return;
        }
        let saw = self.saw();
        saw.complete &= findings.complete;
        for (finding, place) in findings.list.iter().zip(findings.pointers()) {
            let (rule, class) = (finding.rule.clone(), finding.class.clone());
            let sight = Sight { rule, class, severity: finding.severity, place };
            if saw.list.contains(&sight) {
                continue;
            }
            if saw.list.len() < limits::RECEIPT_FINDINGS_MAX {
                saw.list.push(sight);
            } else {
                saw.more = saw.more.saturating_add(1);
            }
        }
    }

    /// Notes what was done to the message.
    pub(crate) fn did(&mut self, done: impl IntoIterator<Item = String>) {
        let saw = self.saw();
        for one in done {
            if saw.done.len() < limits::RECEIPT_FINDINGS_MAX && !saw.done.contains(&one) {
                saw.done.push(one);
            }
        }
    }

    /// What the receipt says.
    pub(crate) fn told(&self) -> Option<Box<Saw>> {
        self.saw.clone()
    }

    fn saw(&mut self) -> &mut Saw {
        let none = || Box::new(Saw { list: Vec::new(), more: 0, complete: true, suppressed: 0, done: Vec::new() });
        self.saw.get_or_insert_with(none)
    }
}
