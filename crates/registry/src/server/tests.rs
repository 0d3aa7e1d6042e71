use std::sync::Arc;

use model::{Actor, Expected};
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
    server.approve(Approval::of(observed("read").digest, Eyes::Two), &change()).unwrap();
    server
}

#[test]
fn a_server_is_in_service_once_what_was_read_is_what_was_seen() {
    let mut server = Server::submit(manifest("https://crm.example/mcp"), &change());
    let seen = observed("read").digest;
    assert!(matches!(server.approve(Approval::of(seen, Eyes::Two), &change()), Err(StandingError::Unseen(_))));
    server.observe(server.manifest.identity(), observed("write"), &change()).unwrap();
    assert!(matches!(server.approve(Approval::of(seen, Eyes::Two), &change()), Err(StandingError::SeenOther { .. })));
    assert!(server.in_service().is_none());
    server.observe(server.manifest.identity(), observed("read"), &change()).unwrap();
    server.approve(Approval::of(seen, Eyes::Two), &change()).unwrap();
    assert_eq!(server.in_service().map(|pins| pins.digest), Some(seen));
}

#[test]
fn another_identity_voids_the_approval_and_going_back_does_not_restore_it() {
    let mut server = approved();
    server.resubmit(manifest("https://crm.example/mcp"), &change()).unwrap();
    assert!(server.in_service().is_some(), "the same identity keeps the approval");
    server.resubmit(manifest("https://evil.example/mcp"), &change()).unwrap();
    assert!(server.in_service().is_none());
    assert!(server.observed.is_none());
    server.resubmit(manifest("https://crm.example/mcp"), &change()).unwrap();
    assert!(server.in_service().is_none());
}

#[test]
fn an_observation_of_the_server_before_is_refused() {
    let mut server = approved();
    let old = server.manifest.identity();
    server.resubmit(manifest("https://evil.example/mcp"), &change()).unwrap();
    assert!(matches!(server.observe(old, observed("read"), &change()), Err(StandingError::IdentityChanged(_))));
}

#[test]
fn a_suspension_outlives_observations_submissions_and_approvals() {
    let mut server = approved();
    server.suspend(&change()).unwrap();
    assert!(server.in_service().is_none());
    assert!(matches!(
        server.approve(Approval::of(observed("read").digest, Eyes::Two), &change()),
        Err(StandingError::Standing { .. })
    ));
    server.resubmit(manifest("https://other.example/mcp"), &change()).unwrap();
    assert_eq!(server.standing, Standing::Suspended);
    server.resume(&change()).unwrap();
    assert_eq!(
        server.standing,
        Standing::Submitted,
        "the pins are of the old identity, and nothing of the new one was seen"
    );
    assert!(matches!(server.resume(&change()), Err(StandingError::Standing { .. })));
}

#[test]
fn a_resumed_server_with_its_pins_is_in_service() {
    let mut server = approved();
    server.suspend(&change()).unwrap();
    assert!(server.suspend(&change()).is_err());
    server.resume(&change()).unwrap();
    assert!(server.in_service().is_some());
}

#[test]
fn only_other_definitions_count_as_a_change() {
    let mut server = approved();
    let identity = server.manifest.identity();
    assert!(!server.observe(identity, observed("read"), &change()).unwrap());
    assert!(server.observe(identity, observed("write"), &change()).unwrap());
}

fn by(name: &str, at: u64) -> Change {
    Change { actor: Actor::Person(name.into()), at: Timestamp(at), ..change() }
}

fn with_lifecycle(lifecycle: &serde_json::Value) -> ServerManifest {
    let manifest = json!({
        "name": "crm", "url": "https://crm.example/mcp", "owner": "sales", "purpose": "customers", "lifecycle": lifecycle,
    });
    serde_json::from_value(manifest).unwrap()
}

fn seen(manifest: ServerManifest) -> Server {
    let mut server = Server::submit(manifest, &by("ada", 1));
    server.observe(server.manifest.identity(), observed("read"), &by("ada", 1)).unwrap();
    server
}

