//! Clients of 2024-11-05 over HTTP: everything that passes in a session passes for them too, on one event stream.

use serde_json::{Value, json};

use super::{Lobby, capabilities, taken, text};
use crate::client::streams_open;
use crate::gate::files::ANA;
use crate::oldest::{Stream, get};
use crate::talker::{Speech, TALK};
use crate::verdict::{NOT_JSON, PARAMS_INVALID, SESSION_MISSING, VERSION_UNSUPPORTED, words};

async fn begun(lobby: &Lobby) -> Stream {
    let mut stream = Stream::open(&lobby.line(ANA), "lobby").await;
    stream.begin("2024-11-05", capabilities()).await;
    stream
}

/// Calls the tool that talks, whose answer begins.
async fn talk(lobby: &Lobby, stream: &Stream) -> (Value, Speech) {
    let id = stream.send("tools/call", json!({ "name": TALK })).await;
    (id, lobby.talker.call().await.speaks())
}

#[tokio::test]
async fn a_whole_visit_on_one_stream() {
    let lobby = Lobby::start().await;
    let mut stream = begun(&lobby).await;
    let listed = stream.ask("tools/list", json!({})).await;
    assert!(listed["result"]["tools"].as_array().unwrap().iter().any(|tool| tool["name"] == TALK));
    assert_eq!(text(&stream.read_ticket().await), "did \"read_ticket\"");
    let read = stream.ask("resources/read", json!({ "uri": "lobby://tickets/1" })).await;
    assert_eq!(read["result"]["contents"][0]["text"], "the contents");
    assert_eq!(stream.ask("ping", json!({})).await["result"], json!({}));

    // A refusal is told on the stream too, with its receipt.
    let refused = stream.ask("tools/call", json!({ "name": "no_such_tool" })).await;
    words(&refused, crate::verdict::OBJECT_NOT_FOUND);
    let receipt = refused["result"]["_meta"]["dev.portcullis/refusal"]["receipt"].as_str();
    let receipt = receipt.or(refused["error"]["data"]["dev.portcullis/refusal"]["receipt"].as_str());
    assert_eq!(lobby.gate.receipt(receipt.unwrap()).await["record"]["kind"], "refused");
    assert_eq!(stream.heard.last, None, "nothing can be read on");
}

#[tokio::test]
async fn answers_and_what_is_said_unasked_come_on_the_one_stream_each_in_its_order() {
    let lobby = Lobby::start().await;
    let mut stream = begun(&lobby).await;
    stream.read_ticket().await;
    let session = lobby.talker.forwarded().pop().unwrap().session.unwrap();
    let aside = lobby.talker.aside(&session).await;
    let (one_id, one) = talk(&lobby, &stream).await;
    let (other_id, other) = talk(&lobby, &stream).await;
    one.logs("one");
    assert_eq!(stream.message().await["params"]["data"], "one");
    aside.logs("aside");
    assert_eq!(stream.message().await["params"]["data"], "aside");
    other.logs("other");
    assert_eq!(stream.message().await["params"]["data"], "other");

    one.asks("who", "roots/list", json!({}));
    let question = stream.message().await;
    assert_eq!(question["method"], "roots/list");
    let given = json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "roots": [] } });
    taken(&stream.post(&given).await);
    let wanted = json!({ "jsonrpc": "2.0", "id": "who", "result": { "roots": [] } });
    lobby.hears("the answer", |talker| talker.responses().contains(&wanted)).await;

    other.answers("other");
    let told = stream.message().await;
    assert_eq!((text(&told), &told["id"]), ("other", &other_id));
    for number in 0..50 {
        one.logs(&number.to_string());
    }
    one.answers("one");
    for number in 0..50 {
        assert_eq!(stream.message().await["params"]["data"], number.to_string());
    }
    let told = stream.message().await;
    assert_eq!((text(&told), &told["id"]), ("one", &one_id));
}

