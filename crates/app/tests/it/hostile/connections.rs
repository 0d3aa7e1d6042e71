//! Clients that are slow, many, deaf, or gone. None of them is answered as it would like, and none is in another's way.

use std::time::Duration;

use model::limits;
use serde_json::json;
use tokio::time::timeout;

use super::Calm;
use crate::client::line::{Line, head, right, whole};
use crate::gate::Gate;
use crate::gate::files::{ANA, BOB};
use crate::verdict::passes;

/// Connections in a crowd: many for a test, few for the gate.
const CROWD: usize = 200;

async fn crowd(gate: &Gate, bytes: impl AsRef<[u8]>) -> Vec<Line> {
    let mut lines = Vec::new();
    for _ in 0..CROWD {
        let mut line = Line::open(gate).await;
        line.send(bytes.as_ref()).await;
        lines.push(line);
    }
    lines
}

#[tokio::test]
async fn crowds_that_say_nothing_or_half_of_something_are_in_nobodys_way() {
    let gate = Gate::start().await;
    let mut calm = Calm::before(&gate).await;
    let (headers, body) = right(&gate, ANA);
    let head_of = head(&gate, &headers, &format!("Content-Length: {}\r\n", body.len()));
    let (half_head, _) = head_of.split_at(head_of.len() / 2);
    let half_body = format!("{head_of}{}", body.split_at(body.len() / 2).0);
    let chunk = format!("{}1\r\n{{\r\n", head(&gate, &headers, "Transfer-Encoding: chunked\r\n"));
    let huge = head(&gate, &headers, "Content-Length: 4194304\r\n");
    let first_letter = "P";
    let cases = [
        (200, "connections that say nothing", ""),
        (201, "one letter", first_letter),
        (202, "half a head", half_head),
        (203, "half a body", &half_body),
        (204, "one chunk", &chunk),
        (205, "the promise of four mebibytes", &huge),
    ];
    for (number, name, bytes) in cases {
        let lines = crowd(&gate, bytes).await;
        calm.serves(&gate, number, name).await;
        drop(lines);
        calm.serves(&gate, number, name).await;
    }
    calm.after(&gate, 0).await;
}

#[tokio::test]
async fn crowds_that_reset_their_connections_are_in_nobodys_way() {
    let gate = Gate::start().await;
    let mut calm = Calm::before(&gate).await;
    let call = whole(&gate, ANA);
    let cases = [
        (210, "a reset before a word", ""),
        (211, "a reset within the head", call.split_at(40).0),
        (212, "a reset within the body", call.split_at(call.len() - 10).0),
    ];
    for (number, name, bytes) in cases {
        for line in crowd(&gate, bytes).await {
            line.reset();
        }
        calm.serves(&gate, number, name).await;
    }
    calm.after(&gate, 0).await;
    // A reset behind a whole call: the call may have been made by then, or not, and never twice.
    let before = gate.desk.calls();
    for line in crowd(&gate, &call).await {
        line.reset();
    }
    Calm::before(&gate).await.serves(&gate, 213, "a reset behind a whole call").await;
    assert!(gate.desk.calls() <= before + CROWD + 2);
    crate::client::streams_open(&gate, 0).await;
}

#[tokio::test]
async fn who_closes_one_half_has_said_everything() {
    let gate = Gate::start().await;
    let mut calm = Calm::before(&gate).await;
    let call = whole(&gate, ANA);
    for (number, name, bytes) in [
        (220, "half-closed before a word", ""),
        (221, "half-closed within the head", call.split_at(60).0),
        (222, "half-closed within the body", call.split_at(call.len() - 10).0),
    ] {
        let mut line = Line::open(&gate).await;
        line.send(bytes).await;
        line.finish().await;
        calm.serves(&gate, number, name).await;
        if let Some(answer) = line.answer().await {
            assert!((400..500).contains(&answer.status), "{number} {name}: {}", answer.text());
        }
        assert!(line.ends().await, "{number} {name}");
    }
    calm.after(&gate, 0).await;
}

