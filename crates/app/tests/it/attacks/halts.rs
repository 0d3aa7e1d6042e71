//! A halt that something slips past: the next message, an open stream, a stream that opens while it is halted, a crash.

use drill::mcp::{Client, Reply};
use serde_json::{Value, json};

use crate::gate::Gate;
use crate::gate::files::{ANA, BOB};
use crate::verdict::{HALTED, No, RELEASE_REFUSED, TOOL_HALTED, passes, words};

/// Every scope: the words of the CLI, how the helpdesk's message to `watch` is refused, and whether Bob goes on.
const SCOPES: [(&[&str], No, bool); 6] = [
    (&["user", "ana"], HALTED, true),
    (&["agent", "helpdesk"], HALTED, false),
    (&["endpoint", "desk"], HALTED, false),
    (&["everything"], HALTED, false),
    (&["server", "desk"], TOOL_HALTED, false),
    (&["tool", "desk/read_ticket"], TOOL_HALTED, false),
];

async fn read(client: &Client) -> Reply {
    client.call("read_ticket", json!({ "ticket": "1" })).await.unwrap()
}

async fn halt(gate: &Gate, scope: &[&str]) {
    gate.must(&[&["halt"], scope, &["--reason", "a drill"]].concat()).await;
}

async fn resume(gate: &Gate, scope: &[&str]) {
    gate.must(&[&["resume"], scope].concat()).await;
}

#[tokio::test]
async fn every_scope_stops_the_next_message_and_only_its_own() {
    let gate = Gate::start().await;
    let (ana, bob) = (gate.client(ANA), gate.client(BOB));
    for (scope, no, bob_goes_on) in SCOPES {
        passes(&read(&ana).await);
        let before = gate.desk.calls();
        halt(&gate, scope).await;
        // From the moment the command returned, and on every try.
        for _ in 0..3 {
            let event = gate.refuses(&read(&ana).await, no).await;
            assert!(event["detail"].as_str().unwrap().contains("a drill"), "{event:#}");
        }
        let reply = read(&bob).await;
        match bob_goes_on {
            true => passes(&reply),
            false => _ = gate.refuses(&reply, no).await,
        }
        assert_eq!(gate.desk.calls(), before + usize::from(bob_goes_on), "{scope:?}");
        resume(&gate, scope).await;
    }
    passes(&read(&ana).await);
    // The operators' words are theirs.
    halt(&gate, &["user", "ana"]).await;
    assert!(!String::from_utf8_lossy(&read(&ana).await.body).contains("a drill"));
}

#[tokio::test]
async fn a_halted_tool_leaves_the_others() {
    let gate = Gate::start().await;
    let ana = gate.client(ANA);
    halt(&gate, &["tool", "desk/read_ticket"]).await;
    gate.refuses(&read(&ana).await, TOOL_HALTED).await;
    passes(&ana.call("refund", json!({ "order": "A-1", "amount": 1 })).await.unwrap());
    halt(&gate, &["server", "desk"]).await;
    let resource = ana.post("resources/read", json!({ "uri": "desk://tickets/1" })).await.unwrap();
    gate.refuses(&resource, TOOL_HALTED).await;
    let prompt = ana.post("prompts/get", json!({ "name": "summary" })).await.unwrap();
    gate.refuses(&prompt, TOOL_HALTED).await;
    let listing = ana.list("resources/list").await.unwrap();
    gate.refuses(&listing, TOOL_HALTED).await;
    assert_eq!(gate.desk.calls(), 1);
}

async fn open(gate: &Gate, method: &str, params: Value) -> drill::mcp::Answer {
    let mut stream = gate.client(ANA).open(method, params).await.unwrap();
    assert!(stream.next().await.unwrap().unwrap().get("method").is_some());
    stream
}

