//! What a change would do, line by line: for plans and for servers whose definitions changed.

use std::collections::BTreeMap;
use std::time::Duration;

use model::limits;
use registry::Standing;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use similar::{ChangeTag, TextDiff};

use crate::port::{Edits, Governed, Plan};

/// What happens to one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Edit {
    /// The kind of thing: `zone`, `server`, `endpoint`, `agent`, `policy`; of a server's definitions `tool`, `prompt`,
    /// `template`, `instructions`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What happens to it.
    pub action: Action,
    /// What else it means, where it means more than the lines say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Its lines: those that change, with a few around them.
    pub lines: Vec<Line>,
}

/// What can happen to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is new.
    Create,
    /// It changes.
    Update,
    /// It goes.
    Delete,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// What happens to it.
    pub mark: Mark,
    /// Its text, without the line break.
    pub text: String,
}

/// What can happen to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// It stays.
    Same,
    /// It is new.
    Added,
    /// It goes.
    Removed,
    /// Lines that stay are left out here.
    Gap,
}

/// What a plan would do to what there is, in the order it is read.
pub(crate) fn of_plan(plan: &Plan, governed: &Governed) -> Vec<Edit> {
    let mut edits = Vec::new();
    let zones = governed.zones.iter().map(|zone| (&zone.name, zone));
    told(&mut edits, "zone", &plan.zones, |zone| &zone.name, &zones.collect(), toml_text);
    let servers = governed.servers.iter().map(|server| (&server.manifest.name, &server.manifest));
    told(&mut edits, "server", &plan.servers, |server| &server.name, &servers.collect(), toml_text);
    let endpoints = governed.endpoints.iter().map(|endpoint| (&endpoint.name, endpoint));
    told(&mut edits, "endpoint", &plan.endpoints, |endpoint| &endpoint.name, &endpoints.collect(), toml_text);
    let agents = governed.agents.iter().map(|agent| (&agent.name, agent));
    told(&mut edits, "agent", &plan.agents, |agent| &agent.name, &agents.collect(), toml_text);
    let policies = governed.policies.iter().map(|source| (&source.file, source));
    told(
        &mut edits,
        "policy",
        &plan.policies,
        |source| &source.file,
        &policies.collect(),
        |source| source.text.clone(),
    );
    for edit in edits.iter_mut().filter(|edit| edit.kind == "server") {
        edit.note = server_note(edit, plan, governed);
    }
    edits
}

/// What a change of a server means for its approval.
fn server_note(edit: &Edit, plan: &Plan, governed: &Governed) -> Option<String> {
    let there = governed.servers.iter().find(|server| server.manifest.name.as_str() == edit.name);
    let approved = there.is_some_and(|server| server.in_service().is_some());
    match edit.action {
        Action::Create => Some("unreachable until someone approves what it offers".to_owned()),
        Action::Delete => approved.then(|| "approved and in service: agents lose it".to_owned()),
        Action::Update => {
            let new = plan.servers.update.iter().find(|manifest| manifest.name.as_str() == edit.name)?;
            if there.is_some_and(|server| server.standing == Standing::Draft) {
                return Some("was a draft, and is submitted by this".to_owned());
            }
            let moves = there.is_some_and(|server| server.manifest.identity() != new.identity());
            (approved && moves).then(|| "its approval ends: unreachable until approved again".to_owned())
        }
    }
}

fn told<T, Name: Ord + std::fmt::Display>(
    into: &mut Vec<Edit>,
    kind: &str,
    edits: &Edits<T, Name>,
    name: fn(&T) -> &Name,
    there: &BTreeMap<&Name, &T>,
    text: fn(&T) -> String,
) {
    let before = |name: &Name| there.get(name).map(|thing| text(thing)).unwrap_or_default();
    for thing in &edits.create {
        into.push(edit(kind, &name(thing).to_string(), Action::Create, "", &text(thing)));
    }
    for thing in &edits.update {
        into.push(edit(kind, &name(thing).to_string(), Action::Update, &before(name(thing)), &text(thing)));
    }
    for name in &edits.delete {
        into.push(edit(kind, &name.to_string(), Action::Delete, &before(name), ""));
    }
}

fn toml_text<T: Serialize>(manifest: &T) -> String {
    // A manifest was read from TOML or JSON of the same shape, so it always has a TOML form.
    toml::to_string(manifest).unwrap_or_default()
}

/// One edit, with its lines compared.
pub(crate) fn edit(kind: &str, name: &str, action: Action, old: &str, new: &str) -> Edit {
    Edit { kind: kind.to_owned(), name: name.to_owned(), action, note: None, lines: lines(old, new) }
}

/// The lines of two texts compared, with [`limits::DIFF_CONTEXT_LINES`] around each change.
pub fn lines(old: &str, new: &str) -> Vec<Line> {
    // When time runs out the comparison is coarser, never wrong.
    let limit = Duration::from_millis(limits::DIFF_MILLISECONDS_MAX);
    let diff = TextDiff::configure().timeout(limit).diff_lines(old, new);
    let mut lines = Vec::new();
    for (place, group) in diff.grouped_ops(limits::DIFF_CONTEXT_LINES).iter().enumerate() {
        if place > 0 {
            lines.push(Line { mark: Mark::Gap, text: String::new() });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let mark = match change.tag() {
                ChangeTag::Equal => Mark::Same,
                ChangeTag::Insert => Mark::Added,
                ChangeTag::Delete => Mark::Removed,
            };
            lines.push(Line { mark, text: change.value().trim_end_matches(['\r', '\n']).to_owned() });
        }
    }
    lines
}

#[cfg(test)]
mod tests;
