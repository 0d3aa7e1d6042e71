//! Heads that are too large. The gate's own HTTP refuses them before anybody is authenticated, and goes on. What two readers
//! of HTTP could read differently is in `hostile::framing`.

use model::limits;

use super::line::{Line, head, right};
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
