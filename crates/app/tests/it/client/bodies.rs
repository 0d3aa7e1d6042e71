//! Bodies that are not what their head said: longer, shorter, too large, in small pieces. The server gets whole messages.

use std::time::Duration;

use model::limits;

use super::line::{Line, head, right, whole};
use crate::gate::Gate;
use crate::gate::files::{ANA, BOB};
use crate::verdict::passes;

#[tokio::test]
async fn what_follows_a_body_is_no_part_of_it() {
    let gate = Gate::start().await;
    // Whatever lies behind the declared end is another request, and this is none.
    let mut line = Line::open(&gate).await;
    assert!(line.send(format!("{}{{\"and\":\"more\"}}\r\n\r\n", whole(&gate, ANA))).await);
    assert_eq!(line.answer().await.unwrap().status, 200);
    let rest = line.answer().await.unwrap();
    assert_eq!(rest.status, 400);
    assert!(line.ends().await, "what cannot be told apart is not read on");
    assert_eq!(gate.desk.calls(), 1);
}

#[tokio::test]
async fn a_body_that_stops_early_reaches_nobody() {
    let gate = Gate::start().await;
    let (headers, body) = right(&gate, ANA);
    let (half, _) = body.split_at(body.len() / 2);
    for more in [format!("Content-Length: {}\r\n", body.len()), "Transfer-Encoding: chunked\r\n".to_owned()] {
        let mut line = Line::open(&gate).await;
        line.send(head(&gate, &headers, &more)).await;
        let sent = if more.starts_with('C') { half.to_owned() } else { format!("{:x}\r\n{half}\r\n", half.len()) };
        line.send(sent).await;
        line.finish().await;
        // There is nobody left to answer; the gate may say so or just close.
        if let Some(answer) = line.answer().await {
            assert_eq!(answer.status, 400, "{}", answer.text());
        }
    }
    passes(&gate.client(BOB).call("read_ticket", serde_json::json!({ "ticket": "1" })).await.unwrap());
    assert_eq!(gate.desk.calls(), 1);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let gate = Gate::start().await;
    let (headers, _) = right(&gate, ANA);
    let mut line = Line::open(&gate).await;
    // Not one byte of it is sent.
    line.send(head(&gate, &headers, &format!("Content-Length: {}\r\n", limits::MESSAGE_BYTES_MAX + 1))).await;
    let answer = line.answer().await.unwrap();
    assert_eq!((answer.status, answer.reason().as_str()), (413, "too-large"));
    // As large as a number can be, and larger.
    for length in ["18446744073709551614", "18446744073709551615", "99999999999999999999999"] {
        let mut line = Line::open(&gate).await;
        line.send(head(&gate, &headers, &format!("Content-Length: {length}\r\n"))).await;
        let answer = line.answer().await.unwrap();
        assert!(matches!(answer.status, 400 | 413 | 431), "{length}: {answer:?}");
    }
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn a_body_of_unknown_length_is_read_up_to_the_limit() {
    let gate = Gate::start().await;
    let (headers, _) = right(&gate, ANA);
    let mut line = Line::open(&gate).await;
    line.send(head(&gate, &headers, "Transfer-Encoding: chunked\r\n")).await;
    let piece = format!("{:x}\r\n{}\r\n", 64 * 1024, "x".repeat(64 * 1024));
    let mut sent = 0;
    while sent <= limits::MESSAGE_BYTES_MAX && line.send(&piece).await {
        sent += 64 * 1024;
    }
    let answer = line.answer().await.expect("it is told why");
    assert_eq!((answer.status, answer.reason().as_str()), (413, "too-large"));
    assert!(line.ends().await, "the rest of the body is not waited for");
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn a_body_in_small_pieces_is_a_body() {
    let gate = Gate::start().await;
    let (headers, body) = right(&gate, ANA);
    let mut line = Line::open(&gate).await;
    let mut text = head(&gate, &headers, "Transfer-Encoding: chunked\r\n");
    for byte in body.bytes() {
        text.push_str(&format!("1\r\n{}\r\n", char::from(byte)));
    }
    text.push_str("0\r\n\r\n");
    // Cut anywhere, inside names and numbers too.
    for piece in text.as_bytes().chunks(97) {
        line.send(piece).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(line.answer().await.unwrap().status, 200);
    assert_eq!(gate.desk.forwarded()[0].body, body, "byte for byte, however it came");
}

#[tokio::test]
#[ignore = "waits for the gate's patience with slow clients: fifteen seconds"]
async fn a_client_that_sends_too_slowly_is_turned_away() {
    let gate = Gate::start().await;
    let (headers, body) = right(&gate, ANA);
    let head = head(&gate, &headers, &format!("Content-Length: {}\r\n", body.len()));
    let (mut slow_head, mut slow_body) = (Line::open(&gate).await, Line::open(&gate).await);
    slow_body.send(&head).await;
    let pause = Duration::from_millis(limits::REQUEST_MILLISECONDS_MAX / 20);
    for (head, body) in head.bytes().zip(body.bytes()).take(21) {
        slow_head.send([head]).await;
        slow_body.send([body]).await;
        tokio::time::sleep(pause).await;
    }
    let answer = slow_body.answer().await.unwrap();
    assert_eq!((answer.status, answer.reason().as_str()), (408, "too-slow"));
    assert!(slow_body.ends().await);
    assert!(slow_head.answer().await.is_none_or(|answer| answer.status == 408));
    assert!(slow_head.ends().await);
    assert_eq!(gate.desk.calls(), 0);
}
