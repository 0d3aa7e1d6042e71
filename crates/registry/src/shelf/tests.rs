use model::{Actor, Change, Expected};
use serde_json::json;

use super::*;
use crate::{Approval, Definitions, EndpointManifest, Eyes, Observed, Server};

fn shelf() -> Shelf {
    Shelf { namespace: "com.example".to_owned(), base: "https://gate.example.com".to_owned() }
}

fn change(at: u64) -> Change {
    Change { actor: Actor::Person("ada".into()), expected: Expected::Any, at: Timestamp(at), reason: None }
}

/// 2026-11-21T12:30:05Z and an hour for each place after it.
fn hour(number: u64) -> u64 {
    1_795_264_205_000 + number * 3_600_000
}

/// Endpoints of these names, each for a server of its own, approved one hour after the other; the last is in no catalogue.
fn catalogue(names: &[&str]) -> Catalogue {
    let (mut servers, mut endpoints) = (Vec::new(), Vec::new());
    for (place, name) in (0..).zip(names) {
        let manifest = json!({ "name": name, "url": "https://secret.example/", "owner": "o", "purpose": "inside" });
        let mut server = Server::submit(serde_json::from_value(manifest).unwrap(), &change(1));
        let seen = Observed::new(Definitions::default(), Timestamp(2), Vec::new()).unwrap();
        server.observe(server.manifest.identity(), seen.clone(), &change(2)).unwrap();
        server.approve(Approval::of(seen.digest, Eyes::Two), &change(hour(place))).unwrap();
        servers.push(server);
        let purpose = format!("{name} {}", "ü".repeat(200));
        let manifest = json!({ "name": name, "server": name, "purpose": purpose, "catalogue": true });
        endpoints.push(serde_json::from_value::<EndpointManifest>(manifest).unwrap());
    }
    let hidden = json!({ "name": "hidden", "server": names[0], "purpose": "not for everybody" });
    endpoints.push(serde_json::from_value(hidden).unwrap());
    Catalogue::compile(&servers, &endpoints, &[])
}

fn names(list: &Value) -> Vec<String> {
    let servers = list["servers"].as_array().unwrap();
    servers.iter().map(|one| one["server"]["name"].as_str().unwrap().to_owned()).collect()
}

fn valid(answer: &Value) {
    let schema = serde_json::from_str(include_str!("answers.schema.json")).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    assert!(validator.is_valid(answer), "{answer:#}");
}

#[test]
fn an_entry_tells_a_name_a_purpose_and_the_gates_own_url() {
    let catalogue = catalogue(&["crm", "desk"]);
    let list = shelf().list(&catalogue, &Query::default()).unwrap();
    valid(&list);
    assert_eq!(names(&list), ["com.example/crm", "com.example/desk"]);
    let first = &list["servers"][0];
    assert_eq!(
        first["server"]["remotes"],
        json!([{ "type": "streamable-http", "url": "https://gate.example.com/crm/mcp" }])
    );
    assert_eq!(first["server"]["version"], "2026.1121.123005");
    assert_eq!(first["_meta"][OFFICIAL]["updatedAt"], "2026-11-21T12:30:05Z");
    for inside in ["secret.example", "hidden", "inside", "not for everybody"] {
        assert!(!list.to_string().contains(inside), "it tells `{inside}`");
    }
}

#[test]
fn what_is_not_approved_is_not_there() {
    let manifest = json!({ "name": "crm", "server": "crm", "purpose": "p", "catalogue": true });
    let endpoint: EndpointManifest = serde_json::from_value(manifest).unwrap();
    let catalogue = Catalogue::compile(&[] as &[Server], &[endpoint], &[]);
    assert_eq!(names(&shelf().list(&catalogue, &Query::default()).unwrap()), Vec::<String>::new());
    assert_eq!(shelf().versions(&catalogue, "com.example/crm"), None);
}

#[test]
fn pages_follow_each_other_and_remember_what_was_searched() {
    let catalogue = catalogue(&["a-desk", "b-desk", "c-desk", "crm", "d-desk"]);
    let first = Query { limit: Some("2".into()), search: Some("DESK".into()), ..Query::default() };
    let page = shelf().list(&catalogue, &first).unwrap();
    valid(&page);
    assert_eq!(names(&page), ["com.example/a-desk", "com.example/b-desk"]);
    let cursor = page["metadata"]["nextCursor"].as_str().unwrap().to_owned();
    // As a client does that leaves out the search when it goes on.
    let next = Query { limit: Some("2".into()), cursor: Some(cursor), ..Query::default() };
    let page = shelf().list(&catalogue, &next).unwrap();
    assert_eq!(names(&page), ["com.example/c-desk", "com.example/d-desk"]);
    assert_eq!(page["metadata"], json!({ "count": 2 }));
}

#[test]
fn entries_are_chosen_by_version_and_by_when_they_changed() {
    let catalogue = catalogue(&["crm", "desk"]);
    let list = |query: Query| names(&shelf().list(&catalogue, &query).unwrap());
    let version = |version: &str| Query { version: Some(version.into()), ..Query::default() };
    assert_eq!(list(version("latest")).len(), 2);
    assert_eq!(list(version("2026.1121.133005")), ["com.example/desk"]);
    let since = |since: &str| Query { updated_since: Some(since.into()), ..Query::default() };
    assert_eq!(list(since("2026-11-21T13:00:00Z")), ["com.example/desk"]);
    assert_eq!(list(since("2026-11-21T15:30:05+02:00")), ["com.example/desk"]);
    assert!(list(since("2027-01-01T00:00:00Z")).is_empty());
}

#[test]
fn one_entry_has_one_version() {
    let catalogue = catalogue(&["crm"]);
    let versions = shelf().versions(&catalogue, "com.example/crm").unwrap();
    valid(&versions);
    let latest = shelf().version(&catalogue, "com.example/crm", "latest").unwrap();
    valid(&latest);
    assert_eq!(versions["servers"][0], latest);
    assert_eq!(shelf().version(&catalogue, "com.example/crm", "2026.1121.123005"), Some(latest));
    assert_eq!(shelf().version(&catalogue, "com.example/crm", "1.0.0"), None);
    assert_eq!(shelf().versions(&catalogue, "com.example/hidden"), None);
    assert_eq!(shelf().versions(&catalogue, "crm"), None);
}

#[test]
fn a_query_that_cannot_be_read_says_which_part() {
    let catalogue = catalogue(&["crm"]);
    let wrong = |query| shelf().list(&catalogue, &query).unwrap_err();
    for limit in ["0", "-1", "two", ""] {
        assert_eq!(wrong(Query { limit: Some(limit.into()), ..Query::default() }), QueryError::Limit);
    }
    assert_eq!(wrong(Query { updated_since: Some("yesterday".into()), ..Query::default() }), QueryError::Since);
    assert_eq!(wrong(Query { cursor: Some("e30".into()), ..Query::default() }), QueryError::Cursor);
    assert_eq!(wrong(Query { cursor: Some("?".into()), ..Query::default() }), QueryError::Cursor);
    assert_eq!(wrong(Query { search: Some("a".repeat(1_000)), ..Query::default() }), QueryError::Search);
    let huge = Query { limit: Some("100000".into()), ..Query::default() };
    assert_eq!(names(&shelf().list(&catalogue, &huge).unwrap()).len(), 1);
}
