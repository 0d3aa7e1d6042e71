//! Tools and prompts under their servers' names.

use serde_json::{Value, json};

use super::{Floor, listed};
use crate::gate::files::{ANA, BOB};
use crate::verdict::{OBJECT_NOT_FOUND, TOOL_HALTED, passes, receipt_id};

#[tokio::test]
async fn tools_are_listed_under_their_servers_names_and_otherwise_as_people_read_them() {
    let floor = Floor::start().await;
    let reply = floor.client().list("tools/list").await.unwrap();
    let names = listed(&reply, "tools", "name");
    assert_eq!(names.first().map(String::as_str), Some("desk_read_ticket"));
    let shops: Vec<_> = names.iter().filter(|name| name.starts_with("shop_")).collect();
    assert_eq!(shops, ["shop_read_ticket", "shop_desk_refund", "shop__odd"], "and the hidden one is not there");
    assert!(!names.iter().any(|name| name == "read_ticket" || name == "desk_purge"));
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    let one = r#"{"title":"First","name":"shop_read_ticket","inputSchema":{"type":"object","properties":{"ticket":{"type":"string"}}},"x-shop":{"name":1.5},"description":"The shop's `read_ticket`."}"#;
    assert!(text.contains(one), "{text}");
    let prompts = listed(&floor.client().list("prompts/list").await.unwrap(), "prompts", "name");
    assert_eq!(prompts, ["desk_summary", "desk_escalation", "shop_summary"]);
    // At the endpoint for the desk alone nothing is different.
    let alone = listed(&floor.gate.client(ANA).list("tools/list").await.unwrap(), "tools", "name");
    assert_eq!(alone.first().map(String::as_str), Some("read_ticket"));
}

#[tokio::test]
async fn a_call_reaches_its_server_under_the_servers_own_name_and_nothing_else_of_it_changes() {
    let floor = Floor::start().await;
    let client = floor.client();
    floor.reached();
    let params = json!({ "name": "shop_read_ticket", "arguments": { "ticket": "shop_read_ticket" } });
    let headers = client.headers("tools/call", &params);
    let body = client.body("tools/call", params).to_string().replacen(",\"method\"", " ,\n \"method\"", 1);
    let reply = client.raw(body.clone(), headers).await.unwrap();
    passes(&reply);
    assert_eq!(reply.text(), "did \"read_ticket\"");
    let seen = floor.shop.forwarded().pop().unwrap();
    let expected = body.replacen("\"name\":\"shop_read_ticket\"", "\"name\":\"read_ticket\"", 1);
    assert_eq!(String::from_utf8(seen.body.to_vec()).unwrap(), expected);
    assert_eq!(seen.headers["mcp-name"], "read_ticket");
    let [desk, shop] = floor.reached();
    assert_eq!((desk.len(), shop.len()), (0, 1));
    let receipt = floor.gate.receipt(receipt_id(&reply)).await;
    let event = &receipt["record"]["event"];
    assert_eq!((&event["server"], &event["endpoint"]), (&json!("shop"), &json!("floor")), "{event:#}");
    assert_eq!(event["object"], json!({ "type": "tool", "server": "shop", "name": "read_ticket" }));

    passes(&client.call("desk_read_ticket", json!({ "ticket": "1" })).await.unwrap());
    passes(&client.call("shop__odd", json!({})).await.unwrap());
    passes(&client.post("prompts/get", json!({ "name": "shop_summary" })).await.unwrap());
    let reference = json!({ "type": "ref/prompt", "name": "shop_summary" });
    let completion = json!({ "ref": reference, "argument": { "name": "of", "value": "o" } });
    passes(&client.post("completion/complete", completion).await.unwrap());
    let completed = floor.shop.forwarded().pop().unwrap();
    let completed: Value = serde_json::from_slice(&completed.body).unwrap();
    assert_eq!(completed["params"]["ref"]["name"], "summary");
    let [desk, shop] = floor.reached();
    assert_eq!(desk, [("tools/call".to_owned(), json!("read_ticket"), json!("read_ticket"))]);
    let names: Vec<_> = shop.iter().map(|(method, name, _)| (method.as_str(), name.clone())).collect();
    assert_eq!(names[..2], [("tools/call", json!("_odd")), ("prompts/get", json!("summary"))]);
}

