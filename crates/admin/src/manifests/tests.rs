use super::*;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn a_folder_reads_the_same_each_time_and_only_kinds_that_are_there_are_meant() {
    let folder = folder(&[("policies/b.cedar", "b"), ("policies/a.cedar", "a"), ("zones/.keep", "")]);
    let manifests = Manifests::read(folder.path()).unwrap();
    let named = |name: &str, text: &str| File { file: format!("policies/{name}.cedar"), text: text.to_owned() };
    assert_eq!(manifests.policies, Some(vec![named("a", "a"), named("b", "b")]));
    assert_eq!((manifests.zones, manifests.servers), (Some(Vec::new()), None));
}

#[test]
fn whatever_does_not_belong_there_is_named() {
    for (stranger, told) in [
        ("README.md", "README.md"),
        ("polices/all.cedar", "polices"),
        ("policies/all.cedar.bak", "all.cedar.bak"),
        ("policies/more/all.cedar", "more"),
        ("servers/erp.yaml", "erp.yaml"),
        ("servers/erp.cedar", "erp.cedar"),
    ] {
        let folder = folder(&[("zones/a.toml", ""), (stranger, "")]);
        let error = Manifests::read(folder.path()).unwrap_err();
        assert!(matches!(&error, FolderError::Stranger { path, .. } if path.ends_with(told)), "{stranger}: {error}");
    }
}

#[test]
fn a_folder_that_is_not_there_or_holds_nothing_is_no_wish_to_remove_everything() {
    let empty = folder(&[]);
    assert!(matches!(Manifests::read(empty.path()), Err(FolderError::Empty { .. })));
    assert!(matches!(Manifests::read(&empty.path().join("nowhere")), Err(FolderError::Read { .. })));
}

#[test]
fn policies_alone_are_found_in_the_folder_or_beneath_it() {
    let inner = folder(&[("policies/a.cedar", "a"), ("servers/erp.toml", "")]);
    let flat = folder(&[("a.cedar", "a")]);
    let found = Manifests::read_policies(inner.path()).unwrap();
    assert_eq!(found, Manifests::read_policies(flat.path()).unwrap());
    assert_eq!(found.policies.unwrap()[0].file, "policies/a.cedar");
}
