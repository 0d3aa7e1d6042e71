//! Who is asking.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{AgentId, GroupName, ThreadId, Timestamp, UserId};

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
    /// What its token says of how it was given.
    pub authentication: Authentication,
}

/// What a caller's token says of how it was given: context for policy and for step-up. A development token says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Authentication {
    /// Who issued it.
    pub issuer: Option<Arc<str>>,
    /// How the person signed in, as a class (OpenID Connect Core 1.0 §2, `acr`).
    pub acr: Option<Arc<str>>,
    /// How the person signed in, as methods (`amr`, RFC 8176), sorted.
    pub amr: Arc<[Arc<str>]>,
    /// When the person signed in (`auth_time`).
    pub signed_in: Option<Timestamp>,
    /// What the token is good for, as its issuer says (RFC 6749 §3.3), sorted. It permits nothing by itself.
    pub scopes: Arc<[Arc<str>]>,
    /// The other agents through which the call came, the nearest first (RFC 8693 §4.1, `act`). Each needs its permit.
    pub actors: Arc<[Agent]>,
    /// When the token ends.
    pub ends: TokenEnd,
    /// The sign-in that it came of, where that can be ended before the token is.
    pub family: TokenFamily,
    /// The key or the certificate that it is bound to.
    pub key: TokenKey,
    /// In what the message differs from the first one that came of the sign-in. This alone is not the token's word.
    pub changed: Changed,
}

/// When a token ends; never, for a development token. It tells no two callers apart: who has a new token is who they were.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokenEnd(pub Option<Timestamp>);

impl TokenEnd {
    /// Whether the token is no good any more.
    pub fn is_over(self, now: Timestamp) -> bool {
        self.0.is_some_and(|end| end <= now)
    }
}

impl PartialEq for TokenEnd {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for TokenEnd {}

impl std::hash::Hash for TokenEnd {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// The software side of a caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// Whether it works for people or on its own.
    pub kind: AgentKind,
}

/// The sign-in that a token came of. It tells no two callers apart either: who signed in again is who they were.
#[derive(Debug, Clone, Default)]
pub struct TokenFamily(pub Option<Arc<str>>);

impl PartialEq for TokenFamily {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for TokenFamily {}

impl std::hash::Hash for TokenFamily {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// The thumbprint of what a token is bound to, if it is bound to anything. It tells no two callers apart: what follows of it is
/// in [`Assurance`] and [`Changed`].
#[derive(Debug, Clone, Default)]
pub struct TokenKey(pub Option<Arc<str>>);

impl PartialEq for TokenKey {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for TokenKey {}

impl std::hash::Hash for TokenKey {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// In what a message differs from the first one of its sign-in: evidence for policy, and in receipts. A person who travels
/// looks like this, and so does a token that somebody else has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Changed {
    /// It comes from another network.
    pub network: bool,
    /// It comes from other software, as far as that says what it is.
    pub client: bool,
    /// Its token is bound to another key.
    pub key: bool,
}

/// One such difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// Another network.
    Network,
    /// Other software.
    Client,
    /// Another key.
    Key,
}

impl Signal {
    /// The word used in policies and receipts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Client => "client",
            Self::Key => "key",
        }
    }
}

impl Changed {
    /// Every difference, in one order.
    pub fn signals(self) -> impl Iterator<Item = Signal> {
        let Self { network, client, key } = self;
        let all = [(network, Signal::Network), (client, Signal::Client), (key, Signal::Key)];
        all.into_iter().filter_map(|(is_so, signal)| is_so.then_some(signal))
    }

    /// These differences, and those.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        let Self { network, client, key } = more;
        Self { network: self.network || network, client: self.client || client, key: self.key || key }
    }
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

/// How well an agent is known, from the least; context for policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assurance {
    /// A development token, which lives on loopback only.
    Development,
    /// A token that works for whoever has it: nothing but its issuer's word says which agent that is.
    Public,
    /// A token that works only with a key that the agent holds, and the agent proved that it does (RFC 9449).
    KeyBound,
    /// A token that works only over a connection made with the agent's certificate (RFC 8705).
    MutualTls,
    /// A party that is trusted vouches for the software itself.
    Attested,
}

impl Assurance {
    /// The word used in policies and receipts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Public => "public",
            Self::KeyBound => "key-bound",
            Self::MutualTls => "mutual-tls",
            Self::Attested => "attested",
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
        let authentication = Authentication::default();
        fits.then(|| Self { agent, user, groups: groups.into(), assurance, authentication })
    }

    /// The same caller, with what its token says.
    #[must_use]
    pub fn with(mut self, authentication: Authentication) -> Self {
        self.authentication = authentication;
        self
    }

    /// The same caller, whose message differs like this from the first of its sign-in.
    #[must_use]
    pub fn differing(mut self, changed: Changed) -> Self {
        self.authentication.changed = changed;
        self
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

    /// On whose behalf servers are called for this caller.
    pub fn behalf(&self) -> Behalf {
        let through = self.authentication.actors.iter().map(|actor| actor.id.clone()).collect();
        Behalf { user: self.user.clone(), agent: self.agent.id.clone(), through }
    }
}

/// On whose behalf a server is called: what its credential may depend on, and what it may be told. Sessions and labels do not
/// hang on it: a caller that comes through other agents is who it was.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Behalf {
    /// The person, if the agent is delegated.
    pub user: Option<UserId>,
    /// The agent that calls.
    pub agent: AgentId,
    /// The agents through which the call came to it, the nearest first (RFC 8693 §4.1, `act`).
    pub through: Vec<AgentId>,
}

impl From<&SessionKey> for Behalf {
    /// What the gate says by itself in a caller's session came through nobody else.
    fn from(SessionKey { agent, user, thread: _ }: &SessionKey) -> Self {
        Self { user: user.clone(), agent: agent.clone(), through: Vec::new() }
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
