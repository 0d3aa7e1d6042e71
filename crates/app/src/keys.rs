//! What servers are given: keys that somebody keeps, and tokens of their authorization servers.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use gateway::Key;
use identity::fetch::Outbound;
use identity::outgoing::{Flow, Outgoing, Proof, Registered, Source, Supply, Whose};
use identity::{Credential, read_secret};
use registry::manifest::{Address, Grant, GrantHolder, GrantKind};
use registry::{ServerManifest, ZoneManifest};

/// What a key is made with.
pub(crate) struct Around<'a> {
    /// The way out.
    pub(crate) egress: &'a egress::Client,
    /// The network segments that are declared.
    pub(crate) zones: &'a [ZoneManifest],
    /// Where relative secret files start from.
    pub(crate) base: &'a Path,
    /// Where tokens come from.
    pub(crate) outgoing: &'a Arc<Outgoing>,
}

/// A key that is the same for everybody.
pub(crate) fn fixed(wanted: &registry::manifest::Key, base: &Path) -> anyhow::Result<Key> {
    let secret = read_secret(&wanted.secret, base)?;
    Ok(Key::Fixed(Credential::new(wanted.header.as_str(), wanted.scheme(), &secret)?))
}

/// Tokens of the server's authorization server. The server is asked within its own zone, the authorization server within
/// the one that the manifest says: what either of them names leads nowhere else.
pub(crate) fn granted(
    manifest: &ServerManifest,
    address: &Address,
    grant: &Grant,
    around: &Around<'_>,
) -> anyhow::Result<Key> {
    let Around { egress, zones, base, outgoing } = around;
    let way = |zone: &model::ZoneName| {
        let reach = registry::reach(zone, zones).with_context(|| format!("the zone `{zone}` is not declared"))?;
        anyhow::Ok(Arc::new(Outbound::new(egress, manifest.name.as_str(), &reach)))
    };
    let client = grant.client.as_ref().map(|id| {
        let secret = grant.secret.as_ref().map(|secret| read_secret(secret, base)).transpose()?;
        anyhow::Ok(Registered { id: id.to_string(), proof: secret.map(|secret| Proof::Secret(Arc::new(secret))) })
    });
    let source = Source {
        server: manifest.name.clone(),
        identity: manifest.identity(),
        url: address.url.as_str().parse().with_context(|| format!("the URL of server `{}`", manifest.name))?,
        whose: match grant.holder {
            GrantHolder::Shared => Whose::Shared,
            GrantHolder::User => Whose::User,
            GrantHolder::Agent => Whose::Agent,
        },
        flow: match grant.kind {
            GrantKind::AuthorizationCode => Flow::Code,
            GrantKind::ClientCredentials => Flow::Client,
        },
        issuer: grant.issuer.as_ref().map(ToString::to_string),
        scopes: grant.scopes.iter().map(ToString::to_string).collect(),
        client: client.transpose()?,
        to_server: way(&address.zone)?,
        to_issuer: way(grant.zone.as_ref().unwrap_or(&address.zone))?,
    };
    Ok(Key::Granted(Supply::new(Arc::clone(outgoing), source)))
}
