use serde_json::json;

use super::*;

fn headers(mirrored: &Mirrored, params: &Value) -> Vec<String> {
    let mut headers = HeaderMap::new();
    mirrored.write(params, &mut headers);
    headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
}

#[test]
fn a_tool_that_was_listed_has_its_arguments_mirrored_until_it_is_listed_otherwise() {
    let mirrored = Mirrored::default();
    let call = json!({ "name": "find", "arguments": { "region": "eu" } });
    assert!(headers(&mirrored, &call).is_empty());
    let tool =
        |schema: Value| json!({ "tools": [{ "name": "find", "inputSchema": { "properties": { "region": schema } } }] });
    mirrored.see(&tool(json!({ "type": "string", "x-mcp-header": "Region" })));
    assert_eq!(headers(&mirrored, &call), ["mcp-param-region: eu"]);
    assert!(headers(&mirrored, &json!({ "name": "other", "arguments": { "region": "eu" } })).is_empty());
    mirrored.see(&json!({ "tools": [] }));
    assert_eq!(headers(&mirrored, &call), ["mcp-param-region: eu"], "one page says nothing of another's tools");
    mirrored.see(&tool(json!({ "type": "string" })));
    assert!(headers(&mirrored, &call).is_empty());
}
