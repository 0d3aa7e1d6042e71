use super::*;

fn owner(agent: &str, user: Option<&str>) -> SessionKey {
    SessionKey { agent: agent.parse().unwrap(), user: user.map(|user| user.parse().unwrap()), thread: None }
}

#[test]
fn a_place_is_good_at_its_revision() {
    for (revision, at) in [(0, 0), (1, 9_999), (u64::MAX, 1 << 40)] {
        let content = content(Revision(revision), at);
        assert_eq!(place(content, Revision(revision)), Some(at));
        assert_eq!(place(content, Revision(revision ^ 1)), None);
    }
}

#[test]
fn no_two_owners_endpoints_and_lists_are_bound_alike() {
    let mut all = Vec::new();
    for owner in [owner("a", Some("bc")), owner("ab", Some("c")), owner("a", None), owner("abc", None)] {
        for endpoint in ["desk", "desktools"] {
            for list in [List::Tools, List::Prompts, List::Templates] {
                all.push(bound(&owner, endpoint, list));
            }
        }
    }
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);
}
