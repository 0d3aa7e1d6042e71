use admin::port::{Plan, State};
use audit::port::Outbox;
use model::{Actor, Revision, Scope, Timestamp, limits};
use registry::port::Registry;
use watch::port::Halts;

use super::Backend;
use super::samples::{approved, because, change, create, plan, server};

pub(crate) async fn each_change_waits_in_order_until_it_is_settled<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    for name in ["a", "b", "c"] {
        store.submit(server(name), change()).await.unwrap();
    }
    let subjects = |rows: &[audit::port::OutboxRow]| rows.iter().map(|row| row.subject.clone()).collect::<Vec<_>>();
    let rows = store.pending(2).await.unwrap();
    assert_eq!(subjects(&rows), ["a", "b"], "the oldest, and no more than asked for");
    assert_eq!(store.pending(2).await.unwrap(), rows, "reading settles nothing");
    store.settle(rows[0].id).await.unwrap();
    store.settle(rows[0].id).await.unwrap();
    assert_eq!(subjects(&store.pending(10).await.unwrap()), ["b", "c"]);
}

pub(crate) async fn a_row_that_was_not_settled_is_there_after_opening_again<B: Backend>() {
    let backend = B::new();
    let rows = {
        let store = backend.open().await;
        store.apply(plan(), change()).await.unwrap();
        store.pending(10).await.unwrap()
    };
    assert_eq!(backend.open().await.pending(10).await.unwrap(), rows);
}

pub(crate) async fn ids_are_never_given_twice<B: Backend>() {
    let backend = B::new();
    let mut last = 0;
    for round in 0..3 {
        let store = backend.open().await;
        store.submit(server(&format!("s{round}")), change()).await.unwrap();
        let rows = store.pending(10).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert!(rows[0].id > last);
        last = rows[0].id;
        store.settle(last).await.unwrap();
    }
}

pub(crate) async fn a_detail_that_would_not_fit_in_a_record_is_counted<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let servers = (0..5_000).map(|number| server(&format!("server-{number}"))).collect();
    store.apply(Plan { servers: create(servers), ..Plan::default() }, because("all of them")).await.unwrap();
    let row = store.pending(1).await.unwrap().remove(0);
    assert!(row.detail.to_string().len() <= limits::OUTBOX_DETAIL_BYTES_MAX);
    assert_eq!(row.detail.pointer("/counts/servers/create"), Some(&serde_json::json!(5_000)));
    assert_eq!(row.detail.pointer("/reason"), Some(&serde_json::json!("all of them")));
}

pub(crate) async fn the_outbox_says_who_did_what_to_what_and_why<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    approved(&store).await;
    store.suspend(&"crm".parse().unwrap(), because("it leaks")).await.unwrap();
    Registry::resume(&store, &"crm".parse().unwrap(), change()).await.unwrap();
    store.halt(Scope::Everything, because("stop")).await.unwrap();
    Halts::resume(&store, &Scope::Everything, change()).await.unwrap();
    store.remove(&"erp".parse().unwrap(), change()).await.unwrap();
    let rows = store.pending(100).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.what.as_str(), row.subject.as_str(), row.revision.0)).collect();
    assert_eq!(
        told,
        [
            ("state.apply", "", 1),
            ("server.observe", "crm", 2),
            ("server.approve", "crm", 3),
            ("server.suspend", "crm", 4),
            ("server.resume", "crm", 5),
            ("halt", "everything", 5),
            ("resume", "everything", 5),
            ("server.remove", "erp", 6),
        ]
    );
    assert_eq!(rows[3].actor, Actor::Person("ada".into()));
    assert_eq!((rows[3].at, rows[3].revision), (Timestamp(1_000), Revision(4)));
    assert_eq!(rows[3].detail.pointer("/reason"), Some(&serde_json::json!("it leaks")));
    assert_eq!(rows[0].detail.pointer("/endpoints/create/0"), Some(&serde_json::json!("sales")));
    assert!(rows[2].detail.pointer("/digest").is_some());
}
