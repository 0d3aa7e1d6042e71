use super::*;
use crate::{Client, Scope};

fn known() -> Known {
    let command = |program: &str, arguments: &[&str]| {
        Target::of_command(program, &arguments.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
    };
    let server = |name: &str, approved, target| KnownServer { name: name.to_owned(), approved, target };
    Known {
        bases: vec!["https://gate.example".to_owned()],
        servers: vec![
            server("crm", true, Target::at("https://crm.example/mcp")),
            server("files", true, command("npx", &["-y", "@acme/files@1.0.0", "/srv"])),
            server("old", false, Target::at("https://old.example/mcp/")),
            server("script", true, command("/usr/bin/python3", &["/srv/server.py"])),
        ],
        endpoints: vec![KnownEndpoint { name: "desk".to_owned(), servers: vec!["crm".to_owned(), "files".to_owned()] }],
    }
}

fn entry(target: Target) -> Entry {
    Entry {
        client: Client::Cursor,
        scope: Scope::User,
        file: "/h/.cursor/mcp.json".to_owned(),
        project: None,
        name: "x".to_owned(),
        target,
        enabled: true,
        plaintext: Vec::new(),
    }
}

fn command(line: &str) -> Target {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let (program, arguments) = words.split_first().unwrap();
    Target::of_command(program, arguments)
}

#[test]
fn a_connection_is_told_by_where_it_leads() {
    for (target, verdict, server) in [
        (Target::at("https://gate.example/desk/mcp"), Verdict::ThroughGate, None),
        (Target::at("HTTPS://GATE.example:443/desk/mcp/?x=1"), Verdict::ThroughGate, None),
        (command("/opt/portcullis connect https://gate.example/desk/mcp --token-file t"), Verdict::ThroughGate, None),
        (command("npx -y mcp-remote https://gate.example/desk/mcp"), Verdict::ThroughGate, None),
        (Target::at("https://gate.example/dusk/mcp"), Verdict::NoEndpoint, None),
        (Target::at("https://gate.example.evil.example/desk/mcp"), Verdict::Unknown, None),
        (Target::at("https://crm.example/mcp/"), Verdict::AroundGate, Some("crm")),
        (Target::at("https://user:pass@crm.example/mcp?token=x"), Verdict::AroundGate, Some("crm")),
        (command("npx @acme/files@latest /home"), Verdict::AroundGate, Some("files")),
        (command("python3 /srv/server.py"), Verdict::AroundGate, Some("script")),
        (command("python3 /srv/other.py"), Verdict::Unknown, None),
        (Target::at("https://old.example/mcp"), Verdict::NotApproved, Some("old")),
        (command("npx @acme/filez"), Verdict::Unknown, None),
        (Target::Unclear, Verdict::Unclear, None),
    ] {
        let judged = judged(entry(target.clone()), Some(&known()));
        assert_eq!((judged.verdict, judged.server.as_deref()), (Some(verdict), server), "{target:?}");
    }
}

#[test]
fn what_goes_around_is_told_by_which_endpoint_it_could_go_through() {
    let of = |target| judged(entry(target), Some(&known())).endpoints;
    assert_eq!(of(Target::at("https://crm.example/mcp")), ["https://gate.example/desk/mcp"]);
    assert!(of(command("python3 /srv/server.py")).is_empty(), "no endpoint offers it");
    assert!(of(Target::at("https://old.example/mcp")).is_empty());
}

#[test]
fn without_a_gate_nothing_is_said_about_it() {
    let judged = judged(entry(Target::at("https://crm.example/mcp")), None);
    assert_eq!(judged.verdict, None);
}

#[test]
fn what_else_is_wrong_is_told() {
    let of = |target| judged(entry(target), None).concerns;
    assert_eq!(of(Target::at("http://crm.example/mcp")), [Concern::PlainHttp]);
    assert!(of(Target::at("http://127.0.0.1:80/mcp")).is_empty() && of(Target::at("http://[::1]/mcp")).is_empty());
    assert!(matches!(of(command("uvx mcp-x")).as_slice(), [Concern::AnyVersion { .. }]));
    assert!(of(command("uvx mcp-x==1.0")).is_empty());
    assert_eq!(of(command("bash -lc something")), [Concern::Shell]);
    assert_eq!(of(command("powershell.exe -Command x")), [Concern::Shell]);
    assert!(of(command("bash /srv/start.sh")).is_empty());
}
