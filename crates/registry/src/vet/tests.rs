use serde_json::{Value, json};

use super::*;

fn tool(name: &str, schema: &Value) -> Named {
    Named { name: name.to_owned(), value: json!({ "name": name, "inputSchema": schema }) }
}

#[test]
fn a_tool_whose_schema_cannot_be_used_is_set_aside_with_the_reason_and_the_rest_stays() {
    let said = upstream::Definitions {
        tools: vec![
            tool("good", &json!({ "type": "object" })),
            tool("remote", &json!({ "type": "object", "properties": { "a": { "$ref": "http://127.0.0.1/s.json" } } })),
            Named { name: "bare".to_owned(), value: json!({ "name": "bare" }) },
        ],
        excluded: vec![upstream::Excluded {
            listing: Listing::Prompts,
            name: "odd".to_owned(),
            why: "it is odd".to_owned(),
        }],
        ..upstream::Definitions::default()
    };
    let (definitions, excluded) = examine(said, &HashSet::new());
    let names: Vec<_> = definitions.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["good"]);
    let told: Vec<_> = excluded.iter().map(|one| format!("{} {}: {}", one.kind, one.name, one.why)).collect();
    assert_eq!(
        told,
        [
            "prompt odd: it is odd",
            "tool remote: the `$ref` at `/properties/a` does not lead to a part of this schema, and nothing is fetched",
            "tool bare: the input schema is not a schema for objects",
        ]
    );
}

#[test]
fn what_was_found_usable_before_is_not_compiled_again() {
    let unusable = tool("remote", &json!({ "type": "object", "$ref": "http://127.0.0.1/s.json" }));
    let known = Definition::new("remote", &unusable.value).unwrap().digest;
    let said = upstream::Definitions { tools: vec![unusable], ..upstream::Definitions::default() };
    let (definitions, excluded) = examine(said, &HashSet::from([known]));
    assert_eq!((definitions.tools.len(), excluded.len()), (1, 0));
}
