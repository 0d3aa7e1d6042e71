//! Who is asking.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{AgentId, GroupName, ThreadId, UserId};

/// An authenticated agent, with the user it acts for. `identity` alone makes one from a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The software that calls.
    pub agent: Agent,
    /// The person it acts for. INVARIANT: `Some` exactly when the agent is delegated; [`Caller::new`] sees to it.
    user: Option<UserId>,
    /// The user's groups, sorted, each once.
    groups: Arc<[GroupName]>,
    /// How well the agent is known.
    pub assurance: Assurance,
}

/// The software side of a caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// Whether it works for people or on its own.
    pub kind: AgentKind,
}

/// Whether an agent works for people or on its own. It is registered as one of the two and cannot choose per call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgentKind {
    /// Always for a user.
    Delegated,
    /// Never for a user.
    Autonomous,
}

impl AgentKind {
    /// The word used in policies, receipts and settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delegated => "delegated",
            Self::Autonomous => "autonomous",
        }
    }
}

/// How well an agent is known; context for policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assurance {
    /// A development token, which lives on loopback only.
    Development,
}

impl Assurance {
    /// The word used in policies and receipts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
        }
    }
}

impl Caller {
    /// A caller whose user fits the agent's kind; `None` when a delegated agent names no user or an autonomous
    /// one does. An absent user is no wildcard.
    pub fn new(agent: Agent, user: Option<UserId>, mut groups: Vec<GroupName>, assurance: Assurance) -> Option<Self> {
        let fits = match agent.kind {
            AgentKind::Delegated => user.is_some(),
            AgentKind::Autonomous => user.is_none() && groups.is_empty(),
        };
        groups.sort();
        groups.dedup();
        fits.then(|| Self { agent, user, groups: groups.into(), assurance })
    }

    /// The person the agent acts for; `None` only for an autonomous agent.
    pub fn user(&self) -> Option<&UserId> {
        self.user.as_ref()
    }

    /// The user's groups, sorted.
    pub fn groups(&self) -> &[GroupName] {
        &self.groups
    }

    /// What labels, budgets and sessions hang on: new tokens and new sessions of the same pair change nothing.
    pub fn session_key(&self) -> SessionKey {
        SessionKey { agent: self.agent.id.clone(), user: self.user.clone(), thread: None }
    }
}

/// One agent working for one user, optionally narrowed to a conversation that a trusted party vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionKey {
    /// The agent.
    pub agent: AgentId,
    /// The user, if the agent is delegated.
    pub user: Option<UserId>,
    /// The conversation; `None` unless someone trusted vouched for it.
    pub thread: Option<ThreadId>,
}
