//! Many at once: calls that take turns at a server, servers that are left alone for a while, lists that are long.

mod draining;
mod failing;
mod lists;
mod search;
mod shown;
mod turns;

use std::fs;

use drill::mcp::Client;
use serde_json::{Value, json};

use crate::gate::files::{Caller, endpoint, person_token, server};
use crate::gate::{Gate, Setup, bearer};
use crate::puppet::{Puppet, Script};

/// A gate with a second endpoint, `warehouse`, whose server has very many tools, `item_0000` and on.
pub(crate) struct Warehouse {
    pub(crate) gate: Gate,
    pub(crate) stock: Puppet,
}

/// The help desk's agent may use everything there but two items, and that at the desktop one item.
const POLICIES: &str = r#"
@id("warehouse-connects")
permit (principal, action == Action::"connect", resource == Endpoint::"warehouse");
@id("warehouse-helpdesk")
permit (principal == Agent::"helpdesk", action in Action::"use", resource in Server::"warehouse");
@id("warehouse-ana")
permit (principal == User::"ana", action in Action::"use", resource in Server::"warehouse");
@id("warehouse-desktop")
permit (principal == Agent::"desktop", action in Action::"use", resource == Tool::"warehouse/item_0042");
@id("warehouse-hides-one")
forbid (principal, action in Action::"use", resource == Tool::"warehouse/item_0007");
@id("warehouse-hides-another")
forbid (principal, action == Action::"list", resource == Tool::"warehouse/item_1200");
"#;

impl Warehouse {
    /// With so many tools.
    pub(crate) async fn start(tools: usize) -> Self {
        Self::with(tools, &endpoint("warehouse", "warehouse")).await
    }

    /// With this manifest of the endpoint.
    pub(crate) async fn with(tools: usize, manifest: &str) -> Self {
        let stock = Puppet::start().await;
        let item = |number: usize| {
            let properties = json!({ "count": { "type": "integer" }, "to": { "type": "string" } });
            json!({
                "name": format!("item_{number:04}"),
                "title": format!("Item {number}"),
                "description": format!("Moves item number {number} of the warehouse's shelf {}.", number / 100),
                "inputSchema": { "type": "object", "properties": properties },
            })
        };
        stock.behave(|script| {
            *script = Script { tools: (0..tools).map(item).collect(), templates: Vec::new(), ..Script::desk() };
        });
        let state = [
            ("servers/warehouse.toml", server("warehouse", &stock.url(), false)),
            ("endpoints/warehouse.toml", manifest.to_owned()),
            ("policies/warehouse.cedar", POLICIES.to_owned()),
        ];
        let state = state.map(|(file, text)| (file.to_owned(), text)).into();
        let gate = Gate::with(Setup { state, ..Setup::default() }).await;
        gate.must(&["server", "approve", "warehouse", "--yes"]).await;
        Self { gate, stock }
    }

    pub(crate) fn client(&self, caller: Caller) -> Client {
        self.gate.client_at("warehouse", caller)
    }
}

/// Says how many calls the desk may have at once.
pub(crate) async fn allow(gate: &Gate, calls: usize) {
    allow_at(gate, "desk", calls).await;
}

/// Says how many calls a server may have at once.
pub(crate) async fn allow_at(gate: &Gate, server: &str, calls: usize) {
    let file = gate.directory().join(format!("state/servers/{server}.toml"));
    let text = fs::read_to_string(&file).unwrap();
    let text: String =
        text.lines().filter(|line| !line.starts_with("concurrency")).map(|line| format!("{line}\n")).collect();
    fs::write(&file, format!("concurrency = {calls}\n{text}")).unwrap();
    gate.apply().await;
}

/// Waits until the calls at a server are as wanted, and gives them.
pub(crate) async fn traffic(gate: &Gate, server: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let page = gate.until(&format!("/servers/{server}"), |page| wanted(&page["traffic"])).await;
    page["traffic"].clone()
}

/// One of the gate's gauges.
pub(crate) async fn gauge(gate: &Gate, name: &str, server: &str) -> Option<u64> {
    let heard = gate.send(gate.admin(), "GET", "/metrics", bearer(&person_token("viewer")), "").await;
    let begins = format!("{name}{{server=\"{server}\"}} ");
    heard.text().lines().find_map(|line| line.strip_prefix(&begins)?.parse().ok())
}
