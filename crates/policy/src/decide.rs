//! The rule: two must agree, and nothing counts but an error-free yes.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::{Context, PolicyId as CedarId, RestrictedExpression};
use model::{Caller, Challenge, EndpointName, Object, PolicyId, Reason, Refusal, Timestamp};

use crate::arguments::{self, Inexact};
use crate::load::Known;
use crate::outcome::Outcome;
use crate::standing::{Asked, Standing};
use crate::{Action, Findings, Obligation, ObligationKind, Policies};

/// One question.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What is asked for.
    pub action: Action,
    /// Who asks.
    pub caller: &'a Caller,
    /// Through which endpoint.
    pub endpoint: &'a EndpointName,
    /// For what.
    pub target: Target<'a>,
    /// The tool's arguments, when a tool is called.
    pub arguments: Option<&'a serde_json::Value>,
    /// What inspection saw in the message, where it was looked at. Policies that ask for it refuse where it was not.
    pub findings: Option<&'a Findings>,
    /// The time, which policies know as `context.now`.
    pub now: Timestamp,
}

/// What a question is about.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// The endpoint itself: for [`Action::Connect`].
    Endpoint(&'a EndpointName),
    /// A server, or something of it.
    Object(&'a Object),
}

/// What can be said of an answer before it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreseen {
    /// It is yes as long as the revision stays. No proof of anything: [`Policies::decide`] gives that.
    Permitted,
    /// It is no as long as the revision stays.
    Refused,
    /// It depends on the time or on arguments, and has to be asked for each time.
    Depends,
}

/// Proof that policy permits. Only [`Policies::decide`] makes one.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    policies: Arc<[PolicyId]>,
    lasts: bool,
}

impl Permit {
    /// The policies that permitted, of both principals, sorted.
    pub fn policies(&self) -> &[PolicyId] {
        &self.policies
    }

    /// Whether the question will be answered so for as long as the revision stays, whenever it is asked and with whatever
    /// arguments.
    pub fn lasts(&self) -> bool {
        self.lasts
    }
}

impl Policies {
    /// Decides.
    ///
    /// # Errors
    /// [`Reason::PolicyForbids`] when either principal is not permitted or is forbidden, [`Reason::PolicyError`] when
    /// a policy cannot be evaluated, [`Reason::ObligationUnmet`] when one asks for something that nobody has met,
    /// [`Reason::StepUpRequired`] when all that is asked for is a sign-in.
    pub fn decide(&self, question: &Question<'_>) -> Result<Permit, Refusal> {
        if !question.action.is_asked_of(question.target) {
            let detail = format!("there is no `{}` of such a target", question.action.as_str());
            return Err(Refusal::new(Reason::PolicyForbids, detail));
        }
        let standing = self.standing(question)?;
        if let Some(verdict) = standing.settled() {
            return Ok(Permit { policies: verdict.clone()?, lasts: true });
        }
        let context = self.context(question, &standing)?;
        let policies = match standing.unless_spoken(&context)? {
            Some(verdict) => verdict.clone()?,
            None => self.weigh(question, &standing.ask(&context)?)?,
        };
        Ok(Permit { policies, lasts: false })
    }

    /// Whether any answer depends on what inspection sees in messages.
    pub fn any_reads_findings(&self) -> bool {
        self.any_reads_findings
    }

    /// Whether the answer depends on what inspection sees in the message.
    ///
    /// # Errors
    /// [`Reason::PolicyError`] when the question cannot be put.
    pub fn reads_findings(&self, question: &Question<'_>) -> Result<bool, Refusal> {
        // Most often no policy does, and each message asks.
        if !self.any_reads_findings {
            return Ok(false);
        }
        self.standing(question).map(|standing| standing.reads_findings)
    }

