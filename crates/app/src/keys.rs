//! What servers are given: keys that somebody keeps, and tokens of their authorization servers.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use gateway::Key;
use identity::client_keys::ClientKeys;
use identity::fetch::Outbound;
use identity::outgoing::{Flow, Outgoing, Proof, Registered, Source, Subject, Supply, Whose};
use identity::{Credential, read_secret};
use registry::manifest::{Address, ClientProof, Grant, GrantHolder, GrantKind, GrantSubject};
use registry::{ServerManifest, ZoneManifest};

use crate::shown::Shown;

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
    /// What servers are shown.
    pub(crate) shown: &'a Shown,
    /// By what the gate proves that it is a client.
    pub(crate) client_keys: &'a Arc<ClientKeys>,
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
    let Around { egress, zones, base, outgoing, shown, client_keys } = around;
    let shows = shown.of(manifest)?;
    // The certificate is the server's: its authorization server is shown none.
    let way = |zone: &model::ZoneName, shows: Option<&egress::Shows>| {
        let reach = registry::reach(zone, zones).with_context(|| format!("the zone `{zone}` is not declared"))?;
        let lane = egress.lane_that_shows(manifest.name.as_str(), &reach, shows);
        anyhow::Ok(Arc::new(Outbound::over(lane, &reach)))
    };
    let client = grant.client.as_ref().map(|id| {
        let proof = match &grant.proof {
            ClientProof::None => None,
            ClientProof::Secret(secret) => Some(Proof::Secret(Arc::new(read_secret(secret, base)?))),
            ClientProof::OwnKey => Some(Proof::Key(Arc::clone(client_keys) as _)),
        };
        anyhow::Ok(Registered { id: id.to_string(), proof })
    });
    let source = Source {
        server: manifest.name.clone(),
        identity: manifest.identity(),
        url: address.url.as_str().parse().with_context(|| format!("the URL of server `{}`", manifest.name))?,
        whose: match (grant.kind, grant.holder) {
            (GrantKind::TokenExchange | GrantKind::IdentityAssertion, _) => Whose::Both,
            (GrantKind::AuthorizationCode | GrantKind::ClientCredentials, GrantHolder::Shared) => Whose::Shared,
            (GrantKind::AuthorizationCode | GrantKind::ClientCredentials, GrantHolder::User) => Whose::User,
            (GrantKind::AuthorizationCode | GrantKind::ClientCredentials, GrantHolder::Agent) => Whose::Agent,
        },
        flow: match (grant.kind, grant.subject) {
            (GrantKind::AuthorizationCode, _) => Flow::Code,
            (GrantKind::ClientCredentials, _) => Flow::Client,
            (GrantKind::TokenExchange, GrantSubject::Gate) => Flow::Exchange(Subject::Gate),
            (GrantKind::TokenExchange, GrantSubject::SignIn) => Flow::Exchange(Subject::SignIn),
            (GrantKind::IdentityAssertion, _) => Flow::Assertion,
        },
        issuer: grant.issuer.as_ref().map(ToString::to_string),
        scopes: grant.scopes.iter().map(ToString::to_string).collect(),
        client: client.transpose()?,
        to_server: way(&address.zone, shows.as_ref())?,
        to_issuer: way(grant.zone.as_ref().unwrap_or(&address.zone), None)?,
    };
    Ok(Key::Granted(Supply::new(Arc::clone(outgoing), source)))
}
