//! The event stream of the oldest clients, in wrong hands: its handle is good for whoever it was given to, where it was given
//! and while the stream is open, and for nobody else.

use std::time::Duration;

use http::{HeaderMap, Method};
use serde_json::json;

use crate::gate::files::{ANA, ANA_AT_DESKTOP, BOB, OUTSIDER};
use crate::oldest::{Stream, get};
use crate::session::{Line, SESSION};
use crate::sessions::{Lobby, capabilities, text};
use crate::talker::{Speech, TALK};
use crate::verdict::{
    ENDPOINT_NOT_FOUND, HALTED, METHOD_NOT_ALLOWED, OVERLOADED, PATH_UNKNOWN, SESSION_UNKNOWN, UNAUTHENTICATED, passes,
};

/// Messages of 64 KiB: more than the gate, its connections and the client's keep of what nobody reads.
const MUCH: usize = 400;

async fn begun(lobby: &Lobby) -> Stream {
    let mut stream = Stream::open(&lobby.line(ANA), "lobby").await;
    stream.begin("2024-11-05", capabilities()).await;
    stream
}

fn ping() -> String {
    json!({ "jsonrpc": "2.0", "id": 7, "method": "ping" }).to_string()
}

async fn post(line: &Line, address: &str) -> drill::mcp::Reply {
    let line = line.at(address);
    line.send(Method::POST, Stream::headers(&line), ping()).await.whole().await
}

#[tokio::test]
async fn a_handle_in_other_hands_is_no_handle() {
    let lobby = Lobby::start().await;
    let mut stream = Stream::open(&lobby.line(ANA), "lobby").await;
    stream.begin("2024-11-05", capabilities()).await;
    let address = stream.address.clone();
    for caller in [BOB, ANA_AT_DESKTOP] {
        lobby.gate.refuses(&post(&lobby.line(caller), &address).await, SESSION_UNKNOWN).await;
    }
    let annex = address.replace("/lobby/", "/annex/");
    lobby.gate.refuses(&post(&lobby.line(ANA), &annex).await, SESSION_UNKNOWN).await;
    let session = lobby.begin(ANA).await;
    for handle in ["made-up", "", &session.id, &format!("{}&x=1", stream.handle()), &"x".repeat(5_000)] {
        let address = format!("/lobby/messages?session={handle}");
        lobby.gate.refuses(&post(&lobby.line(ANA), &address).await, SESSION_UNKNOWN).await;
    }
    lobby.gate.refuses(&post(&lobby.line(ANA), "/lobby/messages").await, SESSION_UNKNOWN).await;
    // Nor is it the id of a session.
    lobby.gate.refuses(&session.named(stream.handle()).read_ticket().await, SESSION_UNKNOWN).await;
    // Who is nobody learns nothing, whatever handle is named.
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    for path in [address.as_str(), "/lobby/messages?session=made-up"] {
        let reply = lobby.line(ANA).at(path).send(Method::POST, headers.clone(), ping()).await.whole().await;
        lobby.gate.turns_away(&reply, UNAUTHENTICATED).await;
    }
    assert!(stream.heard.is_silent().await, "nothing of all that came on the stream");
    assert_eq!(text(&stream.read_ticket().await), "did \"read_ticket\"");
}

#[tokio::test]
async fn a_stream_is_opened_only_by_who_may_connect() {
    let lobby = Lobby::start().await;
    lobby.gate.refuses(&get(&lobby.line(OUTSIDER), "lobby").await.whole().await, ENDPOINT_NOT_FOUND).await;
    lobby.gate.refuses(&get(&lobby.line(ANA), "nowhere").await.whole().await, ENDPOINT_NOT_FOUND).await;
    let mut headers = lobby.line(ANA).headers();
    for (path, no) in [("/lobby/sse?session=x", PATH_UNKNOWN), ("/lobby/messages?session=x", METHOD_NOT_ALLOWED)] {
        let reply = lobby.line(ANA).at(path).send(Method::GET, headers.clone(), "").await.whole().await;
        lobby.gate.turns_away(&reply, no).await;
    }
    headers.remove("authorization");
    let reply = lobby.line(ANA).at("/lobby/sse").send(Method::GET, headers, "").await.whole().await;
    lobby.gate.turns_away(&reply, UNAUTHENTICATED).await;
}

#[tokio::test]
async fn a_session_of_its_own_cannot_be_smuggled_in() {
    let lobby = Lobby::start().await;
    let stream = Stream::open(&lobby.line(ANA), "lobby").await;
    let session = lobby.begin(ANA).await;
    // The stream keeps the id of its session: what a message names beside it counts for nothing.
    let line = lobby.line(ANA).at(&stream.address);
    let mut headers = Stream::headers(&line);
    headers.insert(SESSION, session.id.parse().unwrap());
    let noted = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string();
    let reply = line.send(Method::POST, headers, noted).await.whole().await;
    assert_eq!(reply.status, 400, "{}", String::from_utf8_lossy(&reply.body));
    passes(&session.read_ticket().await);
}

