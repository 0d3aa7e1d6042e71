//! Pages that a server asks the user to open (URL elicitation): shown if it may ask, and only their own end is told.

use serde_json::{Value, json};

use super::{Lobby, capabilities, taken, text};
use crate::gate::files::ANA;
use crate::session::{Answer, Session};
use crate::talker::{Speech, TALK, page};
use crate::verdict::{CAPABILITY_MISSING, RELEASE_REFUSED, passes};

const COMPLETE: &str = "notifications/elicitation/complete";

/// Calls the tool, which wants pages opened first.
async fn wanting(lobby: &Lobby, session: &Session, pages: &[&str]) -> drill::mcp::Reply {
    let pages: Vec<Value> = pages.iter().map(|id| page(id)).collect();
    let error = json!({ "code": -32042, "message": "sign in first", "data": { "elicitations": pages } });
    let call = session.request("tools/call", json!({ "name": TALK }));
    let (reply, ()) = tokio::join!(async { session.post(&call).await.whole().await }, async {
        let stage = lobby.talker.call().await;
        let id = stage.id().clone();
        stage.sends(json!({ "jsonrpc": "2.0", "id": id, "error": error }));
    });
    reply
}

/// Says that a page is done with, and whether the client heard it.
async fn tells(speech: &Speech, heard: &mut Answer, id: &str) -> bool {
    speech.notes(COMPLETE, json!({ "elicitationId": id }));
    speech.logs("and so on");
    let next = heard.message().await;
    if next["method"] != COMPLETE {
        assert_eq!(next["params"]["data"], "and so on");
        return false;
    }
    assert_eq!(next["params"]["elicitationId"], id);
    assert_eq!(heard.message().await["params"]["data"], "and so on");
    true
}

#[tokio::test]
async fn a_page_is_shown_and_its_end_is_told_once() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut heard, aside) = lobby.aside(&session).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.asks("q", "elicitation/create", page("p-1"));
    let question = answer.message().await;
    assert_eq!(question["params"], page("p-1"));
    assert!(!tells(&speech, &mut answer, "p-2").await, "nobody was shown that one");
    taken(&session.answer(&question["id"], json!({ "action": "accept" })).await);
    // It is told wherever the server tells it, and once.
    assert!(tells(&aside, &mut heard, "p-1").await);
    assert!(!tells(&aside, &mut heard, "p-1").await);
    assert!(!tells(&speech, &mut answer, "p-1").await);
    speech.answers("done");
    assert_eq!(text(&answer.message().await), "done");
}

#[tokio::test]
async fn a_call_that_wants_pages_says_so_if_it_may() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut heard, aside) = lobby.aside(&session).await;
    let reply = wanting(&lobby, &session, &["p-1", "p-2"]).await;
    assert_eq!((reply.status.as_u16(), reply.error_code()), (200, Some(-32042)));
    assert_eq!(reply.error().unwrap()["data"]["elicitations"], json!([page("p-1"), page("p-2")]));
    let outcome = lobby.gate.outcome(crate::verdict::receipt_id(&reply)).await;
    assert_eq!(outcome["end"]["type"], "input-required");
    assert!(tells(&aside, &mut heard, "p-2").await);
    assert!(tells(&aside, &mut heard, "p-1").await);
    assert!(!tells(&aside, &mut heard, "p-2").await);

    // Another session was shown none of them.
    let other = lobby.begin(ANA).await;
    wanting(&lobby, &session, &["p-3"]).await;
    let (mut heard, aside) = lobby.aside(&other).await;
    assert!(!tells(&aside, &mut heard, "p-3").await);
}

#[tokio::test]
async fn a_call_that_wants_pages_and_may_not_ask_is_withheld() {
    let lobby = Lobby::silent().await;
    let session = lobby.begin(ANA).await;
    let reply = wanting(&lobby, &session, &["p-1"]).await;
    lobby.gate.ends(&reply, RELEASE_REFUSED, "result-withheld").await;
    assert!(!String::from_utf8_lossy(&reply.body).contains("login.example"));
    let mut fewer = capabilities();
    fewer["elicitation"] = json!({ "form": {} });
    let session = lobby.line(ANA).begin(fewer).await;
    let reply = wanting(&lobby, &session, &["p-1"]).await;
    lobby.gate.ends(&reply, CAPABILITY_MISSING.in_body(), "result-withheld").await;
    assert!(!String::from_utf8_lossy(&reply.body).contains("login.example"));
    // What was not shown has no end that could be told.
    let (mut heard, aside) = lobby.aside(&session).await;
    assert!(!tells(&aside, &mut heard, "p-1").await);
    passes(&session.read_ticket().await);
}

#[tokio::test]
async fn pages_that_are_none_are_withheld() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    for data in [
        json!({}),
        json!({ "elicitations": [] }),
        json!({ "elicitations": [{ "mode": "form", "message": "Your password?", "requestedSchema": {} }] }),
        json!({ "elicitations": [{ "mode": "url", "url": "https://x.example", "message": "no id" }] }),
        json!({ "Elicitations": [page("p")] }),
    ] {
        let error = json!({ "code": -32042, "message": "sign in", "data": data });
        let call = session.request("tools/call", json!({ "name": TALK }));
        let (reply, ()) = tokio::join!(async { session.post(&call).await.whole().await }, async {
            let stage = lobby.talker.call().await;
            let id = stage.id().clone();
            stage.sends(json!({ "jsonrpc": "2.0", "id": id, "error": error }));
        });
        lobby.gate.ends(&reply, crate::verdict::ANSWER_REFUSED.in_body(), "result-withheld").await;
    }
}