fn two() -> Approval {
    Approval::of(observed("read").digest, Eyes::Two)
}

fn advisory(about: &str) -> Reopening {
    Reopening::of(Cause::Advisory, about)
}

#[test]
fn a_server_that_was_looked_at_is_vetted_once() {
    let mut server = Server::submit(manifest("https://crm.example/mcp"), &change());
    let identity = server.manifest.identity();
    assert_eq!(server.standing, Standing::Submitted);
    assert!(server.observe(identity, observed("read"), &change()).unwrap());
    assert_eq!(server.standing, Standing::Vetted);
    assert!(!server.observe(identity, observed("read"), &change()).unwrap());
}

#[test]
fn a_draft_is_not_looked_at_and_not_approved_until_it_is_submitted() {
    let mut server = Server::draft(manifest("https://crm.example/mcp"), &by("ada", 1));
    let identity = server.manifest.identity();
    assert!(server.observe(identity, observed("read"), &change()).is_err());
    assert!(server.approve(two(), &change()).is_err());
    server.redraft(manifest("https://crm.example/v2/mcp"), &by("bob", 2)).unwrap();
    server.resubmit(manifest("https://crm.example/v2/mcp"), &by("bob", 3)).unwrap();
    assert_eq!(server.standing, Standing::Submitted);
    assert!(server.redraft(manifest("https://crm.example/mcp"), &by("bob", 4)).is_err(), "it was submitted");
}

#[test]
fn who_submitted_a_server_does_not_approve_it_unless_nobody_else_could() {
    let mut server = seen(manifest("https://crm.example/mcp"));
    let approval = Approval { eyes: Eyes::Four, ..two() };
    assert!(matches!(server.approve(approval, &by("ada", 2)), Err(StandingError::SameHands(_))));
    assert!(server.in_service().is_none());
    let mut alone = server.clone();
    alone.approve(two(), &by("ada", 2)).unwrap();
    assert!(alone.in_service().is_some());
    server.approve(approval, &by("bob", 2)).unwrap();
    assert!(server.in_service().is_some());
    // Whoever submits it anew is who submitted it.
    server.resubmit(manifest("https://crm.example/mcp"), &by("bob", 3)).unwrap();
    assert!(matches!(server.approve(approval, &by("bob", 4)), Err(StandingError::SameHands(_))));
}

#[test]
fn an_approval_that_is_over_is_not_taken_up_again() {
    let mut server = approved();
    let approval = Approval { expires: Some(Timestamp(10)), ..two() };
    assert!(matches!(server.approve(approval, &by("ada", 10)), Err(StandingError::Over(_))));
    server.approve(approval, &by("ada", 9)).unwrap();
    assert!(!server.ends_by(Timestamp(9)) && server.ends_by(Timestamp(10)));
    assert!(Arc::new(server.clone()).as_of(Timestamp(9)).in_service().is_some());
    assert!(Arc::new(server.clone()).as_of(Timestamp(10)).in_service().is_none(), "with nothing written down");
    server.suspend(&by("ada", 9)).unwrap();
    let mut later = server.clone();
    server.resume(&by("ada", 9)).unwrap();
    later.resume(&by("ada", 10)).unwrap();
    assert_eq!((server.standing, later.standing), (Standing::Approved, Standing::Vetted));
    later.approve(two(), &by("ada", 11)).unwrap();
    assert!(later.in_service().is_some() && !later.ends_by(Timestamp(u64::MAX)));
}

