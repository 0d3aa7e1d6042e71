//! `servers/NAME.toml`: a server that is reached at a url, or one that the gate starts.

use std::collections::BTreeMap;

use model::{Confidentiality, Digest, Object, SecretReference, ServerName, ToolName, ZoneName, limits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::command::CommandManifest;
use super::credential::Credential;
use super::package::PackageManifest;
use super::text::{Line, PublishedName, ServerUrl};
use super::{Misfit, internet};
use crate::{Harmless, Lifecycle};

/// `servers/NAME.toml`: one MCP server, submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
#[schemars(with = "Written")]
pub struct ServerManifest {
    /// Its name within the gate.
    pub name: ServerName,
    /// Where it is, or how it is started.
    pub place: Place,
    /// Who answers for it: a team or a person.
    pub owner: Line,
    /// What it is for, in a sentence.
    pub purpose: Line,
    /// A name for people, if the name is not enough.
    pub title: Option<Line>,
    /// Which environment it belongs to: `production`, `test`.
    pub environment: Option<Line>,
    /// Which classes of data it holds or is told: `internal`, `personal`.
    pub data: Vec<Line>,
    /// How long approvals are good, and what opens them again.
    pub lifecycle: Lifecycle,
    /// What it is made of, if that is asked for.
    pub package: Option<PackageManifest>,
    /// Under which name its publisher publishes it, if that is claimed.
    pub published_as: Option<PublishedName>,
    concurrency: Option<usize>,
    accepts: Option<Vec<Harmless>>,
    confidentiality: Option<Confidentiality>,
    tools: BTreeMap<ToolName, ToolManifest>,
}

/// What is different about one tool of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolManifest {
    /// How confidential what it says is at least, in the place of what the server's manifest says.
    #[schemars(with = "String")]
    pub confidentiality: Confidentiality,
}

/// How a server comes to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// It runs somewhere, and is reached there.
    At(Address),
    /// The gate starts it: a local server.
    Started(CommandManifest),
}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Its MCP endpoint.
    pub url: ServerUrl,
    /// The network segment its address must lie in.
    pub zone: ZoneName,
    /// The certificate that it is shown, and whom the gate believes there; none if it asks for none.
    pub tls: Option<ServerTls>,
    /// The credential the gate presents to it; none if it asks for none.
    pub credential: Option<Credential>,
    /// Whether it is told who calls, and for whom, in a way that it can check.
    pub asserted: bool,
}

/// What the gate shows to one server when it connects, and whom it believes there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerTls {
    /// The file of the gate's certificate for it, with those between it and its authority, in PEM.
    pub certificate: Line,
    /// Where the certificate's key is kept: `file:PATH` or `env:NAME`, in PEM.
    #[schemars(with = "String")]
    pub key: SecretReference,
    /// The file of the authorities of the server's own certificate, in PEM; those of the system if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<Line>,
}

impl ServerManifest {
    /// Where it is; none for one that the gate starts.
    pub fn address(&self) -> Option<&Address> {
        match &self.place {
            Place::At(address) => Some(address),
            Place::Started(_) => None,
        }
    }

    /// The network segments that it names: where it is, and where its authorization server is.
    pub fn zones(&self) -> impl Iterator<Item = &ZoneName> {
        let address = self.address();
        let of_grant = address.and_then(|address| match &address.credential {
            Some(Credential::Grant(grant)) => grant.zone.as_ref(),
            Some(Credential::Key(_)) | None => None,
        });
        address.map(|address| &address.zone).into_iter().chain(of_grant)
    }

    /// How the gate starts it; none for one that is reached at a url.
    pub fn command(&self) -> Option<&CommandManifest> {
        match &self.place {
            Place::Started(command) => Some(command),
            Place::At(_) => None,
        }
    }

    /// How many calls it may have at once, over all endpoints.
    pub fn concurrency(&self) -> usize {
        self.concurrency.unwrap_or(limits::SERVER_CALLS)
    }

    /// Which changes of its definitions are accepted without a person.
    pub fn accepts(&self) -> &[Harmless] {
        self.accepts.as_deref().unwrap_or(&Harmless::USUAL)
    }

