use model::Expected;
use serde_json::json;

use super::*;
use crate::{Definition, Definitions};

fn change() -> Change {
    Change { actor: Actor::Person("ada".into()), expected: Expected::Any, at: Timestamp(1), reason: None }
}

fn manifest(url: &str) -> ServerManifest {
    serde_json::from_value(json!({ "name": "crm", "url": url, "owner": "sales", "purpose": "customers" })).unwrap()
}

fn observed(tool: &str) -> Observed {
    let tools = vec![Definition::new(tool, &json!({ "name": tool })).unwrap()];
    Observed::new(Definitions { tools, ..Definitions::default() }, Timestamp(2), Vec::new()).unwrap()
}

fn approved() -> Server {
    let mut server = Server::submit(manifest("https://crm.example/mcp"), &change());
    server.observe(server.manifest.identity(), observed("read"), &change()).unwrap();
    server.approve(observed("read").digest, &change()).unwrap();
    server
}

#[test]
fn a_server_is_in_service_once_what_was_read_is_what_was_seen() {
    let mut server = Server::submit(manifest("https://crm.example/mcp"), &change());
    let seen = observed("read").digest;
    assert!(matches!(server.approve(seen, &change()), Err(StandingError::Unseen(_))));
    server.observe(server.manifest.identity(), observed("write"), &change()).unwrap();
    assert!(matches!(server.approve(seen, &change()), Err(StandingError::SeenOther { .. })));
    assert!(server.in_service().is_none());
    server.observe(server.manifest.identity(), observed("read"), &change()).unwrap();
    server.approve(seen, &change()).unwrap();
    assert_eq!(server.in_service().map(|pins| pins.digest), Some(seen));
}

#[test]
fn another_identity_voids_the_approval_and_going_back_does_not_restore_it() {
    let mut server = approved();
    server.resubmit(manifest("https://crm.example/mcp"), &change());
    assert!(server.in_service().is_some(), "the same identity keeps the approval");
    server.resubmit(manifest("https://evil.example/mcp"), &change());
    assert!(server.in_service().is_none());
    assert!(server.observed.is_none());
    server.resubmit(manifest("https://crm.example/mcp"), &change());
    assert!(server.in_service().is_none());
}

#[test]
fn an_observation_of_the_server_before_is_refused() {
    let mut server = approved();
    let old = server.manifest.identity();
    server.resubmit(manifest("https://evil.example/mcp"), &change());
    assert!(matches!(server.observe(old, observed("read"), &change()), Err(StandingError::IdentityChanged(_))));
}

#[test]
fn a_suspension_outlives_observations_submissions_and_approvals() {
    let mut server = approved();
    server.suspend(&change()).unwrap();
    assert!(server.in_service().is_none());
    assert!(matches!(server.approve(observed("read").digest, &change()), Err(StandingError::Standing { .. })));
    server.resubmit(manifest("https://other.example/mcp"), &change());
    assert_eq!(server.standing, Standing::Suspended);
    server.resume().unwrap();
    assert_eq!(server.standing, Standing::Submitted, "the pins are of the old identity");
    assert!(matches!(server.resume(), Err(StandingError::Standing { .. })));
}

#[test]
fn a_resumed_server_with_its_pins_is_in_service() {
    let mut server = approved();
    server.suspend(&change()).unwrap();
    assert!(server.suspend(&change()).is_err());
    server.resume().unwrap();
    assert!(server.in_service().is_some());
}

#[test]
fn only_other_definitions_count_as_a_change() {
    let mut server = approved();
    let identity = server.manifest.identity();
    assert!(!server.observe(identity, observed("read"), &change()).unwrap());
    assert!(server.observe(identity, observed("write"), &change()).unwrap());
}
