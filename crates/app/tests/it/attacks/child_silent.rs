//! A local server that takes calls and says nothing, or nothing from its start on: whoever waits for it may leave, others
//! are served, and what waits is bounded.

use drill::hostile::local::Mode;
use serde_json::json;
use tokio::task::JoinSet;

use crate::client::eventually;
use crate::gate::files::ANA;
use crate::local::{Yard, all_end, kill, report, report_of};
use crate::verdict::{OUTCOME_UNKNOWN, SERVER_BUSY, SERVER_UNREACHABLE, passes};

/// How many calls one caller may have open at one process when nobody else wants any, written down apart from the product's
/// own limit: three of four places.
const OPEN_MAX: usize = 96;

#[tokio::test]
async fn silence_holds_up_nobody_else() {
    let yard = Yard::start().await;
    yard.gate.must(&["server", "approve", "desk", "--yes"]).await;
    let process = yard.running().await;
    yard.misbehave(Mode::NeverAnswers);
    let client = yard.client();
    let waiting = tokio::spawn(async move { report_of(&client, "silence").await });
    yard.reached(2).await;
    passes(&yard.gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
    yard.misbehave(Mode::Honest);
    passes(&report(&yard.client()).await);
    passes(&report(&yard.client_at("annex")).await);
    assert!(!waiting.is_finished());
    kill(process);
    yard.gate.ends(&waiting.await.unwrap(), OUTCOME_UNKNOWN, "unknown").await;
}

#[tokio::test]
async fn a_process_that_does_not_introduce_itself_gets_no_call() {
    let yard = Yard::start().await;
    yard.gate.must(&["server", "approve", "desk", "--yes"]).await;
    let calls = yard.local.calls();
    yard.misbehave(Mode::NeverIntroducesItself);
    let starts = yard.local.starts().len();
    let client = yard.client();
    let waiting = tokio::spawn(async move { report(&client).await });
    eventually("it is started", || yard.local.starts().len() == starts + 1).await;
    let process = yard.newest();
    // One that leaves is not waited with; others are served.
    let client = yard.client();
    let impatient = tokio::spawn(async move { report(&client).await });
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    impatient.abort();
    passes(&yard.gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
    assert!(!waiting.is_finished());
    kill(process);
    yard.gate.ends(&waiting.await.unwrap(), SERVER_UNREACHABLE, "not-sent").await;
    assert_eq!((yard.local.calls(), yard.local.starts().len()), (calls, starts + 1));
    yard.misbehave(Mode::Honest);
    yard.served_again().await;
}

#[tokio::test]
async fn what_waits_for_a_silent_process_is_bounded() {
    let yard = Yard::start().await;
    let process = yard.running().await;
    yard.misbehave(Mode::NeverAnswers);
    let mut callers = JoinSet::new();
    for _ in 0..OPEN_MAX + 8 {
        let client = yard.client();
        callers.spawn(async move { report(&client).await });
    }
    // Those beyond the bound wait for their turn, for a while.
    for _ in 0..8 {
        let reply = callers.join_next().await.unwrap().unwrap();
        let told = yard.gate.refuses(&reply, SERVER_BUSY).await;
        assert!(told["detail"].as_str().unwrap().contains("96 under way"), "{told:#}");
    }
    let client = yard.client_at("annex");
    yard.misbehave(Mode::Honest);
    passes(&report(&client).await);
    callers.abort_all();
    while callers.join_next().await.is_some() {}
    // Those who leave make room.
    eventually("all of them are taken back", || yard.heard("notifications/cancelled").len() > OPEN_MAX - 8).await;
    passes(&report(&yard.client()).await);
    assert!(yard.local.starts().contains(&process));
}

#[tokio::test]
#[ignore = "waits for the gate's patience with a server that says nothing of itself: more than a minute"]
async fn a_look_at_a_silent_program_comes_to_an_end() {
    let yard = Yard::unapproved(crate::local::Ground::default()).await;
    yard.misbehave(Mode::NeverIntroducesItself);
    let said = yard.gate.cli(&["server", "check", "reports"]).await;
    assert!(!said.ok, "{}", said.out);
    all_end(&yard.local.starts()).await;
}
