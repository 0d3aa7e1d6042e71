//! From files to state, with mistakes in the files, and two people at once.

use std::fs;

use http::header;
use serde_json::{Value, json};
use testkit::Process;

use super::one_line;
use crate::client::PATIENCE;
use crate::gate::files::{ANA, caller_token, person_token};
use crate::gate::{Gate, bearer, name, serve, value};
use crate::verdict::passes;

/// What is wrong with which file, and what `apply` says of it.
const MISTAKES: [(&str, &str, &str); 10] = [
    (
        "servers/desk.toml",
        "name = \"desk\"\nurl = \"http://127.0.0.1:1/mcp\"\nzone = \"here\"\nowner = \"me\"\n",
        "error: missing field `purpose` servers/desk.toml:1:1 next:  add `purpose = …`",
    ),
    (
        "servers/more.toml",
        "name = \"more\"\nurl = \"http://user:hunter2@127.0.0.1:1/mcp\"\nzone = \"here\"\nowner = \"me\"\npurpose = \
         \"x\"\n",
        "error: a server's url is `http://` or `https://`, a host and a path, without a user, a password or a \
         fragment servers/more.toml:2:7 next:  mend the file and try again; nothing was changed",
    ),
    (
        "servers/more.toml",
        "name = \"other\"\nurl = \"http://127.0.0.1:1/mcp\"\nzone = \"here\"\nowner = \"me\"\npurpose = \"x\"\n",
        "error: `other` is described in `servers/more.toml` servers/more.toml:1:1 next:  describe it once, in \
         servers/other.toml",
    ),
    (
        "servers/more.toml",
        "name = \"more\"\nurl = \"http://127.0.0.1:1/mcp\"\nzone = \"nowhere\"\nowner = \"me\"\npurpose = \"x\"\n",
        "error: server `more` is in zone `nowhere`, which is not declared servers/more.toml:3:1 next:  add \
         zones/nowhere.toml, or name another zone",
    ),
    (
        "endpoints/more.toml",
        "name = \"more\"\nserver = \"nobody\"\npurpose = \"x\"\n",
        "error: endpoint `more` names server `nobody`, which there is not endpoints/more.toml:2:1 next:  add \
         servers/nobody.toml, or name another server",
    ),
    (
        "zones/more.toml",
        "name = \"more\"\naddresses = [\"127.0.0.0/99\"]\npurpose = \"x\"\n",
        "error: invalid IP address syntax zones/more.toml:2:14 next:  write a network, such as `10.0.0.0/8`",
    ),
    (
        "zones/internet.toml",
        "name = \"internet\"\naddresses = [\"127.0.0.0/8\"]\npurpose = \"x\"\n",
        "error: the zone `internet` is built in: give this one another name zones/internet.toml:1:8 next:  mend the \
         file and try again; nothing was changed",
    ),
    (
        "policies/more.cedar",
        "permit (principal, action, resource)\n",
        "error: unexpected end of input policies/more.cedar:1:37 next:  mend the file and try again; nothing was \
         changed",
    ),
    (
        "policies/more.cedar",
        "// a comment\n@onwer(\"me\")\npermit (principal, action == Action::\"call\", resource);\n",
        "error: unknown annotation `@onwer` policies/more.cedar:2:1 next:  mend the file and try again; nothing was \
         changed",
    ),
    (
        "policies/more.cedar",
        "forbid (principal, action == Action::\"call\", resource == Tool::\"desk/refund\")\nwhen { \
         context.arguments.amuont.greaterThan(decimal(\"1.0\")) };\n",
        "error: no tool this policy can apply to has an argument `amuont` policies/more.cedar:2:26 next:  there is \
         `amount`, `note`, `order`",
    ),
];

