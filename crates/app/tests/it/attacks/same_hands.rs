//! Ways around the people who approve servers: approving what one submitted oneself, using an approval after its end,
//! coming back from a quarantine or a retirement, having the gate look at what it must not look at.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use drill::mcp::Reply;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::gate::files::{ANA, person_token};
use crate::gate::{Gate, Heard, Setup, bearer, value};
use crate::verdict::{ENDPOINT_NOT_FOUND, passes};

/// How long after now an approval is to end; more if the machine was too slow for it.
const SOON: Duration = Duration::from_secs(4);

async fn call(gate: &Gate) -> Reply {
    gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap()
}

async fn ask(gate: &Gate, role: &str, path: &str, body: &Value) -> Heard {
    let mut headers = bearer(&person_token(role));
    headers.insert(CONTENT_TYPE, value("application/json"));
    gate.send(gate.admin(), "POST", &format!("/api/v1{path}"), headers, body.to_string()).await
}

/// What the CLI said, in one line.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Approves the desk until soon, and tells until when.
async fn approve_until_soon(gate: &Gate) -> u64 {
    let mut soon = SOON;
    loop {
        let seen = gate.read("/servers/desk").await["observed"]["digest"].clone();
        let end = now() + u64::try_from(soon.as_millis()).unwrap();
        let heard = ask(gate, "approver", "/servers/desk/approve", &json!({ "seen": seen, "expires": end })).await;
        if heard.status == 200 {
            return end;
        }
        assert!(heard.text().contains("over already"), "{}", heard.text());
        soon *= 2;
    }
}

async fn receipt_of(gate: &Gate, what: &str) -> String {
    let path = format!("/receipts?kind=changed&text={what}");
    let page = gate.until(&path, |page| page["receipts"][0].is_object()).await;
    page["receipts"][0]["record"]["event"].to_string()
}

#[tokio::test]
async fn who_submitted_a_server_cannot_approve_it() {
    let gate = Gate::unapproved(Setup::default()).await;
    let said = gate.cli_with("data/admin.token", &["server", "approve", "desk", "--yes"]).await;
    assert!(!said.ok && line(&said.err).contains("somebody else has to"), "{said:?}");
    gate.refuses(&call(&gate).await, ENDPOINT_NOT_FOUND).await;
    // Another with the same right may; and then it was them, by name, in the receipt.
    let seen = gate.read("/servers/desk").await["observed"]["digest"].clone();
    let heard = ask(&gate, "admin", "/servers/desk/approve", &json!({ "seen": seen })).await;
    assert_eq!(heard.status, 200, "{}", heard.text());
    let event = receipt_of(&gate, "server.approve").await;
    assert!(event.contains("bootstrap") && event.contains("four"), "{event}");
    passes(&call(&gate).await);
    // Whoever submits it anew has submitted it, whoever did before.
    let manifest = std::fs::read_to_string(gate.directory().join("state/servers/desk.toml")).unwrap();
    let file = gate.directory().join("desk.toml");
    std::fs::write(&file, manifest.replace("purpose = \"", "purpose = \"New: ")).unwrap();
    let said = gate.cli_with("tokens/approver", &["server", "submit", file.to_str().unwrap()]).await;
    assert!(said.ok, "{said:?}");
    let said = gate.cli_with("tokens/approver", &["server", "approve", "desk", "--yes"]).await;
    assert!(!said.ok && line(&said.err).contains("somebody else has to"), "{said:?}");
}

#[tokio::test]
async fn an_approval_ends_at_its_moment_and_is_not_taken_up_again() {
    let gate = Gate::unapproved(Setup::default()).await;
    let end = approve_until_soon(&gate).await;
    assert_eq!(gate.read("/status").await["servers"]["expiring"], 1, "people are reminded");
    let metrics = gate.send(gate.admin(), "GET", "/metrics", bearer(&person_token("viewer")), "").await.text();
    let line = format!("portcullis_server_approval_end_seconds{{server=\"desk\"}} {}", end / 1_000);
    assert!(metrics.contains(&line), "{metrics}");
    gate.has_said("its approval is soon over").await;

    let dossier = gate.until("/servers/desk", |dossier| dossier["standing"] == "suspended").await;
    assert!(now() >= end);
    assert_eq!(dossier["suspended"]["by"], "the gate");
    assert_eq!(dossier["suspended"]["reason"], "its approval is over");
    gate.until("/revision", |revision| revision["revision"] == revision["in_effect"]).await;
    let before = gate.desk.calls();
    gate.refuses(&call(&gate).await, ENDPOINT_NOT_FOUND).await;
    assert!(receipt_of(&gate, "server.reopen").await.contains("expired"));
    gate.must(&["server", "resume", "desk"]).await;
    assert_eq!(gate.read("/servers/desk").await["standing"], "vetted", "what is over is not taken up again");
    gate.refuses(&call(&gate).await, ENDPOINT_NOT_FOUND).await;
    assert_eq!(gate.desk.calls(), before);
    gate.must(&["server", "approve", "desk", "--yes", "--for", "90d"]).await;
    passes(&call(&gate).await);
    let shown = gate.must(&["server", "show", "desk"]).await;
    assert!(shown.contains("until"), "{shown}");
}

