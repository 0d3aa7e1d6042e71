//! Development tokens: fixed bearer tokens for one machine, so that the gate can be tried without an identity provider.
//!
//! They are accepted only while every listener is on loopback; `app` refuses to start otherwise.

use std::collections::HashMap;
use std::sync::Arc;

use http::HeaderMap;
use model::{
    Agent, AgentId, AgentKind, Assurance, Caller, Changed, Digest, GroupName, Reason, Refusal, Secret, Set, UserId,
};

use crate::bearer::bearer_token;
use crate::secrets::opened;

/// One token and the caller it stands for.
pub struct DevelopmentToken {
    /// The token itself.
    pub token: Secret<String>,
    /// The agent.
    pub agent: AgentId,
    /// Delegated or autonomous.
    pub kind: AgentKind,
    /// The user; exactly for a delegated agent.
    pub user: Option<UserId>,
    /// The user's groups.
    pub groups: Vec<GroupName>,
}

/// Why a set of tokens was refused. The index is the wrong token's place in the list, from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// A delegated agent without a user, or an autonomous one with a user or groups.
    #[error(
        "the token of agent `{agent}`: a delegated agent needs a `user`; an autonomous one has neither `user` nor `groups`"
    )]
    UserDoesNotFit {
        /// Which token.
        index: usize,
        /// Its agent.
        agent: AgentId,
    },
    /// Two callers share one token.
    #[error("the tokens of agents `{other}` and `{agent}` are the same")]
    Shared {
        /// The second of the two.
        index: usize,
        /// Its agent.
        agent: AgentId,
        /// The first one's agent.
        other: AgentId,
    },
    /// One agent is both delegated and autonomous.
    #[error("agent `{agent}` is both delegated and autonomous: it must be one of them")]
    TwoKinds {
        /// The token that says otherwise than one before it.
        index: usize,
        /// The agent.
        agent: AgentId,
    },
    /// The token can be guessed.
    #[error("the token of agent `{agent}` is shorter than {TOKEN_BYTES_MIN} bytes")]
    Short {
        /// Which token.
        index: usize,
        /// Its agent.
        agent: AgentId,
    },
}

/// Bytes a development token has at least: 128 bits in base 32.
const TOKEN_BYTES_MIN: usize = 26;

/// Callers by the digest of their token. Looking a digest up tells nothing about the token by its timing, because nobody
/// can choose a token for the digest it will have.
pub struct DevelopmentTokens {
    callers: HashMap<Digest, Arc<Caller>>,
    known: Set<Arc<Caller>>,
}

impl DevelopmentTokens {
    /// Checks and takes a set of tokens.
    ///
    /// # Errors
    /// The first [`TokenError`] found.
    pub fn new(tokens: Vec<DevelopmentToken>) -> Result<Self, TokenError> {
        let mut callers: HashMap<Digest, Arc<Caller>> = HashMap::new();
        let mut kinds: HashMap<AgentId, AgentKind> = HashMap::new();
        for (index, DevelopmentToken { token, agent, kind, user, groups }) in tokens.into_iter().enumerate() {
            let text = opened(&token);
            if text.len() < TOKEN_BYTES_MIN {
                return Err(TokenError::Short { index, agent });
            }
            if *kinds.entry(agent.clone()).or_insert(kind) != kind {
                return Err(TokenError::TwoKinds { index, agent });
            }
            let caller = Caller::new(Agent { id: agent.clone(), kind }, user, groups, Assurance::Development)
                .ok_or_else(|| TokenError::UserDoesNotFit { index, agent: agent.clone() })?;
            if let Some(other) = callers.insert(Digest::of(text.as_bytes()), Arc::new(caller)) {
                return Err(TokenError::Shared { index, agent, other: other.agent.id.clone() });
            }
        }
        let known = callers.values().cloned().collect();
        Ok(Self { callers, known })
    }

    /// Whether some token still stands for exactly this caller: asked again while a stream of theirs is open.
    pub fn knows(&self, caller: &Caller) -> bool {
        match caller.authentication.changed == Changed::default() {
            true => self.known.contains(caller),
            false => self.known.contains(&caller.clone().differing(Changed::default())),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.callers.is_empty()
    }

    /// The caller whose token the request carries.
    ///
    /// # Errors
    /// [`Reason::Unauthenticated`] for anything but exactly one known bearer token.
    pub fn authenticate(&self, headers: &HeaderMap) -> Result<Arc<Caller>, Refusal> {
        let token = bearer_token(headers)?;
        let caller = self.callers.get(&Digest::of(token));
        caller.cloned().ok_or_else(|| Refusal::new(Reason::Unauthenticated, "no caller has this token"))
    }
}

#[cfg(test)]
mod tests;
