//! Calls that their server goes on with by itself, as tasks: what of one reaches its client, and what of its client reaches
//! the server. What must not is in [`crate::attacks`], in `foreign_task`.

mod following;
mod life;
mod today;

use drill::mcp::{Client, Reply};
use http::HeaderMap;
use serde_json::{Value, json};

use crate::gate::Gate;
use crate::gate::files::{ANA, Caller};
use crate::puppet::Manner;
use crate::puppet::tasks::{TASK, taking};

/// A client that takes tasks, and can be asked for forms.
pub(crate) fn client(gate: &Gate, caller: Caller) -> Client {
    client_at(gate, "desk", caller)
}

/// The same at another endpoint.
pub(crate) fn client_at(gate: &Gate, endpoint: &str, caller: Caller) -> Client {
    gate.client_at(endpoint, caller).with_capabilities(taking(json!({ "elicitation": { "form": {} } })))
}

/// Has a call become a task, and returns the answer.
async fn begin(gate: &Gate, client: &Client, tool: &str, arguments: Value) -> Reply {
    gate.desk.behave(|script| {
        script.manner = Manner::BecomesTask;
        script.task = json!({});
    });
    let reply = client.call(tool, arguments).await.unwrap();
    gate.desk.behave(|script| script.manner = Manner::Honest);
    reply
}

/// The id under which a client knows the task that its call became.
pub(crate) fn id(reply: &Reply) -> String {
    let result = &reply.json["result"];
    assert_eq!((reply.status.as_u16(), result["resultType"].as_str()), (200, Some("task")), "{:#}", reply.json);
    let id = result["taskId"].as_str().expect("a task's id").to_owned();
    assert_ne!(id, TASK, "no client sees a server's id");
    id
}

/// A task of Ana's at the desk, of `read_ticket`.
pub(crate) async fn begun(gate: &Gate) -> String {
    id(&begin(gate, &client(gate, ANA), "read_ticket", json!({ "ticket": "1" })).await)
}

/// Asks for a task.
pub(crate) async fn get(client: &Client, id: &str) -> Reply {
    client.post("tasks/get", json!({ "taskId": id })).await.unwrap()
}

/// What the desk tells of its task from now on.
fn tells(gate: &Gate, task: &Value) {
    gate.desk.behave(|script| script.task = task.clone());
}

/// The last message at the desk.
fn last(gate: &Gate) -> (HeaderMap, Value) {
    let seen = gate.desk.forwarded().pop().expect("a message at the server");
    (seen.headers, serde_json::from_slice(&seen.body).unwrap())
}
