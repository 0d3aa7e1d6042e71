//! Every parser of untrusted bytes, against bytes nobody thought of.
//!
//! Under plain `cargo test` each target runs for a moment with random input; `cargo bolero test NAME` lets a fuzzer
//! drive the same target for as long as it likes. Random bytes are almost never JSON, so most targets grow a text from
//! them instead: [`Grower`] turns bytes into JSON that is right more often than not.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that falls over has failed"
)]

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use wire::json::{self, Bounds, Json};
use wire::{Id, ParamHeaders, Revision, Said, Subject, answer, header, outgoing, read, sse};

const TEST_TIME: Duration = Duration::from_millis(700);

/// Grows a JSON text from bytes, each of which decides one thing.
struct Grower<'a> {
    bytes: std::slice::Iter<'a, u8>,
    text: Vec<u8>,
}

const KEYS: &[&str] = &[
    "a",
    "b",
    "\\u0061",
    "A",
    "",
    "ä",
    "\\ud83d\\ude00",
    "😀",
    "jsonrpc",
    "id",
    "method",
    "params",
    "result",
    "error",
    "_meta",
    "name",
    "Name",
    "uri",
    "ur\u{131}",
    "arguments",
    "cursor",
    "inputRequests",
    "resultType",
    "isError",
    "code",
    "message",
    "type",
    "properties",
    "x-mcp-header",
    "items",
    "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/clientCapabilities",
    "io.modelcontextprotocol/subscriptionId",
    "elicitation",
    "ref",
    "notifications",
    "resourceSubscriptions",
    "progressToken",
    "requestState",
    "k0",
    "k1",
    "k2",
    "k3",
    "k4",
    "k5",
    "k6",
];

const LEAVES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-1",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "0.0",
    "-0.0",
    "1.5",
    "0.1",
    "1e5",
    "1E-5",
    "1e308",
    "1e309",
    "1.7976931348623157e308",
    "5e-324",
    "1e-324",
    "2e-324",
    "2.4703282292062328e-324",
    "0e99",
    "00",
    "1.",
    ".5",
    "123456789012345678901234567890e-20",
    "1e-307",
    "1e300",
    "\"\"",
    "\"a\"",
    "\"\\n\"",
    "\"\\ud800\"",
    "\"\\ud83d\\ude00x\"",
    "\"2.0\"",
    "\"2026-07-28\"",
    "\"tools/call\"",
    "\"input_required\"",
    "\"string\"",
    "\"integer\"",
    "\"Region\"",
    "\"ref/prompt\"",
    "\"subscriptions/listen\"",
    "7",
];

impl Grower<'_> {
    fn grow(bytes: &[u8]) -> Vec<u8> {
        let mut grower = Grower { bytes: bytes.iter(), text: Vec::new() };
        grower.value(0);
        grower.text
    }

    fn next(&mut self) -> usize {
        self.bytes.next().copied().map_or(0, usize::from)
    }

    fn value(&mut self, depth: usize) {
        match self.next() % 16 {
            0..=5 if depth < 70 => self.object(depth),
            6..=7 if depth < 70 => self.array(depth),
            8 => self.digits(),
            9 => {
                let byte = self.bytes.next().copied().unwrap_or(b'!');
                self.text.push(byte);
            }
            _ => {
                let leaf = LEAVES[self.next() % LEAVES.len()];
                self.text.extend_from_slice(leaf.as_bytes());
            }
        }
    }

    fn object(&mut self, depth: usize) {
        self.text.push(b'{');
        for place in 0..self.next() % 24 {
            if place > 0 {
                self.text.push(b',');
            }
            let key = KEYS[self.next() % KEYS.len()];
            // Most objects should get past the check for repeated keys.
            let salt = if self.next().is_multiple_of(4) { String::new() } else { place.to_string() };
            self.text.extend_from_slice(format!(" \"{key}{salt}\" :").as_bytes());
            self.value(depth + 1);
        }
        self.text.push(b'}');
    }

    fn array(&mut self, depth: usize) {
        self.text.push(b'[');
        for place in 0..self.next() % 4 {
            if place > 0 {
                self.text.extend_from_slice(b", ");
            }
            self.value(depth + 1);
        }
        self.text.push(b']');
    }

    fn digits(&mut self) {
        let letters = b"0123456789-.eE+1234567890000";
        for _ in 0..self.next() % 24 + 1 {
            let letter = letters[self.next() % letters.len()];
            self.text.push(letter);
        }
    }
}

