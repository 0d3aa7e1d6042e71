use super::*;

fn file(client: Client, system: System, variables: &[(&str, &str)]) -> String {
    let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
    let around = Surroundings { system, home: "/h".into(), variable: &variable };
    client.file(Scope::User, &around).unwrap().to_str().unwrap().to_owned()
}

#[test]
fn every_client_keeps_its_settings_where_its_documentation_says() {
    for (client, unix, mac) in [
        (
            Client::ClaudeDesktop,
            "/h/.config/Claude/claude_desktop_config.json",
            "/h/Library/Application Support/Claude/claude_desktop_config.json",
        ),
        (Client::ClaudeCode, "/h/.claude.json", "/h/.claude.json"),
        (Client::Cursor, "/h/.cursor/mcp.json", "/h/.cursor/mcp.json"),
        (Client::Vscode, "/h/.config/Code/User/mcp.json", "/h/Library/Application Support/Code/User/mcp.json"),
        (Client::Codex, "/h/.codex/config.toml", "/h/.codex/config.toml"),
        (Client::Gemini, "/h/.gemini/settings.json", "/h/.gemini/settings.json"),
    ] {
        assert_eq!(file(client, System::Unix, &[]), unix);
        assert_eq!(file(client, System::Mac, &[]), mac);
    }
    assert_eq!(file(Client::Vscode, System::Windows, &[("APPDATA", "/r")]), "/r/Code/User/mcp.json");
}

#[test]
fn what_the_environment_moves_is_followed() {
    assert_eq!(file(Client::Codex, System::Unix, &[("CODEX_HOME", "/c")]), "/c/config.toml");
    assert_eq!(file(Client::ClaudeCode, System::Unix, &[("CLAUDE_CONFIG_DIR", "/c")]), "/c/.claude.json");
    assert_eq!(file(Client::Vscode, System::Unix, &[("XDG_CONFIG_HOME", "/x")]), "/x/Code/User/mcp.json");
}

#[test]
fn entries_have_the_keys_that_each_client_reads() {
    let keys = |client: Client| client.entry("/gate", &[]).keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(Client::Vscode), "type command args");
    assert_eq!(keys(Client::Cursor), "type command args");
    assert_eq!(keys(Client::Gemini), "command args");
    assert_eq!(keys(Client::Codex), "command args");
    assert_eq!(Client::Vscode.form(), Form::Json { section: "servers" });
    assert_eq!(Client::Cursor.form(), Form::Json { section: "mcpServers" });
}
