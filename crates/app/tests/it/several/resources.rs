//! Resources, which keep their URIs: each server serves those that begin as the endpoint says, and no others.

use serde_json::json;

use super::{Floor, listed};
use crate::verdict::{OBJECT_NOT_FOUND, PARAMS_INVALID, passes};

#[tokio::test]
async fn a_resource_is_read_from_the_server_that_may_serve_it() {
    let floor = Floor::start().await;
    let client = floor.client();
    floor.reached();
    passes(&client.post("resources/read", json!({ "uri": "shop://goods/1" })).await.unwrap());
    passes(&client.post("resources/read", json!({ "uri": "desk://tickets/1" })).await.unwrap());
    let [desk, shop] = floor.reached();
    assert_eq!((desk.len(), shop.len()), (1, 1));
    for uri in ["file:///etc/passwd", "shop2://goods/1", "desk://escalated/1"] {
        let reply = client.post("resources/read", json!({ "uri": uri })).await.unwrap();
        floor.gate.refuses(&reply, OBJECT_NOT_FOUND).await;
    }
    assert_eq!(floor.reached(), [Vec::new(), Vec::new()]);
    let templates = client.list("resources/templates/list").await.unwrap();
    let templates = listed(&templates, "resourceTemplates", "uriTemplate");
    assert_eq!(templates, ["desk://tickets/{id}", "shop://goods/{id}"]);
    let reference = json!({ "type": "ref/resource", "uri": "shop://goods/{id}" });
    let completion = json!({ "ref": reference, "argument": { "name": "id", "value": "1" } });
    passes(&client.post("completion/complete", completion).await.unwrap());
    let [desk, shop] = floor.reached();
    assert_eq!((desk.len(), shop.len()), (0, 1));
}

#[tokio::test]
async fn pages_go_from_server_to_server_and_a_server_lists_only_what_it_may_serve() {
    let floor = Floor::start().await;
    floor.shop.behave(|script| script.page = 2);
    let client = floor.client();
    floor.reached();
    let mut cursor = None;
    let mut pages = Vec::new();
    loop {
        let params = cursor.as_ref().map_or(json!({}), |cursor| json!({ "cursor": cursor, "x-more": [1.50] }));
        let reply = client.post("resources/list", params).await.unwrap();
        pages.push(listed(&reply, "resources", "uri"));
        assert_eq!(reply.json["result"]["cacheScope"], "private");
        cursor = reply.json["result"]["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(pages, [vec!["desk://tickets/1"], vec!["shop://goods/1"], vec!["shop://goods/2", "shop://goods/3"]]);
    let said = floor.shop.forwarded();
    let bodies: Vec<serde_json::Value> = said.iter().map(|seen| serde_json::from_slice(&seen.body).unwrap()).collect();
    let cursors: Vec<_> = bodies.iter().map(|body| body["params"].get("cursor").cloned()).collect();
    assert_eq!(cursors, [None, Some(json!("at-2"))], "each server hears its own cursors");
    assert!(bodies.iter().all(|body| body["params"]["x-more"] == json!([1.50])), "and the rest as it was said");
}

#[tokio::test]
async fn a_cursor_that_the_gate_did_not_give_leads_nowhere() {
    let floor = Floor::start().await;
    floor.reached();
    for cursor in ["", "at-2", "crm", "crm:at-2", ":", "Shop", "shop ", "floor:1"] {
        let reply = floor.client().post("resources/list", json!({ "cursor": cursor })).await.unwrap();
        let refused = floor.gate.says(&reply, PARAMS_INVALID);
        assert_eq!(refused["reason"], "params-invalid", "{cursor}");
    }
    assert_eq!(floor.reached(), [Vec::new(), Vec::new()]);
}
