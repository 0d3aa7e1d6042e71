use std::sync::Arc;

use admin::port::{Comments as _, Plan, State};
use audit::port::Outbox;
use model::{Actor, Change, Revision, ServerName, Timestamp};
use registry::port::{Observation, Registry};
use registry::{Approval, Cause, Consequence, Excluded, Eyes, Kind, Observed, Reopening, Server, Standing};

use super::Backend;
use super::samples::{
    approved, because, change, create, delete, is_missing, is_refused, local_server, observed, plan, revision, server,
    server_at, server_in, update, zone,
};

fn crm() -> ServerName {
    "crm".parse().unwrap()
}

pub(crate) async fn a_server_is_submitted_seen_and_approved<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    store.submit(server("crm"), change()).await.unwrap();
    assert_eq!(store.server(&crm()).await.unwrap().standing, Standing::Submitted);
    let seen = observed(&["read"], 2_000);
    let observation = store.observe(&crm(), server("crm").identity(), seen.clone(), change()).await.unwrap();
    assert_eq!(observation, Observation { revision: Revision(2), changed: true });
    assert_eq!(store.approve(&crm(), Approval::of(seen.digest, Eyes::Two), change()).await.unwrap(), Revision(3));

    let opened = backend.open().await;
    let server = opened.server(&crm()).await.unwrap();
    assert_eq!(server.standing, Standing::Approved);
    assert_eq!(server.observed, Some(seen.clone()));
    assert_eq!(server.in_service().map(|pins| &pins.definitions), Some(&seen.definitions));
    assert_eq!(server.approved.map(|mark| mark.at), Some(Timestamp(1_000)));
    let (read_at, servers) = opened.servers().await.unwrap();
    assert_eq!((read_at, servers.len()), (Revision(3), 1));
}

pub(crate) async fn definitions_that_were_not_seen_are_not_approved<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    store.submit(server("crm"), change()).await.unwrap();
    let (read, write) = (observed(&["read"], 1), observed(&["write"], 2));
    assert!(
        is_refused(store.approve(&crm(), Approval::of(read.digest, Eyes::Two), change()).await),
        "nothing was seen yet"
    );
    store.observe(&crm(), server("crm").identity(), read.clone(), change()).await.unwrap();
    store.observe(&crm(), server("crm").identity(), write, change()).await.unwrap();
    assert!(
        is_refused(store.approve(&crm(), Approval::of(read.digest, Eyes::Two), change()).await),
        "something else was seen since"
    );
    let server = store.server(&crm()).await.unwrap();
    assert_eq!((server.standing, server.pins), (Standing::Vetted, None));
    assert_eq!(revision(&store).await, 3);
}

pub(crate) async fn another_identity_voids_the_pins<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    approved(&store).await;
    let mut renamed = server("crm");
    renamed.owner = "finance".parse().unwrap();
    store.submit(renamed, change()).await.unwrap();
    assert!(store.server(&crm()).await.unwrap().in_service().is_some());
    store.submit(server_at("crm", "https://evil.example/mcp"), change()).await.unwrap();
    let server = store.server(&crm()).await.unwrap();
    assert_eq!(server.standing, Standing::Submitted);
    assert!(server.in_service().is_none() && server.observed.is_none() && server.pins.is_some());
    assert!(is_refused(store.approve(&crm(), Approval::of(observed(&["read"], 0).digest, Eyes::Two), change()).await));
}

pub(crate) async fn an_observation_of_an_old_identity_is_refused<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    approved(&store).await;
    let old = server("crm").identity();
    store.submit(server_at("crm", "https://evil.example/mcp"), change()).await.unwrap();
    assert!(is_refused(store.observe(&crm(), old, observed(&["read"], 3_000), change()).await));
    assert!(store.server(&crm()).await.unwrap().observed.is_none());
}

pub(crate) async fn the_same_definitions_again_change_no_revision<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    approved(&store).await;
    let (before, waiting) = (revision(&store).await, store.pending(100).await.unwrap().len());
    let identity = server("crm").identity();
    let again = store.observe(&crm(), identity, observed(&["read"], 9_000), change()).await.unwrap();
    assert_eq!(again, Observation { revision: Revision(before), changed: false });
    let seen = store.server(&crm()).await.unwrap().observed.unwrap();
    assert_eq!(seen, observed(&["read"], 9_000), "when it was seen is kept");

    let mut excluding = observed(&["read"], 9_500);
    excluding.excluded.push(Excluded { kind: Kind::Tool, name: "odd".into(), why: "it is odd".into() });
    assert!(!store.observe(&crm(), identity, excluding.clone(), change()).await.unwrap().changed);
    assert_eq!(store.server(&crm()).await.unwrap().observed, Some(excluding));
    assert_eq!((revision(&store).await, store.pending(100).await.unwrap().len()), (before, waiting));

    let drifted = store.observe(&crm(), identity, observed(&["read", "write"], 9_900), change()).await.unwrap();
    assert_eq!(drifted, Observation { revision: Revision(before + 1), changed: true });
    assert!(store.server(&crm()).await.unwrap().in_service().is_some(), "the rest goes on");
}

