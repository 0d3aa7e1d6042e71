//! Things to keep.

use admin::port::{Edits, Plan, State};
use model::{Actor, Change, Expected, Revision, StoreError, Timestamp};
use registry::{
    AgentManifest, Approval, Definition, Definitions, EndpointManifest, Eyes, Observed, ServerManifest, ZoneManifest,
};
use serde_json::json;

pub(crate) fn change() -> Change {
    let actor = Actor::Person("ada".to_owned());
    Change { actor, expected: Expected::Any, at: Timestamp(1_000), reason: None }
}

pub(crate) fn at(revision: u64) -> Change {
    Change { expected: Expected::At(Revision(revision)), ..change() }
}

pub(crate) fn because(reason: &str) -> Change {
    Change { reason: Some(reason.to_owned()), ..change() }
}

pub(crate) fn server_at(name: &str, url: &str) -> ServerManifest {
    serde_json::from_value(json!({ "name": name, "url": url, "owner": "sales", "purpose": "tests" })).unwrap()
}

pub(crate) fn server_in(name: &str, zone: &str) -> ServerManifest {
    let url = format!("https://{name}.example/mcp");
    serde_json::from_value(json!({ "name": name, "url": url, "zone": zone, "owner": "o", "purpose": "p" })).unwrap()
}

/// A server that the gate starts, with everything a command can have.
pub(crate) fn local_server(name: &str, program: &str) -> ServerManifest {
    let command = json!({
        "program": program,
        "arguments": ["--stdio", ""],
        "directory": "/srv/crm",
        "environment": { "LOG_LEVEL": "info" },
        "secrets": { "CRM_TOKEN": "env:CRM", "KEY": "file:/run/key" },
        "limits": { "memory_bytes": 536_870_912, "processes": 4 },
    });
    serde_json::from_value(json!({ "name": name, "command": command, "owner": "o", "purpose": "p" })).unwrap()
}

/// An endpoint for two servers, with a choice of each.
pub(crate) fn endpoint_of_two(name: &str, one: &str, other: &str) -> EndpointManifest {
    let servers = json!([
        { "name": one, "tools": ["read"], "resources": ["crm://"] },
        { "name": other, "prompts": [], "resources": ["erp://", "file:///srv/erp/"] },
    ]);
    serde_json::from_value(json!({ "name": name, "servers": servers, "purpose": "tests" })).unwrap()
}

pub(crate) fn server(name: &str) -> ServerManifest {
    server_at(name, &format!("https://{name}.example/mcp"))
}

pub(crate) fn endpoint(name: &str, server: &str) -> EndpointManifest {
    serde_json::from_value(json!({ "name": name, "server": server, "purpose": "tests" })).unwrap()
}

pub(crate) fn zone(name: &str) -> ZoneManifest {
    serde_json::from_value(json!({ "name": name, "addresses": ["127.0.0.0/8"], "purpose": "tests" })).unwrap()
}

pub(crate) fn policy(file: &str) -> policy::Source {
    policy::Source { file: file.to_owned(), text: "permit (principal, action, resource);".to_owned() }
}

pub(crate) fn create<T, Name>(create: Vec<T>) -> Edits<T, Name> {
    Edits { create, ..Edits::default() }
}

pub(crate) fn update<T, Name>(update: Vec<T>) -> Edits<T, Name> {
    Edits { update, ..Edits::default() }
}

pub(crate) fn delete<T, Name>(delete: Vec<Name>) -> Edits<T, Name> {
    Edits { delete, ..Edits::default() }
}

/// A plan with something of every kind.
pub(crate) fn plan() -> Plan {
    Plan {
        zones: create(vec![zone("lab")]),
        servers: create(vec![server("crm"), server("erp")]),
        endpoints: create(vec![endpoint("sales", "crm")]),
        agents: create(vec![agent("helper", "sales", "c-1")]),
        policies: create(vec![policy("a.cedar"), policy("b.cedar")]),
    }
}

/// An agent at one endpoint, as one client.
pub(crate) fn agent(name: &str, endpoint: &str, client: &str) -> AgentManifest {
    let issuer = "https://login.example";
    let manifest = json!({
        "name": name, "kind": "delegated", "owner": "IT", "purpose": "Help", "endpoints": [endpoint],
        "clients": [{ "issuer": issuer, "id": client }]
    });
    serde_json::from_value(manifest).unwrap()
}

/// What a server with these tools shows.
pub(crate) fn observed(tools: &[&str], at: u64) -> Observed {
    let tools = tools.iter().map(|name| Definition::new(*name, &json!({ "name": name, "n": 1.5 })).unwrap()).collect();
    Observed::new(Definitions { tools, ..Definitions::default() }, Timestamp(at), Vec::new()).unwrap()
}

/// A store in which `crm` is approved with one tool, `read`, behind the endpoint `sales`.
pub(crate) async fn approved<S: super::Store>(store: &S) {
    store.apply(plan(), change()).await.unwrap();
    let seen = observed(&["read"], 2_000);
    let crm = "crm".parse().unwrap();
    store.observe(&crm, server("crm").identity(), seen.clone(), change()).await.unwrap();
    store.approve(&crm, Approval::of(seen.digest, Eyes::Two), change()).await.unwrap();
}

pub(crate) async fn revision(store: &impl State) -> u64 {
    store.read().await.unwrap().revision.0
}

pub(crate) fn is_refused<T>(result: Result<T, StoreError>) -> bool {
    result.is_err_and(|error| matches!(error, StoreError::Refused(_)))
}

pub(crate) fn is_missing<T>(result: Result<T, StoreError>) -> bool {
    result.is_err_and(|error| matches!(error, StoreError::NotFound { .. }))
}
