//! Streams that outlive a connection: the client's, which is read on at the gate, and the server's, which the gate reads on.

use model::limits;
use serde_json::{Value, json};

use super::{Lobby, text};
use crate::client::streams_open;
use crate::gate::files::ANA;
use crate::session::Answer;
use crate::verdict::{OVERLOADED, PARAMS_INVALID, passes, words};

fn news(message: &Value) -> &str {
    message["params"]["data"].as_str().unwrap_or_default()
}

async fn heard(answer: &mut Answer, count: usize) -> Vec<String> {
    let mut heard = Vec::new();
    for _ in 0..count {
        heard.push(news(&answer.message().await).to_owned());
    }
    heard
}

#[tokio::test]
async fn what_a_broken_connection_missed_is_read_on_and_nothing_else() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.logs("one");
    speech.logs("two");
    assert_eq!(heard(&mut answer, 2).await, ["one", "two"]);
    let last = answer.last.clone().unwrap();
    drop(answer);
    speech.logs("three");
    // Nobody asked for progress, so it is not released, now or later.
    speech.notes("notifications/progress", json!({ "progressToken": "t", "progress": 1 }));
    speech.logs("four");
    let mut again = session.read_on(&last).await;
    assert_eq!(again.status, 200);
    assert_eq!(heard(&mut again, 2).await, ["three", "four"]);
    speech.logs("five");
    assert_eq!(heard(&mut again, 1).await, ["five"]);
    drop(again);
    speech.answers("done");

    // The call has ended meanwhile, and can be read to its end, from wherever.
    let mut end = session.read_on(&last).await;
    assert_eq!(heard(&mut end, 3).await, ["three", "four", "five"]);
    assert_eq!(text(&end.message().await), "done");
    assert_eq!(end.next().await, None);
    let at_the_end = session.read_on(end.last.as_ref().unwrap()).await.rest().await;
    assert_eq!(at_the_end, Vec::<Value>::new());
    assert_eq!(lobby.talker.heard("tools/call").len(), 1, "the server was asked once");
    streams_open(&lobby.gate, 0).await;
}

#[tokio::test]
async fn a_stream_can_be_read_from_its_beginning() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    // Before any message there is an event to read on from, and how long to wait.
    assert_eq!(answer.event().await.unwrap(), "");
    let first = answer.last.clone().expect("an event's id");
    assert_eq!(answer.retry, Some(limits::RETRY_MILLISECONDS));
    drop(answer);
    speech.logs("one");
    speech.answers("done");
    let rest = session.read_on(&first).await.rest().await;
    assert_eq!((news(&rest[0]), text(&rest[1]), rest.len()), ("one", "done", 2));
}

#[tokio::test]
async fn each_connection_takes_over_from_the_one_before() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut first, speech) = lobby.talk(&session).await;
    speech.logs("one");
    first.message().await;
    let last = first.last.clone().unwrap();
    let mut second = session.read_on(&last).await;
    assert_eq!(first.next().await, None, "two connections never hear one message each");
    speech.logs("two");
    assert_eq!(heard(&mut second, 1).await, ["two"]);
    let mut third = session.read_on(&last).await;
    assert_eq!(heard(&mut third, 1).await, ["two"]);
    assert_eq!(second.next().await, None);
    speech.answers("done");
    assert_eq!(text(&third.message().await), "done");

    let (mut one, aside) = lobby.aside(&session).await;
    let mut two = session.listen().await;
    assert_eq!(one.next().await, None);
    aside.logs("news");
    assert_eq!(heard(&mut two, 1).await, ["news"]);
}

#[tokio::test]
async fn what_is_said_unasked_waits_for_the_client() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut first, aside) = lobby.aside(&session).await;
    aside.logs("one");
    assert_eq!(heard(&mut first, 1).await, ["one"]);
    let last = first.last.clone().unwrap();
    drop(first);
    streams_open(&lobby.gate, 0).await;
    aside.logs("two");
    let mut again = session.read_on(&last).await;
    assert_eq!(heard(&mut again, 1).await, ["two"]);
    drop(again);
    streams_open(&lobby.gate, 0).await;
    aside.logs("three");
    // Without an event it goes on with what nobody took.
    let mut again = session.listen().await;
    assert_eq!(heard(&mut again, 1).await, ["three"]);
    assert!(again.is_silent().await);
    // And a connection that broke before it heard anything missed nothing.
    let mut again = session.listen().await;
    assert_eq!(again.event().await.unwrap(), "");
    let here = again.last.clone().unwrap();
    drop(again);
    aside.logs("four");
    let mut again = session.read_on(&here).await;
    assert_eq!(heard(&mut again, 1).await, ["four"]);
}