#[tokio::test]
async fn who_asks_without_listening_is_not_asked_to() {
    let gate = Gate::start().await;
    let mut calm = Calm::before(&gate).await;
    // Each is refused by the same words, which nobody reads; the gate stops reading, and does not gather them.
    let refused = format!("GET /desk/mcp HTTP/1.1\r\nHost: {}\r\n\r\n", gate.agents()).repeat(2_000);
    let mut deaf = Vec::new();
    for _ in 0..8 {
        let mut line = Line::open(&gate).await;
        line.send_what_it_takes(refused.as_bytes(), Duration::from_millis(200)).await;
        deaf.push(line);
    }
    calm.serves(&gate, 230, "16,000 refusals that nobody reads").await;
    drop(deaf);

    let mut line = Line::open(&gate).await;
    let mut refused = 0;
    for _ in 0..500 {
        assert!(line.send("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n").await, "after {refused} refusals");
        refused += usize::from(line.answer().await.is_some_and(|answer| answer.status == 403));
    }
    assert_eq!(refused, 500);
    calm.serves(&gate, 231, "500 refusals on one connection").await;
    drop(line);

    for _ in 0..10 {
        drop(crowd(&gate, "GET / HTTP/1.1\r\n\r\n").await);
    }
    calm.serves(&gate, 232, "2,000 connections that come and go").await;
    calm.after(&gate, 0).await;
}

#[tokio::test]
async fn who_sends_byte_by_byte_has_a_connection_and_nothing_else() {
    let gate = Gate::start().await;
    let mut calm = Calm::before(&gate).await;
    let call = whole(&gate, ANA);
    let mut lines = crowd(&gate, "").await;
    for byte in call.bytes().take(5) {
        for line in &mut lines {
            line.send([byte]).await;
        }
        calm.serves(&gate, 240, "200 heads, letter by letter").await;
    }
    drop(lines);
    let (headers, body) = right(&gate, ANA);
    let mut lines = crowd(&gate, head(&gate, &headers, "Transfer-Encoding: chunked\r\n")).await;
    for byte in body.bytes().take(5) {
        for line in &mut lines {
            line.send(format!("1\r\n{}\r\n", char::from(byte))).await;
        }
        calm.serves(&gate, 241, "200 bodies, chunk by chunk").await;
    }
    drop(lines);
    calm.after(&gate, 0).await;
}

#[tokio::test]
async fn who_asks_much_at_once_is_answered_in_order_or_refused() {
    let gate = Gate::start().await;
    let mut calm = Calm::before(&gate).await;
    let client = gate.client(ANA);
    let (mut text, mut right_ones) = (String::new(), 0);
    for number in 0..60 {
        let params = json!({ "name": "read_ticket", "arguments": { "ticket": number.to_string() } });
        let mut body = client.body("tools/call", params.clone());
        if number % 3 == 2 {
            body["params"]["name"] = "purge".into();
        } else {
            right_ones += 1;
        }
        let body = body.to_string();
        text.push_str(&head(
            &gate,
            &client.headers("tools/call", &params),
            &format!("Content-Length: {}\r\n", body.len()),
        ));
        text.push_str(&body);
    }
    let mut line = Line::open(&gate).await;
    line.send(text).await;
    calm.serves(&gate, 250, "sixty calls on one connection, of which twenty are bent").await;
    for number in 0..60 {
        let answer = line.answer().await.unwrap_or_else(|| panic!("no answer to {number}"));
        let expected = if number % 3 == 2 { 400 } else { 200 };
        assert_eq!(answer.status, expected, "{number}: {}", answer.text());
    }
    drop(line);
    calm.after(&gate, right_ones).await;
}

#[tokio::test]
async fn who_begins_many_large_messages_keeps_nobody_waiting_but_itself() {
    let gate = Gate::start().await;
    let mut calm = Calm::before(&gate).await;
    let large = |caller| {
        let (headers, body) = right(&gate, caller);
        let body = body + &" ".repeat(2 * limits::LARGE_MESSAGE_BYTES);
        head(&gate, &headers, &format!("Content-Length: {}\r\n", body.len())) + &body
    };
    let mut begun = Vec::new();
    for _ in 0..limits::LARGE_PER_CALLER_MAX {
        let mut line = Line::open(&gate).await;
        line.send(large(ANA).strip_suffix(' ').unwrap()).await;
        begun.push(line);
    }
    // Once the gate has begun to read them all, the next one waits.
    let mut passed = 0;
    let mut waits = loop {
        let mut line = Line::open(&gate).await;
        line.send(large(ANA)).await;
        match timeout(Duration::from_millis(500), line.answer()).await {
            Ok(answer) => assert_eq!(answer.unwrap().status, 200),
            Err(_) => break line,
        }
        passed += 1;
        assert!(passed < 50, "it never waits for its own");
    };
    let mut other = Line::open(&gate).await;
    other.send(large(BOB)).await;
    assert_eq!(other.answer().await.unwrap().status, 200, "somebody else's large message");
    passes(&gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
    calm.serves(&gate, 260, "large messages that do not end").await;
    drop(begun);
    assert_eq!(waits.answer().await.unwrap().status, 200);
    drop((waits, other));
    calm.after(&gate, passed + 3).await;
}
