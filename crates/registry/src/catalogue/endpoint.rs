//! What agents find at an endpoint: the definitions of its servers, under the names by which they are called there.
//!
//! Names cannot collide, by construction. At an endpoint for one server they are the server's own. At one for several,
//! each begins with its server's name and `_`; a server's name has no `_`, so the first `_` of a name tells server and own
//! name apart, and two different pairs never make one name. URIs are not changed; each server serves only those that begin
//! as the endpoint's manifest says, and no two beginnings there cover the same URI.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use model::{EndpointName, PromptName, ServerName, ToolName};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::search::Index;
use super::{Absence, Approved, Prompt, Template, Tool};
use crate::manifest::{EndpointManifest, Naming, Portion};

/// What stands between a server's name and its own names, at an endpoint for several.
const SEPARATOR: char = '_';

/// An endpoint of which at least one server is in service.
pub struct Endpoint {
    /// Its name.
    pub name: EndpointName,
    /// What was applied.
    pub manifest: EndpointManifest,
    /// How tools and prompts are called there.
    pub naming: Naming,
    /// Its servers that are in service, in the manifest's order; never empty.
    pub members: Vec<Member>,
    /// Why others are not.
    pub missing: Vec<Absence>,
    tools: Offers<Tool>,
    prompts: Offers<Prompt>,
    templates: Offers<Template>,
    /// Made at the first search, and kept as long as the tools stay the same.
    index: Arc<OnceLock<Index>>,
}

/// A server in service, and what of it is behind the endpoint.
pub struct Member {
    /// The server.
    pub server: Arc<Approved>,
    portion: Portion,
    naming: Naming,
}

/// A definition, as it is shown at an endpoint.
pub struct Offered<Thing> {
    /// The name it has there; a template's own text.
    pub shown: String,
    /// The definition people approved, with that name in it and nothing else changed.
    pub raw: Arc<RawValue>,
    /// What is pinned, under the server's own name.
    pub item: Arc<Thing>,
    /// Whose it is: the place in [`Endpoint::members`].
    pub member: usize,
}

/// Definitions by the names they are shown under, and in the order in which they are listed.
struct Offers<Thing> {
    in_order: Vec<Offered<Thing>>,
    places: HashMap<String, usize>,
}

impl<Thing> Default for Offers<Thing> {
    fn default() -> Self {
        Self { in_order: Vec::new(), places: HashMap::new() }
    }
}

impl<Thing> Offers<Thing> {
    fn find(&self, shown: &str) -> Option<&Offered<Thing>> {
        self.in_order.get(*self.places.get(shown)?)
    }

    /// The first of a name stays. There is never a second: names cannot collide, and a shelf has each once.
    fn put(&mut self, offered: Offered<Thing>) {
        if let std::collections::hash_map::Entry::Vacant(place) = self.places.entry(offered.shown.clone()) {
            place.insert(self.in_order.len());
            self.in_order.push(offered);
        }
    }

    /// Puts in what a member offers under its own name `own`; what was spliced before is taken from there.
    fn offer(
        &mut self,
        before: Option<&Self>,
        member: (usize, &Member),
        own: &str,
        item: &Arc<Thing>,
        raw: &Arc<RawValue>,
    ) {
        let (place, Member { server, naming, .. }) = member;
        let shown = shown(*naming, &server.name, own);
        let raw = match naming {
            Naming::Plain => Some(Arc::clone(raw)),
            Naming::Prefixed => {
                let same = before.and_then(|before| before.find(&shown)).filter(|same| Arc::ptr_eq(&same.item, item));
                same.map_or_else(|| renamed(raw, &shown), |same| Some(Arc::clone(&same.raw)))
            }
        };
        // A definition without a name of its own cannot be shown under another; discovery reads none such.
        if let Some(raw) = raw {
            self.put(Offered { shown, raw, item: Arc::clone(item), member: place });
        }
    }
}

/// The name by which something of a server is called.
fn shown(naming: Naming, server: &ServerName, own: &str) -> String {
    match naming {
        Naming::Plain => own.to_owned(),
        Naming::Prefixed => format!("{server}{SEPARATOR}{own}"),
    }
}

