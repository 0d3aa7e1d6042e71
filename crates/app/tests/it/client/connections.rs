//! Many requests on one connection: in order, each on its own, and still there after a refusal.

use http::HeaderMap;
use serde_json::json;

use super::line::{Line, head, right, whole};
use crate::gate::files::ANA;
use crate::gate::{Gate, name, value};

#[tokio::test]
async fn pipelined_calls_are_answered_in_their_order() {
    let gate = Gate::start().await;
    let client = gate.client(ANA);
    let mut calls = String::new();
    for number in 0..5 {
        let params = json!({ "name": "read_ticket", "arguments": { "ticket": number.to_string() } });
        let mut body = client.body("tools/call", params.clone());
        body["id"] = json!(format!("call-{number}"));
        let (headers, body) = (client.headers("tools/call", &params), body.to_string());
        calls.push_str(&head(&gate, &headers, &format!("Content-Length: {}\r\n", body.len())));
        calls.push_str(&body);
    }
    let mut line = Line::open(&gate).await;
    assert!(line.send(calls).await);
    for number in 0..5 {
        let answer = line.answer().await.unwrap();
        assert_eq!((answer.status, &answer.json()["id"]), (200, &json!(format!("call-{number}"))));
    }
    assert_eq!(gate.desk.calls(), 5);
}

#[tokio::test]
async fn a_connection_outlives_the_refusals_on_it() {
    let gate = Gate::start().await;
    let (right_headers, right_body) = right(&gate, ANA);
    let without = |header: &str| {
        let mut headers = right_headers.clone();
        headers.remove(header);
        headers
    };
    let with = |header: &str, text: &str| {
        let mut headers = right_headers.clone();
        headers.insert(name(header), value(text));
        headers
    };
    let cases: [(HeaderMap, &str, u16, &str); 6] = [
        (right_headers.clone(), "{", 400, "not-json"),
        (right_headers.clone(), "[]", 400, "not-json-rpc"),
        (with("origin", "http://evil.example"), &right_body, 403, "origin-refused"),
        (with("mcp-name", "refund"), &right_body, 400, "header-mismatch"),
        (without("authorization"), &right_body, 401, "unauthenticated"),
        (with("content-type", "text/plain"), &right_body, 415, "media-type-refused"),
    ];
    let mut line = Line::open(&gate).await;
    for (headers, body, status, reason) in cases {
        let length = format!("Content-Length: {}\r\n", body.len());
        assert!(line.send(format!("{}{body}", head(&gate, &headers, &length))).await);
        let refused = line.answer().await.unwrap();
        assert_eq!((refused.status, refused.reason().as_str()), (status, reason), "{}", refused.text());
        assert!(line.send(whole(&gate, ANA)).await, "the connection was closed after `{reason}`");
        let answer = line.answer().await;
        let answer = answer.unwrap_or_else(|| panic!("the connection was closed after `{reason}`"));
        assert_eq!(answer.status, 200, "after `{reason}`: {}", answer.text());
    }
    assert_eq!(gate.desk.calls(), 6);
}

#[tokio::test]
async fn a_client_that_asks_to_close_is_answered_and_closed() {
    let gate = Gate::start().await;
    let (headers, body) = right(&gate, ANA);
    let mut line = Line::open(&gate).await;
    let more = format!("Connection: close\r\nContent-Length: {}\r\n", body.len());
    line.send(format!("{}{body}", head(&gate, &headers, &more))).await;
    assert_eq!(line.answer().await.unwrap().status, 200);
    assert!(line.ends().await);
    // Whoever asks whether to go on before sending the body is told to.
    let mut line = Line::open(&gate).await;
    let more = format!("Expect: 100-continue\r\nContent-Length: {}\r\n", body.len());
    line.send(head(&gate, &headers, &more)).await;
    assert_eq!(line.answer().await.unwrap().status, 100);
    line.send(&body).await;
    assert_eq!(line.answer().await.unwrap().status, 200);
    assert_eq!(gate.desk.calls(), 2);
}
