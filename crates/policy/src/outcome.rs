//! What a set of policies says to one question.

use std::collections::BTreeSet;

use cedar_policy::{
    AuthorizationError, Authorizer, Decision, Entities, EvaluationError, PolicyId as CedarId, PolicySet, Request,
};

/// What a set of policies says. Where one forbids, who permits is not told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) permits: BTreeSet<CedarId>,
    pub(crate) forbids: BTreeSet<CedarId>,
    pub(crate) errors: BTreeSet<(CedarId, &'static str)>,
}

impl Outcome {
    /// Adds what one more set says.
    pub(crate) fn add(&mut self, set: &PolicySet, request: &Request, entities: &Entities) {
        if set.is_empty() {
            return;
        }
        let response = Authorizer::new().is_authorized(request, set, entities);
        let deciding = response.diagnostics().reason().cloned();
        match response.decision() {
            Decision::Allow => self.permits.extend(deciding),
            Decision::Deny => self.forbids.extend(deciding),
        }
        for error in response.diagnostics().errors() {
            match error {
                AuthorizationError::PolicyEvaluationError(error) => {
                    self.errors.insert((error.policy_id().clone(), in_words(error.inner())));
                }
            }
        }
    }

    /// Adds what another says.
    pub(crate) fn extend(&mut self, more: &Self) {
        self.permits.extend(more.permits.iter().cloned());
        self.forbids.extend(more.forbids.iter().cloned());
        self.errors.extend(more.errors.iter().cloned());
    }
}

/// An evaluation error without the values in it, which may be a caller's.
fn in_words(error: &EvaluationError) -> &'static str {
    match error {
        EvaluationError::EntityDoesNotExist(_) => "it asks for an entity that is not there",
        EvaluationError::EntityAttrDoesNotExist(_) => "it asks for an attribute that an entity does not have",
        EvaluationError::RecordAttrDoesNotExist(_) => "it asks for an attribute that is absent",
        EvaluationError::TypeError(_) => "a value is of another type than it expects",
        EvaluationError::IntegerOverflow(_) => "a whole number grows beyond 64 bits",
        EvaluationError::FailedExtensionFunctionExecution(_) => {
            "a text is not what `decimal`, `datetime` or `ip` takes"
        }
        EvaluationError::RecursionLimit(_) => "it nests too deeply",
        EvaluationError::FailedExtensionFunctionLookup(_)
        | EvaluationError::WrongNumArguments(_)
        | EvaluationError::UnlinkedSlot(_)
        | EvaluationError::NonValue(_) => "it does not evaluate",
        // Cedar's enum may grow.
        #[expect(unreachable_patterns, reason = "the enum is not exhaustive with other features of Cedar")]
        _ => "it does not evaluate",
    }
}
