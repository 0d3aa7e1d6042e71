//! A server has so many calls at once as its manifest says; the others wait for their turn, fairly and not for ever.

use drill::mcp::Reply;
use serde_json::json;
use tokio::task::JoinHandle;

use super::{allow, gauge, traffic};
use crate::gate::Gate;
use crate::gate::files::{ANA, ANA_AT_DESKTOP, CROWD, Caller};
use crate::verdict::{POLICY_FORBIDS, SERVER_BUSY, TOOL_HALTED, passes};

/// Begins a call, which goes on by itself.
fn begin(gate: &Gate, caller: Caller, tool: &'static str, arguments: serde_json::Value) -> JoinHandle<Reply> {
    let client = gate.client(caller);
    tokio::spawn(async move { client.call(tool, arguments).await.unwrap() })
}

fn slow(gate: &Gate, caller: Caller) -> JoinHandle<Reply> {
    begin(gate, caller, "slow", json!({}))
}

fn read(gate: &Gate, caller: Caller) -> JoinHandle<Reply> {
    begin(gate, caller, "read_ticket", json!({ "ticket": "1" }))
}

#[tokio::test]
async fn calls_above_the_number_wait_and_are_made_when_their_turn_comes() {
    let gate = Gate::start().await;
    allow(&gate, 1).await;
    let first = slow(&gate, ANA);
    gate.desk.reached(1).await;
    let second = read(&gate, ANA_AT_DESKTOP);
    let now = traffic(&gate, "desk", |traffic| traffic["waiting"] == 1).await;
    assert_eq!((&now["places"], &now["under_way"]), (&json!(1), &json!(1)));
    assert_eq!(gauge(&gate, "portcullis_server_calls", "desk").await, Some(1));
    assert_eq!(gauge(&gate, "portcullis_server_waiting", "desk").await, Some(1));
    let shown = gate.must(&["server", "show", "desk"]).await;
    assert!(shown.contains("1 of 1 under way, 1 waiting"), "{shown}");
    assert_eq!(gate.desk.calls(), 1, "the second call has not left");

    gate.desk.tick();
    passes(&first.await.unwrap());
    passes(&second.await.unwrap());
    assert_eq!(gate.desk.calls(), 2, "each was made once");
    traffic(&gate, "desk", |traffic| traffic["under_way"] == 0 && traffic["waiting"] == 0).await;
}

#[tokio::test]
async fn one_caller_with_many_slow_calls_keeps_no_other_from_the_server() {
    let gate = Gate::start().await;
    allow(&gate, 4).await;
    let greedy: Vec<_> = (0..20).map(|_| slow(&gate, CROWD)).collect();
    traffic(&gate, "desk", |traffic| traffic["waiting"] == 17).await;
    assert_eq!(gate.desk.calls(), 3, "one place is kept for others");
    for _ in 0..5 {
        passes(&gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap());
    }
    assert_eq!(gate.desk.calls(), 3 + 5);
    let mut left = greedy;
    while let Some(call) = left.pop() {
        while !call.is_finished() {
            gate.desk.tick();
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        passes(&call.await.unwrap());
    }
}

#[tokio::test]
async fn a_call_whose_turn_does_not_come_is_refused_and_nothing_was_sent() {
    let gate = Gate::start().await;
    allow(&gate, 1).await;
    let first = slow(&gate, ANA);
    gate.desk.reached(1).await;
    let late = read(&gate, ANA_AT_DESKTOP).await.unwrap();
    let told = gate.refuses(&late, SERVER_BUSY).await;
    assert!(told["detail"].as_str().unwrap().contains("did not come within 10000 ms, with 1 under way"), "{told:#}");
    assert!(late.error_message().unwrap().ends_with("nothing was sent"), "{:?}", late.error_message());
    assert_eq!(gate.desk.calls(), 1);
    gate.desk.tick();
    passes(&first.await.unwrap());
}

#[tokio::test]
async fn who_gives_up_waiting_leaves_the_line() {
    let gate = Gate::start().await;
    allow(&gate, 1).await;
    let first = slow(&gate, ANA);
    gate.desk.reached(1).await;
    let second = read(&gate, ANA_AT_DESKTOP);
    traffic(&gate, "desk", |traffic| traffic["waiting"] == 1).await;
    second.abort();
    traffic(&gate, "desk", |traffic| traffic["waiting"] == 0).await;
    gate.desk.tick();
    passes(&first.await.unwrap());
    traffic(&gate, "desk", |traffic| traffic["under_way"] == 0).await;
    assert_eq!(gate.desk.calls(), 1, "what was given up never left");
}

/// What was decided before the wait does not count after it.
#[tokio::test]
async fn a_policy_that_came_while_a_call_waited_is_obeyed() {
    let gate = Gate::start().await;
    allow(&gate, 1).await;
    let first = slow(&gate, ANA);
    gate.desk.reached(1).await;
    let order = json!({ "order": "o-1", "amount": 5 });
    let (small, large) = (order.clone(), json!({ "order": "o-1", "amount": 7 }));
    let small = begin(&gate, ANA_AT_DESKTOP, "refund", small);
    let large = begin(&gate, ANA_AT_DESKTOP, "refund", large);
    traffic(&gate, "desk", |traffic| traffic["waiting"] == 2).await;
    let rule = "@id(\"no-large-refunds\")\nforbid (principal, action == Action::\"call\", resource == Tool::\"desk/refund\") \
                when { context.arguments has amount && context.arguments.amount.greaterThan(decimal(\"6.0\")) };\n";
    std::fs::write(gate.directory().join("state/policies/late.cedar"), rule).unwrap();
    gate.apply().await;
    gate.desk.tick();
    passes(&first.await.unwrap());
    passes(&small.await.unwrap());
    gate.refuses(&large.await.unwrap(), POLICY_FORBIDS).await;
    assert_eq!(gate.desk.calls(), 2);
}

#[tokio::test]
async fn a_halt_that_came_while_a_call_waited_stops_it() {
    let gate = Gate::start().await;
    allow(&gate, 1).await;
    let first = slow(&gate, ANA);
    gate.desk.reached(1).await;
    let second = read(&gate, ANA_AT_DESKTOP);
    traffic(&gate, "desk", |traffic| traffic["waiting"] == 1).await;
    gate.must(&["halt", "tool", "desk/read_ticket", "--reason", "a test"]).await;
    gate.desk.tick();
    passes(&first.await.unwrap());
    gate.refuses(&second.await.unwrap(), TOOL_HALTED).await;
    assert_eq!(gate.desk.calls(), 1);
}

#[tokio::test]
async fn a_stream_has_its_place_until_it_ends_and_a_subscription_has_none() {
    let gate = Gate::start().await;
    allow(&gate, 2).await;
    let client = gate.client(ANA);
    let mut news = client.listen(json!({ "toolsListChanged": true })).await.unwrap();
    news.next().await.unwrap();
    let watching = client.open("tools/call", json!({ "name": "watch", "arguments": {} })).await.unwrap();
    traffic(&gate, "desk", |traffic| traffic["under_way"] == 1).await;
    drop(watching);
    traffic(&gate, "desk", |traffic| traffic["under_way"] == 0).await;
}
