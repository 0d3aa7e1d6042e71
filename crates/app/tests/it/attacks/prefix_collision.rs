//! A server that names its tools and resources so that they look like another's. Names have one reading, a URI one
//! holder, and what could have two is not applied.

use std::fs;

use serde_json::json;

use crate::several::{FLOOR, Floor, listed};
use crate::verdict::{AMBIGUOUS, OBJECT_NOT_FOUND, passes};

#[tokio::test]
async fn a_tool_that_is_named_like_another_servers_is_still_its_own() {
    let floor = Floor::start().await;
    let client = floor.client();
    let names = listed(&client.list("tools/list").await.unwrap(), "tools", "name");
    let of = |name: &str| names.iter().filter(|one| *one == name).count();
    assert_eq!((of("desk_refund"), of("shop_desk_refund")), (1, 1));
    floor.reached();
    passes(&client.call("desk_refund", json!({ "order": "1", "amount": 1 })).await.unwrap());
    let [desk, shop] = floor.reached();
    assert_eq!((desk.len(), shop.len()), (1, 0));
    passes(&client.call("shop_desk_refund", json!({})).await.unwrap());
    let [desk, shop] = floor.reached();
    assert_eq!((desk.len(), &shop[0].1), (0, &json!("desk_refund")));
    // Rights do not follow the looks of a name either: this is the desk's hidden tool, and the shop's.
    for name in ["desk_purge", "shop_purge", "desk__purge", "desk_shop_purge", "shop__desk_refund", "desk-_refund"] {
        floor.gate.refuses(&client.call(name, json!({})).await.unwrap(), OBJECT_NOT_FOUND).await;
    }
}

#[tokio::test]
async fn header_and_body_cannot_mean_two_servers() {
    let floor = Floor::start().await;
    let client = floor.client();
    let params = json!({ "name": "shop_read_ticket", "arguments": {} });
    floor.reached();
    for header in ["desk_read_ticket", "read_ticket"] {
        let mut headers = client.headers("tools/call", &params);
        headers.insert("mcp-name", header.parse().unwrap());
        let reply = client.raw(client.body("tools/call", params.clone()).to_string(), headers).await.unwrap();
        assert_eq!(reply.json["error"]["code"], -32020, "{}", reply.text());
    }
    assert_eq!(floor.reached(), [Vec::new(), Vec::new()]);
}

#[tokio::test]
async fn a_resource_of_another_server_is_neither_listed_nor_read_from_who_claims_it() {
    let floor = Floor::start().await;
    let client = floor.client();
    floor.reached();
    let mine = client.post("resources/list", json!({ "cursor": "shop" })).await.unwrap();
    let listed = listed(&mine, "resources", "uri");
    assert!(listed.iter().all(|uri| uri.starts_with("shop://")), "{listed:?}");
    passes(&client.post("resources/read", json!({ "uri": "desk://tickets/1" })).await.unwrap());
    for uri in ["desk://tickets/../vault/1", "shop://goods/../../desk", "DESK://tickets/1", "shop:\\\\goods"] {
        let reply = client.post("resources/read", json!({ "uri": uri })).await.unwrap();
        floor.gate.refuses(&reply, AMBIGUOUS).await;
    }
    let [desk, shop] = floor.reached();
    assert_eq!((desk.len(), shop.len()), (1, 1), "the shop was asked for its list, and nothing else");
}

#[tokio::test]
async fn beginnings_that_overlap_are_not_applied_and_it_says_which() {
    let floor = Floor::start().await;
    let before = floor.gate.read("/revision").await["revision"].clone();
    let state = floor.gate.directory().join("state");
    for claim in ["desk://tickets/", "desk://tickets/1/", "desk:"] {
        fs::write(state.join("endpoints/floor.toml"), FLOOR.replace("shop://", claim)).unwrap();
        let said = floor.gate.cli(&["apply", "-f", state.to_str().unwrap(), "--yes"]).await;
        assert!(!said.ok);
        let words = said.err.split_whitespace().collect::<Vec<_>>().join(" ");
        let told = format!("`{claim}` of server `shop` overlaps with `desk://tickets/` of server `desk`");
        assert!(words.contains(&told) && words.contains("floor.toml:11:1"), "{}", said.err);
    }
    assert_eq!(floor.gate.read("/revision").await["revision"], before);
}
