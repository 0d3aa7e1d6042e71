use std::collections::BTreeMap;

use super::*;
use crate::{System, Target, Verdict, compared};

/// Files in memory.
struct Memory(BTreeMap<PathBuf, &'static str>);

impl Files for Memory {
    fn read(&self, path: &Path) -> Option<Result<String, String>> {
        self.0.get(path).map(|text| Ok((*text).to_owned()))
    }

    fn list(&self, folder: &Path) -> Vec<PathBuf> {
        let below = self.0.keys().filter_map(|path| path.strip_prefix(folder).ok()?.components().next());
        let below: BTreeSet<_> = below.map(|first| folder.join(first)).collect();
        below.into_iter().collect()
    }
}

fn surveyed(files: &[(&str, &'static str)]) -> Survey {
    let around = Surroundings { system: System::Unix, home: "/h".into(), variable: &|_| None };
    let files = Memory(files.iter().map(|(path, text)| (PathBuf::from(path), *text)).collect());
    survey(&around, &["/p".into(), "/h".into()], &files)
}

#[test]
fn everything_is_found_once() {
    let survey = surveyed(&[
        ("/h/.cursor/mcp.json", r#"{ "mcpServers": { "a": { "url": "https://a.example/mcp" } } }"#),
        (
            "/h/.claude.json",
            r#"{ "mcpServers": { "b": { "command": "npx", "args": ["b"] } }, "projects": { "/q": { "mcpServers": { "c": { "command": "c" } } } } }"#,
        ),
        ("/q/.mcp.json", r#"{ "mcpServers": { "d": { "command": "d" } } }"#),
        ("/p/.vscode/mcp.json", r#"{ "servers": { "e": { "command": "e", "disabled": true } } }"#),
        ("/h/.config/Code/User/workspaceStorage/1/workspace.json", r#"{ "folder": "file:///r" }"#),
        ("/r/.vscode/settings.json", r#"{ "mcp.servers": { "f": { "command": "f" } } }"#),
        (
            "/h/.config/zed/settings.json",
            r#"{ "context_servers": { "g": { "command": { "path": "npx", "args": ["g"], "env": { "A_TOKEN": "abcdef" } } } } }"#,
        ),
        ("/h/.codex/config.toml", "[projects.\"/s\"]\ntrust_level = \"trusted\"\n"),
        (
            "/s/.gemini/settings.json",
            r#"{ "mcpServers": { "i": { "httpUrl": "https://i.example/mcp", "headers": { "Authorization": "Bearer abcdef" } } } }"#,
        ),
    ]);
    let shown: Vec<_> =
        survey.found.iter().map(|found| format!("{} {}", found.entry.client.word(), found.entry.name)).collect();
    assert_eq!(
        shown,
        ["claude-code b", "cursor a", "zed g", "claude-code c", "vscode e", "claude-code d", "vscode f", "gemini i"]
    );
    let entry = |name: &str| &survey.found.iter().find(|found| found.entry.name == name).unwrap().entry;
    assert_eq!(entry("c").project.as_deref(), Some("/q"));
    assert!(!entry("e").enabled && entry("d").enabled);
    assert_eq!(entry("g").plaintext, ["environment A_TOKEN"]);
    assert_eq!(entry("i").plaintext, ["header Authorization"]);
    assert_eq!(entry("i").target, Target::at("https://i.example/mcp"));
    assert_eq!(entry("a").scope, Scope::User, "the home is not taken for a project");
    assert!(survey.unreadable.is_empty());
}

#[test]
fn no_secret_leaves_with_what_was_found() {
    let token = "Zx9-this-is-the-secret";
    let text: &'static str = Box::leak(
        format!(
            r#"{{ "mcpServers": {{ "a": {{ "command": "npx", "args": ["a", "--api-key", "{token}", "--token={token}"],
               "env": {{ "A_TOKEN": "{token}", "DSN": "postgres://u:{token}@db.example/x" }} }},
               "b": {{ "url": "https://u:{token}@b.example/mcp?api_key={token}", "headers": {{ "X-Api-Key": "{token}" }} }},
               "c": {{ "command": "portcullis", "args": ["connect", "https://u:{token}@gate.example/desk/mcp"] }} }} }}"#
        )
        .into_boxed_str(),
    );
    let survey = surveyed(&[("/h/.cursor/mcp.json", text)]);
    assert_eq!(survey.found.len(), 3);
    let report = survey.report("host", "ana", "linux");
    let out = format!("{survey:?}{}", serde_json::to_string(&compared(&report, None)).unwrap());
    assert!(!out.contains(token), "{out}");
    let places: Vec<_> = survey.found.iter().map(|found| found.entry.plaintext.join(", ")).collect();
    assert_eq!(
        places,
        ["argument 3, argument 4, environment A_TOKEN, environment DSN", "url, header X-Api-Key", "argument 2"]
    );
}

#[test]
fn a_file_that_is_not_understood_is_told_and_the_rest_is_read() {
    let survey = surveyed(&[
        ("/h/.cursor/mcp.json", "{ oh"),
        ("/h/.claude.json", "{ oh"),
        ("/p/.mcp.json", r#"{ "mcpServers": { "a": { "command": "a" }, "b": 7 } }"#),
    ]);
    let files: Vec<_> = survey.unreadable.iter().map(|one| one.file.as_str()).collect();
    assert_eq!(files, ["/h/.claude.json", "/h/.cursor/mcp.json"]);
    assert_eq!(survey.found.len(), 2);
    assert_eq!(survey.found[1].entry.target, Target::Unclear);
    let judged = compared(&survey.report("h", "u", "linux"), Some(&crate::Known::default()));
    assert_eq!(judged.count(|verdict| verdict == Verdict::Unclear), 1);
    assert_eq!(judged.count(Verdict::is_unapproved), 1);
}

#[test]
fn no_secret_is_shown_wherever_in_an_entry_it_stands() {
    let secret = "hunter2-is-the-secret";
    let text: &'static str = Box::leak(
        format!(
            r#"{{ "mcpServers": {{ "a": {{ "command": "npx b --token {secret}" }},
               "b": {{ "command": "npx", "args": "b --header 'Authorization: Bearer {secret}' --token {secret}" }},
               "c": {{ "command": "c", "extra": ["--token", "{secret}", {{ "password": "{secret}" }}, 7] }},
               "d": {{ "command": "d", "env": {{ "A_TOKEN": ["{secret}"] }}, "more": {{ "args": ["A_TOKEN={secret}"] }} }} }} }}"#
        )
        .into_boxed_str(),
    );
    let survey = surveyed(&[("/h/.cursor/mcp.json", text)]);
    let places: Vec<_> = survey.found.iter().map(|found| found.entry.plaintext.join(", ")).collect();
    assert_eq!(places, ["command", "args", "extra 2, password", "environment A_TOKEN 1, more args 1"]);
    assert!(!format!("{survey:?}").contains(secret), "{survey:?}");
    assert!(!serde_json::to_string(&survey.report("h", "u", "linux")).unwrap().contains(secret));
}
