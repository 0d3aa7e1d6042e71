//! Secrets that have no form of their own, and are known by what stands around them.

mod assignment;
mod seed;
mod url;

use crate::rules::By;
use crate::traits::Traits;
use crate::{Detector, Found, Hit, Rule, Rules, View};

/// Finds secrets by their surroundings.
pub(crate) struct Secrets {
    assignment: Vec<Rule>,
    url: Vec<Rule>,
    seed: Vec<Rule>,
}

impl Secrets {
    pub(crate) fn new(rules: &Rules) -> Self {
        let by = |by| rules.by(by).cloned().collect();
        Self { assignment: by(By::Assignment), url: by(By::UrlPassword), seed: by(By::SeedPhrase) }
    }
}

impl Detector for Secrets {
    fn keywords(&self) -> Vec<String> {
        assignment::NAMES.iter().chain(seed::WORDS).map(|word| (*word).to_owned()).collect()
    }

    fn always(&self) -> bool {
        true
    }

    fn look(&self, view: &View<'_>, hits: &[Hit], found: &mut Found<'_>) {
        let mut names_a_phrase = false;
        for hit in hits {
            if hit.index() >= assignment::NAMES.len() {
                names_a_phrase = true;
            } else if let Some(range) = assignment::value(view, &hit.range()) {
                found.tell(&self.assignment, view, &range);
            }
        }
        if assignment::is_named(view) {
            found.tell(&self.assignment, view, &(0..view.text.len()));
        }
        if view.traits.any(Traits::AT) {
            for range in url::passwords(view.text) {
                found.tell(&self.url, view, &range);
            }
        }
        if names_a_phrase {
            for range in seed::phrases(view.text) {
                found.tell(&self.seed, view, &range);
            }
        } else if seed::is_phrase(view.text) {
            found.tell(&self.seed, view, &(0..view.text.len()));
        }
    }
}
