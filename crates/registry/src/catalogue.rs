//! The registry's part of a snapshot: what can be reached at this revision, arranged for asking.
//!
//! It is compiled once per revision and never changes. What is not approved is not in it, so the data plane cannot
//! reach it by mistake.

mod endpoint;
mod search;
mod tool;

use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::Arc;

use egress::Reach;
use model::{Digest, EndpointName, PromptName, ServerName, Timestamp, ToolName, ZoneName};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::manifest::{Place, ZONE_INTERNET};
use crate::{
    Changed, Definition, Difference, EndpointManifest, Kind, Outcome, Pins, Server, ServerManifest, Standing,
    ZoneManifest,
};

pub use endpoint::{Endpoint, Member, Offered};
pub use tool::{Beside, Tool};

/// Every endpoint that can be connected to.
#[derive(Default)]
pub struct Catalogue {
    endpoints: HashMap<EndpointName, Arc<Endpoint>>,
    absent: HashMap<EndpointName, Absence>,
    servers: HashMap<ServerName, Arc<Approved>>,
}

/// Why a declared endpoint cannot be connected to, for operators. Callers see an endpoint that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Absence {
    /// No endpoint of that name was declared.
    #[error("no endpoint of that name is declared")]
    Undeclared,
    /// Its server was not submitted.
    #[error("its server `{0}` was not submitted")]
    ServerMissing(ServerName),
    /// Its server is not in service.
    #[error("its server `{server}` is {standing}", standing = .standing.as_str())]
    ServerUnapproved {
        /// The server.
        server: ServerName,
        /// Where it stands.
        standing: Standing,
    },
    /// Its server's manifest has another identity than the one that was approved.
    #[error("its server `{0}` was submitted anew since it was approved, with another url, zone, credential or command")]
    IdentityChanged(ServerName),
    /// Its server is in a zone that is not declared.
    #[error("its server `{server}` is in zone `{zone}`, which is not declared")]
    ZoneMissing {
        /// The server.
        server: ServerName,
        /// The zone.
        zone: ZoneName,
    },
    /// It is for several servers, and none of them can be used.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Servers(Vec<Absence>),
}

/// A server in service, at the definitions people approved.
pub struct Approved {
    /// Its name.
    pub name: ServerName,
    /// What was submitted and approved.
    pub manifest: ServerManifest,
    /// The addresses of its zone; none for a local server, which is reached at no address.
    pub reach: Option<Reach>,
    /// The digest over everything that was approved.
    pub digest: Digest,
    /// Its `serverInfo` as approved; null if it gave none.
    pub server_info: Value,
    /// Its instructions as approved: what discovery serves, whatever the server says now.
    pub instructions: Option<String>,
    /// Its capabilities as approved.
    pub capabilities: Value,
    /// The protocol revisions it spoke when it was approved.
    pub supported_versions: Vec<String>,
    /// When it was approved last.
    pub approved: Option<Timestamp>,
    /// When its approval is over, if it has an end.
    pub expires: Option<Timestamp>,
    /// Whether nothing of it can be used until people look, because it speaks an older revision than it did. Its definitions
    /// are withheld then, every one.
    pub withheld: bool,
    tools: Shelf<ToolName, Tool>,
    prompts: Shelf<PromptName, Prompt>,
    templates: Vec<Arc<Template>>,
}

/// A pinned prompt.
pub struct Prompt {
    /// Its server.
    pub server: ServerName,
    /// Its name.
    pub name: PromptName,
    /// The digest people approved.
    pub pin: Digest,
    /// The definition people approved, as its server wrote it.
    pub raw: Arc<RawValue>,
    /// Whether the server's definition is no longer the approved one.
    pub withheld: bool,
}

/// A pinned resource template.
pub struct Template {
    /// Its server.
    pub server: ServerName,
    /// The RFC 6570 URI template.
    pub template: String,
    /// The digest people approved.
    pub pin: Digest,
    /// The definition people approved, as its server wrote it.
    pub raw: Arc<RawValue>,
    /// Whether the server's definition is no longer the approved one.
    pub withheld: bool,
}

/// A definition as it is to be served.
#[derive(Clone, Copy)]
struct Served<'state> {
    definition: &'state Definition,
    /// The one that the server has now, which calls must fit too.
    beside: Option<&'state Definition>,
    withheld: bool,
}

/// Things by name, and in the order in which they were pinned.
struct Shelf<Name, Thing> {
    by_name: HashMap<Name, Arc<Thing>>,
    in_order: Vec<Arc<Thing>>,
}

impl<Name, Thing> Default for Shelf<Name, Thing> {
    fn default() -> Self {
        Self { by_name: HashMap::new(), in_order: Vec::new() }
    }
}

impl<Name: std::hash::Hash + Eq, Thing> Shelf<Name, Thing> {
    /// The first of a name stays; vetting excludes names that are there twice.
    fn put(&mut self, name: Name, thing: Arc<Thing>) {
        if let std::collections::hash_map::Entry::Vacant(place) = self.by_name.entry(name) {
            place.insert(Arc::clone(&thing));
            self.in_order.push(thing);
        }
    }
}

