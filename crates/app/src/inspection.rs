//! What looks into messages, as settings say, and the key of what is known by fingerprints alone.

use std::path::Path;
use std::sync::Arc;

use admin::view::{CalloutRow, InspectionView, SuppressionRow};
use anyhow::Context as _;
use gateway::Gate;

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
pub(crate) fn sight(
    loaded: &Loaded,
    key: model::FingerprintKey,
    egress: &egress::Client,
) -> anyhow::Result<gateway::Sight> {
    Ok(gateway::Sight {
        inspector: loaded.inspector(key)?,
        suppressions: loaded.suppressions()?,
        callouts: loaded.callouts(egress)?,
    })
}

/// What is shown of it.
pub(crate) fn shown(gate: &Arc<Gate>) -> Arc<dyn Fn() -> InspectionView + Send + Sync> {
    let gate = Arc::clone(gate);
    Arc::new(move || {
        let (sight, now) = (gate.sight.load(), gate.clock.now());
        let suppressions = sight.suppressions.counted().map(|(one, used)| SuppressionRow {
            rule: one.rule.to_string(),
            server: one.server.as_ref().map(ToString::to_string),
            tool: one.tool.as_ref().map(ToString::to_string),
            pointer: one.pointer.clone(),
            owner: one.owner.clone(),
            reason: one.reason.clone(),
            until: one.until.0,
            over: now >= one.until,
            used,
        });
        let callouts = sight.callouts.all().map(|(callout, alone_until)| CalloutRow {
            name: callout.name.clone(),
            place: format!("{}{}", callout.url.origin().ascii_serialization(), callout.url.path()),
            about: callout.about.actions.iter().map(|action| action.as_str().to_owned()).collect(),
            servers: callout.about.servers.iter().map(ToString::to_string).collect(),
            sends: callout.sends.as_str().to_owned(),
            fails: callout.fails.as_str().to_owned(),
            left_alone_until: alone_until.filter(|until| now < *until).map(|until| until.0),
        });
        InspectionView { suppressions: suppressions.collect(), callouts: callouts.collect() }
    })
}
