//! Personal data that no expression finds fast enough, or well enough.

mod bank;
mod digits;
mod email;
mod name;
mod network;
mod number;
mod phone;

use crate::rules::By;
use crate::traits::Traits;
use crate::{Detector, Found, Hit, Reading, Rule, Rules, View};

/// Finds personal data by its form.
pub(crate) struct Personal {
    email: Vec<Rule>,
    name: Vec<Rule>,
    given: name::Given,
    phone: Vec<Rule>,
    address: Vec<Rule>,
    account: Vec<Rule>,
    shapes: number::Shapes,
}

impl Personal {
    pub(crate) fn new(rules: &Rules) -> Self {
        let by = |by| rules.by(by).cloned().collect();
        Self {
            email: by(By::Email),
            name: by(By::Name),
            given: name::Given::new(),
            phone: by(By::Phone),
            address: by(By::Ip),
            account: by(By::Iban),
            shapes: number::Shapes::new(by(By::Number)),
        }
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
        if view.traits.any(Traits::AT) {
            for range in email::addresses(view.text) {
                found.tell(&self.email, view, &range);
            }
        }
        if matches!(view.reading, Reading::Original | Reading::Plain) {
            for range in self.given.names(view.text) {
                found.tell(&self.name, view, &range);
            }
        }
        if !view.traits.any(Traits::DIGIT) {
            return;
        }
        let digits = digits::Digits::of(view);
        if digits.is_empty() {
            return;
        }
        self.shapes.look(view, &digits, found);
        for range in phone::numbers(view, &digits, &self.phone) {
            found.tell(&self.phone, view, &range);
        }
        for range in network::addresses(view.text) {
            found.tell(&self.address, view, &range);
        }
        for range in bank::accounts(view.text, &digits) {
            found.tell(&self.account, view, &range);
        }
    }
}
