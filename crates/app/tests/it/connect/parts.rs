//! How `connect` begins and ends.

use serde_json::json;

use super::*;
use crate::gate::files::{ANA, caller_token};

#[tokio::test]
async fn what_is_under_way_is_answered_when_the_client_closes_its_output_and_subscriptions_end() {
    let gate = Gate::start().await;
    let mut local = Local::of(&gate, ANA);
    let listen = json!({ "notifications": { "toolsListChanged": true } });
    local.say(&modern("s", "subscriptions/listen", listen));
    assert_eq!(local.hear().await["method"], "notifications/subscriptions/acknowledged");
    local.say(&call(1, "slow", json!({})));
    gate.desk.reached(1).await;
    local.close();
    // The call may reach the server a moment after the subscription did.
    let ticking = async {
        loop {
            gate.desk.tick();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        answer = local.hear() => assert_eq!(text(&answer), "did \"slow\""),
        () = ticking => {}
    }
    assert!(local.ended().await.success());
    assert_eq!(local.log(), "", "there was nothing to tell");
}

#[tokio::test]
async fn what_never_ends_does_not_keep_it() {
    let gate = Gate::start().await;
    let mut local = Local::of(&gate, ANA);
    local.say(&call(1, "slow", json!({})));
    gate.desk.reached(1).await;
    local.close();
    assert!(local.ended().await.success());
}

#[tokio::test]
async fn a_token_is_not_sent_where_others_could_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let token = caller_token(ANA.name);
    let file = token_file(folder.path(), &token);
    for (url, words) in [
        ("http://gate.example.com/desk/mcp", "plain http is for this machine"),
        ("http://10.0.0.1/desk/mcp", "plain http is for this machine"),
        (&format!("https://me:{token}@gate.example.com/desk/mcp"), "no user, query or fragment"),
        (&format!("https://gate.example.com/desk/mcp?token={token}"), "no user, query or fragment"),
    ] {
        let mut local = Local::to(url, &file);
        assert_eq!(local.ended().await.code(), Some(2), "{url}");
        let log = words_of(&local);
        assert!(log.contains(words) && !log.contains(&token), "{log}");
    }
}

#[tokio::test]
async fn a_token_that_others_can_read_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = token_file(folder.path(), &caller_token(ANA.name));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut local = Local::to("http://127.0.0.1:9/desk/mcp", &file);
    assert_eq!(local.ended().await.code(), Some(1));
    assert!(words_of(&local).contains("chmod 600"));
    let mut local = Local::start(env!("CARGO_BIN_EXE_portcullis"), &["connect", "http://127.0.0.1:9/desk/mcp"], None);
    assert_eq!(local.ended().await.code(), Some(1));
    assert!(words_of(&local).contains("PORTCULLIS_TOKEN"));
}

/// The log in one line; it is complete when the program has ended.
fn words_of(local: &Local) -> String {
    local.log().split_whitespace().collect::<Vec<_>>().join(" ")
}
