use std::os::unix::fs::PermissionsExt as _;

use super::*;

const GATE: &str = "https://gate.example:9443";

#[test]
fn a_session_is_of_one_gate_and_for_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let sessions = Sessions(directory.path().join("deep/sessions"));
    assert_eq!(sessions.at(GATE, 1), None);
    let file = sessions.keep(GATE, "token", 100).unwrap();
    assert_eq!(sessions.at(GATE, 99).as_ref(), Some(&file));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&sessions.0).unwrap().permissions().mode() & 0o777, 0o700);
    for other in ["https://gate.example", "http://gate.example:9443", "https://gate.example:9444", ""] {
        assert_eq!(sessions.at(other, 99), None, "{other}");
    }
}

#[test]
fn what_is_over_or_forgotten_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let sessions = Sessions(directory.path().to_owned());
    let old = sessions.keep(GATE, "old", 100).unwrap();
    assert_eq!(sessions.at(GATE, 100), None);
    assert!(!old.exists());
    let new = sessions.keep(GATE, "new", 200).unwrap();
    assert_eq!(std::fs::read_to_string(&new).unwrap(), "new");
    assert!(sessions.forget(GATE) && !sessions.forget(GATE) && !new.exists());
}
