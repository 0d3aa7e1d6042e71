//! Every lie is told as its name says.

use std::time::{Duration, Instant};

use http::StatusCode;
use serde_json::{Value, json};

use super::*;
use crate::mcp::{Client, ClientError, Reply};

async fn call(hostile: &Hostile) -> Result<Reply, ClientError> {
    let client = Client::new(&hostile.url(), None).unwrap().with_patience(Duration::from_millis(500));
    client.call(TOOL, json!({ "report_id": "r-1" })).await
}

async fn told(mode: Mode) -> Result<Reply, ClientError> {
    call(&Hostile::start(mode).await.unwrap()).await
}

#[tokio::test]
async fn whatever_it_will_do_it_introduces_itself_well() {
    for mode in Mode::ALL {
        let hostile = Hostile::start(mode).await.unwrap();
        let client = Client::new(&hostile.url(), None).unwrap();
        let discovered = client.discover().await.unwrap();
        assert_eq!(discovered.result().unwrap()["supportedVersions"], json!(["2026-07-28"]), "{mode:?}");
        assert_eq!(client.list("tools/list").await.unwrap().names("tools"), [TOOL], "{mode:?}");
        assert_eq!(client.list("prompts/list").await.unwrap().status, StatusCode::NOT_FOUND, "{mode:?}");
        assert_eq!((hostile.requests(), hostile.calls(), hostile.connections()), (3, 0, 1), "{mode:?}");
    }
}

#[tokio::test]
async fn an_honest_call_is_answered_and_counted() {
    let hostile = Hostile::start(Mode::Honest).await.unwrap();
    assert_eq!(call(&hostile).await.unwrap().text(), "All quiet.");
    assert_eq!(hostile.calls(), 1);
}

#[tokio::test]
async fn connections_that_break_break() {
    for mode in [Mode::ClosesBeforeAnswer, Mode::ClosesMidEvent, Mode::PromisesMore] {
        let error = told(mode).await.unwrap_err();
        assert!(matches!(error, ClientError::Send(_) | ClientError::BrokenOff { .. }), "{mode:?}: {error}");
    }
}

#[tokio::test]
async fn silence_lasts_until_the_peer_leaves() {
    let hostile = Hostile::start(Mode::NeverAnswers).await.unwrap();
    assert!(matches!(call(&hostile).await.unwrap_err(), ClientError::TooSlow { .. }));
    until(|| hostile.open() == 0).await;
}

#[tokio::test]
async fn a_flood_ends_when_the_peer_leaves() {
    let hostile = Hostile::start(Mode::Floods).await.unwrap();
    let client = Client::new(&hostile.url(), None).unwrap();
    let mut answer = client.open("tools/call", json!({ "name": TOOL, "arguments": {} })).await.unwrap();
    assert!(answer.next().await.unwrap().is_some());
    drop(answer);
    until(|| hostile.open() == 0).await;
}

#[tokio::test]
async fn dripping_is_slow_but_never_silent() {
    let hostile = Hostile::start(Mode::Drips).await.unwrap();
    let client = Client::new(&hostile.url(), None).unwrap().with_patience(Duration::from_secs(30));
    let mut answer = client.open("tools/call", json!({ "name": TOOL, "arguments": {} })).await.unwrap();
    // Bytes keep coming, so patience with each of them does not end; a whole message would take half a minute.
    assert!(tokio::time::timeout(Duration::from_secs(2), answer.next()).await.is_err());
}

#[tokio::test]
async fn answers_that_contradict_themselves_do() {
    assert_eq!(told(Mode::AnswersAnotherId).await.unwrap().json["id"], "nobody-asked");
    assert_eq!(told(Mode::AnswersTwice).await.unwrap().messages.len(), 2);
    let both = told(Mode::ErrorAndResult).await.unwrap();
    assert!(both.error().is_some() && both.result().is_some());
    assert_eq!(told(Mode::Asks).await.unwrap().messages[0]["method"], "sampling/createMessage");
    let twice = told(Mode::DuplicateKeys).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&twice.body).matches("\"result\":").count(), 2);
}

