//! Policies that are asked at each call, asked together.
//!
//! Most of them are forbids that have nothing to say about most calls. So those with one scope are put side by side
//! once, `first || second || …`, and a call asks that one question: where the answer is an error-free no, none of them
//! holds and none of them errs. Any other answer tells too little, and each policy is asked by itself.
//!
//! Their scope is looked at when a caller is first seen, and not again: it does not depend on what moves.

use std::sync::Arc;

use cedar_policy::pst::{
    ActionConstraint, BinaryOp, Clause, Effect, Expr, Literal, Policy as Tree, PrincipalConstraint,
    PstConstructionError, ResourceConstraint, StaticPolicy, Template, UnaryOp,
};
use cedar_policy::{Authorizer, Decision, Entities, Policy, PolicySet, PolicySetError, Request};

/// Policies of one effect and one scope that read arguments or the time.
pub(crate) struct Moving {
    /// Each of them.
    each: PolicySet,
    /// Their scope, as a permit without conditions.
    scope: PolicySet,
    /// A permit of everything for which the conditions of any of them hold; `None` for permits, which usually do.
    any: Option<PolicySet>,
}

/// What is to become a [`Moving`].
pub(crate) struct Gathered {
    effect: Effect,
    scope: Template,
    conditions: Vec<Arc<Expr>>,
    each: PolicySet,
}

/// Why policies could not be put side by side. What has been parsed can be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unjoined {
    #[error("two policies have one id: {0}")]
    Twice(#[from] Box<PolicySetError>),
    #[error("conditions could not be put side by side: {0}")]
    Conditions(#[from] Box<PstConstructionError>),
    #[error("the scope could not be looked at: {0}")]
    Scope(String),
}

impl Gathered {
    /// Adds a policy to those it shares its effect and scope with.
    pub(crate) fn add(all: &mut Vec<Self>, policy: &Policy, tree: &Tree) -> Result<(), Unjoined> {
        let body = tree.body();
        let scope =
            Template::new("scope", Effect::Permit, body.principal.clone(), body.action.clone(), body.resource.clone());
        let found = all.iter().position(|one| one.effect == body.effect && one.scope == scope);
        let at = found.unwrap_or_else(|| {
            all.push(Self { effect: body.effect, scope, conditions: Vec::new(), each: PolicySet::new() });
            all.len() - 1
        });
        if let Some(gathered) = all.get_mut(at) {
            gathered.conditions.push(condition(body.clauses()));
            gathered.each.add(policy.clone()).map_err(Box::new)?;
        }
        Ok(())
    }

    pub(crate) fn join(self) -> Result<Moving, Unjoined> {
        let Self { effect, scope, conditions, each } = self;
        let any = match effect {
            Effect::Permit => None,
            Effect::Forbid => {
                let (principal, action) = (PrincipalConstraint::Any, ActionConstraint::Any);
                let any = Template::new("any", Effect::Permit, principal, action, ResourceConstraint::Any)
                    .try_with_clauses(any(conditions).map(Clause::When))
                    .map_err(Box::new)?;
                Some(alone(any)?)
            }
        };
        Ok(Moving { each, scope: alone(scope)?, any })
    }
}

impl Moving {
    /// Each policy.
    pub(crate) fn each(&self) -> &PolicySet {
        &self.each
    }

    /// Whether they permit, rather than forbid.
    pub(crate) fn permits(&self) -> bool {
        self.any.is_none()
    }

    /// Whether their scope lets them apply. Context does not matter.
    pub(crate) fn applies(&self, request: &Request, entities: &Entities) -> Result<bool, Unjoined> {
        let response = Authorizer::new().is_authorized(request, &self.scope, entities);
        match response.diagnostics().errors().next() {
            None => Ok(response.decision() == Decision::Allow),
            Some(error) => Err(Unjoined::Scope(error.to_string())),
        }
    }

    /// Whether it is certain that none of them holds and none of them errs, if they apply.
    pub(crate) fn is_silent(&self, request: &Request, entities: &Entities) -> bool {
        self.any.as_ref().is_some_and(|any| {
            let response = Authorizer::new().is_authorized(request, any, entities);
            response.decision() == Decision::Deny && response.diagnostics().errors().next().is_none()
        })
    }
}

/// All clauses of a policy as one condition, in the order in which Cedar looks at them.
fn condition(clauses: &[Clause]) -> Arc<Expr> {
    let each = clauses.iter().rev().map(|clause| match clause {
        Clause::When(condition) => Arc::clone(condition),
        Clause::Unless(condition) => Arc::new(Expr::UnaryOp { op: UnaryOp::Not, expr: Arc::clone(condition) }),
    });
    let all = each.reduce(|after, before| binary(BinaryOp::And, &before, &after));
    all.unwrap_or_else(|| Arc::new(Expr::Literal(Literal::Bool(true))))
}

/// Whether any condition holds, as a tree so flat that evaluation does not nest deeper for many. `None` for none.
fn any(mut conditions: Vec<Arc<Expr>>) -> Option<Arc<Expr>> {
    while conditions.len() > 1 {
        let pairs = conditions.chunks(2).flat_map(|pair| match pair {
            [left, right] => Some(binary(BinaryOp::Or, left, right)),
            rest => rest.first().cloned(),
        });
        conditions = pairs.collect();
    }
    conditions.pop()
}

fn binary(op: BinaryOp, left: &Arc<Expr>, right: &Arc<Expr>) -> Arc<Expr> {
    Arc::new(Expr::BinaryOp { op, left: Arc::clone(left), right: Arc::clone(right) })
}

/// A set of one policy.
fn alone(body: Template) -> Result<PolicySet, Unjoined> {
    let policy = StaticPolicy::try_from(body).map_err(|error| Box::new(PstConstructionError::from(error)))?;
    let policy = Policy::from_pst(Tree::Static(policy)).map_err(Box::new)?;
    let mut set = PolicySet::new();
    set.add(policy).map_err(Box::new)?;
    Ok(set)
}

#[cfg(test)]
mod tests;
