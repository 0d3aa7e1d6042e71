//! Secrets at rest: what the gate keeps for servers and for people is sealed before any store sees it.
//!
//! Envelope encryption. Each record has a data key of its own; the data key is wrapped by a [`MasterKey`], which is a file,
//! a variable or a key of a key service, and never lies beside the records. Turning the master key over means
//! wrapping data keys anew ([`Vault::rewrap`]): no content is opened for it.
//!
//! A record opens for its purpose alone: the purpose (`credential crm user ana`) and the version of the format are
//! authenticated with the content, so that a row that was copied over another opens for nobody.

mod master;
mod ring;
mod transit;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{Secret, limits};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use master::{MasterKey, MasterKeyError, Wrapped};
pub use ring::{KeyRing, KeyRingError};
pub use transit::{Transit, TransitPlace};

use crate::secrets::opened_bytes;

/// Bytes of a key of AES-256.
pub(crate) const KEY_BYTES: usize = 32;

/// The first part of a sealed text: this format, and AES-256-GCM-SIV for content and for keys.
const VERSION: &str = "v1";

/// Seals and opens records under one master key. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    master: Arc<dyn MasterKey>,
}

/// Why a record could not be sealed or opened. It never says what was in it.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The master key could not be used.
    #[error("the master key cannot be used")]
    Master(#[from] MasterKeyError),
    /// The record was not sealed for this purpose, was changed, or is of another master key's.
    #[error("a sealed record does not open: it was changed, moved, or sealed under another key")]
    Opens,
    /// The content is longer than a record may be.
    #[error("a secret of {0} bytes is too long to be sealed")]
    TooLong(usize),
    /// The system gave no randomness, or the cipher refused.
    #[error("a secret cannot be sealed")]
    Seals,
}

/// A sealed record: text of visible ASCII that tells nothing but which master key wrapped it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sealed {
    key: Wrapped,
    nonce: [u8; NONCE_LEN],
    content: Vec<u8>,
}

/// Why a text is no sealed record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no sealed record")]
pub struct SealedError(());

impl Vault {
    /// A vault whose data keys this master key wraps.
    pub fn new(master: Arc<dyn MasterKey>) -> Self {
        Self { master }
    }

    /// Seals a secret, under a new data key, to be opened for this purpose alone.
    ///
    /// # Errors
    /// When the secret is longer than [`limits::SEALED_BYTES_MAX`], or the master key cannot be used.
    pub async fn seal(&self, purpose: &str, plain: &Secret<Vec<u8>>) -> Result<Sealed, VaultError> {
        let plain = opened_bytes(plain);
        if plain.len() > limits::SEALED_BYTES_MAX {
            return Err(VaultError::TooLong(plain.len()));
        }
        let (data_key, key) = self.master.fresh().await?;
        // A key that is used once needs no nonce that differs; one that is used again while a key service is away does.
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| VaultError::Seals)?;
        let mut content = Vec::with_capacity(plain.len() + AES_256_GCM_SIV.tag_len());
        content.extend_from_slice(plain);
        let bound = bound_to(purpose);
        cipher(opened_bytes(&data_key))
            .and_then(|key| {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.seal_in_place_append_tag(nonce, Aad::from(bound.as_bytes()), &mut content).ok()
            })
            .ok_or(VaultError::Seals)?;
        Ok(Sealed { key, nonce, content })
    }

    /// Opens a record that was sealed for this purpose.
    ///
    /// # Errors
    /// [`VaultError::Opens`] when it was not, or was changed; [`VaultError::Master`] when its key cannot be unwrapped.
    pub async fn open(&self, purpose: &str, sealed: &Sealed) -> Result<Secret<Vec<u8>>, VaultError> {
        let data_key = self.master.unwrap(&sealed.key).await?;
        let key = cipher(opened_bytes(&data_key)).ok_or(VaultError::Opens)?;
        let mut content = Zeroizing::new(sealed.content.clone());
        let nonce = Nonce::assume_unique_for_key(sealed.nonce);
        let bound = bound_to(purpose);
        let plain =
            key.open_in_place(nonce, Aad::from(bound.as_bytes()), &mut content).map_err(|_| VaultError::Opens)?;
        Ok(Secret::new(plain.to_vec()))
    }

    /// Looks whether the master key can be used, so that a gate that could open nothing does not start.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn check(&self) -> Result<(), VaultError> {
        Ok(self.master.check().await?)
    }

    /// Whether the present master key wrapped the record's data key, in whatever version of it.
    pub fn has_sealed(&self, sealed: &Sealed) -> bool {
        self.master.has_wrapped(&sealed.key)
    }

    /// The record with its data key wrapped by the master key as it is now; `None` if it is already. The content stays closed.
    ///
    /// # Errors
    /// When the master key, or the earlier one that wrapped the record, cannot be used.
    pub async fn rewrap(&self, sealed: &Sealed) -> Result<Option<Sealed>, VaultError> {
        let rewrapped = self.master.rewrap(&sealed.key).await?;
        Ok(rewrapped.map(|key| Sealed { key, nonce: sealed.nonce, content: sealed.content.clone() }))
    }
}

/// What is authenticated with the content.
fn bound_to(purpose: &str) -> String {
    format!("portcullis sealed record {VERSION}\n{purpose}")
}

/// A new key.
pub(crate) fn random_key() -> Option<Secret<Vec<u8>>> {
    let mut key = vec![0; KEY_BYTES];
    SystemRandom::new().fill(&mut key).ok()?;
    Some(Secret::new(key))
}

/// The cipher under a key of [`KEY_BYTES`] bytes.
pub(crate) fn cipher(key: &[u8]) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM_SIV, key).ok().map(LessSafeKey::new)
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [name, key, nonce, content] = [self.key.name.as_bytes(), &self.key.bytes, &self.nonce, &self.content]
            .map(|part| URL_SAFE_NO_PAD.encode(part));
        write!(f, "{VERSION}.{name}.{key}.{nonce}.{content}")
    }
}

impl FromStr for Sealed {
    type Err = SealedError;

    fn from_str(text: &str) -> Result<Self, SealedError> {
        let parts: Vec<&str> = text.split('.').collect();
        let &[VERSION, name, key, nonce, content] = parts.as_slice() else {
            return Err(SealedError(()));
        };
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| SealedError(()));
        let name = String::from_utf8(decoded(name)?).map_err(|_| SealedError(()))?;
        let nonce = decoded(nonce)?.try_into().map_err(|_| SealedError(()))?;
        Ok(Self { key: Wrapped { name, bytes: decoded(key)? }, nonce, content: decoded(content)? })
    }
}

impl TryFrom<String> for Sealed {
    type Error = SealedError;

    fn try_from(text: String) -> Result<Self, SealedError> {
        text.parse()
    }
}

impl From<Sealed> for String {
    fn from(sealed: Sealed) -> Self {
        sealed.to_string()
    }
}

#[cfg(test)]
mod tests;
