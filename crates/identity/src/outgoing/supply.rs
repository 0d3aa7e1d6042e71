//! The credentials of one server, by caller: what the data path holds of it.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use model::Behalf;
use url::Url;

use super::{Challenge, Holder, Outgoing, OutgoingError, Source};
use crate::Credential;

/// Gives each caller's calls to one server the credential that is for them, and for nobody else.
#[derive(Clone)]
pub struct Supply {
    outgoing: Arc<Outgoing>,
    source: Arc<Source>,
}

impl Supply {
    /// The credentials of the server that `source` is of.
    pub fn new(outgoing: Arc<Outgoing>, source: Source) -> Self {
        Self { outgoing, source: Arc::new(source) }
    }

    /// How they come about.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The credential for calls of this caller, asked for or renewed where that is due.
    ///
    /// # Errors
    /// [`OutgoingError`].
    pub async fn credential(&self, caller: &Behalf) -> Result<Credential, OutgoingError> {
        self.outgoing.credential(&self.source, &self.holder(caller)?).await
    }

    /// The credential for what the gate asks for itself when it looks at the server: the shared one, whosever the others are.
    ///
    /// # Errors
    /// [`OutgoingError`].
    pub async fn own(&self) -> Result<Credential, OutgoingError> {
        self.outgoing.credential(&self.source, &Holder::Shared).await
    }

    /// Where the person of this caller connects the server for themselves; their page is there from now on. `None` where it is
    /// not theirs to connect, or nobody can.
    pub fn ask_person(&self, caller: &Behalf) -> Option<Url> {
        match self.holder(caller) {
            Ok(Holder::User(user)) => self.outgoing.await_person(&self.source, &user),
            Ok(Holder::Shared | Holder::Agent(_) | Holder::Both(..)) | Err(_) => None,
        }
    }

    /// Returns as soon as there is a credential for this caller, and after `patience` at the latest.
    pub async fn connected(&self, caller: &Behalf, patience: Duration) {
        if let Ok(holder) = self.holder(caller) {
            self.outgoing.connected(&self.source, &holder, patience).await;
        }
    }

    /// The credential that is held for this caller at the moment, for parting words: they are not worth a new one.
    pub fn held(&self, caller: &Behalf) -> Option<Credential> {
        self.outgoing.held(&self.source, &self.holder(caller).ok()?)
    }

    /// Heeds what the server says of the credential it was given for this caller; whether it says something of it.
    pub fn heed(&self, caller: &Behalf, object: Option<&str>, challenges: &HeaderMap) -> bool {
        self.holder(caller).is_ok_and(|holder| self.heed_of(&holder, object, challenges))
    }

    /// A call for `object` went through.
    pub fn went(&self, object: &str) {
        self.outgoing.went(&self.source.server, object);
    }

    /// The same for what the gate asked for itself.
    pub fn heed_own(&self, challenges: &HeaderMap) -> bool {
        self.heed_of(&Holder::Shared, None, challenges)
    }

    fn heed_of(&self, holder: &Holder, object: Option<&str>, challenges: &HeaderMap) -> bool {
        let challenge = Challenge::read(challenges);
        if let Some(challenge) = &challenge {
            self.outgoing.refused(&self.source, holder, object, challenge);
        }
        challenge.is_some()
    }

    fn holder(&self, caller: &Behalf) -> Result<Holder, OutgoingError> {
        Holder::of(self.source.whose, caller).ok_or_else(|| OutgoingError::NoUser(self.source.server.clone()))
    }
}
