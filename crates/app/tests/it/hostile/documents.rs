//! Servers that answer a call in one document, over HTTP that is none, or with a message that is none.

use drill::mcp::Reply;
use serde_json::{Value, json};

use super::actor::{Act, Era, Play, Theatre, document, report};
use super::{Calm, counted};
use crate::upstream::IDLE;

/// What no caller may hear of an answer that is refused.
const LIE: &str = "hunter2";

/// What becomes of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// The report.
    Report,
    /// That the answer is refused, or that nobody knows what was done: never that it was not done.
    NoAnswer,
}
use Told::{NoAnswer, Report};

pub(super) struct Case {
    pub(super) number: u16,
    pub(super) name: &'static str,
    pub(super) acts: Box<Play>,
    pub(super) told: Told,
}

pub(super) fn case(
    number: u16,
    name: &'static str,
    told: Told,
    acts: impl Fn(&Value) -> Vec<Act> + Send + Sync + 'static,
) -> Case {
    Case { number, name, acts: Box::new(acts), told }
}

/// An answer of these bytes.
fn says(number: u16, name: &'static str, told: Told, bytes: impl Into<Vec<u8>>) -> Case {
    let bytes = bytes.into();
    case(number, name, told, move |_| vec![Act::Say(bytes.clone())])
}

