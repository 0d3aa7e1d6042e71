//! Signing in, wired: the façade over the store and the identity provider, and the clients that people registered with it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use admin::port::Governed;
use anyhow::Context as _;
use arc_swap::ArcSwap;
use egress::Reach;
use gateway::Gate;
use identity::client_keys::ClientKeys;
use identity::facade::{
    ATTESTED, Attester, Client, Directory, Doorway, Facade, Keys, Needs, OwnKeys, Proof, Redirects, Terms,
};
use identity::fetch::Outbound;
use identity::keys::{Algorithm, KeySet, KeySource};
use identity::relying::{Provider, Relying};
use identity::resource_server::proof::Proofs;
use identity::resource_server::{IssuerSettings, Mapping};
use identity::vault::Vault;
use identity::{Seal, port};
use model::{Clock, EndpointName, Entropy, limits};
use registry::manifest::Line;
use registry::{AgentClient, AgentManifest, ClientKey};
use url::Url;

use crate::settings::Loaded;

/// What settings ask for, read and checked; nothing was asked or opened for it.
pub(crate) struct Wanted {
    terms: Terms,
    provider: Provider,
    reach: Reach,
    vault: Vault,
    keys_age: u64,
}

/// What it is built from.
pub(crate) struct Around {
    /// Its memory.
    pub port: Arc<dyn port::Facade>,
    /// Where what the provider says of people is kept.
    pub words: Arc<dyn port::Credentials>,
    /// The way out.
    pub egress: egress::Client,
    /// What checks proofs of possession, also where tokens are used.
    pub proofs: Arc<Proofs>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// Reads what settings ask for; `None` where nobody signs in.
///
/// # Errors
/// When a secret cannot be read.
pub(crate) fn wanted(
    loaded: &Loaded,
    bound: SocketAddr,
    vault: Option<&Vault>,
    own: &Arc<ClientKeys>,
) -> anyhow::Result<Option<Wanted>> {
    let (Some((terms, provider, reach)), Some(vault)) = (loaded.sign_in(bound, own)?, vault.cloned()) else {
        return Ok(None);
    };
    let keys_age = loaded.settings.sign_in.as_ref().map_or(limits::KEYS_AGE_SECONDS, |one| one.keys_age_seconds);
    Ok(Some(Wanted { terms, provider, reach, vault, keys_age }))
}

impl Wanted {
    /// The clients that are registered with it: none, until the state is read.
    pub(crate) fn register(&self) -> Arc<Register> {
        Arc::new(Register { issuer: self.terms.issuer.clone(), known: ArcSwap::default() })
    }

    /// Opens the façade.
    ///
    /// # Errors
    /// When its memory cannot be read, or its keys cannot be opened.
    pub(crate) async fn open(self, register: Arc<Register>, around: Around) -> anyhow::Result<Arc<Facade>> {
        let Self { terms, provider, reach, vault, keys_age } = self;
        let Around { port, words, egress, proofs, clock, entropy } = around;
        let to_provider = Arc::new(Outbound::new(&egress, "the identity provider", &reach));
        let relying = Relying::new(provider, to_provider, Arc::clone(&clock), keys_age);
        let needs = Needs {
            terms,
            port,
            words,
            directory: register,
            relying: Arc::new(relying),
            fetch: Arc::new(Outbound::new(&egress, "clients' documents", &Reach::internet())),
            vault,
            // What was not finished when the gate stopped is begun again.
            seal: Arc::new(Seal::new(Arc::clone(&entropy))?),
            proofs,
            clock,
            entropy,
        };
        Ok(Arc::new(Facade::open(needs).await.context("people cannot sign in")?))
    }
}

/// The façade as one more issuer of tokens: its keys are at hand, and what it revoked is known at once.
pub(crate) fn issuer(facade: &Facade, user_prefix: String) -> anyhow::Result<IssuerSettings> {
    Ok(IssuerSettings {
        url: facade.issuer().to_owned(),
        keys: KeySource::At(Url::parse(&format!("{}/oauth/jwks", facade.issuer()))?),
        algorithms: vec![Algorithm::Es256],
        skew: 0,
        keys_age_max: limits::KEYS_AGE_SECONDS,
        mapping: Mapping {
            // A client that describes itself acts as the one that stands in for it.
            client: vec!["registration".to_owned(), "client_id".to_owned()],
            user: "user".to_owned(),
            user_prefix,
            attested: Some(ATTESTED.to_owned()),
            ..Mapping::default()
        },
        reach: Reach::new(Vec::new()),
        fetch: Arc::new(OwnKeys(Arc::clone(facade.keys()))),
        revocations: Some(Arc::clone(facade.revocations())),
    })
}

/// Has open streams ask again whether they may go on when a sign-in was ended, until `stop` resolves.
pub(crate) async fn end_with_sign_ins(facade: Arc<Facade>, gate: Arc<Gate>, stop: impl Future<Output = ()>) {
    let mut told = facade.revocations().subscribe();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            changed = told.changed() => if changed.is_err() { return },
        }
        gate.snapshots.ask_again();
    }
}

