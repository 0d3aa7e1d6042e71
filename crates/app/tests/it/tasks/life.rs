//! One task, from its call to its end.

use serde_json::{Value, json};

use super::{begin, begun, client, get, id, last, tells};
use crate::bridge::asking_desk;
use crate::gate::files::{ANA, endpoint};
use crate::gate::{Gate, Setup};
use crate::puppet::Manner;
use crate::puppet::tasks::{EXTENSION, TASK, asking, completed};
use crate::sessions::{Lobby, capabilities};
use crate::verdict::{ANSWER_REFUSED, CAPABILITY_MISSING, METHOD_UNKNOWN, RELEASE_REFUSED, passes, receipt_id};

#[tokio::test]
async fn a_call_that_becomes_a_task_is_asked_for_until_it_has_its_result() {
    let gate = Gate::start().await;
    let ana = client(&gate, ANA);
    let reply = begin(&gate, &ana, "read_ticket", json!({ "ticket": "1" })).await;
    let (task, call) = (id(&reply), receipt_id(&reply).to_owned());
    assert_eq!(gate.outcome(&call).await["end"]["type"], "became-task");

    let reply = get(&ana, &task).await;
    passes(&reply);
    let result = &reply.json["result"];
    assert_eq!(
        (&result["taskId"], &result["status"]),
        (&json!(task), &json!("working")),
        "under the id that it asked for"
    );
    let (headers, message) = last(&gate);
    assert_eq!((&message["method"], &message["params"]["taskId"]), (&json!("tasks/get"), &json!(TASK)));
    assert_eq!((&headers["mcp-name"], &headers["mcp-method"]), (&TASK.parse().unwrap(), &"tasks/get".parse().unwrap()));

    tells(&gate, &completed("all of the ticket"));
    let reply = get(&ana, &task).await;
    passes(&reply);
    let result = &reply.json["result"];
    assert_eq!(result["result"]["content"][0]["text"], "all of the ticket");
    assert_eq!((&result["resultType"], &result["taskId"]), (&json!("complete"), &json!(task)));

    // Its receipt says which tool's it is, and which call's.
    let receipt = gate.receipt(receipt_id(&reply)).await;
    let event = &receipt["record"]["event"];
    assert_eq!((&event["method"], &event["call"]), (&json!("tasks/get"), &json!(call)), "{event:#}");
    assert_eq!(event["object"], json!({ "type": "tool", "server": "desk", "name": "read_ticket" }));
    assert_eq!(gate.outcome(receipt_id(&reply)).await["end"]["type"], "completed");

    tells(&gate, &json!({ "status": "failed", "error": { "code": -32603, "message": "the archive is closed" } }));
    let reply = get(&ana, &task).await;
    assert_eq!(reply.json["result"]["error"]["message"], "the archive is closed");
    let end = gate.outcome(receipt_id(&reply)).await["end"].clone();
    assert_eq!(end, json!({ "type": "server-error", "why": -32603 }));

    let reply = ana.post("tasks/cancel", json!({ "taskId": task })).await.unwrap();
    passes(&reply);
    assert_eq!(reply.json["result"], json!({ "resultType": "complete" }));
    assert_eq!(last(&gate).1["params"]["taskId"], TASK);
}

#[tokio::test]
async fn what_a_task_asks_is_decided_on_and_so_is_what_it_is_answered() {
    let gate = asking_desk().await;
    let (ana, task) = (client(&gate, ANA), begun(&gate).await);
    tells(&gate, &asking());
    let reply = get(&ana, &task).await;
    passes(&reply);
    assert_eq!(reply.json["result"]["inputRequests"]["q1"]["params"]["message"], "Which one?");
    assert_eq!(gate.outcome(receipt_id(&reply)).await["end"]["type"], "input-required");

    let answers = json!({ "taskId": task, "inputResponses": { "q1": { "action": "accept", "content": {} } } });
    passes(&ana.post("tasks/update", answers.clone()).await.unwrap());
    let (_, message) = last(&gate);
    assert_eq!(message["params"]["taskId"], TASK);
    assert_eq!(message["params"]["inputResponses"], answers["inputResponses"]);

    // A client that cannot be asked is not asked.
    let mute = gate.client(ANA).with_capabilities(json!({ "extensions": { EXTENSION: {} } }));
    gate.ends(&get(&mute, &task).await, CAPABILITY_MISSING, "result-withheld").await;
    // A question of a kind that nobody decided about is none.
    tells(&gate, &json!({ "status": "input_required", "inputRequests": { "q1": { "method": "secrets/tell" } } }));
    gate.ends(&get(&ana, &task).await, ANSWER_REFUSED, "result-withheld").await;
}

