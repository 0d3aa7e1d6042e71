//! Tools that are looked for instead of listed: what is shown, found, described and called.

use serde_json::{Value, json};

use super::Warehouse;
use crate::gate::files::{ANA, ANA_AT_DESKTOP};
use crate::verdict::{ARGUMENTS_INVALID, passes};

const SEARCHED: &str = "name = \"warehouse\"\nserver = \"warehouse\"\npurpose = \"Many things\"\nsearch = true\n\
                        listed = [\"item_0003\", \"item_0007\", \"item_0001\", \"item_9999\"]\n";

async fn warehouse() -> Warehouse {
    Warehouse::with(120, SEARCHED).await
}

#[tokio::test]
async fn the_gate_s_own_tools_are_listed_and_what_the_manifest_lists_beside_them() {
    let warehouse = warehouse().await;
    let list = warehouse.client(ANA).list("tools/list").await.unwrap();
    passes(&list);
    let names = list.names("tools");
    assert_eq!(names, ["find_tools", "describe_tool", "call_tool", "item_0003", "item_0001"], "what may be seen of it");
    let desktop = warehouse.client(ANA_AT_DESKTOP).list("tools/list").await.unwrap();
    assert_eq!(desktop.names("tools"), ["find_tools", "describe_tool", "call_tool"]);
    let rows = warehouse.gate.read("/endpoints").await;
    let row = rows.as_array().unwrap().iter().find(|row| row["manifest"]["name"] == "warehouse").unwrap();
    let notes = row["notes"].to_string();
    assert!(notes.contains("`item_9999`"), "people are told what is listed and not there: {row:#}");
}

#[tokio::test]
async fn a_tool_is_found_described_and_called() {
    let warehouse = warehouse().await;
    let client = warehouse.client(ANA);
    let found = client.call("find_tools", json!({ "query": "move item 42", "limit": 3 })).await.unwrap();
    passes(&found);
    let told: Value = serde_json::from_str(&found.text()).unwrap();
    assert_eq!(told["tools"][0]["name"], "item_0042", "{told:#}");
    assert_eq!(told["tools"][0]["title"], "Item 42");
    assert_eq!(told["tools"].as_array().unwrap().len(), 3);
    assert_eq!(told["more"], 119 - 3, "how many more the caller could see");

    let described = client.call("describe_tool", json!({ "name": "item_0042" })).await.unwrap();
    passes(&described);
    let definition: Value = serde_json::from_str(&described.text()).unwrap();
    assert_eq!(definition["inputSchema"]["properties"]["count"]["type"], "integer");
    assert_eq!(warehouse.stock.calls(), 0);

    let arguments = json!({ "name": "item_0042", "arguments": { "count": 2 } });
    let called = client.call("call_tool", arguments).await.unwrap();
    passes(&called);
    assert_eq!(called.text(), "did \"item_0042\"");
    // What is not listed can be called by its name too: it is seen, and that is what counts.
    passes(&client.call("item_0050", json!({ "count": 2 })).await.unwrap());
    assert_eq!(warehouse.stock.calls(), 2);

    let page = warehouse.gate.read("/receipts?kind=listed").await;
    let methods: Vec<_> =
        page["receipts"].as_array().unwrap().iter().map(|one| one["record"]["event"]["method"].clone()).collect();
    for method in ["tools/call find_tools", "tools/call describe_tool"] {
        assert!(methods.contains(&json!(method)), "{methods:?}");
    }
}

#[tokio::test]
async fn what_is_asked_wrongly_is_told_how() {
    let warehouse = warehouse().await;
    let client = warehouse.client(ANA);
    let long = "x".repeat(2_000);
    for (tool, arguments, words) in [
        ("find_tools", json!({}), "missing field `query`"),
        ("find_tools", json!({ "query": "a", "limit": 0 }), "`limit` must be from 1 to 50"),
        ("find_tools", json!({ "query": "a", "limit": 51 }), "`limit` must be from 1 to 50"),
        ("find_tools", json!({ "query": long }), "at most 1024 bytes"),
        ("find_tools", json!({ "query": "a", "more": 1 }), "unknown field `more`"),
        ("describe_tool", json!({ "tool": "item_0001" }), "unknown field `tool`"),
        ("call_tool", json!({ "name": "item_0001", "input": {} }), "unknown field `input`"),
    ] {
        let reply = client.call(tool, arguments).await.unwrap();
        warehouse.gate.refuses(&reply, ARGUMENTS_INVALID).await;
        assert!(reply.text().contains(words), "{}", reply.text());
    }
}
