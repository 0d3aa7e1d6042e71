use super::*;

const BASE: &str = "https://gate.example.com";

fn reached() -> Vec<Reached> {
    ["crm", "desk"].map(|name| (name.to_owned(), format!("{BASE}/{name}/mcp"))).into()
}

fn of(client: Managed, name: &str) -> Value {
    let files = files(client, &reached(), BASE, true);
    files.into_iter().find(|file| file.name == name).unwrap().content
}

#[test]
fn claude_code_gets_the_servers_and_the_list_of_what_else_is_allowed() {
    assert_eq!(
        of(Managed::ClaudeCode, "managed-mcp.json"),
        json!({ "mcpServers": {
            "crm": { "type": "http", "url": "https://gate.example.com/crm/mcp" },
            "desk": { "type": "http", "url": "https://gate.example.com/desk/mcp" },
        } })
    );
    assert_eq!(
        of(Managed::ClaudeCode, "managed-settings.json"),
        json!({ "allowManagedMcpServersOnly": true, "allowedMcpServers": [{ "serverUrl": "https://gate.example.com/*" }] })
    );
}

#[test]
fn visual_studio_code_gets_the_registry_where_there_is_one() {
    assert_eq!(of(Managed::Vscode, "mcp.json")["servers"]["crm"]["type"], "http");
    assert_eq!(
        of(Managed::Vscode, "policy.json"),
        json!({ "McpGalleryServiceUrl": "https://gate.example.com", "ChatMCP": "registry" })
    );
    assert_eq!(files(Managed::Vscode, &reached(), BASE, false).len(), 1);
}

#[test]
fn cursor_and_copilot_get_theirs() {
    let cursor = of(Managed::Cursor, "mcp.json");
    assert_eq!(cursor["mcpServers"]["desk"], json!({ "url": "https://gate.example.com/desk/mcp" }));
    let copilot = of(Managed::Copilot, "managed-settings.json");
    assert_eq!(copilot, json!({ "allowedMcpServers": [{ "serverUrl": "https://gate.example.com/*" }] }));
}
