//! A server that is probed turns on whoever asks: it leads elsewhere, never ends, floods. And somebody has a server probed who
//! may not.

use serde_json::{Value, json};

use crate::gate::files::DESK_CREDENTIAL;
use crate::probe::{Play, Scripted, gate_before, rules, says};

#[tokio::test]
async fn a_probe_needs_somebody_who_may_and_says_so() {
    let odd = Scripted::start(|_| says(404, &json!({}))).await;
    let gate = gate_before(&odd.url(), true).await;
    let before = odd.asked().len();
    let said = gate.cli(&["server", "probe", "odd"]).await;
    assert!(!said.ok && said.err.contains("--i-may-probe"), "{said:?}");
    for person in ["viewer", "auditor", "responder", "reporter"] {
        let said = gate.cli_with(&format!("tokens/{person}"), &["server", "probe", "odd", "--i-may-probe"]).await;
        assert!(!said.ok && said.err.contains("roles"), "{person}: {said:?}");
    }
    // It would be given a credential at an address that nobody approved.
    let said = gate.cli_with("tokens/reviewer", &["server", "probe", "odd", "--i-may-probe"]).await;
    let words = said.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!said.ok && words.contains("nobody approved"), "{said:?}");
    gate.must(&["server", "quarantine", "odd"]).await;
    let said = gate.cli(&["server", "probe", "odd", "--i-may-probe"]).await;
    assert!(!said.ok && said.err.contains("quarantine"), "{said:?}");
    assert_eq!(odd.asked().len(), before, "nothing was sent");
    let receipts = gate.read("/receipts?kind=changed&text=server.probe").await;
    assert_eq!(receipts["receipts"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_server_that_leads_to_metadata_addresses_is_told_and_not_followed() {
    let trap = Scripted::start(|_| says(200, &json!({}))).await;
    let to = trap.url();
    let place: &'static str = format!("location: {to}\r\n").leak();
    let odd = Scripted::start(move |asked| match asked.message().as_str() {
        "server/discover" => Play::Says(307, "location: http://169.254.169.254/latest/meta-data/\r\n", String::new()),
        _ => Play::Says(302, place, String::new()),
    })
    .await;
    let gate = gate_before(&odd.url(), true).await;
    let before = odd.asked().len();
    let shown = gate.must(&["server", "probe", "odd", "--i-may-probe", "--json"]).await;
    let view: Value = serde_json::from_str(&shown).unwrap();
    assert!(rules(&view).contains("leads-within"), "{shown}");
    assert_eq!(trap.asked().len(), 0, "nobody followed");
    assert!(odd.asked().split_off(before).iter().all(|one| !one.header("authorization").contains(DESK_CREDENTIAL)));
}

#[tokio::test]
async fn metadata_at_another_host_is_not_asked_for() {
    let trap = Scripted::start(|_| says(200, &json!({}))).await;
    let named = format!("www-authenticate: Bearer resource_metadata=\"{}\"\r\n", trap.url());
    let named: &'static str = named.leak();
    let odd = Scripted::start(move |_| Play::Says(401, named, String::new())).await;
    let gate = gate_before(&odd.url(), false).await;
    let shown = gate.must(&["server", "probe", "odd", "--i-may-probe", "--json"]).await;
    let view: Value = serde_json::from_str(&shown).unwrap();
    assert!(rules(&view).contains("metadata-elsewhere"), "{shown}");
    assert_eq!(trap.asked().len(), 0, "nobody asked there");
}

#[tokio::test]
async fn a_server_that_floods_is_read_no_further_than_is_worth_reading() {
    let odd = Scripted::start(|_| Play::Flood(1 << 30)).await;
    let gate = gate_before(&odd.url(), false).await;
    let before = odd.sent();
    let shown = gate.must(&["server", "probe", "odd", "--i-may-probe", "--json"]).await;
    let view: Value = serde_json::from_str(&shown).unwrap();
    assert!(rules(&view).contains("answers-too-much"), "{shown}");
    // What a connection holds on its way is sent, and not read.
    assert!(odd.sent() - before < 512 * 1024 * 1024, "{}", odd.sent());
    assert!(view["probe"]["bytes"].as_u64().unwrap() < 8 * 1024 * 1024, "{view}");
    gate.must(&["status"]).await;
}

#[tokio::test]
async fn a_server_that_never_ends_its_answers_holds_nobody_for_longer_than_is_allowed() {
    let odd = Scripted::start(|_| Play::Endless).await;
    let gate = gate_before(&odd.url(), false).await;
    let since = std::time::Instant::now();
    let look = gate.must(&["server", "probe", "odd", "--i-may-probe", "--json"]);
    let again = async {
        gate.until("/servers/odd/progress", |progress| progress["look"].is_object()).await;
        gate.cli(&["server", "probe", "odd", "--i-may-probe"]).await
    };
    let (shown, again) = tokio::join!(look, again);
    assert!(!again.ok && again.err.contains("looked at already"), "{again:?}");
    let view: Value = serde_json::from_str(&shown).unwrap();
    assert!(rules(&view).contains("never-ends"), "{shown}");
    assert!(view["probe"]["milliseconds"].as_u64().unwrap() < 35_000, "{view}");
    assert!(since.elapsed().as_secs() < 90);
}
