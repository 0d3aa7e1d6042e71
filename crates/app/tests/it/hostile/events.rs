//! Servers that answer a call in a stream of events.

use serde_json::{Value, json};

use super::actor::{Act, Era, Theatre, report};
use super::documents::{Case, Told, case, played};
use super::{Calm, counted};
use crate::client::streams_open;
use crate::gate::files::ANA;
use crate::upstream::{IDLE, REPORT};
use Told::{NoAnswer, Report};

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

/// A stream of these bytes, which ends with the connection.
fn streams(
    number: u16,
    name: &'static str,
    told: Told,
    bytes: impl Fn(&Value) -> Vec<u8> + Send + Sync + 'static,
) -> Case {
    case(number, name, told, move |id| vec![Act::Say([HEAD, &bytes(id)].concat())])
}

/// A stream of these bytes again and again.
fn floods(number: u16, name: &'static str, bytes: impl Into<Vec<u8>>) -> Case {
    let bytes = bytes.into();
    case(number, name, NoAnswer, move |_| vec![Act::Say(HEAD.to_vec()), Act::Repeat(bytes.clone())])
}

fn event(message: &Value) -> Vec<u8> {
    format!("data: {message}\n\n").into_bytes()
}

fn note(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

fn cases() -> Vec<Case> {
    let log = || note("notifications/message", &json!({ "level": "info", "data": "on it" }));
    let lie = |id: &Value| json!({ "jsonrpc": "2.0", "id": id, "result": { "content": [{ "type": "text", "text": "hunter2" }] } });
    vec![
        streams(400, "nothing", NoAnswer, |_| Vec::new()),
        streams(401, "half an event", NoAnswer, |id| event(&report(id))[..40].to_vec()),
        streams(402, "an event without its last line break", NoAnswer, |id| {
            format!("data: {}\n", report(id)).into_bytes()
        }),
        streams(403, "an event that is no JSON", NoAnswer, |_| b"data: hunter2\n\n".to_vec()),
        streams(404, "an event that is an array", NoAnswer, |id| event(&json!([report(id)]))),
        streams(405, "an event of five mebibytes", NoAnswer, |_| {
            format!("data: \"{}\"\n\n", "x".repeat(5 * 1024 * 1024)).into_bytes()
        }),
        streams(406, "an answer to another request", NoAnswer, move |_| event(&lie(&"another".into()))),
        streams(407, "an answer without an id", NoAnswer, move |_| event(&lie(&Value::Null))),
        streams(408, "two answers", Report, move |id| [event(&report(id)), event(&lie(id))].concat()),
        streams(409, "an answer and an error", Report, |id| {
            let error = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": 1, "message": "hunter2" } });
            [event(&report(id)), event(&error)].concat()
        }),
        streams(410, "bytes that are not UTF-8", NoAnswer, |_| b"data: {\"a\":\"\xff\"}\n\n".to_vec()),
        streams(411, "a key twice", NoAnswer, |id| {
            format!("data: {{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"a\":1,\"a\":2}}}}\n\n").into_bytes()
        }),
        streams(412, "progress of a call that was not made", NoAnswer, |_| {
            event(&note("notifications/progress", &json!({ "progressToken": "hunter2", "progress": 1 })))
        }),
        streams(413, "a notification whose method is a number", NoAnswer, |_| {
            b"data: {\"jsonrpc\":\"2.0\",\"method\":7}\n\n".to_vec()
        }),
        streams(414, "an answer in carriage returns", Report, |id| format!("data: {}\r\r", report(id)).into_bytes()),
        streams(415, "an answer behind a mark of byte order", Report, |id| {
            format!("\u{feff}data: {}\n\n", report(id)).into_bytes()
        }),
        streams(416, "an answer in a hundred lines", Report, |id| {
            let text = report(id).to_string().replace(',', ",\n");
            let lines: String = text.lines().map(|line| format!("data: {line}\n")).collect();
            format!("{lines}\n").into_bytes()
        }),
        streams(417, "an event of another name", NoAnswer, |id| {
            format!(
                "event: hunter2
data: {}

",
                report(id)
            )
            .into_bytes()
        }),
        streams(421, "an event's id and a wish", Report, |id| {
            format!(
                "event: message
id: hunter2
retry: 1
data: {}

",
                report(id)
            )
            .into_bytes()
        }),
        streams(418, "a wish for a rest of a century", Report, |id| {
            format!("retry: 9999999999999999999999\ndata: {}\n\n", report(id)).into_bytes()
        }),
        streams(419, "a thousand comments", Report, |id| [b": hunter2\n".repeat(1_000), event(&report(id))].concat()),
        streams(420, "a hundred log messages", Report, move |id| {
            let mut bytes = event(&log()).repeat(100);
            bytes.extend(event(&report(id)));
            bytes
        }),
        floods(430, "log messages without end", event(&log())),
        floods(
            431,
            "notifications of changes without end",
            event(&note("notifications/tools/list_changed", &json!({}))),
        ),
        case(432, "a line without end", NoAnswer, |_| {
            vec![Act::Say([HEAD, b"data: "].concat()), Act::Repeat(vec![b'x'; 16 * 1024])]
        }),
        case(433, "an event of lines without end", NoAnswer, |_| {
            vec![Act::Say(HEAD.to_vec()), Act::Repeat(b"data: hunter2\n".repeat(500))]
        }),
        case(434, "a break within an event", NoAnswer, |id| {
            let bytes = event(&report(id));
            vec![Act::Say([HEAD, &bytes[..30]].concat()), Act::Reset]
        }),
    ]
}

/// What a server asks by itself, which it must not without a session.
fn questions() -> Vec<Case> {
    let asks = |method: &'static str, params: Value| {
        move |id: &Value| {
            let question = json!({ "jsonrpc": "2.0", "id": "q-1", "method": method, "params": params });
            [event(&question), event(&report(id))].concat()
        }
    };
    let form =
        json!({ "mode": "form", "message": "hunter2", "requestedSchema": { "type": "object", "properties": {} } });
    vec![
        streams(440, "a question to the user", NoAnswer, asks("elicitation/create", form)),
        streams(
            441,
            "a question to the model",
            NoAnswer,
            asks("sampling/createMessage", json!({ "messages": [], "maxTokens": 1 })),
        ),
        streams(442, "a question for the roots", NoAnswer, asks("roots/list", json!({}))),
        streams(443, "a ping", NoAnswer, asks("ping", json!({}))),
        streams(444, "a call of a tool at the client", NoAnswer, asks("tools/call", json!({ "name": "hunter2" }))),
    ]
}

