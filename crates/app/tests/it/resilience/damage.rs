//! Files that are not what was written: the gate does not start on them, says which, and changes nothing.

use std::fs;
use std::path::{Path, PathBuf};

use super::refuses_to_start;
use crate::gate::Gate;
use crate::gate::files::ANA;
use crate::verdict::passes;

async fn ended() -> Gate {
    let gate = Gate::start().await;
    passes(&gate.client(ANA).call("read_ticket", serde_json::json!({ "ticket": "1" })).await.unwrap());
    gate.end().await;
    gate
}

fn segment(gate: &Gate) -> PathBuf {
    let journal = fs::read_dir(gate.directory().join("data/journal")).unwrap();
    let mut paths = journal.flatten().map(|entry| entry.path());
    paths.find(|path| path.extension().is_some_and(|end| end == "records")).unwrap()
}

fn with_byte_changed(path: &Path, at: usize) -> Vec<u8> {
    let right = fs::read(path).unwrap();
    let mut wrong = right.clone();
    wrong[at] ^= 0x01;
    fs::write(path, wrong).unwrap();
    right
}

#[tokio::test]
async fn a_damaged_database_is_told_and_left_alone() {
    let gate = ended().await;
    let database = gate.directory().join("data/state.db");
    let right = fs::read(&database).unwrap();
    let spoiled: [(&str, Vec<u8>); 3] = [
        ("no database", b"this is not a database, and long enough to be looked at".repeat(100)),
        ("cut", right[..5000].to_vec()),
        ("overwritten", [&right[..100], &vec![0xAA; right.len() - 100][..]].concat()),
    ];
    for (what, bytes) in spoiled {
        fs::write(&database, &bytes).unwrap();
        for beside in ["state.db-wal", "state.db-shm"] {
            drop(fs::remove_file(gate.directory().join("data").join(beside)));
        }
        let said = refuses_to_start(gate.directory()).await;
        assert!(said.starts_with("error: cannot open the database in `DIR/data`: "), "{what}: {said}");
        assert!(said.contains("malformed") || said.contains("not a database"), "{what}: {said}");
        assert_eq!(fs::read(&database).unwrap(), bytes, "{what}: it is evidence, and stays as it is");
    }
    fs::write(&database, right).unwrap();
    gate.again().await;
    passes(&gate.client(ANA).call("read_ticket", serde_json::json!({ "ticket": "1" })).await.unwrap());
}

#[tokio::test]
async fn a_changed_record_is_found_by_the_gate_and_by_the_auditor() {
    let gate = ended().await;
    let segment = segment(&gate);
    let length = fs::metadata(&segment).unwrap().len() as usize;
    let journal = gate.directory().join("data/journal").display().to_string();
    for at in [200, length / 2, length - 20] {
        let right = with_byte_changed(&segment, at);
        let said = gate.cli(&["audit", "verify", "--dir", &journal]).await;
        assert!(!said.ok && said.err.contains("the journal is not as it was written"), "byte {at}: {said:?}");
        fs::write(&segment, right).unwrap();
    }
    // A record taken away whole is found too: the checkpoint signed more.
    let right = fs::read(&segment).unwrap();
    fs::write(&segment, &right[..right.len() - 300]).unwrap();
    let said = gate.cli(&["audit", "verify", "--dir", &journal]).await;
    assert!(!said.ok, "{said:?}");
    let said = refuses_to_start(gate.directory()).await;
    assert!(said.starts_with("error: cannot open the journal in `DIR/data/journal`: "), "{said}");
    fs::write(&segment, right).unwrap();
    gate.again().await;
}

#[tokio::test]
async fn a_journal_under_another_key_is_not_written() {
    let gate = ended().await;
    let key = gate.directory().join("data/journal/signing.key");
    let right = with_byte_changed(&key, 3);
    let said = refuses_to_start(gate.directory()).await;
    assert!(said.contains("belongs to the key"), "{said}");
    fs::write(&key, right).unwrap();
    gate.again().await;
    passes(&gate.client(ANA).call("read_ticket", serde_json::json!({ "ticket": "1" })).await.unwrap());
}