#[test]
fn an_end_suspends_once_it_has_come_and_a_new_approval_takes_the_server_up() {
    let mut server = seen(manifest("https://crm.example/mcp"));
    server.approve(Approval { expires: Some(Timestamp(10)), ..two() }, &by("bob", 5)).unwrap();
    let end = Reopening::of(Cause::Expired, "until 10");
    assert_eq!(server.reopen(&end, &by("gate", 9)), Consequence::Nothing);
    assert_eq!(server.reopen(&end, &by("gate", 10)), Consequence::Suspended);
    assert_eq!(server.reopen(&end, &by("gate", 11)), Consequence::Nothing);
    assert_eq!(server.suspended.as_ref().and_then(|one| one.cause), Some(Cause::Expired));
    server.approve(two(), &by("bob", 12)).unwrap();
    assert!(server.in_service().is_some() && server.suspended.is_none() && server.warnings.is_empty());
}

#[test]
fn what_follows_from_an_end_or_an_advisory_the_manifest_says() {
    let mut server = seen(with_lifecycle(&json!({ "expired": "warn", "advisory": "suspend" })));
    server.approve(Approval { expires: Some(Timestamp(10)), ..two() }, &by("bob", 5)).unwrap();
    let end = Reopening::of(Cause::Expired, "until 10");
    assert_eq!(server.reopen(&end, &by("gate", 10)), Consequence::Warned);
    assert!(Arc::new(server.clone()).as_of(Timestamp(10)).in_service().is_some());
    assert_eq!(server.reopen(&advisory("one"), &by("gate", 11)), Consequence::Suspended);
    // Who resumes it accepts what is known, and nothing else.
    server.expires = None;
    server.resume(&by("bob", 12)).unwrap();
    assert_eq!(server.reopen(&advisory("one"), &by("gate", 13)), Consequence::Nothing);
    assert_eq!(server.reopen(&advisory("two"), &by("gate", 13)), Consequence::Suspended);
    let mut usual = seen(manifest("https://crm.example/mcp"));
    usual.approve(two(), &by("bob", 5)).unwrap();
    assert_eq!(usual.reopen(&advisory("one"), &by("gate", 6)), Consequence::Warned);
    let signature = Reopening::of(Cause::Signature, "revoked");
    assert_eq!(usual.reopen(&signature, &by("gate", 7)), Consequence::Suspended);
}

#[test]
fn nobody_approves_for_longer_than_the_manifest_says_and_it_says_so_where_nobody_does() {
    let mut server = seen(with_lifecycle(&json!({ "approval_days": 1 })));
    let day = 24 * 60 * 60 * 1_000;
    let until = |at| Approval { expires: Some(Timestamp(at)), ..two() };
    assert!(matches!(server.approve(until(day + 3), &by("bob", 2)), Err(StandingError::TooLong { days: 1, .. })));
    server.approve(two(), &by("bob", 2)).unwrap();
    assert_eq!(server.expires, Some(Timestamp(day + 2)));
    server.approve(until(5), &by("bob", 2)).unwrap();
    assert_eq!(server.expires, Some(Timestamp(5)));
}

#[test]
fn another_lifecycle_needs_another_approval() {
    let plain = manifest("https://crm.example/mcp");
    assert_eq!(with_lifecycle(&json!({})).identity(), plain.identity());
    assert_ne!(with_lifecycle(&json!({ "expired": "warn" })).identity(), plain.identity());
}

#[test]
fn a_quarantine_forgets_what_was_seen_and_what_was_approved() {
    let mut server = approved();
    server.quarantine(&change()).unwrap();
    let identity = server.manifest.identity();
    assert!(server.in_service().is_none() && server.observe(identity, observed("read"), &change()).is_err());
    assert!(server.approve(two(), &change()).is_err() && server.resume(&change()).is_err());
    server.resubmit(manifest("https://crm.example/mcp"), &change()).unwrap();
    assert_eq!(server.standing, Standing::Quarantined);
    server.release().unwrap();
    assert_eq!((server.standing, server.observed.is_none()), (Standing::Submitted, true));
    assert!(server.in_service().is_none());
    assert!(matches!(server.approve(two(), &change()), Err(StandingError::Unseen(_))));
}

