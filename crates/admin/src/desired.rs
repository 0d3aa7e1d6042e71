//! What the files ask for: manifests read and checked, and compared with what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{AgentId, CertificateName, EndpointName, ServerName, ZoneName, limits};
use policy::{Policies, PolicySummary, ServerVocabulary, Vocabulary};
use registry::manifest::{self, Mistake, ZONE_INTERNET};
use registry::{AgentManifest, EndpointManifest, Server, ServerManifest, Standing, ZoneManifest};
use serde::de::DeserializeOwned;

use crate::endpoints;
use crate::fault::{Fault, Place, Problem};
use crate::manifests::{File, Manifests};
use crate::port::{Edits, Governed, Plan};
use crate::vocabularies::Vocabularies;

/// What the files ask for, of each kind they speak of.
pub(crate) struct Desired {
    zones: Option<BTreeMap<ZoneName, ZoneManifest>>,
    servers: Option<BTreeMap<ServerName, ServerManifest>>,
    endpoints: Option<BTreeMap<EndpointName, EndpointManifest>>,
    agents: Option<BTreeMap<AgentId, AgentManifest>>,
    policies: Option<BTreeMap<String, policy::Source>>,
    files: Files,
}

/// The texts by name, to find the line a problem is at.
struct Files(BTreeMap<String, String>);

/// The names and policies there would be once the plan is carried out.
struct Afterwards {
    zones: BTreeSet<ZoneName>,
    /// With their zones; a local server is in none.
    servers: BTreeMap<ServerName, Option<ZoneName>>,
    endpoints: BTreeMap<EndpointName, EndpointManifest>,
    agents: BTreeMap<AgentId, AgentManifest>,
    policies: Vec<policy::Source>,
}

impl Desired {
    /// Reads every file.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, with its place.
    pub(crate) fn read(manifests: Manifests) -> Result<Self, Fault> {
        let mut problems = Vec::new();
        let Manifests { zones, servers, endpoints, agents, policies } = manifests;
        let lists = [&zones, &servers, &endpoints, &agents, &policies];
        let all = || lists.iter().filter_map(|list| list.as_ref()).flatten();
        if all().count() > limits::MANIFESTS_MAX {
            let message = format!("there are more than {} files", limits::MANIFESTS_MAX);
            return Err(Fault::new(crate::fault::Code::TooLarge, message));
        }
        let files = Files(all().map(|file| (file.file.clone(), file.text.clone())).collect());
        let desired = Self {
            zones: zones.map(|list| named(&list, "zones", |zone: &ZoneManifest| &zone.name, &mut problems)),
            servers: servers.map(|list| named(&list, "servers", |server: &ServerManifest| &server.name, &mut problems)),
            endpoints: endpoints
                .map(|list| named(&list, "endpoints", |endpoint: &EndpointManifest| &endpoint.name, &mut problems)),
            agents: agents.map(|list| named(&list, "agents", |agent: &AgentManifest| &agent.name, &mut problems)),
            policies: policies.map(|list| sources(list, &mut problems)),
            files,
        };
        Fault::of_problems(problems).map_or(Ok(desired), Err)
    }

    /// What has to change in what there is.
    pub(crate) fn plan(&self, governed: &Governed) -> Plan {
        Plan {
            zones: edits(self.zones.as_ref(), &governed.zones, |zone| &zone.name),
            servers: self.server_edits(governed),
            endpoints: edits(self.endpoints.as_ref(), &governed.endpoints, |endpoint| &endpoint.name),
            agents: edits(self.agents.as_ref(), &governed.agents, |agent| &agent.name),
            policies: edits(self.policies.as_ref(), &governed.policies, |source| &source.file),
        }
    }

    /// What is retired stays as it is, whatever the files say; a draft that they describe is submitted by them.
    fn server_edits(&self, governed: &Governed) -> Edits<ServerManifest, ServerName> {
        let there = governed.servers.iter().filter(|server| server.standing != Standing::Retired);
        let there: Vec<_> = there.map(|server| server.manifest.clone()).collect();
        let mut edits = edits(self.servers.as_ref(), &there, |server| &server.name);
        let drafts = governed.servers.iter().filter(|server| server.standing == Standing::Draft);
        let described = drafts.filter_map(|draft| self.servers.as_ref()?.get(&draft.manifest.name));
        let same: Vec<_> = described.filter(|server| !edits.update.contains(server)).cloned().collect();
        edits.update.extend(same);
        edits
    }

