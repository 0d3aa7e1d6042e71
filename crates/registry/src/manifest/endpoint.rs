//! `endpoints/NAME.toml`: what agents connect to, and what of which servers is behind it.

use std::collections::HashSet;
use std::hash::Hash;

use model::{EndpointName, PromptName, ServerName, ToolName, limits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use upstream::Revision;

use super::Misfit;
use super::authentication::Demands;
use super::text::{Line, ResourcePrefix};

/// `endpoints/NAME.toml`: what agents connect to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
#[schemars(with = "Written")]
pub struct EndpointManifest {
    /// Its name: the first segment of its URL.
    pub name: EndpointName,
    /// What it is for, in a sentence.
    pub purpose: Line,
    /// Which environment it belongs to.
    pub environment: Option<Line>,
    /// The oldest revision of the protocol that clients may speak there; any if none is named.
    pub minimum_revision: Option<Revision>,
    /// That its tools are looked for instead of listed.
    pub search: Option<Search>,
    /// What callers must prove there beyond who they are.
    pub authentication: Demands,
    /// Whether the private registry lists it, for clients to find.
    pub catalogue: bool,
    naming: Naming,
    /// Never empty; exactly one where names are plain.
    portions: Vec<Portion>,
}

/// First segments of the agents' listener that are no endpoint's.
const RESERVED: [&str; 2] = ["connect", "oauth"];

/// Tools are looked for instead of listed: clients are shown three tools of the gate's, that find, describe and call the
/// others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Tools that are listed beside those three, by their names at the endpoint.
    pub listed: Vec<String>,
}

/// How tools and prompts are called at an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// As their server calls them: the endpoint is for one server, `server = "crm"`.
    Plain,
    /// By their server's name, `_`, and their own: the endpoint lists `[[servers]]`. A server's name has no `_`, so that
    /// the first one tells the two apart.
    Prefixed,
}

/// What of one server is behind an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Portion {
    /// The server.
    #[schemars(with = "String")]
    pub name: ServerName,
    /// Its tools there, by the names it gives them; all if none are named.
    #[serde(default, skip_serializing_if = "Choice::is_all")]
    #[schemars(with = "Option<Vec<String>>")]
    pub tools: Choice<ToolName>,
    /// Its prompts there, by the names it gives them; all if none are named.
    #[serde(default, skip_serializing_if = "Choice::is_all")]
    #[schemars(with = "Option<Vec<String>>")]
    pub prompts: Choice<PromptName>,
    /// How the URIs begin of its resources there; without any, it has no resources there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourcePrefix>,
}

/// A choice of names: everything, or these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Name>", into = "Vec<Name>", bound(deserialize = "Name: Deserialize<'de> + Hash + Eq"))]
#[serde(bound(serialize = "Name: Clone + Serialize"))]
pub struct Choice<Name>(Option<Vec<Name>>);

impl<Name> Default for Choice<Name> {
    fn default() -> Self {
        Self(None)
    }
}

impl<Name: Eq> Choice<Name> {
    /// Whether nothing was left out.
    pub fn is_all(&self) -> bool {
        self.0.is_none()
    }

    /// Whether the name was chosen.
    pub fn takes(&self, name: &Name) -> bool {
        self.0.as_ref().is_none_or(|names| names.contains(name))
    }

    /// The names that were chosen; none if everything was.
    pub fn names(&self) -> &[Name] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl<Name: Hash + Eq> TryFrom<Vec<Name>> for Choice<Name> {
    type Error = String;

    fn try_from(names: Vec<Name>) -> Result<Self, String> {
        if names.len() > limits::CHOSEN_NAMES_MAX {
            return Err(format!("choose at most {} names, or leave the list out for all", limits::CHOSEN_NAMES_MAX));
        }
        let different: HashSet<_> = names.iter().collect();
        if different.len() < names.len() {
            return Err("a name is chosen twice".to_owned());
        }
        Ok(Self(Some(names)))
    }
}

impl<Name> From<Choice<Name>> for Vec<Name> {
    fn from(choice: Choice<Name>) -> Self {
        choice.0.unwrap_or_default()
    }
}

impl EndpointManifest {
    /// How tools and prompts are called there.
    pub fn naming(&self) -> Naming {
        self.naming
    }

