//! What has to be done to a message so that it may pass, and where what was taken out of one may be put back.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::PolicyId as CedarId;
use model::{Active, PolicyId, Refusal, ServerName};

use crate::annotations::kinds;
use crate::{Obligation, ObligationKind, Policies, Question};

/// What policies want done to a message. Doing it permits nothing: what is left has to be inspected and decided on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remedies {
    /// Classes of findings that are taken out.
    pub redact: BTreeSet<String>,
    /// Classes of findings that are left out with whatever holds them.
    pub strip: BTreeSet<String>,
    /// Classes of findings that are taken out and may be put back, with the policies that want it.
    pub tokenise: BTreeMap<String, BTreeSet<PolicyId>>,
    /// What acts by being shown, and is made to do nothing.
    pub harmless: BTreeSet<Active>,
    /// What the message says of itself.
    pub label: BTreeSet<String>,
}

impl Remedies {
    fn add(&mut self, obligation: Obligation) {
        let Obligation { policy, kind, value } = obligation;
        match kind {
            ObligationKind::Redact => _ = self.redact.insert(value),
            ObligationKind::Strip => _ = self.strip.insert(value),
            ObligationKind::Tokenise => _ = self.tokenise.entry(value).or_default().insert(policy),
            // What does not load names no kinds that are none.
            ObligationKind::Harmless => self.harmless.extend(kinds(&value).unwrap_or_default()),
            ObligationKind::Label => _ = self.label.insert(value),
            ObligationKind::Approval | ObligationKind::StepUp => {}
        }
    }

    /// What several questions about one message come to.
    pub fn extend(&mut self, other: Self) {
        self.redact.extend(other.redact);
        self.strip.extend(other.strip);
        self.harmless.extend(other.harmless);
        self.label.extend(other.label);
        for (class, policies) in other.tokenise {
            self.tokenise.entry(class).or_default().extend(policies);
        }
    }

    /// Each in words, for receipts.
    pub fn words(&self) -> Vec<String> {
        let of = |word: &'static str| move |class: &String| format!("{word} {class}");
        let taken = self.redact.iter().map(of("redact")).chain(self.strip.iter().map(of("strip")));
        let taken = taken.chain(self.tokenise.keys().map(of("tokenise")));
        let changed = taken.chain(self.harmless.iter().map(|kind| format!("harmless {kind}")));
        changed.chain(self.label.iter().map(of("label"))).collect()
    }
}

impl Policies {
    /// What has to be done to the message, if that is all that stands between it and a permit; the same refusal as
    /// [`Self::decide`]'s otherwise.
    ///
    /// # Errors
    /// As [`Self::decide`].
    pub fn remedies(&self, question: &Question<'_>) -> Result<Remedies, Refusal> {
        let unmet = self.unmet_obligations(question)?;
        if unmet.iter().any(|obligation| !obligation.kind.changes()) {
            return Err(self.unmet(&unmet));
        }
        let mut remedies = Remedies::default();
        unmet.into_iter().for_each(|obligation| remedies.add(obligation));
        Ok(remedies)
    }

    /// Whether what was taken out because of a policy may be told to a server that it did not come from. A policy that is not
    /// there any more lets nothing be told.
    pub fn restores(&self, policy: &PolicyId, server: &ServerName) -> bool {
        self.known.get(&CedarId::new(policy.as_str())).is_some_and(|known| known.restores.contains(server))
    }
}
