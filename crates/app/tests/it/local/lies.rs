//! Servers that break the protocol or speak to people they should not: the caller hears of its own call, and of nothing
//! else.

use std::time::Duration;

use drill::hostile::local::Mode;
use serde_json::json;

use super::{TOOL, Yard, asking_for, lives, report};
use crate::client::{eventually, newest_intent};
use crate::verdict::{OUTCOME_UNKNOWN, WITHHELD, passes};

#[tokio::test]
async fn what_is_no_message_and_what_nobody_asked_for_reaches_nobody() {
    let yard = Yard::start().await;
    let process = yard.running().await;
    for mode in [Mode::WritesGarbage, Mode::Chatters, Mode::AnswersTwice] {
        yard.misbehave(mode);
        let watched = json!({ "name": TOOL, "arguments": asking_for("r-1"), "_meta": { "progressToken": 1 } });
        let reply = yard.client().post("tools/call", watched).await.unwrap();
        passes(&reply);
        assert_eq!((reply.text().as_str(), reply.messages.len()), ("All quiet.", 1), "{mode:?}");
    }
    // The second answer came after the first, and is not taken for that of the next call.
    yard.misbehave(Mode::Honest);
    let reply = report(&yard.client()).await;
    assert_eq!(reply.text(), "All quiet.");
    let session = yard.session().await;
    let mut aside = session.listen().await;
    yard.misbehave(Mode::Chatters);
    let reply = session.call(TOOL, asking_for("r-1")).await;
    passes(&reply);
    assert_eq!(reply.messages.len(), 1, "{:?}", reply.messages);
    assert!(aside.is_silent().await, "nothing is said on the side either");
    assert!(lives(process));
}

#[tokio::test]
async fn a_process_that_asks_is_told_no_and_nobody_is_asked() {
    let yard = Yard::start().await;
    yard.misbehave(Mode::Asks);
    let client = yard.client().with_capabilities(super::capabilities());
    let reply = client.call(TOOL, asking_for("r-1")).await.unwrap();
    passes(&reply);
    assert_eq!((reply.text().as_str(), reply.messages.len()), ("All quiet.", 1));
    let session = yard.session().await;
    let mut aside = session.listen().await;
    let reply = session.call(TOOL, asking_for("r-1")).await;
    passes(&reply);
    assert_eq!(reply.messages.len(), 1, "{:?}", reply.messages);
    assert!(aside.is_silent().await);

    eventually("the processes are answered", || yard.answers().len() == 6).await;
    for answer in yard.answers() {
        assert_eq!(answer["error"]["code"], -32601, "{answer:#}");
    }
    assert_eq!(yard.heard("initialize").len(), 0, "it speaks 2026-07-28, and so does the gate with it");
}

#[tokio::test]
async fn an_answer_to_another_request_is_nobodys() {
    let yard = Yard::start().await;
    let process = yard.running().await;
    yard.misbehave(Mode::AnswersAnotherId);
    let client = yard.client();
    let waiting = tokio::spawn(async move { report(&client).await });
    yard.reached(2).await;
    // Others are served meanwhile.
    yard.misbehave(Mode::Honest);
    passes(&report(&yard.client()).await);
    assert!(!waiting.is_finished());
    let receipt = newest_of_waiting(&yard).await;
    super::kill(process);
    let reply = waiting.await.unwrap();
    yard.gate.ends(&reply, OUTCOME_UNKNOWN, "unknown").await;
    assert_eq!(crate::verdict::receipt_id(&reply), receipt);
}

/// The receipt of the only call that has not ended.
async fn newest_of_waiting(yard: &Yard) -> String {
    let page = yard.gate.read("/receipts?kind=intent").await;
    let open = page["receipts"].as_array().unwrap().iter().find(|one| one.get("outcome").is_none());
    open.expect("a call that has not ended")["record"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn definitions_that_changed_at_a_restart_are_withheld_before_the_first_call() {
    let yard = Yard::start().await;
    let process = yard.running().await;
    yard.misbehave(Mode::ChangesSilently);
    super::kill(process);
    tokio::time::sleep(Duration::from_millis(400)).await;
    let (starts, calls) = (yard.local.starts().len(), yard.local.calls());
    // The gate finds out by this very call, which was decided on before.
    let reply = report(&yard.client()).await;
    yard.gate.ends(&reply, WITHHELD, "not-sent").await;
    assert_eq!((yard.local.starts().len(), yard.local.calls()), (starts + 1, calls), "no call reached it");
    // From now on that is decided at once, in either revision and at the other endpoint.
    yard.gate.refuses(&report(&yard.client()).await, WITHHELD).await;
    yard.gate.refuses(&report(&yard.client_at("annex")).await, WITHHELD).await;
    let reply = yard.session().await.call(TOOL, asking_for("r-1")).await;
    yard.gate.refuses(&reply, WITHHELD).await;
    assert_eq!(yard.local.calls(), calls);
    assert!(yard.gate.must(&["server", "diff", "reports"]).await.contains("key files"));

    // People may want it all the same.
    yard.gate.must(&["server", "approve", "reports", "--yes"]).await;
    passes(&report(&yard.client()).await);
}

#[tokio::test]
async fn definitions_that_changed_for_the_other_endpoint_are_withheld_there_too() {
    let yard = Yard::start().await;
    yard.running().await;
    yard.misbehave(Mode::ChangesSilently);
    let calls = yard.local.calls();
    let reply = report(&yard.client_at("annex")).await;
    yard.gate.ends(&reply, WITHHELD, "not-sent").await;
    yard.gate.refuses(&report(&yard.client()).await, WITHHELD).await;
    assert_eq!(yard.local.calls(), calls);
}

#[tokio::test]
async fn a_change_that_is_told_of_is_looked_at_and_withheld() {
    let yard = Yard::start().await;
    let session = yard.session().await;
    passes(&session.call(TOOL, asking_for("r-1")).await);
    yard.running().await;
    yard.misbehave(Mode::ChangesDefinitions);
    // It tells in the middle of a call, which was decided on before and is answered.
    passes(&report(&yard.client()).await);
    let seen = |drift: &serde_json::Value| drift["changes"].as_array().is_some_and(|changes| !changes.is_empty());
    yard.gate.until("/servers/reports/difference", seen).await;
    yard.gate.until("/revision", |revision| revision["revision"] == revision["in_effect"]).await;
    yard.gate.refuses(&report(&yard.client()).await, WITHHELD).await;
    yard.gate.refuses(&session.call(TOOL, asking_for("r-1")).await, WITHHELD).await;
    let receipt = newest_intent(&yard.gate).await;
    assert_eq!(yard.gate.outcome(&receipt).await["end"]["type"], "completed", "the call that was under way");
}
