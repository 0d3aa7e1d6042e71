//! What passes in a session: listings, calls, their progress, and what a server says meanwhile.

use http::Method;
use serde_json::{Value, json};

use super::{Lobby, text};
use crate::gate::files::{ANA, BOB};
use crate::session::Session;
use crate::talker::{TALK, said};
use crate::verdict::{
    ANSWER_REFUSED, ARGUMENTS_INVALID, METHOD_UNKNOWN, OBJECT_NOT_FOUND, PARAMS_INVALID, POLICY_FORBIDS, passes,
};

/// Everything that a listing shows, and its result's members.
async fn listed(session: &Session, method: &str, key: &str, name: &str) -> (Vec<String>, Vec<String>) {
    let reply = session.send(method, json!({})).await;
    let result = reply.result().unwrap();
    let names = result[key].as_array().unwrap().iter().map(|one| one[name].as_str().unwrap().to_owned());
    (names.collect(), result.as_object().unwrap().keys().cloned().collect())
}

#[tokio::test]
async fn listings_are_what_people_approved_and_each_may_see() {
    let lobby = Lobby::start().await;
    let (ana, bob) = (lobby.begin(ANA).await, lobby.begin(BOB).await);
    let (tools, members) = listed(&ana, "tools/list", "tools", "name").await;
    assert_eq!(members, ["tools"], "in the shape of the revision");
    assert!(tools.contains(&"read_ticket".to_owned()) && tools.contains(&"escalate".to_owned()));
    assert!(!tools.contains(&"purge".to_owned()) && !tools.contains(&"sweep".to_owned()));
    assert_eq!(listed(&ana, "prompts/list", "prompts", "name").await.0, ["summary", "escalation"]);
    assert_eq!(listed(&bob, "prompts/list", "prompts", "name").await.0, Vec::<String>::new());
    let templates = listed(&ana, "resources/templates/list", "resourceTemplates", "uriTemplate").await.0;
    assert_eq!(templates, ["lobby://tickets/{id}", "lobby://escalated/{id}"]);
    assert_eq!(lobby.talker.calls(), 0);
    let (resources, members) = listed(&ana, "resources/list", "resources", "uri").await;
    assert_eq!(
        (resources, members),
        (vec!["lobby://tickets/1".into(), "lobby://escalated/1".into()], vec!["resources".into()])
    );
    assert_eq!(lobby.talker.calls(), 1, "resources are listed by the server");
}

#[tokio::test]
async fn a_call_passes_as_it_was_said() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let body = format!(
        r#"{{ "id":"one \u0031", "method" : "tools/call","jsonrpc":"2.0","params":{{"arguments":{{"ticket":"\u00e9"}},"name":{} }} }}"#,
        json!("read_ticket")
    );
    let reply = session.line.send(Method::POST, session.headers(), body.clone()).await.whole().await;
    passes(&reply);
    assert_eq!(reply.json["id"], "one 1");
    assert_eq!(text(&reply.json), "did \"read_ticket\"");
    let seen = lobby.talker.forwarded().pop().unwrap();
    assert_eq!(seen.body, body.as_bytes(), "byte for byte");
    assert_eq!(seen.headers["mcp-protocol-version"], "2025-11-25");
    for header in ["mcp-method", "mcp-name", "last-event-id", "origin", "cookie"] {
        assert!(!seen.headers.contains_key(header), "{header}");
    }
    let intent = lobby.gate.receipt(crate::verdict::receipt_id(&reply)).await;
    let event = &intent["record"]["event"];
    assert_eq!((&event["server"], &event["endpoint"]), (&json!("lobby"), &json!("lobby")));
    assert!(event["session"].as_str().is_some_and(|label| !label.is_empty() && label != session.id), "{event:#}");
    assert_eq!(lobby.gate.outcome(crate::verdict::receipt_id(&reply)).await["end"]["type"], "completed");
}

#[tokio::test]
async fn what_a_call_may_not_do_it_may_not_do_in_a_session() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let gate = &lobby.gate;
    gate.refuses(&session.call("purge", json!({ "days": 1 })).await, OBJECT_NOT_FOUND).await;
    gate.refuses(&session.call("nowhere", json!({})).await, OBJECT_NOT_FOUND).await;
    gate.refuses(&session.call("escalate", json!({ "ticket": "1" })).await, POLICY_FORBIDS).await;
    gate.refuses(&session.call("read_ticket", json!({ "ticket": 1 })).await, ARGUMENTS_INVALID).await;
    gate.refuses(&session.call("refund", json!({ "order": "A", "amount": 501 })).await, POLICY_FORBIDS).await;
    let vault = session.send("resources/read", json!({ "uri": "lobby://vault/1" })).await;
    gate.refuses(&vault, OBJECT_NOT_FOUND.of_resource()).await;
    gate.refuses(&session.send("tasks/list", json!({})).await, METHOD_UNKNOWN.in_body()).await;
    let task = json!({ "name": "read_ticket", "arguments": { "ticket": "1" }, "task": { "ttl": 1000 } });
    gate.refuses(&session.send("tools/call", task).await, PARAMS_INVALID.in_body()).await;
    assert_eq!(lobby.talker.calls(), 0);
}

