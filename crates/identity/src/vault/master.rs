//! What wraps data keys.

use async_trait::async_trait;
use model::Secret;

use super::random_key;

/// A key that wraps data keys and is never seen by whoever uses it.
#[async_trait]
pub trait MasterKey: Send + Sync {
    /// A new data key, wrapped.
    ///
    /// # Errors
    /// When the key cannot be used.
    async fn fresh(&self) -> Result<(Secret<Vec<u8>>, Wrapped), MasterKeyError> {
        let data_key = random_key().ok_or(MasterKeyError::Wraps)?;
        let wrapped = self.wrap(&data_key).await?;
        Ok((data_key, wrapped))
    }

    /// Looks whether the key can be used. One that is at hand can.
    ///
    /// # Errors
    /// When it cannot.
    async fn check(&self) -> Result<(), MasterKeyError> {
        Ok(())
    }

    /// Whether this very key wrapped that, in whatever version of it.
    fn has_wrapped(&self, wrapped: &Wrapped) -> bool;

    /// Wraps a data key under the key as it is now.
    ///
    /// # Errors
    /// When the key cannot be used.
    async fn wrap(&self, data_key: &Secret<Vec<u8>>) -> Result<Wrapped, MasterKeyError>;

    /// A data key that this key, or one before it, wrapped.
    ///
    /// # Errors
    /// When the key that wrapped it is not there any more, or cannot be used.
    async fn unwrap(&self, wrapped: &Wrapped) -> Result<Secret<Vec<u8>>, MasterKeyError>;

    /// The same data key under the key as it is now; `None` if it is already.
    ///
    /// # Errors
    /// As for [`MasterKey::unwrap`].
    async fn rewrap(&self, wrapped: &Wrapped) -> Result<Option<Wrapped>, MasterKeyError>;
}

/// A data key that nobody can use without the master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// Which key wrapped it.
    pub name: String,
    /// The wrapped key.
    pub bytes: Vec<u8>,
}

/// Why a master key could not be used.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The record is of a key that is not among those that are known.
    #[error("no master key named `{0}` is configured: name it under `earlier` as long as records of it are kept")]
    Unknown(String),
    /// The wrapped key was changed.
    #[error("a wrapped key does not open")]
    Opens,
    /// The cipher or the system's randomness failed.
    #[error("a key cannot be wrapped")]
    Wraps,
    /// The service that holds the key did not do what it was asked.
    #[error("the key service cannot be used: {0}")]
    Service(String),
}
