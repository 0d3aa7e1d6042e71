//! The gate's own credentials, and canary tokens, in messages: what the gate keeps for a server is said by nobody, with no
//! policy that asks, and a canary raises an alarm.

use std::process::Command;

use base64::Engine as _;
use serde_json::json;

use super::data_leaks::call;
use crate::gate::files::DESK_CREDENTIAL;
use crate::gate::{Gate, Setup};
use crate::verdict::{POLICY_FORBIDS, RELEASE_REFUSED, passes};

#[tokio::test]
async fn a_servers_credential_passes_neither_way_in_any_disguise() {
    let gate = Gate::with(Setup { guarded: true, ..Setup::default() }).await;
    let encoded = base64::engine::general_purpose::STANDARD.encode(DESK_CREDENTIAL);
    let hex: String = DESK_CREDENTIAL.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = DESK_CREDENTIAL.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for disguise in [format!("it is {DESK_CREDENTIAL}!"), encoded, hex, percent] {
        let arguments = json!({ "ticket": "1", "amount": 1, "fields": { "note": disguise } });
        let event = gate.refuses(&call(&gate, "annotate", arguments).await, POLICY_FORBIDS).await;
        assert_eq!(event["findings"]["list"][0]["rule"], "vault.desk", "{event:#}");
        assert!(!event.to_string().contains(DESK_CREDENTIAL));
    }
    assert_eq!(gate.desk.calls(), 0);
    // What only begins like it is another thing.
    let alike = format!("{}-else", DESK_CREDENTIAL.split_at(DESK_CREDENTIAL.len() - 3).0);
    passes(&call(&gate, "annotate", json!({ "ticket": "1", "amount": 1, "fields": { "note": alike } })).await);

    // What the server says by itself: its ticket's name is repeated in nothing, so a resource's description says it.
    gate.desk.behave(|script| script.resources[0]["description"] = DESK_CREDENTIAL.into());
    let reply = gate.client(crate::gate::files::ANA).post("resources/list", json!({})).await.unwrap();
    gate.ends(&reply, RELEASE_REFUSED, "result-withheld").await;
    gate.desk.behave(|script| script.resources[0]["description"] = "a ticket".into());
    passes(&gate.client(crate::gate::files::ANA).post("resources/list", json!({})).await.unwrap());
}

#[tokio::test]
async fn a_canary_in_a_message_raises_an_alarm() {
    let gate = Gate::start().await;
    let config = gate.directory().join("portcullis.toml");
    let made = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["canary", "new", "finance-share", "--config", config.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let told = String::from_utf8(made.stdout).unwrap();
    let token = told.lines().next().unwrap().to_owned();
    let settings = told.split_once("[[inspection.canary]]").unwrap().1;
    let with_canary = format!("{}\n[[inspection.canary]]{settings}", std::fs::read_to_string(&config).unwrap());
    assert!(!with_canary.contains(&token), "the settings do not tell the token");
    std::fs::write(&config, with_canary).unwrap();
    gate.end().await;
    gate.again().await;

    let arguments = json!({ "ticket": "1", "amount": 1, "fields": { "answer": "all is well" } });
    passes(&call(&gate, "annotate", arguments).await);
    assert!(!gate.output().contains("canary"), "{}", gate.output());
    let arguments = json!({ "ticket": "1", "amount": 1, "fields": { "note": token.clone() } });
    let reply = call(&gate, "annotate", arguments).await;
    passes(&reply);
    gate.has_said("a canary token is in a message").await;
    assert!(!gate.output().contains(&token));
    let receipt = gate.receipt(crate::verdict::receipt_id(&reply)).await;
    assert_eq!(receipt["record"]["event"]["findings"]["list"][0]["rule"], "canary.finance-share", "{receipt:#}");
}
