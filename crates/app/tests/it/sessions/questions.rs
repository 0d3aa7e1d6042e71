//! What servers ask the user and the model: put to the client only if they may, answered once, and never by anybody else.

use serde_json::{Value, json};

use super::{Lobby, capabilities, taken, text};
use crate::gate::files::ANA;
use crate::session::Session;
use crate::talker::{Talker, form, said};
use crate::verdict::{PARAMS_INVALID, passes, receipt_id};

/// The refusal of an answer. Its id is a question's, and must not be taken for one of the client's own.
async fn turned_down(lobby: &Lobby, reply: &drill::mcp::Reply) {
    lobby.gate.refuses(reply, PARAMS_INVALID).await;
    assert_eq!(reply.json.get("id"), None, "{:#}", reply.json);
}

/// The gate's answer to a question that was not put.
async fn is_told_no(lobby: &Lobby, id: &Value) {
    lobby.hears("that it may not ask", |talker: &Talker| told_no(talker, id).is_some()).await;
    let told = told_no(&lobby.talker, id).unwrap();
    assert_eq!(told["error"]["message"], "the question was not put to the client");
    assert_eq!(told["error"].get("data"), None, "servers are told no more than that");
}

fn told_no(talker: &Talker, id: &Value) -> Option<Value> {
    talker.responses().into_iter().find(|one| one.get("error").is_some() && one["id"] == *id)
}

/// The question as the client has it.
fn is_asked(question: &Value, method: &str, params: &Value) -> Value {
    assert_eq!((&question["method"], &question["params"]), (&json!(method), params), "{question:#}");
    assert!(question["id"].is_number(), "by an id of the gate's: {question:#}");
    question["id"].clone()
}

#[tokio::test]
async fn a_question_within_a_call_is_put_and_its_answer_returns_once() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    let call = answer.receipt();
    speech.asks("of the server", "elicitation/create", form("Which room?"));
    let id = is_asked(&answer.message().await, "elicitation/create", &form("Which room?"));
    let given = json!({ "action": "accept", "content": { "room": "the blue one" } });
    let reply = session.answer(&id, given.clone()).await;
    taken(&reply);
    lobby.hears("the answer", |talker| talker.responses().len() == 1).await;
    let returned = lobby.talker.responses().remove(0);
    assert_eq!(returned, json!({ "jsonrpc": "2.0", "id": "of the server", "result": given }));
    speech.answers("booked");
    assert_eq!(text(&answer.message().await), "booked");

    // The question names its call, and the answer has an intent and an outcome.
    let asked = lobby.receipts("asked").await;
    assert_eq!(asked.len(), 1);
    let expected = (&json!("elicitation/create"), &json!("lobby"), &json!(call));
    assert_eq!((&asked[0]["method"], &asked[0]["server"], &asked[0]["call"]), expected);
    let intent = lobby.gate.receipt(receipt_id(&reply)).await;
    let event = &intent["record"]["event"];
    assert_eq!((&intent["record"]["kind"], &event["method"]), (&json!("intent"), &json!("elicitation/create")));
    assert_eq!((&event["server"], &event["object"]["name"]), (&json!("lobby"), &json!("talk")));
    assert!(event["policies"].to_string().contains("lobby-asks"), "{event:#}");
    assert!(!intent.to_string().contains("blue"), "an answer's content is committed to, not written down");
    assert_eq!(lobby.gate.outcome(receipt_id(&reply)).await["end"]["type"], "completed");

    turned_down(&lobby, &session.answer(&id, json!({ "action": "accept" })).await).await;
    assert_eq!(lobby.talker.responses().len(), 1);
}

