//! Bodies that two parsers would read differently: the gate decides on one reading, the server acts on the other.
//! None of them passes, whatever the two readings are.

use drill::mcp::Client;
use serde_json::json;

use crate::gate::Gate;
use crate::gate::files::ANA;
use crate::verdict::{AMBIGUOUS, NOT_JSON, NOT_JSON_RPC, No, PARAMS_INVALID, TOO_LARGE, passes};

const ARGUMENTS: &str = r#"{"order":"A-1","amount":10}"#;

/// A right call of `refund`, as text to be bent.
fn refund(client: &Client) -> String {
    let params = json!({ "name": "refund", "arguments": { "order": "A-1", "amount": 10 } });
    let body = client.body("tools/call", params).to_string();
    assert!(body.contains(ARGUMENTS), "{body}");
    body
}

async fn send(gate: &Gate, client: &Client, body: impl Into<Vec<u8>>) -> drill::mcp::Reply {
    let headers = client.headers("tools/call", &json!({ "name": "refund" }));
    client.raw(body.into(), headers).await.unwrap_or_else(|error| panic!("{error}: {}", gate.output()))
}

/// Sends the call with one place of its text bent, many times over; each is refused for the same reason.
async fn refused(bends: &[(&str, &str)], no: No) {
    let gate = Gate::start().await;
    let client = gate.client(ANA);
    passes(&send(&gate, &client, refund(&client)).await);
    for (place, bent) in bends {
        let right = refund(&client);
        assert!(right.contains(place), "`{place}` is not in {right}");
        let reply = send(&gate, &client, right.replacen(place, bent, 1)).await;
        println!("{bent}: {}", String::from_utf8_lossy(&reply.body));
        gate.refuses(&reply, no).await;
    }
    assert_eq!(gate.desk.calls(), 1, "only the right one reached the server");
}