    /// Whether what there would be fits together: every name that is used is there, and every policy is right for
    /// every approved tool it can apply to. Gives what people are shown of the policies.
    ///
    /// # Errors
    /// Everything that does not fit, with its place.
    pub(crate) fn check(&self, governed: &Governed, vocabularies: &Vocabularies) -> Result<Vec<PolicySummary>, Fault> {
        let after = self.afterwards(governed);
        let mut problems = Vec::new();
        let zoned = after.servers.iter().filter_map(|(server, zone)| Some((server, zone.as_ref()?)));
        for (server, zone) in zoned {
            if zone.as_str() != ZONE_INTERNET && !after.zones.contains(zone) {
                let message = format!("server `{server}` is in zone `{zone}`, which is not declared");
                let hint = format!("add zones/{zone}.toml, or name another zone");
                problems.push(self.files.problem(&format!("servers/{server}.toml"), "zone", message, hint));
            }
        }
        problems.extend(self.taken(governed));
        for (endpoint, manifest) in &after.endpoints {
            for server in manifest.servers().filter(|server| !after.servers.contains_key(*server)) {
                let message = format!("endpoint `{endpoint}` names server `{server}`, which there is not");
                let hint = format!("add servers/{server}.toml, or name another server");
                let key = manifest.key_of(server);
                problems.push(self.files.problem(&format!("endpoints/{endpoint}.toml"), &key, message, hint));
            }
        }
        problems.extend(self.misplaced(&after));
        let kept = governed.servers.iter().filter(|server| after.servers.contains_key(&server.manifest.name));
        let mut vocabulary = vocabularies.among(kept, after.endpoints.keys());
        // A server that is new has no approved tools yet, but its name is already one that policies may use.
        let known: BTreeSet<_> = governed.servers.iter().map(|server| &server.manifest.name).collect();
        let new = after.servers.keys().filter(|name| !known.contains(name));
        vocabulary.servers.extend(new.map(|name| ServerVocabulary { name: name.clone(), tools: Vec::new() }.into()));
        match compile(&after.policies, &vocabulary) {
            Ok(policies) if problems.is_empty() => return Ok(policies.summaries()),
            Ok(_) => {}
            Err(wrong) => problems.extend(wrong),
        }
        Fault::of_problems(problems).map_or(Ok(Vec::new()), Err)
    }

    /// Servers of a name whose server is retired.
    fn taken(&self, governed: &Governed) -> Vec<Problem> {
        let retired = governed.servers.iter().filter(|server| server.standing == Standing::Retired);
        let named = retired.map(|server| &server.manifest.name);
        let again = named.filter(|name| self.servers.as_ref().is_some_and(|servers| servers.contains_key(*name)));
        let problem = |name: &ServerName| {
            let message = format!("server `{name}` is retired, which is final");
            let hint = "remove this file; a new server has a new name".to_owned();
            self.files.problem(&format!("servers/{name}.toml"), "name", message, hint)
        };
        again.map(problem).collect()
    }

    /// What is wrong with the agents: an endpoint that is not there, a client or a certificate that is two agents.
    fn misplaced(&self, after: &Afterwards) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut clients: BTreeMap<(&str, &str), &AgentId> = BTreeMap::new();
        let mut certificates: BTreeMap<&CertificateName, &AgentId> = BTreeMap::new();
        for (agent, manifest) in &after.agents {
            let file = format!("agents/{agent}.toml");
            for endpoint in manifest.endpoints.iter().filter(|endpoint| !after.endpoints.contains_key(*endpoint)) {
                let message = format!("agent `{agent}` names endpoint `{endpoint}`, which there is not");
                let hint = format!("add endpoints/{endpoint}.toml, or name another endpoint");
                problems.push(self.files.problem(&file, &manifest.key_of(endpoint), message, hint));
            }
            if let Some(name) = &manifest.certificate
                && let Some(other) = certificates.insert(name, agent)
            {
                let message = format!("agents `{other}` and `{agent}` have one certificate, `{name}`");
                let hint = "give each agent a certificate of its own".to_owned();
                problems.push(self.files.problem(&file, "certificate", message, hint));
            }
            for (place, client) in manifest.clients.iter().enumerate() {
                if let Some(other) = clients.insert((client.issuer.as_str(), client.id.as_str()), agent) {
                    let message = format!("agents `{other}` and `{agent}` are one client of one issuer");
                    let hint = "give each agent a client of its own".to_owned();
                    problems.push(self.files.problem(&file, &format!("clients[{place}].id"), message, hint));
                }
            }
        }
        problems
    }

    /// What looks wrong with the endpoints that these files describe, and does not stop them from being used.
    pub(crate) fn notes(&self, governed: &Governed) -> Vec<String> {
        let seen = endpoints::seen(&governed.servers);
        let told = |manifest: &EndpointManifest| {
            let file = format!("endpoints/{}.toml", manifest.name);
            endpoints::notes(manifest, &seen).into_iter().map(move |note| format!("{file}: {note}"))
        };
        self.endpoints.iter().flat_map(BTreeMap::values).flat_map(told).collect()
    }

    fn afterwards(&self, governed: &Governed) -> Afterwards {
        let zones = match &self.zones {
            Some(zones) => zones.keys().cloned().collect(),
            None => governed.zones.iter().map(|zone| zone.name.clone()).collect(),
        };
        let zone = |manifest: &ServerManifest| manifest.address().map(|address| address.zone.clone());
        let in_zone = |manifest: &ServerManifest| (manifest.name.clone(), zone(manifest));
        let in_zone_unless_retired = |server: &Arc<Server>| match server.standing == Standing::Retired {
            true => (server.manifest.name.clone(), None),
            false => in_zone(&server.manifest),
        };
        let servers = match &self.servers {
            Some(servers) => servers.values().map(in_zone).collect(),
            None => governed.servers.iter().map(in_zone_unless_retired).collect(),
        };
        let endpoints = match &self.endpoints {
            Some(endpoints) => endpoints.clone(),
            None => governed.endpoints.iter().map(|one| (one.name.clone(), one.clone())).collect(),
        };
        let agents = match &self.agents {
            Some(agents) => agents.clone(),
            None => governed.agents.iter().map(|one| (one.name.clone(), one.clone())).collect(),
        };
        let policies = match &self.policies {
            Some(policies) => policies.values().cloned().collect(),
            None => governed.policies.clone(),
        };
        Afterwards { zones, servers, endpoints, agents, policies }
    }
}