/// The definition with another name in it, everything else byte for byte as it was.
fn renamed(raw: &RawValue, name: &str) -> Option<Arc<RawValue>> {
    #[derive(Deserialize)]
    struct Named<'raw> {
        #[serde(borrow)]
        name: &'raw RawValue,
    }
    let text = raw.get();
    let own = serde_json::from_str::<Named<'_>>(text).ok()?.name.get();
    // The borrowed value lies within the text, so the distance of their beginnings is its place.
    let start = (own.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let (before, after) = (text.get(..start)?, text.get(start.checked_add(own.len())?..)?);
    let name = serde_json::to_string(name).ok()?;
    RawValue::from_string([before, &name, after].concat()).ok().map(Arc::from)
}

impl Endpoint {
    /// Compiles a manifest, with the servers that `find` has in service. What did not change since `before` is kept: all of
    /// it, if its servers are the same.
    pub(super) fn compile(
        manifest: &EndpointManifest,
        find: impl Fn(&ServerName) -> Result<Arc<Approved>, Absence>,
        before: Option<&Arc<Self>>,
    ) -> Result<Arc<Self>, Absence> {
        let naming = manifest.naming();
        let (mut members, mut missing) = (Vec::new(), Vec::new());
        for portion in manifest.portions() {
            match find(&portion.name) {
                Ok(server) => members.push(Member { server, portion: portion.clone(), naming }),
                Err(absence) => missing.push(absence),
            }
        }
        if members.is_empty() {
            return Err(match (naming, missing.pop()) {
                (Naming::Plain, Some(absence)) => absence,
                (Naming::Plain | Naming::Prefixed, last) => {
                    missing.extend(last);
                    Absence::Servers(missing)
                }
            });
        }
        let is_as_before = |before: &&Arc<Self>| {
            let servers =
                |members: &[Member]| members.iter().map(|member| Arc::as_ptr(&member.server)).collect::<Vec<_>>();
            before.manifest == *manifest && before.missing == missing && servers(&before.members) == servers(&members)
        };
        if let Some(before) = before.filter(is_as_before) {
            return Ok(Arc::clone(before));
        }
        let before = before.map(AsRef::as_ref);
        let name = manifest.name.clone();
        let (tools, prompts, templates) = (Offers::default(), Offers::default(), Offers::default());
        let mut endpoint = Self {
            name,
            manifest: manifest.clone(),
            naming,
            members,
            missing,
            tools,
            prompts,
            templates,
            index: Arc::default(),
        };
        endpoint.offer(before);
        if let Some(before) = before.filter(|before| same(&before.tools, &endpoint.tools, |tool| tool.pin)) {
            endpoint.index = Arc::clone(&before.index);
        }
        Ok(Arc::new(endpoint))
    }

    fn offer(&mut self, before: Option<&Self>) {
        let Self { members, tools, prompts, templates, .. } = self;
        for member in members.iter().enumerate() {
            let (place, Member { server, .. }) = member;
            for tool in server.tools().iter().filter(|tool| member.1.offers_tool(&tool.name)) {
                tools.offer(before.map(|before| &before.tools), member, tool.name.as_str(), tool, &tool.raw);
            }
            for prompt in server.prompts().iter().filter(|prompt| member.1.offers_prompt(&prompt.name)) {
                prompts.offer(before.map(|before| &before.prompts), member, prompt.name.as_str(), prompt, &prompt.raw);
            }
            for template in server.templates().iter().filter(|one| member.1.offers_template(&one.template)) {
                let (shown, raw) = (template.template.clone(), Arc::clone(&template.raw));
                templates.put(Offered { shown, raw, item: Arc::clone(template), member: place });
            }
        }
    }

    /// The tools there, server by server, each in the order they were pinned. Withheld ones are among them.
    pub fn tools(&self) -> &[Offered<Tool>] {
        &self.tools.in_order
    }

    /// The tool that is called by this name there.
    pub fn find_tool(&self, shown: &str) -> Option<&Offered<Tool>> {
        self.tools.find(shown)
    }

    /// The place of the tool that is called by this name there.
    pub fn place_of(&self, shown: &str) -> Option<usize> {
        self.tools.places.get(shown).copied()
    }

    /// The places of the tools that have words of a query, of those that are seen: what fits best first. What is not seen
    /// changes nothing.
    pub fn find_tools(&self, query: &str, sees: impl FnMut(usize) -> bool) -> Vec<usize> {
        self.index.get_or_init(|| Index::of(&self.tools.in_order)).find(query, sees)
    }