#[tokio::test]
async fn a_server_is_heard_while_it_works() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut answer, speech) = lobby.talk(&session).await;
    speech.logs("one");
    assert_eq!(answer.message().await["params"]["data"], "one");
    speech.notes("notifications/made/up", json!({}));
    speech.notes("notifications/initialized", json!({}));
    speech.logs("two");
    assert_eq!(answer.message().await["params"]["data"], "two", "what is not in the register is not heard");
    let id = speech.id.clone();
    speech.answers("done");
    let last = answer.message().await;
    assert_eq!((&last["id"], text(&last)), (&id, "done"));
    assert_eq!(answer.next().await, None, "the stream ends with the answer");
}

#[tokio::test]
async fn progress_is_heard_by_whom_it_was_promised() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let asking = |token: Value| json!({ "name": TALK, "_meta": { "progressToken": token } });
    let (mut one, first) = lobby.talk_of(&session, asking(json!("t-1"))).await;
    let (mut two, second) = lobby.talk_of(&session, asking(json!(2))).await;
    let (mut none, third) = lobby.talk(&session).await;
    let progress = |token: Value| json!({ "progressToken": token, "progress": 1 });
    for speech in [&first, &second, &third] {
        for token in [json!("t-1"), json!(2), json!("2"), json!("t-3")] {
            speech.notes("notifications/progress", progress(token));
        }
    }
    assert_eq!(one.message().await["params"]["progressToken"], "t-1");
    assert_eq!(two.message().await["params"]["progressToken"], 2);
    [first, second, third].into_iter().for_each(|speech| speech.answers("done"));
    for answer in [&mut one, &mut two, &mut none] {
        let rest = answer.rest().await;
        assert_eq!(rest.iter().map(text).collect::<Vec<_>>(), ["done"]);
    }
}

/// Servers that tell of it on the stream that answers nothing were common in 2025.
#[tokio::test]
async fn progress_that_is_told_beside_the_answers_is_heard_while_its_call_is_open() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let (mut heard, aside) = lobby.aside(&session).await;
    let tell = |token: &str, progress: i64| {
        aside.notes("notifications/progress", json!({ "progressToken": token, "progress": progress }));
    };
    tell("t-1", 1);
    aside.logs("and so on");
    assert_eq!(heard.message().await["method"], "notifications/message", "no call of this token is open");
    let params = json!({ "name": TALK, "_meta": { "progressToken": "t-1" } });
    let (mut answer, speech) = lobby.talk_of(&session, params).await;
    tell("t-2", 2);
    tell("t-1", 3);
    assert_eq!(heard.message().await["params"], json!({ "progressToken": "t-1", "progress": 3 }));
    speech.answers("done");
    assert_eq!(answer.rest().await.iter().map(text).collect::<Vec<_>>(), ["done"]);
}

#[tokio::test]
async fn two_calls_under_way_have_two_ids() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let call = |id: Value| json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": TALK } });
    let one = call(json!(7));
    let (mut answer, speech) = tokio::join!(session.post(&one), async { lobby.talker.call().await.speaks() });
    let again = session.post(&call(json!(7))).await.whole().await;
    lobby.gate.refuses(&again, PARAMS_INVALID.in_body()).await;
    // A number is not a text, and another session's number is another number.
    let (other, text_id) = (lobby.begin(ANA).await, call(json!("7")));
    for session in [&session, &other] {
        let (reply, ()) = tokio::join!(async { session.post(&text_id).await.whole().await }, async {
            lobby.talker.call().await.answers(said("done"));
        });
        assert_eq!((&reply.json["id"], text(&reply.json)), (&json!("7"), "done"));
    }
    speech.answers("done");
    assert_eq!(answer.message().await["id"], 7);
    assert_eq!(lobby.talker.calls(), 3);
}

#[tokio::test]
async fn an_answer_to_another_request_is_withheld() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    let call = session.request("tools/call", json!({ "name": TALK }));
    let (reply, ()) = tokio::join!(async { session.post(&call).await.whole().await }, async {
        let stage = lobby.talker.call().await;
        let other = format!("{}", stage.id());
        stage.sends(json!({ "jsonrpc": "2.0", "id": other, "result": said("the text of another") }));
    });
    lobby.gate.ends(&reply, ANSWER_REFUSED.in_body(), "result-withheld").await;
}