#[tokio::test]
async fn the_streams_end_ends_the_session_and_takes_back_its_calls() {
    let lobby = Lobby::start().await;
    let stream = begun(&lobby).await;
    let (_, speech) = talk(&lobby, &stream).await;
    let address = stream.address.clone();
    let Stream { heard, .. } = stream;
    drop(heard);
    lobby.hears("that nobody listens", |_| !speech.is_heard()).await;
    lobby.hears("the end of its session", |talker| talker.session(&speech.session).over).await;
    streams_open(&lobby.gate, 0).await;
    let line = lobby.line(ANA).at(&address);
    let ping = json!({ "jsonrpc": "2.0", "id": 9, "method": "ping" }).to_string();
    let reply = line.send(http::Method::POST, Stream::headers(&line), ping).await.whole().await;
    lobby.gate.refuses(&reply, crate::verdict::SESSION_UNKNOWN).await;
}

#[tokio::test]
async fn a_session_is_begun_first_and_once() {
    let lobby = Lobby::start().await;
    let mut stream = Stream::open(&lobby.line(ANA), "lobby").await;
    let told = stream.ask("ping", json!({})).await;
    assert!(told["error"].is_object(), "{told:#}");
    let noted = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let reply = stream.post(&noted).await;
    assert_eq!(reply.status, 400, "of what nothing answers, the status tells");
    // A handshake that fails can be tried again.
    let told = stream.ask("initialize", json!({ "protocolVersion": "2024-11-05" })).await;
    assert_eq!(told["error"]["code"], -32602, "{told:#}");
    stream.begin("2024-11-05", json!({})).await;
    let again = stream.request("initialize", json!({ "protocolVersion": "2024-11-05", "capabilities": {} }));
    lobby.gate.refuses(&stream.post(&again).await, PARAMS_INVALID).await;
    lobby.gate.refuses(&stream.post_as(&lobby.line(ANA), "no message".to_owned()).await, NOT_JSON).await;
    assert_eq!(text(&stream.read_ticket().await), "did \"read_ticket\"");
    // Elsewhere the same caller has nothing of it.
    let outside = lobby.line(ANA);
    let mut headers = outside.headers();
    headers.insert("mcp-protocol-version", "2025-06-18".parse().unwrap());
    let reply = outside.send(http::Method::POST, headers, stream.request("ping", json!({})).to_string()).await;
    lobby.gate.refuses(&reply.whole().await, SESSION_MISSING).await;
}

#[tokio::test]
async fn a_newer_client_may_use_the_old_transport() {
    let lobby = Lobby::start().await;
    for version in ["2025-11-25", "2025-06-18", "2025-03-26"] {
        let mut stream = Stream::open(&lobby.line(ANA), "lobby").await;
        stream.begin(version, capabilities()).await;
        assert_eq!(text(&stream.read_ticket().await), "did \"read_ticket\"", "{version}");
        let batch = [stream.request("ping", json!({})), stream.request("ping", json!({}))];
        let reply = stream.post(&json!(batch)).await;
        taken(&reply);
        let told = stream.message().await;
        assert_eq!(told.as_array().map(Vec::len), (version == "2025-03-26").then_some(2), "{told:#}");
    }
}

#[tokio::test]
async fn an_endpoint_for_newer_clients_opens_no_such_stream() {
    let lobby = Lobby::start().await;
    let mut open = begun(&lobby).await;
    let text = "name = \"lobby\"\nserver = \"lobby\"\npurpose = \"A help desk\"\nminimum_revision = \"2025-03-26\"\n";
    lobby.put("endpoints/lobby.toml", text).await;
    // It may hear of what changed first.
    while let Some(told) = open.heard.next().await {
        assert_eq!(told["method"], "notifications/tools/list_changed", "one that was open has ended");
    }
    let reply = get(&lobby.line(ANA), "lobby").await.whole().await;
    lobby.gate.refuses(&reply, VERSION_UNSUPPORTED).await;
    lobby.hears("nothing", |talker| talker.calls() == 0).await;
}