    /// The prompts there, as [`Endpoint::tools`].
    pub fn prompts(&self) -> &[Offered<Prompt>] {
        &self.prompts.in_order
    }

    /// The prompt that is called by this name there.
    pub fn find_prompt(&self, shown: &str) -> Option<&Offered<Prompt>> {
        self.prompts.find(shown)
    }

    /// The resource templates there: those of which every URI is their server's to serve.
    pub fn templates(&self) -> &[Offered<Template>] {
        &self.templates.in_order
    }

    /// The resource template of this text there.
    pub fn find_template(&self, template: &str) -> Option<&Offered<Template>> {
        self.templates.find(template)
    }

    /// What a name there means: a server and the server's own name, whether or not there are such. A name that can mean
    /// nothing, because no server's name stands before a `_` in it, gives none.
    pub fn resolve<'name>(&self, shown: &'name str) -> Option<(ServerName, &'name str)> {
        match self.naming {
            Naming::Plain => self.manifest.servers().next().map(|server| (server.clone(), shown)),
            Naming::Prefixed => {
                let (server, own) = shown.split_once(SEPARATOR)?;
                let known = self.manifest.servers().find(|known| known.as_str() == server).cloned();
                Some((known.or_else(|| server.parse().ok())?, own)).filter(|(_, own)| !own.is_empty())
            }
        }
    }

    /// The name by which something of a server is called there.
    pub fn shown(&self, server: &ServerName, own: &str) -> String {
        shown(self.naming, server, own)
    }

    /// The one member that may serve a resource, if there is one.
    pub fn holder(&self, uri: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.holds(uri))
    }

    /// The member that is this server, if it is in service.
    pub fn member(&self, server: &ServerName) -> Option<&Member> {
        self.place(server).and_then(|place| self.members.get(place))
    }

    /// Its place in [`Endpoint::members`].
    pub fn place(&self, server: &ServerName) -> Option<usize> {
        self.members.iter().position(|member| member.server.name == *server)
    }

    /// Whether agents are shown the same there: the same definitions under the same names, withheld or not alike, and the
    /// same instructions.
    pub fn shows_same(&self, other: &Self) -> bool {
        let instructions = |endpoint: &Self| -> Vec<_> {
            let servers = endpoint.members.iter().map(|member| &member.server);
            servers.map(|server| (server.name.clone(), server.instructions.clone())).collect()
        };
        instructions(self) == instructions(other)
            && self.manifest.search == other.manifest.search
            && same(&self.tools, &other.tools, |tool| (tool.pin, tool.withheld))
            && same(&self.prompts, &other.prompts, |prompt| (prompt.pin, prompt.withheld))
            && same(&self.templates, &other.templates, |template| (template.pin, template.withheld))
    }
}

fn same<Thing, Mark: PartialEq>(one: &Offers<Thing>, other: &Offers<Thing>, mark: fn(&Thing) -> Mark) -> bool {
    let (one, other) = (&one.in_order, &other.in_order);
    let alike = |(one, other): (&Offered<Thing>, &Offered<Thing>)| {
        one.shown == other.shown && mark(&one.item) == mark(&other.item)
    };
    one.len() == other.len() && one.iter().zip(other).all(alike)
}

impl Member {
    /// Whether a tool of the server, by the server's own name, was chosen for this endpoint.
    pub fn offers_tool(&self, own: &ToolName) -> bool {
        self.portion.tools.takes(own)
    }

    /// Whether a prompt of the server, by the server's own name, was chosen for this endpoint.
    pub fn offers_prompt(&self, own: &PromptName) -> bool {
        self.portion.prompts.takes(own)
    }

    /// Whether the server may serve this resource here. An endpoint for one server says nothing of resources, and has all
    /// of them; one for several has those that it says.
    pub fn holds(&self, uri: &str) -> bool {
        match self.naming {
            Naming::Plain => true,
            Naming::Prefixed => self.portion.resources.iter().any(|prefix| prefix.covers(uri)),
        }
    }

    fn offers_template(&self, template: &str) -> bool {
        match self.naming {
            Naming::Plain => true,
            Naming::Prefixed => self.portion.resources.iter().any(|prefix| prefix.covers_template(template)),
        }
    }

    /// Whether it can have any resources here.
    pub fn has_resources(&self) -> bool {
        match self.naming {
            Naming::Plain => true,
            Naming::Prefixed => !self.portion.resources.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests;
