//! The vault's master key: where it is kept, and what becomes of a gate that is started with another one.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::gate::files::write_private;
use crate::gate::{Gate, Setup, does_not_start};

#[tokio::test]
async fn a_key_is_made_for_the_owner_alone_and_kept() {
    let gate = Gate::start().await;
    let file = gate.directory().join("data/vault.key");
    let key = fs::read_to_string(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(key.len() == 64 && key.bytes().all(|digit| digit.is_ascii_hexdigit()), "{}", key.len());
    assert!(!gate.output().contains(&key));
    gate.end().await;
    gate.again().await;
    assert_eq!(fs::read_to_string(&file).unwrap(), key);
}

#[tokio::test]
async fn a_key_that_settings_name_is_read_and_none_is_made() {
    let settings = "\n[vault]\nkey = \"file:secrets/vault\"\n".to_owned();
    let secrets = vec![("vault", "0f".repeat(32))];
    let gate = Gate::with(Setup { settings, secrets, ..Setup::default() }).await;
    assert!(!gate.directory().join("data/vault.key").exists());
    assert!(!gate.output().contains(&"0f".repeat(32)));
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_told_at_its_line() {
    let settings = "\n[vault]\nkey = \"file:secrets/vault\"\nearlier = [\"file:secrets/before\"]\n".to_owned();
    let secrets = vec![("vault", "0f".repeat(32)), ("before", "1f".repeat(32))];
    let gate = Gate::with(Setup { settings, secrets, ..Setup::default() }).await;
    gate.end().await;
    let line = |words: &str| {
        let text = fs::read_to_string(gate.directory().join("portcullis.toml")).unwrap();
        text.lines().position(|line| line.starts_with(words)).unwrap() + 1
    };
    let keys = [("secrets/before", "earlier = ", "1f"), ("secrets/vault", "key = \"file:secrets/vault", "0f")];
    for (file, setting, right) in keys {
        write_private(&gate.directory().join(file), "not-a-key");
        let said = does_not_start(gate.directory()).await;
        assert!(said.contains(&format!("portcullis.toml:{}:", line(setting))), "{said}");
        assert!(said.contains("openssl rand -hex 32") && !said.contains("not-a-key"), "{said}");
        write_private(&gate.directory().join(file), &right.repeat(32));
    }
    fs::remove_file(gate.directory().join("secrets/vault")).unwrap();
    let said = does_not_start(gate.directory()).await;
    assert!(said.contains("secrets/vault") && said.contains("chmod 600"), "{said}");
}
