//! `[vault]`: the master key under which secrets that the gate keeps are sealed.

use identity::vault::{KeyRing, Vault as Sealing};
use model::SecretReference;
use registry::manifest::Mistake;
use serde::Deserialize;
use std::sync::Arc;

use super::Loaded;
use super::place::Step::{self, Index, Key};

/// The master key, and those before it. Without this table the gate keeps a key of its own in the data directory, for the
/// credentials of servers alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vault {
    /// Where the master key is kept: 64 hexadecimal digits, beside no backup of what it seals.
    pub key: SecretReference,
    /// Where those before it are kept, as long as anything is sealed under them.
    #[serde(default)]
    pub earlier: Vec<SecretReference>,
}

impl Loaded {
    /// The vault, if there is one.
    ///
    /// # Errors
    /// When a key cannot be read, or is none.
    pub(crate) fn vault(&self) -> Result<Option<Sealing>, Mistake> {
        let Some(Vault { key, earlier }) = &self.settings.vault else { return Ok(None) };
        let read = |reference: &SecretReference, at: &[Step<'_>]| {
            let secret = self.secret(reference, at)?;
            KeyRing::new(&secret, &[]).map_err(|error| self.wrong(at, error.to_string()))?;
            Ok(secret)
        };
        let place = [Key("vault"), Key("key")];
        let current = read(key, &place)?;
        let earlier = earlier.iter().enumerate();
        let earlier = earlier.map(|(index, key)| read(key, &[Key("vault"), Key("earlier"), Index(index)]));
        let earlier = earlier.collect::<Result<Vec<_>, Mistake>>()?;
        let ring = KeyRing::new(&current, &earlier).map_err(|error| self.wrong(&place, error.to_string()))?;
        Ok(Some(Sealing::new(Arc::new(ring))))
    }
}
