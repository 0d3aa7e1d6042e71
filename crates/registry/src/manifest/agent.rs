//! `agents/NAME.toml`: a registered agent. Who is in no such file is nobody, whatever token they have.

use std::collections::HashSet;

use model::{AgentId, AgentKind, Assurance, CertificateName, EndpointName, limits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Misfit;
use super::text::Line;

/// `agents/NAME.toml`: software that may call, which OAuth clients it is, for whom it works, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
#[schemars(with = "Written")]
pub struct AgentManifest {
    /// Its id, as policies and receipts name it.
    pub name: AgentId,
    /// Whether it works for people, always, or for nobody, ever.
    pub kind: AgentKind,
    /// Who answers for it.
    pub owner: Line,
    /// What it is for, in a sentence.
    pub purpose: Line,
    /// The endpoints that it may use; what it may do there is for policies to say.
    pub endpoints: Vec<EndpointName>,
    /// How well it must be known at least.
    pub assurance: Assurance,
    /// What its certificate calls it, if it has one: then it comes with that, and with no other.
    pub certificate: Option<CertificateName>,
    /// The OAuth clients that it is.
    pub clients: Vec<AgentClient>,
}

/// An OAuth client, by which tokens name an agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentClient {
    /// The issuer that knows it, exactly as `[[issuer]]` and tokens spell it.
    pub issuer: Line,
    /// The client's id there.
    pub id: Line,
    /// Where a person's browser may be sent after they signed in, compared as text. Only the gate's own authorization server
    /// reads this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<Line>,
    /// The public keys with which it proves at the gate's own authorization server that it is this client. Without any, and
    /// without `jwks_uri`, it proves nothing and is a public client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<ClientKey>,
    /// Where it publishes those keys instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<Line>,
    /// Who vouches for its software there. Then it comes with that word, and with nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attester: Option<Attester>,
}

/// Who vouches for an agent's software: a platform, a device management, a build.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attester {
    /// What it calls itself: the `iss` of its attestations.
    pub issuer: Line,
    /// The public keys by which its attestations are believed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<ClientKey>,
    /// Where it publishes those keys instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<Line>,
}

/// A public key, member by member as in a key set (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientKey {
    /// Its type: `EC`, `OKP` or `RSA`.
    pub kty: Line,
    /// Its curve: `P-256`, `P-384`, `P-521` or `Ed25519`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<Line>,
    /// A coordinate of the key on its curve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<Line>,
    /// The other one, where there are two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<Line>,
    /// The modulus of an RSA key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<Line>,
    /// The exponent of an RSA key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<Line>,
    /// Its id, as the client's assertions name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<Line>,
    /// The one algorithm that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<Line>,
}

impl AgentManifest {
    /// Where in the manifest an endpoint is named, for mistakes that are found later.
    pub fn key_of(&self, endpoint: &EndpointName) -> String {
        let place = self.endpoints.iter().position(|own| own == endpoint).unwrap_or_default();
        format!("endpoints[{place}]")
    }
}

/// The fields as they are written.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AgentManifest")]
struct Written {
    /// Its id, as policies and receipts name it.
    #[schemars(with = "String")]
    name: AgentId,
    /// `delegated`: it works for people, always. `autonomous`: it works for nobody, ever.
    #[schemars(with = "String")]
    kind: AgentKind,
    /// Who answers for it.
    owner: Line,
    /// What it is for, in a sentence.
    purpose: Line,
    /// The endpoints that it may use.
    #[schemars(with = "Vec<String>")]
    endpoints: Vec<EndpointName>,
    /// How well it must be known at least: `public` (as it is without this), `key-bound`, `mutual-tls` or `attested`.
    #[serde(default = "public", skip_serializing_if = "is_public")]
    #[schemars(with = "Option<String>")]
    assurance: Assurance,
    /// What its certificate calls it: `{ spiffe = "spiffe://…" }` or `{ dns = "…" }`. With it, its tokens count only over a
    /// connection that was made with that certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<std::collections::BTreeMap<String, String>>")]
    certificate: Option<CertificateName>,
    /// The OAuth clients that it is.
    clients: Vec<AgentClient>,
}

fn public() -> Assurance {
    Assurance::Public
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_public(assurance: &Assurance) -> bool {
    *assurance == Assurance::Public
}

impl TryFrom<Written> for AgentManifest {
    type Error = Misfit;

    fn try_from(written: Written) -> Result<Self, Misfit> {
        let Written { name, kind, owner, purpose, endpoints, assurance, certificate, clients } = written;
        if assurance == Assurance::Development {
            return Err(Misfit::new("assurance", "development tokens stand in the settings, not here"));
        }
        let different: HashSet<_> = endpoints.iter().collect();
        if endpoints.len() > limits::AGENT_ENDPOINTS_MAX || different.len() < endpoints.len() {
            let why = format!("name at most {} endpoints, each once", limits::AGENT_ENDPOINTS_MAX);
            return Err(Misfit::new("endpoints", why));
        }
        let different: HashSet<_> = clients.iter().map(|client| (&client.issuer, &client.id)).collect();
        let count = clients.len();
        if count == 0 || count > limits::AGENT_CLIENTS_MAX || different.len() < count {
            let why = format!("name from 1 to {} clients, each once", limits::AGENT_CLIENTS_MAX);
            return Err(Misfit::new("clients", why));
        }
        if let Some(place) = clients.iter().position(|one| one.redirect_uris.len() > limits::AGENT_CLIENTS_MAX) {
            let why = format!("name at most {} redirects", limits::AGENT_CLIENTS_MAX);
            return Err(Misfit::new(format!("clients[{place}].redirect_uris"), why));
        }
        for (place, client) in clients.iter().enumerate() {
            client.fits(&format!("clients[{place}]"))?;
        }
        Ok(Self { name, kind, owner, purpose, endpoints, assurance, certificate, clients })
    }
}

impl AgentClient {
    /// Whether what it proves itself by fits together; `at` is where it stands.
    fn fits(&self, at: &str) -> Result<(), Misfit> {
        check_keys(&self.keys, self.jwks_uri.as_ref(), at)?;
        let Some(attester) = &self.attester else { return Ok(()) };
        if !self.keys.is_empty() || self.jwks_uri.is_some() {
            let why =
                "a client whose software is vouched for has no keys of its own here: its attestation names its key";
            return Err(Misfit::new(format!("{at}.attester"), why));
        }
        if attester.keys.is_empty() && attester.jwks_uri.is_none() {
            let why = "give the attester's public `keys`, or its `jwks_uri`: nobody is believed without";
            return Err(Misfit::new(format!("{at}.attester"), why));
        }
        check_keys(&attester.keys, attester.jwks_uri.as_ref(), &format!("{at}.attester"))
    }
}

fn check_keys(keys: &[ClientKey], jwks_uri: Option<&Line>, at: &str) -> Result<(), Misfit> {
    if keys.len() > limits::KEYS_PER_SET_MAX {
        let why = format!("name at most {} keys", limits::KEYS_PER_SET_MAX);
        return Err(Misfit::new(format!("{at}.keys"), why));
    }
    if !keys.is_empty() && jwks_uri.is_some() {
        let why = "keys stand here, or where they are published, not both";
        return Err(Misfit::new(format!("{at}.jwks_uri"), why));
    }
    Ok(())
}

impl From<AgentManifest> for Written {
    fn from(manifest: AgentManifest) -> Self {
        let AgentManifest { name, kind, owner, purpose, endpoints, assurance, certificate, clients } = manifest;
        Self { name, kind, owner, purpose, endpoints, assurance, certificate, clients }
    }
}
