//! The agents that are registered: which OAuth client is which agent, whether it works for people, where, and how well it
//! must be known. A client that nobody registered is nobody, whatever token it has.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use model::{Agent, AgentId, AgentKind, Assurance, Caller, CertificateName, EndpointName};

/// One registered agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Its id and its kind.
    pub agent: Agent,
    /// The endpoints it may use; what it may do there is for policy to say.
    pub endpoints: HashSet<EndpointName>,
    /// How well it must be known at least.
    pub assurance: Assurance,
    /// What its certificate calls it, if it has one: its tokens count only over a connection that was made with that.
    pub certificate: Option<CertificateName>,
    /// The clients that are this agent: issuer and client id, as tokens spell them.
    pub clients: Vec<(String, String)>,
}

/// All of them, at one revision of the state.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Agents {
    by_id: HashMap<AgentId, Arc<Registration>>,
    by_client: HashMap<String, HashMap<String, Arc<Registration>>>,
}

/// Two agents claim one client, so that nobody could tell which one calls.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("agents `{one}` and `{other}` claim one client of one issuer")]
pub struct ClientShared {
    /// The first.
    pub one: AgentId,
    /// The second.
    pub other: AgentId,
}

impl Agents {
    /// Takes the registered agents.
    ///
    /// # Errors
    /// When one client is claimed twice.
    pub fn new(registrations: impl IntoIterator<Item = Registration>) -> Result<Self, ClientShared> {
        let mut agents = Self::default();
        for registration in registrations {
            let registration = Arc::new(registration);
            for (issuer, client) in &registration.clients {
                let clients = agents.by_client.entry(issuer.clone()).or_default();
                if let Some(one) = clients.insert(client.clone(), Arc::clone(&registration)) {
                    let (one, other) = (one.agent.id.clone(), registration.agent.id.clone());
                    return Err(ClientShared { one, other });
                }
            }
            agents.by_id.insert(registration.agent.id.clone(), registration);
        }
        Ok(agents)
    }

    /// The agent that a client of an issuer is.
    pub fn find(&self, issuer: &str, client: &str) -> Option<&Arc<Registration>> {
        self.by_client.get(issuer)?.get(client)
    }

    /// Whether a caller may use an endpoint at all, with every agent through which it came. A caller with a development token is
    /// in no register: settings alone say who it is.
    pub fn admits(&self, caller: &Caller, endpoint: &EndpointName) -> bool {
        if caller.assurance == Assurance::Development {
            return true;
        }
        let at = |agent: &Agent| {
            self.by_id.get(&agent.id).filter(|one| one.agent == *agent && one.endpoints.contains(endpoint))
        };
        at(&caller.agent).is_some() && caller.authentication.actors.iter().all(|actor| at(actor).is_some())
    }

    /// How well a caller's agent must be known at least; nothing is asked of one that is in no register.
    pub fn demanded(&self, caller: &Caller) -> Assurance {
        let registered = self.by_id.get(&caller.agent.id).filter(|_| caller.assurance != Assurance::Development);
        // One that is known by its certificate is known by nothing less, also where it came before it had one.
        registered.map_or(Assurance::Development, |one| match one.certificate {
            Some(_) => one.assurance.max(Assurance::MutualTls),
            None => one.assurance,
        })
    }

    /// Whether the agent is registered as one of that kind.
    pub fn knows(&self, agent: &AgentId, kind: AgentKind) -> bool {
        self.by_id.get(agent).is_some_and(|one| one.agent.kind == kind)
    }
}

#[cfg(test)]
mod tests;
