//! Which policies can apply to a question.
//!
//! Cedar's authorizer looks at every policy it is given. Here each policy is filed once, under what its scope names:
//! an entity, a type, or nothing. A question opens only the drawers its principal and resource lead to, so ten
//! thousand policies about other tools cost it nothing. A drawer may hold too much (Cedar still checks each scope)
//! and never too little: `in` is found under the entity it names, which is the principal or the resource itself, one
//! of the user's groups, or the object's server, for there is no other hierarchy.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy::{EntityTypeName, EntityUid, PolicySet};

use crate::Action;
use crate::action::ActionSet;
use crate::moving::{Gathered, Moving, Unjoined};
use crate::parse::Parsed;

/// What one side of a policy's scope names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    /// Nothing: it applies to all.
    Any,
    /// A type.
    Type(EntityTypeName),
    /// One entity, or what is in it.
    Entity(EntityUid),
}

/// Policies whose scopes name the same.
pub(crate) struct Slice<M = Arc<Moving>> {
    /// Permits and plain forbids.
    pub(crate) hard: Split<M>,
    /// Forbids that an obligation lifts.
    pub(crate) obligations: Split<M>,
}

/// One set in three parts.
pub(crate) struct Split<M = Arc<Moving>> {
    /// Policies that answer the same each time for the same caller and object.
    pub(crate) still: PolicySet,
    /// Policies that read arguments or the time, and look at the principal.
    pub(crate) moving: Vec<M>,
    /// Policies that read arguments or the time, and answer the agent and its user alike.
    pub(crate) alike: Vec<M>,
}

/// Every policy, filed.
#[derive(Default)]
pub(crate) struct Slices {
    /// By what the principal's scope names, then by what the resource's does.
    filed: HashMap<Scope, HashMap<Scope, Drawer>>,
}

/// The slices of one pair of scopes, by the actions they are about.
type Drawer<S = Arc<Slice>> = Vec<(ActionSet, S)>;

impl Slices {
    /// Files every policy.
    ///
    /// # Errors
    /// When two policies have one id, or cannot be put side by side, both of which parsing has ruled out.
    pub(crate) fn build(parsed: &[Parsed]) -> Result<Self, Unjoined> {
        let mut open: HashMap<(Scope, Scope), Drawer<Slice<Gathered>>> = HashMap::new();
        for policy in parsed {
            let drawer = open.entry((policy.principal.clone(), policy.resource.clone())).or_default();
            let found = drawer.iter().position(|(actions, _)| *actions == policy.actions);
            let at = found.unwrap_or_else(|| {
                drawer.push((policy.actions, Slice::new()));
                drawer.len() - 1
            });
            if let Some((_, slice)) = drawer.get_mut(at) {
                slice.add(policy)?;
            }
        }
        let mut filed: HashMap<Scope, HashMap<Scope, Drawer>> = HashMap::new();
        for ((principal, resource), drawer) in open {
            let drawer = drawer.into_iter().map(|(actions, slice)| Ok((actions, Arc::new(slice.join()?))));
            let drawer = drawer.collect::<Result<Drawer, Unjoined>>()?;
            filed.entry(principal).or_default().insert(resource, drawer);
        }
        Ok(Self { filed })
    }

    /// The slices in which a policy can apply.
    pub(crate) fn find(&self, principals: &[Scope], action: Action, resources: &[Scope]) -> Vec<Arc<Slice>> {
        let drawers = principals.iter().filter_map(|principal| self.filed.get(principal));
        let slices = drawers.flat_map(|drawer| resources.iter().filter_map(|resource| drawer.get(resource)).flatten());
        slices.filter(|(actions, _)| actions.contains(action)).map(|(_, slice)| Arc::clone(slice)).collect()
    }
}

impl Slice<Gathered> {
    fn new() -> Self {
        Self { hard: Split::new(), obligations: Split::new() }
    }

    fn add(&mut self, policy: &Parsed) -> Result<(), Unjoined> {
        let split = match policy.summary.obligations.is_empty() {
            true => &mut self.hard,
            false => &mut self.obligations,
        };
        let looks_at_principal = policy.principal != Scope::Any || policy.reads.principal;
        match &policy.tree {
            None => split.still.add(policy.cedar.clone()).map_err(Box::new)?,
            Some(tree) if looks_at_principal => Gathered::add(&mut split.moving, &policy.cedar, tree)?,
            Some(tree) => Gathered::add(&mut split.alike, &policy.cedar, tree)?,
        }
        Ok(())
    }

    fn join(self) -> Result<Slice, Unjoined> {
        Ok(Slice { hard: self.hard.join()?, obligations: self.obligations.join()? })
    }
}

impl Split<Gathered> {
    fn new() -> Self {
        Self { still: PolicySet::new(), moving: Vec::new(), alike: Vec::new() }
    }

    fn join(self) -> Result<Split, Unjoined> {
        let join = |all: Vec<Gathered>| all.into_iter().map(|gathered| gathered.join().map(Arc::new)).collect();
        let (moving, alike): (Result<_, Unjoined>, Result<_, Unjoined>) = (join(self.moving), join(self.alike));
        Ok(Split { still: self.still, moving: moving?, alike: alike? })
    }
}
