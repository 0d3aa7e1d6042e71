//! Calls wrapped in `call_tool`, at an endpoint where tools are looked for: whatever is wrapped meets the controls as if it
//! were said by itself, and looking tells nothing of what may not be seen.

use drill::mcp::{Client, Reply};
use serde_json::{Value, json};

use crate::gate::files::{ANA, ANA_AT_DESKTOP, BOB};
use crate::gate::{Gate, Setup, value};
use crate::session::Line;
use crate::verdict::{
    AMBIGUOUS, ARGUMENTS_INVALID, HEADER_MISMATCH, OBJECT_NOT_FOUND, POLICY_FORBIDS, TOOL_HALTED, passes, receipt_id,
};

const HALL: &str =
    "name = \"hall\"\nserver = \"desk\"\npurpose = \"A help desk\"\nsearch = true\nlisted = [\"read_ticket\"]\n";
const POLICY: &str =
    "@id(\"hall-connects\")\npermit (principal, action == Action::\"connect\", resource == Endpoint::\"hall\");\n";

/// A gate whose endpoint `hall` has the desk's tools to be looked for.
async fn hall() -> Gate {
    let state = [("endpoints/hall.toml", HALL), ("policies/hall.cedar", POLICY)];
    let state = state.map(|(file, text)| (file.to_owned(), text.to_owned())).into();
    Gate::with(Setup { state, ..Setup::default() }).await
}

async fn call(client: &Client, tool: &str, arguments: Value) -> Reply {
    client.call("call_tool", json!({ "name": tool, "arguments": arguments })).await.unwrap()
}

/// Everything a caller can see of a reply, but what is different in every reply.
fn visible(reply: &Reply) -> String {
    let id = reply.json["id"].to_string();
    let shown = format!("{}\n{}", reply.status, String::from_utf8_lossy(&reply.body));
    shown.replace(receipt_id(reply), "RECEIPT").replace(&format!("\"id\":{id}"), "\"id\":ID")
}

