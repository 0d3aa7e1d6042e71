//! Messages of 2026-07-28, through `connect` and the gate.

use serde_json::json;

use super::*;
use crate::client::{newest_intent, streams_open};
use crate::gate::files::{ANA, caller_token};

#[tokio::test]
async fn a_client_that_only_starts_programs_lists_and_calls_as_its_user() {
    let gate = Gate::start().await;
    let mut local = Local::of(&gate, ANA);
    let listing = local.ask(&modern("l", "tools/list", json!({}))).await;
    assert_eq!(listing["id"], "l");
    let names: Vec<_> = listing["result"]["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
    assert!(names.contains(&&json!("refund")) && !names.contains(&&json!("purge")), "{names:?}");
    assert_eq!(text(&local.ask(&call(2, "read_ticket", json!({ "ticket": "1" }))).await), "did \"read_ticket\"");
    let receipt = gate.receipt(&newest_intent(&gate).await).await;
    let shown = receipt.to_string();
    assert!(shown.contains("\"ana\"") && shown.contains("helpdesk"), "{receipt:#}");
    gate.holds_no_secret(&local.log(), "its log");
}

#[tokio::test]
async fn what_a_tool_wants_in_headers_is_mirrored_listed_or_not() {
    let gate = Gate::start().await;
    let find = call(1, "find", json!({ "region": "eu-süd", "limit": 7 }));
    for listed in [true, false] {
        let mut local = Local::of(&gate, ANA);
        if listed {
            local.ask(&modern(0, "tools/list", json!({}))).await;
        }
        let before = gate.desk.calls();
        assert_eq!(text(&local.ask(&find).await), "did \"find\"", "listed before: {listed}");
        assert_eq!(gate.desk.calls(), before + 1, "it was called once");
        let forwarded = gate.desk.forwarded();
        assert_eq!(forwarded.last().unwrap().headers["mcp-param-limit"], "7");
    }
}

#[tokio::test]
async fn a_stream_is_heard_as_it_comes_and_ends_when_it_is_taken_back() {
    let gate = Gate::start().await;
    let mut local = Local::of(&gate, ANA);
    local.say(&call("w", "watch", json!({})));
    assert_eq!(local.hear().await["params"]["data"], "watching");
    gate.desk.tick();
    assert_eq!(local.hear().await["params"]["data"], "still watching");
    streams_open(&gate, 1).await;
    local.say(&cancel("w"));
    streams_open(&gate, 0).await;
    local.hears_nothing().await;
    assert_eq!(text(&local.ask(&call(2, "read_ticket", json!({ "ticket": "1" }))).await), "did \"read_ticket\"");
}

#[tokio::test]
async fn a_call_that_is_taken_back_is_cancelled_at_the_server_and_not_answered() {
    let gate = Gate::start().await;
    let mut local = Local::of(&gate, ANA);
    local.say(&call(1, "slow", json!({})));
    gate.desk.reached(1).await;
    local.say(&cancel(1));
    let outcome = gate.outcome(&newest_intent(&gate).await).await;
    assert_eq!(outcome["end"]["type"], "cancelled", "{outcome:#}");
    local.hears_nothing().await;
    local.say(&cancel("never sent"));
    local.hears_nothing().await;
}

#[tokio::test]
async fn a_refusal_reaches_the_model_in_words() {
    let gate = Gate::start().await;
    let mut local = Local::of(&gate, ANA);
    let refused = local.ask(&call(1, "refund", json!({ "order": "o-1", "amount": 900 }))).await;
    assert_eq!(refused["result"]["isError"], true);
    assert!(text(&refused).contains("refunds above 500 are made by finance"), "{refused:#}");
    let unknown = local.ask(&call(2, "purge", json!({ "days": 1 }))).await;
    assert_eq!(unknown["error"]["code"], -32602, "{unknown:#}");
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn a_wrong_token_is_told_in_words_and_a_new_one_needs_no_restart() {
    let gate = Gate::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = token_file(folder.path(), "withdrawn-token-000000000000000000");
    let mut local = Local::to(&desk(&gate), &file);
    let read = call(1, "read_ticket", json!({ "ticket": "1" }));
    let refused = local.ask(&read).await;
    assert_eq!(refused["error"]["code"], -31010);
    assert!(error(&refused).contains("refused your token (401)") && error(&refused).contains("/token"), "{refused:#}");
    assert!(!format!("{refused}{}", local.log()).contains("withdrawn-token"), "the token is told");
    write_private(&file, &caller_token(ANA.name));
    assert_eq!(text(&local.ask(&read).await), "did \"read_ticket\"");
    std::fs::remove_file(&file).unwrap();
    assert!(error(&local.ask(&read).await).contains("your token cannot be read"));
}

#[tokio::test]
async fn a_token_may_come_from_the_environment() {
    let gate = Gate::start().await;
    let token = caller_token(ANA.name);
    let mut local = Local::start(env!("CARGO_BIN_EXE_portcullis"), &["connect", &desk(&gate)], Some(&token));
    assert_eq!(text(&local.ask(&call(1, "read_ticket", json!({ "ticket": "1" }))).await), "did \"read_ticket\"");
}

#[tokio::test]
async fn a_gate_that_died_is_told_and_found_again_when_it_is_back() {
    let gate = Gate::start().await;
    // On a loopback address of its own, so that no other test takes its port while it is gone.
    let settings = gate.directory().join("portcullis.toml");
    let anywhere = std::fs::read_to_string(&settings).unwrap();
    let listen = |at: &str| std::fs::write(&settings, anywhere.replacen("127.0.0.1:0", at, 1)).unwrap();
    listen("127.0.0.13:0");
    gate.end().await;
    gate.again().await;
    let mut local = Local::of(&gate, ANA);
    let read = |id: u64| call(id, "read_ticket", json!({ "ticket": "1" }));
    text(&local.ask(&read(1)).await);
    local.say(&call(2, "slow", json!({})));
    gate.desk.reached(2).await;
    gate.kill();
    let broken = local.hear().await;
    assert!(broken["id"] == 2 && error(&broken).contains("not known"), "{broken:#}");
    let unreachable = local.ask(&read(3)).await;
    assert!(
        error(&unreachable).contains("nothing was sent") && error(&unreachable).contains("Next:"),
        "{unreachable:#}"
    );
    // It comes back at its old address.
    listen(&gate.agents().to_string());
    gate.again().await;
    assert_eq!(text(&local.ask(&read(4)).await), "did \"read_ticket\"");
    local.logs("the gate answers again").await;
    assert_eq!(gate.desk.calls(), 3, "what was broken off was not repeated");
}

#[tokio::test]
async fn lines_that_are_no_messages_are_told_and_the_next_one_is_carried() {
    let gate = Gate::start().await;
    let mut local = Local::of(&gate, ANA);
    for (line, code, id) in [
        ("garbage", -32700, json!(null)),
        ("[]", -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":5}"#, -32600, json!(5)),
    ] {
        local.write(line);
        let told = local.hear().await;
        assert_eq!((&told["error"]["code"], &told["id"]), (&json!(code), &id), "{line}");
    }
    local.write(&"x".repeat(5 * 1024 * 1024));
    assert_eq!(local.hear().await["error"]["code"], -32700);
    // What the gate itself cannot read is answered under the id that is known here.
    local.write(r#"{"jsonrpc":"2.0","id":6,"method":"tools/list","params":{"a":1,"a":2}}"#);
    let told = local.hear().await;
    assert_eq!((&told["error"]["code"], &told["id"]), (&json!(-32600), &json!(6)), "{told:#}");
    text(&local.ask(&call(7, "read_ticket", json!({ "ticket": "1" }))).await);
}

#[tokio::test]
async fn many_calls_are_carried_at_once_and_an_id_is_used_once() {
    let gate = Gate::start().await;
    let mut local = Local::of(&gate, ANA);
    local.say(&call(0, "slow", json!({})));
    gate.desk.reached(1).await;
    assert!(error(&local.ask(&call(0, "read_ticket", json!({ "ticket": "1" }))).await).contains("id"));
    for id in 1..=40 {
        local.say(&call(id, "read_ticket", json!({ "ticket": "1" })));
    }
    let mut answered = Vec::new();
    for _ in 1..=40 {
        answered.push(local.hear().await["id"].as_u64().unwrap());
    }
    answered.sort_unstable();
    assert_eq!(answered, (1..=40).collect::<Vec<_>>());
    gate.desk.tick();
    assert_eq!(text(&local.hear().await), "did \"slow\"");
}
