//! A session that outlives a halt: of its user, its agent, its endpoint or everything it is over for good; of a tool or a
//! server, what was kept of their streams is given to nobody, and nothing more is heard of them.

use serde_json::{Value, json};

use crate::gate::Gate;
use crate::gate::files::{ANA, BOB};
use crate::session::{Answer, Session};
use crate::sessions::{Lobby, text};
use crate::talker::{Speech, TALK, form};
use crate::verdict::{HALTED, No, SESSION_UNKNOWN, TOOL_HALTED, passes, words};

/// The scopes that end sessions, and whether Bob's, of the same agent at the same endpoint, goes on.
const SCOPES: [(&[&str], bool); 4] = [
    (&["user", "ana"], true),
    (&["agent", "helpdesk"], false),
    (&["endpoint", "lobby"], false),
    (&["everything"], false),
];

async fn halt(gate: &Gate, scope: &[&str]) {
    gate.must(&[&["halt"], scope, &["--reason", "a drill"]].concat()).await;
}

async fn resume(gate: &Gate, scope: &[&str]) {
    gate.must(&[&["resume"], scope].concat()).await;
}

/// A call whose stream has begun, with one message heard.
async fn begun(lobby: &Lobby, session: &Session) -> (Answer, Speech, String) {
    let (mut answer, speech) = lobby.talk(session).await;
    speech.logs("working");
    answer.message().await;
    let last = answer.last.clone().unwrap();
    (answer, speech, last)
}

/// The stream was cut: it says why, or ends, and nothing of the server's comes after the halt.
async fn cut(answer: &mut Answer, no: No) {
    let rest = answer.rest().await;
    assert!(rest.len() <= 1, "{rest:#?}");
    if let Some(last) = rest.first() {
        words(last, no);
    }
}

#[tokio::test]
async fn halting_whoever_has_it_ends_a_session_for_good() {
    let lobby = Lobby::start().await;
    for (scope, bob_goes_on) in SCOPES {
        let (session, bobs) = (lobby.begin(ANA).await, lobby.begin(BOB).await);
        passes(&bobs.read_ticket().await);
        let (mut heard, aside) = lobby.aside(&session).await;
        let (mut open, speech, _) = begun(&lobby, &session).await;
        let (broken, kept, last) = begun(&lobby, &session).await;
        let receipts = [open.receipt(), broken.receipt()];
        drop(broken);
        kept.logs("kept");
        speech.asks(7, "elicitation/create", form("Who?"));
        let question = open.message().await["id"].clone();

        halt(&lobby.gate, scope).await;
        for one in [&speech, &kept, &aside] {
            one.logs("after the halt");
        }
        cut(&mut open, HALTED).await;
        assert_eq!(heard.next().await, None, "{scope:?}");
        for receipt in receipts {
            let outcome = lobby.gate.outcome(&receipt).await;
            assert_eq!(outcome["end"], json!({ "type": "cut", "why": "halted" }), "{scope:?}: {outcome:#}");
        }
        lobby.hears("that nobody listens", |_| ![&speech, &kept, &aside].iter().any(|one| one.is_heard())).await;
        lobby.hears("the end of its session", |talker| talker.session(&speech.session).over).await;
        let calls = responses_and_calls(&lobby);
        for reply in everything(&session, &last, &question).await {
            let no = if reply.status == 404 { SESSION_UNKNOWN } else { HALTED };
            lobby.gate.refuses(&reply, no).await;
        }
        resume(&lobby.gate, scope).await;
        for reply in everything(&session, &last, &question).await {
            lobby.gate.refuses(&reply, SESSION_UNKNOWN).await;
        }
        assert_eq!(responses_and_calls(&lobby), calls, "{scope:?}");
        let reply = bobs.read_ticket().await;
        match bob_goes_on {
            true => passes(&reply),
            false => _ = lobby.gate.refuses(&reply, SESSION_UNKNOWN).await,
        }
        // Whoever may again begins anew.
        passes(&lobby.begin(ANA).await.read_ticket().await);
    }
}

fn responses_and_calls(lobby: &Lobby) -> usize {
    lobby.talker.responses().len() + lobby.talker.heard("tools/call").len()
}

async fn everything(session: &Session, last: &str, question: &Value) -> Vec<drill::mcp::Reply> {
    vec![
        session.read_on(last).await.whole().await,
        session.listen().await.whole().await,
        session.answer(question, json!({ "action": "accept", "content": {} })).await,
        session.read_ticket().await,
        session.send("tools/list", json!({})).await,
    ]
}

#[tokio::test]
async fn a_halt_and_its_end_in_one_breath_end_it_too() {
    let lobby = Lobby::start().await;
    for _ in 0..5 {
        let session = lobby.begin(ANA).await;
        passes(&session.read_ticket().await);
        halt(&lobby.gate, &["user", "ana"]).await;
        resume(&lobby.gate, &["user", "ana"]).await;
        lobby.gate.refuses(&session.read_ticket().await, SESSION_UNKNOWN).await;
    }
}