#[tokio::test]
async fn a_hidden_tool_is_one_that_does_not_exist_and_nothing_is_sent() {
    let gate = hall().await;
    let client = gate.client_at("hall", ANA);
    for arguments in [json!({ "days": 1 }), json!({}), json!({ "days": "one" }), json!({ "more": true })] {
        let hidden = call(&client, "purge", arguments.clone()).await;
        let missing = call(&client, "never", arguments).await;
        let event = gate.refuses(&hidden, OBJECT_NOT_FOUND).await;
        assert_eq!(event["object"]["name"], "purge", "the receipt is about the inner tool: {event:#}");
        gate.refuses(&missing, OBJECT_NOT_FOUND).await;
        assert_eq!(visible(&hidden), visible(&missing));
    }
    let bare = client.call("call_tool", json!({ "name": "purge" })).await.unwrap();
    gate.refuses(&bare, OBJECT_NOT_FOUND).await;
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn policies_and_schemas_see_the_inner_arguments() {
    let gate = hall().await;
    let client = gate.client_at("hall", ANA);
    let refund = |amount: Value| json!({ "order": "o-1", "amount": amount });
    let refused = call(&client, "refund", refund(json!(501))).await;
    let event = gate.refuses(&refused, POLICY_FORBIDS).await;
    assert_eq!(event["policies"], json!(["refund-limit"]));
    gate.refuses(&call(&client, "refund", json!({ "order": "o-1", "amount": 1, "more": 1 })).await, ARGUMENTS_INVALID)
        .await;
    gate.refuses(&call(&client, "escalate", json!({ "ticket": "1" })).await, POLICY_FORBIDS).await;
    gate.refuses(&call(&gate.client_at("hall", BOB), "refund", refund(json!(1))).await, POLICY_FORBIDS).await;
    assert_eq!(gate.desk.calls(), 0);

    let reply = call(&client, "refund", refund(json!(500))).await;
    passes(&reply);
    assert_eq!(reply.text(), "did \"refund\"");
    let receipt = gate.receipt(receipt_id(&reply)).await;
    let intent = &receipt["record"]["event"];
    assert_eq!((&intent["method"], &intent["object"]["name"]), (&json!("tools/call"), &json!("refund")), "{intent:#}");
    assert!(intent["pin"].is_string(), "{intent:#}");
}

#[tokio::test]
async fn the_server_is_told_nothing_of_the_wrapping() {
    let gate = hall().await;
    let client = gate.client_at("hall", ANA);
    passes(&call(&client, "find", json!({ "region": "north", "limit": 5 })).await);
    let seen = gate.desk.forwarded().pop().unwrap();
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(body["params"]["name"], "find");
    assert_eq!(body["params"]["arguments"], json!({ "region": "north", "limit": 5 }));
    assert!(!String::from_utf8_lossy(&seen.body).contains("call_tool"));
    assert_eq!(seen.headers["mcp-name"], "find");
    assert_eq!((&seen.headers["mcp-param-region"], &seen.headers["mcp-param-limit"]), (&value("north"), &value("5")));

    // What a caller says of the inner arguments in headers is overruled by the arguments.
    let params = json!({ "name": "call_tool", "arguments": { "name": "find", "arguments": { "region": "north" } } });
    let mut headers = client.headers("tools/call", &params);
    headers.insert("mcp-param-region", value("south"));
    headers.insert("mcp-param-limit", value("9"));
    passes(&client.raw(client.body("tools/call", params).to_string(), headers).await.unwrap());
    let seen = gate.desk.forwarded().pop().unwrap();
    assert_eq!(seen.headers["mcp-param-region"], "north");
    assert!(!seen.headers.contains_key("mcp-param-limit"));
}

#[tokio::test]
async fn a_wrapping_that_could_be_read_in_two_ways_is_refused() {
    let gate = hall().await;
    let client = gate.client_at("hall", ANA);
    let inner = json!({ "ticket": "1" });
    for arguments in [
        json!({ "Name": "read_ticket", "arguments": inner }),
        json!({ "name": "read_ticket", "Arguments": inner, "arguments": inner }),
        json!({ "name": "read_ticket", "arguments": [1] }),
        json!({ "name": "read_ticket", "arguments": null }),
        json!({ "name": "", "arguments": inner }),
        json!({ "name": ["read_ticket"], "arguments": inner }),
        json!({ "arguments": inner }),
        json!({}),
    ] {
        gate.refuses(&client.call("call_tool", arguments).await.unwrap(), ARGUMENTS_INVALID).await;
    }
    gate.refuses(&client.post("tools/call", json!({ "name": "call_tool" })).await.unwrap(), ARGUMENTS_INVALID).await;

    let params = json!({ "name": "call_tool", "arguments": { "name": "read_ticket", "arguments": inner } });
    let (headers, body) = (client.headers("tools/call", &params), client.body("tools/call", params).to_string());
    let twice = body.replace("\"name\":\"read_ticket\"", "\"name\":\"purge\",\"name\":\"read_ticket\"");
    assert_ne!(twice, body);
    gate.refuses(&client.raw(twice, headers.clone()).await.unwrap(), AMBIGUOUS).await;
    let mut lying = headers;
    lying.insert("mcp-name", value("read_ticket"));
    gate.refuses(&client.raw(body, lying).await.unwrap(), HEADER_MISMATCH).await;
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn arguments_are_an_object_even_where_the_schema_asks_for_nothing() {
    let gate = hall().await;
    gate.desk.behave(|script| script.tool("read_ticket")["inputSchema"] = json!({}));
    gate.must(&["server", "check", "desk"]).await;
    gate.must(&["server", "approve", "desk", "--yes"]).await;
    let client = gate.client_at("hall", ANA);
    for arguments in [json!(["1"]), json!("1"), json!(1), json!(true)] {
        gate.refuses(&call(&client, "read_ticket", arguments).await, ARGUMENTS_INVALID).await;
    }
    assert_eq!(gate.desk.calls(), 0);
    passes(&call(&client, "read_ticket", json!({})).await);
}

#[tokio::test]
async fn what_is_wrapped_twice_or_is_the_gate_s_own_is_no_tool() {
    let gate = hall().await;
    let client = gate.client_at("hall", ANA);
    let inner = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
    for tool in ["call_tool", "find_tools", "describe_tool"] {
        gate.refuses(&call(&client, tool, inner.clone()).await, OBJECT_NOT_FOUND).await;
    }
    // And where tools are listed, there is nothing of it.
    let listing = gate.client(ANA);
    for (tool, arguments) in [
        ("call_tool", inner),
        ("find_tools", json!({ "query": "ticket" })),
        ("describe_tool", json!({ "name": "find" })),
    ] {
        gate.refuses(&listing.call(tool, arguments).await.unwrap(), OBJECT_NOT_FOUND).await;
    }
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn looking_tells_nothing_of_what_may_not_be_seen() {
    let gate = hall().await;
    let client = gate.client_at("hall", ANA);
    // `purge` is the only one with days, and `sweep` one of two with a region.
    for (query, expected) in [("purge days", json!([])), ("sweep", json!([])), ("region", json!(["find"]))] {
        let reply = client.call("find_tools", json!({ "query": query })).await.unwrap();
        passes(&reply);
        let told: Value = serde_json::from_str(&reply.text()).unwrap();
        let names: Vec<_> = told["tools"].as_array().unwrap().iter().map(|tool| tool["name"].clone()).collect();
        assert_eq!((Value::from(names), &told["more"]), (expected, &json!(0)), "{query}");
    }
    let all = client.call("find_tools", json!({ "query": "the desk's", "limit": 50 })).await.unwrap();
    for hidden in ["purge", "sweep"] {
        assert!(!all.text().contains(hidden), "{}", all.text());
        let described = client.call("describe_tool", json!({ "name": hidden })).await.unwrap();
        let missing = client.call("describe_tool", json!({ "name": "never" })).await.unwrap();
        gate.refuses(&described, OBJECT_NOT_FOUND).await;
        gate.refuses(&missing, OBJECT_NOT_FOUND).await;
        assert_eq!(visible(&described), visible(&missing));
    }
    assert_eq!(gate.desk.calls(), 0, "no server is asked");
}

#[tokio::test]
async fn a_halt_of_the_inner_tool_stops_it() {
    let gate = hall().await;
    gate.must(&["halt", "tool", "desk/read_ticket", "--reason", "a test"]).await;
    let reply = call(&gate.client_at("hall", ANA), "read_ticket", json!({ "ticket": "1" })).await;
    gate.refuses(&reply, TOOL_HALTED).await;
    passes(&call(&gate.client_at("hall", ANA_AT_DESKTOP), "find", json!({ "region": "north" })).await);
    assert_eq!(gate.desk.calls(), 1);
}

#[tokio::test]
async fn in_a_session_it_is_the_same() {
    let gate = hall().await;
    let session = Line::new(&gate, "hall", ANA).begin(json!({})).await;
    let hidden = session.call("call_tool", json!({ "name": "purge", "arguments": { "days": 1 } })).await;
    gate.refuses(&hidden, OBJECT_NOT_FOUND).await;
    let large = json!({ "name": "refund", "arguments": { "order": "o", "amount": 501 } });
    gate.refuses(&session.call("call_tool", large).await, POLICY_FORBIDS).await;
    let found = session.call("find_tools", json!({ "query": "refund" })).await;
    passes(&found);
    assert!(found.text().contains("refund"), "{}", found.text());
    assert_eq!(gate.desk.calls(), 0);
}
