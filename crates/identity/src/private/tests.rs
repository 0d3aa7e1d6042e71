use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

#[test]
fn a_file_is_its_owners_alone_whatever_stood_there() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    // What a crash, or somebody else, left beside its place.
    let beside = directory.path().join("key.new");
    fs::write(&beside, "half").unwrap();
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o666)).unwrap();
    for content in ["first", "second"] {
        write_private(&file, content.as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!beside.exists());
    }
}

#[test]
fn where_nothing_can_be_written_nothing_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("no such folder").join("key");
    assert!(write_private(&file, b"key").is_err());
    assert!(!file.exists());
}
