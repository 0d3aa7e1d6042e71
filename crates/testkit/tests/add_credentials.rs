//! The forwarder between a client without credentials and a server that asks for one.
#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene fails")]

use std::collections::BTreeMap;
use std::io::Write;
use std::net::Ipv4Addr;
use std::process::Command;
use std::time::{Duration, Instant};

use drill::Company;
use drill::company::Presented;
use drill::mcp::Client;
use http::StatusCode;
use serde_json::json;
use testkit::Process;

/// The company, whose ERP asks for a credential; the forwarder, which has it; a client, which has not.
struct Scene {
    company: Company,
    client: Client,
    forwarder: Process,
}

async fn scene() -> Scene {
    let credentials = BTreeMap::from([("erp", model::Secret::new("right".to_owned()))]);
    let company = Company::start_guarded(Ipv4Addr::LOCALHOST.into(), credentials).await.unwrap();
    let mut token = tempfile::NamedTempFile::new().unwrap();
    writeln!(token, "right").unwrap();
    let gate = company.erp().address().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_add-credentials"));
    command.args(["127.0.0.1:0", &gate]).arg(token.path());
    let forwarder = Process::start(&mut command, "ready:", Duration::from_secs(10)).unwrap();
    let url = forwarder.ready_line().split(' ').nth(1).unwrap().to_owned();
    let client = Client::new(&format!("{url}/mcp"), None).unwrap();
    Scene { company, client, forwarder }
}

#[tokio::test]
async fn a_call_passes_with_the_credential_added() {
    let Scene { company, client, forwarder: _running } = scene().await;
    let order = client.call("get_order", json!({ "order_id": "A-20417" })).await.unwrap();
    assert_eq!(order.structured().unwrap()["customer_id"], "C-1001");
    assert_eq!(company.erp().last_seen().unwrap().credential, Presented::Expected);
}

#[tokio::test]
async fn a_stream_passes_as_it_comes_and_ends_when_the_client_leaves() {
    let Scene { company, client, forwarder: _running } = scene().await;
    let mut changes = client.listen(json!({ "toolsListChanged": true })).await.unwrap();
    assert!(changes.next().await.unwrap().is_some());
    until(|| company.erp().listeners() == 1).await;
    company.erp().poison_tool("get_order");
    assert_eq!(changes.next().await.unwrap().unwrap()["method"], "notifications/tools/list_changed");
    drop(changes);
    until(|| company.erp().listeners() == 0).await;
}

#[test]
fn a_client_with_sessions_passes_with_all_its_streams() {
    let mut fixture = Command::new(env!("CARGO_BIN_EXE_conformance-server"));
    let fixture = Process::start(&mut fixture, "ready:", Duration::from_secs(10)).unwrap();
    let gate = fixture.ready_line().trim_start_matches("ready: http://").trim_end_matches("/mcp").to_owned();
    let mut token = tempfile::NamedTempFile::new().unwrap();
    writeln!(token, "ignored").unwrap();
    let mut forwarder = Command::new(env!("CARGO_BIN_EXE_add-credentials"));
    forwarder.args(["127.0.0.1:0", &gate]).arg(token.path());
    let forwarder = Process::start(&mut forwarder, "ready:", Duration::from_secs(10)).unwrap();
    let url = format!("{}/mcp", forwarder.ready_line().split(' ').nth(1).unwrap());
    // It opens a session and ends it, reads the stream of the session and of calls, and answers questions.
    let taken = Command::new(env!("CARGO_BIN_EXE_rmcp-client")).args([&url, "2025-11-25"]).output().unwrap();
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stdout));
}

#[tokio::test]
async fn a_foreign_host_reaches_the_server_as_it_is() {
    let Scene { client, forwarder: _running, company: _open } = scene().await;
    let params = json!({});
    let mut headers = client.headers("server/discover", &params);
    headers.insert("host", "evil.example.com".parse().unwrap());
    let reply = client.raw(client.body("server/discover", params).to_string(), headers).await.unwrap();
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_server_that_is_gone_is_a_bad_gateway() {
    let Scene { company, client, forwarder: _running } = scene().await;
    company.stop().await;
    assert_eq!(client.discover().await.unwrap().status, StatusCode::BAD_GATEWAY);
}

#[test]
fn it_lends_its_credential_to_no_network() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_add-credentials"));
    command.args(["0.0.0.0:0", "127.0.0.1:1", "/dev/null"]);
    let error = Process::start(&mut command, "ready:", Duration::from_secs(10)).err().unwrap();
    assert!(error.to_string().contains("listen on loopback"), "{error}");
}

async fn until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(5), "still waiting");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
