//! What people are shown of a policy.

use model::PolicyId;
use serde::Serialize;

use crate::{Action, Obligation};

/// Whether a policy permits or forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It permits, unless something forbids.
    Permit,
    /// It forbids, whatever permits.
    Forbid,
}

/// One policy, for listings and explanations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicySummary {
    /// Its `@id`, or its file and place in it.
    pub id: PolicyId,
    /// The file it stands in.
    pub file: String,
    /// The line it begins at, from 1.
    pub line: u32,
    /// Whether it permits or forbids.
    pub effect: Effect,
    /// The actions its scope covers.
    pub actions: Vec<Action>,
    /// What it asks for instead of refusing outright; empty for a permit or a plain forbid.
    pub obligations: Vec<Obligation>,
    /// What the caller reads when it refuses.
    pub message: Option<String>,
    /// Whom to ask about it.
    pub owner: Option<String>,
    /// The tool arguments it reads, dotted; `*` when it looks at all of them.
    pub reads_arguments: Vec<String>,
    /// Whether its answer depends on the time.
    pub reads_time: bool,
    /// What looks wrong with it and yet does not stop the load: a name that nothing has, a condition never true.
    pub warnings: Vec<String>,
    /// Its text.
    pub text: String,
}