/// The stream's last message says why, and its receipt that it was cut.
async fn cut(gate: &Gate, mut stream: drill::mcp::Answer, no: No) {
    let receipt = stream.headers["portcullis-receipt"].to_str().unwrap().to_owned();
    let last = stream.next().await.unwrap().unwrap();
    let told = words(&last, no);
    assert_eq!(told["receipt"], receipt);
    assert_eq!(stream.next().await.unwrap(), None);
    let outcome = gate.outcome(&receipt).await;
    assert_eq!(outcome["end"], json!({ "type": "cut", "why": no.reason }));
}

#[tokio::test]
async fn every_scope_cuts_the_streams_that_are_open() {
    let gate = Gate::start().await;
    for (scope, no, _) in SCOPES {
        let scope: &[&str] = if scope[0] == "tool" { &["tool", "desk/watch"] } else { scope };
        let call = open(&gate, "tools/call", json!({ "name": "watch", "arguments": {} })).await;
        let subscription = open(&gate, "subscriptions/listen", json!({ "notifications": {} })).await;
        halt(&gate, scope).await;
        cut(&gate, call, no).await;
        if scope[0] == "tool" {
            drop(subscription);
        } else {
            cut(&gate, subscription, no).await;
        }
        resume(&gate, scope).await;
    }
}

#[tokio::test]
async fn nothing_more_of_a_stream_leaves_after_the_halt() {
    let gate = Gate::start().await;
    let mut stream = open(&gate, "tools/call", json!({ "name": "watch", "arguments": {} })).await;
    gate.desk.tick();
    assert_eq!(stream.next().await.unwrap().unwrap()["params"]["data"], "still watching");
    halt(&gate, &["user", "ana"]).await;
    gate.desk.tick();
    words(&stream.next().await.unwrap().unwrap(), HALTED);
    assert_eq!(stream.next().await.unwrap(), None);
}

#[tokio::test]
async fn an_answer_that_begins_after_the_halt_is_withheld() {
    let gate = Gate::start().await;
    // One answers whole, the other as a stream.
    for (number, tool) in ["slow", "slow_stream"].into_iter().enumerate() {
        let client = gate.client(ANA);
        let call = tokio::spawn(async move { client.call(tool, json!({})).await.unwrap() });
        gate.desk.reached(number + 1).await;
        halt(&gate, &["user", "ana"]).await;
        // Only now does the server begin to answer.
        gate.desk.tick();
        let reply = call.await.unwrap();
        let outcome = gate.ends(&reply, RELEASE_REFUSED, "result-withheld").await;
        assert!(outcome["detail"].as_str().unwrap().contains("a drill"), "{outcome:#}");
        resume(&gate, &["user", "ana"]).await;
    }
}

#[tokio::test]
async fn a_halt_outlives_a_crash() {
    let gate = Gate::start().await;
    halt(&gate, &["user", "ana"]).await;
    gate.kill();
    gate.again().await;
    gate.refuses(&read(&gate.client(ANA)).await, HALTED).await;
    passes(&read(&gate.client(BOB)).await);
    let halts = gate.must(&["halts", "--json"]).await;
    let halts: Value = serde_json::from_str(&halts).unwrap();
    assert_eq!((&halts[0]["what"], &halts[0]["name"]), (&json!("user"), &json!("ana")));
    assert_eq!(halts[0]["halted"]["by"], "bootstrap");

    resume(&gate, &["user", "ana"]).await;
    gate.kill();
    gate.again().await;
    passes(&read(&gate.client(ANA)).await);
    // Both changes have their receipts, whatever crashed in between.
    let both = |page: &Value| page["receipts"].as_array().is_some_and(|all| all.len() >= 2);
    gate.until("/receipts?kind=changed&text=ana", both).await;
}

#[tokio::test]
async fn only_a_responder_halts_and_resumes() {
    let gate = Gate::start().await;
    let said = gate.cli_with("tokens/viewer", &["halt", "everything", "--reason", "a prank"]).await;
    assert!(!said.ok && said.err.contains("responder"), "{said:?}");
    passes(&read(&gate.client(ANA)).await);
}