/// An honest report under a head of these lines.
fn headed(
    number: u16,
    name: &'static str,
    told: Told,
    lines: impl Fn(usize) -> String + Send + Sync + 'static,
) -> Case {
    case(number, name, told, move |id| {
        let body = report(id).to_string();
        vec![Act::Say(format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{}\r\n{body}", lines(body.len())).into_bytes())]
    })
}

/// A document that is made of the call's id.
fn answers(
    number: u16,
    name: &'static str,
    told: Told,
    body: impl Fn(&Value) -> Vec<u8> + Send + Sync + 'static,
) -> Case {
    case(number, name, told, move |id| vec![Act::Say(document("200 OK", &body(id)))])
}

fn http() -> Vec<Case> {
    const TYPE: &str = "Content-Type: application/json\r\n";
    let sized = |more: &'static str| move |length: usize| format!("{TYPE}Content-Length: {length}\r\n{more}");
    vec![
        case(300, "it closes the connection", NoAnswer, |_| Vec::new()),
        case(301, "it breaks the connection", NoAnswer, |_| vec![Act::Reset]),
        says(302, "no HTTP", NoAnswer, "hunter2 hunter2\r\n\r\n"),
        says(303, "HTTP/2", NoAnswer, &b"\0\0\0\x04\0\0\0\0\0hunter2"[..]),
        says(304, "half a head", NoAnswer, "HTTP/1.1 200 OK\r\nContent-Ty"),
        says(305, "a status of four digits", NoAnswer, "HTTP/1.1 2000 OK\r\nContent-Length: 7\r\n\r\nhunter2"),
        says(
            306,
            "an upgrade nobody asked for",
            NoAnswer,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: hunter2\r\n\r\nhunter2",
        ),
        says(308, "nothing to say", NoAnswer, "HTTP/1.1 204 No Content\r\n\r\n"),
        says(309, "taken, and no answer", NoAnswer, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"),
        says(
            310,
            "a part of it",
            NoAnswer,
            "HTTP/1.1 206 Partial Content\r\nContent-Type: application/json\r\nContent-Range: bytes 0-6/100\r\nContent-Length: 7\r\n\r\nhunter2",
        ),
        says(
            311,
            "another place",
            NoAnswer,
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n",
        ),
        says(
            312,
            "who are you?",
            NoAnswer,
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"hunter2\"\r\nContent-Length: 7\r\n\r\nhunter2",
        ),
        says(
            313,
            "too many requests",
            NoAnswer,
            "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\nContent-Length: 7\r\n\r\nhunter2",
        ),
        says(
            314,
            "it broke, and tells how",
            NoAnswer,
            document("500 Internal Server Error", b"hunter2 at reports.rs:41"),
        ),
        headed(315, "two lengths", NoAnswer, |length| {
            format!("{TYPE}Content-Length: {length}\r\nContent-Length: {}\r\n", length + 1)
        }),
        headed(316, "a length and chunks", NoAnswer, |length| {
            format!("{TYPE}Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n")
        }),
        headed(317, "a length of less than nothing", NoAnswer, |_| format!("{TYPE}Content-Length: -1\r\n")),
        headed(318, "a length too large", NoAnswer, |length| format!("{TYPE}Content-Length: {}\r\n", length + 1)),
        headed(319, "a length too small", NoAnswer, |length| format!("{TYPE}Content-Length: {}\r\n", length - 1)),
        headed(320, "a length of eighteen digits", NoAnswer, |_| {
            format!("{TYPE}Content-Length: 999999999999999999\r\n")
        }),
        headed(321, "an encoding nobody knows, until the connection ends", Report, |_| {
            format!("{TYPE}Transfer-Encoding: hunter2\r\n")
        }),
        headed(322, "no length, and the end of the connection", Report, |_| TYPE.to_owned()),
        headed(323, "a thousand headers", NoAnswer, |length| {
            format!("{TYPE}Content-Length: {length}\r\n{}", "X-A: 1\r\n".repeat(1_000))
        }),
        headed(324, "a header of a mebibyte", NoAnswer, |length| {
            format!("{TYPE}Content-Length: {length}\r\nX-A: {}\r\n", "x".repeat(1024 * 1024))
        }),
        headed(325, "a zero byte in a header", NoAnswer, sized("X-A: \0\r\n")),
        headed(326, "compressed, it says", NoAnswer, sized("Content-Encoding: gzip\r\n")),
        headed(327, "no type", NoAnswer, |length| format!("Content-Length: {length}\r\n")),
        headed(328, "a page", NoAnswer, |length| format!("Content-Type: text/html\r\nContent-Length: {length}\r\n")),
        headed(
            329,
            "a cookie, a session and a policy",
            Report,
            sized(
                "Set-Cookie: hunter2=1\r\nMcp-Session-Id: hunter2\r\nAccess-Control-Allow-Origin: *\r\nX-Powered-By: hunter2\r\n",
            ),
        ),
        case(330, "a head without end", NoAnswer, |_| {
            vec![
                Act::Say(b"HTTP/1.1 200 OK\r\n".to_vec()),
                Act::Repeat([&b"X-A: "[..], &[b'x'; 8_000], b"\r\n"].concat()),
            ]
        }),
        case(331, "a body without end", NoAnswer, |_| {
            vec![
                Act::Say(format!("HTTP/1.1 200 OK\r\n{TYPE}Transfer-Encoding: chunked\r\n\r\n8000\r\n\"").into_bytes()),
                Act::Repeat([&vec![b'x'; 0x7fff][..], b"\r\n8000\r\nx"].concat()),
            ]
        }),
        says(
            332,
            "a chunk's size over 64 bits",
            NoAnswer,
            format!("HTTP/1.1 200 OK\r\n{TYPE}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhunter2"),
        ),
        case(333, "a chunk's extension without end", NoAnswer, |_| {
            vec![
                Act::Say(format!("HTTP/1.1 200 OK\r\n{TYPE}Transfer-Encoding: chunked\r\n\r\n1;").into_bytes()),
                Act::Repeat(vec![b'x'; 16 * 1024]),
            ]
        }),
        case(334, "a report byte by byte", Report, |id| {
            let bytes = document("200 OK", report(id).to_string().as_bytes());
            let (head, rest) = bytes.split_at(bytes.len() - 20);
            vec![Act::Say(head.to_vec()), Act::Drip(rest.to_vec())]
        }),
        case(335, "another answer behind the answer", Report, |id| {
            let forged = document(
                "200 OK",
                br#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"hunter2"}]}}"#,
            );
            vec![Act::Say([document("200 OK", report(id).to_string().as_bytes()), forged].concat())]
        }),
    ]
}

fn messages() -> Vec<Case> {
    let result = |id: &Value, members: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"note":"hunter2",{members}}}}}"#).into_bytes()
    };
    let other = |given: &'static str| {
        move |_: &Value| {
            format!(r#"{{"jsonrpc":"2.0","id":{given},"result":{{"content":[{{"type":"text","text":"hunter2"}}]}}}}"#)
                .into_bytes()
        }
    };
    vec![
        answers(350, "nothing", NoAnswer, |_| Vec::new()),
        answers(351, "no JSON", NoAnswer, |_| b"hunter2".to_vec()),
        answers(352, "a text", NoAnswer, |_| b"\"hunter2\"".to_vec()),
        answers(353, "half an answer", NoAnswer, |id| report(id).to_string().into_bytes()[..30].to_vec()),
        answers(354, "two answers", NoAnswer, |id| report(id).to_string().repeat(2).into_bytes()),
        answers(355, "an array of answers", NoAnswer, |id| json!([report(id)]).to_string().into_bytes()),
        answers(356, "another id", NoAnswer, other("\"another\"")),
        answers(357, "no id", NoAnswer, other("null")),
        answers(358, "an id of half", NoAnswer, other("0.5")),
        answers(359, "an id in an array", NoAnswer, other("[1]")),
        answers(360, "a result and an error", NoAnswer, |id| {
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}},"error":{{"code":1,"message":"hunter2"}}}}"#)
                .into_bytes()
        }),
        answers(361, "neither", NoAnswer, |id| {
            format!(r#"{{"jsonrpc":"2.0","id":{id},"note":"hunter2"}}"#).into_bytes()
        }),
        answers(362, "a result that is a text", NoAnswer, |id| {
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"hunter2"}}"#).into_bytes()
        }),
        answers(363, "an error that is a text", NoAnswer, |id| {
            format!(r#"{{"jsonrpc":"2.0","id":{id},"error":"hunter2"}}"#).into_bytes()
        }),
        answers(364, "another version of JSON-RPC", NoAnswer, |id| {
            report(id).to_string().replace("\"2.0\"", "\"hunter2\"").into_bytes()
        }),
        answers(365, "a key twice", NoAnswer, move |id| result(id, r#""content":[],"content":[]"#)),
        answers(366, "a key in another case", NoAnswer, move |id| {
            result(id, r#""content":[],"isError":false,"IsError":true"#)
        }),
        answers(367, "200,000 brackets", NoAnswer, move |id| {
            result(id, &format!(r#""content":{}{}"#, "[".repeat(200_000), "]".repeat(200_000)))
        }),
        answers(368, "a number beyond 64 bits", NoAnswer, move |id| {
            result(id, r#""content":[],"structuredContent":{"a":99999999999999999999}"#)
        }),
        answers(369, "bytes that are not UTF-8", NoAnswer, move |id| [&result(id, "")[..20], b"\xff\xfe"].concat()),
        answers(370, "half a pair of surrogates", NoAnswer, move |id| {
            result(id, r#""content":[{"type":"text","text":"\udc00"}]"#)
        }),
        answers(371, "an answer of five mebibytes", NoAnswer, move |id| {
            result(id, &format!(r#""content":[{{"type":"text","text":"{}"}}]"#, "x".repeat(5 * 1024 * 1024)))
        }),
        answers(372, "20,000 members", NoAnswer, move |id| {
            let members: Vec<_> = (0..20_000).map(|number| format!(r#""k{number}":1"#)).collect();
            result(id, &members.join(","))
        }),
        answers(373, "a notification in place of an answer", NoAnswer, |_| {
            br#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"hunter2"}}"#.to_vec()
        }),
        answers(374, "a question in place of an answer", NoAnswer, |_| {
            br#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}"#
                .to_vec()
        }),
    ]
}

/// What a reply shows, headers and all.
fn shown(reply: &Reply) -> String {
    format!("{:?} {}", reply.headers, String::from_utf8_lossy(&reply.body))
}

/// Plays every case to a caller, beside whom another one is served.
pub(super) async fn played(era: Era, cases: Vec<Case>) {
    let theatre = Theatre::start(era).await;
    let mut calm = Calm::before(&theatre.gate).await;
    let mut calls = 0;
    for Case { number, name, acts, told } in cases {
        theatre.actor.plays(acts);
        let (reply, ()) = tokio::join!(theatre.ask(), calm.serves(&theatre.gate, number, name));
        calls += 1;
        assert_eq!(theatre.actor.calls(), calls, "{number} {name}: the call was made once: {}", shown(&reply));
        let last = reply.messages.last().cloned().unwrap_or_default();
        let (error, result) =
            (&last["error"]["data"]["dev.portcullis/refusal"], &last["result"]["_meta"]["dev.portcullis/refusal"]);
        let reason = [error, result].into_iter().find_map(|refusal| refusal["reason"].as_str()).unwrap_or_default();
        match told {
            Report => assert_eq!(
                (reply.status.as_u16(), reply.text().as_str()),
                (200, "All quiet."),
                "{number} {name}: {last}"
            ),
            NoAnswer => assert!(
                matches!(reason, "answer-refused" | "outcome-unknown"),
                "{number} {name}: {} `{reason}` {last}",
                reply.status
            ),
        }
        assert!(!shown(&reply).contains(LIE), "{number} {name} leaks: {}", shown(&reply));
        theatre.gate.leaks_nothing(&reply);
        counted("connections are closed", || theatre.actor.open(), |open| open <= IDLE + 1).await;
    }
    assert!(!theatre.gate.output().contains(LIE), "the log says what a server lied");
    drop(theatre.actor);
    calm.after(&theatre.gate, 0).await;
}

#[tokio::test]
async fn http_that_is_none_is_no_answer() {
    for era in Era::BOTH {
        played(era, http()).await;
    }
}

#[tokio::test]
async fn a_document_that_is_no_message_is_no_answer() {
    for era in Era::BOTH {
        played(era, messages()).await;
    }
}
