use audit::port::Outbox;
use identity::port::{Credentials, Kept, Place};
use model::Timestamp;

use super::Backend;
use super::samples::change;

fn place(owner: &str, holder: &str) -> Place {
    Place { owner: owner.to_owned(), holder: holder.to_owned() }
}

fn kept(about: &str, at: u64) -> Kept {
    Kept { about: format!("{{\"is\":\"{about}\"}}"), sealed: format!("v1.{about}"), at: Timestamp(at) }
}

pub(crate) async fn a_credential_is_kept_for_its_holder_and_the_next_takes_its_place<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let (anas, bens) = (place("server crm", "user ana"), place("server crm", "user ben"));
    store.connected(anas.clone(), kept("first", 1), change()).await.unwrap();
    store.connected(anas.clone(), kept("second", 2), change()).await.unwrap();
    store.connected(place("server erp", "user ana"), kept("other", 3), change()).await.unwrap();
    assert_eq!(store.kept(&bens).await.unwrap(), None);
    let again = backend.open().await;
    assert_eq!(again.kept(&anas).await.unwrap(), Some(kept("second", 2)));
    assert_eq!(again.kept_of(Some("server crm")).await.unwrap(), [(anas, kept("second", 2))]);
    assert_eq!(again.kept_of(None).await.unwrap().len(), 2);
}

pub(crate) async fn a_credential_is_renewed_only_from_the_one_it_was_made_of<B: Backend>() {
    let store = B::new().open().await;
    let anas = place("server crm", "user ana");
    store.connected(anas.clone(), kept("first", 1), change()).await.unwrap();
    assert!(store.renewed(anas.clone(), kept("second", 2), &kept("first", 1).about).await.unwrap());
    assert!(!store.renewed(anas.clone(), kept("third", 3), &kept("first", 1).about).await.unwrap());
    assert_eq!(store.kept(&anas).await.unwrap(), Some(kept("second", 2)));
    assert!(store.disconnected(anas.clone(), change()).await.unwrap());
    assert!(!store.renewed(anas.clone(), kept("third", 3), &kept("second", 2).about).await.unwrap());
    assert_eq!(store.kept(&anas).await.unwrap(), None, "a renewal under way brings nothing back");
    assert!(!store.disconnected(anas, change()).await.unwrap());
}

pub(crate) async fn who_connects_and_disconnects_leaves_a_receipt_without_the_secret<B: Backend>() {
    let store = B::new().open().await;
    let anas = place("server crm", "user ana");
    store.connected(anas.clone(), kept("first", 1), change()).await.unwrap();
    store.renewed(anas.clone(), kept("second", 2), &kept("first", 1).about).await.unwrap();
    store.disconnected(anas, change()).await.unwrap();
    let rows = store.pending(10).await.unwrap();
    let whats: Vec<&str> = rows.iter().map(|row| row.what.as_str()).collect();
    assert_eq!(whats, ["credential.connect", "credential.disconnect"], "renewals happen by themselves");
    assert!(!format!("{rows:?}").contains("v1."), "what is sealed stays in its row");
}
