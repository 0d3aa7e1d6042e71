//! The gate's own credential: refused by the server, missing, exposed, changed. The caller learns that the call was not
//! carried out or that its outcome is unknown, and never what the credential is.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use drill::mcp::Reply;
use serde_json::json;

use crate::gate::files::{ANA, DESK_CREDENTIAL, write_private};
use crate::gate::{Gate, Setup};
use crate::puppet::Manner;
use crate::verdict::{CREDENTIAL_UNAVAILABLE, OUTCOME_UNKNOWN, passes};

async fn guarded() -> Gate {
    Gate::with(Setup { guarded: true, ..Setup::default() }).await
}

async fn read(gate: &Gate) -> Reply {
    gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap()
}

#[tokio::test]
async fn a_server_that_refuses_the_gates_credential_is_no_affair_of_the_callers() {
    let gate = guarded().await;
    gate.desk.behave(|script| script.manner = Manner::Unauthorised);
    let reply = read(&gate).await;
    assert!(!reply.headers.contains_key("www-authenticate"), "the caller is not asked to sign in anywhere");
    assert!(!reply.headers.contains_key("set-cookie"));
    let outcome = gate.ends(&reply, OUTCOME_UNKNOWN, "unknown").await;
    assert!(outcome["detail"].as_str().unwrap().contains("401"), "the operator reads it: {outcome:#}");
    assert_eq!(gate.desk.calls(), 1);
    let presented = gate.desk.forwarded()[0].headers["authorization"].clone();
    assert_eq!(presented, format!("Bearer {DESK_CREDENTIAL}"));
    for (file, bytes) in gate.kept() {
        gate.holds_no_secret(&String::from_utf8_lossy(&bytes), &file.display().to_string());
    }
    gate.holds_no_secret(&gate.output(), "the log");
}

#[tokio::test]
async fn without_its_credential_a_call_is_not_made() {
    let gate = guarded().await;
    passes(&read(&gate).await);
    let file = gate.directory().join("secrets/desk");
    // What it holds, if it is there, and who may read it.
    let spoilings = [
        (None, 0o600, "cannot be read"),
        (Some(DESK_CREDENTIAL), 0o644, "can be read by others"),
        (Some(""), 0o600, "is empty, too long or not one line"),
        (Some("one\ntwo\n"), 0o600, "is empty, too long or not one line"),
    ];
    for (text, mode, why) in spoilings {
        fs::remove_file(&file).unwrap();
        if let Some(text) = text {
            write_private(&file, text);
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        }
        gate.end().await;
        gate.again().await;
        let reply = read(&gate).await;
        let outcome = gate.ends(&reply, CREDENTIAL_UNAVAILABLE, "not-sent").await;
        let detail = outcome["detail"].as_str().unwrap();
        assert!(detail.contains(why), "{detail}");
        drop(fs::remove_file(&file));
        write_private(&file, DESK_CREDENTIAL);
    }
    gate.end().await;
    gate.again().await;
    passes(&read(&gate).await);
    assert_eq!(gate.desk.calls(), 2);
}

#[tokio::test]
async fn a_new_credential_is_presented_once_the_gate_was_asked_to_look() {
    let gate = guarded().await;
    passes(&read(&gate).await);
    let presented = |call: usize| gate.desk.forwarded()[call].headers["authorization"].clone();
    assert_eq!(presented(0), format!("Bearer {DESK_CREDENTIAL}"));
    write_private(&gate.directory().join("secrets/desk"), "a-newer-credential");
    gate.reload();
    gate.has_said("the settings were reloaded").await;
    for call in 1..200 {
        passes(&read(&gate).await);
        if presented(call) == "Bearer a-newer-credential" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the old credential is still presented");
}
