//! What was seen in a message, by the gate and by detectors of the customer's own, and how remedies change its text.

use std::collections::BTreeSet;

use ::inspect::{self as inspection, Findings, Origin, Taken, Values};
use bytes::Bytes;
use model::{Active, Confidentiality, Finding, Object, Refusal};
use policy::{Action, Remedies};
use serde_json::json;

use super::label;
use crate::callouts::Subject;
use crate::gate::Gate;
use crate::looked::Noted;

/// What a message is that is looked into.
pub(super) struct At<'a> {
    pub(super) action: Action,
    pub(super) origin: Origin,
    /// What it is about.
    pub(super) objects: &'a [Object],
    /// How confidential it is whatever is in it.
    pub(super) least: Confidentiality,
    /// Texts that are known.
    pub(super) known: &'a Values,
}

impl<'a> At<'a> {
    pub(super) fn arguments(objects: &'a [Object], known: &'a Values) -> Self {
        Self { action: Action::Call, origin: Origin::Arguments, objects, least: Confidentiality::Public, known }
    }
}

/// Where a call says the answers to questions of its server.
const SAID: &str = "/params/inputResponses/";

/// What was seen in a message: for policies, and for doing what they want.
pub(crate) struct Seen {
    pub(super) findings: Findings,
    told: policy::Findings,
    classification: Confidentiality,
}

impl Seen {
    /// Looks into a message.
    ///
    /// # Errors
    /// When a detector has not looked without which it may not go on.
    pub(super) fn of(gate: &Gate, at: &At<'_>, body: &[u8], noted: &mut Noted) -> Result<Self, Refusal> {
        let (sight, now) = (gate.sight.load(), gate.clock.now());
        let tells = |finding: &Finding| {
            let is_none = sight.suppressions.suppress(finding, at.objects, now);
            if is_none {
                gate.metrics.suppressed(finding.rule.as_str());
            }
            !is_none
        };
        // What is no text was refused before: nothing in it could be read.
        let text = std::str::from_utf8(body).ok();
        let mut findings = match text {
            Some(text) => noted.look(&sight.inspector, text, at.origin, at.known, tells),
            None => Findings { list: Vec::new(), complete: false },
        };
        if let Some(text) = text {
            let subject = Subject { action: at.action, objects: at.objects, text, own: &findings, now };
            let mut others = sight.callouts.ask(gate, &subject)?;
            others.retain(tells);
            noted.note(&Findings { list: others.clone(), complete: true });
            findings.list.append(&mut others);
        }
        let classification = inspection::classify(&findings).max(at.least);
        let told = policy::Findings::new(&findings.list, findings.complete).classified(classification);
        let told = told.sized(body.len()).acting(text.map(inspection::active).unwrap_or_default());
        Ok(Self { findings, told, classification })
    }

    /// The message with a label that says these words, how confidential it is and what kinds of things are in it, and what
    /// policies are told of it then. `None` if it has no place for one.
    pub(super) fn labelled(self, text: Bytes, words: &BTreeSet<String>) -> Option<(Self, Bytes)> {
        if words.is_empty() {
            return Some((self, text));
        }
        let Self { findings, told, classification } = self;
        let classes: BTreeSet<&str> = findings.list.iter().map(|finding| finding.class.as_str()).collect();
        let label = json!({ "labels": words, "classification": classification.as_str(), "classes": classes });
        let labelled = label::put(&text, &label)?;
        Some((Self { told: told.labelled(words.iter().cloned()), findings, classification }, labelled))
    }

    /// What is in the answers that a call says to questions of its server, for what is decided on them alone.
    pub(crate) fn said(&self) -> Self {
        let within = |finding: &&Finding| finding.place.pointer.starts_with(SAID);
        let list: Vec<Finding> = self.findings.list.iter().filter(within).cloned().collect();
        let findings = Findings { list, complete: self.findings.complete };
        let classification = inspection::classify(&findings);
        Self { told: self.told.clone().of(&findings.list).classified(classification), findings, classification }
    }

    /// What policies are told.
    pub(crate) fn told(&self) -> &policy::Findings {
        &self.told
    }

    /// The text with the remedies that policies want; `None` if it is not as it was looked at. What two remedies are for is
    /// taken out by the stronger one.
    pub(super) fn remedied(
        &self,
        body: &[u8],
        remedies: &Remedies,
        mut token: impl FnMut(Taken<'_>) -> String,
    ) -> Option<Bytes> {
        let text = std::str::from_utf8(body).ok()?;
        let list = &self.findings.list;
        let of = |finding: &Finding, classes: &BTreeSet<String>| classes.contains(finding.class.as_str());
        let is_for_good = |finding: &Finding| of(finding, &remedies.redact) || of(finding, &remedies.strip);
        let asked =
            |finding: &Finding| of(finding, &remedies.redact) || remedies.tokenise.contains_key(finding.class.as_str());
        let instead = |taken: Taken<'_>| {
            let place = &taken.finding.place;
            let is_here = |other: &Finding| other.place.pointer == place.pointer && other.place.part == place.part;
            match list.iter().any(|other| is_here(other) && is_for_good(other)) {
                true => inspection::placeholder(taken.finding),
                false => token(taken),
            }
        };
        let replaced = inspection::replace(text, list, asked, instead)?;
        let left = match remedies.strip.is_empty() {
            true => replaced,
            false => inspection::strip(&replaced, list, |finding| of(finding, &remedies.strip))?,
        };
        if remedies.harmless.is_empty() {
            return Some(left.into());
        }
        let kinds: Vec<Active> = remedies.harmless.iter().copied().collect();
        Some(inspection::harmless(&left, &kinds)?.unwrap_or(left).into())
    }
}
