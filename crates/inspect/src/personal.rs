//! Personal data that no expression finds fast enough, or well enough.

mod email;

use std::ops::Range;

use crate::rules::By;
use crate::traits::Traits;
use crate::{Detector, Found, Hit, Reading, Rule, Rules, Sighting, View};

/// Finds personal data by its form.
pub(crate) struct Personal {
    email: Vec<Rule>,
}

impl Personal {
    pub(crate) fn new(rules: &Rules) -> Self {
        Self { email: rules.by(By::Email).cloned().collect() }
    }
}

impl Detector for Personal {
    fn keywords(&self) -> Vec<String> {
        Vec::new()
    }

    fn always(&self) -> bool {
        true
    }

    fn look(&self, view: &View<'_>, _: &[Hit], found: &mut Found<'_>) {
        if view.reading == Reading::Leetspeak {
            return;
        }
        if view.traits.any(Traits::AT) {
            for range in email::addresses(view.text) {
                tell(&self.email, view, &range, found);
            }
        }
    }
}

/// Notes a range for each of the rules.
fn tell(rules: &[Rule], view: &View<'_>, range: &Range<usize>, found: &mut Found<'_>) {
    for rule in rules.iter().filter(|rule| rule.joins || view.reading != Reading::Joined) {
        found.add(Sighting {
            rule: &rule.id,
            class: &rule.class,
            severity: rule.severity,
            confidence: rule.confidence,
            weight: rule.weight,
            range: range.clone(),
        });
    }
}
