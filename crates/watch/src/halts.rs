//! The halts in force, in memory: what the data plane asks about every message.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwap;
use model::{
    Actor, AgentId, Caller, Change, EndpointName, Object, Scope, ServerName, SessionKey, StoreError, Timestamp,
    ToolName, UserId,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, watch};

use crate::port;

/// One halt: what is stopped, why, by whom, since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// What is stopped.
    pub scope: Scope,
    /// Why, in the words of whoever halted.
    pub reason: Option<String>,
    /// Who halted.
    pub by: Actor,
    /// Since when.
    pub at: Timestamp,
}

/// All halts in force at one moment, arranged for asking.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct HaltSet {
    everything: Option<Halt>,
    users: HashMap<UserId, Halt>,
    agents: HashMap<AgentId, Halt>,
    endpoints: HashMap<EndpointName, Halt>,
    servers: HashMap<ServerName, Halt>,
    tools: HashMap<ServerName, HashMap<ToolName, Halt>>,
}

impl HaltSet {
    /// Whether this caller is stopped at this endpoint: by a halt of everything, the user, the agent, an agent through which it
    /// came, or the endpoint.
    pub fn stops(&self, caller: &Caller, endpoint: &EndpointName) -> Option<&Halt> {
        let through = || caller.authentication.actors.iter().find_map(|actor| self.agents.get(&actor.id));
        self.stops_either(&caller.agent.id, caller.user(), endpoint).or_else(through)
    }

    /// The same for whoever a session belongs to.
    pub fn stops_session(&self, owner: &SessionKey, endpoint: &EndpointName) -> Option<&Halt> {
        self.stops_either(&owner.agent, owner.user.as_ref(), endpoint)
    }

    fn stops_either(&self, agent: &AgentId, user: Option<&UserId>, endpoint: &EndpointName) -> Option<&Halt> {
        self.everything
            .as_ref()
            .or_else(|| user.and_then(|user| self.users.get(user)))
            .or_else(|| self.agents.get(agent))
            .or_else(|| self.endpoints.get(endpoint))
    }

    /// Whether this object is stopped for everyone: by a halt of everything, its server or, if it is one, the tool.
    pub fn stops_object(&self, object: &Object) -> Option<&Halt> {
        let tool = match object {
            Object::Tool { name, .. } => Some(name),
            Object::Prompt { .. } | Object::Resource { .. } | Object::Template { .. } | Object::Server { .. } => None,
        };
        self.everything
            .as_ref()
            .or_else(|| self.servers.get(object.server()))
            .or_else(|| self.tools.get(object.server())?.get(tool?))
    }

    /// Every halt, in the order of their scopes.
    pub fn all(&self) -> Vec<&Halt> {
        let tools = self.tools.values().flat_map(HashMap::values);
        let named = self.users.values().chain(self.agents.values()).chain(self.endpoints.values());
        let mut all: Vec<_> = self.everything.iter().chain(named).chain(self.servers.values()).chain(tools).collect();
        all.sort_by(|one, other| one.scope.cmp(&other.scope));
        all
    }

    fn insert(&mut self, halt: Halt) {
        match halt.scope.clone() {
            Scope::Everything => self.everything = Some(halt),
            Scope::User(user) => _ = self.users.insert(user, halt),
            Scope::Agent(agent) => _ = self.agents.insert(agent, halt),
            Scope::Server(server) => _ = self.servers.insert(server, halt),
            Scope::Tool { server, tool } => _ = self.tools.entry(server).or_default().insert(tool, halt),
            Scope::Endpoint(endpoint) => _ = self.endpoints.insert(endpoint, halt),
        }
    }

    fn remove(&mut self, scope: &Scope) {
        match scope {
            Scope::Everything => self.everything = None,
            Scope::User(user) => _ = self.users.remove(user),
            Scope::Agent(agent) => _ = self.agents.remove(agent),
            Scope::Server(server) => _ = self.servers.remove(server),
            Scope::Tool { server, tool } => _ = self.tools.get_mut(server).and_then(|tools| tools.remove(tool)),
            Scope::Endpoint(endpoint) => _ = self.endpoints.remove(endpoint),
        }
    }
}

