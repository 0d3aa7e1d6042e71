//! SIGHUP: the settings change whole, or not at all and the log says where they are wrong.

use std::fs;

use serde_json::json;

use crate::client::eventually;
use crate::gate::Gate;
use crate::gate::files::{ANA, BOB, caller_token, write_private};
use crate::verdict::{UNAUTHENTICATED, passes};

const NEWCOMER: &str = "token-of-a-newcomer-0123456789abcdef";

fn settings(gate: &Gate) -> String {
    fs::read_to_string(gate.directory().join("portcullis.toml")).unwrap()
}

async fn reload(gate: &Gate, text: &str) -> String {
    let said = gate.output().len();
    fs::write(gate.directory().join("portcullis.toml"), text).unwrap();
    gate.reload();
    let mut new = String::new();
    eventually("the gate says what came of the reload", || {
        new = gate.output().split_off(said);
        new.contains("reloaded")
    })
    .await;
    new
}

async fn with_token(gate: &Gate, token: &str) -> drill::mcp::Reply {
    let url = format!("http://{}/desk/mcp", gate.agents());
    let client = drill::mcp::Client::new(&url, Some(token)).unwrap();
    client.call("read_ticket", json!({ "ticket": "1" })).await.unwrap()
}

#[tokio::test]
async fn new_callers_come_in_and_removed_ones_do_not() {
    let gate = Gate::start().await;
    let right = settings(&gate);
    gate.turns_away(&with_token(&gate, NEWCOMER).await, UNAUTHENTICATED).await;
    write_private(&gate.directory().join("tokens/newcomer"), NEWCOMER);
    let newcomer = "\n[[development.token]]\ntoken = \"file:tokens/newcomer\"\nagent = \"helpdesk\"\n\
                    kind = \"delegated\"\nuser = \"eve\"\ngroups = [\"support\"]\n";
    let (before, bob) = right.split_once("[[development.token]]\ntoken = \"file:tokens/bob\"").unwrap();
    let (_, after) = bob.split_once("[[").unwrap();
    let next = format!("{before}[[{after}{newcomer}");

    let said = reload(&gate, &next).await;
    assert!(said.contains("the settings were reloaded"), "{said}");
    passes(&with_token(&gate, NEWCOMER).await);
    passes(&with_token(&gate, &caller_token(ANA.name)).await);
    gate.turns_away(&with_token(&gate, &caller_token(BOB.name)).await, UNAUTHENTICATED).await;

    // A token whose file changed is the new one and not the old one.
    write_private(&gate.directory().join("tokens/newcomer"), &NEWCOMER.to_uppercase());
    reload(&gate, &next).await;
    gate.turns_away(&with_token(&gate, NEWCOMER).await, UNAUTHENTICATED).await;
    passes(&with_token(&gate, &NEWCOMER.to_uppercase()).await);
}

#[tokio::test]
async fn wrong_settings_change_nothing_and_are_told_by_line_and_column() {
    let gate = Gate::start().await;
    let right = settings(&gate);
    let lines = right.lines().count();
    let more = "token-of-one-more-caller-0123456789";
    write_private(&gate.directory().join("tokens/more"), more);
    let caller = "[[development.token]]\ntoken = \"file:tokens/more\"\nagent = \"more\"\nkind = \"autonomous\"\n";
    let places = [
        (format!("{right}{caller}colour = \"red\"\n"), format!("portcullis.toml:{}:1", lines + 5)),
        (format!("{right}{caller}[[development"), format!("portcullis.toml:{}:14", lines + 5)),
        (right.replacen("listen = \"127.0.0.1:0\"", "listen = \"nowhere\"", 1), "portcullis.toml:2:10".to_owned()),
    ];
    for (text, place) in places {
        let said = reload(&gate, &text).await;
        assert!(said.contains("the settings were not reloaded, nothing changed"), "{said}");
        assert!(said.contains(&place), "{place}: {said}");
    }
    // Right as a text, and wrong all the same: nothing of it is taken.
    let nowhere = "token = \"file:tokens/nowhere\"";
    let wrong = [
        (format!("{right}{caller}[[development.token]]\n{nowhere}\nagent = \"x\"\nkind = \"autonomous\"\n"), 6, 9),
        (format!("{right}{caller}[[admin.token]]\nname = \"eve\"\nroles = [\"admin\"]\n{nowhere}\n"), 8, 9),
    ];
    let wrong = wrong.map(|(text, line, column)| (text, format!("portcullis.toml:{}:{column}", lines + line)));
    let needs_restart = [
        right.replacen("listen = \"127.0.0.1:0\"", "listen = \"127.0.0.1:1\"", 1),
        right.replacen("directory = \"data\"", "directory = \"other\"", 1),
    ];
    let needs_restart = needs_restart.map(|text| (text + caller, "with a restart only".to_owned()));
    let elsewhere = right.replacen("listen = \"127.0.0.1:0\"", "listen = \"0.0.0.0:0\"", 1) + caller;
    let elsewhere = [(elsewhere, "portcullis.toml:2:10".to_owned())];
    for (text, why) in wrong.into_iter().chain(needs_restart).chain(elsewhere) {
        let said = reload(&gate, &text).await;
        assert!(
            said.contains("the settings were not reloaded, nothing changed") && said.contains(&why),
            "{why}: {said}"
        );
        gate.turns_away(&with_token(&gate, more).await, UNAUTHENTICATED).await;
    }
    fs::remove_file(gate.directory().join("portcullis.toml")).unwrap();
    gate.reload();
    gate.has_said("cannot read the settings").await;
    passes(&with_token(&gate, &caller_token(ANA.name)).await);
    gate.holds_no_secret(&gate.output(), "the log");

    let said = reload(&gate, &format!("{right}{caller}")).await;
    assert!(said.contains("the settings were reloaded"), "{said}");
    assert_eq!(with_token(&gate, more).await.status, 404, "it is known now, and may connect nowhere");
}

#[tokio::test]
async fn a_reload_does_not_disturb_what_is_open() {
    let gate = Gate::start().await;
    let right = settings(&gate);
    let mut stream = gate.client(ANA).open("tools/call", json!({ "name": "watch", "arguments": {} })).await.unwrap();
    assert!(stream.next().await.unwrap().is_some());
    reload(&gate, &right).await;
    gate.desk.tick();
    assert!(stream.next().await.unwrap().is_some());
}
