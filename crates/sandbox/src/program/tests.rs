use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn folder_with(name: &str, mode: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    folder
}

#[test]
fn a_bare_name_is_looked_up_in_the_path_of_the_command() {
    let folder = folder_with("tool", 0o755);
    let search = format!("relative::{}:/usr/bin", folder.path().display());
    assert_eq!(file(Path::new("tool"), Path::new("/"), Some(&search)).unwrap(), folder.path().join("tool"));
    let error = file(Path::new("tool"), Path::new("/"), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no program `tool` in `/usr/local/bin:/usr/bin:/bin`; write its whole path, or give the command a `PATH`"
    );
}

#[test]
fn a_relative_path_is_below_the_directory_of_the_command() {
    let folder = folder_with("tool", 0o755);
    assert_eq!(file(Path::new("./tool"), folder.path(), None).unwrap(), folder.path().join("./tool"));
}

#[test]
fn a_file_that_may_not_be_executed_is_not_a_program() {
    let folder = folder_with("notes", 0o644);
    let path = folder.path().join("notes");
    assert!(matches!(file(&path, Path::new("/"), None), Err(SpawnError::NotExecutable(_))));
    assert!(matches!(file(folder.path(), Path::new("/"), None), Err(SpawnError::NotExecutable(_))));
    let missing = folder.path().join("missing");
    assert!(matches!(file(&missing, Path::new("/"), None), Err(SpawnError::ProgramMissing(_))));
}

#[test]
fn an_empty_name_is_no_program() {
    assert!(matches!(file(Path::new(""), Path::new("/"), None), Err(SpawnError::ProgramNotFound { .. })));
}

#[test]
fn a_directory_is_absolute_and_there() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(directory(Some(folder.path())).unwrap(), folder.path());
    assert_eq!(directory(None).unwrap(), Path::new("/"));
    assert!(matches!(directory(Some(Path::new("here"))), Err(SpawnError::DirectoryRelative(_))));
    assert!(matches!(directory(Some(&folder.path().join("gone"))), Err(SpawnError::DirectoryMissing(_))));
}
