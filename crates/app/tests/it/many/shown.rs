//! A server with ten thousand tools, as people read it: a page, and all of it for programs.

use std::time::Instant;

use serde_json::{Value, json};

use crate::gate::{Gate, Setup};

const TOOLS: usize = 10_000;

/// A command, and how long it took.
async fn timed(gate: &Gate, arguments: &[&str]) -> String {
    let since = Instant::now();
    let said = gate.must(arguments).await;
    // For whoever wants to know: it depends on the machine, and on how the program was built.
    println!("{} ms  portcullis {}", since.elapsed().as_millis(), arguments.join(" "));
    said
}

#[tokio::test]
async fn ten_thousand_tools_are_a_page_for_people_and_all_there_for_programs() {
    let gate = Gate::unapproved(Setup::default()).await;
    gate.desk.change(|script| {
        (script.page, script.prompts, script.templates) = (1_000, Vec::new(), Vec::new());
        script.tools = (0..TOOLS)
            .map(|number| {
                let verb = if number % 10 == 0 { "delete" } else { "read" };
                json!({ "name": format!("{verb}_item_{number:05}"), "description": format!("Will {verb} item {number}."),
                    "inputSchema": { "type": "object", "properties": { "id": { "type": "string" } }, "required": ["id"] } })
            })
            .collect();
    });
    let checked = timed(&gate, &["server", "check", "desk"]).await;
    assert!(checked.lines().count() < 110, "{checked}");
    timed(&gate, &["server", "approve", "desk", "--yes"]).await;
    let shown = timed(&gate, &["server", "show", "desk"]).await;
    assert!(shown.lines().count() < 110, "{} lines", shown.lines().count());
    for part in ["10000 tools", "1000 destroys, 9000 reads", "more definitions", "--named TEXT"] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    let some = timed(&gate, &["server", "show", "desk", "--named", "ITEM_0999", "--definitions"]).await;
    assert!(some.contains("delete_item_09990") && some.contains("Will read item 9999."), "{some}");
    assert!(!some.contains("item_09989") && !some.contains("more definitions"), "{some}");
    assert!(gate.must(&["server", "show", "desk", "--named", "nothing"]).await.contains("none of its 100"));
    let whole: Value = serde_json::from_str(&timed(&gate, &["server", "show", "desk", "--json"]).await).unwrap();
    let names = whole["observed"]["definitions"].as_array().unwrap().iter();
    assert_eq!(names.filter(|item| item["kind"] == "tool").count(), TOOLS);
    let listed = timed(&gate, &["server", "list"]).await;
    assert!(listed.contains("10000") && listed.lines().count() < 10, "{listed}");
    let rows: Value = serde_json::from_str(&timed(&gate, &["server", "list", "--json"]).await).unwrap();
    assert_eq!(rows[0]["tools"], TOOLS);
}