#[tokio::test]
async fn a_wrong_folder_changes_nothing_and_is_told_by_line_and_column() {
    let gate = Gate::start().await;
    let before = gate.read("/revision").await;
    let state = gate.directory().join("state");
    let mut wrong = Vec::new();
    for (file, text, told) in MISTAKES {
        let path = state.join(file);
        let right = fs::read_to_string(&path).ok();
        fs::write(&path, text).unwrap();
        let said = gate.cli(&["apply", "-f", state.to_str().unwrap(), "--yes"]).await;
        assert!(!said.ok, "{said:?}");
        assert!(!said.err.contains("hunter2"), "{said:?}");
        let said = one_line(&said.err, gate.directory());
        if said != told {
            wrong.push(format!("{file}: {text:?}\n  said {said:?}\n  not  {told:?}"));
        }
        match right {
            Some(right) => fs::write(&path, right).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(gate.read("/revision").await, before);
    let said = gate.must(&["apply", "-f", state.to_str().unwrap(), "--yes"]).await;
    assert!(said.contains("nothing to change"), "{said}");
    passes(&gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
}

#[tokio::test]
async fn several_mistakes_are_told_at_once() {
    let gate = Gate::start().await;
    let state = gate.directory().join("state");
    fs::write(state.join("servers/a.toml"), "name = 1\n").unwrap();
    fs::write(state.join("zones/b.toml"), "nam = \"b\"\n").unwrap();
    fs::write(state.join("policies/c.cedar"), "permit\n").unwrap();
    let said = gate.cli(&["apply", "-f", state.to_str().unwrap(), "--yes"]).await;
    assert!(!said.ok);
    for place in ["servers/a.toml:1:8", "zones/b.toml:1:1"] {
        assert!(said.err.contains(place), "{place}: {}", said.err);
    }
    fs::write(state.join("README.md"), "not a manifest").unwrap();
    let said = gate.cli(&["apply", "-f", state.to_str().unwrap(), "--yes"]).await;
    assert!(one_line(&said.err, gate.directory()).contains("`DIR/state/README.md` does not belong here"), "{said:?}");
}

/// The admin API as its admin, with a body.
async fn post(gate: &Gate, path: &str, body: &Value) -> (u16, Value) {
    let mut headers = bearer(&person_token("admin"));
    headers.insert(header::CONTENT_TYPE, value("application/json"));
    headers.insert(name("accept"), value("application/json"));
    let heard = gate.send(gate.admin(), "POST", &format!("/api/v1{path}"), headers, body.to_string()).await;
    (heard.status.as_u16(), heard.json())
}

#[tokio::test]
async fn of_two_who_apply_at_once_one_is_told_to_look_again() {
    let gate = Gate::start().await;
    let zones = |who: &str| {
        let zone = |name: &str| {
            let text = format!("name = \"{name}\"\naddresses = [\"127.0.0.1/32\"]\npurpose = \"By {who}\"\n");
            json!({ "file": format!("zones/{name}.toml"), "text": text })
        };
        json!({ "zones": [zone("here"), zone(who)] })
    };
    let (status, plan) = post(&gate, "/plan", &json!({ "manifests": zones("one") })).await;
    assert_eq!(status, 200, "{plan:#}");
    let revision = plan["revision"].as_u64().unwrap();
    let (status, other) = post(&gate, "/plan", &json!({ "manifests": zones("two") })).await;
    assert_eq!((status, other["revision"].as_u64()), (200, Some(revision)), "both looked at the same state");
    let apply = |who: &str| json!({ "manifests": zones(who), "expected": revision });
    let (one, two) = (apply("one"), apply("two"));
    let (one, two) = tokio::join!(post(&gate, "/apply", &one), post(&gate, "/apply", &two));
    let mut statuses = [one.0, two.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{one:?} {two:?}");
    let loser = if one.0 == 409 { &one.1 } else { &two.1 };
    assert_eq!(loser["error"]["code"], "conflict", "{loser:#}");
    assert_eq!(loser["error"]["next"], "look at the new state and decide again");
    // One of the two zones is there, whole; the other is not.
    let zones = gate.read("/zones").await.to_string();
    assert!(zones.contains("By one") != zones.contains("By two"), "{zones}");
    assert_eq!(gate.read("/revision").await["revision"].as_u64(), Some(revision + 1));
}

#[tokio::test]
async fn what_agents_hold_opens_nothing_here() {
    let gate = Gate::start().await;
    let mut headers = bearer(&caller_token(ANA.name));
    headers.insert(header::CONTENT_TYPE, value("application/json"));
    let body = json!({ "manifests": {}, "expected": 0 }).to_string();
    let heard = gate.send(gate.admin(), "POST", "/api/v1/apply", headers, body).await;
    assert_eq!(heard.status, 401);
}

#[tokio::test]
async fn a_gate_that_is_to_apply_wrong_files_first_does_not_open() {
    let gate = Gate::start().await;
    gate.end().await;
    let state = gate.directory().join("state");
    let start = |folder: &std::path::Path| {
        let mut command = serve(gate.directory(), None);
        command.arg("--apply").arg(folder);
        command
    };
    let zone = state.join("zones/wrong.toml");
    fs::write(&zone, "name = \"wrong\"\naddresses = []\n").unwrap();
    let mut command = start(&state);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        one_line(&String::from_utf8(output.stderr).unwrap(), gate.directory()),
        "error: missing field `purpose` zones/wrong.toml:1:1 next:  add `purpose = …`"
    );
    assert!(!String::from_utf8_lossy(&output.stdout).contains("is ready"));

    let right = "name = \"wrong\"\naddresses = [\"10.0.0.0/8\"]\npurpose = \"Now it is right\"\n";
    fs::write(&zone, right).unwrap();
    let mut command = start(&state);
    let started = tokio::task::spawn_blocking(move || Process::start(&mut command, "portcullis is ready", PATIENCE));
    drop(started.await.unwrap().unwrap());
    gate.again().await;
    assert!(gate.read("/zones").await.to_string().contains("Now it is right"));
}