#[tokio::test]
async fn every_kind_of_question_is_put_on_either_stream() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut heard, aside) = lobby.aside(&session).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    let sampling = json!({ "messages": [], "maxTokens": 10 });
    let kinds = [
        ("elicitation/create", form("Who?"), json!({ "action": "decline" })),
        ("sampling/createMessage", sampling, json!({ "role": "assistant", "content": [], "model": "m" })),
        ("roots/list", json!({}), json!({ "roots": [] })),
    ];
    let mut ids = Vec::new();
    for (number, (method, params, result)) in kinds.into_iter().enumerate() {
        for (place, stream, put) in [("call", &mut answer, &speech), ("aside", &mut heard, &aside)] {
            // Servers may count as they like: here the same number on both streams.
            let own = json!(format!("{place} {number}"));
            put.asks(own.clone(), method, params.clone());
            let id = is_asked(&stream.message().await, method, &params);
            assert!(!ids.contains(&id), "no two questions of a session have one id");
            ids.push(id.clone());
            taken(&session.answer(&id, result.clone()).await);
            let wanted = json!({ "jsonrpc": "2.0", "id": own, "result": result });
            lobby.hears("the answer", |talker| talker.responses().contains(&wanted)).await;
        }
    }
    assert_eq!(lobby.talker.responses().len(), 6);
    assert_eq!(lobby.receipts("asked").await.iter().filter(|one| one.get("call").is_some()).count(), 3);
}

#[tokio::test]
async fn a_question_that_policy_forbids_is_not_put_and_the_call_goes_on() {
    let lobby = Lobby::silent().await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.asks(7, "elicitation/create", form("Your password?"));
    is_told_no(&lobby, &json!(7)).await;
    speech.logs("then without");
    assert_eq!(answer.message().await["params"]["data"], "then without");
    speech.answers("done");
    assert_eq!(text(&answer.message().await), "done");
    let refused = lobby.receipts("refused").await;
    assert_eq!((&refused[0]["control"], &refused[0]["reason"]), (&json!("ask"), &json!("release-refused")));
    assert!(refused[0]["policies"].to_string().contains("lobby-asks-nothing"), "{:#}", refused[0]);
    // Neither may it ask beside a call.
    let (mut heard, aside) = lobby.aside(&session).await;
    aside.asks("8", "roots/list", json!({}));
    is_told_no(&lobby, &json!("8")).await;
    assert!(heard.is_silent().await);
    assert_eq!(lobby.receipts("asked").await.len(), 0);
}

#[tokio::test]
async fn a_client_is_not_asked_what_it_cannot_be_asked() {
    let lobby = Lobby::start().await;
    for (declared, method, params) in [
        (json!({}), "elicitation/create", form("Who?")),
        (json!({ "elicitation": {} }), "sampling/createMessage", json!({ "messages": [], "maxTokens": 1 })),
        (json!({ "elicitation": {} }), "elicitation/create", crate::talker::page("p")),
        (json!({ "elicitation": { "url": {} } }), "elicitation/create", form("Who?")),
        (json!({ "sampling": {} }), "roots/list", json!({})),
        (capabilities(), "tools/list", json!({})),
        (capabilities(), "made/up", json!({})),
    ] {
        let session = lobby.line(ANA).begin(declared).await;
        let (mut answer, speech) = lobby.talk(&session).await;
        let id = json!(format!("{method} of {}", session.id));
        speech.asks(id.clone(), method, params);
        is_told_no(&lobby, &id).await;
        speech.answers("done");
        assert_eq!(text(&answer.message().await), "done", "{method}");
    }
    assert_eq!(lobby.receipts("asked").await.len(), 0);
}

#[tokio::test]
async fn an_answer_to_nothing_goes_nowhere() {
    let lobby = Lobby::start().await;
    let (session, other) = (lobby.begin(ANA).await, lobby.begin(ANA).await);
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.asks(7, "roots/list", json!({}));
    let id = is_asked(&answer.message().await, "roots/list", &json!({}));
    let roots = || json!({ "roots": [{ "uri": "file:///somebody" }] });
    let number = id.as_i64().unwrap();
    for id in [json!(number + 1), json!(0), json!(-1), json!(7 + number), json!(id.to_string()), json!("7")] {
        turned_down(&lobby, &session.answer(&id, roots()).await).await;
    }
    turned_down(&lobby, &other.answer(&id, roots()).await).await;
    assert_eq!(lobby.talker.responses().len(), 0);
    // None of it used the question up.
    taken(&session.answer(&id, json!({ "roots": [] })).await);
    lobby.hears("the answer", |talker| talker.responses().len() == 1).await;
    assert_eq!(lobby.talker.responses()[0]["result"], json!({ "roots": [] }));
}