#[tokio::test]
async fn a_task_of_a_server_that_may_not_ask_asks_nothing() {
    let gate = Gate::start().await;
    let (ana, task) = (client(&gate, ANA), begun(&gate).await);
    tells(&gate, &asking());
    gate.ends(&get(&ana, &task).await, RELEASE_REFUSED, "result-withheld").await;
    let before = gate.desk.calls();
    let answers = json!({ "taskId": task, "inputResponses": { "q1": { "action": "accept" } } });
    let reply = ana.post("tasks/update", answers).await.unwrap();
    let event = gate.refuses(&reply, crate::verdict::POLICY_FORBIDS).await;
    assert_eq!(event["method"], "tasks/update");
    assert_eq!(gate.desk.calls(), before, "no answer reaches a server that may not ask");
}

#[tokio::test]
async fn only_a_client_that_takes_tasks_is_given_one() {
    let gate = Gate::start().await;
    let (plain, task) = (gate.client(ANA), begun(&gate).await);
    let reply = begin(&gate, &plain, "read_ticket", json!({ "ticket": "1" })).await;
    gate.ends(&reply, ANSWER_REFUSED, "result-withheld").await;
    let before = gate.desk.calls();
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let reply = plain.post(method, json!({ "taskId": task, "inputResponses": {} })).await.unwrap();
        gate.refuses(&reply, CAPABILITY_MISSING).await;
        let needed = &reply.json["error"]["data"]["requiredCapabilities"];
        assert_eq!(*needed, json!({ "extensions": { EXTENSION: {} } }));
    }
    let reply = plain.post("subscriptions/listen", json!({ "notifications": { "taskIds": [task] } })).await.unwrap();
    gate.refuses(&reply, CAPABILITY_MISSING).await;
    assert_eq!(gate.desk.calls(), before);

    // Nothing but a call of a tool becomes one.
    gate.desk.behave(|script| script.manner = Manner::Everything);
    let reply = client(&gate, ANA).post("prompts/get", json!({ "name": "summary" })).await.unwrap();
    gate.ends(&reply, ANSWER_REFUSED, "result-withheld").await;
}

#[tokio::test]
async fn tasks_are_offered_where_a_server_has_them_and_to_clients_that_know_them() {
    let lobby = Lobby::start().await;
    let gate = &lobby.gate;
    let discovered = client(gate, ANA).discover().await.unwrap();
    let capabilities_of = |reply: &drill::mcp::Reply| reply.json["result"]["capabilities"].clone();
    let extensions = capabilities_of(&discovered)["extensions"].clone();
    assert_eq!(extensions, json!({ EXTENSION: {} }), "and no extension that the gate does not know");
    let greeted = crate::session::Line::new(gate, "desk", ANA).greet("2025-11-25", capabilities()).await;
    assert_eq!(capabilities_of(&greeted).get("extensions"), None, "sessions have none");

    let discovered = super::client_at(gate, "lobby", ANA).discover().await.unwrap();
    assert_eq!(capabilities_of(&discovered).get("extensions"), None);
    let reply = get(&super::client_at(gate, "lobby", ANA), "anything").await;
    gate.refuses(&reply, METHOD_UNKNOWN).await;
}

#[tokio::test]
async fn a_task_is_known_after_the_gate_was_started_again() {
    let gate = Gate::start().await;
    let task = begun(&gate).await;
    gate.end().await;
    gate.again().await;
    let reply = get(&client(&gate, ANA), &task).await;
    passes(&reply);
    assert_eq!(reply.json["result"]["taskId"], json!(task));
}

/// An endpoint whose names begin with their servers'.
const FLOOR: &str = r#"
name = "floor"
purpose = "The desk, by its name"

[[servers]]
name = "desk"
"#;

#[tokio::test]
async fn a_task_of_one_server_of_several_is_that_servers() {
    let state = vec![
        ("endpoints/floor.toml".to_owned(), FLOOR.to_owned()),
        ("endpoints/annex.toml".to_owned(), endpoint("annex", "desk")),
        ("policies/floor.cedar".to_owned(), CONNECTS.to_owned()),
    ];
    let gate = Gate::with(Setup { state, ..Setup::default() }).await;
    let ana = super::client_at(&gate, "floor", ANA);
    let task = id(&begin(&gate, &ana, "desk_read_ticket", json!({ "ticket": "1" })).await);
    tells(&gate, &completed("done"));
    let reply = get(&ana, &task).await;
    passes(&reply);
    let message: Value = last(&gate).1;
    assert_eq!((&message["params"]["taskId"], &reply.json["result"]["taskId"]), (&json!(TASK), &json!(task)));
}

const CONNECTS: &str = r#"
@id("floor-connects")
permit (principal, action == Action::"connect", resource == Endpoint::"floor");
@id("annex-connects")
permit (principal, action == Action::"connect", resource == Endpoint::"annex");
"#;