/// The agents that people registered as clients of the gate's own authorization server, and the endpoints there are, at the
/// revision that was compiled last.
pub(crate) struct Register {
    issuer: String,
    known: ArcSwap<Known>,
}

#[derive(Default)]
struct Known {
    clients: HashMap<String, Client>,
    endpoints: HashMap<EndpointName, Doorway>,
}

impl Register {
    /// Goes by this revision of the state.
    pub(crate) fn take(&self, governed: &Governed) {
        let mut known = Known::default();
        for endpoint in &governed.endpoints {
            let scopes = endpoint.authentication.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
            let doorway = Doorway { purpose: endpoint.purpose.as_str().to_owned(), scopes };
            known.endpoints.insert(endpoint.name.clone(), doorway);
        }
        for agent in &governed.agents {
            for client in agent.clients.iter().filter(|client| client.issuer.as_str() == self.issuer) {
                match read(agent, client) {
                    Ok(read) => drop(known.clients.insert(read.id.clone(), read)),
                    // It is no client then: what cannot be read is not guessed.
                    Err(error) => tracing::error!(
                        agent = %agent.name, client = client.id.as_str(), "an application cannot sign in: {error:#}"
                    ),
                }
            }
        }
        self.known.store(Arc::new(known));
    }
}

impl Directory for Register {
    fn client(&self, client_id: &str) -> Option<Client> {
        self.known.load().clients.get(client_id).cloned()
    }

    fn endpoint(&self, name: &EndpointName) -> Option<Doorway> {
        self.known.load().endpoints.get(name).cloned()
    }
}

fn read(agent: &AgentManifest, client: &AgentClient) -> anyhow::Result<Client> {
    let redirects = client.redirect_uris.iter().map(|redirect| redirect.as_str().to_owned()).collect();
    let proof = match (&client.attester, keys(&client.keys, client.jwks_uri.as_ref().map(Line::as_str))?) {
        (Some(attester), _) => {
            let keys = keys(&attester.keys, attester.jwks_uri.as_ref().map(Line::as_str)).context("its attester")?;
            let keys = keys.context("its attester has no keys")?;
            Proof::Attested(Attester { issuer: attester.issuer.as_str().to_owned(), keys })
        }
        (None, Some(keys)) => Proof::Keys(keys),
        (None, None) if agent.certificate.is_some() => Proof::Certificate,
        (None, None) => Proof::Public,
    };
    Ok(Client {
        id: client.id.as_str().to_owned(),
        registration: client.id.as_str().to_owned(),
        agent: agent.name.clone(),
        kind: agent.kind,
        name: agent.name.to_string(),
        vouched: true,
        endpoints: agent.endpoints.clone(),
        redirects: Redirects::new(redirects)?,
        proof,
        certificate: agent.certificate.clone(),
    })
}

/// The keys that stand in a manifest, or where they are published; `None` where there are none.
fn keys(listed: &[ClientKey], at: Option<&str>) -> anyhow::Result<Option<Keys>> {
    if let Some(at) = at {
        let at = Url::parse(at).context("its `jwks_uri` is no URL")?;
        anyhow::ensure!(at.scheme() == "https", "its `jwks_uri` is not `https`");
        return Ok(Some(Keys::At(at)));
    }
    if listed.is_empty() {
        return Ok(None);
    }
    let set = serde_json::json!({ "keys": listed }).to_string();
    let set = KeySet::read(set.as_bytes()).context("its keys")?;
    anyhow::ensure!(set.len() == listed.len(), "one of its keys is none that can be believed");
    Ok(Some(Keys::Here(Arc::new(set))))
}
