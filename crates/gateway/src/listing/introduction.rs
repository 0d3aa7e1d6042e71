//! How an endpoint introduces itself: for one server as that server does, as pinned; for several in the words of each,
//! under its name, and in the gate's own name as a whole.

use model::{Object, Timestamp, limits};
use policy::Action;
use registry::{Endpoint, Member, Naming};
use serde_json::{Map, Value, json};
use wire::task::EXTENSION;

use super::view::{self, List, View};
use crate::controls::connect::Connected;
use crate::{pages, tasks};

/// The capabilities whose methods are in the register. Of extensions, see [`extensions`].
const PASSED: [&str; 5] = ["tools", "prompts", "resources", "completions", "logging"];

/// What can be asked of the endpoint: of several servers, what can be asked of any of them.
pub(super) fn capabilities(endpoint: &Endpoint) -> Map<String, Value> {
    let mut merged: Map<String, Value> = Map::new();
    for member in &endpoint.members {
        let pinned = member.server.capabilities.as_object().into_iter().flatten();
        let has = |name: &str| {
            PASSED.contains(&name) && (name != "resources" || is_for_one(endpoint) || pages::lists(member))
        };
        for (name, value) in pinned.filter(|(name, _)| has(name)) {
            match merged.get_mut(name) {
                None => _ = merged.insert(name.clone(), value.clone()),
                Some(before) => add(before, value),
            }
        }
    }
    merged
}

/// The extensions whose methods are in the register, where a server has them. Revisions with sessions know none.
pub(super) fn extensions(endpoint: &Endpoint) -> Option<Value> {
    tasks::are_offered(endpoint).then(|| json!({ EXTENSION: {} }))
}

/// Adds what one more server can: a feature that one of them has is there.
fn add(before: &mut Value, value: &Value) {
    let (Some(before), Some(value)) = (before.as_object_mut(), value.as_object()) else { return };
    for (name, feature) in value {
        if !before.contains_key(name) || *feature == Value::Bool(true) {
            before.insert(name.clone(), feature.clone());
        }
    }
}

/// What models are told, as pinned. Of several servers, each one's under its name, as far as the caller sees anything of
/// it; what would be too long is left out whole, and said to be.
pub(super) async fn instructions(connected: &Connected, now: Timestamp) -> Option<String> {
    let endpoint = &connected.door.endpoint;
    if is_for_one(endpoint) {
        return endpoint.members.first().and_then(|member| member.server.instructions.clone());
    }
    let view = view::of(connected, List::Tools).await;
    let mut told = String::new();
    for (place, member) in endpoint.members.iter().enumerate() {
        let Some(own) = &member.server.instructions else { continue };
        if !sees(connected, &view, place, member, now) {
            continue;
        }
        let name = &member.server.name;
        let heading = format!("# {name}: its tools and prompts here begin with `{}`\n\n", endpoint.shown(name, ""));
        let fits = told.len() + heading.len() + own.len() <= limits::INSTRUCTIONS_BYTES_MAX;
        let own = if fits { own } else { "(its instructions are too long to be told here)" };
        if !told.is_empty() {
            told.push_str("\n\n");
        }
        told.push_str(&heading);
        told.push_str(own);
    }
    (!told.is_empty()).then_some(told)
}

/// Whether the caller sees the server, or anything of it.
fn sees(connected: &Connected, view: &View, place: usize, member: &Member, now: Timestamp) -> bool {
    let server = Object::Server { server: member.server.name.clone() };
    let tools = connected.door.endpoint.tools().iter().enumerate().filter(|(_, tool)| tool.member == place);
    connected.decide(Action::List, &server, now).is_ok()
        || tools.into_iter().any(|(tool, _)| view.shows(connected, List::Tools, tool, now))
}

/// Who answers: the server, as it called itself when it was approved, or the gate for several.
pub(super) fn server_info(endpoint: &Endpoint) -> Value {
    match endpoint.members.first() {
        Some(member) if is_for_one(endpoint) => member.server.server_info.clone(),
        Some(_) | None => {
            json!({ "name": "portcullis", "title": endpoint.name, "version": env!("CARGO_PKG_VERSION") })
        }
    }
}

fn is_for_one(endpoint: &Endpoint) -> bool {
    endpoint.naming == Naming::Plain
}