#[tokio::test]
async fn a_stream_that_is_none_is_no_answer() {
    for era in Era::BOTH {
        played(era, cases()).await;
    }
}

#[tokio::test]
async fn who_has_no_session_asks_nothing() {
    played(Era::Modern, questions()).await;
}

#[tokio::test]
async fn what_never_finishes_ends_when_its_caller_leaves() {
    let theatre = Theatre::start(Era::Modern).await;
    let (gate, actor) = (&theatre.gate, &theatre.actor);
    let mut calm = Calm::before(gate).await;
    let comment = b": still here\n\n".to_vec();
    let log = event(&note("notifications/message", &json!({ "level": "info", "data": "x" })));
    let cases: [(u16, &str, Vec<Act>); 6] = [
        (450, "silence", vec![Act::Rest]),
        (455, "it says to go on, without end", vec![Act::Repeat(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec())]),
        (451, "a head, and silence", vec![Act::Say(HEAD.to_vec()), Act::Rest]),
        (452, "comments without end", vec![Act::Say(HEAD.to_vec()), Act::Repeat(comment)]),
        (453, "one message, and silence", vec![Act::Say([HEAD, &log].concat()), Act::Rest]),
        (
            454,
            "half a document, and silence",
            vec![
                Act::Say(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{".to_vec()),
                Act::Rest,
            ],
        ),
    ];
    for (number, name, acts) in cases {
        actor.plays(move |_| acts.clone());
        let calls = actor.calls();
        let client = gate.client_at("reports", ANA);
        let asking: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.call(REPORT, json!({ "report_id": "r-1" })).await })
            })
            .collect();
        counted("eight calls at the server", || actor.calls(), |now| now == calls + 8).await;
        calm.serves(gate, number, name).await;
        asking.iter().for_each(tokio::task::JoinHandle::abort);
        drop((asking, client));
        counted("the server's connections are closed", || actor.open(), |open| open <= IDLE + 1).await;
        streams_open(gate, 0).await;
        calm.serves(gate, number, name).await;
    }
    let Theatre { gate, actor, .. } = theatre;
    drop(actor);
    calm.after(&gate, 0).await;
}
