//! What is sent, before any route looks at it.

use http::StatusCode;
use model::{Role, limits};
use serde_json::{Value, json};

use crate::bench::Bench;

async fn code_of(bench: &Bench, headers: &[(&str, &str)], body: Vec<u8>) -> (StatusCode, Value) {
    let mut request = bench.request(Some(Role::Admin), "POST", "/api/v1/halts", headers, &Value::Null);
    *request.body_mut() = bytes::Bytes::from(body).into();
    let (status, _, answer) = bench.send(request).await;
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    (status, answer["error"]["code"].clone())
}

#[tokio::test]
async fn a_body_that_is_not_declared_as_json_is_refused() {
    let bench = Bench::open().await;
    let body = json!({ "what": "everything" }).to_string().into_bytes();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
        let (status, code) = code_of(&bench, &[("content-type", kind)], body.clone()).await;
        assert_eq!((status, code), (StatusCode::UNSUPPORTED_MEDIA_TYPE, json!("media-type-refused")), "{kind}");
    }
    assert!(bench.admin.halts.current().all().is_empty());
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let bench = Bench::open().await;
    let (status, code) = code_of(&bench, &[], vec![b' '; limits::ADMIN_BODY_BYTES_MAX + 1]).await;
    assert_eq!((status, code), (StatusCode::PAYLOAD_TOO_LARGE, json!("too-large")));
}

#[tokio::test]
async fn a_body_that_is_not_what_the_route_takes_is_refused() {
    let bench = Bench::open().await;
    for body in [
        "",
        "nonsense",
        "[]",
        r#"{"what":"everything","what":"server"}"#,
        r#"{"what":"everything","unknown":1}"#,
        r#"{"what":"everything"} {}"#,
    ] {
        let (status, code) = code_of(&bench, &[], body.as_bytes().to_vec()).await;
        assert_eq!((status, code), (StatusCode::BAD_REQUEST, json!("request-invalid")), "{body}");
    }
    assert!(bench.admin.halts.current().all().is_empty());
}

#[tokio::test]
async fn a_query_that_the_route_does_not_know_is_refused() {
    let bench = Bench::open().await;
    for query in ["agnet=helpdesk", "limit=many", "kind=maybe"] {
        let (code, _) = bench.refused("GET", &format!("/receipts?{query}"), &Value::Null).await;
        assert_eq!(code, "request-invalid", "{query}");
    }
    let (code, _) = bench.refused("GET", "/servers/Not_A_Name", &Value::Null).await;
    assert_eq!(code, "request-invalid");
}

#[tokio::test]
async fn whoami_status_and_the_words_answer() {
    let bench = Bench::open().await;
    assert_eq!(
        bench.done("GET", "/whoami", &Value::Null).await,
        json!({ "name": "admin", "roles": ["admin"], "known_by": "token" })
    );
    let status = bench.done("GET", "/status", &Value::Null).await;
    assert_eq!((&status["ready"], &status["halts"]), (&json!(true), &json!(0)));
    let (_, _, metrics) = bench.send(bench.request(Some(Role::Viewer), "GET", "/metrics", &[], &Value::Null)).await;
    assert_eq!(metrics, "portcullis_calls_total 0\n");
}