pub(crate) async fn suspending_and_resuming_are_durable<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    approved(&store).await;
    store.suspend(&crm(), because("it leaks")).await.unwrap();
    assert!(is_refused(store.suspend(&crm(), change()).await));
    let opened = backend.open().await;
    let server = opened.server(&crm()).await.unwrap();
    assert!(server.in_service().is_none());
    assert_eq!(server.suspended.and_then(|suspension| suspension.reason).as_deref(), Some("it leaks"));
    opened.resume(&crm(), change()).await.unwrap();
    assert!(store.server(&crm()).await.unwrap().in_service().is_some());
}

pub(crate) async fn servers_that_did_not_change_are_read_once_and_those_that_did_at_once<B: Backend>() {
    let backend = B::new();
    // Two of them on one state: what either writes is read by both.
    let (store, other) = (backend.open().await, backend.open().await);
    store.apply(plan(), change()).await.unwrap();
    let crm_and_erp = async |store: &B::Store| {
        let [crm, erp] = <[Arc<Server>; 2]>::try_from(store.servers().await.unwrap().1).unwrap();
        (crm, erp)
    };
    let before = crm_and_erp(&store).await;
    assert_eq!(before, crm_and_erp(&other).await);
    let seen = observed(&["read"], 2_000);
    other.observe(&crm(), server("crm").identity(), seen.clone(), change()).await.unwrap();
    let after = crm_and_erp(&store).await;
    assert!(Arc::ptr_eq(&before.1, &after.1), "`erp` is what it was");
    assert_eq!(after.0.observed.as_ref(), Some(&seen));
    // That the same was seen again is no change of state, and is read too.
    let again = Observed { at: Timestamp(3_000), ..seen };
    other.observe(&crm(), server("crm").identity(), again, change()).await.unwrap();
    assert_eq!(crm_and_erp(&store).await.0.observed.as_ref().map(|seen| seen.at), Some(Timestamp(3_000)));
    // Another of its name is another.
    store.remove(&"erp".parse().unwrap(), change()).await.unwrap();
    assert_eq!(store.servers().await.unwrap().1.len(), 1);
    store.submit(server("erp"), change()).await.unwrap();
    assert!(!Arc::ptr_eq(&before.1, &crm_and_erp(&store).await.1));
}

pub(crate) async fn a_server_behind_an_endpoint_cannot_be_removed<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    store.apply(plan(), change()).await.unwrap();
    assert!(is_refused(store.remove(&crm(), change()).await));
    store.remove(&"erp".parse().unwrap(), change()).await.unwrap();
    let (_, servers) = store.servers().await.unwrap();
    assert_eq!(servers.len(), 1);
}

pub(crate) async fn a_server_that_is_not_there_is_not_found<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let seen = observed(&["read"], 1);
    assert!(is_missing(store.server(&crm()).await));
    assert!(is_missing(store.approve(&crm(), Approval::of(seen.digest, Eyes::Two), change()).await));
    assert!(is_missing(store.observe(&crm(), seen.digest, seen, change()).await));
    assert!(is_missing(store.suspend(&crm(), change()).await));
    assert!(is_missing(store.resume(&crm(), change()).await));
    assert!(is_missing(store.remove(&crm(), change()).await));
    assert_eq!(revision(&store).await, 0);
}

pub(crate) async fn applying_a_server_again_keeps_or_voids_its_approval_like_submitting_it<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    approved(&store).await;
    let apply = |manifest| store.apply(Plan { servers: update(vec![manifest]), ..Plan::default() }, change());
    apply(server("crm")).await.unwrap();
    assert!(store.server(&crm()).await.unwrap().in_service().is_some());
    apply(server_at("crm", "https://evil.example/mcp")).await.unwrap();
    assert!(store.server(&crm()).await.unwrap().in_service().is_none());
}

pub(crate) async fn another_command_voids_the_pins_of_a_local_server<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let local = local_server("crm", "/usr/bin/crm");
    store.submit(local.clone(), change()).await.unwrap();
    let seen = observed(&["read"], 2_000);
    store.observe(&crm(), local.identity(), seen.clone(), change()).await.unwrap();
    store.approve(&crm(), Approval::of(seen.digest, Eyes::Two), change()).await.unwrap();
    store.submit(local.clone(), change()).await.unwrap();
    assert!(store.server(&crm()).await.unwrap().in_service().is_some());
    store.submit(local_server("crm", "/usr/bin/other"), change()).await.unwrap();
    let server = store.server(&crm()).await.unwrap();
    assert!(server.in_service().is_none() && server.observed.is_none());
    assert!(is_refused(store.observe(&crm(), local.identity(), seen, change()).await), "what the other command said");
    let rows = store.pending(10).await.unwrap();
    assert_eq!(rows.first().unwrap().detail.pointer("/place/command/program").unwrap(), "/usr/bin/crm");
}

