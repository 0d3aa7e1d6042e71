//! What to know about an endpoint beside its manifest: who is behind it, and what it asks for that is not there.

use std::collections::HashMap;
use std::sync::Arc;

use model::{ServerName, limits};
use registry::manifest::Choice;
use registry::{Catalogue, Definition, Definitions, EndpointManifest, Kind, Naming, Server};

use crate::port::Governed;
use crate::view::EndpointRow;

/// What is known of the definitions of each server.
pub(crate) type Seen<'state> = HashMap<&'state ServerName, &'state Definitions>;

/// Every endpoint, as the data path has it at this revision; `base` is what agents call the gate.
pub(crate) fn rows(governed: &Governed, base: Option<&str>) -> Vec<EndpointRow> {
    let catalogue = Catalogue::compile(&governed.servers, &governed.endpoints, &governed.zones);
    let seen = seen(&governed.servers);
    let row = |manifest: &EndpointManifest| {
        let endpoint = catalogue.endpoint(&manifest.name);
        let missing = match endpoint {
            Some(endpoint) => endpoint.missing.iter().map(ToString::to_string).collect(),
            None => vec![catalogue.absence(&manifest.name).to_string()],
        };
        EndpointRow {
            manifest: manifest.clone(),
            in_service: endpoint.is_some(),
            url: base.map(|base| format!("{base}/{}/mcp", manifest.name)),
            tools: endpoint.map_or(0, |endpoint| endpoint.tools().len()),
            revisions: manifest.revisions().map(|revision| revision.to_string()).collect(),
            missing,
            notes: notes(manifest, &seen),
        }
    };
    governed.endpoints.iter().map(row).collect()
}

/// What an endpoint asks for that its servers do not have as they were seen last, and names that clients may not take.
/// None of it is wrong: what is missing may come, and then it is there.
pub(crate) fn notes(manifest: &EndpointManifest, seen: &Seen<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    for portion in manifest.portions() {
        // What nobody has seen yet has no tools that could be missed.
        let Some(definitions) = seen.get(&portion.name) else { continue };
        let server = &portion.name;
        notes.extend(missing(&portion.tools, server, Kind::Tool, definitions));
        notes.extend(missing(&portion.prompts, server, Kind::Prompt, definitions));
        if manifest.naming() == Naming::Prefixed {
            let chosen = |tool: &&Definition| tool.name.parse().is_ok_and(|name| portion.tools.takes(&name));
            let length = |tool: &Definition| server.as_str().len() + 1 + tool.name.chars().count();
            let long = definitions.tools.iter().filter(chosen);
            let long = long.filter(|tool| length(tool) > limits::TOOL_NAME_CHARS_TAKEN).count();
            if long > 0 {
                notes.push(format!(
                    "{long} of the tools of server `{server}` have names of more than {} characters here, which some \
                     models do not take",
                    limits::TOOL_NAME_CHARS_TAKEN
                ));
            }
        }
    }
    notes.extend(unlisted(manifest, seen));
    notes
}

/// What is to be listed beside the search, and is there under no such name.
fn unlisted(manifest: &EndpointManifest, seen: &Seen<'_>) -> Vec<String> {
    let is_there = |listed: &str| {
        manifest.portions().iter().any(|portion| {
            let own = match manifest.naming() {
                Naming::Plain => Some(listed),
                Naming::Prefixed => listed.strip_prefix(portion.name.as_str()).and_then(|rest| rest.strip_prefix('_')),
            };
            let chosen = own.filter(|own| own.parse().is_ok_and(|name| portion.tools.takes(&name)));
            let definitions = seen.get(&portion.name);
            chosen.zip(definitions).is_some_and(|(own, all)| all.tools.iter().any(|tool| tool.name == own))
        })
    };
    let listed = manifest.search.iter().flat_map(|search| &search.listed);
    let absent = listed.filter(|name| !is_there(name));
    absent.map(|name| format!("no tool is called `{name}` here (yet): nothing is listed for it")).collect()
}

fn missing<Name: Eq + AsRef<str>>(
    choice: &Choice<Name>,
    server: &ServerName,
    kind: Kind,
    definitions: &Definitions,
) -> Vec<String> {
    let is_there = |name: &&Name| definitions.of(kind).iter().any(|one| one.name == (*name).as_ref());
    let absent = choice.names().iter().filter(|name| !is_there(name));
    absent
        .map(|name| format!("server `{server}` has no {kind} `{}` (yet): nothing is shown for it", name.as_ref()))
        .collect()
}

/// What was approved of each server, or else what was seen.
pub(crate) fn seen(servers: &[Arc<Server>]) -> Seen<'_> {
    servers.iter().filter_map(|server| Some((&server.manifest.name, definitions(server)?))).collect()
}

fn definitions(server: &Server) -> Option<&Definitions> {
    let observed = server.observed.as_ref().map(|observed| &observed.definitions);
    server.pins.as_ref().map(|pins| &pins.definitions).or(observed)
}