#[tokio::test]
async fn nothing_kept_of_a_halted_tool_is_given_out() {
    let lobby = Lobby::start().await;
    for scope in [&["tool", "lobby/talk"][..], &["server", "lobby"]] {
        let session = lobby.begin(ANA).await;
        passes(&session.read_ticket().await);
        let (mut open, speech, _) = begun(&lobby, &session).await;
        let (broken, kept, last) = begun(&lobby, &session).await;
        drop(broken);
        kept.logs("kept");
        let (ended, spoken, end) = begun(&lobby, &session).await;
        drop(ended);
        spoken.answers("kept too");
        halt(&lobby.gate, scope).await;
        speech.logs("after the halt");
        let cut = open.rest().await;
        assert_eq!(cut.len(), 1, "{scope:?}");
        told_error(&cut[0], TOOL_HALTED);
        for event in [&last, &end] {
            let reply = session.read_on(event).await.whole().await;
            lobby.gate.refuses(&reply, TOOL_HALTED).await;
        }
        lobby.hears("that nobody listens", |_| !speech.is_heard() && !kept.is_heard()).await;
        // The session lives, and what is not halted goes on.
        passes(&session.send("ping", json!({})).await);
        let read = session.read_ticket().await;
        match scope[0] {
            "tool" => passes(&read),
            _ => _ = lobby.gate.refuses(&read, TOOL_HALTED).await,
        }
        resume(&lobby.gate, scope).await;
        // What was cut stays cut: the rest of it says so, and not what the server said meanwhile.
        let rest = session.read_on(&last).await.whole().await;
        assert!(!String::from_utf8_lossy(&rest.body).contains("after the halt"));
        passes(&session.read_ticket().await);
    }
}

/// A refusal at the end of a stream, whichever way it is told.
fn told_error(message: &Value, no: No) {
    let told = match message.get("error") {
        Some(error) => &error["data"]["dev.portcullis/refusal"],
        None => &message["result"]["_meta"]["dev.portcullis/refusal"],
    };
    assert_eq!(told["reason"], no.reason, "{message:#}");
}

#[tokio::test]
async fn a_halted_server_is_not_heard_beside_its_calls_either() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut heard, aside) = lobby.aside(&session).await;
    aside.asks("before", "roots/list", json!({}));
    let question = heard.message().await["id"].clone();
    halt(&lobby.gate, &["server", "lobby"]).await;
    aside.logs("after the halt");
    aside.notes("notifications/resources/updated", json!({ "uri": "lobby://tickets/1" }));
    aside.asks("after", "elicitation/create", form("Your password?"));
    assert!(heard.is_silent().await, "a halted server is heard");
    let reply = session.answer(&question, json!({ "roots": [] })).await;
    assert_eq!(reply.status, 403, "{:#}", reply.json);
    assert!(!lobby.talker.responses().iter().any(|one| one.get("result").is_some()));
    resume(&lobby.gate, &["server", "lobby"]).await;
    passes(&session.read_ticket().await);
    // What was kept from before it is not given out while it is halted.
    drop(heard);
    crate::client::streams_open(&lobby.gate, 0).await;
    aside.notes("notifications/resources/updated", json!({ "uri": "lobby://tickets/1" }));
    aside.asks("kept", "roots/list", json!({}));
    lobby.gate.until("/receipts?kind=asked", |page| page["receipts"].as_array().unwrap().len() == 2).await;
    halt(&lobby.gate, &["server", "lobby"]).await;
    let mut heard = session.listen().await;
    assert_eq!(heard.status, 200);
    assert!(heard.is_silent().await, "what a halted server said is given out");
    resume(&lobby.gate, &["server", "lobby"]).await;
    // What was said meanwhile is lost, not kept for later.
    aside.logs("again");
    let mut rest = Vec::new();
    while rest.last() != Some(&json!("again")) {
        rest.push(heard.message().await["params"]["data"].clone());
    }
    assert_eq!(rest, [json!("again")]);
}

#[tokio::test]
async fn a_session_cannot_be_begun_while_halted() {
    let lobby = Lobby::start().await;
    halt(&lobby.gate, &["user", "ana"]).await;
    let hello = lobby.line(ANA).greet("2025-11-25", json!({})).await;
    lobby.gate.refuses(&hello, HALTED).await;
    assert!(!hello.headers.contains_key(crate::session::SESSION));
    resume(&lobby.gate, &["user", "ana"]).await;
    passes(&lobby.begin(ANA).await.read_ticket().await);
}

#[tokio::test]
async fn a_call_that_waits_when_its_user_is_halted_is_not_answered() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let call = session.request("tools/call", json!({ "name": TALK }));
    let (reply, stage) = tokio::join!(async { session.post(&call).await.whole().await }, async {
        let stage = lobby.talker.call().await;
        halt(&lobby.gate, &["user", "ana"]).await;
        stage
    });
    stage.answers(crate::talker::said("a secret"));
    assert!(!String::from_utf8_lossy(&reply.body).contains("a secret"));
    assert_eq!(text(&reply.json), "");
    let outcome = lobby.gate.outcome(crate::verdict::receipt_id(&reply)).await;
    assert_ne!(outcome["end"]["type"], "completed", "{outcome:#}");
    let gone = session.read_on("1-0").await.whole().await;
    assert_ne!(gone.status, 200);
}