#[test]
fn retired_is_final() {
    let mut server = approved();
    server.retire(&change()).unwrap();
    let identity = server.manifest.identity();
    assert!(server.in_service().is_none());
    assert!(server.resubmit(manifest("https://crm.example/mcp"), &change()).is_err());
    assert!(server.redraft(manifest("https://crm.example/mcp"), &change()).is_err());
    assert!(server.observe(identity, observed("read"), &change()).is_err());
    assert!(server.approve(two(), &change()).is_err() && server.resume(&change()).is_err());
    assert!(server.quarantine(&change()).is_err() && server.release().is_err() && server.retire(&change()).is_err());
    assert_eq!(server.reopen(&advisory("one"), &change()), Consequence::Nothing);
}

fn advisories(ids: impl IntoIterator<Item = String>) -> Reopening {
    let one = |id| Advisory {
        id,
        component: "pkg:npm/x@1.0.0".to_owned(),
        severity: "high".to_owned(),
        mended: None,
        malice: false,
    };
    Reopening::advisories(ids.into_iter().map(one).collect())
}

#[test]
fn an_advisory_is_told_once_whatever_comes_with_it() {
    let mut server = approved();
    let of = |ids: &[&str]| advisories(ids.iter().map(|id| (*id).to_owned()));
    assert_eq!(server.reopen(&of(&["A", "B"]), &by("gate", 5)), Consequence::Warned);
    assert_eq!(server.reopen(&of(&["B", "A"]), &by("gate", 6)), Consequence::Nothing);
    assert_eq!(server.reopen(&of(&["A", "B", "C"]), &by("gate", 7)), Consequence::Warned);
    assert_eq!(server.warnings[1].about, "C (high) in pkg:npm/x@1.0.0");
    server.approve(two(), &by("bob", 8)).unwrap();
    assert!(server.warnings.iter().all(|warning| warning.settled));
    assert_eq!(server.reopen(&of(&["C"]), &by("gate", 9)), Consequence::Nothing);
    // Also when there are too many to be told apart.
    for number in 0..limits::WARNINGS_PER_SERVER_MAX + 5 {
        assert_eq!(server.reopen(&advisories([format!("N{number}")]), &by("gate", 10)), Consequence::Warned);
    }
    assert_eq!(server.warnings.len(), limits::WARNINGS_PER_SERVER_MAX);
    assert_eq!(server.reopen(&of(&["A", "N0", "N3"]), &by("gate", 11)), Consequence::Nothing);
}

#[test]
fn malice_suspends_where_the_manifest_does_not_say_otherwise() {
    let malice = || {
        let mut reopening = advisories(["MAL-1".to_owned()]);
        reopening.advisories[0].malice = true;
        reopening
    };
    let mut usual = approved();
    assert_eq!(usual.reopen(&malice(), &by("gate", 5)), Consequence::Suspended);
    let mut warned = seen(with_lifecycle(&json!({ "advisory": "warn" })));
    warned.approve(two(), &by("bob", 5)).unwrap();
    assert_eq!(warned.reopen(&malice(), &by("gate", 6)), Consequence::Warned);
}

#[test]
fn what_was_found_is_accepted_by_somebody_else_who_says_why() {
    let mut server = seen(manifest("https://crm.example/mcp"));
    let of = Digest::of(b"found");
    let because = |name: &str| Change { reason: Some("we read it".to_owned()), ..by(name, 5) };
    let submitter = server.submitted.by.to_string();
    let refused = server.accept("malice", of, Eyes::Four, &because(&submitter));
    assert!(matches!(refused, Err(StandingError::SameHands(_))), "{refused:?}");
    assert!(matches!(server.accept("malice", of, Eyes::Four, &by("bob", 5)), Err(StandingError::Unexplained(_))));
    for _ in 0..2 {
        server.accept("malice", of, Eyes::Four, &because("bob")).unwrap();
    }
    assert_eq!((server.accepted.len(), server.accepted[0].reason.as_str()), (1, "we read it"));
    server.quarantine(&change()).unwrap();
    assert!(server.accept("malice", of, Eyes::Two, &because("bob")).is_err());
}
