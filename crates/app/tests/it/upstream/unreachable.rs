//! Servers that cannot be reached: nothing leaves, the agent is told that nothing was done, and the receipt that nothing
//! was sent.

use std::net::{Ipv4Addr, TcpListener};

use serde_json::json;

use super::{Liar, ask, reports};
use crate::client::eventually;
use crate::gate::files::{ANA, server};
use crate::gate::{Gate, Setup};
use crate::puppet::Puppet;
use crate::verdict::{ENDPOINT_NOT_FOUND, No, passes};

const SERVER_UNREACHABLE: No = No { status: 502, code: -31022, reason: "server-unreachable", control: "forward" };

/// The call is refused as not carried out, and its receipt says that it was not sent, and why.
async fn not_sent(gate: &Gate, why: &str) {
    let reply = ask(gate).await;
    let outcome = gate.ends(&reply, SERVER_UNREACHABLE, "not-sent").await;
    assert_eq!(outcome["end"]["why"], "server-unreachable");
    let detail = outcome["detail"].as_str().unwrap();
    assert!(detail.contains(why), "the operator reads why: {detail}");
    let told = reply.error_message().unwrap();
    assert_eq!(told, "not carried out: the server cannot be reached");
}

#[tokio::test]
async fn a_dead_server_is_told_as_not_carried_out_and_served_again_once_it_is_back() {
    let Liar { gate, server } = Liar::on(Ipv4Addr::new(127, 0, 0, 11)).await;
    let address = server.address();
    passes(&ask(&gate).await);
    drop(server);
    // Kept connections notice that they are closed; calls that meet one before that go out again, because they never left.
    eventually("the port is free", || TcpListener::bind(address).is_ok()).await;
    not_sent(&gate, "no connection to").await;
    not_sent(&gate, "no connection to").await;
    passes(&gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());

    // What was approved is still approved, wherever the process came from.
    let back = Puppet::start().await;
    let proxy = tokio::net::TcpListener::bind(address).await.unwrap();
    let target = back.address();
    let forwarding = tokio::spawn(async move {
        while let Ok((mut from, _)) = proxy.accept().await {
            tokio::spawn(async move {
                let mut to = connect(target).await;
                drop(tokio::io::copy_bidirectional(&mut from, &mut to).await);
            });
        }
    });
    let reply = ask(&gate).await;
    passes(&reply);
    assert_eq!(back.calls(), 1);
    forwarding.abort();
}

#[expect(clippy::disallowed_methods, reason = "a test stands between the gate and its server")]
async fn connect(address: std::net::SocketAddr) -> tokio::net::TcpStream {
    tokio::net::TcpStream::connect(address).await.unwrap()
}

#[tokio::test]
async fn a_server_whose_zone_no_longer_holds_its_address_is_not_connected_to() {
    let liar = Liar::start().await;
    passes(&liar.ask().await);
    let calls = liar.server.calls();
    let zone = "name = \"here\"\naddresses = [\"10.77.0.0/16\"]\npurpose = \"Another network\"\n";
    std::fs::write(liar.gate.directory().join("state/zones/here.toml"), zone).unwrap();
    liar.gate.apply().await;
    not_sent(&liar.gate, "the zone does not allow the host").await;
    assert_eq!(liar.server.calls(), calls);

    let zone = "name = \"here\"\naddresses = [\"127.0.0.1/32\"]\npurpose = \"This machine\"\n";
    std::fs::write(liar.gate.directory().join("state/zones/here.toml"), zone).unwrap();
    liar.gate.apply().await;
    passes(&liar.ask().await);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_cannot_be_approved_nor_called() {
    // `.invalid` never resolves (RFC 6761).
    let gate = Gate::with(Setup { state: reports("http://reports.invalid:8080/mcp"), ..Setup::default() }).await;
    let said = gate.cli(&["server", "check", "reports"]).await;
    assert!(!said.ok && said.err.contains("name could not be resolved"), "{said:?}");
    gate.refuses(&ask(&gate).await, ENDPOINT_NOT_FOUND).await;
}

#[tokio::test]
async fn an_approval_does_not_move_with_the_server() {
    let liar = Liar::start().await;
    let manifest = server("reports", "http://127.0.0.1:9/mcp", false);
    std::fs::write(liar.gate.directory().join("state/servers/reports.toml"), manifest).unwrap();
    liar.gate.apply().await;
    let calls = liar.server.calls();
    liar.gate.refuses(&liar.ask().await, ENDPOINT_NOT_FOUND).await;
    assert_eq!(liar.server.calls(), calls);
}
