//! # Attacks on calls that wait for their client
//!
//! A handle to a call that waits is good for whoever was given it, for the very same request, once, and while nobody
//! stopped or changed anything.

use drill::mcp::{Client, Reply};
use serde_json::{Value, json};

use super::{again, asked, client, talk};
use crate::gate::files::{ANA, ANA_AT_DESKTOP, BOB};
use crate::sessions::Lobby;
use crate::talker::{Speech, TALK, Talker, form};
use crate::verdict::{HALTED, PARAMS_INVALID};

fn params() -> Value {
    json!({ "name": TALK })
}

/// A call that waits for an answer: its state, and the server's end of it.
async fn wait(lobby: &Lobby, client: &Client) -> (String, Speech) {
    let (answer, _, speech) = talk(lobby, client, params()).await;
    speech.asks("q", "elicitation/create", form("Sure?"));
    let (_, state) = asked(&answer.whole().await.unwrap().json);
    (state, speech)
}

async fn retry(client: &Client, params: &Value, state: &str) -> Reply {
    client.post("tools/call", again(params, json!({ "action": "accept" }), state)).await.unwrap()
}

async fn is_taken_back(lobby: &Lobby, speech: &Speech) {
    let id = speech.id.clone();
    let cancelled = |talker: &Talker| {
        talker.heard("notifications/cancelled").iter().any(|seen| seen.message["params"]["requestId"] == id)
    };
    lobby.hears("that the call is taken back", cancelled).await;
    assert_eq!(lobby.talker.responses().len(), 0, "and no answer");
}

/// | a handle in other hands, for another request, or used twice | The whole path is taken again, and the handle opens for its caller, endpoint, server and parameters only. | `params-invalid`; the call goes on waiting for its owner. |
#[tokio::test]
async fn a_handle_is_its_callers_for_its_request_once() {
    let lobby = Lobby::start().await;
    let ana = client(&lobby, ANA);
    let (state, speech) = wait(&lobby, &ana).await;
    for other in [ANA_AT_DESKTOP, BOB] {
        let reply = retry(&client(&lobby, other), &params(), &state).await;
        assert!(reply.json.get("error").is_some() || reply.json["result"]["isError"] == true, "{:#}", reply.json);
    }
    let annex = lobby.gate.client_at("annex", ANA);
    for (client, params) in [
        (&annex, params()),
        (&ana, json!({ "name": TALK, "arguments": {} })),
        (&ana, json!({ "name": TALK, "more": 1 })),
        (&ana, json!({ "name": "read_ticket", "arguments": { "ticket": "1" } })),
    ] {
        let reply = retry(client, &params, &state).await;
        lobby.gate.says(&reply, PARAMS_INVALID);
    }
    let beheaded: String = state.chars().skip(1).collect();
    for forged in ["", "x", &beheaded, &format!("{state}A"), &state.to_ascii_lowercase()] {
        lobby.gate.says(&retry(&ana, &params(), forged).await, PARAMS_INVALID);
    }
    assert_eq!((lobby.talker.responses().len(), lobby.talker.heard("tools/call").len()), (0, 1));

    // None of it used the handle up.
    let next = ana.open("tools/call", again(&params(), json!({ "action": "accept" }), &state)).await.unwrap();
    lobby.hears("the answer", |talker| talker.responses().len() == 1).await;
    lobby.gate.says(&retry(&ana, &params(), &state).await, PARAMS_INVALID);
    speech.answers("done");
    assert_eq!(crate::sessions::text(&next.whole().await.unwrap().json), "done");
    lobby.gate.says(&retry(&ana, &params(), &state).await, PARAMS_INVALID);
    assert_eq!(lobby.talker.responses().len(), 1);
}

/// | a halt, a withdrawn permit, a changed server while a call waits | The call is taken back at its server at once. | The refusal that says why; afterwards `params-invalid`. |
#[tokio::test]
async fn a_call_that_waits_ends_with_a_halt() {
    let lobby = Lobby::start().await;
    let ana = client(&lobby, ANA);
    let (state, speech) = wait(&lobby, &ana).await;
    lobby.gate.must(&["halt", "user", "ana", "--reason", "a drill"]).await;
    is_taken_back(&lobby, &speech).await;
    lobby.gate.refuses(&retry(&ana, &params(), &state).await, HALTED).await;
    lobby.gate.must(&["resume", "user", "ana"]).await;
    lobby.gate.says(&retry(&ana, &params(), &state).await, PARAMS_INVALID);
    assert_eq!(lobby.talker.responses().len(), 0);
}

#[tokio::test]
async fn a_call_that_waits_ends_with_its_servers_suspension() {
    let lobby = Lobby::start().await;
    let ana = client(&lobby, ANA);
    let (_state, speech) = wait(&lobby, &ana).await;
    lobby.gate.must(&["server", "suspend", "lobby", "--reason", "a drill"]).await;
    is_taken_back(&lobby, &speech).await;
}

#[tokio::test]
async fn a_call_that_waits_ends_when_its_definition_changes() {
    let lobby = Lobby::start().await;
    let ana = client(&lobby, ANA);
    let (_state, speech) = wait(&lobby, &ana).await;
    lobby.talker.change(|script| script.tool(TALK)["description"] = "Talks, and more.".into());
    lobby.drift_seen().await;
    is_taken_back(&lobby, &speech).await;
}

/// | more calls that wait than may | At most so many of one caller wait. | The question is not put: the server hears so, and the call goes on. |
#[tokio::test]
async fn a_caller_has_so_many_calls_waiting_and_no_more() {
    let lobby = Lobby::start().await;
    let ana = client(&lobby, ANA);
    let mut waiting = Vec::new();
    for _ in 0..16 {
        waiting.push(wait(&lobby, &ana).await);
    }
    let (answer, _, speech) = talk(&lobby, &ana, params()).await;
    speech.asks("one more", "elicitation/create", form("Sure?"));
    let no =
        |talker: &Talker| talker.responses().iter().any(|one| one["id"] == "one more" && one.get("error").is_some());
    lobby.hears("that it was not put", no).await;
    speech.answers("done");
    assert_eq!(crate::sessions::text(&answer.whole().await.unwrap().json), "done");
    // Another caller's are its own.
    let desktop = client(&lobby, ANA_AT_DESKTOP);
    let _other = wait(&lobby, &desktop).await;
}
