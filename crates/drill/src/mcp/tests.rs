//! The client against servers that speak and servers that stammer.

use super::*;
use crate::hostile::{Hostile, Mode};

#[test]
fn a_plain_name_goes_as_it_is_and_any_other_in_base64() {
    assert_eq!(header_value("get_order"), "get_order");
    assert_eq!(header_value("größe"), "=?base64?Z3LDtsOfZQ==?=");
    assert_eq!(header_value(" x"), "=?base64?IHg=?=");
    assert_eq!(header_value("=?base64?eA==?="), "=?base64?PT9iYXNlNjQ/ZUE9PT89?=");
}

#[test]
fn what_params_bring_in_meta_stays() {
    let client = Client::new("http://127.0.0.1:1/mcp", None).unwrap();
    let body = client.body("tools/list", json!({ "_meta": { "traceparent": "00-a-b-01" } }));
    assert_eq!(body["params"]["_meta"]["traceparent"], "00-a-b-01");
    assert_eq!(body["params"]["_meta"][META_VERSION], REVISION);
}

#[test]
fn a_token_is_not_shown_when_the_headers_are() {
    let client = Client::new("http://127.0.0.1:1/mcp", Some("s3cret")).unwrap();
    assert!(!format!("{:?}", client.headers("tools/list", &json!({}))).contains("s3cret"));
}

#[tokio::test]
async fn a_document_and_a_stream_of_one_message_read_the_same() {
    let hostile = Hostile::start(Mode::Honest).await.unwrap();
    let client = Client::new(&hostile.url(), None).unwrap();
    let whole = client.call("get_report", json!({ "report_id": "r-1" })).await.unwrap();
    let mut answer =
        client.open("tools/call", json!({ "name": "get_report", "arguments": { "report_id": "r-1" } })).await.unwrap();
    let first = answer.next().await.unwrap().unwrap();
    assert_eq!(first["result"], whole.json["result"]);
    assert!(answer.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_stream_is_read_message_by_message() {
    let hostile = Hostile::start(Mode::Floods).await.unwrap();
    let client = Client::new(&hostile.url(), None).unwrap();
    let mut answer =
        client.open("tools/call", json!({ "name": "get_report", "arguments": { "report_id": "r-1" } })).await.unwrap();
    for _ in 0..3 {
        assert_eq!(answer.next().await.unwrap().unwrap()["method"], "notifications/progress");
    }
}

#[tokio::test]
async fn patience_ends() {
    let hostile = Hostile::start(Mode::NeverAnswers).await.unwrap();
    let client = Client::new(&hostile.url(), None).unwrap().with_patience(Duration::from_millis(50));
    let error = client.call("get_report", json!({ "report_id": "r-1" })).await.unwrap_err();
    assert!(matches!(error, ClientError::TooSlow { .. }), "{error}");
}