#[tokio::test]
async fn events_that_nobody_was_told_are_read_on_by_nobody() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.logs("one");
    answer.message().await;
    let last = answer.last.clone().unwrap();
    let (stream, number) = last.split_once('-').unwrap();
    let next = number.parse::<u64>().unwrap() + 1;
    for event in [
        format!("{stream}-{next}"),
        format!("{stream}-99999999999999999999999"),
        format!("{stream}--1"),
        stream.to_owned(),
        format!("{}-0", stream.parse::<u64>().unwrap() + 1),
        format!("0-{next}"),
        "99-0".to_owned(),
        "-".to_owned(),
        "1-1-1".to_owned(),
        "+1-0".to_owned(),
        "made up".to_owned(),
        "x".repeat(200),
    ] {
        let reply = session.read_on(&event).await.whole().await;
        lobby.gate.refuses(&reply, PARAMS_INVALID).await;
    }
    // Nor does trying take the stream from its reader.
    speech.answers("done");
    assert_eq!(text(&answer.message().await), "done");
}

#[tokio::test]
async fn so_much_is_kept_for_a_client_that_is_gone_and_no_more() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.logs("one");
    answer.message().await;
    let (last, receipt) = (answer.last.clone().unwrap(), answer.receipt());
    drop(answer);
    streams_open(&lobby.gate, 1).await;
    let much = "x".repeat(64 * 1024);
    let pieces = limits::REPLAY_BYTES_MAX / much.len() + 2;
    (0..pieces).for_each(|_| speech.logs(&much));
    let outcome = lobby.gate.outcome(&receipt).await;
    assert_eq!(outcome["end"], json!({ "type": "cut", "why": "overloaded" }));
    lobby.hears("that nobody listens", |_| !speech.is_heard()).await;
    lobby.hears("that it is cancelled", |talker| talker.heard("notifications/cancelled").len() == 1).await;
    // The client that comes back finds a gap it can see: the event is gone, or the end says why.
    let mut again = session.read_on(&last).await;
    if again.status == 200 {
        let end = again.rest().await.pop().unwrap();
        words(&end, OVERLOADED);
    } else {
        lobby.gate.refuses(&again.whole().await, PARAMS_INVALID).await;
    }
    streams_open(&lobby.gate, 0).await;
}

#[tokio::test]
async fn a_client_that_reads_slowly_loses_nothing() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    let much = "x".repeat(256 * 1024);
    for number in 0..40 {
        speech.logs(&format!("{number} {much}"));
    }
    speech.answers("done");
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    for number in 0..40 {
        assert!(news(&answer.message().await).starts_with(&format!("{number} ")));
    }
    assert_eq!(text(&answer.message().await), "done");
}

#[tokio::test]
async fn a_server_that_hangs_up_is_read_on_and_not_asked_again() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    let id = speech.id.clone();
    speech.primes("event-0", 50);
    speech.logs("before any number");
    speech.numbered(
        "event-1",
        &json!({
            "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": "one" },
        }),
    );
    assert_eq!(heard(&mut answer, 2).await, ["before any number", "one"]);
    drop(speech);
    let stage = lobby.talker.resumption().await;
    assert_eq!(stage.last_event.as_deref(), Some("event-1"));
    let own = stage.session.clone();
    let speech = stage.speaks();
    speech.logs("two");
    assert_eq!(heard(&mut answer, 1).await, ["two"], "the client's connection went on");
    // This time it breaks.
    speech.clone().breaks();
    let stage = lobby.talker.resumption().await;
    assert_eq!((stage.last_event.as_deref(), &stage.session), (Some("event-1"), &own));
    let speech = stage.speaks();
    speech.say(&json!({ "jsonrpc": "2.0", "id": id, "result": crate::talker::said("done") }));
    assert_eq!(text(&answer.message().await), "done");
    assert_eq!(lobby.gate.outcome(&answer.receipt()).await["end"]["type"], "completed");
    assert_eq!(lobby.talker.heard("tools/call").len(), 1);
}

#[tokio::test]
async fn a_stream_that_ends_without_an_answer_and_without_events_is_an_unknown_outcome() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.logs("one");
    drop(speech);
    assert_eq!(heard(&mut answer, 1).await, ["one"]);
    let last = answer.message().await;
    assert_eq!(last["error"]["data"]["dev.portcullis/refusal"]["reason"], "outcome-unknown", "{last:#}");
    assert_eq!(lobby.gate.outcome(&answer.receipt()).await["end"]["type"], "unknown");
    passes(&session.read_ticket().await);
}
