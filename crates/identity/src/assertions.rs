//! Who calls, and for whom: short-lived assertions that the gate signs for servers which can check them.
//!
//! A server that takes requests only with one of these refuses what did not come through the gate, and can bind its own checks
//! to the user and the agent. It is no credential: it opens nothing by itself, and is good at one server for
//! [`limits::ASSERTION_SECONDS`].
//!
//! The claims are of RFC 8693 §4.1: `sub` is the person, with the agent as `act`, and in it the agents through which the call
//! came; or the agent that works for nobody; or the gate, where it looks at the server by itself. The keys are published at
//! [`Assertions::KEYS`], to be found by `kid`.
//!
//! An authorization server that exchanges tokens is told the same in two: who the person is, and which agent acts for them.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Response};
use model::{AgentId, Behalf, Clock, Entropy, Secret, UserId, limits};
use serde_json::{Map, Value, json};

use crate::jwt::{SigningError, seconds};
use crate::site::{self, Site, Visit};
use crate::succession::{Succession, SuccessionError};

/// The kind of token, so that none is taken for another.
const TYP: &str = "portcullis-assertion+jwt";

/// The kind of what an authorization server is told: a plain JWT (RFC 8693 §3), which no server takes for an assertion.
const TOLD: &str = "JWT";

/// What the gate calls itself where it acts for nobody.
const GATE: &str = "portcullis";

/// Signs assertions.
pub struct Assertions {
    issuer: String,
    keys: Succession,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Assertions {
    /// The header that servers read.
    pub const HEADER: &str = "portcullis-assertion";
    /// Where the keys are published.
    pub const KEYS: &str = "/.well-known/portcullis-assertion-keys";

    /// Signs as `issuer`, with the keys in `file`, which is made if it is not there.
    ///
    /// # Errors
    /// [`SuccessionError`].
    pub fn open(
        issuer: String,
        file: &Path,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, SuccessionError> {
        let keys = Succession::open(file, Arc::clone(&clock))?;
        Ok(Self { issuer, keys, clock, entropy })
    }

    /// The keys, for whoever sees that they follow one another.
    pub fn keys(&self) -> &Succession {
        &self.keys
    }

    /// The assertion for one request of a caller's, or of the gate's own, to the server at this URL.
    ///
    /// # Errors
    /// When nothing can be signed.
    pub fn sign(&self, audience: &str, behalf: Option<&Behalf>) -> Result<HeaderValue, SigningError> {
        let (subject, kind) = match behalf {
            None => (GATE, "gate"),
            Some(Behalf { agent, user: None, .. }) => (agent.as_str(), "agent"),
            Some(Behalf { user: Some(user), .. }) => (user.as_str(), "user"),
        };
        let actors = behalf.and_then(|behalf| match behalf.user {
            Some(_) => chain(std::iter::once(&behalf.agent).chain(&behalf.through)),
            None => chain(&behalf.through),
        });
        let signed = self.keys.signing()?.sign(TYP, &self.claims(audience, subject, kind, actors))?;
        let mut value = HeaderValue::try_from(signed).map_err(|_| SigningError::Sign)?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Who a person is, and through which agents a call for them came, for an authorization server that exchanges tokens
    /// (RFC 8693 §2.1, `subject_token`). It is good there alone, for [`limits::ASSERTION_SECONDS`].
    ///
    /// # Errors
    /// When nothing can be signed.
    pub(crate) fn subject(
        &self,
        audience: &str,
        user: &UserId,
        through: &[AgentId],
    ) -> Result<Secret<String>, SigningError> {
        self.keys.signing()?.sign(TOLD, &self.claims(audience, user.as_str(), "user", chain(through))).map(Secret::new)
    }

    /// Which agent acts, for the same (`actor_token`); and through which others, where the subject's token does not say it.
    ///
    /// # Errors
    /// When nothing can be signed.
    pub(crate) fn actor(
        &self,
        audience: &str,
        agent: &AgentId,
        through: &[AgentId],
    ) -> Result<Secret<String>, SigningError> {
        self.keys
            .signing()?
            .sign(TOLD, &self.claims(audience, agent.as_str(), "agent", chain(through)))
            .map(Secret::new)
    }

    fn claims(&self, audience: &str, subject: &str, kind: &str, actors: Option<Value>) -> Map<String, Value> {
        let now = seconds(self.clock.now());
        let claims = [
            ("iss", Some(json!(self.issuer))),
            ("aud", Some(json!(audience))),
            ("iat", Some(json!(now))),
            ("exp", Some(json!(now.saturating_add(limits::ASSERTION_SECONDS)))),
            ("jti", Some(json!(format!("{:032x}", self.entropy.bits())))),
            ("sub", Some(json!(subject))),
            // Names of people, of agents and the gate's own are given by different parties, and may be spelt alike.
            ("sub_kind", Some(json!(kind))),
            ("act", actors),
        ];
        claims.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// Who acts, and through whom (RFC 8693 §4.1): the nearest outermost.
fn chain<'a>(agents: impl IntoIterator<Item = &'a AgentId, IntoIter: DoubleEndedIterator>) -> Option<Value> {
    agents.into_iter().rev().fold(None, |within, agent| {
        let mut actor = json!({ "sub": agent.as_str() });
        if let (Some(within), Some(members)) = (within, actor.as_object_mut()) {
            members.insert("act".to_owned(), within);
        }
        Some(actor)
    })
}

#[async_trait]
impl Site for Assertions {
    fn serves(&self, path: &str) -> bool {
        path == Self::KEYS
    }

    async fn answer(&self, visit: Visit) -> Response<Bytes> {
        site::only_read(&visit, &self.keys.published())
    }
}

#[cfg(test)]
mod tests;
