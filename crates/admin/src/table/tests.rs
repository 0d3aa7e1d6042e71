use std::collections::BTreeSet;

use super::*;
use crate::route::Door;

#[test]
fn no_row_is_there_twice_or_without_words() {
    let mut seen = BTreeSet::new();
    for route in routes() {
        assert!(seen.insert((route.path, route.verb.as_str())), "{} {}", route.verb.as_str(), route.path);
        assert!(route.summary.ends_with('.'), "{}", route.path);
    }
}

#[test]
fn only_an_admin_applies_removes_and_has_keys_wrapped_anew() {
    let of_admins = |route: &Route| match route.door {
        Door::Public(_) => false,
        Door::Plain(roles, _) | Door::Json(roles, _) => roles == [Role::Admin],
    };
    let admins: Vec<_> = routes().iter().filter(|route| of_admins(route)).map(|route| route.path).collect();
    assert_eq!(admins, ["/api/v1/servers/{name}", "/api/v1/apply", "/api/v1/vault/rewrap"]);
}
