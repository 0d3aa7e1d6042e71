//! The vault of what is kept for servers, and the key that it is sealed under.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use identity::port::Credentials;
use identity::vault::{KeyRing, Vault};
use identity::{read_secret, write_private};
use model::{Entropy, Secret, SecretReference};

use crate::settings::Loaded;

/// The vault that settings name; else one whose key is in the data directory, made if nothing was ever sealed.
///
/// # Errors
/// When the key is gone, or can be read by others, or is none.
pub(crate) async fn open(
    loaded: &Loaded,
    named: Option<Vault>,
    port: &dyn Credentials,
    entropy: &dyn Entropy,
) -> anyhow::Result<Vault> {
    if let Some(named) = named {
        return Ok(named);
    }
    let key = own(loaded.data().join("vault.key"), port, entropy).await?;
    let ring = KeyRing::new(&key, &[]).context("the vault's key in the data directory")?;
    Ok(Vault::new(Arc::new(ring)))
}

async fn own(file: PathBuf, port: &dyn Credentials, entropy: &dyn Entropy) -> anyhow::Result<Secret<String>> {
    let shown = file.display();
    if !file.try_exists().with_context(|| format!("cannot look for the vault's key `{shown}`"))? {
        let sealed = port.kept_of(None).await.context("cannot look for what the vault sealed")?.len();
        anyhow::ensure!(
            sealed == 0,
            "the vault's key `{shown}` is gone, and {sealed} credentials are sealed under it: put it back from your \
             backup, or name the key they are sealed under as `key` in `[vault]`"
        );
        write_private(&file, format!("{:032x}{:032x}", entropy.bits(), entropy.bits()).as_bytes())
            .with_context(|| format!("cannot make the vault's key `{shown}`"))?;
    }
    read_secret(&SecretReference::File(file.clone()), std::path::Path::new("")).context("the vault's key")
}
