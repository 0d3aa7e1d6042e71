//! What a server wants returned with the answers to its questions is whoever's it was given to, for the very thing it was
//! given for: in other hands, for another tool, bent or made up, it reaches no server.

use drill::mcp::{Client, Reply};
use serde_json::{Value, json};

use crate::bridge::asking_desk;
use crate::gate::Gate;
use crate::gate::files::{ANA, ANA_AT_DESKTOP, Caller};
use crate::puppet::Manner;
use crate::sessions::capabilities;
use crate::verdict::{PARAMS_INVALID, passes};

fn client(gate: &Gate, caller: Caller) -> Client {
    gate.client(caller).with_capabilities(capabilities())
}

async fn retry(client: &Client, tool: &str, state: &str) -> Reply {
    let arguments = if tool == "read_ticket" { json!({ "ticket": "1" }) } else { json!({ "account": "1" }) };
    let answers = json!({ "q1": { "action": "accept" }, "q2": { "action": "accept" } });
    let params = json!({ "name": tool, "arguments": arguments, "inputResponses": answers, "requestState": state });
    client.post("tools/call", params).await.unwrap()
}

fn state(reply: &Reply) -> String {
    assert_eq!(reply.json["result"]["resultType"], "input_required", "{:#}", reply.json);
    reply.json["result"]["requestState"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_servers_words_return_to_it_from_whom_they_were_given_to_alone() {
    let gate = asking_desk().await;
    gate.desk.behave(|script| script.manner = Manner::AsksTwice);
    let ana = client(&gate, ANA);
    let first = state(&ana.call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
    assert!(!first.contains("s-1"), "nobody reads what is in it");
    for (caller, tool, state) in [
        (ANA_AT_DESKTOP, "read_ticket", first.clone()),
        (ANA, "credit", first.clone()),
        (ANA, "read_ticket", "s-1".to_owned()),
        (ANA, "read_ticket", "s-2".to_owned()),
        (ANA, "read_ticket", String::new()),
        (ANA, "read_ticket", first.chars().skip(1).collect()),
        (ANA, "read_ticket", format!("{first}A")),
    ] {
        let reply = retry(&client(&gate, caller), tool, &state).await;
        gate.says(&reply, PARAMS_INVALID);
    }
    assert_eq!(gate.desk.calls(), 1, "none of it reached the server");

    // It gets its own words back, as it wrote them.
    let second = state(&retry(&ana, "read_ticket", &first).await);
    passes(&retry(&ana, "read_ticket", &second).await);
    let said: Vec<Value> =
        gate.desk.forwarded().iter().map(|seen| serde_json::from_slice(&seen.body).unwrap()).collect();
    let states: Vec<_> = said.iter().map(|message| message["params"]["requestState"].clone()).collect();
    assert_eq!(states, [Value::Null, json!("s-1"), json!("s-2")]);
}