    /// The revisions that clients may speak there, the newest first: all from its minimum on, whatever its servers speak.
    pub fn revisions(&self) -> impl Iterator<Item = Revision> {
        let served = Revision::SUPPORTED.iter().copied();
        served.filter(|one| self.minimum_revision.is_none_or(|minimum| *one >= minimum))
    }

    /// What of which servers is behind it, in the order it was written; never empty.
    pub fn portions(&self) -> &[Portion] {
        &self.portions
    }

    /// The servers behind it.
    pub fn servers(&self) -> impl Iterator<Item = &ServerName> {
        self.portions.iter().map(|portion| &portion.name)
    }

    /// Where in the manifest a server is named, for mistakes that are found later.
    pub fn key_of(&self, server: &ServerName) -> String {
        match self.naming {
            Naming::Plain => "server".to_owned(),
            Naming::Prefixed => {
                let place = self.portions.iter().position(|portion| portion.name == *server).unwrap_or_default();
                format!("servers[{place}].name")
            }
        }
    }
}

/// The fields as they are written.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EndpointManifest")]
struct Written {
    /// Its name: the first segment of its URL.
    #[schemars(with = "String")]
    name: EndpointName,
    /// The one server behind it, whose names stay as they are. An endpoint has this or `servers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    server: Option<ServerName>,
    /// What it is for, in a sentence.
    purpose: Line,
    /// Which environment it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<Line>,
    /// The oldest revision of the protocol that clients may speak there, as `2025-06-18`; any if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minimum_revision: Option<String>,
    /// Whether its tools are looked for instead of listed: clients are shown `find_tools`, `describe_tool` and `call_tool`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    search: bool,
    /// The tools that are listed beside those three, by their names at this endpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    listed: Vec<String>,
    /// What callers must prove there beyond who they are.
    #[serde(default, skip_serializing_if = "Demands::is_empty")]
    authentication: Demands,
    /// Whether the private registry lists it: whoever may read that reads its name, its purpose and its URL.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    catalogue: bool,
    /// The tools of the one server, by the names it gives them; all if none are named.
    #[serde(default, skip_serializing_if = "Choice::is_all")]
    #[schemars(with = "Option<Vec<String>>")]
    tools: Choice<ToolName>,
    /// The prompts of the one server, by the names it gives them; all if none are named.
    #[serde(default, skip_serializing_if = "Choice::is_all")]
    #[schemars(with = "Option<Vec<String>>")]
    prompts: Choice<PromptName>,
    /// The servers behind it, whose names are told apart by the server's name and `_`. An endpoint has this or `server`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    servers: Option<Vec<Portion>>,
}

impl TryFrom<Written> for EndpointManifest {
    type Error = Misfit;