#[tokio::test]
async fn an_answer_that_says_no_is_an_answer() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.asks(7, "sampling/createMessage", json!({ "messages": [], "maxTokens": 1 }));
    let id = answer.message().await["id"].clone();
    let error = json!({ "code": -1, "message": "the user said no" });
    let reply = session.post(&json!({ "jsonrpc": "2.0", "id": id, "error": error })).await.whole().await;
    taken(&reply);
    lobby.hears("the answer", |talker| talker.responses().len() == 1).await;
    assert_eq!(lobby.talker.responses()[0], json!({ "jsonrpc": "2.0", "id": 7, "error": error }));
    drop(speech);
}

#[tokio::test]
async fn a_server_takes_its_question_back() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.asks("q", "elicitation/create", form("Who?"));
    let id = answer.message().await["id"].clone();
    speech.notes("notifications/cancelled", json!({ "requestId": "never asked" }));
    speech.notes("notifications/cancelled", json!({ "requestId": "q", "reason": "found it" }));
    let told = answer.message().await;
    assert_eq!(told["method"], "notifications/cancelled");
    assert_eq!(told["params"], json!({ "requestId": id, "reason": "found it" }));
    turned_down(&lobby, &session.answer(&id, json!({ "action": "decline" })).await).await;
    assert_eq!(lobby.talker.responses().len(), 0);
    speech.answers("done");
    assert_eq!(text(&answer.message().await), "done");
}

#[tokio::test]
async fn an_answer_is_decided_on_when_it_is_given() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.asks(7, "elicitation/create", form("Who?"));
    let id = answer.message().await["id"].clone();
    lobby.may_ask(false).await;
    let reply = session.answer(&id, json!({ "action": "accept", "content": { "who": "ana" } })).await;
    // An error's status, because that is all that a client reads of it, and no id of a question.
    assert_eq!(reply.status, 403, "{:#}", reply.json);
    assert_eq!(reply.json.get("id"), None);
    let receipt = lobby.gate.receipt(receipt_id(&reply)).await;
    let event = &receipt["record"]["event"];
    assert_eq!((&event["reason"], &event["method"]), (&json!("policy-forbids"), &json!("elicitation/create")));
    // Nothing of it reaches the server, which does not wait for ever either.
    is_told_no(&lobby, &json!(7)).await;
    assert!(!lobby.talker.responses().iter().any(|one| one.to_string().contains("ana")));
    speech.answers("done");
    assert_eq!(text(&answer.message().await), "done");
}

#[tokio::test]
async fn each_side_is_there_when_it_is_asked() {
    let lobby = Lobby::silent().await;
    let session = lobby.begin(ANA).await;
    let pong = session.send("ping", json!({})).await;
    assert_eq!(pong.result(), Some(&json!({})));
    assert_eq!(lobby.talker.calls(), 0, "the gate answers for itself");
    let (mut heard, aside) = lobby.aside(&session).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    aside.asks("a", "ping", json!({}));
    speech.asks(1, "ping", json!({}));
    for id in [json!("a"), json!(1)] {
        let pong = json!({ "jsonrpc": "2.0", "id": id, "result": {} });
        lobby.hears("an answer to its ping", |talker| talker.responses().contains(&pong)).await;
    }
    speech.answers("done");
    assert_eq!(text(&answer.message().await), "done");
    assert!(heard.is_silent().await, "a client is not asked for the gate");
}

/// Answers a question on a stream whose connection broke before it was heard.
#[tokio::test]
async fn a_question_waits_for_a_client_that_reads_on() {
    let lobby = Lobby::start().await;
    let session: Session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.logs("working");
    answer.message().await;
    let last = answer.last.clone().unwrap();
    drop(answer);
    speech.asks(7, "roots/list", json!({}));
    let mut again = session.read_on(&last).await;
    let id = again.message().await["id"].clone();
    taken(&session.answer(&id, json!({ "roots": [] })).await);
    lobby.hears("the answer", |talker| talker.responses().len() == 1).await;
    speech.say(&json!({ "jsonrpc": "2.0", "id": speech.id, "result": said("done") }));
    assert_eq!(text(&again.message().await), "done");
    passes(&session.read_ticket().await);
}
