//! # Tasks, between the eras

use serde_json::json;

use super::session;
use crate::gate::Gate;
use crate::gate::files::ANA;
use crate::puppet::Manner;
use crate::puppet::tasks::taking;
use crate::sessions::{Lobby, capabilities, text};
use crate::verdict::{ANSWER_REFUSED, METHOD_UNKNOWN, PARAMS_INVALID, passes};

/// | a client that takes tasks, a server with sessions | The server is not told so. Tasks of 2025-11-25 are another thing, which whoever calls has to ask for, and the gate does not. | A result; `tasks/get` is `method-unknown`. |
#[tokio::test]
async fn a_server_with_sessions_answers_the_call_itself() {
    let lobby = Lobby::start().await;
    let client = lobby.gate.client_at("lobby", ANA).with_capabilities(taking(capabilities()));
    let reply = client.call("read_ticket", json!({ "ticket": "1" })).await.unwrap();
    passes(&reply);
    assert_eq!(reply.json["result"]["resultType"], "complete");
    let seen = lobby.talker.forwarded().pop().unwrap();
    assert_eq!(seen.message["params"].get("task"), None);
    let known = lobby.talker.session(seen.session.as_deref().expect("a session"));
    assert_eq!((known.capabilities.get("extensions"), known.capabilities.get("tasks")), (None, None));
    let reply = client.post("tasks/get", json!({ "taskId": "1" })).await.unwrap();
    lobby.gate.refuses(&reply, METHOD_UNKNOWN).await;
}

/// | a client with a session, a server that has tasks | The server is not told that the client takes tasks, so that it answers the call itself. What becomes a task all the same is withheld. | A result, or `answer-refused`. |
/// | a wish for a task (`task`, 2025-11-25) | It is not passed on: tasks were not offered. | `params-invalid`. |
#[tokio::test]
async fn a_client_with_a_session_is_given_no_task() {
    let gate = Gate::start().await;
    let session = session(&gate).await;
    let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
    let reply = session.send("tools/call", params.clone()).await;
    passes(&reply);
    assert_eq!(text(&reply.json), "did \"read_ticket\"");
    let message: serde_json::Value = serde_json::from_slice(&gate.desk.forwarded().pop().unwrap().body).unwrap();
    let told = &message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
    assert_eq!((told.get("extensions"), told.get("tasks")), (None, None));

    gate.desk.behave(|script| script.manner = Manner::BecomesTask);
    let reply = session.send("tools/call", params.clone()).await;
    gate.ends(&reply, ANSWER_REFUSED.in_body(), "result-withheld").await;
    let before = gate.desk.calls();
    let mut wishes = params;
    wishes["task"] = json!({ "ttl": 60_000 });
    gate.refuses(&session.send("tools/call", wishes).await, PARAMS_INVALID.in_body()).await;
    assert_eq!(gate.desk.calls(), before);
}