    fn try_from(written: Written) -> Result<Self, Misfit> {
        let Written { name, server, purpose, environment, minimum_revision, search, listed, .. } = written;
        let Written { authentication, catalogue, tools, prompts, servers, .. } = written;
        authentication.check()?;
        if RESERVED.contains(&name.as_str()) {
            return Err(Misfit::new("name", format!("pages of the gate's own are at `/{name}`: choose another name")));
        }
        let minimum_revision = minimum_revision.as_deref().map(revision).transpose()?;
        let search = searched(search, listed)?;
        let (naming, portions) = match (server, servers) {
            (Some(name), None) => (Naming::Plain, vec![Portion { name, tools, prompts, resources: Vec::new() }]),
            (None, Some(portions)) => {
                for (key, is_all) in [("tools", tools.is_all()), ("prompts", prompts.is_all())] {
                    if !is_all {
                        return Err(Misfit::new(key, "choose under the server they belong to, in its `[[servers]]`"));
                    }
                }
                check(&portions)?;
                (Naming::Prefixed, portions)
            }
            (Some(_), Some(_)) => {
                return Err(Misfit::new("server", "an endpoint has one `server` or several `[[servers]]`, not both"));
            }
            (None, None) => {
                return Err(Misfit::new("server", "name the server behind it, or several under `[[servers]]`"));
            }
        };
        Ok(Self { name, purpose, environment, minimum_revision, search, authentication, catalogue, naming, portions })
    }
}

/// What is listed where tools are looked for.
fn searched(search: bool, listed: Vec<String>) -> Result<Option<Search>, Misfit> {
    let misfit = |why: String| Err(Misfit::new("listed", why));
    if !search && !listed.is_empty() {
        return misfit("tools are listed beside `search = true`; without it, all of them are".to_owned());
    }
    if listed.len() > limits::LISTED_TOOLS_MAX {
        return misfit(format!("list at most {} tools beside the search", limits::LISTED_TOOLS_MAX));
    }
    let different: HashSet<_> = listed.iter().collect();
    if different.len() < listed.len() {
        return misfit("a name is listed twice".to_owned());
    }
    Ok(search.then_some(Search { listed }))
}

/// The revision of that name.
fn revision(name: &str) -> Result<Revision, Misfit> {
    Revision::parse(name).ok_or_else(|| {
        let known: Vec<_> = Revision::SUPPORTED.iter().map(|revision| revision.as_str()).collect();
        Misfit::new("minimum_revision", format!("name a revision that the gate speaks: {}", known.join(", ")))
    })
}

/// Whether several servers can be told apart: by their names, and by the URIs of their resources.
fn check(portions: &[Portion]) -> Result<(), Misfit> {
    if portions.is_empty() || portions.len() > limits::ENDPOINT_SERVERS_MAX {
        let why = format!("an endpoint has from 1 to {} servers", limits::ENDPOINT_SERVERS_MAX);
        return Err(Misfit::new("servers", why));
    }
    for (place, portion) in portions.iter().enumerate() {
        let before = portions.get(..place).unwrap_or_default();
        if before.iter().any(|other| other.name == portion.name) {
            let why = format!("server `{}` is named twice", portion.name);
            return Err(Misfit::new(format!("servers[{place}].name"), why));
        }
        let resources = || format!("servers[{place}].resources");
        if portion.resources.len() > limits::RESOURCE_PREFIXES_MAX {
            let why = format!("name at most {} beginnings of URIs", limits::RESOURCE_PREFIXES_MAX);
            return Err(Misfit::new(resources(), why));
        }
        for own in &portion.resources {
            let claims = before.iter().flat_map(|other| other.resources.iter().map(move |theirs| (other, theirs)));
            if let Some((other, theirs)) = claims.into_iter().find(|(_, theirs)| theirs.overlaps(own)) {
                let (server, other) = (&portion.name, &other.name);
                let why = format!(
                    "`{own}` of server `{server}` overlaps with `{theirs}` of server `{other}`, so that nobody could \
                     tell whose a resource is"
                );
                return Err(Misfit::new(resources(), why));
            }
        }
    }
    Ok(())
}

impl From<EndpointManifest> for Written {
    fn from(manifest: EndpointManifest) -> Self {
        let EndpointManifest { name, purpose, environment, minimum_revision, search, authentication, .. } = manifest;
        let EndpointManifest { catalogue, naming, mut portions, .. } = manifest;
        let written = Self {
            name,
            server: None,
            purpose,
            environment,
            minimum_revision: minimum_revision.map(|revision| revision.as_str().to_owned()),
            search: search.is_some(),
            listed: search.map(|search| search.listed).unwrap_or_default(),
            authentication,
            catalogue,
            tools: Choice::default(),
            prompts: Choice::default(),
            servers: None,
        };
        match (naming, portions.pop()) {
            (Naming::Plain, Some(Portion { name, tools, prompts, resources: _ })) => {
                Self { server: Some(name), tools, prompts, ..written }
            }
            (Naming::Plain, None) => written,
            (Naming::Prefixed, last) => {
                portions.extend(last);
                Self { servers: Some(portions), ..written }
            }
        }
    }
}