#[tokio::test]
async fn nobody_approves_for_longer_than_the_manifest_has_it() {
    let gate = Gate::unapproved(Setup::default()).await;
    let file = gate.directory().join("state/servers/desk.toml");
    let manifest = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{manifest}\n[lifecycle]\napproval_days = 30\n")).unwrap();
    gate.apply().await;
    let said = gate.cli(&["server", "approve", "desk", "--yes", "--for", "31d"]).await;
    assert!(!said.ok && line(&said.err).contains("30 days"), "{said:?}");
    gate.refuses(&call(&gate).await, ENDPOINT_NOT_FOUND).await;
    let before = now();
    gate.must(&["server", "approve", "desk", "--yes"]).await;
    let ends = gate.read("/servers/desk").await["expires"].as_u64().unwrap();
    let days = |number: u64| number * 24 * 60 * 60 * 1_000;
    assert!((before + days(30) - 1_000..=now() + days(30)).contains(&ends), "{ends}");
}

#[tokio::test]
async fn an_approval_that_ended_while_the_gate_was_down_is_over_when_it_is_back() {
    let gate = Gate::unapproved(Setup::default()).await;
    let end = approve_until_soon(&gate).await;
    gate.kill();
    while now() < end {
        tokio::time::sleep(Duration::from_millis(end.saturating_sub(now()).max(1))).await;
    }
    gate.again().await;
    // The first thing that anybody hears from it.
    gate.refuses(&call(&gate).await, ENDPOINT_NOT_FOUND).await;
    let dossier = gate.until("/servers/desk", |dossier| dossier["standing"] == "suspended").await;
    assert_eq!(dossier["suspended"]["reason"], "its approval is over");
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn a_server_whose_manifest_says_so_goes_on_and_people_are_told() {
    let gate = Gate::unapproved(Setup::default()).await;
    let file = gate.directory().join("state/servers/desk.toml");
    let manifest = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{manifest}\n[lifecycle]\nexpired = \"warn\"\n")).unwrap();
    gate.apply().await;
    approve_until_soon(&gate).await;
    let dossier = gate.until("/servers/desk", |dossier| dossier["warnings"].is_array()).await;
    assert_eq!((&dossier["standing"], &dossier["warnings"][0]["cause"]), (&json!("approved"), &json!("expired")));
    passes(&call(&gate).await);
    let status = gate.must(&["status"]).await;
    assert!(status.contains("1 with a warning since their approval"), "{status}");
    // That it goes on is part of what was approved: without an approval it does not.
    std::fs::write(&file, manifest).unwrap();
    gate.apply().await;
    gate.refuses(&call(&gate).await, ENDPOINT_NOT_FOUND).await;
}

#[tokio::test]
async fn a_server_in_quarantine_is_reached_by_nobody_and_comes_back_as_a_stranger() {
    let gate = Gate::start().await;
    passes(&call(&gate).await);
    gate.must(&["server", "quarantine", "desk", "--reason", "it sent mail"]).await;
    gate.refuses(&call(&gate).await, ENDPOINT_NOT_FOUND).await;
    let said = gate.cli(&["server", "check", "desk"]).await;
    assert!(!said.ok && line(&said.err).contains("quarantined"), "{said:?}");
    for way in ["resume", "approve"] {
        let said = gate.cli(&["server", way, "desk"]).await;
        assert!(!said.ok, "{way}: {said:?}");
    }
    gate.must(&["server", "release", "desk"]).await;
    gate.refuses(&call(&gate).await, ENDPOINT_NOT_FOUND).await;
    assert_eq!(gate.desk.calls(), 1);
    gate.must(&["server", "check", "desk"]).await;
    gate.must(&["server", "approve", "desk", "--yes"]).await;
    passes(&call(&gate).await);
    assert!(receipt_of(&gate, "server.quarantine").await.contains("it sent mail"));
}

#[tokio::test]
async fn a_retired_server_never_comes_back() {
    let gate = Gate::start().await;
    let client = gate.client(ANA);
    let mut stream = client.open("tools/call", json!({ "name": "watch", "arguments": {} })).await.unwrap();
    stream.next().await.unwrap().unwrap();
    gate.must(&["server", "retire", "desk", "--reason", "replaced"]).await;
    assert!(stream.next().await.unwrap().unwrap()["error"].is_object(), "an open stream ends");
    gate.refuses(&call(&gate).await, ENDPOINT_NOT_FOUND).await;
    for way in ["resume", "release", "check", "remove"] {
        let said = gate.cli(&["server", way, "desk"]).await;
        assert!(!said.ok && line(&said.err).contains("retired"), "{way}: {said:?}");
    }
    let folder = gate.directory().join("state");
    let file = folder.join("servers/desk.toml");
    for way in [&["server", "submit", file.to_str().unwrap()][..], &["server", "approve", "desk", "--yes"]] {
        let said = gate.cli(way).await;
        assert!(!said.ok && line(&said.err).contains("retired"), "{way:?}: {said:?}");
    }
    let said = gate.cli(&["apply", "-f", folder.to_str().unwrap(), "--yes"]).await;
    assert!(!said.ok && line(&said.err).contains("retired, which is final"), "{said:?}");
    gate.kill();
    gate.again().await;
    gate.refuses(&call(&gate).await, ENDPOINT_NOT_FOUND).await;
    let shown = gate.must(&["server", "list"]).await;
    assert!(shown.contains("retired"), "{shown}");
}
