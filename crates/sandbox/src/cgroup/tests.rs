use super::*;

#[test]
fn places_are_those_of_the_own_groups() {
    let mounted = Path::new("/nowhere");
    let first = "9:name=systemd:/a\n8:cpu,pids:/a\n7:memory:/b\n0::/\n";
    assert_eq!(places(first, mounted), [Path::new("/nowhere/pids/a"), Path::new("/nowhere/")]);
    let second = "0::/system.slice/portcullis.service\n";
    assert_eq!(places(second, mounted), [Path::new("/nowhere/system.slice/portcullis.service")]);
    for strange in ["", "\n", "0", "0:", "0::/../elsewhere", "8:pids:/../.."] {
        assert_eq!(places(strange, mounted), Vec::<PathBuf>::new(), "{strange}");
    }
}

#[test]
fn a_directory_that_is_no_control_group_is_left_as_it_was() {
    let place = tempfile::tempdir().unwrap();
    let old = SystemTime::now() - LEFT_AFTER - Duration::from_secs(1);
    for (name, modified) in [("portcullis-1-1", old), ("portcullis-2-2", SystemTime::now()), ("elsewhere", old)] {
        fs::create_dir(place.path().join(name)).unwrap();
        File::open(place.path().join(name)).unwrap().set_modified(modified).unwrap();
    }
    assert!(ControlGroup::within(place.path(), 10).is_none());
    let mut left: Vec<_> = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["elsewhere", "portcullis-2-2"], "what a supervisor left long ago is removed, and nothing else");
    assert!(ControlGroup::within(Path::new("/proc/nowhere"), 10).is_none());
}