impl Files {
    /// A problem with the value of a key of a manifest that was read without mistakes.
    fn problem(&self, file: &str, key: &str, message: String, hint: String) -> Problem {
        let mut place = Place { file: file.to_owned(), line: None, column: None };
        if let Some(text) = self.0.get(file)
            && let Some(offset) = manifest::offset_of(text, key)
        {
            let mistake = Mistake::at(file, text, offset, "");
            (place.line, place.column) = (Some(mistake.line), Some(mistake.column));
        }
        Problem { place, message, hint: Some(hint) }
    }
}

/// Compiles policies, with what is wrong told as problems.
pub(crate) fn compile(sources: &[policy::Source], vocabulary: &Vocabulary) -> Result<Policies, Vec<Problem>> {
    let number = |number: u32| usize::try_from(number).ok();
    Policies::compile(sources, vocabulary).map_err(|errors| {
        let problem = |error: policy::LoadError| Problem {
            place: Place { file: error.file, line: number(error.line), column: number(error.column) },
            message: error.message,
            hint: error.help,
        };
        errors.into_iter().map(problem).collect()
    })
}

/// Reads manifests and checks that each is named as its file is, so that no two can have one name.
fn named<T, Name>(files: &[File], folder: &str, name: fn(&T) -> &Name, problems: &mut Vec<Problem>) -> BTreeMap<Name, T>
where
    T: DeserializeOwned,
    Name: Ord + Clone + std::fmt::Display,
{
    let mut read = BTreeMap::new();
    for File { file, text } in files {
        let manifest: T = match manifest::parse(file, text) {
            Ok(manifest) => manifest,
            Err(mistake) => {
                problems.push(Problem::from(mistake));
                continue;
            }
        };
        let name = name(&manifest).clone();
        if *file == format!("{folder}/{name}.toml") && !read.contains_key(&name) {
            read.insert(name, manifest);
            continue;
        }
        let offset = manifest::offset_of(text, "name").unwrap_or(0);
        let message = format!("`{name}` is described in `{file}`");
        let hint = format!("describe it once, in {folder}/{name}.toml");
        problems.push(Problem::from(Mistake::at(file, text, offset, message).with_hint(hint)));
    }
    read
}

fn sources(files: Vec<File>, problems: &mut Vec<Problem>) -> BTreeMap<String, policy::Source> {
    let mut read = BTreeMap::new();
    for File { file, text } in files {
        let name = file.strip_prefix("policies/").and_then(|name| name.strip_suffix(".cedar"));
        let fits = name.is_some_and(|name| !name.is_empty() && !name.contains('/') && !name.contains(char::is_control));
        if !fits || read.contains_key(&file) {
            let place = Place { file, line: None, column: None };
            let message = "this is not the name of a policy file, or it is there twice".to_owned();
            problems.push(Problem { place, message, hint: Some("name it policies/NAME.cedar".to_owned()) });
            continue;
        }
        read.insert(file.clone(), policy::Source { file, text });
    }
    read
}

impl From<Mistake> for Problem {
    fn from(mistake: Mistake) -> Self {
        let Mistake { file, line, column, message, hint } = mistake;
        Self { place: Place { file, line: Some(line), column: Some(column) }, message, hint }
    }
}

fn edits<T, Name>(desired: Option<&BTreeMap<Name, T>>, there: &[T], name: fn(&T) -> &Name) -> Edits<T, Name>
where
    T: Clone + PartialEq,
    Name: Ord + Clone,
{
    let Some(desired) = desired else {
        return Edits::default();
    };
    let there: BTreeMap<&Name, &T> = there.iter().map(|thing| (name(thing), thing)).collect();
    let mut edits = Edits::default();
    for (name, wanted) in desired {
        match there.get(name) {
            None => edits.create.push(wanted.clone()),
            Some(found) if *found != wanted => edits.update.push(wanted.clone()),
            Some(_) => {}
        }
    }
    edits.delete = there.keys().filter(|name| !desired.contains_key(**name)).map(|name| (*name).clone()).collect();
    edits
}