#[tokio::test]
async fn a_halt_cuts_the_stream_and_ends_its_handle_for_good() {
    let lobby = Lobby::start().await;
    for scope in [&["user", "ana"][..], &["agent", "helpdesk"], &["endpoint", "lobby"], &["everything"]] {
        let mut stream = Stream::open(&lobby.line(ANA), "lobby").await;
        stream.begin("2024-11-05", capabilities()).await;
        stream.send("tools/call", json!({ "name": TALK })).await;
        let speech = lobby.talker.call().await.speaks();
        speech.logs("working");
        assert_eq!(stream.message().await["params"]["data"], "working");
        lobby.gate.must(&[&["halt"], scope, &["--reason", "a drill"]].concat()).await;
        speech.logs("after the halt");
        for message in stream.heard.rest().await {
            assert!(!message.to_string().contains("after the halt"), "{scope:?}: {message:#}");
        }
        lobby.hears("that nobody listens", |_| !speech.is_heard()).await;
        lobby.hears("the end of its session", |talker| talker.session(&speech.session).over).await;
        lobby.gate.refuses(&post(&lobby.line(ANA), &stream.address).await, SESSION_UNKNOWN).await;
        lobby.gate.refuses(&get(&lobby.line(ANA), "lobby").await.whole().await, HALTED).await;
        lobby.gate.must(&[&["resume"], scope].concat()).await;
        lobby.gate.refuses(&post(&lobby.line(ANA), &stream.address).await, SESSION_UNKNOWN).await;
    }
}

#[tokio::test]
async fn a_flood_beside_one_stream_is_bounded_and_hurts_nobody_else() {
    let lobby = Lobby::start().await;
    let mut stream = Stream::open(&lobby.line(ANA), "lobby").await;
    stream.begin("2024-11-05", capabilities()).await;
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..100 {
        let reply = stream.post(&stream.request("tools/call", json!({ "name": TALK }))).await;
        if reply.status == 202 {
            taken += 1;
        } else {
            lobby.gate.refuses(&reply, OVERLOADED).await;
            refused += 1;
        }
    }
    assert_eq!((taken, refused), (64, 36));
    // Another caller is served, and so is the same one elsewhere.
    passes(&lobby.begin(BOB).await.read_ticket().await);
    passes(&lobby.begin(ANA).await.read_ticket().await);
    // What was taken is answered, once there is an answer.
    for _ in 0..taken {
        lobby.talker.call().await.answers(crate::talker::said("late"));
    }
    for _ in 0..taken {
        assert_eq!(text(&stream.message().await), "late");
    }
    assert_eq!(text(&stream.read_ticket().await), "did \"read_ticket\"");
}

/// Calls the tool that talks, which says more than is kept for a client that does not read. In the end it asks what the
/// gate answers by itself, once it has heard all that was said before.
async fn told_much(lobby: &Lobby, stream: &Stream) -> Speech {
    stream.send("tools/call", json!({ "name": TALK })).await;
    let speech = lobby.talker.call().await.speaks();
    let long = "x".repeat(64 * 1024);
    for number in 0..MUCH {
        speech.logs(&format!("{number} {long}"));
    }
    speech.asks("heard", "ping", json!({}));
    speech
}

/// All of it comes in order, and none is lost.
async fn hears_much(stream: &mut Stream) {
    for number in 0..MUCH {
        let told = stream.message().await;
        assert!(told["params"]["data"].as_str().unwrap().starts_with(&format!("{number} ")));
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_waited_for_and_holds_nobody_up() {
    let lobby = Lobby::start().await;
    let (mut deaf, mut other) = (begun(&lobby).await, begun(&lobby).await);
    let unread = told_much(&lobby, &deaf).await;
    // Others are served meanwhile, and one that reads is told as much to its end.
    for _ in 0..5 {
        passes(&lobby.begin(BOB).await.read_ticket().await);
    }
    let read = told_much(&lobby, &other).await;
    hears_much(&mut other).await;
    lobby.hears("that all was heard on one stream", |talker| talker.responses().len() == 1).await;
    read.answers("done");
    assert_eq!(text(&other.message().await), "done");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(lobby.talker.responses().len(), 1, "the gate does not keep all that nobody reads");
    hears_much(&mut deaf).await;
    lobby.hears("that all was heard on both", |talker| talker.responses().len() == 2).await;
    unread.answers("done");
    assert_eq!(text(&deaf.message().await), "done");
}

#[tokio::test]
#[ignore = "waits for the gate's patience with a client that does not read: half a minute"]
async fn a_client_that_never_reads_loses_its_stream() {
    let lobby = Lobby::start().await;
    let stream = begun(&lobby).await;
    let speech = told_much(&lobby, &stream).await;
    lobby.hears("that nobody listens", |_| !speech.is_heard()).await;
    lobby.hears("the end of its session", |talker| talker.session(&speech.session).over).await;
    lobby.gate.refuses(&post(&lobby.line(ANA), &stream.address).await, SESSION_UNKNOWN).await;
    passes(&lobby.begin(ANA).await.read_ticket().await);
}

#[tokio::test]
async fn whoever_lost_their_token_hears_no_more() {
    let lobby = Lobby::start().await;
    let mut stream = Stream::open(&lobby.line(ANA), "lobby").await;
    stream.begin("2024-11-05", capabilities()).await;
    stream.send("tools/call", json!({ "name": TALK })).await;
    let speech = lobby.talker.call().await.speaks();
    speech.logs("working");
    assert_eq!(stream.message().await["params"]["data"], "working");
    super::revoked_token::revoke(&lobby.gate).await;
    speech.logs("after that");
    for message in stream.heard.rest().await {
        assert!(!message.to_string().contains("after that"), "{message:#}");
    }
    lobby.hears("that nobody listens", |_| !speech.is_heard()).await;
    lobby.gate.turns_away(&post(&lobby.line(ANA), &stream.address).await, UNAUTHENTICATED).await;
}