impl Catalogue {
    /// Compiles the state of one revision.
    pub fn compile(servers: &[impl Borrow<Server>], endpoints: &[EndpointManifest], zones: &[ZoneManifest]) -> Self {
        Self::default().succeed(servers, endpoints, zones)
    }

    /// Compiles the state of a later revision. What is still what it was is kept and not made anew: definitions, with
    /// their compiled schemas, servers, and endpoints whose servers are all kept. One change among a thousand servers then
    /// costs little more than itself, and whoever kept something of an unchanged endpoint can see that it still holds.
    #[must_use]
    pub fn succeed(
        &self,
        servers: &[impl Borrow<Server>],
        endpoints: &[EndpointManifest],
        zones: &[ZoneManifest],
    ) -> Self {
        let mut next = Self::default();
        let mut absences = HashMap::new();
        for server in servers.iter().map(Borrow::borrow) {
            let name = &server.manifest.name;
            match Approved::compile(server, zones, self.servers.get(name)) {
                Ok(approved) => _ = next.servers.insert(name.clone(), approved),
                Err(absence) => _ = absences.insert(name, absence),
            }
        }
        for manifest in endpoints {
            let name = manifest.name.clone();
            let find = |server: &ServerName| match next.servers.get(server) {
                Some(approved) => Ok(Arc::clone(approved)),
                None => Err(absences.get(server).cloned().unwrap_or_else(|| Absence::ServerMissing(server.clone()))),
            };
            match Endpoint::compile(manifest, find, self.endpoints.get(&name)) {
                Ok(endpoint) => _ = next.endpoints.insert(name, endpoint),
                Err(absence) => _ = next.absent.insert(name, absence),
            }
        }
        next
    }

    /// The endpoint of that name, if it can be connected to.
    pub fn endpoint(&self, name: &EndpointName) -> Option<&Arc<Endpoint>> {
        self.endpoints.get(name)
    }

    /// Every endpoint that can be connected to, in no order.
    pub fn endpoints(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.endpoints.values()
    }

    /// Why [`Catalogue::endpoint`] has none of that name, for the receipt.
    pub fn absence(&self, name: &EndpointName) -> Absence {
        self.absent.get(name).cloned().unwrap_or(Absence::Undeclared)
    }

    /// The server of that name, if it is in service.
    pub fn server(&self, name: &ServerName) -> Option<&Arc<Approved>> {
        self.servers.get(name)
    }

    /// Every server in service, in no order.
    pub fn servers(&self) -> impl Iterator<Item = &Arc<Approved>> {
        self.servers.values()
    }
}

impl Approved {
    fn compile(server: &Server, zones: &[ZoneManifest], before: Option<&Arc<Self>>) -> Result<Arc<Self>, Absence> {
        let manifest = &server.manifest;
        let name = manifest.name.clone();
        let pins = server.in_service().ok_or_else(|| match server.standing {
            Standing::Approved => Absence::IdentityChanged(name.clone()),
            Standing::Draft
            | Standing::Submitted
            | Standing::Vetted
            | Standing::Suspended
            | Standing::Quarantined
            | Standing::Retired => Absence::ServerUnapproved { server: name.clone(), standing: server.standing },
        })?;
        let reach = match &manifest.place {
            Place::At(address) => {
                let zone = || address.zone.clone();
                let missing = || Absence::ZoneMissing { server: name.clone(), zone: zone() };
                Some(reach(&address.zone, zones).ok_or_else(missing)?)
            }
            Place::Started(_) => None,
        };
        let mut approved = Self {
            name,
            manifest: manifest.clone(),
            reach,
            digest: pins.digest,
            server_info: pins.definitions.server_info.clone(),
            instructions: pins.definitions.instructions.clone(),
            capabilities: pins.definitions.capabilities.clone(),
            supported_versions: pins.definitions.supported_versions.clone(),
            approved: server.approved.as_ref().map(|mark| mark.at),
            expires: server.expires,
            withheld: false,
            tools: Shelf::default(),
            prompts: Shelf::default(),
            templates: Vec::new(),
        };
        approved.shelve(server, pins, before.map(AsRef::as_ref));
        let same = before.filter(|before| approved.is(before));
        Ok(same.map_or_else(|| Arc::new(approved), Arc::clone))
    }

    /// Whether nothing has changed since `before`, of which every definition was kept that could be.
    fn is(&self, before: &Self) -> bool {
        let Self { name, manifest, reach, digest, server_info, instructions, capabilities, .. } = self;
        let Self { supported_versions, approved, expires, withheld, tools, prompts, templates, .. } = self;
        (name, manifest, reach, digest) == (&before.name, &before.manifest, &before.reach, &before.digest)
            && (server_info, instructions) == (&before.server_info, &before.instructions)
            && (capabilities, supported_versions) == (&before.capabilities, &before.supported_versions)
            && (approved, expires, withheld) == (&before.approved, &before.expires, &before.withheld)
            && are_same(&tools.in_order, &before.tools.in_order)
            && are_same(&prompts.in_order, &before.prompts.in_order)
            && are_same(templates, &before.templates)
    }