    /// How confidential what it says of an object is at least, whatever is seen in it.
    pub fn confidentiality(&self, object: &Object) -> Confidentiality {
        let tool = match object {
            Object::Tool { name, .. } => self.tools.get(name),
            Object::Prompt { .. } | Object::Resource { .. } | Object::Template { .. } | Object::Server { .. } => None,
        };
        tool.map(|tool| tool.confidentiality).or(self.confidentiality).unwrap_or_default()
    }

    /// Whether looking at it gives it a secret, or runs something: then only those look who could approve it.
    pub fn is_trusted_by_looking(&self) -> bool {
        match &self.place {
            Place::At(address) => address.credential.is_some() || address.tls.is_some(),
            Place::Started(_) => true,
        }
    }

    /// The digest of what makes it this server and no other: where it is, in which zone, and which credential it is
    /// given; or the whole command that starts it; and how long approvals of it last. An approval is for one identity, so that nobody can point an
    /// approved name at another address or program, or have another secret given to it, without a new approval.
    pub fn identity(&self) -> Digest {
        let essence = |credential: &Option<Credential>| credential.as_ref().map(Credential::essence);
        let mut identity = match &self.place {
            Place::At(Address { url, zone, credential, .. }) => {
                json!({ "url": url, "zone": zone, "credential": essence(credential) })
            }
            Place::Started(command) => json!({ "command": command }),
        };
        if let Some(members) = identity.as_object_mut() {
            // It is told people's names, which those who approve it must have seen.
            if self.address().is_some_and(|address| address.asserted) {
                members.insert("assertion".to_owned(), true.into());
            }
            if let Some(tls) = self.address().and_then(|address| address.tls.as_ref()) {
                members.insert("tls".to_owned(), json!(tls));
            }
            // Else whoever submits could have an approval go on after its end.
            if self.lifecycle != Lifecycle::default() {
                members.insert("lifecycle".to_owned(), json!(self.lifecycle));
            }
        }
        // Strings and whole numbers only, so it always has a canonical form; were that ever wrong, the empty digest
        // matches no pin.
        Digest::of_json(&identity).unwrap_or(Digest::from_bytes([0; 32]))
    }
}

/// The fields as they are written. Which of them go together, [`ServerManifest`] says.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ServerManifest")]
struct Written {
    /// Its name within the gate.
    #[schemars(with = "String")]
    name: ServerName,
    /// Where its MCP endpoint is. A server has this or `command`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<ServerUrl>,
    /// The network segment the url's address must lie in; `internet` if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    zone: Option<ZoneName>,
    /// Who answers for it: a team or a person.
    owner: Line,
    /// What it is for, in a sentence.
    purpose: Line,
    /// A name for people, if the name is not enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<Line>,
    /// Which environment it belongs to: `production`, `test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<Line>,
    /// Which classes of data it holds or is told, in the words of the house: `internal`, `personal`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    data: Vec<Line>,
    /// How many calls it may have at once, over all endpoints; 128 if it is not said. The others wait for their turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    concurrency: Option<usize>,
    /// Which changes of its definitions are served without a person: `form`, the same said otherwise, and `wording`, in words
    /// that are known; both if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepts: Option<Vec<Harmless>>,
    /// How confidential what it says is at least: `public`, `internal`, `confidential` or `restricted`; `public` if it is not
    /// said. Policies see it in `context.findings.classification`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    confidentiality: Option<Confidentiality>,
    /// What is different about single tools, by their names: `[tools.read_payroll]`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, ToolManifest>")]
    tools: BTreeMap<ToolName, ToolManifest>,
    /// The certificate that the gate shows at the url; none if the server asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tls: Option<ServerTls>,
    /// The credential the gate presents at the url; none if the server asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credential: Option<Credential>,
    /// Whether requests at the url carry a signed assertion of who calls, and for whom.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    assertion: bool,
    /// How the gate starts it, for a local server. A server has this or `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    command: Option<CommandManifest>,
    /// How long approvals are good, and what follows when something opens them again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lifecycle: Option<Lifecycle>,
    /// What it is made of, and who must have made that. It can be approved only if its package, as `server scan` found it, is
    /// so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    package: Option<PackageManifest>,
    /// Its name in the registry where its publisher publishes it: `io.github.acme/tickets`, `com.example/tickets`. It is vetted
    /// whether that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    published_as: Option<PublishedName>,
}

