//! `portcullis inventory`: what the clients on a host connect to, through the command line and a gate.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::gate::files::{ANA, caller_token};
use crate::gate::{Gate, Said};

/// Stands in settings as a secret, and may appear nowhere else.
const SECRET: &str = "Zx9-of-somebody-else";

/// A home in which several clients have servers, one of them the desk, reached without the gate.
fn home(gate: &Gate) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = home.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let desk = gate.desk.url();
    put(
        ".cursor/mcp.json",
        &format!(
            "{{\n  // mine\n  \"mcpServers\": {{\n    \"desk\": {{ \"url\": \"{desk}\", \"headers\": {{ \"Authorization\": \
             \"Bearer {SECRET}\" }} }},\n    \"files\": {{ \"command\": \"npx\", \"args\": [\"-y\", \"acme-files\"] }},\n  }},\n}}\n"
        ),
    );
    put(".codex/config.toml", &format!("model = \"x\"\n\n[mcp_servers.desk]\nurl = \"{desk}\"\n"));
    let through = format!("http://{}/desk/mcp", gate.agents());
    put(".gemini/settings.json", &json!({ "mcpServers": { "gate": { "httpUrl": through } } }).to_string());
    put("work/app/.vscode/mcp.json", &json!({ "servers": { "old": { "command": "old-server" } } }).to_string());
    put(".codeium/windsurf/mcp_config.json", "{ \"mcpServers\": ");
    home
}

/// Runs it as the owner of the bootstrap token, in a home.
fn run(gate: &Gate, home: &Path, arguments: &[&str]) -> Said {
    let admin = format!("http://{}", gate.admin());
    let token = gate.directory().join("data/admin.token");
    spoken(home, &[arguments, &["--admin", &admin, "--token-file", token.to_str().unwrap()]].concat())
}

/// Runs it in a home.
fn spoken(home: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command
        .arg("inventory")
        .args(arguments)
        .current_dir(home)
        .env("HOME", home)
        .env("USER", "ana")
        .stdin(Stdio::null());
    for moved in ["XDG_CONFIG_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR", "PORTCULLIS_CONFIG"] {
        command.env_remove(moved);
    }
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let said = Said { ok: output.status.success(), out: text(output.stdout), err: text(output.stderr) };
    assert!(!said.out.contains(SECRET) && !said.err.contains(SECRET), "{said:?}");
    said
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The verdict and the client of each server.
fn verdicts(answer: &Value) -> Vec<String> {
    let entries = answer["entries"].as_array().unwrap();
    let one = |judged: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
        format!("{} {}: {}", text(&judged["entry"]["client"]), text(&judged["entry"]["name"]), text(&judged["verdict"]))
    };
    entries.iter().map(one).collect()
}

#[tokio::test]
async fn an_inventory_tells_what_goes_through_the_gate_around_it_and_to_strangers() {
    let gate = Gate::start().await;
    let home = home(&gate);
    let under = ["--under", "work", "--host", "laptop"];
    let said = run(&gate, home.path(), &[&under[..], &["--json"]].concat());
    assert!(said.ok, "{}", said.err);
    let answer: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        verdicts(&answer),
        [
            "cursor desk: around-gate",
            "cursor files: unknown",
            "codex desk: around-gate",
            "gemini gate: through-gate",
            "vscode old: unknown",
        ]
    );
    assert_eq!(answer["entries"][0]["server"], "desk");
    assert_eq!(answer["entries"][0]["concerns"][0], json!({ "kind": "plain-secret", "place": "header Authorization" }));
    assert_eq!(answer["unreadable"][0]["client"], "windsurf");

    let said = run(&gate, home.path(), &under);
    assert!(said.out.lines().all(|line| line.chars().count() <= 80 || line.contains("http://")), "{}", said.out);
    let shown = words(&said.out);
    for part in [
        "5 servers in 5 files",
        "1 through the gate, 2 around the gate, 2 unapproved, 1 with secrets in plain text, 1 unreadable",
        "goes around the gate, where it is approved as `desk`",
        "secret in plain text: header Authorization",
        "whichever acme-files of npm is newest is run at every start",
        "next: portcullis inventory --fix",
    ] {
        assert!(shown.contains(part), "{part}\n{}", said.out);
    }
    gate.must(&["server", "suspend", "desk"]).await;
    let said = run(&gate, home.path(), &["--json", "--host", "laptop"]);
    let answer: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(verdicts(&answer)[0], "cursor desk: not-approved", "what the gate has now decides");
}

