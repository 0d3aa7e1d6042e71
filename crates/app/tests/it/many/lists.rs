//! Long lists come in pages, each caller's own, and whole however they are read.

use std::collections::HashSet;

use drill::mcp::{Client, Reply};
use serde_json::json;

use super::Warehouse;
use crate::gate::files::{ANA, ANA_AT_DESKTOP};
use crate::session::Line;
use crate::verdict::{No, PARAMS_INVALID, passes};

const TOOLS: usize = 1_250;

async fn page(client: &Client, cursor: Option<&str>) -> Reply {
    let params = cursor.map_or(json!({}), |cursor| json!({ "cursor": cursor }));
    client.post("tools/list", params).await.unwrap()
}

fn names(reply: &Reply) -> Vec<String> {
    reply.names("tools").into_iter().map(str::to_owned).collect()
}

fn next(reply: &Reply) -> Option<String> {
    reply.result().unwrap().get("nextCursor").map(|cursor| cursor.as_str().unwrap().to_owned())
}

/// Every page, one after another.
async fn pages(client: &Client) -> Vec<Vec<String>> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let reply = page(client, cursor.as_deref()).await;
        passes(&reply);
        assert!(reply.body.len() < 1_200_000, "a page is bounded");
        pages.push(names(&reply));
        cursor = next(&reply);
        if cursor.is_none() {
            return pages;
        }
    }
}

#[tokio::test]
async fn a_long_list_is_whole_page_by_page_and_each_caller_has_its_own() {
    let warehouse = Warehouse::start(TOOLS).await;
    let ana = pages(&warehouse.client(ANA)).await;
    assert_eq!(ana.iter().map(Vec::len).collect::<Vec<_>>(), [1_000, 250 - 2]);
    let all: Vec<_> = ana.concat();
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "each once");
    for hidden in ["item_0007", "item_1200"] {
        assert!(!all.iter().any(|name| name == hidden), "{hidden}");
    }
    let desktop = pages(&warehouse.client(ANA_AT_DESKTOP)).await;
    assert_eq!(desktop.concat(), ["item_0042"], "the other sees one of all of them");
    assert_eq!(pages(&warehouse.client(ANA)).await, ana, "remembered, it is the same");
    let record = warehouse.gate.read("/receipts?kind=listed&limit=1").await;
    let listed = &record["receipts"][0]["record"]["event"];
    assert_eq!((&listed["shown"], &listed["hidden"]), (&json!(248), &json!(1)), "{listed:#}");
}

#[tokio::test]
async fn a_session_s_client_reads_the_same_pages() {
    let warehouse = Warehouse::start(TOOLS).await;
    let session = Line::new(&warehouse.gate, "warehouse", ANA).begin(json!({})).await;
    let (mut count, mut params) = (0, json!({}));
    loop {
        let reply = session.send("tools/list", params).await;
        passes(&reply);
        count += reply.names("tools").len();
        match next(&reply) {
            Some(cursor) => params = json!({ "cursor": cursor }),
            None => break,
        }
    }
    assert_eq!(count, TOOLS - 2);
}

#[tokio::test]
async fn a_cursor_is_good_for_whom_it_was_given_where_it_was_given_and_for_what() {
    let warehouse = Warehouse::start(TOOLS).await;
    let gate = &warehouse.gate;
    let cursor = next(&page(&warehouse.client(ANA), None).await).unwrap();
    assert!(!cursor.contains("1000") && !cursor.contains("item"), "it tells nothing: {cursor}");
    let refused = async |client: &Client, method: &str, cursor: &str| {
        let reply = client.post(method, json!({ "cursor": cursor })).await.unwrap();
        gate.refuses(&reply, No { control: "read", ..PARAMS_INVALID }).await;
        reply.error_message().unwrap().to_owned()
    };
    let told = refused(&warehouse.client(ANA_AT_DESKTOP), "tools/list", &cursor).await;
    assert!(told.ends_with("unknown cursor"), "{told}");
    refused(&gate.client(ANA), "tools/list", &cursor).await;
    refused(&warehouse.client(ANA), "prompts/list", &cursor).await;
    let mut bent = cursor.clone().into_bytes();
    bent[5] ^= 1;
    for made_up in ["", "0", "1000", &String::from_utf8(bent).unwrap()] {
        refused(&warehouse.client(ANA), "tools/list", made_up).await;
    }
    passes(&page(&warehouse.client(ANA), Some(&cursor)).await);
}

#[tokio::test]
async fn after_a_change_an_old_cursor_is_told_as_one_and_the_list_is_the_new_one() {
    let warehouse = Warehouse::start(TOOLS).await;
    let client = warehouse.client(ANA);
    let cursor = next(&page(&client, None).await).unwrap();
    let rule =
        "@id(\"late\")\nforbid (principal, action == Action::\"list\", resource == Tool::\"warehouse/item_0001\");\n";
    std::fs::write(warehouse.gate.directory().join("state/policies/late.cedar"), rule).unwrap();
    warehouse.gate.apply().await;
    let reply = page(&client, Some(&cursor)).await;
    warehouse.gate.refuses(&reply, No { control: "read", ..PARAMS_INVALID }).await;
    let told = reply.error_message().unwrap();
    assert!(told.ends_with("list again from the beginning"), "{told}");
    let all = pages(&client).await.concat();
    assert_eq!(all.len(), TOOLS - 3);
    assert!(!all.contains(&"item_0001".to_owned()), "what was remembered went with the revision");
}

/// The figures are looked at by the benchmark; here, that they stay what they are in kind.
#[tokio::test]
async fn others_are_served_while_a_long_list_is_gathered_for_the_first_time() {
    let warehouse = Warehouse::start(TOOLS).await;
    let client = warehouse.client(ANA);
    let listing = tokio::spawn(async move { pages(&client).await });
    for _ in 0..10 {
        let ticket = warehouse.gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap();
        passes(&ticket);
    }
    assert_eq!(listing.await.unwrap().concat().len(), TOOLS - 2);
}
