//! # A client of 2026-07-28 at a server that keeps sessions

use serde_json::{Value, json};

use super::{client, said, talk};
use crate::gate::files::{ANA, ANA_AT_DESKTOP};
use crate::sessions::Lobby;
use crate::talker::{TALK, Talker, form};
use crate::verdict::passes;

const META: &str = "io.modelcontextprotocol/";

/// The message that reached the server last.
fn last(talker: &Talker) -> crate::talker::Seen {
    talker.forwarded().pop().expect("a message at the server")
}

/// | lifecycle, identity | The gate begins a session of its own with the server, for this agent and user alone, tells it what the client can be asked, and ends it when nobody needs it. Nothing of `_meta` that a session says once is passed on. | Nothing of it: every request stands for itself. |
/// | tool calls | The request goes out under an id of the gate's own; the result gets `resultType`. | A complete result. |
#[tokio::test]
async fn a_call_is_made_in_a_session_of_the_gates_own() {
    let lobby = Lobby::start().await;
    let reply = client(&lobby, ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap();
    passes(&reply);
    assert_eq!((said(&reply), &reply.json["result"]["resultType"]), ("did \"read_ticket\"", &json!("complete")));
    let seen = last(&lobby.talker);
    assert_eq!(seen.message["params"], json!({ "name": "read_ticket", "arguments": { "ticket": "1" } }));
    assert_eq!(seen.headers.get("mcp-method"), None, "a session is older than this header");
    let known = lobby.talker.session(seen.session.as_deref().expect("a session"));
    assert_eq!(
        known.capabilities.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["elicitation", "sampling", "roots"]
    );
    assert_eq!(known.client["name"], "portcullis");

    // The same caller's next call shares the session; another caller's never does.
    passes(&client(&lobby, ANA).call("read_ticket", json!({ "ticket": "2" })).await.unwrap());
    assert_eq!(last(&lobby.talker).session, seen.session);
    assert_ne!(last(&lobby.talker).message["id"], seen.message["id"], "ids are the gate's own");
    passes(&client(&lobby, ANA_AT_DESKTOP).call("read_ticket", json!({ "ticket": "3" })).await.unwrap());
    assert_ne!(last(&lobby.talker).session, seen.session);
    let mute = client(&lobby, ANA).with_capabilities(json!({}));
    passes(&mute.call("read_ticket", json!({ "ticket": "4" })).await.unwrap());
    let other = last(&lobby.talker).session.unwrap();
    assert_ne!(Some(&other), seen.session.as_ref(), "who can be asked less has a session in which less is asked");
    assert_eq!(lobby.talker.session(&other).capabilities, json!({}));
}

/// | discovery, listings | Definitions come from the pins, as within one era. `resources/list` goes to the server. | What it may see, with `ttlMs` and `cacheScope: "private"`. |
/// | resources, prompts, completion | As tool calls; what is read is for nobody's cache but the client's, for no time at all. | A complete result, with `ttlMs: 0` and `cacheScope: "private"` where 2026-07-28 wants them. |
#[tokio::test]
async fn everything_that_both_eras_have_is_there() {
    let lobby = Lobby::start().await;
    let ana = client(&lobby, ANA);
    let discovered = ana.discover().await.unwrap();
    let versions = &discovered.json["result"]["supportedVersions"];
    assert_eq!(versions, &json!(["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]));
    let tools = ana.list("tools/list").await.unwrap();
    assert!(tools.json["result"]["tools"].as_array().unwrap().iter().any(|tool| tool["name"] == TALK));
    let resources = ana.list("resources/list").await.unwrap();
    let result = &resources.json["result"];
    assert_eq!((&result["resultType"], &result["cacheScope"]), (&json!("complete"), &json!("private")));
    assert_eq!(result["resources"][0]["uri"], "lobby://tickets/1");
    let read = ana.post("resources/read", json!({ "uri": "lobby://tickets/1" })).await.unwrap();
    let result = &read.json["result"];
    assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(0), &json!("private")));
    assert_eq!(result["contents"][0]["text"], "the contents");
    let prompt = ana.post("prompts/get", json!({ "name": "summary" })).await.unwrap();
    assert_eq!(prompt.json["result"], json!({ "messages": [], "resultType": "complete" }));
    let about = json!({ "type": "ref/prompt", "name": "summary" });
    let completed = ana.post("completion/complete", json!({ "ref": about, "argument": {} })).await.unwrap();
    assert_eq!(completed.json["result"]["completion"]["values"], json!(["one"]));
}

/// | progress | The token towards the server is the gate's own. | Progress under its own token, if it asked for any. |
/// | log messages | `logging/setLevel` is sent when somebody wants to read more than the session says; each request hears what its own `logLevel` wants. | Messages of its level; none without one. |
#[tokio::test]
async fn a_request_hears_of_its_own_progress_and_what_it_wants_of_the_log() {
    let lobby = Lobby::start().await;
    let ana = client(&lobby, ANA);
    let meta = json!({ "progressToken": "mine", format!("{META}logLevel"): "warning", "x.example/kept": 1 });
    let params = json!({ "name": TALK, "_meta": meta });
    let (mut answer, message, speech) = talk(&lobby, &ana, params).await;
    let token = message["params"]["_meta"]["progressToken"].clone();
    assert_eq!(token, message["id"], "the gate's own");
    assert_eq!(message["params"]["_meta"]["x.example/kept"], 1, "what is nobody's here stays");
    assert_eq!(lobby.talker.heard("logging/setLevel")[0].message["params"]["level"], "warning");
    speech.notes("notifications/progress", json!({ "progressToken": "somebody's", "progress": 1 }));
    speech.notes("notifications/progress", json!({ "progressToken": token, "progress": 2 }));
    speech.logs("not so severe");
    speech.notes("notifications/message", json!({ "level": "error", "data": "severe" }));
    speech.notes("notifications/elicitation/complete", json!({ "elicitationId": "x" }));
    speech.answers("done");
    let progress = answer.next().await.unwrap().unwrap();
    assert_eq!(progress["params"], json!({ "progressToken": "mine", "progress": 2 }));
    assert_eq!(answer.next().await.unwrap().unwrap()["params"]["data"], "severe");
    let end = answer.next().await.unwrap().unwrap();
    assert_eq!(
        (&end["result"]["content"][0]["text"], &end["result"]["resultType"]),
        (&json!("done"), &json!("complete"))
    );
    assert_eq!(answer.next().await.unwrap(), None);

    // Without a level nothing of the log is heard.
    let (mut answer, _, speech) = talk(&lobby, &ana, json!({ "name": TALK })).await;
    speech.notes("notifications/message", json!({ "level": "emergency", "data": "severe" }));
    speech.answers("done");
    assert_eq!(answer.next().await.unwrap().unwrap()["result"]["content"][0]["text"], "done");
    assert_eq!(lobby.talker.heard("logging/setLevel").len(), 1);
}

/// | progress that is told beside the answers (on the session's own stream) | It is the progress of the call whose token it has. | Progress under its own token, if it asked for any. |
#[tokio::test]
async fn progress_that_is_told_beside_the_answers_comes_with_the_answer_of_its_call() {
    let lobby = Lobby::start().await;
    let ana = client(&lobby, ANA);
    let progress = |token: &Value| json!({ "progressToken": token, "progress": 1 });
    // Before the answer has begun, after, and to a client that did not ask for it.
    for (ping, asks, begun) in [("one", true, false), ("two", true, true), ("three", false, true)] {
        let meta = if asks { json!({ "progressToken": "mine" }) } else { json!({}) };
        let params = json!({ "name": TALK, "_meta": meta });
        let (answer, ()) = tokio::join!(ana.open("tools/call", params), async {
            let stage = lobby.talker.call().await;
            let (id, aside) = (stage.id().clone(), lobby.talker.aside(&stage.session).await);
            aside.notes("notifications/progress", progress(&json!("somebody's")));
            aside.notes("notifications/progress", progress(&json!(id.as_i64().unwrap() + 1)));
            let mut stage = Some(stage);
            let speech = begun.then(|| stage.take().map(crate::talker::Stage::speaks)).flatten();
            aside.notes("notifications/progress", progress(&id));
            // The question comes behind the progress, so that it was heard when the question is there.
            aside.asks(ping, "ping", json!({}));
            let ponged = |talker: &Talker| talker.responses().iter().any(|one| one["id"] == ping);
            lobby.hears("that it was heard", ponged).await;
            match (stage, speech) {
                (Some(stage), _) => stage.answers(crate::talker::said("done")),
                (None, Some(speech)) => speech.answers("done"),
                (None, None) => {}
            }
        });
        let mut answer = answer.unwrap();
        if asks {
            let first = answer.next().await.unwrap().unwrap();
            assert_eq!(first["params"], json!({ "progressToken": "mine", "progress": 1 }));
        }
        assert_eq!(answer.next().await.unwrap().unwrap()["result"]["content"][0]["text"], "done");
    }
}

/// | cancellation | A client that goes away is told to the server by `notifications/cancelled`. | Nothing; it has gone. |
#[tokio::test]
async fn a_client_that_goes_away_takes_its_call_back() {
    let lobby = Lobby::start().await;
    let ana = client(&lobby, ANA);
    // Before the answer has begun, and after.
    let call = tokio::spawn({
        let ana = ana.clone();
        async move { drop(ana.call(TALK, json!({})).await) }
    });
    let stage = lobby.talker.call().await;
    call.abort();
    is_taken_back(&lobby, stage.id()).await;
    let (answer, message, _speech) = talk(&lobby, &ana, json!({ "name": TALK })).await;
    drop(answer);
    is_taken_back(&lobby, &message["id"]).await;
}

async fn is_taken_back(lobby: &Lobby, id: &Value) {
    let cancelled = |talker: &Talker| {
        talker.heard("notifications/cancelled").iter().any(|seen| seen.message["params"]["requestId"] == *id)
    };
    lobby.hears("that the call is taken back", cancelled).await;
}

/// | errors | A resource that is not there is -32602 instead of -32002; other codes stay. | The error in its own revision's words. |
#[tokio::test]
async fn errors_are_told_in_the_clients_words() {
    let lobby = Lobby::start().await;
    let ana = client(&lobby, ANA);
    for (code, told) in [(-32002, -32602), (-32603, -32603), (-1, -1)] {
        let (reply, ()) = tokio::join!(ana.call(TALK, json!({})), async {
            let stage = lobby.talker.call().await;
            let mut answer = json!({ "jsonrpc": "2.0", "id": stage.id() });
            answer["error"] = json!({ "code": code, "message": "no", "data": { "kept": 1 } });
            stage.sends(answer);
        });
        let reply = reply.unwrap();
        assert_eq!(reply.json["error"], json!({ "code": told, "message": "no", "data": { "kept": 1 } }));
    }
}

/// | a session that the server ends | The call was not carried out, and is not sent again. | `server-unreachable`; the next call begins another session. |
#[tokio::test]
async fn a_session_that_the_server_forgot_is_begun_anew_by_the_next_call() {
    let lobby = Lobby::start().await;
    let ana = client(&lobby, ANA);
    let read = || ana.call("read_ticket", json!({ "ticket": "1" }));
    passes(&read().await.unwrap());
    let before = last(&lobby.talker).session.unwrap();
    lobby.talker.forget(&before);
    // The gate hears of it by the end of the session's stream, or by the call that is made next.
    let reply = read().await.unwrap();
    if reply.status != 200 {
        lobby.gate.says(&reply, crate::verdict::SERVER_UNREACHABLE);
    }
    passes(&read().await.unwrap());
    assert_ne!(last(&lobby.talker).session.unwrap(), before);
}

/// | answers that break the rules | An answer to another request, or of a type that sessions do not have, is withheld. | `answer-refused`. |
#[tokio::test]
async fn what_a_server_with_sessions_cannot_say_is_not_passed_on() {
    let lobby = Lobby::start().await;
    let ana = client(&lobby, ANA);
    let asks = json!({ "resultType": "input_required", "inputRequests": { "q": { "method": "elicitation/create", "params": form("?") } } });
    for (id, result) in [(None, asks), (None, json!({ "resultType": "task" })), (Some(json!("other")), json!({}))] {
        let (reply, ()) = tokio::join!(ana.call(TALK, json!({})), async {
            let stage = lobby.talker.call().await;
            let id: Value = id.unwrap_or_else(|| stage.id().clone());
            stage.sends(json!({ "jsonrpc": "2.0", "id": id, "result": result }));
        });
        lobby.gate.says(&reply.unwrap(), crate::verdict::ANSWER_REFUSED);
    }
}