pub(crate) async fn an_end_is_written_down_once_and_is_there_after_opening_again<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    approved(&store).await;
    let seen = observed(&["read"], 2_000);
    let approval = Approval { expires: Some(Timestamp(5_000)), ..Approval::of(seen.digest, Eyes::Two) };
    store.approve(&crm(), approval, change()).await.unwrap();
    let end = Reopening::of(Cause::Expired, "its time is over");
    let early = store.reopen(&crm(), end.clone(), change()).await.unwrap();
    assert_eq!(early, (Revision(revision(&store).await), Consequence::Nothing));
    let late = Change { actor: Actor::Gate, at: Timestamp(5_000), ..change() };
    let (_, consequence) = store.reopen(&crm(), end.clone(), late.clone()).await.unwrap();
    assert_eq!(consequence, Consequence::Suspended);
    let opened = backend.open().await;
    assert_eq!(opened.reopen(&crm(), end, late).await.unwrap().1, Consequence::Nothing);
    let server = opened.server(&crm()).await.unwrap();
    assert_eq!((server.standing, server.expires), (Standing::Suspended, Some(Timestamp(5_000))));
    assert_eq!(server.warnings.len(), 1);
    let rows = store.pending(100).await.unwrap();
    let reopened: Vec<_> = rows.iter().filter(|row| row.what == "server.reopen").collect();
    assert_eq!(reopened.len(), 1);
    assert_eq!(reopened[0].detail["consequence"], "suspended");
}

pub(crate) async fn each_step_of_a_life_leaves_a_receipt<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let (name, seen) = (crm(), observed(&["read"], 2_000));
    let see = async || store.observe(&name, server("crm").identity(), seen.clone(), change()).await.unwrap();
    store.draft(server("crm"), change()).await.unwrap();
    store.submit(server("crm"), change()).await.unwrap();
    see().await;
    store.approve(&name, Approval::of(seen.digest, Eyes::Two), change()).await.unwrap();
    store.suspend(&name, change()).await.unwrap();
    store.resume(&name, change()).await.unwrap();
    store.quarantine(&name, change()).await.unwrap();
    store.release(&name, change()).await.unwrap();
    see().await;
    store.comment(&name, "why?".to_owned(), change()).await.unwrap();
    store.retire(&name, because("replaced")).await.unwrap();
    let rows = store.pending(100).await.unwrap();
    let words: Vec<_> = rows.iter().map(|row| row.what.strip_prefix("server.").unwrap()).collect();
    let life = ["draft", "submit", "observe", "approve", "suspend", "resume", "quarantine", "release"];
    assert_eq!(words, [life.as_slice(), &["observe", "comment", "retire"]].concat());
    assert_eq!(rows[3].detail["submitted_by"]["name"], "ada");
    assert_eq!(rows[3].detail["eyes"], "two");
    assert_eq!(rows[10].detail["reason"], "replaced");
    assert!(!rows[9].detail.to_string().contains("why"), "a receipt holds no content");
}

pub(crate) async fn a_retired_server_is_in_no_zone_and_is_not_removed<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    store.apply(Plan { zones: create(vec![zone("lab")]), ..Plan::default() }, change()).await.unwrap();
    store.submit(server_in("crm", "lab"), change()).await.unwrap();
    let without = || Plan { zones: delete(vec!["lab".parse().unwrap()]), ..Plan::default() };
    assert!(is_refused(store.apply(without(), change()).await));
    store.retire(&crm(), change()).await.unwrap();
    store.apply(without(), change()).await.unwrap();
    assert!(is_refused(store.remove(&crm(), change()).await));
    assert!(is_refused(store.submit(server("crm"), change()).await));
    assert_eq!(store.server(&crm()).await.unwrap().standing, Standing::Retired);
}

pub(crate) async fn comments_are_kept_in_order_and_go_with_their_server<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    assert!(is_missing(store.comment(&crm(), "one".to_owned(), change()).await));
    store.submit(server("crm"), change()).await.unwrap();
    let before = revision(&store).await;
    for text in ["one", "two"] {
        store.comment(&crm(), text.to_owned(), change()).await.unwrap();
    }
    assert_eq!(revision(&store).await, before, "it is no part of the state");
    store.submit(server("crm"), change()).await.unwrap();
    let kept = backend.open().await.comments(&crm()).await.unwrap();
    let said: Vec<_> = kept.iter().map(|one| (one.by.as_str(), one.text.as_str())).collect();
    assert_eq!(said, [("ada", "one"), ("ada", "two")]);
    store.remove(&crm(), change()).await.unwrap();
    store.submit(server("crm"), change()).await.unwrap();
    assert!(store.comments(&crm()).await.unwrap().is_empty());
}
