use ::inventory::Report;
use admin::port::{Inventories, KeptReport};
use audit::port::Outbox;
use model::{Actor, Change, Expected, Timestamp, limits};

use super::Backend;

fn report(host: &str, files: usize) -> Report {
    let (user, system) = ("ana".to_owned(), "linux".to_owned());
    Report { host: host.to_owned(), user, system, files, entries: Vec::new(), unreadable: Vec::new() }
}

fn by(name: &str, at: u64) -> Change {
    Change { actor: Actor::Person(name.to_owned()), expected: Expected::Any, at: Timestamp(at), reason: None }
}

pub(crate) async fn a_report_is_kept_and_the_next_of_the_same_person_takes_its_place<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    store.keep_report(report("build-7", 1), by("fleet", 1)).await.unwrap();
    store.keep_report(report("build-7", 2), by("fleet", 2)).await.unwrap();
    store.keep_report(report("build-7", 3), by("mallory", 3)).await.unwrap();
    store.keep_report(report("laptop", 4), by("fleet", 4)).await.unwrap();
    let again = backend.open().await;
    let kept =
        |files, by: &str, at| KeptReport { report: report("build-7", files), by: by.to_owned(), at: Timestamp(at) };
    let found = again.reports_of("build-7").await.unwrap();
    assert_eq!(found, [kept(3, "mallory", 3), kept(2, "fleet", 2)], "nobody replaces another's");
    assert!(again.reports_of("nowhere").await.unwrap().is_empty());
    let rows = again.pending(10).await.unwrap();
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| row.what == "inventory.report"));
}

pub(crate) async fn reports_are_read_page_by_page<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    let number = limits::INVENTORY_REPORTS_READ * 2 + 3;
    for host in 0..number {
        store.keep_report(report(&format!("host-{host}"), host), by("fleet", 1)).await.unwrap();
    }
    let (mut hosts, mut pages, mut after) = (Vec::new(), 0, None);
    loop {
        let (page, next) = store.reports(after).await.unwrap();
        hosts.extend(page.into_iter().map(|kept| kept.report.host));
        pages += 1;
        if next.is_none() {
            break;
        }
        after = next;
    }
    assert_eq!(pages, 3);
    assert_eq!(hosts, (0..number).map(|host| format!("host-{host}")).collect::<Vec<_>>());
}

pub(crate) async fn a_report_that_nobody_renews_goes_by_time<B: Backend>() {
    let backend = B::new();
    let store = backend.open().await;
    store.keep_report(report("old", 1), by("fleet", 1)).await.unwrap();
    let later = limits::INVENTORY_REPORT_MILLISECONDS_MAX + 2;
    store.keep_report(report("new", 1), by("fleet", later)).await.unwrap();
    assert!(store.reports_of("old").await.unwrap().is_empty());
    assert_eq!(store.reports_of("new").await.unwrap().len(), 1);
}