impl FromIterator<Halt> for HaltSet {
    fn from_iter<I: IntoIterator<Item = Halt>>(halts: I) -> Self {
        let mut set = Self::default();
        halts.into_iter().for_each(|halt| set.insert(halt));
        set
    }
}

/// The halts in force, shared by the control plane, which changes them, and the data plane, which asks.
pub struct Halts {
    set: ArcSwap<HaltSet>,
    changed: watch::Sender<Arc<HaltSet>>,
    /// Held from the durable write to the change in memory, so that a stop and a resume that race end in memory as
    /// they ended in the store.
    order: Mutex<()>,
}

impl Halts {
    /// The halts read from the store when the gate starts.
    pub fn new(halts: Vec<Halt>) -> Self {
        let set: Arc<HaltSet> = Arc::new(halts.into_iter().collect());
        Self { set: ArcSwap::new(Arc::clone(&set)), changed: watch::Sender::new(set), order: Mutex::new(()) }
    }

    /// The halts in force now. Not to be held for long: every message asks, and this counts nothing that cores share.
    pub fn current(&self) -> impl Deref<Target = Arc<HaltSet>> {
        self.set.load()
    }

    /// Puts these halts, and no others, in force; for what was read from the store.
    pub fn set(&self, halts: Vec<Halt>) {
        self.publish(halts.into_iter().collect());
    }

    /// Tells of every change. Whoever holds a stream open asks each new set and cuts the stream if it is stopped.
    pub fn subscribe(&self) -> watch::Receiver<Arc<HaltSet>> {
        self.changed.subscribe()
    }

    /// INVARIANT: called under `order`.
    fn enforce(&self, halt: Halt) {
        let mut set = HaltSet::clone(&self.current());
        set.insert(halt);
        self.publish(set);
    }

    /// In memory first, then told: who is woken by the change finds it in [`Halts::current`] too.
    fn publish(&self, set: HaltSet) {
        let set = Arc::new(set);
        self.set.store(Arc::clone(&set));
        self.changed.send_replace(set);
    }
}

/// Halts a scope: durable first, then in force, then returns.
///
/// Whoever asked may go away while the store writes. Then nobody knows whether the halt became durable, so it is put
/// in force: stopping too much can be mended, stopping too little cannot.
///
/// # Errors
/// When the halt could not be made durable; then it is not in force either, and the caller must be told.
pub async fn stop(store: &dyn port::Halts, halts: &Halts, scope: Scope, change: Change) -> Result<Halt, StoreError> {
    let _order = halts.order.lock().await;
    let halt = Halt { scope: scope.clone(), reason: change.reason.clone(), by: change.actor.clone(), at: change.at };
    let mut abandoned = Abandoned { halts, halt: Some(halt) };
    let result = store.halt(scope, change).await;
    abandoned.halt = None;
    let halt = result?;
    halts.enforce(halt.clone());
    Ok(halt)
}

/// Ends a scope's halt: durable first, then in memory. Returns whether there was one.
///
/// Whoever asked may go away while the store writes; then the halt stays in force until it is resumed again.
///
/// # Errors
/// When the end could not be made durable; then the halt stays in force.
pub async fn resume(store: &dyn port::Halts, halts: &Halts, scope: &Scope, change: Change) -> Result<bool, StoreError> {
    let _order = halts.order.lock().await;
    let ended = store.resume(scope, change).await?;
    let mut set = HaltSet::clone(&halts.current());
    set.remove(scope);
    halts.publish(set);
    Ok(ended)
}

/// A halt that is being made durable. Dropped with it, it is put in force.
struct Abandoned<'a> {
    halts: &'a Halts,
    halt: Option<Halt>,
}

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        if let Some(halt) = self.halt.take() {
            self.halts.enforce(halt);
        }
    }
}

#[cfg(test)]
mod tests;
