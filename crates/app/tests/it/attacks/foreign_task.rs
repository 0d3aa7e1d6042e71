//! Whoever has a task's id has what the call would have been answered. So an id is good for the agent and user whose call it
//! was, at that endpoint, while the tool is what it was: in other hands, elsewhere, forged, of a tool that is halted, hidden
//! or changed, it is as one that never was, in the same words.

use std::fs;

use drill::mcp::Client;
use serde_json::{Value, json};

use crate::gate::files::{ANA, ANA_AT_DESKTOP, BOB, CROWD, RECONCILER, endpoint};
use crate::gate::{Gate, Setup};
use crate::puppet::tasks::{TASK, completed};
use crate::tasks::{begun, client, client_at, get};
use crate::verdict::{OBJECT_NOT_FOUND, passes};

const ANNEX: &str = r#"
@id("annex-connects")
permit (principal, action == Action::"connect", resource == Endpoint::"annex");
"#;

/// Every method of a task says no, in the words for one that never was, and nothing reaches the server.
async fn is_nobodys(gate: &Gate, client: &Client, id: &str) {
    let before = gate.desk.calls();
    let unknown = told(gate, &get(client, "never-was").await).await;
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let params = json!({ "taskId": id, "inputResponses": { "q1": { "action": "accept" } } });
        let reply = client.post(method, params).await.unwrap();
        assert_eq!(told(gate, &reply).await, unknown, "`{id}` is as one that never was");
    }
    assert_eq!(gate.desk.calls(), before, "nothing of it reached the server");
}

/// What is told, but for the receipt.
async fn told(gate: &Gate, reply: &drill::mcp::Reply) -> Value {
    gate.refuses(reply, OBJECT_NOT_FOUND).await;
    let mut error = reply.json["error"].clone();
    error["data"]["dev.portcullis/refusal"]["receipt"].take();
    error
}

/// A gate with two endpoints for the desk, which has a task of Ana's that is done.
async fn office() -> (Gate, String) {
    let state = vec![
        ("endpoints/annex.toml".to_owned(), endpoint("annex", "desk")),
        ("policies/annex.cedar".to_owned(), ANNEX.to_owned()),
    ];
    let gate = Gate::with(Setup { state, ..Setup::default() }).await;
    let id = begun(&gate).await;
    gate.desk.behave(|script| script.task = completed("what the ticket says"));
    passes(&get(&client(&gate, ANA), &id).await);
    (gate, id)
}

#[tokio::test]
async fn a_task_is_whoevers_its_call_was_at_its_endpoint_alone() {
    let (gate, id) = office().await;
    for caller in [ANA_AT_DESKTOP, BOB, CROWD, RECONCILER] {
        is_nobodys(&gate, &client(&gate, caller), &id).await;
    }
    is_nobodys(&gate, &client_at(&gate, "annex", ANA), &id).await;
    passes(&get(&client(&gate, ANA), &id).await);
}

#[tokio::test]
async fn a_forged_id_is_nobodys() {
    let (gate, id) = office().await;
    let ana = client(&gate, ANA);
    let bent = |place: usize| {
        let other = |(at, letter)| if at == place { if letter == 'A' { 'B' } else { 'A' } } else { letter };
        id.chars().enumerate().map(other).collect::<String>()
    };
    let forged =
        [TASK.to_owned(), id.chars().skip(1).collect(), format!("{id}A"), format!("{id}{id}"), bent(0), bent(40)];
    for forged in forged {
        is_nobodys(&gate, &ana, &forged).await;
    }
    // What has another handle's form opens here no more than this one does there.
    let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" }, "requestState": id });
    gate.says(&ana.post("tools/call", params).await.unwrap(), crate::verdict::PARAMS_INVALID);
    passes(&get(&ana, &id).await);
}

#[tokio::test]
async fn a_task_of_a_halted_tool_is_nobodys_until_it_goes_on() {
    let (gate, id) = office().await;
    let ana = client(&gate, ANA);
    gate.must(&["halt", "tool", "desk/read_ticket", "--reason", "for now"]).await;
    is_nobodys(&gate, &ana, &id).await;
    gate.must(&["resume", "tool", "desk/read_ticket", "--reason", "it was nothing"]).await;
    passes(&get(&ana, &id).await);
}

#[tokio::test]
async fn a_task_of_a_tool_that_is_hidden_now_is_nobodys() {
    let (gate, id) = office().await;
    let hides = r#"
@id("tickets-are-hidden")
forbid (principal, action == Action::"list", resource == Tool::"desk/read_ticket");
"#;
    fs::write(gate.directory().join("state/policies/decree.cedar"), hides).unwrap();
    gate.apply().await;
    is_nobodys(&gate, &client(&gate, ANA), &id).await;
}

#[tokio::test]
async fn a_task_of_a_definition_that_is_not_in_force_is_nobodys() {
    let (gate, id) = office().await;
    let ana = client(&gate, ANA);
    gate.desk.change(|script| script.tool("read_ticket")["description"] = "Another.".into());
    gate.drift_seen().await;
    is_nobodys(&gate, &ana, &id).await;
    // People approve what it is now: the task is of what it was.
    gate.must(&["server", "approve", "desk", "--yes"]).await;
    is_nobodys(&gate, &ana, &id).await;
}

#[tokio::test]
async fn a_server_tells_of_the_task_that_was_asked_for_alone() {
    let (gate, id) = office().await;
    let ana = client(&gate, ANA);
    for task in [
        json!({ "taskId": "desk-task-2" }),
        json!({ "taskId": id }),
        json!({ "status": "working", "result": { "content": [] } }),
        json!({ "status": "completed" }),
        json!({ "status": "completed", "result": { "resultType": "input_required", "inputRequests": {} } }),
        json!({ "status": "paused" }),
        json!({ "status": "working", "Result": { "content": [] } }),
    ] {
        gate.desk.behave(|script| script.task = task.clone());
        let reply = get(&ana, &id).await;
        gate.ends(&reply, crate::verdict::ANSWER_REFUSED, "result-withheld").await;
    }
}
