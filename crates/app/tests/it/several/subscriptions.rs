//! Listening for changes.

use serde_json::json;

use super::Floor;
use crate::verdict::{OBJECT_NOT_FOUND, PARAMS_INVALID};

#[tokio::test]
async fn a_subscription_reaches_the_server_whose_resources_it_names() {
    let floor = Floor::start().await;
    floor.reached();
    let mut stream = floor.client().listen(json!({ "resourceSubscriptions": ["shop://goods/1"] })).await.unwrap();
    let first = stream.next().await.unwrap().unwrap();
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    let [desk, shop] = floor.reached();
    assert_eq!((desk.len(), shop.len()), (0, 1));
    let unheld = json!({ "notifications": { "resourceSubscriptions": ["file:///etc/passwd"] } });
    let reply = floor.client().post("subscriptions/listen", unheld).await.unwrap();
    floor.gate.refuses(&reply, OBJECT_NOT_FOUND).await;
}

#[tokio::test]
async fn one_subscription_is_for_one_servers_resources() {
    let floor = Floor::start().await;
    for wanted in [
        json!({ "resourceSubscriptions": ["shop://goods/1", "desk://tickets/1"] }),
        json!({ "resourcesListChanged": true }),
    ] {
        let reply = floor.client().post("subscriptions/listen", json!({ "notifications": wanted })).await.unwrap();
        floor.gate.refuses(&reply, PARAMS_INVALID).await;
        let said = String::from_utf8_lossy(&reply.body);
        assert!(said.contains("one subscription is for the resources and tasks of one server"), "{said}");
    }
}

#[tokio::test]
async fn agents_hear_of_changes_of_any_server_once_people_approved_them() {
    let floor = Floor::start().await;
    let mut stream = floor.client().listen(json!({ "toolsListChanged": true })).await.unwrap();
    stream.next().await.unwrap().unwrap();
    floor.shop.change(|script| script.tools.push(json!({ "name": "new", "inputSchema": { "type": "object" } })));
    let changed = |drift: &serde_json::Value| drift["changes"].as_array().is_some_and(|changes| !changes.is_empty());
    floor.gate.until("/servers/shop/difference", changed).await;
    floor.gate.must(&["server", "approve", "shop", "--yes"]).await;
    loop {
        let told = stream.next().await.unwrap().unwrap();
        if told["method"] == "notifications/tools/list_changed" {
            break;
        }
    }
    let tools = floor.client().list("tools/list").await.unwrap();
    assert!(super::listed(&tools, "tools", "name").iter().any(|name| name == "shop_new"));
}
