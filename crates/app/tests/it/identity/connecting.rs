//! A server that somebody connects in a browser, for everybody: invited by an approver, kept in the vault, renewed, shown and
//! forgotten.

use std::fs;
use std::sync::{Arc, Mutex};

use drill::mcp::Reply;
use http::HeaderMap;
use serde_json::json;

use super::authorization::Authorization;
use super::browser::Browser;
use crate::gate::files::{ANA, endpoint, server, write_private};
use crate::gate::{Gate, Setup, does_not_start};
use crate::verdict::{CREDENTIAL_UNAVAILABLE, passes};

/// A gate in front of the desk, which nobody has connected yet.
pub(crate) async fn unconnected(settings: &str) -> (Gate, Authorization) {
    let issuer = Authorization::start().await;
    let wants: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    let guard = Some((issuer.guard(&wants), issuer.agreed_to()));
    let mut secrets = Authorization::secrets();
    secrets.push(("vault", "0f".repeat(32)));
    let settings = settings.to_owned();
    (Gate::unapproved(Setup { guard, secrets, settings, ..Setup::default() }).await, issuer)
}

/// The invitation, as the CLI prints it.
pub(crate) async fn invitation(gate: &Gate) -> String {
    gate.must(&["server", "connect", "desk"]).await.lines().next().unwrap().to_owned()
}

/// The same where somebody has connected it.
pub(crate) async fn connected(settings: &str) -> (Gate, Authorization) {
    let (gate, issuer) = unconnected(settings).await;
    let page = Browser::default().connect(&gate, &issuer, &invitation(&gate).await).await;
    assert_eq!(page.status, 200, "{}", page.text());
    gate.must(&["server", "check", "desk"]).await;
    gate.must(&["server", "approve", "desk", "--yes"]).await;
    (gate, issuer)
}

async fn read(gate: &Gate) -> Reply {
    gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap()
}

/// Nothing that opens anything is in what the gate keeps, says or shows.
fn tells_nothing(gate: &Gate, issuer: &Authorization, shown: &str) {
    let port = issuer.address().port();
    let mut all = vec![("the page".to_owned(), shown.to_owned()), ("the log".to_owned(), gate.output())];
    let kept = gate.kept().into_iter();
    all.extend(kept.map(|(file, bytes)| (file.display().to_string(), String::from_utf8_lossy(&bytes).into_owned())));
    for (place, text) in all {
        for secret in ["token-", "refresh-", "code-"] {
            for number in 1..6 {
                let secret = format!("{secret}{number}-of-{port}");
                assert!(!text.contains(&secret), "{place} holds `{secret}`");
            }
        }
    }
    issuer.found_no_fault();
}

#[tokio::test]
async fn a_server_is_connected_once_and_stays_so_over_a_restart() {
    let (gate, issuer) = unconnected("").await;
    let said = gate.cli(&["server", "check", "desk"]).await;
    assert!(!said.ok && format!("{}{}", said.out, said.err).contains("nobody has connected it yet"), "{said:?}");
    let page = Browser::default().connect(&gate, &issuer, &invitation(&gate).await).await;
    assert!(page.status == 200 && page.text().contains("desk is connected"), "{}", page.text());
    gate.must(&["server", "check", "desk"]).await;
    gate.must(&["server", "approve", "desk", "--yes"]).await;
    passes(&read(&gate).await);
    gate.end().await;
    gate.again().await;
    passes(&read(&gate).await);
    assert_eq!(issuer.given(), 1, "what was kept is used");
    let shown = gate.must(&["server", "show", "desk"]).await;
    assert!(shown.contains("shared") && shown.contains(&issuer.issuer()) && shown.contains("bootstrap"), "{shown}");
    tells_nothing(&gate, &issuer, &shown);
}

