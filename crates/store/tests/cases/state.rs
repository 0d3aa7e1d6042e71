use std::time::Duration;

use admin::port::{Governed, Plan, State};
use audit::port::Outbox;
use model::{Revision, StoreError, limits};
use registry::port::Registry;
use watch::port::Halts;

use super::samples::{
    agent, at, because, change, create, delete, endpoint, endpoint_of_two, is_missing, is_refused, local_server, plan,
    policy, revision, server, server_in, update, zone,
};
use super::{Backend, Store};

async fn unchanged<S: Store>(store: &S, before: &Governed, waiting: usize) {
    assert_eq!(store.read().await.unwrap(), *before);
    assert_eq!(store.pending(1_000).await.unwrap().len(), waiting);
}

pub(crate) async fn a_new_store_is_empty_at_revision_zero<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let empty = Governed {
        revision: Revision(0),
        zones: Vec::new(),
        servers: Vec::new(),
        endpoints: Vec::new(),
        agents: Vec::new(),
        policies: Vec::new(),
    };
    unchanged(&store, &empty, 0).await;
    assert!(store.halts().await.unwrap().is_empty());
}

pub(crate) async fn a_plan_is_carried_out_whole_with_one_revision_and_one_outbox_row<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    assert_eq!(store.apply(plan(), at(0)).await.unwrap(), Revision(1));
    let state = store.read().await.unwrap();
    assert_eq!(state.revision, Revision(1));
    assert_eq!(state.zones, [zone("lab")]);
    assert_eq!(store.zones().await.unwrap(), state.zones);
    assert_eq!(
        state.servers.iter().map(|one| one.manifest.clone()).collect::<Vec<_>>(),
        [server("crm"), server("erp")]
    );
    assert_eq!(state.endpoints, [endpoint("sales", "crm")]);
    assert_eq!(state.agents, [agent("helper", "sales", "c-1")]);
    assert_eq!(state.policies, [policy("a.cedar"), policy("b.cedar")]);
    assert_eq!(store.pending(10).await.unwrap().len(), 1);

    let next = Plan {
        zones: delete(vec!["lab".parse().unwrap()]),
        servers: delete(vec!["crm".parse().unwrap()]),
        endpoints: update(vec![endpoint("sales", "erp")]),
        agents: delete(vec!["helper".parse().unwrap()]),
        policies: delete(vec!["a.cedar".to_owned()]),
    };
    assert_eq!(store.apply(next, at(1)).await.unwrap(), Revision(2));
    let state = store.read().await.unwrap();
    assert!(state.zones.is_empty() && state.agents.is_empty());
    assert_eq!(state.servers.len(), 1);
    assert_eq!(state.endpoints, [endpoint("sales", "erp")]);
    assert_eq!(state.policies, [policy("b.cedar")]);
}

pub(crate) async fn a_plan_that_fails_anywhere_changes_nothing<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    store.apply(plan(), change()).await.unwrap();
    let before = store.read().await.unwrap();
    let more = || Plan { zones: create(vec![zone("new")]), ..Plan::default() };

    // What fails comes last in each, so the rows before it were written.
    let twice = Plan { policies: create(vec![policy("c.cedar"), policy("a.cedar")]), ..more() };
    assert!(is_refused(store.apply(twice, change()).await));
    let absent = Plan { policies: update(vec![policy("missing.cedar")]), ..more() };
    assert!(is_missing(store.apply(absent, change()).await));
    let gone = Plan { policies: delete(vec!["missing.cedar".to_owned()]), ..more() };
    assert!(is_missing(store.apply(gone, change()).await));
    let dangling = Plan { endpoints: create(vec![endpoint("new", "missing")]), ..more() };
    assert!(is_refused(store.apply(dangling, change()).await));
    let astray = Plan { agents: create(vec![agent("new", "missing", "c-2")]), ..more() };
    assert!(is_refused(store.apply(astray, change()).await));
    let claimed = Plan { agents: create(vec![agent("new", "sales", "c-1")]), ..more() };
    assert!(is_refused(store.apply(claimed, change()).await));
    let there = Plan { servers: create(vec![server("new"), server("crm")]), ..more() };
    assert!(is_refused(store.apply(there, change()).await));
    let nobody = Plan { servers: update(vec![server("missing")]), ..more() };
    assert!(is_missing(store.apply(nobody, change()).await));
    unchanged(&store, &before, 1).await;
}

pub(crate) async fn a_change_on_top_of_an_old_revision_is_a_conflict_and_changes_nothing<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    store.apply(plan(), at(0)).await.unwrap();
    let before = store.read().await.unwrap();
    let stale = Plan { zones: create(vec![zone("new")]), ..Plan::default() };
    let error = store.apply(stale, at(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { expected: Revision(0), found: Revision(1) }), "{error}");
    let crm = "crm".parse().unwrap();
    assert!(matches!(store.remove(&crm, at(7)).await, Err(StoreError::Conflict { .. })));
    assert!(matches!(store.submit(server("new"), at(0)).await, Err(StoreError::Conflict { .. })));
    unchanged(&store, &before, 1).await;
}

