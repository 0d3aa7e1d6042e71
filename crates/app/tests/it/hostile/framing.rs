//! What is no HTTP/1.1, and HTTP that two readers could read differently. Behind each lies a whole right call, which must
//! not be taken for one.

use model::limits;

use super::Calm;
use crate::client::line::{Line, head, right, whole};
use crate::gate::Gate;
use crate::gate::files::ANA;

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comes {
    /// A refusal of HTTP's, or nothing, and the end.
    TheEnd,
    /// A refusal with this reason; what follows on the connection is a request of its own.
    Refusal(u16, &'static str),
    /// An answer to the call in it, and then to the right one behind it.
    Answers,
}
use Comes::{Answers, Refusal, TheEnd};

struct Case {
    number: u16,
    name: &'static str,
    bytes: Vec<u8>,
    comes: Comes,
}

fn case(number: u16, name: &'static str, bytes: impl Into<Vec<u8>>, comes: Comes) -> Case {
    Case { number, name, bytes: bytes.into(), comes }
}

/// Lines of a head that frame the right body, wrongly or unusually.
fn framed(gate: &Gate) -> Vec<Case> {
    let (headers, body) = right(gate, ANA);
    let length = body.len();
    let lines =
        |number, name, more: &str, comes| case(number, name, format!("{}{body}", head(gate, &headers, more)), comes);
    let sized =
        |number, name, more: &str, comes| lines(number, name, &format!("{more}Content-Length: {length}\r\n"), comes);
    let chunks = |number, name, text: &str, comes| {
        let bytes = format!("{}{text}", head(gate, &headers, "Transfer-Encoding: chunked\r\n"));
        case(number, name, bytes, comes)
    };
    vec![
        lines(1, "two lengths", &format!("Content-Length: {length}\r\nContent-Length: {}\r\n", length + 1), TheEnd),
        lines(2, "a list of lengths", &format!("Content-Length: {length}, {}\r\n", length + 1), TheEnd),
        lines(3, "a signed length", &format!("Content-Length: +{length}\r\n"), TheEnd),
        lines(4, "a length in hexadecimal", &format!("Content-Length: {length:#x}\r\n"), TheEnd),
        lines(5, "a length of less than nothing", "Content-Length: -1\r\n", TheEnd),
        lines(6, "an empty length", "Content-Length: \r\n", TheEnd),
        lines(7, "a length and chunks", &format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"), TheEnd),
        lines(8, "chunks and a length", &format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n"), TheEnd),
        lines(9, "an encoding nobody knows", "Transfer-Encoding: xchunked\r\n", TheEnd),
        lines(10, "chunks that are not last", "Transfer-Encoding: chunked, identity\r\n", TheEnd),
        lines(
            11,
            "chunks hidden behind a tab",
            &format!("Transfer-Encoding:\t\u{b}chunked\r\nContent-Length: {length}\r\n"),
            TheEnd,
        ),
        lines(
            12,
            "identity and a length",
            &format!("Transfer-Encoding: identity\r\nContent-Length: {length}\r\n"),
            TheEnd,
        ),
        lines(13, "a length of twenty-three digits", "Content-Length: 99999999999999999999999\r\n", TheEnd),
        sized(14, "space before the colon", "X-A : 1\r\n", TheEnd),
        sized(15, "a folded header", "X-A: 1\r\n 2\r\n", TheEnd),
        sized(16, "a naked carriage return", "X-A: 1\r2\r\n", TheEnd),
        sized(17, "a zero byte", "X-A: 1\0\r\n", TheEnd),
        sized(18, "a header without a name", ": 1\r\n", TheEnd),
        sized(19, "a line that is no header", "X-A\r\n", TheEnd),
        sized(20, "two hosts", &format!("Host: {}\r\n", gate.agents()), Refusal(403, "host-unknown")),
        sized(
            21,
            "a head of 32 KiB and more",
            &format!("X-A: {}\r\n", "x".repeat(limits::HEADER_BYTES_MAX)),
            Refusal(413, "too-large"),
        ),
        sized(22, "a hundred headers more", &"X-A: 1\r\n".repeat(limits::HEADERS_MAX), TheEnd),
        sized(23, "a header's name of 128 KiB", &format!("{}: 1\r\n", "x".repeat(128 * 1024)), TheEnd),
        chunks(24, "a chunk's size over 64 bits", "fffffffffffffffff\r\n", TheEnd),
        chunks(25, "a chunk's size with a sign", &format!("+{length:x}\r\n{body}\r\n0\r\n\r\n"), TheEnd),
        chunks(26, "a chunk's size in hexadecimal twice", &format!("0x{length:x}\r\n{body}\r\n0\r\n\r\n"), TheEnd),
        chunks(27, "a chunk longer than it says", &format!("1\r\n{body}\r\n0\r\n\r\n"), TheEnd),
        chunks(28, "chunks that end with a bare line feed", &format!("{length:x}\n{body}\n0\n\n"), TheEnd),
        chunks(
            29,
            "a chunk's extension of 64 KiB",
            &format!("{length:x};{}\r\n{body}\r\n0\r\n\r\n", "x".repeat(64 * 1024)),
            TheEnd,
        ),
        chunks(
            30,
            "trailers of 64 KiB",
            &format!("{length:x}\r\n{body}\r\n0\r\nX-A: {}\r\n\r\n", "x".repeat(64 * 1024)),
            TheEnd,
        ),
        chunks(
            31,
            "trailers that say who asks",
            &format!("{length:x}\r\n{body}\r\n0\r\nAuthorization: Bearer x\r\nMcp-Name: purge\r\n\r\n"),
            Answers,
        ),
        chunks(32, "an extension of a chunk", &format!("{length:x};a=b\r\n{body}\r\n0\r\n\r\n"), Answers),
    ]
}

/// First lines, and what is addressed.
fn addressed(gate: &Gate) -> Vec<Case> {
    let call = whole(gate, ANA);
    let line = |number, name, first: &str, comes| {
        case(number, name, call.replacen("POST /desk/mcp HTTP/1.1", first, 1), comes)
    };
    let host = gate.agents();
    let with = |number, name, header: &str, comes| {
        case(number, name, call.replacen("\r\n", &format!("\r\n{header}\r\n"), 1), comes)
    };
    vec![
        line(40, "HTTP/2.0 in words", "POST /desk/mcp HTTP/2.0", TheEnd),
        line(41, "HTTP/0.9", "POST /desk/mcp", TheEnd),
        line(42, "HTTP/1.2", "POST /desk/mcp HTTP/1.2", TheEnd),
        line(43, "two spaces", "POST  /desk/mcp HTTP/1.1", TheEnd),
        line(44, "a method of two words", "PO ST /desk/mcp HTTP/1.1", TheEnd),
        line(45, "a zero byte in the path", "POST /desk\0/mcp HTTP/1.1", TheEnd),
        line(46, "a path of 128 KiB", &format!("POST /{}/mcp HTTP/1.1", "x".repeat(128 * 1024)), TheEnd),
        line(47, "a query", "POST /desk/mcp?access_token=x HTTP/1.1", Refusal(404, "path-unknown")),
        line(48, "a path with dots", "POST /x/../desk/mcp HTTP/1.1", Refusal(404, "path-unknown")),
        line(49, "an escaped slash", "POST /desk%2Fmcp HTTP/1.1", Refusal(404, "path-unknown")),
        line(50, "an escaped letter", "POST /%64esk/mcp HTTP/1.1", Refusal(404, "path-unknown")),
        line(51, "two slashes", "POST //desk/mcp HTTP/1.1", Refusal(404, "path-unknown")),
        line(
            52,
            "a URL of another host",
            "POST http://elsewhere.example/desk/mcp HTTP/1.1",
            Refusal(403, "host-unknown"),
        ),
        line(53, "a URL of this host", &format!("POST http://{host}/desk/mcp HTTP/1.1"), Answers),
        line(54, "a tunnel", "CONNECT 127.0.0.1:80 HTTP/1.1", Refusal(403, "host-unknown")),
        line(55, "TRACE", "TRACE /desk/mcp HTTP/1.1", Refusal(405, "method-not-allowed")),
        line(56, "OPTIONS of everything", "OPTIONS * HTTP/1.1", Refusal(404, "path-unknown")),
        line(69, "GET without a session", "GET /desk/mcp HTTP/1.1", Refusal(405, "method-not-allowed")),
        line(70, "a slash too many", "POST /desk/mcp/ HTTP/1.1", Refusal(404, "path-unknown")),
        with(57, "an origin of a page", "Origin: http://evil.example", Refusal(403, "origin-refused")),
        with(
            58,
            "another address by a proxy's header",
            "X-Original-URL: /admin\r\nX-Forwarded-Host: evil.example",
            Answers,
        ),
        with(59, "another method by a header", "X-HTTP-Method-Override: DELETE", Answers),
        with(60, "two tokens", "Authorization: Bearer x", Refusal(401, "unauthenticated")),
        with(
            61,
            "a request to speak HTTP/2",
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
            Answers,
        ),
        with(
            62,
            "a request for a web socket",
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
            Answers,
        ),
        with(63, "a compressed body", "Content-Encoding: gzip", Refusal(415, "media-type-refused")),
        with(64, "an expectation nobody knows", "Expect: a-miracle", Answers),
        with(65, "two methods of MCP", "Mcp-Method: tools/list", Refusal(400, "header-mismatch")),
        with(66, "two names", "Mcp-Name: purge", Refusal(400, "header-mismatch")),
        with(67, "two revisions", "MCP-Protocol-Version: 2025-11-25", Refusal(400, "header-mismatch")),
        with(68, "two content types", "Content-Type: text/plain", Refusal(415, "media-type-refused")),
    ]
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// What other protocols begin with, and floods of them.
fn foreign() -> Vec<Case> {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let http2 = |frames: &dyn Fn(u32) -> Vec<u8>| {
        let flood: Vec<u8> = (0..5_000).flat_map(frames).collect();
        [PREFACE, &frame(4, 0, 0, &[]), &flood].concat()
    };
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(40);
    vec![
        case(80, "the preface of HTTP/2", PREFACE, TheEnd),
        case(81, "a flood of settings", http2(&|_| frame(4, 0, 0, &[0, 3, 0, 0, 0, 1])), TheEnd),
        case(82, "a flood of pings", http2(&|_| frame(6, 0, 0, &[0; 8])), TheEnd),
        case(
            83,
            "rapid resets",
            http2(&|n| [frame(1, 4, 2 * n + 1, &[0x82, 0x84, 0x86]), frame(3, 0, 2 * n + 1, &[0, 0, 0, 8])].concat()),
            TheEnd,
        ),
        case(84, "a head continued for ever", http2(&|n| frame(if n == 0 { 1 } else { 9 }, 0, 1, &[0x40; 64])), TheEnd),
        case(85, "empty frames", http2(&|_| frame(0, 0, 1, &[])), TheEnd),
        case(86, "a hello of TLS", hello, TheEnd),
        case(87, "a banner of SSH", &b"SSH-2.0-OpenSSH_9.9\r\n\r\n"[..], TheEnd),
        case(88, "a database's hello", &b"\0\0\0\x08\x04\xd2\x16\x2f\r\n\r\n"[..], TheEnd),
        case(
            89,
            "a message without HTTP",
            &b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}\r\n\r\n"[..],
            TheEnd,
        ),
        case(90, "a mebibyte of zeros", vec![0; 1024 * 1024], TheEnd),
        case(91, "a mebibyte of line breaks", b"\r\n".repeat(512 * 1024), TheEnd),
        case(92, "bytes of no protocol", (0..=255).cycle().take(64 * 1024).collect::<Vec<u8>>(), TheEnd),
    ]
}

/// Tries them one after another, each on a connection of its own; returns how many calls were right.
async fn tried(gate: &Gate, calm: &mut Calm, cases: Vec<Case>) -> usize {
    let mut calls = 0;
    for Case { number, name, bytes, comes } in cases {
        let mut line = Line::open(gate).await;
        line.send(&bytes).await;
        line.send(whole(gate, ANA)).await;
        calm.serves(gate, number, name).await;
        match comes {
            TheEnd => {
                line.finish().await;
                // What is taken for the next request is none either.
                while let Some(answer) = line.answer().await {
                    let refused = (400..500).contains(&answer.status) || answer.status == 505;
                    assert!(refused, "{number} {name}: {} {}", answer.status, answer.text());
                }
                assert!(line.ends().await, "{number} {name}: what lies behind it is not read");
            }
            Refusal(status, reason) => {
                let answer = line.answer().await.unwrap_or_else(|| panic!("{number} {name}: no answer"));
                assert_eq!((answer.status, answer.reason().as_str()), (status, reason), "{number} {name}");
                match line.answer().await {
                    Some(behind) => {
                        assert_eq!(behind.status, 200, "{number} {name}: {}", behind.text());
                        calls += 1;
                    }
                    None => assert!(line.ends().await),
                }
            }
            Answers => {
                for which in ["it", "the right one"] {
                    let answer =
                        line.answer().await.unwrap_or_else(|| panic!("{number} {name}: {which} has no answer"));
                    assert_eq!(answer.status, 200, "{number} {name}, {which}: {}", answer.text());
                    calls += 1;
                }
            }
        }
        assert_eq!(gate.desk.calls(), calm.served + calls, "{number} {name}: the desk saw another call");
    }
    calls
}

#[tokio::test]
async fn a_message_framed_in_two_ways_is_no_message_and_hides_none() {
    let gate = Gate::start().await;
    let mut calm = Calm::before(&gate).await;
    let calls = tried(&gate, &mut calm, framed(&gate)).await;
    calm.after(&gate, calls).await;
}

#[tokio::test]
async fn what_is_addressed_elsewhere_or_twice_is_refused_and_the_next_is_heard() {
    let gate = Gate::start().await;
    let mut calm = Calm::before(&gate).await;
    let calls = tried(&gate, &mut calm, addressed(&gate)).await;
    calm.after(&gate, calls).await;
}

#[tokio::test]
async fn other_protocols_and_floods_of_them_end_at_once() {
    let gate = Gate::start().await;
    let mut calm = Calm::before(&gate).await;
    let calls = tried(&gate, &mut calm, foreign()).await;
    calm.after(&gate, calls).await;
}
