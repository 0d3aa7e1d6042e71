//! The data directory: one gate writes it, its owner alone may read it, and a gate that cannot keep it does not start.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::{journal_is_intact, refuses_to_start};
use crate::gate::files::ANA;
use crate::gate::{Gate, serve};
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

#[tokio::test]
async fn a_directory_of_somebody_else_is_refused() {
    let gate = Gate::start().await;
    gate.end().await;
    let data = gate.directory().join("data");
    if Command::new("chown").arg("12345").arg(&data).status().is_ok_and(|status| status.success()) {
        let said = refuses_to_start(gate.directory()).await;
        assert_eq!(
            said,
            "error: the data directory `DIR/data` belongs to user 12345, and the gate runs as user 0: run it as its owner"
        );
    } else {
        println!("SKIPPED: only root gives files away");
    }
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_refused() {
    let gate = Gate::start().await;
    gate.end().await;
    let data = gate.directory().join("data");
    // Permissions do not keep root from writing; a mount does.
    let read_only = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$@\"";
    let gate_command = serve(gate.directory(), None);
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", read_only]).arg(&data);
    command.args(["timeout", "20"]).arg(gate_command.get_program()).args(gate_command.get_args());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = super::one_line(&String::from_utf8(output.stderr).unwrap(), gate.directory());
    if said.starts_with("unshare:") || said.starts_with("mount:") {
        println!("SKIPPED: this machine gives no mount namespace");
        return;
    }
    assert_eq!(said, "error: cannot write in the data directory `DIR/data`: Read-only file system (os error 30)");
    assert_eq!(output.status.code(), Some(1));
}
