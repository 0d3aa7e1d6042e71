//! The data directory: one gate writes it, its owner alone may read it, and a gate that cannot keep it does not start.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{journal_is_intact, refuses_to_start};
use crate::gate::Gate;
use crate::gate::files::ANA;
use crate::verdict::passes;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn two_gates_do_not_share_a_directory() {
    let gate = Gate::start().await;
    let said = refuses_to_start(gate.directory()).await;
    assert_eq!(
        said,
        "error: cannot open the journal in `DIR/data/journal`: another gate writes the journal in `DIR/data/journal`"
    );
    passes(&gate.client(ANA).call("read_ticket", serde_json::json!({ "ticket": "1" })).await.unwrap());
    gate.end().await;
    gate.again().await;
    journal_is_intact(&gate).await;
}

#[tokio::test]
async fn everything_that_is_kept_is_for_its_owner_alone() {
    let gate = Gate::start().await;
    let mut folders = vec![gate.directory().join("data")];
    while let Some(folder) = folders.pop() {
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700, "{folder:?}");
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            match path.is_dir() {
                true => folders.push(path),
                false => assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{path:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_directory_that_others_may_enter_is_refused() {
    let gate = Gate::start().await;
    gate.end().await;
    let data = gate.directory().join("data");
    mode(&data, 0o755);
    let said = refuses_to_start(gate.directory()).await;
    assert_eq!(said, "error: others may enter the data directory `DIR/data`: run `chmod 700 DIR/data`");
    mode(&data, 0o700);

    mode(&data.join("admin.token"), 0o644);
    let said = refuses_to_start(gate.directory()).await;
    assert_eq!(
        said,
        "error: the bootstrap token: the secret file `DIR/data/admin.token` can be read by others than its owner: run \
         `chmod 600 DIR/data/admin.token`"
    );
    mode(&data.join("admin.token"), 0o600);

    // What only loosens by accident is tightened: the database.
    mode(&data.join("state.db"), 0o644);
    gate.again().await;
    assert_eq!(fs::metadata(data.join("state.db")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_directory_that_is_no_directory_is_refused() {
    let gate = Gate::start().await;
    gate.end().await;
    let data = gate.directory().join("data");
    let away = gate.directory().join("away");
    fs::rename(&data, &away).unwrap();
    fs::write(&data, "a file").unwrap();
    let said = refuses_to_start(gate.directory()).await;
    assert!(said.starts_with("error: cannot make the data directory `DIR/data`: "), "{said}");
    fs::remove_file(&data).unwrap();
    fs::rename(&away, &data).unwrap();

    let (journal, away) = (data.join("journal"), data.join("away"));
    fs::rename(&journal, &away).unwrap();
    fs::write(&journal, "a file").unwrap();
    let said = refuses_to_start(gate.directory()).await;
    assert!(said.starts_with("error: cannot open the journal in `DIR/data/journal`: "), "{said}");
    fs::remove_file(&journal).unwrap();
    fs::rename(&away, &journal).unwrap();
    gate.again().await;
    passes(&gate.client(ANA).call("read_ticket", serde_json::json!({ "ticket": "1" })).await.unwrap());
}
