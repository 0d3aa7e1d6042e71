//! `portcullis connect --install`: entries in clients' settings, through the command line.

use std::fs;

use serde_json::{Value, json};

use super::*;
use crate::gate::files::{ANA, caller_token};

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(arguments: &[&str], folder: &Path) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.arg("connect").args(arguments).current_dir(folder).env("HOME", folder).stdin(Stdio::null());
    for moved in ["XDG_CONFIG_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR"] {
        command.env_remove(moved);
    }
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

const URL: &str = "https://gate.example.com/desk/mcp";

#[tokio::test]
async fn an_installed_entry_starts_a_server_that_works_and_can_be_taken_out_again() {
    let gate = Gate::start().await;
    let folder = tempfile::tempdir().unwrap();
    let token = token_file(folder.path(), &caller_token(ANA.name));
    let (url, token) = (desk(&gate), token.to_str().unwrap());
    let settings = folder.path().join(".cursor/mcp.json");
    fs::create_dir(folder.path().join(".cursor")).unwrap();
    let before =
        "{\n  // mine\n  \"mcpServers\": {\n    \"files\": { \"env\": { \"KEY\": \"sk-of-files\" } },\n  },\n}\n";
    fs::write(&settings, before).unwrap();
    let install = ["--install", "cursor", &url, "--token-file", token, "--yes"];
    let said = run(&install, folder.path());
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.contains("+ server desk") && said.out.contains("+   \"command\":"), "{}", said.out);
    assert!(!said.out.contains("sk-of-files"), "what others keep is not shown:\n{}", said.out);
    let after = fs::read_to_string(&settings).unwrap();
    assert!(after.starts_with(before.trim_end_matches("\n  },\n}\n")), "{after}");
    assert!(!after.contains(&caller_token(ANA.name)));

    let entry = after.split_once("\"desk\": ").unwrap().1;
    let entry: Value = serde_json::Deserializer::from_str(entry).into_iter().next().unwrap().unwrap();
    let arguments: Vec<_> = entry["args"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    let mut local = Local::start(entry["command"].as_str().unwrap(), &arguments, None);
    assert_eq!(text(&local.ask(&call(1, "read_ticket", json!({ "ticket": "1" }))).await), "did \"read_ticket\"");

    let again = run(&install, folder.path());
    assert!(again.code == Some(0) && again.out.contains("nothing to change"), "{}", again.out);
    let said = run(&["--remove", "cursor", "--name", "desk", "--yes"], folder.path());
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(fs::read_to_string(&settings).unwrap(), before);
    let backups = fs::read_dir(folder.path().join(".cursor")).unwrap().count() - 1;
    assert_eq!(backups, 2, "each change kept what was before");
}

#[test]
fn every_client_gets_its_entry_where_it_looks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    for (client, file, section) in [
        ("claude-code", ".claude.json", "mcpServers"),
        ("cursor", ".cursor/mcp.json", "mcpServers"),
        ("gemini", ".gemini/settings.json", "mcpServers"),
        #[cfg(target_os = "linux")]
        ("vscode", ".config/Code/User/mcp.json", "servers"),
        #[cfg(target_os = "linux")]
        ("claude-desktop", ".config/Claude/claude_desktop_config.json", "mcpServers"),
    ] {
        let said = run(&["--install", client, URL, "--yes"], folder.path());
        assert_eq!(said.code, Some(0), "{client}: {}", said.err);
        assert!(said.out.contains("without --token-file"), "{client}: {}", said.out);
        let written: Value = serde_json::from_slice(&fs::read(folder.path().join(file)).unwrap()).unwrap();
        assert_eq!(written[section]["desk"]["args"], json!(["connect", URL]), "{client}");
        assert!(Path::new(written[section]["desk"]["command"].as_str().unwrap()).is_absolute());
    }
    let said = run(&["--install", "codex", URL, "--yes", "--name", "help-desk"], folder.path());
    assert_eq!(said.code, Some(0), "{}", said.err);
    let written = fs::read_to_string(folder.path().join(".codex/config.toml")).unwrap();
    assert!(written.starts_with("[mcp_servers.help-desk]\ncommand = "), "{written}");
    let said = run(&["--install", "vscode", URL, "--yes", "--project"], folder.path());
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(fs::read_to_string(folder.path().join(".vscode/mcp.json")).unwrap().contains("\"type\": \"stdio\""));
}

#[test]
fn nothing_is_written_that_nobody_agreed_to_or_that_is_not_understood() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mcp.json");
    let path = file.to_str().unwrap();
    let untouched = |text: &str, arguments: &[&str], code: i32, words: &str| {
        fs::write(&file, text).unwrap();
        let said = run(arguments, folder.path());
        let err = said.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(said.code, Some(code), "{arguments:?}: {err}");
        assert!(err.contains(words), "{arguments:?}: {err}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    };
    untouched("{}", &["--install", "cursor", URL, "--config-file", path], 2, "nobody to ask");
    let yes = ["--install", "cursor", URL, "--config-file", path, "--yes"];
    untouched("{ \"mcpServers\": ", &yes, 1, "line 1, column 17");
    untouched("{ \"mcpServers\": [] }", &yes, 1, "an object is wanted here");
    untouched("a = = 1", &["--install", "codex", URL, "--config-file", path, "--yes"], 1, "line 1, column 5");
    untouched("{}", &["--install", "notepad", URL], 2, "claude-desktop, claude-code, cursor, vscode, codex, gemini");
    untouched("{}", &["--install", "claude-desktop", URL, "--project", "--yes"], 2, "no settings for a project");
    untouched("{}", &["--install", "cursor", "https://gate.example.com/", "--yes"], 2, "--name");
    untouched("{}", &["--install", "cursor", URL, "--name", "a b", "--yes"], 2, "letters");
    untouched("{}", &["--install", "cursor", "http://gate.example.com/desk/mcp", "--yes"], 2, "plain http");
    untouched("{}", &["--install", "cursor", URL, "--token-file", "missing", "--yes"], 1, "`missing`");
    untouched("{}", &[URL, "--yes"], 2, "go with --install");
    untouched("{}", &[], 2, "<URL>");
}

#[test]
fn an_entry_can_be_printed_to_be_put_in_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(&["--install", "vscode", URL, "--token-file", "token", "--print"], folder.path());
    assert_eq!(said.code, Some(0), "{}", said.err);
    let printed: Value = serde_json::from_str(&said.out).unwrap();
    let token = folder.path().canonicalize().unwrap().join("token");
    assert_eq!(printed["servers"]["desk"]["args"], json!(["connect", URL, "--token-file", token]));
    assert!(said.err.contains("mcp.json"), "{}", said.err);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
