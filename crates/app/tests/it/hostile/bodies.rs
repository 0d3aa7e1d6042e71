//! Messages that are none. Each is sent in a revision without sessions and within a session, with the headers that belong
//! there, and refused in both before anything of it reaches a server.

use http::Method;
use serde_json::json;

use super::Calm;
use crate::gate::Gate;
use crate::gate::files::ANA;
use crate::sessions::{Lobby, capabilities};

/// A body, in which `@` stands for the members of `_meta` that the revision wants, and what it is refused for without a
/// session and within one.
struct Case {
    number: u16,
    name: &'static str,
    body: Vec<u8>,
    modern: (u16, &'static str),
    session: (u16, &'static str),
}

fn case(number: u16, name: &'static str, body: impl Into<Vec<u8>>, status: u16, reason: &'static str) -> Case {
    Case { number, name, body: body.into(), modern: (status, reason), session: (status, reason) }
}

impl Case {
    /// Within a session, what was understood is refused in the body alone, or for another reason.
    fn in_session(self, status: u16, reason: &'static str) -> Self {
        Self { session: (status, reason), ..self }
    }
}

/// A call whose arguments are this text.
fn arguments(text: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"read_ticket","arguments":{text},"_meta":{{@}}}}}}"#
    )
}

/// A call whose envelope has these members before the others.
fn envelope(members: &str) -> String {
    format!(r#"{{{members},"params":{{"name":"read_ticket","arguments":{{"ticket":"1"}},"_meta":{{@}}}}}}"#)
}

fn not_json() -> Vec<Case> {
    let right = || arguments(r#"{"ticket":"1"}"#);
    let all = |texts: Vec<(&'static str, Vec<u8>)>| {
        let numbered = (100..).zip(texts);
        numbered.map(|(number, (name, body))| case(number, name, body, 400, "not-json")).collect::<Vec<_>>()
    };
    all(vec![
        ("nothing", Vec::new()),
        ("white space", b" \r\n\t ".to_vec()),
        ("half a message", right().into_bytes()[..40].to_vec()),
        ("two messages", (right() + &right()).into_bytes()),
        ("a message and a comment", (right() + " // and more").into_bytes()),
        ("a comment within", arguments(r#"{"ticket":/* */"1"}"#).into()),
        ("a comma too many", arguments(r#"{"ticket":"1",}"#).into()),
        ("single quotes", arguments("{'ticket':'1'}").into()),
        ("keys without quotes", arguments(r#"{ticket:"1"}"#).into()),
        ("not a number", arguments(r#"{"ticket":NaN}"#).into()),
        ("infinity", arguments(r#"{"ticket":-Infinity}"#).into()),
        ("a number with a plus", arguments(r#"{"ticket":+1}"#).into()),
        ("a number in hexadecimal", arguments(r#"{"ticket":0x10}"#).into()),
        ("a number that begins with nought", arguments(r#"{"ticket":01}"#).into()),
        ("a line break in a text", arguments("{\"ticket\":\"a\nb\"}").into()),
        ("a zero byte in a text", arguments("{\"ticket\":\"a\0b\"}").into()),
        ("an escape nobody knows", arguments(r#"{"ticket":"\x41"}"#).into()),
        ("bytes that are not UTF-8", [arguments(r#"{"ticket":"#).as_bytes(), b"\"\xff\xfe\"}"].concat()),
        (
            "an overlong slash",
            right()
                .replace("\"1\"", "\"\u{1}\"")
                .bytes()
                .flat_map(|b| if b == 1 { vec![0xc0, 0xaf] } else { vec![b] })
                .collect(),
        ),
        (
            "half of a character",
            right()
                .replace("\"1\"", "\"\u{1}\"")
                .bytes()
                .flat_map(|b| if b == 1 { vec![0xed, 0xa0, 0x80] } else { vec![b] })
                .collect(),
        ),
        ("a mark of byte order", ["\u{feff}".as_bytes(), right().as_bytes()].concat()),
        ("UTF-16", right().encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ])
}

fn too_much() -> Vec<Case> {
    let nested = |open: &str, close: &str, count: usize| {
        arguments(&format!(r#"{{"ticket":{}1{}}}"#, open.repeat(count), close.repeat(count)))
    };
    let members: Vec<_> = (0..10_001).map(|number| format!(r#""k{number}":1"#)).collect();
    vec![
        case(130, "arrays 65 deep", nested("[", "]", 65), 413, "too-large"),
        case(131, "arrays 200,000 deep", nested("[", "]", 200_000), 413, "too-large"),
        case(132, "objects 100,000 deep", nested(r#"{"a":"#, "}", 100_000), 413, "too-large"),
        case(133, "brackets that never close", "[".repeat(1024 * 1024), 413, "too-large"),
        case(134, "10,001 members", arguments(&format!("{{{}}}", members.join(","))), 413, "too-large"),
        case(
            135,
            "a number of 10,000 digits",
            arguments(&format!(r#"{{"ticket":{}}}"#, "9".repeat(10_000))),
            400,
            "ambiguous",
        ),
    ]
}

fn ambiguous() -> Vec<Case> {
    let texts = [
        ("a key twice", arguments(r#"{"ticket":"1","ticket":"2"}"#)),
        ("a key twice, once escaped", arguments(r#"{"ticket":"1","\u0074icket":"2"}"#)),
        ("a method twice", envelope(r#""jsonrpc":"2.0","id":1,"method":"tools/call","method":"tools/list""#)),
        ("a method in another case", envelope(r#""jsonrpc":"2.0","id":1,"method":"tools/call","Method":"tools/list""#)),
        ("an id twice", envelope(r#""jsonrpc":"2.0","id":1,"id":2,"method":"tools/call""#)),
        ("a number beyond 64 bits", arguments(r#"{"ticket":18446744073709551616}"#)),
        ("a number beyond floats", arguments(r#"{"ticket":1e400}"#)),
        ("a number that becomes nothing", arguments(r#"{"ticket":1e-400}"#)),
        ("half a pair of surrogates", arguments(r#"{"ticket":"\ud800"}"#)),
    ];
    let numbered = (140..).zip(texts);
    numbered.map(|(number, (name, body))| case(number, name, body, 400, "ambiguous")).collect()
}

fn not_rpc() -> Vec<Case> {
    let call = |members: &str| envelope(members);
    let wrong = |number, name, members: &str| case(number, name, call(members), 400, "not-json-rpc");
    let many = format!("[{}]", vec![arguments(r#"{"ticket":"1"}"#); 1_000].join(","));
    vec![
        case(150, "a text", r#""tools/call""#, 400, "not-json-rpc"),
        case(151, "null", "null", 400, "not-json-rpc"),
        case(152, "an empty batch", "[]", 400, "not-json-rpc"),
        case(153, "a batch", format!("[{}]", arguments(r#"{"ticket":"1"}"#)), 400, "not-json-rpc"),
        case(154, "a batch of 1,000", many, 400, "not-json-rpc"),
        case(155, "batches within a batch", "[[[]]]", 400, "not-json-rpc"),
        wrong(156, "another version of JSON-RPC", r#""jsonrpc":"1.0","id":1,"method":"tools/call""#),
        wrong(157, "no version of JSON-RPC", r#""id":1,"method":"tools/call""#),
        wrong(158, "an id of half", r#""jsonrpc":"2.0","id":1.5,"method":"tools/call""#),
        wrong(159, "an id that is nothing", r#""jsonrpc":"2.0","id":null,"method":"tools/call""#),
        wrong(160, "an id that is an object", r#""jsonrpc":"2.0","id":{},"method":"tools/call""#),
        wrong(
            161,
            "an id of 257 bytes",
            &format!(r#""jsonrpc":"2.0","id":"{}","method":"tools/call""#, "x".repeat(257)),
        ),
        wrong(162, "a method that is a number", r#""jsonrpc":"2.0","id":1,"method":7"#),
        wrong(163, "a method of 129 bytes", &format!(r#""jsonrpc":"2.0","id":1,"method":"{}""#, "x".repeat(129))),
        wrong(164, "a method with a line break", r#""jsonrpc":"2.0","id":1,"method":"tools/call\r\nX: 1""#),
        wrong(165, "a request that is an answer too", r#""jsonrpc":"2.0","id":1,"method":"tools/call","result":{}"#),
        case(
            166,
            "a result and an error",
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"m"}}"#,
            400,
            "not-json-rpc",
        ),
    ]
}

fn misfits() -> Vec<Case> {
    let method = |method: &str, params: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}"_meta":{{@}}}}}}"#)
    };
    vec![
        case(
            170,
            "parameters in an array",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}"#,
            400,
            "params-invalid",
        ),
        case(171, "a name that is a number", method("tools/call", r#""name":7,"#), 400, "params-invalid")
            .in_session(200, "params-invalid"),
        case(
            172,
            "arguments in an array",
            method("tools/call", r#""name":"read_ticket","arguments":[],"#),
            400,
            "params-invalid",
        )
        .in_session(200, "params-invalid"),
        case(
            173,
            "an argument nobody declared",
            arguments(r#"{"ticket":"1","__proto__":{"admin":true}}"#),
            200,
            "arguments-invalid",
        ),
        case(
            174,
            "a text where a text is wanted, in an array",
            arguments(r#"{"ticket":["1"]}"#),
            200,
            "arguments-invalid",
        ),
    ]
}

/// What a reply was refused for.
fn reason(reply: &drill::mcp::Reply) -> String {
    let told = &reply.json["error"]["data"]["dev.portcullis/refusal"]["reason"];
    let told = if told.is_null() { &reply.json["result"]["_meta"]["dev.portcullis/refusal"]["reason"] } else { told };
    told.as_str().unwrap_or_default().to_owned()
}

/// The body, with what the revision wants in its `_meta`.
fn of_revision(body: &[u8], meta: &str) -> Vec<u8> {
    match std::str::from_utf8(body) {
        Ok(text) => text.replace('@', meta).into_bytes(),
        Err(_) => body.to_vec(),
    }
}

fn cases() -> Vec<Case> {
    [not_json(), too_much(), ambiguous(), not_rpc(), misfits()].into_iter().flatten().collect()
}

#[tokio::test]
async fn what_is_no_message_is_refused_without_a_session() {
    let gate = Gate::start().await;
    let mut calm = Calm::before(&gate).await;
    let client = gate.client(ANA);
    let params = json!({ "name": "read_ticket" });
    let meta = client.body("tools/call", params.clone())["params"]["_meta"].to_string();
    let meta = meta.trim_matches(['{', '}']);
    // An object's last bracket is the object's own.
    let meta =
        if meta.matches('{').count() > meta.matches('}').count() { format!("{meta}}}") } else { meta.to_owned() };
    let right = of_revision(arguments(r#"{"ticket":"1"}"#).as_bytes(), &meta);
    crate::verdict::passes(&client.raw(right, client.headers("tools/call", &params)).await.unwrap());
    for Case { number, name, body, modern: (status, word), .. } in cases() {
        let reply = client.raw(of_revision(&body, &meta), client.headers("tools/call", &params)).await.unwrap();
        calm.serves(&gate, number, name).await;
        assert_eq!((reply.status.as_u16(), reason(&reply).as_str()), (status, word), "{number} {name}: {}", reply.json);
        gate.leaks_nothing(&reply);
    }
    calm.after(&gate, 1).await;
}

#[tokio::test]
async fn what_is_no_message_is_refused_within_a_session_and_the_session_goes_on() {
    let lobby = Lobby::start().await;
    let gate = &lobby.gate;
    let mut calm = Calm::before(gate).await;
    let session = lobby.line(ANA).begin(capabilities()).await;
    for Case { number, name, body, session: (status, word), .. } in cases() {
        let body = of_revision(&body, "");
        let reply = session.line.send(Method::POST, session.headers(), body).await.whole().await;
        calm.serves(gate, number, name).await;
        assert_eq!((reply.status.as_u16(), reason(&reply).as_str()), (status, word), "{number} {name}: {}", reply.json);
        gate.leaks_nothing(&reply);
    }
    assert_eq!(lobby.talker.heard("tools/call").len(), 0, "nothing of it reached the server");
    crate::verdict::passes(&session.read_ticket().await);
    calm.after(gate, 0).await;
}
