//! Calls: whose progress is whose, and how one is taken back at the process.

use drill::hostile::local::Mode;
use drill::mcp::{Answer, Client};
use serde_json::{Value, json};

use super::{TOOL, Yard, asking_for, report};
use crate::client::{eventually, newest_intent};
use crate::gate::files::BOB;
use crate::verdict::{TAKEN_BACK, passes};

/// A call that wants to hear of its progress, under a name that others choose too.
fn watched(report: &str) -> Value {
    json!({ "name": TOOL, "arguments": asking_for(report), "_meta": { "progressToken": "t" } })
}

async fn open(client: &Client, report: &str) -> Answer {
    client.open("tools/call", watched(report)).await.unwrap()
}

/// The next message, which is progress of a call that goes by the name `t`.
async fn progress(answer: &mut Answer) -> String {
    let message = answer.next().await.unwrap().expect("a message more");
    let params = &message["params"];
    assert_eq!((&message["method"], &params["progressToken"]), (&"notifications/progress".into(), &"t".into()));
    params["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn progress_reaches_its_caller_alone_whatever_name_others_gave_theirs() {
    let yard = Yard::start().await;
    yard.misbehave(Mode::ReportsProgress);
    let (ana, bob) = (yard.client(), yard.gate.client_at("yard", BOB));
    let mut anas = open(&ana, "a").await;
    assert_eq!(progress(&mut anas).await, "a");
    // At each later call it reports on all of them.
    let mut bobs = open(&bob, "b").await;
    assert_eq!((progress(&mut bobs).await, progress(&mut anas).await), ("b".to_owned(), "a".to_owned()));
    let mut again = open(&ana, "c").await;
    let told = (progress(&mut again).await, progress(&mut bobs).await, progress(&mut anas).await);
    assert_eq!(told, ("c".to_owned(), "b".to_owned(), "a".to_owned()));

    // The process knows numbers of the gate's, each once, and no name that a caller gave.
    let heard = yard.heard("tools/call");
    let mut numbers: Vec<i64> = heard.iter().map(|call| call["id"].as_i64().unwrap()).collect();
    assert!(heard.iter().all(|call| call["params"]["_meta"]["progressToken"] == call["id"]), "{heard:#?}");
    numbers.dedup();
    assert_eq!(numbers.len(), 3);
}

#[tokio::test]
async fn a_caller_that_leaves_takes_its_call_back_at_the_process_and_others_go_on() {
    let yard = Yard::start().await;
    yard.misbehave(Mode::ReportsProgress);
    let (mut anas, bob) = (open(&yard.client(), "a").await, yard.gate.client_at("yard", BOB));
    progress(&mut anas).await;
    let receipt = newest_intent(&yard.gate).await;
    let call = yard.heard("tools/call")[0]["id"].clone();
    drop(anas);
    eventually("the process hears that it is cancelled", || yard.heard("notifications/cancelled").len() == 1).await;
    assert_eq!(yard.heard("notifications/cancelled")[0]["params"]["requestId"], call);
    assert_eq!(yard.gate.outcome(&receipt).await["end"]["type"], "cancelled");
    // What it still says of that call is nobody's.
    let mut bobs = open(&bob, "b").await;
    assert_eq!(progress(&mut bobs).await, "b");
    yard.misbehave(Mode::Honest);
    passes(&report(&yard.client()).await);
    assert_eq!(yard.local.starts().len(), 2, "one to be read and one to serve");
    drop(bobs);
}

#[tokio::test]
async fn a_caller_that_leaves_before_the_first_word_takes_its_call_back_too() {
    let yard = Yard::start().await;
    let process = yard.running().await;
    yard.misbehave(Mode::NeverAnswers);
    let client = yard.client();
    let waiting = tokio::spawn(async move { report(&client).await });
    yard.reached(2).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    eventually("the process hears that it is cancelled", || yard.heard("notifications/cancelled").len() == 1).await;
    let call = &yard.heard("tools/call")[1]["id"];
    assert_eq!(yard.heard("notifications/cancelled")[0]["params"]["requestId"], *call);
    yard.misbehave(Mode::Honest);
    passes(&report(&yard.client()).await);
    assert_eq!(yard.newest(), process);
}

#[tokio::test]
async fn a_call_of_a_session_is_taken_back_by_a_message() {
    let yard = Yard::start().await;
    let session = yard.session().await;
    passes(&session.call(TOOL, asking_for("r-1")).await);
    let process = yard.newest();
    yard.misbehave(Mode::NeverAnswers);
    let call = session.request("tools/call", json!({ "name": TOOL, "arguments": asking_for("r-2") }));
    let (reply, ()) = tokio::join!(async { session.post(&call).await.whole().await }, async {
        yard.reached(2).await;
        assert_eq!(session.take_back(&call["id"]).await.status, 202);
    });
    yard.gate.ends(&reply, TAKEN_BACK, "cancelled").await;
    eventually("the process hears that it is cancelled", || yard.heard("notifications/cancelled").len() == 1).await;
    let number = &yard.heard("tools/call")[1]["id"];
    assert_eq!(yard.heard("notifications/cancelled")[0]["params"]["requestId"], *number);
    assert_ne!(*number, call["id"]);
    yard.misbehave(Mode::Honest);
    passes(&session.call(TOOL, asking_for("r-3")).await);
    assert_eq!(yard.newest(), process);
}

#[tokio::test]
async fn many_calls_at_once_come_back_to_those_who_made_them() {
    let yard = Yard::start().await;
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..40 {
        let client = if number % 2 == 0 { yard.client() } else { yard.gate.client_at("yard", BOB) };
        // All of them say the same of themselves, down to the id of the request.
        callers.spawn(async move { client.call(TOOL, asking_for(&number.to_string())).await.unwrap() });
    }
    while let Some(reply) = callers.join_next().await {
        passes(&reply.unwrap());
    }
    assert_eq!((yard.local.starts().len(), yard.local.calls()), (2, 40));
}

#[tokio::test]
async fn a_local_server_of_any_revision_is_called_by_clients_of_both_kinds() {
    for revision in ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] {
        let yard = Yard::unapproved(super::Ground::default()).await;
        yard.local.speaks(&[revision]).unwrap();
        yard.approve().await;
        let shown = yard.gate.read("/servers/reports").await;
        assert_eq!(shown["pinned"]["versions"], json!([revision]));
        passes(&report(&yard.client()).await);
        passes(&yard.session().await.call(TOOL, asking_for("r-1")).await);
        assert_eq!(yard.local.starts().len(), 3, "two to be looked at, and one for both clients");
    }
}