#[tokio::test]
async fn a_token_that_is_not_taken_any_more_is_renewed_with_what_was_kept() {
    let (gate, issuer) = connected("").await;
    passes(&read(&gate).await);
    issuer.revoke_all();
    gate.ends(&read(&gate).await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    passes(&read(&gate).await);
    assert_eq!(issuer.given(), 2);
    gate.end().await;
    gate.again().await;
    passes(&read(&gate).await);
    assert_eq!(issuer.given(), 2, "the renewed one was kept");
    tells_nothing(&gate, &issuer, "");
}

#[tokio::test]
async fn what_is_forgotten_is_used_no_more() {
    let (gate, issuer) = connected("").await;
    passes(&read(&gate).await);
    let before = gate.desk.calls();
    gate.must(&["server", "disconnect", "desk"]).await;
    let outcome = gate.ends(&read(&gate).await, CREDENTIAL_UNAVAILABLE, "not-sent").await;
    assert!(outcome["detail"].as_str().unwrap().contains("nobody has connected it yet"), "{outcome:#}");
    assert_eq!(gate.desk.calls(), before, "nothing reached the server");
    tells_nothing(&gate, &issuer, "");
}

#[tokio::test]
async fn a_server_that_is_removed_takes_what_was_connected_with_it() {
    let (gate, issuer) = connected("").await;
    passes(&read(&gate).await);
    let state = gate.directory().join("state");
    // What is left when the server goes; a kind without a file would stay as it is.
    let others = [
        ("servers/archive.toml", server("archive", "http://127.0.0.1:9/mcp", false)),
        ("endpoints/archive.toml", endpoint("archive", "archive")),
        (
            "policies/archive.cedar",
            "@id(\"scout-connects\")\npermit (principal == Agent::\"scout\", action == Action::\"connect\", resource == \
             Endpoint::\"archive\");\n"
                .to_owned(),
        ),
    ];
    for (file, text) in &others {
        fs::write(state.join(file), text).unwrap();
    }
    let gone = ["servers/desk.toml", "endpoints/desk.toml", "policies/desk.cedar"].map(|file| {
        let text = fs::read_to_string(state.join(file)).unwrap();
        fs::remove_file(state.join(file)).unwrap();
        (file, text)
    });
    gate.apply().await;
    // Another server of the very same name, at the same place, is not the one that was connected.
    for (file, text) in gone {
        fs::write(state.join(file), text).unwrap();
    }
    gate.apply().await;
    let said = gate.cli(&["server", "check", "desk"]).await;
    assert!(!said.ok && format!("{}{}", said.out, said.err).contains("nobody has connected it yet"), "{said:?}");
    assert_eq!(issuer.given(), 1);
}

#[tokio::test]
async fn the_gates_own_document_is_published_where_settings_say() {
    let published = "https://www.example/portcullis.json";
    let listener = format!("client_document = \"{published}\"\n");
    let gate = Gate::with(Setup { listener, ..Setup::default() }).await;
    let page = gate.send(gate.agents(), "GET", "/connect/client.json", HeaderMap::new(), "").await;
    assert_eq!((page.status.as_u16(), page.json()["client_id"].as_str()), (200, Some(published)));
    // Without the setting there is none: nobody else could read it on loopback.
    let gate = Gate::start().await;
    assert_eq!(gate.send(gate.agents(), "GET", "/connect/client.json", HeaderMap::new(), "").await.status, 404);
}

#[tokio::test]
async fn a_gate_whose_key_opens_nothing_of_what_is_kept_does_not_start_and_says_what_to_do() {
    let (gate, issuer) = connected("\n[vault]\nkey = \"file:secrets/vault\"\n").await;
    gate.end().await;
    let (settings, key) = (gate.directory().join("portcullis.toml"), gate.directory().join("secrets/vault"));
    write_private(&key, &"1f".repeat(32));
    let said = does_not_start(gate.directory()).await;
    assert!(said.contains("`earlier`") && said.contains("[vault]"), "{said}");
    assert!(!said.contains(&"1f".repeat(32)) && !said.contains(&"0f".repeat(32)), "{said}");
    // With the key before it, everything is sealed anew, and then that one can go.
    write_private(&gate.directory().join("secrets/before"), &"0f".repeat(32));
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, format!("{text}earlier = [\"file:secrets/before\"]\n")).unwrap();
    gate.again().await;
    passes(&read(&gate).await);
    gate.end().await;
    fs::write(&settings, &text).unwrap();
    gate.again().await;
    passes(&read(&gate).await);
    assert_eq!(issuer.given(), 1);
}

#[tokio::test]
async fn a_key_of_the_gates_own_that_is_gone_is_not_made_anew() {
    let (gate, _issuer) = connected("").await;
    gate.end().await;
    let file = gate.directory().join("data/vault.key");
    let key = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let said = does_not_start(gate.directory()).await;
    assert!(said.contains("vault.key") && said.contains("backup"), "{said}");
    assert!(!file.exists());
    write_private(&file, &key);
    gate.again().await;
    passes(&read(&gate).await);
}
