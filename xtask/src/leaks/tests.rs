use super::*;

fn machine() -> Machine {
    Machine { folders: ["/builds".to_owned()].into(), hosts: ["mirror.example".to_owned()].into() }
}

fn leaks(text: &str) -> Vec<(usize, String)> {
    machine().leaks(text).map(|(line, leak)| (line, leak.to_owned())).collect()
}

#[test]
fn a_path_of_the_machine_is_found_with_its_line() {
    assert_eq!(leaks("one\nsee `/builds/gate/x.rs`"), [(2, "/builds".to_owned())]);
}

#[test]
fn the_same_name_within_another_path_is_no_leak() {
    assert_eq!(leaks("target/builds/x, https://example.com/builds/x, ./builds/x, /builds-of-others/x"), []);
}

#[test]
fn a_host_of_a_private_registry_is_found() {
    assert_eq!(leaks("index = \"https://mirror.example/index/\""), [(1, "mirror.example".to_owned())]);
}

#[test]
fn hosts_are_read_from_the_settings_of_cargo_without_what_signs_in_there() {
    let settings = r#"
        [source.crates-io]
        replace-with = "mirror"
        [source.mirror]
        registry = "sparse+https://user:word@mirror.example:8443/index/"
        [registries.public]
        index = "https://github.com/rust-lang/crates.io-index"
    "#;
    assert_eq!(registry_hosts(settings), ["mirror.example".to_owned()].into());
}

#[test]
fn the_folder_of_this_checkout_is_a_leak() {
    let root = Path::new("/builds/gate");
    let machine = Machine::this(root);
    assert_eq!(machine.leak("at /builds/gate/Cargo.toml"), Some("/builds"));
    assert_eq!(machine.leak("a file called builds/gate"), None);
}
