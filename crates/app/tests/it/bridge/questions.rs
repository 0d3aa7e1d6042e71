//! # What servers ask, between the eras

use serde_json::{Value, json};

use super::{again, asked, asking_desk, client, session, talk};
use crate::gate::files::ANA;
use crate::puppet::Manner;
use crate::sessions::{Lobby, capabilities, taken, text};
use crate::talker::{TALK, Talker, form, page};
use crate::verdict::receipt_id;

/// | elicitation, sampling, roots: client of 2026-07-28, server with sessions | The server's request becomes `input_required`, and its call goes on waiting at the server; `requestState` is a sealed handle to it, for this caller and this very request, once. The request that brings the answer goes on with the call. | `input_required` with one question at a time, under the key `question`. |
#[tokio::test]
async fn a_question_of_a_session_becomes_a_round_trip() {
    let lobby = Lobby::start().await;
    let ana = client(&lobby, ANA);
    let params = json!({ "name": TALK });
    let (answer, _, speech) = talk(&lobby, &ana, params.clone()).await;
    speech.asks("of the server", "elicitation/create", form("Which room?"));
    let reply = answer.whole().await.unwrap();
    let (question, state) = asked(&reply.json);
    assert_eq!(question, json!({ "method": "elicitation/create", "params": form("Which room?") }));
    assert_eq!(lobby.gate.outcome(receipt_id(&reply)).await["end"]["type"], "input-required");

    // The answer reaches the server as the response to its request, and the call is read on.
    let accepted = json!({ "action": "accept", "content": { "room": "blue" } });
    let next = ana.open("tools/call", again(&params, accepted.clone(), &state)).await.unwrap();
    let returned = json!({ "jsonrpc": "2.0", "id": "of the server", "result": accepted });
    lobby.hears("the answer", |talker| talker.responses().contains(&returned)).await;
    // Several questions may follow one another.
    speech.asks(2, "sampling/createMessage", json!({ "messages": [], "maxTokens": 1 }));
    let reply = next.whole().await.unwrap();
    let (question, other) = asked(&reply.json);
    assert_eq!(question["method"], "sampling/createMessage");
    assert_ne!(other, state, "each question has a handle of its own");
    let model = json!({ "role": "assistant", "content": [], "model": "m" });
    let next = ana.open("tools/call", again(&params, model.clone(), &other)).await.unwrap();
    lobby.hears("the answer", |talker| talker.responses().len() == 2).await;
    speech.answers("booked");
    let reply = next.whole().await.unwrap();
    assert_eq!((text(&reply.json), &reply.json["result"]["resultType"]), ("booked", &json!("complete")));
    assert_eq!(lobby.talker.heard("tools/call").len(), 1, "the call was made once");
    assert_eq!(lobby.gate.outcome(receipt_id(&reply)).await["end"]["type"], "completed");
    assert_eq!(lobby.receipts("asked").await.len(), 2);
}

/// | a retry without the answer | The question is put once more. | The same question, with another handle. |
#[tokio::test]
async fn a_retry_without_an_answer_is_asked_again() {
    let lobby = Lobby::start().await;
    let ana = client(&lobby, ANA);
    let params = json!({ "name": TALK });
    let (answer, _, speech) = talk(&lobby, &ana, params.clone()).await;
    speech.asks(7, "roots/list", json!({}));
    let (_, state) = asked(&answer.whole().await.unwrap().json);
    let mut wrong = again(&params, json!({}), &state);
    wrong["inputResponses"] = json!({ "another": { "roots": [] } });
    let reply = ana.post("tools/call", wrong).await.unwrap();
    let (question, other) = asked(&reply.json);
    assert_eq!((question["method"].as_str(), lobby.talker.responses().len()), (Some("roots/list"), 0));
    let next = ana.open("tools/call", again(&params, json!({ "roots": [] }), &other)).await.unwrap();
    lobby.hears("the answer", |talker| talker.responses().len() == 1).await;
    speech.answers("done");
    assert_eq!(text(&next.whole().await.unwrap().json), "done");
}

