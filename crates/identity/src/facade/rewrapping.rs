//! Another master key, or another version of it: what the façade keeps sealed is wrapped anew, and stays closed.

use super::Facade;
use crate::outgoing::{KeepError, Which};
use crate::vault::Sealed;

impl Facade {
    /// Wraps the data keys of what is kept anew; returns how many are wrapped otherwise than before.
    ///
    /// # Errors
    /// The first that cannot be wrapped anew. Those before it are.
    pub async fn rewrap(&self, which: Which) -> Result<usize, KeepError> {
        let mut rewrapped = 0;
        for found in self.port.sealed().await? {
            let sealed: Sealed = found.sealed.parse().map_err(|_| KeepError::Unreadable)?;
            if which == Which::OfAnother && self.vault.has_sealed(&sealed) {
                continue;
            }
            if let Some(sealed) = self.vault.rewrap(&sealed).await? {
                // One that changed meanwhile was sealed by the present key.
                self.port.reseal(found, sealed.to_string(), self.now()).await?;
                rewrapped += 1;
            }
        }
        Ok(rewrapped)
    }
}
