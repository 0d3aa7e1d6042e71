//! A full disk: calls are refused and said why, the gate is not ready and says so, and when there is room again it goes
//! on by itself. The data directory is a small file system in memory, in a mount namespace of the gate's own: it goes
//! with the gate.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use http::StatusCode;
use serde_json::json;

use super::process_id;
use crate::gate::files::ANA;
use crate::gate::{Gate, Setup};
use crate::verdict::{JOURNAL_UNAVAILABLE, passes};

/// What is run before the gate: a private mount namespace with a small file system where the data go. The commands of
/// the test read the admin's token outside, where the harness looks for it. A user namespace makes do without root.
const SMALL_DISK: &str = r#"
    folder=$(dirname "$3"); mkdir -m 700 -p "$folder/data"; cp "$folder/tokens/admin" "$folder/data/admin.token"
    exec unshare --mount --map-root-user sh -c \
        'mount -t tmpfs -o size=6m,mode=700 none "$(dirname "$4")/data" && exec "$@"' "$0" "$0" "$@"
"#;

/// Whether this machine lets a process have mounts of its own.
fn can_mount() -> bool {
    let tried =
        Command::new("unshare").args(["--mount", "--map-root-user", "sh", "-c", "mount -t tmpfs none /proc"]).output();
    tried.is_ok_and(|output| output.status.success())
}

/// The gate's data directory as the gate sees it.
fn data(gate: &Gate) -> PathBuf {
    let seen = format!("/proc/{}/root{}/data", process_id(gate), gate.directory().display());
    PathBuf::from(seen)
}

/// Takes all the room there is, to the last byte.
fn fill(gate: &Gate) -> PathBuf {
    let path = data(gate).join("filler");
    let mut file = fs::File::options().create(true).append(true).open(&path).unwrap();
    for piece in [1 << 16, 1 << 12, 1 << 8, 1] {
        while file.write_all(&vec![0; piece]).is_ok() {}
    }
    path
}

async fn ready(gate: &Gate) -> StatusCode {
    gate.send(gate.admin(), "GET", "/readyz", http::HeaderMap::new(), "").await.status
}

#[tokio::test]
async fn with_the_disk_full_nothing_leaves_and_with_room_again_it_goes_on() {
    if !can_mount() {
        println!("SKIPPED: this machine gives no mount namespace, so the full disk is not tried");
        return;
    }
    let gate = Gate::with(Setup { shell: Some(SMALL_DISK), ..Setup::default() }).await;
    let client = gate.client(ANA);
    let read = || client.call("read_ticket", json!({ "ticket": "1" }));
    passes(&read().await.unwrap());
    assert_eq!(ready(&gate).await, 200);
    let mut stream = client.open("tools/call", json!({ "name": "watch", "arguments": {} })).await.unwrap();
    assert!(stream.next().await.unwrap().is_some());
    let calls = gate.desk.calls();

    let filler = fill(&gate);
    // The last pages of the journal may still have had room.
    let mut reply = read().await.unwrap();
    for _ in 0..100 {
        if reply.status == JOURNAL_UNAVAILABLE.status {
            break;
        }
        fill(&gate);
        reply = read().await.unwrap();
    }
    let passed = gate.desk.calls();
    for _ in 0..5 {
        let reply = read().await.unwrap();
        gate.says(&reply, JOURNAL_UNAVAILABLE);
        let told = reply.error_message().unwrap();
        assert_eq!(told, "not carried out: the audit journal cannot be written");
    }
    assert_eq!(gate.desk.calls(), passed, "nothing left without its intent");
    println!("{} calls found room after the disk was full", passed - calls);

    // It says so where operators look, and goes on answering what needs no evidence before effect.
    assert_eq!(ready(&gate).await, 503);
    let status = gate.read("/status").await;
    assert_eq!(status["ready"], false);
    assert!(status.to_string().contains("No space left on device"), "{status:#}");
    gate.has_said("the journal cannot be written: calls are refused").await;
    passes(&client.list("tools/list").await.unwrap());
    // A halt that cannot be made durable is not acknowledged.
    let said = gate.cli(&["halt", "everything", "--reason", "a test"]).await;
    assert!(!said.ok, "{said:?}");
    assert_eq!(gate.read("/halts").await, json!([]));

    // A stream that was open goes on, and what must be known of it is kept until it can be written.
    drop(stream);
    fs::remove_file(filler).unwrap();
    let mut healed = read().await.unwrap();
    for _ in 0..500 {
        if healed.status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        healed = read().await.unwrap();
    }
    passes(&healed);
    assert_eq!(ready(&gate).await, 200);
    gate.must(&["halt", "user", "bob", "--reason", "a test"]).await;
    gate.until("/receipts?kind=intent", |page| {
        page["receipts"].as_array().unwrap().iter().all(|receipt| receipt.get("outcome").is_some())
    })
    .await;
    let page = gate.read("/receipts?kind=unrecorded").await;
    println!("{page}");
    let journal = data(&gate).join("journal").display().to_string();
    let said = gate.cli(&["audit", "verify", "--dir", &journal]).await;
    assert!(said.ok && said.out.contains("intact"), "{said:?}");
}
