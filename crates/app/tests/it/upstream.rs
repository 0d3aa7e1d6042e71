//! Servers behind the gate that fail and lie: what the agent is told, what the receipt says, that no call is made twice,
//! that nothing of a bad answer gets through, and that the gate goes on serving the others.

mod credentials;
mod lies;
mod manners;
mod unreachable;

use std::net::Ipv4Addr;

use drill::hostile::{Hostile, Manner, Mode};
use drill::mcp::Reply;
use serde_json::json;

use crate::gate::files::{ANA, endpoint, server};
use crate::gate::{Gate, Setup};

/// The only tool of a [`Liar`].
pub(crate) const REPORT: &str = drill::hostile::TOOL;

/// Connections that the gate keeps to one server for what comes next: a call, a check of the pins, a subscription.
pub(crate) const IDLE: u64 = 3;

/// A gate with a second endpoint, `reports`, and behind it a server that was honest while people approved it.
pub(crate) struct Liar {
    pub(crate) gate: Gate,
    pub(crate) server: Hostile,
}

impl Liar {
    pub(crate) async fn start() -> Self {
        Self::on(Ipv4Addr::LOCALHOST).await
    }

    /// One whose server has a loopback address of its own, where no other test takes its port once it is gone.
    pub(crate) async fn on(host: Ipv4Addr) -> Self {
        let liar = Hostile::start_on(host, Manner::Stateless, Mode::Honest).await.unwrap();
        let zone = "name = \"here\"\naddresses = [\"127.0.0.0/28\"]\npurpose = \"This machine\"\n";
        let mut state = reports(&liar.url());
        state.push(("zones/here.toml".to_owned(), zone.to_owned()));
        let gate = Gate::with(Setup { state, ..Setup::default() }).await;
        gate.must(&["server", "approve", "reports", "--yes"]).await;
        Self { gate, server: liar }
    }

    /// Asks for a report.
    pub(crate) async fn ask(&self) -> Reply {
        ask(&self.gate).await
    }
}

/// Asks whatever is behind `reports` for a report.
pub(crate) async fn ask(gate: &Gate) -> Reply {
    gate.client_at("reports", ANA).call(REPORT, json!({ "report_id": "r-1" })).await.unwrap()
}

/// Manifests and policies of the endpoint `reports`.
pub(crate) fn reports(url: &str) -> Vec<(String, String)> {
    vec![
        ("servers/reports.toml".to_owned(), server("reports", url, false)),
        ("endpoints/reports.toml".to_owned(), endpoint("reports", "reports")),
        ("policies/reports.cedar".to_owned(), POLICIES.to_owned()),
    ]
}

const POLICIES: &str = r#"
permit (principal == Agent::"helpdesk", action == Action::"connect", resource == Endpoint::"reports");
permit (principal == User::"ana", action == Action::"connect", resource == Endpoint::"reports");
permit (principal == Agent::"helpdesk", action in Action::"use", resource is Tool in Server::"reports");
permit (principal == User::"ana", action in Action::"use", resource is Tool in Server::"reports");
"#;
