use std::cell::Cell;

use super::*;

fn name(name: &str) -> ServerName {
    name.parse().unwrap()
}

#[test]
fn a_thing_is_made_once_of_the_same_and_again_of_something_else() {
    let (kept, made) = (Kept::default(), Cell::new(0));
    let digests = [Digest::of(b"one"), Digest::of(b"two")];
    for (server, digest) in [("crm", 0), ("crm", 0), ("erp", 0), ("crm", 1), ("crm", 1), ("crm", 0)] {
        let thing = kept.of(&name(server), digests[digest], || made.replace(made.get() + 1));
        assert!(*thing < made.get());
    }
    assert_eq!(made.get(), 4, "crm, erp, crm of something else, and crm as before");
    kept.keep(&HashSet::from([&name("erp")]));
    kept.of(&name("erp"), digests[0], || made.replace(made.get() + 1));
    assert_eq!(made.get(), 4);
    kept.of(&name("crm"), digests[0], || made.replace(made.get() + 1));
    assert_eq!(made.get(), 5);
}