    /// Puts every pinned definition in its place. One that cannot be a name or has no JSON form is left out: it is
    /// not found, which is the safe side of a store that holds what it should not.
    fn shelve(&mut self, server: &Server, pins: &Pins, before: Option<&Self>) {
        // Most servers show what was approved, and the digest is over all that is compared.
        let other = server.observed.as_ref().filter(|observed| observed.digest != pins.digest);
        let difference = other.map(|observed| Difference::between(pins, observed, server.manifest.accepts()));
        let observed = other.map(|observed| &observed.definitions);
        let held_back = difference.as_ref().map(Difference::withheld).unwrap_or_default();
        let outcomes: HashMap<(Kind, &str), Outcome> =
            difference.iter().flat_map(|difference| &difference.changed).map(Changed::outcome).collect();
        self.withheld = difference.as_ref().is_some_and(|difference| difference.downgraded.is_some());
        for kind in Kind::ALL {
            let now: HashMap<&str, &Definition> = observed
                .into_iter()
                .flat_map(|observed| observed.of(kind))
                .map(|one| (one.name.as_str(), one))
                .collect();
            for pinned in pins.definitions.of(kind) {
                let place = (kind, pinned.name.as_str());
                let withheld = self.withheld || held_back.contains(&place);
                let other = outcomes.get(&place).copied().zip(now.get(pinned.name.as_str()).copied());
                let (served, beside) = match other {
                    Some((Outcome::Accepted, other)) => (other, None),
                    Some((Outcome::Pinned, other)) => (pinned, Some(other)),
                    Some((Outcome::Withheld, _)) | None => (pinned, None),
                };
                self.put(kind, Served { definition: served, beside, withheld }, before);
            }
        }
    }

    /// Puts one definition in its place, kept from `before` if it is what it was.
    fn put(&mut self, kind: Kind, served: Served<'_>, before: Option<&Self>) {
        let Served { definition, beside, withheld } = served;
        let (server, pin, raw) = (self.name.clone(), definition.digest, || Arc::clone(&definition.raw));
        match kind {
            Kind::Tool => {
                let Ok(name) = definition.name.parse::<ToolName>() else { return };
                let same = before.and_then(|before| before.tool(&name)).filter(|tool| {
                    let is_beside = tool.beside.as_ref().map(|beside| beside.digest);
                    tool.pin == pin && tool.withheld == withheld && is_beside == beside.map(|beside| beside.digest)
                });
                let make = || {
                    let beside = beside.map(|beside| Beside::new(beside.digest, Arc::clone(&beside.raw)));
                    Arc::new(Tool::new(server, name.clone(), pin, raw(), withheld).with(beside))
                };
                let tool = same.map_or_else(make, Arc::clone);
                self.tools.put(name, tool);
            }
            Kind::Prompt => {
                let Ok(name) = definition.name.parse::<PromptName>() else { return };
                let same = before.and_then(|before| before.prompt(&name));
                let same = same.filter(|prompt| prompt.pin == pin && prompt.withheld == withheld);
                let make = || Arc::new(Prompt { server, name: name.clone(), pin, raw: raw(), withheld });
                let prompt = same.map_or_else(make, Arc::clone);
                self.prompts.put(name, prompt);
            }
            Kind::Template => {
                // There may be many, and they have no names: they stay in their order, or are made anew.
                let there = before.and_then(|before| before.templates.get(self.templates.len()));
                let same =
                    there.filter(|one| one.pin == pin && one.withheld == withheld && one.template == definition.name);
                let make =
                    || Arc::new(Template { server, template: definition.name.clone(), pin, raw: raw(), withheld });
                let template = same.map_or_else(make, Arc::clone);
                self.templates.push(template);
            }
        }
    }

    /// A pinned tool.
    pub fn tool(&self, name: &ToolName) -> Option<&Arc<Tool>> {
        self.tools.by_name.get(name)
    }

    /// The pinned tools, in the order they were pinned.
    pub fn tools(&self) -> &[Arc<Tool>] {
        &self.tools.in_order
    }

    /// A pinned prompt.
    pub fn prompt(&self, name: &PromptName) -> Option<&Arc<Prompt>> {
        self.prompts.by_name.get(name)
    }

    /// The pinned prompts, in the order they were pinned.
    pub fn prompts(&self) -> &[Arc<Prompt>] {
        &self.prompts.in_order
    }

    /// The pinned resource templates, in the order they were pinned.
    pub fn templates(&self) -> &[Arc<Template>] {
        &self.templates
    }
}

/// Whether both hold the same things, not only equal ones, in the same order.
fn are_same<Thing>(one: &[Arc<Thing>], other: &[Arc<Thing>]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| Arc::ptr_eq(one, other))
}

/// The addresses of a zone; none if it is not declared.
pub fn reach(zone: &ZoneName, zones: &[ZoneManifest]) -> Option<Reach> {
    if zone.as_str() == ZONE_INTERNET {
        return Some(Reach::internet());
    }
    zones.iter().find(|declared| declared.name == *zone).map(|declared| Reach::new(declared.addresses.clone()))
}

#[cfg(test)]
mod tests;