#[tokio::test]
async fn headers_that_say_an_argument_again_are_held_to_the_tool_they_are_for() {
    let floor = Floor::start().await;
    let client = floor.client();
    let params = json!({ "name": "desk_find", "arguments": { "region": "north" } });
    let mut headers = client.headers("tools/call", &params);
    headers.insert("mcp-param-region", "south".parse().unwrap());
    let reply = client.raw(client.body("tools/call", params.clone()).to_string(), headers.clone()).await.unwrap();
    assert_eq!(reply.status, 400, "{}", reply.text());
    headers.insert("mcp-param-region", "north".parse().unwrap());
    passes(&client.raw(client.body("tools/call", params).to_string(), headers).await.unwrap());
    assert_eq!(floor.gate.desk.forwarded().pop().unwrap().headers["mcp-param-region"], "north");
}

#[tokio::test]
async fn what_was_not_chosen_is_not_there() {
    let chosen = "name = \"floor\"\npurpose = \"p\"\n[[servers]]\nname = \"desk\"\ntools = [\"read_ticket\"]\nprompts = []\n\
                  [[servers]]\nname = \"shop\"\ntools = [\"read_ticket\", \"later\"]\n";
    let floor = Floor::with(chosen).await;
    let client = floor.client();
    let names = listed(&client.list("tools/list").await.unwrap(), "tools", "name");
    assert_eq!(names, ["desk_read_ticket", "shop_read_ticket"]);
    assert_eq!(listed(&client.list("prompts/list").await.unwrap(), "prompts", "name"), ["shop_summary"]);
    floor.reached();
    for tool in ["desk_refund", "shop__odd", "shop_later", "read_ticket", "crm_find", "_", "shop"] {
        floor.gate.refuses(&client.call(tool, json!({})).await.unwrap(), OBJECT_NOT_FOUND).await;
    }
    let prompt = client.post("prompts/get", json!({ "name": "desk_summary" })).await.unwrap();
    floor.gate.refuses(&prompt, OBJECT_NOT_FOUND).await;
    assert_eq!(floor.reached(), [Vec::new(), Vec::new()]);
    let endpoints = floor.gate.must(&["endpoint", "list"]).await;
    assert!(endpoints.contains("server `shop` has no tool `later` (yet)"), "{endpoints}");
    // An endpoint for one server can choose as well.
    floor
        .change("endpoints/desk.toml", "name = \"desk\"\nserver = \"desk\"\ntools = [\"refund\"]\npurpose = \"p\"\n")
        .await;
    let alone = floor.gate.client(ANA);
    assert_eq!(listed(&alone.list("tools/list").await.unwrap(), "tools", "name"), ["refund"]);
    floor.gate.refuses(&alone.call("read_ticket", json!({ "ticket": "1" })).await.unwrap(), OBJECT_NOT_FOUND).await;
}

#[tokio::test]
async fn rights_and_halts_are_each_servers_own() {
    let floor = Floor::start().await;
    let bob = floor.client_of(BOB);
    let names = listed(&bob.list("tools/list").await.unwrap(), "tools", "name");
    assert!(names.iter().all(|name| name.starts_with("desk_")), "{names:?}");
    floor.gate.refuses(&bob.call("shop_read_ticket", json!({})).await.unwrap(), OBJECT_NOT_FOUND).await;
    floor.gate.must(&["halt", "server", "shop", "--reason", "it leaks"]).await;
    let client = floor.client();
    floor.gate.refuses(&client.call("shop_read_ticket", json!({})).await.unwrap(), TOOL_HALTED).await;
    passes(&client.call("desk_read_ticket", json!({ "ticket": "1" })).await.unwrap());
}

#[tokio::test]
async fn a_server_out_of_service_is_left_out_and_comes_when_it_is_approved() {
    let floor = Floor::unapproved(super::FLOOR).await;
    assert_eq!(floor.client().list("tools/list").await.unwrap().status, 404, "none is in service");
    floor.gate.must(&["server", "approve", "desk", "--yes"]).await;
    let tools = async || listed(&floor.client().list("tools/list").await.unwrap(), "tools", "name");
    assert!(tools().await.iter().all(|name| name.starts_with("desk_")));
    floor.gate.refuses(&floor.client().call("shop_read_ticket", json!({})).await.unwrap(), OBJECT_NOT_FOUND).await;
    let endpoints = floor.gate.must(&["endpoint", "list"]).await;
    assert!(endpoints.contains("its server `shop` is vetted"), "{endpoints}");
    floor.gate.must(&["server", "approve", "shop", "--yes"]).await;
    assert!(tools().await.iter().any(|name| name == "shop_read_ticket"));
    floor.gate.must(&["server", "suspend", "desk"]).await;
    assert!(tools().await.iter().all(|name| name.starts_with("shop_")));
}