pub(crate) async fn of_two_writers_at_once_one_wins_and_the_other_learns_of_it<B: Backend>() {
    let backend = B::new();
    let (one, other) = (backend.open().await, backend.open().await);
    for round in 0..10 {
        let plan = |name: String| Plan { zones: create(vec![zone(&name)]), ..Plan::default() };
        let (first, second) = tokio::join!(
            one.apply(plan(format!("a{round}")), at(round)),
            other.apply(plan(format!("b{round}")), at(round)),
        );
        let conflicts =
            [&first, &second].iter().filter(|done| matches!(done, Err(StoreError::Conflict { .. }))).count();
        assert!(conflicts == 1 && (first.is_ok() || second.is_ok()), "{first:?} {second:?}");
    }
    assert_eq!(one.read().await.unwrap().zones.len(), 10);
}

pub(crate) async fn changes_that_expect_nothing_all_happen<B: Backend>() {
    let backend = B::new();
    let stores = [backend.open().await, backend.open().await];
    let changes: Vec<_> = (0..20)
        .map(|number| {
            let store = stores[number % 2].clone();
            tokio::spawn(async move { store.submit(server(&format!("s{number}")), change()).await })
        })
        .collect();
    let mut revisions = Vec::new();
    for change in changes {
        revisions.push(change.await.unwrap().unwrap().0);
    }
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=20).collect::<Vec<_>>());
    assert_eq!(stores[0].pending(100).await.unwrap().len(), 20);
}

pub(crate) async fn two_openers_of_one_place_see_each_others_changes<B: Backend>() {
    let backend = B::new();
    let (one, other) = (backend.open().await, backend.open().await);
    one.apply(plan(), change()).await.unwrap();
    assert_eq!(revision(&other).await, 1);
}

pub(crate) async fn what_a_killed_process_acknowledged_is_there<B: Backend>() {
    let backend = B::new();
    let killed = backend.open().await;
    killed.apply(plan(), change()).await.unwrap();
    // The process that is killed closes nothing and leaves a change half done.
    let unfinished = tokio::spawn({
        let killed = killed.clone();
        async move { killed.submit(server("late"), change()).await }
    });
    std::mem::forget(killed);
    let opened = backend.open().await;
    let state = opened.read().await.unwrap();
    assert!(state.revision >= Revision(1));
    assert_eq!(state.endpoints, [endpoint("sales", "crm")]);
    _ = unfinished.await;
    assert_eq!(opened.pending(10).await.unwrap().len(), usize::try_from(revision(&opened).await).unwrap());
}

pub(crate) async fn a_revision_is_told_after_it_is_durable<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let mut revisions = B::revisions(&store);
    assert_eq!(*revisions.borrow_and_update(), Revision(0));
    store.apply(plan(), change()).await.unwrap();
    assert!(revisions.has_changed().unwrap());
    assert_eq!(*revisions.borrow_and_update(), Revision(1));
    assert!(store.apply(plan(), change()).await.is_err());
    assert!(!revisions.has_changed().unwrap());
    let opened = backend.open().await;
    assert_eq!(*B::revisions(&opened).borrow(), Revision(1));
}

pub(crate) async fn a_change_whose_maker_goes_away_is_still_told<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let mut revisions = B::revisions(&store);
    // Polled once and dropped, like a request whose client closed the connection.
    let begun = tokio::time::timeout(Duration::ZERO, store.apply(plan(), change()));
    assert!(begun.await.is_err());
    tokio::time::timeout(Duration::from_secs(10), revisions.changed()).await.unwrap().unwrap();
    assert_eq!(revision(&store).await, revisions.borrow().0);
}

pub(crate) async fn nothing_may_name_what_is_not_there<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let unzoned = server_in("crm", "lab");
    assert!(is_refused(store.submit(unzoned.clone(), change()).await));
    store.apply(Plan { zones: create(vec![zone("lab")]), ..Plan::default() }, change()).await.unwrap();
    store.submit(unzoned, change()).await.unwrap();
    let gone = Plan { zones: delete(vec!["lab".parse().unwrap()]), ..Plan::default() };
    assert!(is_refused(store.apply(gone, change()).await));
    let mut builtin = zone("other");
    builtin.name = "internet".parse().unwrap();
    assert!(is_refused(store.apply(Plan { zones: create(vec![builtin]), ..Plan::default() }, change()).await));
}

pub(crate) async fn a_reason_too_long_is_refused<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let of_bytes = |bytes: usize| because(&"r".repeat(bytes));
    assert!(is_refused(store.apply(plan(), of_bytes(limits::REASON_BYTES_MAX + 1)).await));
    store.apply(plan(), of_bytes(limits::REASON_BYTES_MAX)).await.unwrap();
}

pub(crate) async fn local_servers_and_endpoints_for_several_are_kept_whole<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let local = local_server("crm", "/usr/bin/crm");
    let both = endpoint_of_two("desk", "crm", "erp");
    let plan = Plan {
        servers: create(vec![local.clone(), server("erp")]),
        endpoints: create(vec![both.clone()]),
        ..Plan::default()
    };
    store.apply(plan, change()).await.unwrap();
    let state = backend.open().await.read().await.unwrap();
    assert_eq!(state.servers.iter().map(|server| &server.manifest).collect::<Vec<_>>(), [&local, &server("erp")]);
    assert_eq!(state.endpoints, [both]);
    let third = Plan { endpoints: create(vec![endpoint_of_two("more", "crm", "missing")]), ..Plan::default() };
    assert!(is_refused(store.apply(third, change()).await), "each of its servers must be there");
    assert!(is_refused(store.remove(&"erp".parse().unwrap(), change()).await), "and stay");
}
