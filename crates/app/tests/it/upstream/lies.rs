//! Every way of [`Mode`] in which a server breaks its word, through the front door.

use std::time::Duration;

use drill::hostile::Mode;
use drill::mcp::Reply;
use model::limits;
use serde_json::{Value, json};

use super::{IDLE, Liar, REPORT};
use crate::client::{eventually, newest_intent, streams_open};
use crate::gate::Gate;
use crate::gate::files::ANA;
use crate::verdict::{ANSWER_REFUSED, No, OUTCOME_UNKNOWN, passes, words};

/// What the agent is told, and in which form.
enum Told {
    /// The report: nothing is wrong with what came first.
    Report,
    /// A refusal in place of the answer.
    No(No),
    /// A refusal as the last message of a stream that had begun.
    NoAtLast(No),
}

/// What must come of a call in each mode: what the agent is told, and how its receipt ends.
fn expected(mode: Mode) -> Option<(Told, Value)> {
    let withheld = || json!({ "type": "result-withheld", "why": "answer-refused" });
    let completed = || json!({ "type": "completed" });
    // Of an unknown end, the receipt says more than that; what, is looked at apart.
    let unknown = || json!({ "type": "unknown" });
    Some(match mode {
        Mode::Honest | Mode::AnswersTwice | Mode::AnswersAhead => (Told::Report, completed()),
        Mode::ClosesBeforeAnswer | Mode::PromisesMore | Mode::Redirects | Mode::Breaks => {
            (Told::No(OUTCOME_UNKNOWN), unknown())
        }
        Mode::ClosesMidEvent => (Told::NoAtLast(OUTCOME_UNKNOWN), unknown()),
        Mode::PromisesLess
        | Mode::AnswersAnotherId
        | Mode::ErrorAndResult
        | Mode::Oversized
        | Mode::NotJson
        | Mode::DuplicateKeys
        | Mode::Compressed => (Told::No(ANSWER_REFUSED), withheld()),
        Mode::Floods | Mode::Asks => (Told::NoAtLast(ANSWER_REFUSED), withheld()),
        // Nothing comes, or so slowly that this test does not wait: see `departures` and the slow test below.
        Mode::NeverAnswers | Mode::Drips => return None,
    })
}

/// What the lies say, and no agent, receipt or log may.
const LIES: [&str; 8] =
    ["on fire", "Forged", "and yet", "system prompt", "hunter2", "10.20.0.7", "reports.rs:41", "/elsewhere"];