/// Do our reader and `serde_json` see the same value? Floats may differ in their last bits, because `serde_json` trades
/// these for speed.
fn same(ours: Json<'_>, theirs: &Value) -> bool {
    match theirs {
        Value::Null => ours.is_null(),
        Value::Bool(flag) => ours.boolean() == Some(*flag),
        Value::String(text) => ours.string().as_deref() == Some(text),
        Value::Number(number) => match ours.integer() {
            Some(integer) => number.as_i64() == Some(integer),
            None => {
                let (ours, theirs) = (ours.text().parse::<f64>().unwrap(), number.as_f64().unwrap());
                ours == theirs || ((ours - theirs) / ours).abs() < 1e-15 || (ours - theirs).abs() < 1e-322
            }
        },
        Value::Array(elements) => {
            ours.elements().count() == elements.len()
                && ours.elements().zip(elements).all(|(ours, theirs)| same(ours, theirs))
        }
        Value::Object(members) => {
            ours.members().count() == members.len()
                && ours.members().all(|(key, ours)| members.get(key.as_ref()).is_some_and(|theirs| same(ours, theirs)))
        }
    }
}

fn agree(text: &[u8]) -> bool {
    let Ok(strict) = json::check(text, &Bounds::MESSAGE) else { return false };
    let theirs: Value = serde_json::from_slice(text).expect("what the strict reader takes, every reader takes");
    assert!(same(strict.top(), &theirs), "{}", String::from_utf8_lossy(text));
    if let Value::Object(members) = &theirs {
        assert_eq!(strict.members().count(), members.len());
        for (outer, value) in members {
            let inside = strict.members_of(outer).count();
            assert_eq!(inside, value.as_object().map_or(0, serde_json::Map::len));
        }
    }
    true
}

#[test]
fn what_the_strict_reader_takes_serde_json_reads_as_the_same_value() {
    bolero::check!().with_test_time(TEST_TIME).for_each(|bytes: &[u8]| {
        agree(bytes);
        agree(&Grower::grow(bytes));
    });
}

#[test]
fn enough_of_what_is_grown_is_taken() {
    let mut taken = 0;
    for seed in 0..1000_u64 {
        let bytes: Vec<u8> = (0..80_u64)
            .map(|place| {
                (seed.wrapping_mul(6_364_136_223_846_793_005).rotate_left(17) ^ place)
                    .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            })
            .map(|mixed| mixed.to_be_bytes()[0])
            .collect();
        taken += usize::from(agree(&Grower::grow(&bytes)));
    }
    assert!(taken > 100, "only {taken} of 1000 texts were worth comparing");
}

#[test]
fn whatever_an_agent_sends_is_read_or_refused() {
    bolero::check!().with_test_time(TEST_TIME).for_each(|bytes: &[u8]| {
        let grown = String::from_utf8_lossy(&Grower::grow(bytes)).into_owned();
        let modern = concat!(
            r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
            r#""io.modelcontextprotocol/clientCapabilities":{}}"#
        );
        for (method, member) in [
            ("tools/call", "arguments"),
            ("tools/call", "name"),
            ("completion/complete", "ref"),
            ("subscriptions/listen", "notifications"),
        ] {
            let name = if member == "name" { "" } else { r#""name":"t","# };
            let body = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{name}"{member}":{grown},{modern}}}}}"#
            );
            let modern = Revision::V2026_07_28;
            let mut headers = outgoing::compose(modern, method, serde_json::Map::new(), &Id::number(1)).headers;
            headers.insert(header::NAME, HeaderValue::from_static("t"));
            check_read(&headers, body.as_bytes());
        }
        check_read(&HeaderMap::new(), grown.as_bytes());
        check_read(&HeaderMap::new(), bytes);
    });
}

fn check_read(headers: &HeaderMap, body: &[u8]) {
    let body = Bytes::copy_from_slice(body);
    let Ok(Said::Request(request)) = read(headers, &body) else { return };
    assert_eq!(request.body, body);
    if let Subject::Tool { name, arguments } = &request.subject {
        let theirs: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(theirs["params"]["name"], *name);
        let arguments = arguments.as_deref().map(|raw| serde_json::from_slice::<Value>(raw).unwrap());
        assert_eq!(theirs["params"].get("arguments"), arguments.as_ref());
    }
    // What is sent on must be taken by a server that reads as strictly.
    assert!(read(&outgoing::mirror(&request, headers), &body).is_ok());
}