    /// The obligations that are not met, where the question is permitted but for them.
    pub(crate) fn unmet_obligations(&self, question: &Question<'_>) -> Result<BTreeSet<Obligation>, Refusal> {
        let standing = self.standing(question)?;
        let context = self.context(question, &standing)?;
        let asked = standing.ask(&context)?;
        self.permitted(question, &asked)?;
        let mut obligations = self.obligations(question, &asked)?;
        obligations.retain(|obligation| !obligation.is_met_by(&question.caller.authentication, question.findings));
        Ok(obligations)
    }

    /// The rule, in its two steps.
    pub(crate) fn weigh(&self, question: &Question<'_>, asked: &[Asked<'_>]) -> Result<Arc<[PolicyId]>, Refusal> {
        // First without the forbids that something can lift: an approval must not stand in for a permit.
        let permitting = self.permitted(question, asked)?;
        let mut obligations = self.obligations(question, asked)?;
        obligations.retain(|obligation| !obligation.is_met_by(&question.caller.authentication, question.findings));
        if obligations.is_empty() {
            return Ok(permitting);
        }
        Err(self.unmet(&obligations))
    }

    /// Step one: each principal needs an error-free yes.
    fn permitted(&self, question: &Question<'_>, asked: &[Asked<'_>]) -> Result<Arc<[PolicyId]>, Refusal> {
        let mut permitting = BTreeSet::new();
        for asked in asked {
            let Outcome { permits, forbids, errors } = asked.hard();
            if !errors.is_empty() {
                return Err(self.erred(question, asked, errors));
            }
            if !forbids.is_empty() {
                return Err(self.forbidden(question, asked, forbids));
            }
            if permits.is_empty() {
                return Err(Refusal::new(
                    Reason::PolicyForbids,
                    format!("no policy permits {}", phrase(question, asked)),
                ));
            }
            permitting.extend(permits.iter().cloned());
        }
        Ok(self.ids(&permitting).into())
    }

    /// Step two: the obligations that apply, for all principals together.
    fn obligations(&self, question: &Question<'_>, asked: &[Asked<'_>]) -> Result<BTreeSet<Obligation>, Refusal> {
        let mut obligations = BTreeSet::new();
        for asked in asked {
            let Outcome { permits: _, forbids, errors } = asked.obligations();
            if !errors.is_empty() {
                return Err(self.erred(question, asked, errors));
            }
            let known = forbids.iter().filter_map(|id| self.known.get(id));
            obligations.extend(known.flat_map(|known| known.obligations.iter().cloned()));
        }
        Ok(obligations)
    }

    /// The context with arguments, time and findings, as far as a policy that applies reads them.
    fn context(&self, question: &Question<'_>, standing: &Standing) -> Result<Context, Refusal> {
        let mut moving = Vec::new();
        if let Some(reading) = &standing.reading {
            let fields = reading.fields.as_deref().ok_or_else(|| {
                let policies = standing.moving().cloned().collect();
                let detail = "policies read the arguments of a tool whose approved schema is not known";
                Refusal::new(Reason::PolicyError, detail).with_policies(self.ids(&policies))
            })?;
            let record = arguments::build(fields, question.arguments, |name| reading.wants(name))
                .map_err(|inexact| self.inexact(standing, &inexact))?;
            moving.push(("arguments", record));
        }
        if standing.reads_time {
            moving.push(("now", instant(question.now)?));
        }
        if standing.reads_findings && question.action.is_inspected() {
            let unseen =
                || Refusal::new(Reason::PolicyError, "policies ask what is in a message that was not inspected");
            moving.push(("findings", question.findings.ok_or_else(unseen)?.to_cedar()?));
        }
        standing.context_with(moving)
    }

    fn erred(&self, question: &Question<'_>, asked: &Asked<'_>, errors: &BTreeSet<(CedarId, &'static str)>) -> Refusal {
        let each: Vec<_> = errors.iter().map(|(id, why)| format!("policy `{id}`: {why}")).collect();
        let detail = format!("asked for {}: {}", phrase(question, asked), each.join("; "));
        let policies = errors.iter().map(|(id, _)| id.clone()).collect();
        Refusal::new(Reason::PolicyError, detail).with_policies(self.ids(&policies))
    }

    fn forbidden(&self, question: &Question<'_>, asked: &Asked<'_>, forbids: &BTreeSet<CedarId>) -> Refusal {
        let policies = self.ids(forbids);
        let named = names(&policies);
        let detail = format!("{named} forbids {}", phrase(question, asked));
        let hint = self.messages(forbids).unwrap_or(named);
        Refusal::new(Reason::PolicyForbids, detail).with_hint(hint).with_policies(policies)
    }

    pub(crate) fn unmet(&self, obligations: &BTreeSet<Obligation>) -> Refusal {
        let ids: BTreeSet<CedarId> = obligations.iter().map(|one| CedarId::new(one.policy.as_str())).collect();
        let policies = self.ids(&ids);
        let asks: BTreeSet<String> = obligations.iter().map(Obligation::sentence).collect();
        let asks = asks.into_iter().collect::<Vec<_>>().join("; ");
        let detail = format!("{} asks: {asks}", names(&policies));
        let hint = match self.messages(&ids) {
            Some(messages) => format!("{messages}: {asks}"),
            None => format!("{asks} ({})", names(&policies)),
        };
        if obligations.iter().all(|obligation| obligation.kind == ObligationKind::StepUp) {
            // The person can meet it by signing in as the policy says.
            let acr = obligations.iter().map(|obligation| obligation.value.clone()).collect::<BTreeSet<_>>();
            let challenge = Challenge::SignIn { acr: acr.into_iter().collect(), age_max: None };
            let refusal = Refusal::new(Reason::StepUpRequired, detail).with_challenge(challenge);
            return refusal.with_hint(hint).with_policies(policies);
        }
        Refusal::new(Reason::ObligationUnmet, detail).with_hint(hint).with_policies(policies)
    }

    fn inexact(&self, standing: &Standing, inexact: &Inexact) -> Refusal {
        let reads =
            |id: &&CedarId| self.known.get(*id).is_some_and(|known| known.reads.reads_argument(&inexact.argument));
        let policies = standing.moving().filter(reads).cloned().collect();
        let detail = inexact.to_string();
        Refusal::new(Reason::PolicyError, detail.clone()).with_hint(detail).with_policies(self.ids(&policies))
    }

    /// What these policies tell the caller, each text once.
    fn messages(&self, policies: &BTreeSet<CedarId>) -> Option<String> {
        let known = policies.iter().filter_map(|id| self.known.get(id));
        let messages: BTreeSet<&str> = known.filter_map(|known| known.message.as_deref()).collect();
        (!messages.is_empty()).then(|| messages.into_iter().collect::<Vec<_>>().join("; "))
    }

    fn ids(&self, policies: &BTreeSet<CedarId>) -> Vec<PolicyId> {
        policies.iter().filter_map(|id| self.known.get(id)).map(|Known { id, .. }| id.clone()).collect()
    }
}

/// Who asks for what, for the operator.
fn phrase(question: &Question<'_>, asked: &Asked<'_>) -> String {
    let (action, endpoint) = (question.action.as_str(), question.endpoint);
    format!("{} to {action} {} through the endpoint `{endpoint}`", asked.principal(), asked.resource())
}

fn names(policies: &[PolicyId]) -> String {
    let each: Vec<_> = policies.iter().map(|id| format!("policy `{id}`")).collect();
    each.join(", ")
}

/// The time as Cedar reads it.
pub(crate) fn instant(now: Timestamp) -> Result<RestrictedExpression, Refusal> {
    let time = i64::try_from(now.0).ok().and_then(|milliseconds| jiff::Timestamp::from_millisecond(milliseconds).ok());
    let time =
        time.ok_or_else(|| Refusal::new(Reason::PolicyError, "the clock is beyond what policies can compare"))?;
    Ok(RestrictedExpression::new_datetime(format!("{time:.3}")))
}

#[cfg(test)]
mod tests;
