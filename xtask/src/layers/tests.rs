use std::path::PathBuf;

use super::*;

fn declares(name: &str, target: &str, ours: bool, kind: Option<&str>) -> Vec<String> {
    let dependency = Dependency {
        name: target.to_owned(),
        kind: kind.map(str::to_owned),
        path: ours.then(|| PathBuf::from("crates").join(target)),
    };
    let subject = Crate { name: name.to_owned(), manifest_path: PathBuf::new(), dependencies: vec![dependency] };
    violations(&[subject])
}

#[test]
fn a_room_may_use_what_the_table_allows() {
    assert_eq!(declares("gateway", "policy", true, None), Vec::<String>::new());
}

#[test]
fn the_data_plane_does_not_name_the_control_plane() {
    let violations = declares("gateway", "admin", true, None);
    assert_eq!(violations.len(), 1);
    assert!(violations[0].starts_with("gateway -> admin: `gateway` may use only model, "), "{violations:?}");
}

#[test]
fn the_nouns_use_no_room() {
    assert_eq!(
        declares("model", "wire", true, None),
        ["model -> wire: `model` stands below all others and uses none of them"]
    );
}

#[test]
fn only_the_binary_names_the_store() {
    assert_eq!(declares("admin", "store", true, None).len(), 1);
    assert_eq!(declares("app", "store", true, None), Vec::<String>::new());
}

#[test]
fn only_policy_names_cedar() {
    assert_eq!(
        declares("registry", "cedar-policy", false, None),
        ["registry -> cedar-policy: only `policy` knows the policy language"]
    );
    assert_eq!(declares("policy", "cedar-policy", false, None), Vec::<String>::new());
}

#[test]
fn a_pure_room_has_no_runtime() {
    assert_eq!(declares("wire", "tokio", false, None), ["wire -> tokio: it does no I/O"]);
}

#[test]
fn tests_may_use_what_they_like() {
    assert_eq!(declares("wire", "testkit", true, Some("dev")), Vec::<String>::new());
}

#[test]
fn not_even_the_binary_ships_the_testkit() {
    assert_eq!(
        declares("app", "testkit", true, None),
        ["app -> testkit: `testkit` is for tests and tools, and does not ship"]
    );
}

#[test]
fn what_a_build_script_uses_counts_as_shipped() {
    assert_eq!(declares("model", "tokio", false, Some("build")).len(), 1);
}

#[test]
fn a_crate_outside_the_table_is_a_violation() {
    assert_eq!(declares("helpers", "model", true, None).len(), 1);
}

#[test]
fn every_room_of_the_table_names_rooms_of_the_table() {
    for room in ROOMS {
        let rooms: &[&str] = match room.may_use {
            May::Only(rooms) => rooms,
            May::Anything | May::AnythingAtAll => &[],
        };
        for target in rooms {
            assert!(ROOMS.iter().any(|known| known.name == *target), "{} -> {target}", room.name);
        }
    }
}