/// | a question beside the call (on the session's own stream) | It is the question of the caller's one call that is open in the session. | `input_required`. With several calls open the server hears that it was not put. |
#[tokio::test]
async fn a_question_beside_the_only_call_is_that_calls() {
    let lobby = Lobby::start().await;
    let ana = client(&lobby, ANA);
    let params = json!({ "name": TALK });
    let call = tokio::spawn({
        let (ana, params) = (ana.clone(), params.clone());
        async move { ana.post("tools/call", params).await.unwrap() }
    });
    // The answer has not begun when the server asks.
    let stage = lobby.talker.call().await;
    let aside = lobby.talker.aside(&stage.session).await;
    aside.asks("beside", "elicitation/create", form("Sure?"));
    let (_, state) = asked(&call.await.unwrap().json);
    let next = tokio::spawn({
        let params = again(&params, json!({ "action": "decline" }), &state);
        let ana = ana.clone();
        async move { ana.post("tools/call", params).await.unwrap() }
    });
    let returned = json!({ "jsonrpc": "2.0", "id": "beside", "result": { "action": "decline" } });
    lobby.hears("the answer", |talker| talker.responses().contains(&returned)).await;
    stage.answers(crate::talker::said("then not"));
    assert_eq!(text(&next.await.unwrap().json), "then not");

    let both = tokio::join!(lobby_call(&lobby, &ana), lobby_call(&lobby, &ana));
    aside.asks("whose?", "elicitation/create", form("Sure?"));
    let no = |talker: &Talker| talker.responses().iter().any(|one| one["id"] == "whose?" && one.get("error").is_some());
    lobby.hears("that it was not put", no).await;
    drop(both);
}

async fn lobby_call(lobby: &Lobby, client: &drill::mcp::Client) -> (tokio::task::JoinHandle<()>, crate::talker::Stage) {
    let client = client.clone();
    let call = tokio::spawn(async move { drop(client.call(TALK, json!({})).await) });
    (call, lobby.talker.call().await)
}

/// | a page to be opened first (-32042) | The error becomes `input_required` with a question for each page; nothing waits, and the request is made again as a new call. | `input_required` without `requestState`. |
#[tokio::test]
async fn pages_to_be_opened_are_asked_for() {
    let lobby = Lobby::start().await;
    let ana = client(&lobby, ANA);
    lobby.talker.behave(|script| script.manner = Manner::Asks);
    let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
    let reply = ana.post("tools/call", params.clone()).await.unwrap();
    let result = &reply.json["result"];
    assert_eq!(result["resultType"], "input_required", "{:#}", reply.json);
    let mut shown = page("p-1");
    shown.as_object_mut().unwrap().remove("elicitationId");
    let question = json!({ "method": "elicitation/create", "params": shown });
    assert_eq!((&result["inputRequests"], result.get("requestState")), (&json!({ "page-1": question }), None));
    lobby.talker.behave(|script| script.manner = Manner::Honest);
    let mut params = params;
    params["inputResponses"] = json!({ "page-1": { "action": "accept" } });
    let reply = ana.post("tools/call", params).await.unwrap();
    assert_eq!(super::said(&reply), "did \"read_ticket\"");
    assert_eq!(lobby.talker.heard("tools/call").last().unwrap().message["params"].get("inputResponses"), None);
}

