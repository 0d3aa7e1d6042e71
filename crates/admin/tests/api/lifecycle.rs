//! A server's life beside its approval: whose eyes it passes, when that is over, quarantine, retirement, drafts, comments.

use http::StatusCode;
use model::Role;
use serde_json::{Value, json};

use crate::bench::{Bench, refund};

async fn seen() -> (Bench, Value) {
    let bench = Bench::open().await;
    bench.servers.offer("erp", vec![refund("number")]);
    let digest = bench.submit("erp").await["observed"]["digest"].clone();
    (bench, digest)
}

async fn shown(bench: &Bench) -> Value {
    bench.done("GET", "/servers/erp", &Value::Null).await
}

#[tokio::test]
async fn who_submitted_a_server_cannot_approve_it_while_somebody_else_could() {
    let (bench, digest) = seen().await;
    let (code, error) = bench.refused("POST", "/servers/erp/approve", &json!({ "seen": digest })).await;
    assert_eq!(code, "refused");
    assert!(error["message"].as_str().unwrap().contains("somebody else has to"), "{error}");
    assert!(error["next"].as_str().unwrap().contains("another approver"), "{error}");
    bench.approve("erp").await;
    // What the gate saw meanwhile changes nothing about who submitted it.
    bench.servers.offer("erp", vec![refund("integer")]);
    let digest = bench.done("POST", "/servers/erp/check", &Value::Null).await["observed"]["digest"].clone();
    assert_eq!(bench.refused("POST", "/servers/erp/approve", &json!({ "seen": digest })).await.0, "refused");
    bench.approve("erp").await;
}

#[tokio::test]
async fn whoever_is_alone_approves_alone_and_is_told_so() {
    let (bench, digest) = seen().await;
    let token = model::Secret::new(format!("{:a<32}", "admin"));
    let alone = admin::People::new(vec![("admin".to_owned(), vec![Role::Admin], token)]).unwrap();
    bench.admin.people.store(alone.into());
    let done = bench.done("POST", "/servers/erp/approve", &json!({ "seen": digest })).await;
    assert_eq!(done["note"], "approved-alone");
    let receipts = bench.admin.registry.servers().await.unwrap().1;
    assert!(receipts[0].in_service().is_some());
}

#[tokio::test]
async fn an_approval_has_the_end_that_it_was_given_and_people_are_reminded() {
    let (bench, digest) = seen().await;
    let approve = async |expires: u64| {
        let body = json!({ "seen": digest, "expires": expires });
        bench.call(Some(Role::Approver), "POST", "/api/v1/servers/erp/approve", &body).await
    };
    assert_eq!(approve(1).await.0, StatusCode::CONFLICT, "it would be over already");
    let soon = 1_795_219_200_000 + 60 * 60_000;
    assert_eq!(approve(soon).await.0, StatusCode::OK);
    assert_eq!(shown(&bench).await["expires"], soon);
    assert_eq!(bench.done("GET", "/servers", &Value::Null).await[0]["expires"], soon);
    assert_eq!(bench.done("GET", "/status", &Value::Null).await["servers"]["expiring"], 1);
    assert_eq!(approve(soon + 365 * 24 * 60 * 60_000).await.0, StatusCode::OK);
    assert_eq!(bench.done("GET", "/status", &Value::Null).await["servers"]["expiring"], 0);
}

#[tokio::test]
async fn a_draft_is_kept_and_not_looked_at() {
    let bench = Bench::open().await;
    bench.servers.offer("erp", vec![refund("number")]);
    let draft = json!({ "manifest": Bench::manifest("erp"), "draft": true });
    let dossier = bench.done("POST", "/servers", &draft).await;
    assert_eq!((&dossier["standing"], bench.servers.looks()), (&json!("draft"), 0));
    assert_eq!(bench.refused("POST", "/servers/erp/check", &Value::Null).await.0, "refused");
    assert_eq!(bench.servers.looks(), 0);
    let dossier = bench.submit("erp").await;
    assert_eq!(dossier["standing"], "vetted");
    assert_eq!(bench.refused("POST", "/servers", &draft).await.0, "refused", "it was submitted");
}