#[tokio::test]
async fn bodies_that_cannot_be_used_cannot() {
    assert!(told(Mode::Oversized).await.unwrap().body.len() > model::limits::MESSAGE_BYTES_MAX);
    assert_eq!(told(Mode::NotJson).await.unwrap().json, Value::Null);
    assert_eq!(told(Mode::PromisesLess).await.unwrap().json, Value::Null);
    let compressed = told(Mode::Compressed).await.unwrap();
    assert_eq!(compressed.headers["content-encoding"], "gzip");
    assert!(compressed.body.starts_with(&[0x1f, 0x8b]));
    assert_eq!(told(Mode::Breaks).await.unwrap().status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_redirection_is_counted_only_when_it_is_followed() {
    let hostile = Hostile::start(Mode::Redirects).await.unwrap();
    let reply = call(&hostile).await.unwrap();
    assert_eq!((reply.status, hostile.redirected()), (StatusCode::FOUND, 0));
    let elsewhere = format!("http://{}/elsewhere", hostile.address());
    Client::new(&elsewhere, None).unwrap().discover().await.unwrap();
    assert_eq!(hostile.redirected(), 1);
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a client would hide what lies behind the answer it reads")]
async fn a_forged_answer_lies_behind_the_true_one() {
    let hostile = Hostile::start(Mode::AnswersAhead).await.unwrap();
    let mut stream = TcpStream::connect(hostile.address()).await.unwrap();
    let body = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": { "name": TOOL } }).to_string();
    let request = format!("POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut received = String::new();
    while !received.contains("Forged.") {
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).await.unwrap();
        assert!(length > 0, "the connection closed after {received}");
        received.push_str(&String::from_utf8_lossy(&bytes[..length]));
    }
    assert_eq!(received.matches("HTTP/1.1 200 OK").count(), 2);
}

#[tokio::test]
async fn its_manners_can_change_while_it_runs() {
    let hostile = Hostile::start(Mode::Honest).await.unwrap();
    assert_eq!(call(&hostile).await.unwrap().text(), "All quiet.");
    hostile.misbehave(Mode::NotJson);
    assert_eq!(call(&hostile).await.unwrap().text(), "");
}

async fn until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(5), "still waiting");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn in_every_manner_it_is_met_where_it_says() {
    for manner in Manner::ALL {
        let hostile = Hostile::start_in(manner, Mode::Honest).await.unwrap();
        let client = Client::new(&hostile.url(), None).unwrap();
        let status = client.discover().await.unwrap().status.as_u16();
        let expected = match manner {
            Manner::Stateless => 200,
            Manner::Sessions => 400,
            Manner::Events => 404,
        };
        assert_eq!(status, expected, "{manner:?}");
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a client would hide on which connection something came")]
async fn a_server_of_events_answers_on_the_stream_of_the_session_it_was_asked_in() {
    let hostile = Hostile::start_in(Manner::Events, Mode::Honest).await.unwrap();
    let mut streams = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(hostile.address()).await.unwrap();
        stream.write_all(b"GET /sse HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        reads(&mut stream, "/messages?session=").await;
        streams.push(stream);
    }
    let body = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": { "name": TOOL } }).to_string();
    let mut post = TcpStream::connect(hostile.address()).await.unwrap();
    let head = format!("POST /messages?session=0 HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    post.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    reads(&mut post, "202 Accepted").await;
    reads(&mut streams[0], "All quiet.").await;
    drop(streams);
    drop(post);
    until(|| hostile.open() == 0).await;
}

async fn reads(stream: &mut TcpStream, wanted: &str) {
    let mut received = String::new();
    while !received.contains(wanted) {
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).await.unwrap();
        assert!(length > 0, "the connection closed after {received}");
        received.push_str(&String::from_utf8_lossy(&bytes[..length]));
    }
}
