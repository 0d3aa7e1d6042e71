//! Credentials between the vault and the store: what the store keeps is sealed, and opens at its own place alone.

use std::sync::Arc;

use model::{Actor, Change, Expected, Secret, ServerName, StoreError, Timestamp};
use serde_json::Value;

use super::Holder;
use crate::port::{Credentials, Kept, Place};
use crate::secrets::{opened, opened_bytes};
use crate::vault::{Sealed, Vault, VaultError};

/// Reads and writes credentials.
pub(crate) struct Keeper {
    vault: Vault,
    port: Arc<dyn Credentials>,
}

/// A credential that was read.
pub(crate) struct Opened {
    /// What is known of it.
    pub(crate) about: Value,
    /// The same as it is written, by which it is told whether it is still there.
    pub(crate) written: String,
    /// The token or secret.
    pub(crate) first: Option<Secret<String>>,
    /// The refresh token.
    pub(crate) second: Option<Secret<String>>,
}

/// Which data keys are wrapped anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that another master key than the present one wrapped.
    OfAnother,
    /// All of them: the present one may have another version.
    All,
}

/// Why a credential could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The vault.
    #[error("the vault cannot be used")]
    Vault(#[from] VaultError),
    /// The store.
    #[error("the store cannot be used")]
    Store(#[from] StoreError),
    /// What was kept cannot be read.
    #[error("a kept credential cannot be read")]
    Unreadable,
}

/// Where a server's credential is kept.
pub(crate) fn place(server: &ServerName, holder: &Holder) -> Place {
    Place { owner: Place::owner_of(server), holder: holder.to_string() }
}

/// Where the gate's registration at an issuer is kept.
pub(crate) fn client_place(issuer: &str) -> Place {
    Place { owner: format!("issuer {issuer}"), holder: "client".to_owned() }
}

impl Keeper {
    pub(crate) fn new(vault: Vault, port: Arc<dyn Credentials>) -> Self {
        Self { vault, port }
    }

    /// What is kept at a place.
    ///
    /// # Errors
    /// [`KeepError`]: also when it was moved there, or what is known of it was changed.
    pub(crate) async fn read(&self, place: &Place) -> Result<Option<Opened>, KeepError> {
        let Some(Kept { about: written, sealed, .. }) = self.port.kept(place).await? else { return Ok(None) };
        let sealed = sealed.parse().map_err(|_| KeepError::Unreadable)?;
        let plain = self.vault.open(&purpose(place, &written), &sealed).await?;
        let text = std::str::from_utf8(opened_bytes(&plain)).map_err(|_| KeepError::Unreadable)?;
        let (first, second) = text.split_once('\n').ok_or(KeepError::Unreadable)?;
        let secret = |text: &str| (!text.is_empty()).then(|| Secret::new(text.to_owned()));
        let about = serde_json::from_str(&written).map_err(|_| KeepError::Unreadable)?;
        Ok(Some(Opened { about, written, first: secret(first), second: secret(second) }))
    }

    async fn seal(
        &self,
        place: &Place,
        about: &Value,
        first: Option<&Secret<String>>,
        second: Option<&Secret<String>>,
        at: Timestamp,
    ) -> Result<Kept, KeepError> {
        let text = |secret: Option<&Secret<String>>| secret.map_or("", |secret| opened(secret).as_str()).to_owned();
        let plain = Secret::new(format!("{}\n{}", text(first), text(second)).into_bytes());
        let about = about.to_string();
        let sealed = self.vault.seal(&purpose(place, &about), &plain).await?;
        Ok(Kept { about, sealed: sealed.to_string(), at })
    }

    /// Keeps what somebody brought about.
    pub(crate) async fn connect(
        &self,
        place: Place,
        about: &Value,
        tokens: (&Secret<String>, Option<&Secret<String>>),
        change: Change,
    ) -> Result<(), KeepError> {
        let kept = self.seal(&place, about, Some(tokens.0), tokens.1, change.at).await?;
        Ok(self.port.connected(place, kept, change).await?)
    }

    /// Keeps what was made of what is there, if it still is.
    pub(crate) async fn renew(
        &self,
        place: Place,
        about: &Value,
        tokens: (&Secret<String>, Option<&Secret<String>>),
        before: &str,
        at: Timestamp,
    ) -> Result<bool, KeepError> {
        let kept = self.seal(&place, about, Some(tokens.0), tokens.1, at).await?;
        Ok(self.port.renewed(place, kept, before).await?)
    }

    /// Keeps what is kept for a while, in place of what was there; it leaves no receipt of its own.
    pub(crate) async fn note(
        &self,
        place: Place,
        about: &Value,
        token: &Secret<String>,
        at: Timestamp,
    ) -> Result<(), KeepError> {
        let kept = self.seal(&place, about, Some(token), None, at).await?;
        Ok(self.port.noted(place, kept).await?)
    }

    /// Keeps the gate's registration at an issuer.
    pub(crate) async fn register(
        &self,
        issuer: &str,
        about: &Value,
        secret: Option<&Secret<String>>,
        at: Timestamp,
    ) -> Result<(), KeepError> {
        let place = client_place(issuer);
        let kept = self.seal(&place, about, secret, None, at).await?;
        let reason = Some("the gate registered itself".to_owned());
        let change = Change { actor: Actor::Gate, expected: Expected::Any, at, reason };
        Ok(self.port.connected(place, kept, change).await?)
    }

    /// Notes that so many things were wrapped anew.
    pub(crate) async fn note_rewrapped(&self, count: usize, change: Change) -> Result<(), KeepError> {
        Ok(self.port.rewrapped(count, change).await?)
    }

    /// Forgets what is at a place; returns whether there was something.
    pub(crate) async fn forget(&self, place: Place, change: Change) -> Result<bool, KeepError> {
        Ok(self.port.disconnected(place, change).await?)
    }

    /// What is known of the credentials of a server, none of them opened.
    pub(crate) async fn known_of(&self, server: &ServerName) -> Result<Vec<(String, Value, Timestamp)>, KeepError> {
        self.known(&Place::owner_of(server)).await
    }

    /// The same of any owner.
    pub(crate) async fn known(&self, owner: &str) -> Result<Vec<(String, Value, Timestamp)>, KeepError> {
        let rows = self.port.kept_of(Some(owner)).await?;
        let read = |(place, kept): (Place, Kept)| {
            let about = serde_json::from_str(&kept.about).map_err(|_| KeepError::Unreadable)?;
            Ok((place.holder, about, kept.at))
        };
        rows.into_iter().map(read).collect()
    }

    /// Wraps data keys anew: those that another master key than the present one wrapped, or all of them; returns how many are
    /// wrapped otherwise than before.
    ///
    /// # Errors
    /// The first record that cannot be wrapped anew. Those before it are.
    pub(crate) async fn rewrap(&self, which: Which) -> Result<usize, KeepError> {
        let mut rewrapped = 0;
        for (place, kept) in self.port.kept_of(None).await? {
            let sealed: Sealed = kept.sealed.parse().map_err(|_| KeepError::Unreadable)?;
            if which == Which::OfAnother && self.vault.has_sealed(&sealed) {
                continue;
            }
            if let Some(sealed) = self.vault.rewrap(&sealed).await? {
                let before = kept.about.clone();
                self.port.renewed(place, Kept { sealed: sealed.to_string(), ..kept }, &before).await?;
                rewrapped += 1;
            }
        }
        Ok(rewrapped)
    }
}

/// What a record is sealed for: its place, and what is told of it. Neither can be changed without it.
fn purpose(place: &Place, about: &str) -> String {
    format!("credential\n{}\n{}\n{about}", place.owner, place.holder)
}