#[tokio::test]
async fn a_key_stands_once_at_every_depth() {
    let bends = [
        (r#""method":"#, r#""method":"tools/list","method":"#),
        (r#""jsonrpc":"#, r#""jsonrpc":"2.0","jsonrpc":"#),
        (r#""id":"#, r#""id":7,"id":"#),
        (r#""params":{"#, r#""params":{},"params":{"#),
        (r#""name":"refund""#, r#""name":"read_ticket","name":"refund""#),
        // The same key, written otherwise.
        (r#""name":"refund""#, r#""name":"refund","n\u0061me":"purge""#),
        (r#""name":"refund""#, r#""\u006eame":"purge","name":"refund""#),
        (r#""amount":10"#, r#""amount":10,"amount":9000"#),
        (r#""amount":10"#, r#""amount":9000,"amou\u006et":10"#),
        (r#""order":"A-1""#, r#""order":"A-1","note":"","note":"x""#),
        // Deeper than any schema looks.
        (r#""_meta":{"#, r#""_meta":{"x":{"y":[{"z":1,"z":2}]},"#),
        (r#""_meta":{"#, r#""_meta":{"progressToken":1,"progressToken":2,"#),
        (r#""_meta":{"#, r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2025-06-18","#),
    ];
    refused(&bends, AMBIGUOUS).await;
}

#[tokio::test]
async fn a_known_key_in_another_case_is_no_other_key() {
    refused(
        &[
            (r#""method":"#, r#""Method":"tools/list","method":"#),
            (r#""id":"#, r#""ID":7,"id":"#),
            (r#""params":"#, r#""Params":{},"params":"#),
            // Letters that fold to ASCII ones: long s, Kelvin sign.
            (r#""params":"#, r#""param\u017f":{},"params":"#),
            (r#""params":"#, "\"param\u{17f}\":{},\"params\":"),
            (r#""name":"#, r#""Name":"purge","name":"#),
            (r#""arguments":"#, r#""ARGUMENTS":{},"arguments":"#),
            (r#""arguments":"#, "\"argument\u{17f}\":{},\"arguments\":"),
            (r#""arguments":"#, "\"tas\u{212a}Id\":\"1\",\"arguments\":"),
            (r#""arguments":"#, r#""InputResponses":{},"arguments":"#),
            (r#""_meta":{"#, r#""_META":{},"_meta":{"#),
            (r#""_meta":{"#, "\"_meta\":{\"progressTo\u{212a}en\":1,"),
            (r#""_meta":{"#, r#""_meta":{"IO.modelcontextprotocol/clientCapabilities":{"roots":{}},"#),
        ],
        AMBIGUOUS,
    )
    .await;
}

#[tokio::test]
async fn a_number_that_readers_round_is_refused() {
    refused(
        &[
            (r#""amount":10"#, r#""amount":9223372036854775808"#),
            (r#""amount":10"#, r#""amount":-9223372036854775809"#),
            (r#""amount":10"#, r#""amount":18446744073709551616"#),
            (r#""amount":10"#, r#""amount":1e400"#),
            (r#""amount":10"#, r#""amount":-1e400"#),
            (r#""amount":10"#, r#""amount":1e-400"#),
            (r#""amount":10"#, r#""amount":-0"#),
            (r#""_meta":{"#, r#""_meta":{"far":[{"away":99999999999999999999}],"#),
        ],
        AMBIGUOUS,
    )
    .await;
}

#[tokio::test]
async fn half_a_surrogate_pair_is_refused() {
    refused(
        &[
            (r#""order":"A-1""#, r#""order":"\ud800""#),
            (r#""order":"A-1""#, r#""order":"\udc00\ud800""#),
            (r#""name":"refund""#, r#""name":"refund\ud800""#),
            (r#""_meta":{"#, r#""_meta":{"\ud83d":1,"#),
        ],
        AMBIGUOUS,
    )
    .await;
}

#[tokio::test]
async fn an_id_is_a_64_bit_number_or_a_short_text() {
    let gate = Gate::start().await;
    let client = gate.client(ANA);
    let long = format!("\"{}\"", "x".repeat(257));
    for (id, no) in [
        ("9223372036854775808", AMBIGUOUS),
        ("-9223372036854775809", AMBIGUOUS),
        ("1.5", NOT_JSON_RPC),
        ("null", NOT_JSON_RPC),
        ("true", NOT_JSON_RPC),
        ("[1]", NOT_JSON_RPC),
        ("{}", NOT_JSON_RPC),
        (&long, NOT_JSON_RPC),
    ] {
        let mut body = client.body("tools/call", json!({ "name": "refund", "arguments": {} }));
        body["id"] = "ID".into();
        let reply = send(&gate, &client, body.to_string().replace("\"ID\"", id)).await;
        gate.refuses(&reply, no).await;
        assert_eq!(reply.json.get("id"), None, "an id that cannot be read is not repeated: {id}");
    }
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn what_is_not_one_json_object_is_refused() {
    let gate = Gate::start().await;
    let client = gate.client(ANA);
    let right = refund(&client);
    let (batch, twice) = (format!("[{right}]"), format!("{right}{right}"));
    let deep = right.replace(r#""_meta":{"#, &format!(r#""_meta":{{"x":{}{},"#, "[".repeat(70), "]".repeat(70)));
    let cases: [(Vec<u8>, No); 17] = [
        (format!("\u{feff}{right}").into(), NOT_JSON),
        (format!("{right}x").into(), NOT_JSON),
        (format!("{right}\0").into(), NOT_JSON),
        (format!("{right}//").into(), NOT_JSON),
        (twice.into(), NOT_JSON),
        (right.replace("A-1", "A\n1").into(), NOT_JSON),
        (right.replace(":10", ":010").into(), NOT_JSON),
        (right.replace(":10", ":NaN").into(), NOT_JSON),
        (right.replace(":10", ":10,").into(), NOT_JSON),
        (right.replace('"', "'").into(), NOT_JSON),
        ([b"\xff\xfe".as_slice(), right.as_bytes()].concat(), NOT_JSON),
        ([right.as_bytes(), b"\xc3".as_slice()].concat(), NOT_JSON),
        (Vec::new(), NOT_JSON),
        (batch.into(), NOT_JSON_RPC),
        (b"[]".to_vec(), NOT_JSON_RPC),
        (b"\"tools/call\"".to_vec(), NOT_JSON_RPC),
        (deep.into(), TOO_LARGE),
    ];
    for (body, no) in cases {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let reply = send(&gate, &client, body).await;
        println!("{shown}: {}", String::from_utf8_lossy(&reply.body));
        gate.refuses(&reply, no).await;
    }
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn a_member_of_another_type_is_refused() {
    refused(
        &[
            (r#""name":"refund""#, r#""name":["refund"]"#),
            (r#""name":"refund""#, r#""name":1"#),
            (r#""name":"refund""#, r#""name":null"#),
            (r#""name":"refund""#, r#""name":"""#),
            (ARGUMENTS, r#"[{"order":"A-1","amount":10}]"#),
            (ARGUMENTS, r#""{\"order\":\"A-1\",\"amount\":10}""#),
            (ARGUMENTS, "null"),
            (r#""_meta":{"#, r#""_meta":[],"x":{"#),
        ],
        PARAMS_INVALID,
    )
    .await;
}

#[tokio::test]
async fn what_is_not_json_rpc_is_refused() {
    refused(
        &[
            (r#""jsonrpc":"2.0""#, r#""jsonrpc":"1.0""#),
            (r#""jsonrpc":"2.0""#, r#""jsonrpc":2.0"#),
            (r#""jsonrpc":"2.0","#, ""),
            (r#""method":"tools/call""#, r#""method":["tools/call"]"#),
            (r#""method":"tools/call""#, r#""method":"tools/call ""#),
            (r#""method":"tools/call""#, r#""method":"""#),
            (r#""method":"tools/call""#, r#""method":"tools/call","result":{}"#),
            (r#""method":"tools/call""#, r#""method":"tools/call","error":null"#),
        ],
        NOT_JSON_RPC,
    )
    .await;
}
