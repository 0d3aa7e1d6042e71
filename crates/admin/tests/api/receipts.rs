//! Receipts: found by id and by what they say.

use audit::{Event, Refused};
use http::StatusCode;
use model::{Reason, Revision, Role};
use serde_json::Value;

use crate::bench::Bench;

fn refusal(detail: &str) -> Event {
    Event::Refused(Refused {
        who: None,
        endpoint: Some("orders".parse().unwrap()),
        method: Some("tools/call".to_owned()),
        request: None,
        object: None,
        control: "decide".to_owned(),
        reason: Reason::PolicyForbids,
        detail: detail.to_owned(),
        findings: None,
        policies: Vec::new(),
        revision: Revision(1),
    })
}

#[tokio::test]
async fn a_receipt_is_found_as_soon_as_its_id_is_known() {
    let bench = Bench::open().await;
    let record = bench.admin.journal.record(refusal("over the limit"));
    // Queued only: nobody waited until it was written.
    bench.admin.journal.queue(&record);
    let receipt = bench.done("GET", &format!("/receipts/{}", record.id), &Value::Null).await;
    assert_eq!(receipt["record"]["id"], record.id.to_string());
    assert_eq!(receipt["record"]["event"]["reason"], "policy-forbids");
}

#[tokio::test]
async fn receipts_are_searched_the_newest_first_and_page_by_page() {
    let bench = Bench::open().await;
    for number in 0..5 {
        bench.admin.journal.queue(&bench.admin.journal.record(refusal(&format!("call {number}"))));
    }
    let details = |page: &Value| -> Vec<String> {
        let receipts = page["receipts"].as_array().unwrap().iter();
        receipts.map(|one| one["record"]["event"]["detail"].as_str().unwrap().to_owned()).collect()
    };
    let first = bench.done("GET", "/receipts?kind=refused&limit=2", &Value::Null).await;
    assert_eq!(details(&first), ["call 4", "call 3"]);
    let next = format!("/receipts?kind=refused&limit=2&before={}", first["before"]);
    assert_eq!(details(&bench.done("GET", &next, &Value::Null).await), ["call 2", "call 1"]);
    let found = bench.done("GET", "/receipts?text=CALL%201", &Value::Null).await;
    assert_eq!(details(&found), ["call 1"]);
}

#[tokio::test]
async fn an_unknown_receipt_is_not_found_and_only_auditors_ask() {
    let bench = Bench::open().await;
    let path = "/receipts/01KADZ3NRE0000000000000000";
    assert_eq!(bench.refused("GET", path, &Value::Null).await.0, "not-found");
    let (status, _) = bench.call(Some(Role::Reviewer), "GET", &format!("/api/v1{path}"), &Value::Null).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_journal_says_how_it_is_and_who_signs_it() {
    let bench = Bench::open().await;
    let journal = bench.done("GET", "/journal", &Value::Null).await;
    assert_eq!(journal["condition"], "writing");
    assert!(journal["public_key"].as_str().unwrap().starts_with("admin.test+"));
}
