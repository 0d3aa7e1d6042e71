//! How the endpoint introduces itself.

use serde_json::json;

use super::Floor;
use crate::gate::files::BOB;
use crate::verdict::passes;

#[tokio::test]
async fn the_gate_speaks_for_several_and_tells_each_ones_instructions_under_its_name() {
    let floor = Floor::start().await;
    let reply = floor.client().discover().await.unwrap();
    passes(&reply);
    let result = &reply.json["result"];
    let server = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!((&server["name"], &server["title"]), (&json!("portcullis"), &json!("floor")));
    let spoken = json!(["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]);
    assert_eq!(result["supportedVersions"], spoken, "whatever its servers speak");
    assert_eq!(result["capabilities"]["resources"], json!({ "listChanged": true, "subscribe": true }));
    assert_eq!(
        result["instructions"],
        "# desk: its tools and prompts here begin with `desk_`\n\nLook a ticket up before you answer it.\n\n\
         # shop: its tools and prompts here begin with `shop_`\n\nPrices are in euros."
    );
    let bobs = floor.client_of(BOB).discover().await.unwrap();
    let told = bobs.json["result"]["instructions"].as_str().unwrap();
    assert!(told.starts_with("# desk") && !told.contains("shop"), "what one may not see has no words either: {told}");
}

#[tokio::test]
async fn without_resources_anywhere_none_are_announced() {
    let bare = "name = \"floor\"\npurpose = \"p\"\n[[servers]]\nname = \"desk\"\n[[servers]]\nname = \"shop\"\n";
    let floor = Floor::with(bare).await;
    let reply = floor.client().discover().await.unwrap();
    assert_eq!(reply.json["result"]["capabilities"].get("resources"), None, "{}", reply.json);
    assert_eq!(floor.client().list("resources/list").await.unwrap().json["error"]["code"], -32601);
    assert_eq!(
        floor.client().list("resources/templates/list").await.unwrap().json["result"]["resourceTemplates"],
        json!([])
    );
}
