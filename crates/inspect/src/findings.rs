//! What was found in a message, and whether all of it was looked at.

use std::collections::HashSet;
use std::ops::Range;

use model::{Class, Confidence, Decoding, Finding, Part, Place, RuleId, Severity, limits};

use crate::map::Map;
use crate::{Reading, Rule, Sighting, View};

/// What inspection saw in one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// In the order of the message.
    pub list: Vec<Finding>,
    /// Whether everything was looked at and told. If not, a bound was reached (`model::limits`): the message is larger,
    /// deeper or fuller than inspection takes, and what is not in the list may still be in the message.
    pub complete: bool,
}

impl Findings {
    /// Where each of the list stands, as people may read it: a key in which something was found is `*`, since it may be the
    /// very thing.
    pub fn pointers(&self) -> impl Iterator<Item = String> {
        let of_keys = self.list.iter().filter(|finding| finding.place.part == Part::Key);
        let keys: HashSet<&str> = of_keys.map(|finding| finding.place.pointer.as_str()).collect();
        self.list.iter().map(move |finding| shown(&finding.place.pointer, &keys))
    }
}

/// A pointer without the keys that are not to be shown.
fn shown(pointer: &str, hidden: &HashSet<&str>) -> String {
    if hidden.is_empty() {
        return pointer.to_owned();
    }
    let mut shown = String::with_capacity(pointer.len());
    let mut from = 0;
    while from < pointer.len() {
        let rest = pointer.get(from + 1..).unwrap_or_default();
        let to = rest.find('/').map_or(pointer.len(), |length| from + 1 + length);
        let is_hidden = pointer.get(..to).is_some_and(|above| hidden.contains(above));
        shown.push_str(if is_hidden { "/*" } else { pointer.get(from..to).unwrap_or_default() });
        from = to;
    }
    shown
}

/// One step from a reading towards the string it was made of.
pub(crate) struct Chain<'c> {
    pub(crate) map: &'c Map,
    /// What was undone all over the reading.
    pub(crate) decoding: Option<Decoding>,
    pub(crate) outer: Option<&'c Chain<'c>>,
}

/// Takes what detectors see in one reading, and notes it at its place in the string that the reading was made of.
pub(crate) struct Found<'f> {
    pub(crate) chain: Option<&'f Chain<'f>>,
    pub(crate) seen: &'f mut Vec<Seen>,
    pub(crate) complete: &'f mut bool,
    /// Bytes that expressions may still read of the message.
    pub(crate) matchable: &'f mut usize,
}

/// A sighting at its place in a string.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    rule: RuleId,
    class: Class,
    severity: Severity,
    confidence: Confidence,
    weight: u8,
    pub(crate) range: Range<usize>,
    decodings: Vec<Decoding>,
}

impl Found<'_> {
    /// Notes what a detector saw.
    pub(crate) fn add(&mut self, sighting: Sighting<'_>) {
        if self.seen.len() >= limits::FINDINGS_MAX {
            // That there are addresses and the like is told by the first ones, if they are of that class.
            let is_told = self.seen.iter().any(|one| one.class == *sighting.class);
            *self.complete &= sighting.severity == Severity::Low && is_told;
            return;
        }
        let mut range = sighting.range;
        let mut decodings = Vec::new();
        let mut step = self.chain;
        while let Some(chain) = step {
            chain.map.undone(&range, &mut decodings);
            decodings.extend(chain.decoding.filter(|decoding| !decodings.contains(decoding)));
            range = chain.map.back(&range);
            step = chain.outer;
        }
        decodings.reverse();
        self.seen.push(Seen {
            rule: sighting.rule.clone(),
            class: sighting.class.clone(),
            severity: sighting.severity,
            confidence: sighting.confidence,
            weight: sighting.weight,
            range,
            decodings,
        });
    }

    /// Notes that a range of the view is what each of the rules describes, if that is not known from another reading.
    pub(crate) fn tell(&mut self, rules: &[Rule], view: &View<'_>, range: &Range<usize>) {
        if !view.is_new(range) {
            return;
        }
        for rule in rules.iter().filter(|rule| rule.joins || view.reading != Reading::Joined) {
            self.add(Sighting {
                rule: &rule.id,
                class: &rule.class,
                severity: rule.severity,
                confidence: rule.confidence,
                weight: rule.weight,
                range: range.clone(),
            });
        }
    }

    /// Whether an expression may read that many bytes more.
    pub(crate) fn may_match(&mut self, bytes: usize) -> bool {
        let may = bytes <= *self.matchable;
        *self.matchable = self.matchable.saturating_sub(bytes);
        *self.complete &= may;
        may
    }

    /// Notes that something was not looked at, because a bound was reached.
    pub(crate) fn give_up(&mut self) {
        *self.complete = false;
    }
}

impl Seen {
    /// The finding, at the place that is given.
    pub(crate) fn at(self, pointer: &str, part: Part, range: Range<usize>) -> Finding {
        Finding {
            rule: self.rule,
            class: self.class,
            severity: self.severity,
            confidence: self.confidence,
            place: Place { pointer: pointer.to_owned(), part, range, decodings: self.decodings },
        }
    }

    /// Whether it is a secret, which has a form of its own.
    pub(crate) fn is_secret(&self) -> bool {
        matches!(self.class.as_str(), "secret" | "vault-secret" | "canary")
    }

    /// Whether another says the same of a part of the same text, at this range of it.
    pub(crate) fn is_alike(&self, other: &Self, range: &Range<usize>) -> bool {
        self.rule == other.rule && self.range.start < range.end && range.start < self.range.end
    }

    /// Whether it was found in what is encoded here, all of which has one place.
    fn is_encoded(&self) -> bool {
        self.decodings.iter().any(|one| matches!(one, Decoding::Base64 | Decoding::Hex))
    }

    /// Data is one thing or another, while words can be an instruction around any of it, and things of several kinds can be
    /// in one encoded piece.
    fn competes(&self, other: &Self) -> bool {
        let instruction = |seen: &Self| seen.class.as_str() == INJECTION;
        instruction(self) == instruction(other)
            && (self.class == other.class || !(self.is_encoded() || other.is_encoded()))
            && self.range.start < other.range.end
            && other.range.start < self.range.end
    }
}

/// The class of instructions where data is expected.
pub(crate) const INJECTION: &str = "injection";

/// Of the sightings that stand at the same place, the one that says most, in the order of the text.
pub(crate) fn settle(seen: &mut Vec<Seen>) {
    if seen.len() > 1 {
        seen.sort_by(|a, b| {
            let says = |seen: &Seen| (seen.weight, seen.severity, seen.confidence, seen.range.len());
            // What needs nothing undone is told that way.
            says(b)
                .cmp(&says(a))
                .then(a.decodings.len().cmp(&b.decodings.len()))
                .then(a.range.start.cmp(&b.range.start))
        });
        let mut kept: Vec<Seen> = Vec::new();
        for one in seen.drain(..) {
            if !kept.iter().any(|other| other.competes(&one)) {
                kept.push(one);
            }
        }
        *seen = kept;
    }
    seen.sort_by_key(|one| one.range.start);
}
