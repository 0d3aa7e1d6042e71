use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn file(content: &str, mode: u32) -> (tempfile::TempDir, SecretReference) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    (folder, SecretReference::File(path))
}

#[test]
fn the_last_line_break_is_not_part_of_the_secret() {
    let (_folder, reference) = file("s3cret\n", 0o600);
    assert!(read_secret(&reference, Path::new("/")).ok().unwrap().matches(b"s3cret"));
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    let (_folder, reference) = file("s3cret", 0o640);
    assert!(matches!(read_secret(&reference, Path::new("/")), Err(SecretError::Exposed { .. })));
}

#[test]
fn a_secret_of_two_lines_is_refused_without_being_shown() {
    let (_folder, reference) = file("s3cret\nX-Evil: 1", 0o600);
    let error = read_secret(&reference, Path::new("/")).err().unwrap();
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}

#[test]
fn a_missing_variable_is_named() {
    let reference = SecretReference::Environment("PORTCULLIS_TEST_NEVER_SET".into());
    let error = read_secret(&reference, Path::new("/")).err().unwrap();
    assert!(error.to_string().contains("PORTCULLIS_TEST_NEVER_SET"));
}