#[test]
fn whatever_a_server_sends_is_read_or_refused() {
    bolero::check!().with_test_time(TEST_TIME).for_each(|bytes: &[u8]| {
        let grown = String::from_utf8_lossy(&Grower::grow(bytes)).into_owned();
        for text in [
            grown.clone(),
            format!(r#"{{"jsonrpc":"2.0","id":1,"result":{grown}}}"#),
            format!(r#"{{"jsonrpc":"2.0","id":1,"error":{grown}}}"#),
            format!(r#"{{"jsonrpc":"2.0","method":"m","params":{grown}}}"#),
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"input_required","inputRequests":{{"q":{grown}}}}}}}"#
            ),
        ] {
            let _ = answer::read(&Bytes::from(text));
        }
        let _ = answer::read(&Bytes::copy_from_slice(bytes));
    });
}

#[test]
fn a_stream_gives_the_same_events_however_it_is_cut() {
    bolero::check!().with_test_time(TEST_TIME).with_type::<(Vec<u8>, Vec<u8>)>().for_each(|(bytes, cuts)| {
        let alphabet: [&[u8]; 12] = [
            b"data:",
            b"data: x",
            b"event: y",
            b"\n",
            b"\r",
            b"\r\n",
            b"\n\n",
            b": c",
            b"\xef\xbb\xbf",
            b"da",
            b"x",
            b"\xff",
        ];
        let stream: Vec<u8> = bytes.iter().flat_map(|&byte| alphabet[usize::from(byte) % 12].iter().copied()).collect();
        assert_eq!(
            decode(&stream, std::iter::repeat(stream.len().max(1))),
            decode(&stream, cuts.iter().map(|&cut| usize::from(cut % 8)))
        );
        // Raw bytes: only that nothing falls over, and that one byte at a time changes nothing.
        assert_eq!(decode(bytes, std::iter::repeat(bytes.len().max(1))), decode(bytes, std::iter::repeat(1)));
    });
}

fn decode(stream: &[u8], cuts: impl Iterator<Item = usize>) -> (Vec<sse::Event>, Option<sse::Ending>) {
    let mut decoder = sse::Decoder::new(40);
    let (mut events, mut rest) = (Vec::new(), stream);
    for cut in cuts.chain(std::iter::repeat(stream.len().max(1))) {
        let (piece, after) = rest.split_at(cut.min(rest.len()));
        if decoder.push(piece).is_err() {
            // How many events came out before the limit was met depends on the cut, whether it is met does not.
            return (Vec::new(), None);
        }
        events.extend(std::iter::from_fn(|| decoder.next()));
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    (events, Some(decoder.finish()))
}

#[test]
fn whatever_is_encoded_as_an_event_decodes_to_the_same_lines() {
    bolero::check!().with_test_time(TEST_TIME).for_each(|bytes: &[u8]| {
        let mut decoder = sse::Decoder::new(bytes.len() + 16);
        decoder.push(&sse::encode(bytes)).unwrap();
        let text: Vec<u8> = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\r', "\n").into_bytes();
        let data = decoder.next().unwrap().data;
        assert_eq!(String::from_utf8_lossy(&data).into_owned().into_bytes(), text);
        assert_eq!((decoder.next(), decoder.finish()), (None, sse::Ending::Clean));
    });
}

#[test]
fn annotations_compile_or_are_refused_and_what_is_written_passes_the_check() {
    bolero::check!().with_test_time(TEST_TIME).with_type::<(Vec<u8>, Vec<u8>)>().for_each(|(schema, arguments)| {
        let parsed = |bytes: &[u8]| serde_json::from_slice::<Value>(&Grower::grow(bytes)).unwrap_or(Value::Null);
        let (schema, arguments) = (parsed(schema), parsed(arguments));
        let wrapped = serde_json::json!({
            "properties": { "a": { "type": "string", "x-mcp-header": "A" }, "b": { "type": "integer", "x-mcp-header": "B" } },
        });
        let _ = ParamHeaders::compile(&schema);
        let compiled = ParamHeaders::compile(&wrapped).unwrap();
        let mut headers = HeaderMap::from_iter([(HeaderName::from_static("mcp-param-a"), HeaderValue::from_static("x"))]);
        compiled.write(Some(&arguments), &mut headers);
        let mirrored = |name: &str| {
            let value = arguments.get(name).unwrap_or(&Value::Null);
            let whole = value.as_f64().is_some_and(|number| number.fract() == 0.0 && number.abs() < 9e15);
            value.is_null() || value.is_string() || value.is_boolean() || whole
        };
        if mirrored("a") && mirrored("b") {
            compiled.check(&headers, Some(&arguments)).unwrap();
        }
    });
}
