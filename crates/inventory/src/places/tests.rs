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

/// A folder in memory.
struct Listed(&'static [&'static str]);

impl Files for Listed {
    fn read(&self, _path: &Path) -> Option<Result<String, String>> {
        None
    }

    fn list(&self, folder: &Path) -> Vec<PathBuf> {
        self.0.iter().map(PathBuf::from).filter(|path| path.parent() == Some(folder)).collect()
    }
}

fn every_spot(system: System, files: &'static [&'static str]) -> Vec<String> {
    let around = Surroundings { system, home: "/h".into(), variable: &|_| None };
    let spots = spots(&around, &Listed(files));
    spots.into_iter().map(|spot| format!("{} {}", spot.client.word(), spot.path.display())).collect()
}

#[test]
fn every_client_is_looked_for_on_every_system() {
    for (system, expected) in [
        (
            System::Unix,
            [
                "windsurf /h/.codeium/windsurf/mcp_config.json",
                "zed /h/.config/zed/settings.json",
                "cline /h/.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
                "continue /h/.continue/config.yaml",
                "jetbrains /h/.config/github-copilot/intellij/mcp.json",
                "claude-code /etc/claude-code/managed-mcp.json",
            ],
        ),
        (
            System::Mac,
            [
                "windsurf /h/.codeium/windsurf/mcp_config.json",
                "zed /h/.config/zed/settings.json",
                "cline /h/Library/Application Support/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
                "continue /h/.continue/config.yaml",
                "jetbrains /h/.config/github-copilot/intellij/mcp.json",
                "claude-code /Library/Application Support/ClaudeCode/managed-mcp.json",
            ],
        ),
        (
            System::Windows,
            [
                "windsurf /h/.codeium/windsurf/mcp_config.json",
                "zed /h/AppData/Roaming/Zed/settings.json",
                "cline /h/AppData/Roaming/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
                "continue /h/.continue/config.yaml",
                "jetbrains /h/AppData/Local/github-copilot/intellij/mcp.json",
                "claude-code C:\\Program Files/ClaudeCode/managed-mcp.json",
            ],
        ),
    ] {
        let found = every_spot(system, &[]);
        for path in expected {
            assert!(found.iter().any(|one| one == path), "{path} is not in {found:#?}");
        }
        for client in Client::ALL {
            assert!(found.iter().any(|one| one.starts_with(client.word())), "{client}");
        }
    }
}

#[test]
fn folders_with_many_files_are_listed() {
    let found = every_spot(
        System::Unix,
        &[
            "/h/.config/JetBrains/IntelliJIdea2026.1",
            "/h/.config/Code/User/profiles/1a2b",
            "/h/.continue/mcpServers/a.yaml",
            "/h/.continue/mcpServers/b.json",
            "/h/.continue/mcpServers/notes.md",
        ],
    );
    for path in [
        "jetbrains /h/.config/JetBrains/IntelliJIdea2026.1/options/llm.mcpServers.xml",
        "vscode /h/.config/Code/User/profiles/1a2b/mcp.json",
        "continue /h/.continue/mcpServers/a.yaml",
        "continue /h/.continue/mcpServers/b.json",
    ] {
        assert!(found.iter().any(|one| one == path), "{path} is not in {found:#?}");
    }
    assert!(!found.iter().any(|one| one.ends_with("notes.md")));
}

#[test]
fn a_project_s_own_files_are_looked_for() {
    let files = Listed(&["/p/.idea/.idea.App", "/p/.junie/mcp/mcp.json"]);
    let found: Vec<_> =
        project_spots(Path::new("/p"), &files).into_iter().map(|spot| spot.path.display().to_string()).collect();
    for path in [
        "/p/.mcp.json",
        "/p/.cursor/mcp.json",
        "/p/.vscode/mcp.json",
        "/p/.gemini/settings.json",
        "/p/.codex/config.toml",
        "/p/.zed/settings.json",
        "/p/.ai/mcp/mcp.json",
        "/p/.junie/mcp/mcp.json",
        "/p/.idea/workspace.xml",
        "/p/.idea/.idea.App/.idea/workspace.xml",
    ] {
        assert!(found.iter().any(|one| one == path), "{path} is not in {found:#?}");
    }
}
