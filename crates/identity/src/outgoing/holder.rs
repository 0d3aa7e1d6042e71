//! Whose credentials they are.

use std::fmt;
use std::str::FromStr;

use model::{AgentId, Behalf, UserId};

/// Whose credential a server is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// One for everybody.
    Shared,
    /// One for each person.
    User,
    /// One for each agent.
    Agent,
    /// One for each person through each agent: it names both.
    Both,
}

/// Who may use a credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Holder {
    /// Everybody who may call the server, and the gate itself when it looks at the server.
    Shared,
    /// Calls for this person.
    User(UserId),
    /// Calls of this agent.
    Agent(AgentId),
    /// Calls for this person that came through these agents, the one that calls first. It is held in memory alone.
    Both(UserId, Vec<AgentId>),
}

impl Holder {
    /// Who may use the credential that this caller's calls need; `None` where it is a person's and there is none.
    pub fn of(whose: Whose, behalf: &Behalf) -> Option<Self> {
        let Behalf { user, agent, through } = behalf;
        match whose {
            Whose::Shared => Some(Self::Shared),
            Whose::User => user.clone().map(Self::User),
            Whose::Agent => Some(Self::Agent(agent.clone())),
            // An agent that works for nobody is not taken for a person of its name.
            Whose::Both => {
                let agents = std::iter::once(agent).chain(through).cloned().collect();
                user.clone().map(|user| Self::Both(user, agents))
            }
        }
    }
}

/// A text that names nobody who could hold a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a holder is `shared`, `user NAME` or `agent NAME`")]
pub struct HolderError;

impl FromStr for Holder {
    type Err = HolderError;

    fn from_str(text: &str) -> Result<Self, HolderError> {
        match text.split_once(' ') {
            None if text == "shared" => Ok(Self::Shared),
            Some(("user", user)) => user.parse().map(Self::User).map_err(|_| HolderError),
            Some(("agent", agent)) => agent.parse().map(Self::Agent).map_err(|_| HolderError),
            None | Some(_) => Err(HolderError),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared => f.write_str("shared"),
            Self::User(user) => write!(f, "user {user}"),
            Self::Agent(agent) => write!(f, "agent {agent}"),
            Self::Both(user, agents) => {
                let agents: Vec<&str> = agents.iter().map(AgentId::as_str).collect();
                write!(f, "user {user} through {}", agents.join(", "))
            }
        }
    }
}