impl TryFrom<Written> for ServerManifest {
    type Error = Misfit;

    fn try_from(written: Written) -> Result<Self, Misfit> {
        let Written { name, url, zone, owner, purpose, title, environment, concurrency, accepts, .. } = written;
        let Written {
            tls,
            credential,
            assertion,
            command,
            data,
            confidentiality,
            tools,
            lifecycle,
            package,
            published_as,
            ..
        } = written;
        package.as_ref().map_or(Ok(()), PackageManifest::check)?;
        if concurrency.is_some_and(|calls| !(1..=limits::SERVER_CALLS_MAX).contains(&calls)) {
            let why = format!("a server may have from 1 to {} calls at once", limits::SERVER_CALLS_MAX);
            return Err(Misfit::new("concurrency", why));
        }
        if data.len() > limits::DATA_CLASSES_MAX {
            let why = format!("a server has at most {} classes of data", limits::DATA_CLASSES_MAX);
            return Err(Misfit::new("data", why));
        }
        if tools.len() > limits::MANIFEST_TOOLS_MAX {
            let why = format!("a manifest speaks of at most {} tools", limits::MANIFEST_TOOLS_MAX);
            return Err(Misfit::new("tools", why));
        }
        let lifecycle = lifecycle.unwrap_or_default();
        if lifecycle.approval_days.is_some_and(|days| !(1..=limits::APPROVAL_DAYS_MAX).contains(&days)) {
            let why = format!("an approval is good for 1 to {} days", limits::APPROVAL_DAYS_MAX);
            return Err(Misfit::new("lifecycle.approval_days", why));
        }
        let place = match (url, command) {
            (Some(url), None) => {
                if tls.is_some() && !url.as_str().starts_with("https://") {
                    return Err(Misfit::new("tls", "a certificate is shown over TLS: the url begins with `https://`"));
                }
                Place::At(Address { url, zone: zone.unwrap_or_else(internet), tls, credential, asserted: assertion })
            }
            (None, Some(command)) => {
                if zone.is_some() {
                    let why = "a zone says where a url may lead; a server that the gate starts is reached at none";
                    return Err(Misfit::new("zone", why));
                }
                if credential.is_some() {
                    let why = "a credential is a header, and a server that the gate starts is sent none: name what it \
                               is given under `[command.secrets]`";
                    return Err(Misfit::new("credential", why));
                }
                if tls.is_some() {
                    let why = "a certificate is shown over TLS, and a server that the gate starts is reached at no url";
                    return Err(Misfit::new("tls", why));
                }
                if assertion {
                    let why = "an assertion is a header, and a server that the gate starts is sent none";
                    return Err(Misfit::new("assertion", why));
                }
                Place::Started(command)
            }
            (Some(_), Some(_)) => {
                let why = "a server is reached at a url or started by the gate, not both: leave out `url` or `command`";
                return Err(Misfit::new("url", why));
            }
            (None, None) => {
                let why = "say where the server is, or how the gate starts it under `[command]`";
                return Err(Misfit::new("url", why));
            }
        };
        Ok(Self {
            name,
            place,
            owner,
            purpose,
            title,
            environment,
            data,
            lifecycle,
            package,
            published_as,
            concurrency,
            accepts,
            confidentiality,
            tools,
        })
    }
}

impl From<ServerManifest> for Written {
    fn from(manifest: ServerManifest) -> Self {
        let ServerManifest { name, place, owner, purpose, title, environment, .. } = manifest;
        let ServerManifest {
            data, confidentiality, tools, lifecycle, package, published_as, concurrency, accepts, ..
        } = manifest;
        let (url, zone, tls, credential, assertion, command) = match place {
            Place::At(Address { url, zone, tls, credential, asserted }) => {
                (Some(url), Some(zone), tls, credential, asserted, None)
            }
            Place::Started(command) => (None, None, None, None, false, Some(command)),
        };
        Self {
            name,
            url,
            zone,
            owner,
            purpose,
            title,
            environment,
            data,
            concurrency,
            accepts,
            confidentiality,
            tools,
            tls,
            credential,
            assertion,
            command,
            lifecycle: (lifecycle != Lifecycle::default()).then_some(lifecycle),
            package,
            published_as,
        }
    }
}
