//! What the identity provider said of people, kept for as long as it is good: with it, servers whose authorization servers
//! believe the provider are asked for tokens for them. It is shown to the provider alone.
//!
//! It is kept anew whenever the provider is asked, which happens with every token that an application renews, and forgotten
//! when the person leaves.

use async_trait::async_trait;
use model::{Secret, Timestamp, UserId};
use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::Facade;
use crate::outgoing::{Identity, VouchError, Vouches};
use crate::port::{Person, Place};
use crate::relying::Word;

/// Whose rows they are.
const OWNER: &str = "sign-in";

/// Who leaves.
pub(super) enum Leaver<'a> {
    /// The person whom the provider calls so.
    Subject(&'a str),
    /// Whoever is in this session of the provider's.
    Session(&'a str),
}

fn place(user: &UserId) -> Place {
    Place { owner: OWNER.to_owned(), holder: format!("user {user}") }
}

impl Facade {
    /// Hears of everybody who leaves from now on.
    pub fn departures(&self) -> broadcast::Receiver<UserId> {
        self.departures.subscribe()
    }

    /// Keeps the provider's word of who somebody is. Where that fails, they are signed in all the same, and what needs it says
    /// that it is not there.
    pub(super) async fn keep_word(&self, person: &Person, word: &Word) {
        let Some(user) = self.named(person) else { return };
        let about = json!({
            "issuer": person.issuer, "subject": person.subject, "session": person.session, "expires": word.expires.0,
        });
        if let Err(error) = self.words.note(place(&user), &about, &word.token, self.now()).await {
            tracing::warn!(why = model::with_causes(&error), "what the identity provider said of a person is not kept");
        }
    }

    /// Forgets it for whoever leaves, and tells those who got tokens with it.
    pub(super) async fn forget_words(&self, issuer: &str, leaver: Leaver<'_>) {
        let (name, value) = match leaver {
            Leaver::Subject(subject) => ("subject", subject),
            Leaver::Session(session) => ("session", session),
        };
        let known = match self.words.known(OWNER).await {
            Ok(known) => known,
            Err(error) => {
                tracing::error!(why = model::with_causes(&error), "who left cannot be looked for");
                return;
            }
        };
        let says = |about: &Value, name: &str, value: &str| about.get(name).and_then(Value::as_str) == Some(value);
        for (holder, about, _) in known {
            if !says(&about, "issuer", issuer) || !says(&about, name, value) {
                continue;
            }
            let Some(Ok(user)) = holder.strip_prefix("user ").map(str::parse::<UserId>) else { continue };
            if let Err(error) = self.words.forget(place(&user), self.change()).await {
                tracing::error!(why = model::with_causes(&error), "what was said of a person who left is still kept");
            }
            // Nobody may be listening.
            let _ = self.departures.send(user);
        }
    }

    /// What a person is called where tokens are read.
    pub(super) fn named(&self, person: &Person) -> Option<UserId> {
        format!("{}{}", self.terms.user_prefix, person.user).parse().ok()
    }

    /// The provider's word of who a person is, while it is good.
    async fn word(&self, user: &UserId) -> Result<Secret<String>, VouchError> {
        let kept = self.words.read(&place(user)).await?;
        let kept = kept.ok_or_else(|| VouchError::NotSignedIn(user.clone()))?;
        let text = |name: &str| kept.about.get(name).and_then(Value::as_str);
        let expires = kept.about.get("expires").and_then(Value::as_u64).map(Timestamp);
        if text("issuer") != Some(&self.relying.provider().issuer) {
            // Settings name another provider since.
            return Err(VouchError::NotSignedIn(user.clone()));
        }
        match kept.first {
            Some(token) if expires.is_some_and(|expires| self.now() < expires) => Ok(token),
            Some(_) | None => Err(VouchError::Over(user.clone())),
        }
    }
}

#[async_trait]
impl Vouches for Facade {
    async fn identity(&self, user: &UserId) -> Result<Identity, VouchError> {
        Ok(Identity { issuer: self.relying.provider().issuer.clone(), token: self.word(user).await? })
    }

    async fn assertion(
        &self,
        user: &UserId,
        audience: &str,
        resource: &str,
        scope: &str,
    ) -> Result<Secret<String>, VouchError> {
        let word = self.word(user).await?;
        Ok(self.relying.assertion(&word, audience, resource, scope).await?)
    }
}
