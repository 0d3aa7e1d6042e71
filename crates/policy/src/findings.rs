//! What inspection saw, as policies know it: which classes, which severities, by which rules. Never where, and never the
//! text.

use std::collections::BTreeSet;

use cedar_policy::RestrictedExpression;
use model::{Finding, Reason, Refusal};

/// What inspection saw in one message, for [`Question::findings`](crate::Question::findings).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    classes: BTreeSet<String>,
    severities: BTreeSet<String>,
    rules: BTreeSet<String>,
    complete: bool,
}

impl Findings {
    /// What a list of findings comes to. `complete` says whether everything was looked at.
    pub fn new(list: &[Finding], complete: bool) -> Self {
        Self {
            classes: list.iter().map(|finding| finding.class.to_string()).collect(),
            severities: list.iter().map(|finding| finding.severity.as_str().to_owned()).collect(),
            rules: list.iter().map(|finding| finding.rule.to_string()).collect(),
            complete,
        }
    }

    /// Whether it is certain that nothing of this class is there.
    pub(crate) fn is_free_of(&self, class: &str) -> bool {
        self.complete && !self.classes.contains(class)
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
        ];
        RestrictedExpression::new_record(members)
            .map_err(|_| Refusal::new(Reason::PolicyError, "the findings could not be told to the policies"))
    }
}