/// | a question that may not be put | The server hears so, and the call goes on. | The call's answer. |
#[tokio::test]
async fn what_may_not_be_asked_is_not_and_the_call_goes_on() {
    let silent = Lobby::silent().await;
    let asking = Lobby::start().await;
    for (lobby, capabilities) in [(&silent, capabilities()), (&asking, json!({ "roots": {} }))] {
        let ana = client(lobby, ANA).with_capabilities(capabilities);
        let (answer, _, speech) = talk(lobby, &ana, json!({ "name": TALK })).await;
        speech.asks(7, "elicitation/create", form("Your password?"));
        let no = |talker: &Talker| talker.responses().iter().any(|one| one["id"] == 7 && one.get("error").is_some());
        lobby.hears("that it may not ask", no).await;
        speech.asks(8, "ping", json!({}));
        lobby.hears("that somebody is there", |talker| talker.responses().iter().any(|one| one["id"] == 8)).await;
        speech.answers("done");
        assert_eq!(text(&answer.whole().await.unwrap().json), "done");
        assert_eq!(lobby.receipts("asked").await.len(), 0);
        assert_eq!(lobby.receipts("refused").await[0]["control"], "ask");
    }
}

/// | elicitation, sampling, roots: client with a session, server of 2026-07-28 | The questions of an `input_required` become requests on the stream of the client's own request; each answer takes the path of answers. When all are there the request is made again with them and the server's `requestState`. | Requests of the server's, as in its own revision; then the answer. |
#[tokio::test]
async fn a_round_trip_becomes_questions_in_the_stream() {
    let gate = asking_desk().await;
    gate.desk.behave(|script| script.manner = Manner::AsksTwice);
    let session = session(&gate).await;
    let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
    let mut answer = session.post(&session.request("tools/call", params)).await;
    for round in ["q1", "q2"] {
        let question = answer.message().await;
        assert_eq!((&question["method"], &question["params"]["mode"]), (&json!("elicitation/create"), &json!("form")));
        let reply = session.answer(&question["id"], json!({ "action": "accept", "content": { "of": round } })).await;
        taken(&reply);
        let intent = gate.receipt(receipt_id(&reply)).await;
        assert_eq!(intent["record"]["event"]["method"], "elicitation/create", "the answer has an intent of its own");
    }
    let end = answer.message().await;
    assert_eq!(text(&end), "did \"read_ticket\"");
    assert_eq!(end["result"].get("resultType"), None);
    let calls: Vec<Value> =
        gate.desk.forwarded().iter().map(|seen| serde_json::from_slice(&seen.body).unwrap()).collect();
    assert_eq!(calls.len(), 3, "{calls:#?}");
    assert_eq!(calls[0]["params"].get("inputResponses"), None);
    for (call, key, state) in [(&calls[1], "q1", "s-1"), (&calls[2], "q2", "s-2")] {
        let answers = json!({ key: { "action": "accept", "content": { "of": key } } });
        assert_eq!((&call["params"]["inputResponses"], &call["params"]["requestState"]), (&answers, &json!(state)));
        assert_ne!(call["id"], calls[0]["id"], "each leg has an id of its own");
    }
}

/// | an answer that says no | An error to a question of the user is told the server as `cancel`; an error to any other ends the call. | The call's answer, or `release-refused`. |
/// | a question that may not be put to a client with a session | A server of 2026-07-28 does not go on without an answer: the call ends. | `release-refused`, or `capability-missing`. |
#[tokio::test]
async fn a_question_without_an_answer_ends_the_call_or_is_left() {
    let gate = asking_desk().await;
    gate.desk.behave(|script| script.manner = Manner::AsksTwice);
    let asked = session(&gate).await;
    let params = || json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
    let mut answer = asked.post(&asked.request("tools/call", params())).await;
    let id = answer.message().await["id"].clone();
    let error = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -1, "message": "no window" } });
    taken(&asked.post(&error).await.whole().await);
    gate.desk.reached(2).await;
    let call: Value = serde_json::from_slice(&gate.desk.forwarded()[1].body).unwrap();
    assert_eq!(call["params"]["inputResponses"], json!({ "q1": { "action": "cancel" } }));
    drop(answer);

    let mute = crate::session::Line::new(&gate, "desk", ANA).begin(json!({})).await;
    let reply = mute.post(&mute.request("tools/call", params())).await.whole().await;
    assert_eq!(reply.json["error"]["code"], -32021, "{:#}", reply.json);
}
