//! Keys that somebody keeps for servers grow old, and the gate says so.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::own::ticket;
use crate::gate::files::{ANA, DESK_CREDENTIAL, person_token, write_private};
use crate::gate::{Gate, Setup, bearer};
use crate::verdict::passes;

#[tokio::test]
async fn a_key_that_should_have_been_replaced_is_told_by_everything_that_watches_and_calls_go_on() {
    let credential = "\n[credential]\nsecret = \"file:secrets/desk\"\nrotate_after_days = 30\n".to_owned();
    let guard: crate::puppet::Guard = Arc::new(|_, _, _| None);
    let secrets = vec![("desk", DESK_CREDENTIAL.to_owned())];
    let gate = Gate::with(Setup { guard: Some((guard, credential)), secrets, ..Setup::default() }).await;
    let shown = gate.must(&["server", "show", "desk"]).await;
    assert!(shown.contains("the same since") && shown.contains("another one due"), "{shown}");
    assert!(!shown.contains("late by"), "{shown}");

    // Another key, which somebody wrote down a hundred days ago.
    let file = gate.directory().join("secrets/desk");
    write_private(&file, "another-credential-of-the-desk");
    let then = SystemTime::now() - Duration::from_secs(100 * 24 * 60 * 60 + 60);
    File::options().append(true).open(&file).unwrap().set_modified(then).unwrap();
    gate.reload();
    gate.until("/servers/desk", |desk| desk["credentials"][0]["late_days"] == 70).await;
    let shown = gate.must(&["server", "show", "desk"]).await;
    assert!(shown.contains("late by 70 days"), "{shown}");
    let metrics = gate.send(gate.admin(), "GET", "/metrics", bearer(&person_token("viewer")), "").await.text();
    let says = |name: &str, days: u64| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name}{{server=\"desk\"}} ")));
        let seconds: u64 = line.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap();
        assert_eq!(seconds / (24 * 60 * 60), days, "{name}");
    };
    says("portcullis_key_age_seconds", 100);
    says("portcullis_key_late_seconds", 70);
    passes(&gate.client(ANA).call("read_ticket", ticket()).await.unwrap());
    // For how long it may be the same is nothing that has to be approved.
    let manifest = gate.directory().join("state/servers/desk.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("rotate_after_days = 30", "rotate_after_days = 365")).unwrap();
    gate.apply().await;
    gate.until("/servers/desk", |desk| desk["credentials"][0].get("late_days").is_none()).await;
    passes(&gate.client(ANA).call("read_ticket", ticket()).await.unwrap());
    // A restart remembers since when the key is the same, and nothing of the key is kept or said.
    let since = gate.read("/servers/desk").await["credentials"][0]["since"].clone();
    gate.end().await;
    gate.again().await;
    assert_eq!(gate.read("/servers/desk").await["credentials"][0]["since"], since);
    let kept = gate.kept().into_iter().map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned());
    assert!(kept.chain([gate.output()]).all(|text| !text.contains("another-credential-of-the-desk")));
}
