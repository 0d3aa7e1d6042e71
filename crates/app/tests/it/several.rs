//! Several servers behind one endpoint, from outside: one URL, one list of tools, and each call at the server it is for.
//!
//! [`Floor`] is a gate with two servers at the endpoint `floor`: the desk, and a shop that has tools of the same names.

mod calls;
mod introductions;
mod resources;
mod subscriptions;

use std::fs;

use drill::mcp::{Client, Reply};
use serde_json::{Value, json};

use crate::gate::files::{ANA, Caller, server};
use crate::gate::{Gate, Setup};
use crate::puppet::{Puppet, Script};
use crate::verdict::passes;

/// Ana may do at the floor what she may do at the desk, and everything at the shop but what is forbidden.
const POLICIES: &str = r#"
@id("floor-connects")
permit (principal, action == Action::"connect", resource == Endpoint::"floor");
@id("the-shop-is-for-support")
permit (principal in Group::"support", action in Action::"use", resource in Server::"shop");
@id("the-shop-is-for-its-agent")
permit (principal == Agent::"helpdesk", action in Action::"use", resource in Server::"shop");
@id("the-shop-s-vault-is-hidden")
forbid (principal, action in Action::"use", resource == Tool::"shop/purge");
"#;

/// The endpoint, unless a test wants another.
pub(crate) const FLOOR: &str = r#"
name = "floor"
purpose = "The desk and the shop"

[[servers]]
name = "desk"
resources = ["desk://tickets/"]

[[servers]]
name = "shop"
resources = ["shop://"]
"#;

/// A gate with the desk and the shop, both approved.
pub(crate) struct Floor {
    pub(crate) gate: Gate,
    pub(crate) shop: Puppet,
}

/// What the shop says of itself.
fn goods() -> Script {
    let tool = |name: &str| {
        let ticket = json!({ "ticket": { "type": "string" } });
        json!({
            "title": "First",
            "name": name,
            "inputSchema": { "type": "object", "properties": ticket },
            "x-shop": { "name": 1.50 },
            "description": format!("The shop's `{name}`."),
        })
    };
    Script {
        instructions: "Prices are in euros.".into(),
        tools: ["read_ticket", "desk_refund", "_odd", "purge"].map(tool).into(),
        prompts: vec![json!({ "name": "summary", "arguments": [{ "name": "of" }] })],
        templates: vec![
            json!({ "uriTemplate": "shop://goods/{id}", "name": "goods" }),
            json!({ "uriTemplate": "desk://tickets/{id}", "name": "not the shop's" }),
        ],
        resources: ["shop://goods/1", "desk://tickets/1", "shop://goods/2", "shop://goods/3"]
            .map(|uri| json!({ "uri": uri, "name": format!("of the shop: {uri}") }))
            .into(),
        ..Script::desk()
    }
}

impl Floor {
    pub(crate) async fn start() -> Self {
        Self::with(FLOOR).await
    }

    /// With this manifest of the endpoint.
    pub(crate) async fn with(floor: &str) -> Self {
        let floor = Self::unapproved(floor).await;
        floor.gate.must(&["server", "approve", "desk", "--yes"]).await;
        floor.gate.must(&["server", "approve", "shop", "--yes"]).await;
        floor
    }

    /// With nothing approved.
    pub(crate) async fn unapproved(floor: &str) -> Self {
        let shop = Puppet::start().await;
        shop.behave(|script| *script = goods());
        let state = [
            ("servers/shop.toml", server("shop", &shop.url(), false)),
            ("endpoints/floor.toml", floor.to_owned()),
            ("policies/floor.cedar", POLICIES.to_owned()),
        ];
        let state = state.map(|(file, text)| (file.to_owned(), text)).into();
        let gate = Gate::unapproved(Setup { state, ..Setup::default() }).await;
        Self { gate, shop }
    }

    /// Replaces a file of the state and applies it.
    pub(crate) async fn change(&self, file: &str, text: &str) {
        fs::write(self.gate.directory().join("state").join(file), text).unwrap();
        self.gate.apply().await;
    }

    pub(crate) fn client(&self) -> Client {
        self.client_of(ANA)
    }

    pub(crate) fn client_of(&self, caller: Caller) -> Client {
        self.gate.client_at("floor", caller)
    }

    /// What reached each server since the last time: its method, its name in the body, and in the header.
    pub(crate) fn reached(&self) -> [Vec<(String, Value, Value)>; 2] {
        [&self.gate.desk, &self.shop].map(|server| {
            let seen = server.take_seen().into_iter().filter(|seen| !seen.of_the_gate);
            seen.map(|seen| {
                let body: Value = serde_json::from_slice(&seen.body).unwrap();
                let header = seen.headers.get("mcp-name").map(|name| name.to_str().unwrap());
                (seen.method, body["params"]["name"].clone(), json!(header))
            })
            .collect()
        })
    }
}

/// The members of a listing, by one of their fields.
pub(crate) fn listed(reply: &Reply, list: &str, field: &str) -> Vec<String> {
    passes(reply);
    let list = reply.json["result"][list].as_array().cloned().unwrap_or_default();
    list.iter().map(|one| one[field].as_str().unwrap().to_owned()).collect()
}
