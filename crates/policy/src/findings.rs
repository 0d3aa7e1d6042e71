//! What inspection saw, as policies know it: which classes, which severities, by which rules. Never where, and never the
//! text.

use std::collections::BTreeSet;

use cedar_policy::RestrictedExpression;
use model::{Active, Confidentiality, Finding, Reason, Refusal};

use crate::annotations::kinds;

/// What inspection saw in one message, for [`Question::findings`](crate::Question::findings).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    classes: BTreeSet<String>,
    severities: BTreeSet<String>,
    rules: BTreeSet<String>,
    complete: bool,
    classification: Confidentiality,
    active: BTreeSet<Active>,
    bytes: i64,
    labels: BTreeSet<String>,
}

impl Findings {
    /// What a list of findings comes to. `complete` says whether everything was looked at.
    pub fn new(list: &[Finding], complete: bool) -> Self {
        Self {
            classes: list.iter().map(|finding| finding.class.to_string()).collect(),
            severities: list.iter().map(|finding| finding.severity.as_str().to_owned()).collect(),
            rules: list.iter().map(|finding| finding.rule.to_string()).collect(),
            complete,
            // Until somebody says how confidential it is, it may be anything.
            classification: Confidentiality::Restricted,
            active: BTreeSet::new(),
            // And until somebody says how large it is, it may be larger than anything.
            bytes: i64::MAX,
            labels: BTreeSet::new(),
        }
    }

    /// What is known of a part of the message, in which these findings are alone.
    #[must_use]
    pub fn of(self, list: &[Finding]) -> Self {
        let Self { classes, severities, rules, .. } = Self::new(list, self.complete);
        Self { classes, severities, rules, ..self }
    }

    /// The same, with how confidential the message is.
    #[must_use]
    pub fn classified(mut self, classification: Confidentiality) -> Self {
        self.classification = classification;
        self
    }

    /// The same, with the kinds of what acts by being shown.
    #[must_use]
    pub fn acting(mut self, active: impl IntoIterator<Item = Active>) -> Self {
        self.active.extend(active);
        self
    }

    /// The same, with how many bytes the message has.
    #[must_use]
    pub fn sized(mut self, bytes: usize) -> Self {
        self.bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self
    }

    /// The same for a message that the gate has labelled. What a message says of itself without the gate's doing is no label.
    #[must_use]
    pub fn labelled(mut self, labels: impl IntoIterator<Item = String>) -> Self {
        self.labels.extend(labels);
        self
    }

    /// What two parts of one message come to.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.classes.extend(other.classes.iter().cloned());
        self.severities.extend(other.severities.iter().cloned());
        self.rules.extend(other.rules.iter().cloned());
        self.complete &= other.complete;
        self.classification = self.classification.max(other.classification);
        self.active.extend(&other.active);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.labels.retain(|label| other.labels.contains(label));
        self
    }

    /// Whether it is certain that nothing of this class is there.
    pub(crate) fn is_free_of(&self, class: &str) -> bool {
        self.complete && !self.classes.contains(class)
    }

    /// Whether the gate has labelled the message so.
    pub(crate) fn is_labelled(&self, label: &str) -> bool {
        self.labels.contains(label)
    }

    /// Whether anything of the kinds is there that `@harmless` names.
    pub(crate) fn has_any(&self, named: &str) -> bool {
        kinds(named).map_or(true, |kinds| kinds.iter().any(|kind| self.active.contains(kind)))
    }

    /// The record that policies know as `context.findings`.
    pub(crate) fn to_cedar(&self) -> Result<RestrictedExpression, Refusal> {
        let set = |texts: &BTreeSet<String>| {
            RestrictedExpression::new_set(texts.iter().map(|text| RestrictedExpression::new_string(text.clone())))
        };
        let members = [
            ("classes".to_owned(), set(&self.classes)),
            ("severities".to_owned(), set(&self.severities)),
            ("rules".to_owned(), set(&self.rules)),
            ("complete".to_owned(), RestrictedExpression::new_bool(self.complete)),
            ("classification".to_owned(), RestrictedExpression::new_string(self.classification.as_str().to_owned())),
            ("bytes".to_owned(), RestrictedExpression::new_long(self.bytes)),
            ("active".to_owned(), set(&self.active.iter().map(|kind| kind.as_str().to_owned()).collect())),
        ];
        RestrictedExpression::new_record(members)
            .map_err(|_| Refusal::new(Reason::PolicyError, "the findings could not be told to the policies"))
    }
}
