//! Heads that are too large, or that two readers of HTTP could read differently. The gate's own HTTP refuses them before
//! anybody is authenticated, and goes on.

use model::limits;

use super::line::{Line, head, right, whole};
use crate::gate::Gate;
use crate::gate::files::ANA;

#[tokio::test]
async fn heads_over_the_limits_are_refused() {
    let gate = Gate::start().await;
    let (headers, body) = right(&gate, ANA);
    let length = format!("Content-Length: {}\r\n", body.len());
    let long = format!("{length}X-Long: {}\r\n", "x".repeat(2 * limits::HEADER_BYTES_MAX));
    let mut many = length.clone();
    (0..limits::HEADERS_MAX).for_each(|number| many.push_str(&format!("X-{number}: 1\r\n")));
    let name = format!("{length}{}: 1\r\n", "X".repeat(2 * limits::HEADER_BYTES_MAX));
    for more in [&long, &many, &name] {
        let mut line = Line::open(&gate).await;
        line.send(format!("{}{body}", head(&gate, &headers, more))).await;
        if let Some(answer) = line.answer().await {
            assert!(matches!(answer.status, 413 | 431), "{}: {}", answer.status, answer.text());
        }
    }
    // A head without an end is not gathered for ever.
    let mut line = Line::open(&gate).await;
    line.send("POST /desk/mcp HTTP/1.1\r\n").await;
    let mut sent = 0;
    while sent < 4 * 1024 * 1024 && line.send(format!("X-{sent}: {}\r\n", "x".repeat(8192))).await {
        sent += 8192;
    }
    assert!(sent < 4 * 1024 * 1024, "the gate took {sent} bytes of a head");
    // A head within the limits, and a long one at that, passes.
    let mut line = Line::open(&gate).await;
    let more = format!("{length}X-Long: {}\r\n", "x".repeat(limits::HEADER_BYTES_MAX / 2));
    line.send(format!("{}{body}", head(&gate, &headers, &more))).await;
    assert_eq!(line.answer().await.unwrap().status, 200);
    assert_eq!(gate.desk.calls(), 1);
    let seen = gate.desk.forwarded()[0].headers.clone();
    assert!(!seen.contains_key("x-long"), "what the caller adds goes no further");
}

#[tokio::test]
async fn heads_that_two_readers_could_read_differently_are_refused() {
    let gate = Gate::start().await;
    let (headers, body) = right(&gate, ANA);
    let length = body.len();
    let smuggled = whole(&gate, ANA);
    let cases = [
        ("two lengths", format!("Content-Length: {length}\r\nContent-Length: {}\r\n", length + 1)),
        ("a list of lengths", format!("Content-Length: {length}, {}\r\n", length + 1)),
        ("a signed length", format!("Content-Length: +{length}\r\n")),
        ("a length in hexadecimal", format!("Content-Length: {length:#x}\r\n")),
        ("a length and chunks", format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n")),
        ("chunks and a length", format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n")),
        ("an encoding nobody knows", "Transfer-Encoding: xchunked\r\n".to_owned()),
        ("chunks that are not last", "Transfer-Encoding: chunked, identity\r\n".to_owned()),
        ("space before the colon", format!("Content-Length : {length}\r\n")),
        ("a folded header", format!("X-A: 1\r\n 2\r\nContent-Length: {length}\r\n")),
        ("a naked carriage return", format!("X-A: 1\r2\r\nContent-Length: {length}\r\n")),
        ("a zero byte", format!("X-A: 1\0\r\nContent-Length: {length}\r\n")),
        ("two hosts", format!("Host: {}\r\nContent-Length: {length}\r\n", gate.agents())),
    ];
    for (what, more) in &cases {
        let mut line = Line::open(&gate).await;
        line.send(format!("{}{body}{smuggled}", head(&gate, &headers, more))).await;
        let answer = line.answer().await;
        let status = answer.as_ref().map_or(400, |answer| answer.status);
        assert!((400..500).contains(&status), "{what}: {answer:?}");
    }
    assert_eq!(gate.desk.calls(), 0, "nothing that was smuggled behind them was taken either");
}

#[tokio::test]
async fn what_is_not_http_is_turned_away() {
    let gate = Gate::start().await;
    let right = whole(&gate, ANA);
    let line_of = |first: &str| right.replacen("POST /desk/mcp HTTP/1.1", first, 1);
    let cases = [
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        "{\"jsonrpc\":\"2.0\"}\r\n\r\n".to_owned(),
        line_of("POST /desk/mcp HTTP/2.0"),
        line_of("POST /desk/mcp HTTP/0.9"),
        line_of("POST /desk/mcp"),
        line_of("POST  /desk/mcp HTTP/1.1"),
        line_of("PO ST /desk/mcp HTTP/1.1"),
        line_of("GET /desk/mcp HTTP/1.1"),
        line_of("POST /desk/mcp?x=1 HTTP/1.1"),
        line_of("POST /desk/../desk/mcp HTTP/1.1"),
        line_of("POST /desk%2Fmcp HTTP/1.1"),
        line_of("POST //desk/mcp HTTP/1.1"),
        line_of("POST /desk/mcp/ HTTP/1.1"),
        line_of("CONNECT 127.0.0.1:80 HTTP/1.1"),
        line_of("OPTIONS * HTTP/1.1"),
    ];
    for bytes in cases {
        let first = bytes.lines().next().unwrap_or_default().to_owned();
        let mut line = Line::open(&gate).await;
        line.send(&bytes).await;
        line.finish().await;
        let answer = line.answer().await;
        let status = answer.as_ref().map_or(400, |answer| answer.status);
        assert!((400..500).contains(&status) || status == 505, "`{first}`: {answer:?}");
    }
    assert_eq!(gate.desk.calls(), 0);
    let mut line = Line::open(&gate).await;
    line.send(right).await;
    assert_eq!(line.answer().await.unwrap().status, 200);
}
