//! What looks into messages, as settings say, and the key of what is known by fingerprints alone.

use std::path::Path;

use anyhow::Context as _;

use crate::settings::Loaded;

/// The file of the key under which texts are known that are not to be read.
const KEY: &str = "inspection.key";

/// The key of fingerprints: kept beside the data, made if it is not there.
pub(crate) fn key(data: &Path, entropy: &dyn model::Entropy) -> anyhow::Result<model::FingerprintKey> {
    let file = data.join(KEY);
    let shown = file.display();
    if !file.try_exists().with_context(|| format!("cannot look for the key `{shown}`"))? {
        identity::write_private(&file, format!("{:032x}", entropy.bits()).as_bytes())
            .with_context(|| format!("cannot make the key `{shown}`"))?;
    }
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read the key `{shown}`"))?;
    let bits = u128::from_str_radix(text.trim(), 16).with_context(|| format!("`{shown}` holds no key"))?;
    Ok(model::FingerprintKey::new(bits))
}

/// What settings say of inspection.
pub(crate) fn sight(loaded: &Loaded, key: model::FingerprintKey) -> anyhow::Result<gateway::Sight> {
    Ok(gateway::Sight { inspector: loaded.inspector(key)?, suppressions: loaded.suppressions()? })
}
