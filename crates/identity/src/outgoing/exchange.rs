//! Tokens that no person has to agree to in a browser: the gate's own, and those for a person and the agent that acts for them.
//!
//! The authorization server is told who the person is and which agent acts for them (RFC 8693, `subject_token` and
//! `actor_token`), and decides; or it is shown what the person's identity provider asserts of them for it alone (ID-JAG: RFC
//! 8693 at the provider, RFC 7523 §2.1 here). What the caller presented to the gate is in none of it.
//!
//! Nothing of it is kept: another token can be had at any time, for as long as the person may have one. So a token of which
//! nobody said how long it lives is not held for long.

use model::{AgentId, Timestamp, UserId, limits};

use super::about::renew_at;
use super::client::{self, Client};
use super::discovery::{self, Issuer};
use super::slot::{Held, Slot};
use super::token::{self, ACCESS_TOKEN, JWT, Tokens};
use super::vouching::{Identity, VouchError};
use super::{Outgoing, OutgoingError, Source, Vouches, connect};
use crate::secrets::opened;

/// What the person is told to be by, where tokens are exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The gate signs who they are.
    Gate,
    /// Their identity provider's ID token, for that provider alone.
    SignIn,
}

/// What is exchanged for another token.
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// What is shown of a person for a token.
const BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// An ID token (RFC 8693 §3).
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// Whom a token is asked of, as whom, for what.
struct Grounds {
    issuer: Issuer,
    client: Client,
    resource: String,
    scope: String,
}

impl Outgoing {
    /// A token that the gate asks for itself.
    pub(super) async fn for_itself(&self, source: &Source, slot: &Slot) -> Result<Held, OutgoingError> {
        let now = self.clock.now();
        let Grounds { issuer, client, resource, scope } = self.grounds(source, slot, now).await?;
        let mut form = vec![("grant_type", "client_credentials"), ("resource", resource.as_str())];
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        let tokens = token::ask(&*source.to_issuer, &issuer, &client, &form, now).await?;
        slot.asked_for(&scope);
        self.given(source, &scope, &tokens, now);
        Ok(Held::new(&tokens.access, renew_at(now, tokens.expires), now)?)
    }

    /// A token for a person and the agents through which a call for them came, the one that calls first.
    pub(super) async fn exchanged(
        &self,
        source: &Source,
        subject: Subject,
        (user, agents): (&UserId, &[AgentId]),
        slot: &Slot,
    ) -> Result<Held, OutgoingError> {
        let now = self.clock.now();
        let Grounds { issuer, client, resource, scope } = self.grounds(source, slot, now).await?;
        let nobody = OutgoingError::Unsafe("a call comes through an agent");
        let (agent, through) = agents.split_first().ok_or(nobody)?;
        let to = issuer.issuer.as_str();
        let (subject, kind, actor) = match subject {
            Subject::Gate => (self.assertions.subject(to, user, through)?, JWT, self.assertions.actor(to, agent, &[])?),
            Subject::SignIn => {
                let Identity { issuer, token } = self.people()?.identity(user).await?;
                if issuer != to {
                    // Somebody else could use it to be the gate there, or the person.
                    return Err(VouchError::Elsewhere.into());
                }
                (token, ID_TOKEN, self.assertions.actor(to, agent, through)?)
            }
        };
        let mut form = vec![
            ("grant_type", EXCHANGE),
            ("resource", resource.as_str()),
            ("requested_token_type", ACCESS_TOKEN),
            ("subject_token", opened(&subject).as_str()),
            ("subject_token_type", kind),
            ("actor_token", opened(&actor).as_str()),
            ("actor_token_type", JWT),
        ];
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        let tokens = token::exchange(&*source.to_issuer, &issuer, &client, &form, now).await?;
        slot.asked_for(&scope);
        self.given(source, &scope, &tokens, now);
        for_a_while(&tokens, now)
    }

    /// A token for a person of whom their identity provider asserts who they are.
    pub(super) async fn asserted(&self, source: &Source, user: &UserId, slot: &Slot) -> Result<Held, OutgoingError> {
        let now = self.clock.now();
        let Grounds { issuer, client, resource, scope } = self.grounds(source, slot, now).await?;
        let said = self.people()?.assertion(user, &issuer.issuer, &resource, &scope).await?;
        let mut form =
            vec![("grant_type", BEARER), ("assertion", opened(&said).as_str()), ("resource", resource.as_str())];
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        let tokens = token::ask(&*source.to_issuer, &issuer, &client, &form, now).await?;
        slot.asked_for(&scope);
        self.given(source, &scope, &tokens, now);
        for_a_while(&tokens, now)
    }

    /// A token was given out, for the scopes that were asked for where nothing else was said.
    fn given(&self, source: &Source, scope: &str, tokens: &Tokens, now: Timestamp) {
        let asked: Vec<String> = scope.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        self.scopes.granted(&source.server, tokens.scopes.as_ref().unwrap_or(&asked), now);
    }

    fn people(&self) -> Result<&dyn Vouches, VouchError> {
        self.people.get().map(|people| &**people).ok_or(VouchError::Nobody)
    }

    /// Whom to ask: the authorization server that people approved, if the server names it, for this very server.
    async fn grounds(&self, source: &Source, slot: &Slot, now: Timestamp) -> Result<Grounds, OutgoingError> {
        let challenge = self.challenge(source, slot).await?;
        let protected = discovery::protected(&*source.to_server, &source.url, &challenge).await?;
        let chosen = discovery::choose(&protected, source.issuer.as_deref())?;
        let issuer = discovery::issuer(&*source.to_issuer, chosen).await?;
        let client = client::of(source, &issuer, &self.presence, &self.keeper, now).await?;
        let scope = connect::scopes(source, &slot.noted(), &challenge, &protected).join(" ");
        Ok(Grounds { issuer, client, resource: protected.resource, scope })
    }
}

/// A token for a person, held no longer than it lives, and not for long where that was not said.
fn for_a_while(tokens: &Tokens, now: Timestamp) -> Result<Held, OutgoingError> {
    let most = Timestamp(now.0.saturating_add(limits::EXCHANGED_TOKEN_MILLISECONDS_MAX));
    let expires = tokens.expires.map_or(most, |expires| expires.min(most));
    Ok(Held::new(&tokens.access, renew_at(now, Some(expires)), now)?)
}

#[cfg(test)]
mod tests;