#[tokio::test]
async fn a_report_is_kept_for_the_fleet_and_a_reporter_does_nothing_else() {
    let gate = Gate::start().await;
    let home = home(&gate);
    let token = gate.directory().join("tokens/reporter");
    let url = format!("http://{}", gate.admin());
    let report = ["--report", &url, "--token-file", token.to_str().unwrap(), "--host", "laptop"];
    let said = spoken(home.path(), &report);
    assert!(said.ok, "{}", said.err);
    assert!(words(&said.out).contains("2 around the gate"), "{}", said.out);

    let listed = gate.must(&["inventory", "list"]).await;
    assert!(words(&listed).contains("laptop ana 4 2 1 1"), "{listed}");
    let shown = words(&gate.must(&["inventory", "show", "laptop"]).await);
    assert!(shown.contains("reported by reporter") && shown.contains("header Authorization"), "{shown}");
    let receipts = gate.until("/receipts?kind=changed", |page| page.to_string().contains("inventory.report")).await;
    assert!(!receipts.to_string().contains(SECRET), "{receipts}");

    for forbidden in [["server", "list"].as_slice(), &["inventory", "list"], &["server", "suspend", "desk"]] {
        let said = gate.cli_with("tokens/reporter", forbidden).await;
        assert!(!said.ok && said.err.contains("role"), "{forbidden:?}: {said:?}");
    }
    let said = spoken(home.path(), &["--report", &url, "--host", "laptop"]);
    assert!(!said.ok && said.err.contains("no token to show"), "{said:?}");
}

#[tokio::test]
async fn what_goes_around_is_rewritten_to_go_through_and_nothing_else_is_touched() {
    let gate = Gate::start().await;
    let home = home(&gate);
    let cursor = home.path().join(".cursor/mcp.json");
    let codex = home.path().join(".codex/config.toml");
    let before = [&cursor, &codex].map(|path| fs::read_to_string(path).unwrap());
    let token = home.path().join("token");
    fs::write(&token, caller_token(ANA.name)).unwrap();
    let fix = ["--fix", "--caller-token", token.to_str().unwrap(), "--host", "laptop"];

    let said = run(&gate, home.path(), &fix);
    assert!(!said.ok && said.err.contains("nobody to ask"), "{said:?}");
    assert!(said.out.contains("~ server desk") && said.out.contains("***"), "the change is shown: {}", said.out);
    assert_eq!([&cursor, &codex].map(|path| fs::read_to_string(path).unwrap()), before, "unasked nothing is written");

    let said = run(&gate, home.path(), &[&fix[..], &["--yes"]].concat());
    assert!(said.ok, "{}", said.err);
    assert!(words(&said.out).contains("the backup still holds the secrets"), "{}", said.out);
    let after = fs::read_to_string(&cursor).unwrap();
    assert!(!after.contains(SECRET) && after.contains("// mine") && after.contains("acme-files"), "{after}");
    assert!(after.contains("\"connect\"") && after.contains("/desk/mcp"), "{after}");
    assert!(fs::read_to_string(&codex).unwrap().starts_with("model = \"x\"\n"));
    let backups: Vec<PathBuf> = fs::read_dir(home.path().join(".cursor"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "backup"))
        .collect();
    assert_eq!(backups.iter().map(|path| fs::read_to_string(path).unwrap()).collect::<Vec<_>>(), [before[0].clone()]);

    let said = run(&gate, home.path(), &["--json", "--host", "laptop"]);
    let answer: Value = serde_json::from_str(&said.out).unwrap();
    let verdicts = verdicts(&answer);
    assert!(verdicts.contains(&"cursor desk: through-gate".to_owned()), "{verdicts:?}");
    assert!(!verdicts.iter().any(|verdict| verdict.contains("around")), "{verdicts:?}");
    let said = run(&gate, home.path(), &fix);
    assert!(said.ok && said.out.contains("nothing to rewrite"), "{said:?}");
}

#[test]
fn without_a_gate_everything_is_found_and_nothing_is_judged() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".cursor/mcp.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, json!({ "mcpServers": { "a": { "command": "bash", "args": ["-c", "x"] } } }).to_string()).unwrap();
    let said = spoken(Path::new("/"), &["--host", "laptop", "--home", home.path().to_str().unwrap()]);
    let out = words(&said.out);
    assert!(said.ok && out.contains("1 server in 1 file"), "{out}");
    assert!(out.contains("found a bash -c x a shell reads the command"), "{out}");
    assert!(out.contains("no gate was asked"), "{out}");
}
