//! The same lies from servers that keep sessions, over streamable HTTP and over HTTP+SSE: what the agent is told, how its
//! receipt ends, and that the next call is answered whatever the one before did to the connection or the session.

use drill::hostile::{Hostile, Manner, Mode};
use drill::mcp::Reply;
use serde_json::json;

use super::{REPORT, reports};
use crate::client::eventually;
use crate::gate::files::ANA;
use crate::gate::{Gate, Setup};
use crate::session::{Line, Session};
use crate::verdict::{ANSWER_REFUSED, OUTCOME_UNKNOWN, receipt_id, words};

/// How a call ends in each mode, by the receipt: completed, withheld or unknown. `None` where nothing comes, so that a test
/// would have to wait for the gate's patience.
fn end(manner: Manner, mode: Mode) -> Option<&'static str> {
    let on_one_stream = manner == Manner::Events;
    Some(match mode {
        Mode::Honest | Mode::AnswersTwice | Mode::AnswersAhead | Mode::Asks => "completed",
        Mode::ClosesBeforeAnswer | Mode::ClosesMidEvent | Mode::Redirects | Mode::Breaks => "unknown",
        Mode::ErrorAndResult | Mode::Floods => "result-withheld",
        // What is said in answer to the POST means nothing there.
        Mode::PromisesMore | Mode::PromisesLess | Mode::Compressed if on_one_stream => "completed",
        Mode::PromisesMore => "unknown",
        Mode::PromisesLess | Mode::Compressed => "result-withheld",
        // It is no message, or nobody's, or too long for the stream to be read on.
        Mode::AnswersAnotherId | Mode::NotJson | Mode::DuplicateKeys if on_one_stream => return None,
        Mode::Oversized if on_one_stream => "unknown",
        Mode::AnswersAnotherId | Mode::NotJson | Mode::DuplicateKeys | Mode::Oversized => "result-withheld",
        Mode::NeverAnswers | Mode::Drips => return None,
    })
}

async fn ask(session: &Session) -> Reply {
    let meta = json!({ "progressToken": "t" });
    let params = json!({ "name": REPORT, "arguments": { "report_id": "r-1" }, "_meta": meta });
    session.send("tools/call", params).await
}

fn text(reply: &Reply) -> &str {
    reply.json["result"]["content"][0]["text"].as_str().unwrap_or_default()
}

/// Connections that the gate keeps: streams on which it listens, for itself and for the client, and what waits for reuse.
const IDLE: u64 = 8;

async fn every_lie(manner: Manner) {
    let server = Hostile::start_in(manner, Mode::Honest).await.unwrap();
    let gate = Gate::with(Setup { state: reports(&server.url()), ..Setup::default() }).await;
    gate.must(&["server", "approve", "reports", "--yes"]).await;
    let session = Line::new(&gate, "reports", ANA).begin(json!({ "sampling": {} })).await;
    let mut asked = 0;
    for mode in Mode::ALL {
        let Some(end) = end(manner, mode) else { continue };
        println!("{manner:?} {mode:?}");
        server.misbehave(mode);
        let reply = ask(&session).await;
        asked += 1;
        gate.leaks_nothing(&reply);
        match end {
            "completed" => assert_eq!(text(&reply), "All quiet.", "{mode:?}: {:#}", reply.json),
            "unknown" => _ = words(reply.messages.last().unwrap(), OUTCOME_UNKNOWN),
            _ => _ = words(reply.messages.last().unwrap(), ANSWER_REFUSED),
        }
        let shown = String::from_utf8_lossy(&reply.body).into_owned();
        for lie in ["on fire", "Forged", "and yet", "system prompt", "hunter2"] {
            assert!(!shown.contains(lie), "{mode:?} leaks `{lie}`: {shown}");
        }
        let outcome = gate.outcome(receipt_id(&reply)).await;
        assert_eq!(outcome["end"]["type"], end, "{mode:?}: {outcome:#}");
        assert_eq!(server.calls(), asked, "{mode:?}: the server got the call once");
        server.misbehave(Mode::Honest);
        let mut honest = ask(&session).await;
        asked += 1;
        if mode == Mode::Floods && manner == Manner::Events && text(&honest).is_empty() {
            // What it goes on saying is for nobody, and so much of it ended the session and whatever was asked in it.
            words(honest.messages.last().unwrap(), OUTCOME_UNKNOWN);
            honest = ask(&session).await;
            asked += 1;
        }
        assert_eq!(text(&honest), "All quiet.", "after {mode:?}");
        eventually("nothing piles up", || server.open() <= IDLE).await;
    }
    assert_eq!((server.calls(), server.redirected()), (asked, 0));
}

#[tokio::test]
async fn every_lie_in_a_session_is_told_apart_and_never_passed_on() {
    every_lie(Manner::Sessions).await;
}

#[tokio::test]
async fn every_lie_on_the_one_stream_of_a_session_is_told_apart_and_never_passed_on() {
    every_lie(Manner::Events).await;
}

#[tokio::test]
async fn a_call_that_nothing_is_said_about_keeps_nobody_else_waiting_on_the_one_stream() {
    let server = Hostile::start_in(Manner::Events, Mode::Honest).await.unwrap();
    let gate = Gate::with(Setup { state: reports(&server.url()), ..Setup::default() }).await;
    gate.must(&["server", "approve", "reports", "--yes"]).await;
    let session = Line::new(&gate, "reports", ANA).begin(json!({})).await;
    for mode in [Mode::AnswersAnotherId, Mode::NotJson, Mode::DuplicateKeys, Mode::NeverAnswers] {
        server.misbehave(mode);
        let calls = server.calls();
        let waiting = tokio::spawn({
            let session = session.clone();
            async move { ask(&session).await }
        });
        eventually("the call reached it", || server.calls() == calls + 1).await;
        server.misbehave(Mode::Honest);
        assert_eq!(text(&ask(&session).await), "All quiet.", "beside {mode:?}");
        assert!(!waiting.is_finished(), "{mode:?}");
        waiting.abort();
    }
}