#[tokio::test]
async fn every_lie_is_told_apart_recorded_and_never_passed_on() {
    let liar = Liar::start().await;
    let (mut asked, mut checked) = (0, 0);
    for mode in Mode::ALL {
        let Some((told, end)) = expected(mode) else { continue };
        println!("{mode:?}");
        liar.server.misbehave(mode);
        let reply = liar.ask().await;
        asked += 1;
        match told {
            Told::Report => {
                passes(&reply);
                assert_eq!(reply.text(), "All quiet.");
            }
            Told::No(no) => _ = liar.gate.says(&reply, no),
            Told::NoAtLast(no) => at_last(&liar.gate, &reply, no),
        }
        if !matches!(mode, Mode::Honest | Mode::AnswersTwice | Mode::AnswersAhead) {
            assert!(!shown(&reply).contains("quiet"), "{mode:?} leaks: {}", shown(&reply));
        }
        no_lies(&shown(&reply), &format!("the answer to {mode:?}"));

        let receipt = reply.headers["portcullis-receipt"].to_str().unwrap().to_owned();
        assert_eq!(receipt, newest_intent(&liar.gate).await);
        let outcome = liar.gate.outcome(&receipt).await;
        assert_eq!(outcome["end"]["type"], end["type"], "{mode:?}: {outcome:#}");
        if !end["why"].is_null() {
            assert_eq!(outcome["end"]["why"], end["why"], "{mode:?}: {outcome:#}");
        }
        assert_eq!(liar.server.calls(), asked, "{mode:?}: the server got the call once");

        // Held for this call: nothing. And the next one, on whatever connection, gets its own answer.
        eventually("no connection is left of it", || liar.server.open() <= IDLE).await;
        liar.server.misbehave(Mode::Honest);
        let honest = liar.ask().await;
        asked += 1;
        passes(&honest);
        assert_eq!(honest.text(), "All quiet.", "after {mode:?}");
        checked += 1;
    }
    assert_eq!(checked, Mode::ALL.len() - 2);
    assert_eq!(liar.server.calls(), asked, "nothing was repeated later either");
    assert_eq!(liar.server.redirected(), 0, "no redirection was followed");
    streams_open(&liar.gate, 0).await;
    passes(&liar.gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
    for (file, bytes) in liar.gate.kept() {
        no_lies(&String::from_utf8_lossy(&bytes), &file.display().to_string());
    }
    no_lies(&liar.gate.output(), "the log");
}

#[tokio::test]
async fn a_lying_server_does_not_slow_the_others_down() {
    let liar = Liar::start().await;
    let client = liar.gate.client_at("reports", ANA);
    liar.server.misbehave(Mode::NeverAnswers);
    let waiting: Vec<_> = (0..90)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call(REPORT, json!({ "report_id": "r-1" })).await })
        })
        .collect();
    eventually("ninety calls hang", || liar.server.calls() == 90).await;
    for _ in 0..20 {
        passes(&liar.gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
    }
    assert!(!waiting.iter().any(tokio::task::JoinHandle::is_finished), "all of them still hang");
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    drop((waiting, client));
    eventually("every connection is closed", || liar.server.open() <= IDLE).await;
    assert_eq!(liar.server.calls(), 90);
}

#[tokio::test]
#[ignore = "waits for the gate's patience with servers: a minute"]
async fn a_server_that_keeps_the_gate_waiting_is_given_up_on_in_time() {
    let liar = Liar::start().await;
    liar.server.misbehave(Mode::NeverAnswers);
    let began = std::time::Instant::now();
    let patience = Duration::from_millis(limits::ANSWER_MILLISECONDS_MAX);
    let client = liar.gate.client_at("reports", ANA).with_patience(2 * patience);
    let stalls = liar.gate.client(ANA).with_patience(2 * patience);
    // One says nothing at all; the other begins a stream, and then only the gate's own comments keep it warm.
    let silent = client.call(REPORT, json!({ "report_id": "r-1" }));
    let stalled = stalls.call("watch", json!({}));
    let (silent, stalled) = tokio::join!(silent, stalled);
    let waited = began.elapsed();
    assert!(waited >= patience && waited < patience + Duration::from_secs(60), "{waited:?}");
    let silent = silent.unwrap();
    liar.gate.ends(&silent, OUTCOME_UNKNOWN, "unknown").await;
    let stalled = stalled.unwrap();
    at_last(&liar.gate, &stalled, OUTCOME_UNKNOWN);
    eventually("the connection is closed", || liar.server.open() <= IDLE).await;
    streams_open(&liar.gate, 0).await;
    assert_eq!(liar.server.calls(), 1);
}

/// A stream whose last message is a refusal, and whose other messages are none of the answer.
fn at_last(gate: &Gate, reply: &Reply, no: No) {
    assert_eq!(reply.status, 200, "the stream had begun");
    assert_eq!(reply.headers["content-type"], "text/event-stream");
    words(reply.messages.last().expect("a last message"), no);
    let others = reply.messages.split_last().unwrap().1;
    assert!(others.iter().all(|message| message.get("id").is_none()), "only notifications came before");
    gate.leaks_nothing(reply);
}

fn shown(reply: &Reply) -> String {
    format!("{:?} {}", reply.headers, String::from_utf8_lossy(&reply.body))
}

fn no_lies(text: &str, place: &str) {
    for lie in LIES {
        assert!(!text.contains(lie), "{place} says `{lie}`");
    }
}
