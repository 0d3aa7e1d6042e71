use ::evidence::{Probe, Trial};
use admin::port::Evidence;
use audit::port::Outbox;
use model::{Actor, Change, Expected, Timestamp};
use registry::port::Registry;

use super::Backend;
use super::samples::{change, is_missing, server};

fn by(name: &str, at: u64) -> Change {
    Change { actor: Actor::Person(name.to_owned()), expected: Expected::Any, at: Timestamp(at), reason: None }
}

fn probe(requests: usize) -> Probe {
    Probe { url: "https://crm.example/mcp".to_owned(), requests, ..Probe::default() }
}

pub(crate) async fn what_was_seen_of_a_server_is_kept_by_its_kind_and_goes_with_it<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let (crm, identity) = (server("crm").name, server("crm").identity());
    assert!(is_missing(store.keep_probe(&crm, identity, probe(1), by("ana", 1)).await));
    store.submit(server("crm"), change()).await.unwrap();
    store.keep_probe(&crm, identity, probe(1), by("ana", 1)).await.unwrap();
    store.keep_probe(&crm, identity, probe(2), by("bob", 2)).await.unwrap();
    let trial = Trial { what: "its command".to_owned(), ..Trial::default() };
    store.keep_trial(&crm, identity, trial.clone(), by("cy", 3)).await.unwrap();

    let again = backend.open().await;
    let kept = Evidence::probe(&again, &crm).await.unwrap().unwrap();
    assert_eq!((kept.found, kept.identity, kept.by.as_str(), kept.at), (probe(2), identity, "bob", Timestamp(2)));
    assert_eq!(again.trial(&crm).await.unwrap().unwrap().found, trial);
    let rows = again.pending(10).await.unwrap();
    let what: Vec<_> = rows.iter().map(|row| row.what.as_str()).collect();
    assert_eq!(what, ["server.submit", "server.probe", "server.probe", "server.try"]);
    assert!(rows[1].detail.to_string().contains("\"i_may_probe\":true"), "{:?}", rows[1]);
    again.remove(&crm, by("ana", 4)).await.unwrap();
    assert!(Evidence::probe(&again, &crm).await.unwrap().is_none());
    assert!(again.trial(&crm).await.unwrap().is_none());
}