#[tokio::test]
async fn what_is_in_quarantine_is_not_looked_at_and_comes_back_with_nothing_known_of_it() {
    let (bench, digest) = seen().await;
    bench.approve("erp").await;
    let because = json!({ "reason": "it sent mail" });
    bench.done("POST", "/servers/erp/quarantine", &because).await;
    let looks = bench.servers.looks();
    assert_eq!(bench.refused("POST", "/servers/erp/check", &Value::Null).await.0, "refused");
    assert_eq!(bench.refused("POST", "/servers/erp/connect", &Value::Null).await.0, "refused");
    assert_eq!(bench.submit("erp").await["standing"], "quarantined");
    assert_eq!(bench.servers.looks(), looks);
    let dossier = shown(&bench).await;
    assert_eq!((&dossier["in_service"], &dossier["suspended"]["reason"]), (&json!(false), &json!("it sent mail")));
    bench.done("POST", "/servers/erp/release", &Value::Null).await;
    let dossier = shown(&bench).await;
    assert_eq!((&dossier["standing"], dossier.get("observed")), (&json!("submitted"), None));
    let old = json!({ "seen": digest });
    assert_eq!(bench.refused_to(Role::Approver, "POST", "/servers/erp/approve", &old).await.0, "refused");
}

#[tokio::test]
async fn a_retired_server_stays_on_record_and_its_name_is_not_given_again() {
    let (bench, _) = seen().await;
    bench.approve("erp").await;
    bench.done("POST", "/servers/erp/retire", &json!({ "reason": "replaced" })).await;
    let again = json!({ "manifest": Bench::manifest("erp") });
    for (method, path, body) in [
        ("POST", "/servers", &again),
        ("DELETE", "/servers/erp", &Value::Null),
        ("POST", "/servers/erp/resume", &Value::Null),
        ("POST", "/servers/erp/release", &Value::Null),
    ] {
        assert_eq!(bench.refused(method, path, body).await.0, "refused", "{method} {path}");
    }
    // Files that do not speak of it leave it there; files that describe it are told.
    bench.apply(&json!({ "servers": [] })).await;
    assert_eq!(shown(&bench).await["standing"], "retired");
    let text = "name = \"erp\"\nurl = \"https://erp.example/mcp\"\nowner = \"ops\"\npurpose = \"Orders\"\n";
    let files = json!({ "manifests": { "servers": [{ "file": "servers/erp.toml", "text": text }] } });
    let (code, error) = bench.refused("POST", "/plan", &files).await;
    assert_eq!((code.as_str(), &error["where"]["line"]), ("manifest-invalid", &json!(1)), "{error}");
    assert!(error["message"].as_str().unwrap().contains("retired, which is final"), "{error}");
}

#[tokio::test]
async fn files_that_describe_a_draft_submit_it() {
    let bench = Bench::open().await;
    bench.servers.offer("erp", vec![refund("number")]);
    let manifest = Bench::manifest("erp");
    bench.done("POST", "/servers", &json!({ "manifest": manifest, "draft": true })).await;
    let text = "name = \"erp\"\nurl = \"https://erp.example/mcp\"\nowner = \"ops\"\npurpose = \"Orders\"\n";
    let applied = bench.apply(&json!({ "servers": [{ "file": "servers/erp.toml", "text": text }] })).await;
    assert!(applied["changes"][0]["note"].as_str().unwrap().contains("was a draft"), "{applied}");
    assert_eq!(shown(&bench).await["standing"], "vetted");
}

#[tokio::test]
async fn people_say_things_of_a_server_and_whoever_reads_it_reads_them() {
    let (bench, _) = seen().await;
    let say = async |role, text: &str| {
        bench.call(Some(role), "POST", "/api/v1/servers/erp/comments", &json!({ "text": text })).await
    };
    assert_eq!(say(Role::Reviewer, "Who runs this?").await.0, StatusCode::OK);
    assert_eq!(say(Role::Approver, "The team in Lyon.\nAsked them.").await.0, StatusCode::OK);
    assert_eq!(say(Role::Viewer, "me too").await.0, StatusCode::FORBIDDEN);
    for wrong in ["", " ", "\u{1b}[2J", &"a".repeat(4_097)] {
        assert_eq!(say(Role::Reviewer, wrong).await.0, StatusCode::BAD_REQUEST, "{wrong:?}");
    }
    let comments = shown(&bench).await["comments"].clone();
    let said: Vec<_> = comments.as_array().unwrap().iter().map(|one| [&one["by"], &one["text"]]).collect();
    assert_eq!(json!(said), json!([["reviewer", "Who runs this?"], ["approver", "The team in Lyon.\nAsked them."]]));
    let missing = json!({ "text": "hello" });
    assert_eq!(bench.refused("POST", "/servers/crm/comments", &missing).await.0, "not-found");
}
