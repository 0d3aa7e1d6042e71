//! A task is asked about as its call would be made now: what changed since counts.

use std::fs;

use drill::mcp::Reply;
use serde_json::{Value, json};

use super::{begin, client, get, id, tells};
use crate::gate::Gate;
use crate::gate::files::ANA;
use crate::puppet::tasks::completed;
use crate::verdict::{POLICY_FORBIDS, passes};

/// Puts one more file of policies in force.
async fn decree(gate: &Gate, policies: &str) {
    fs::write(gate.directory().join("state/policies/decree.cedar"), policies).unwrap();
    gate.apply().await;
}

async fn refund(gate: &Gate, arguments: Value) -> String {
    id(&begin(gate, &client(gate, ANA), "refund", arguments).await)
}

#[tokio::test]
async fn a_task_is_asked_for_as_its_call_is_made_today() {
    let gate = Gate::start().await;
    let ana = client(&gate, ANA);
    let small = refund(&gate, json!({ "order": "A-1", "amount": 40 })).await;
    let large = refund(&gate, json!({ "order": "A-1", "amount": 400 })).await;
    tells(&gate, &completed("refunded"));
    passes(&get(&ana, &small).await);
    passes(&get(&ana, &large).await);

    // Today refunds above 100 are not for Ana any more: the call's own arguments decide.
    decree(
        &gate,
        r#"
@id("refunds-of-today")
@message("refunds above 100 are made by finance")
forbid (principal, action == Action::"call", resource == Tool::"desk/refund")
when { context.arguments.amount.greaterThan(decimal("100.00")) };
"#,
    )
    .await;
    let before = gate.desk.calls();
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let params = json!({ "taskId": large, "inputResponses": {} });
        let event = gate.refuses(&ana.post(method, params).await.unwrap(), POLICY_FORBIDS).await;
        assert!(event["policies"].to_string().contains("refunds-of-today"), "{event:#}");
    }
    assert_eq!(gate.desk.calls(), before, "nothing of it reached the server");
    passes(&get(&ana, &small).await);
}

#[tokio::test]
async fn a_result_that_may_not_be_released_today_is_withheld() {
    let gate = Gate::start().await;
    let ana = client(&gate, ANA);
    let task = super::begun(&gate).await;
    tells(&gate, &completed("a secret of the ticket"));
    decree(
        &gate,
        r#"
@id("no-tickets-today")
forbid (principal, action == Action::"release", resource == Tool::"desk/read_ticket");
"#,
    )
    .await;
    let reply = get(&ana, &task).await;
    gate.ends(&reply, crate::verdict::RELEASE_REFUSED, "result-withheld").await;
    assert!(!String::from_utf8_lossy(&reply.body).contains("secret"));
}

#[tokio::test]
async fn arguments_that_no_id_can_carry_are_not_guessed_at() {
    let gate = Gate::start().await;
    let ana = client(&gate, ANA);
    let fields = json!({ "note": "x".repeat(4_000) });
    let arguments = json!({ "ticket": "1", "amount": 1, "fields": fields });
    let task = id(&begin(&gate, &ana, "annotate", arguments).await);
    tells(&gate, &completed("noted"));
    // What it may be asked for depends on arguments that nobody knows any more.
    let reply: Reply = get(&ana, &task).await;
    gate.refuses(&reply, POLICY_FORBIDS).await;

    // What depends on nothing is decided on as ever.
    let task = id(&begin(&gate, &ana, "read_ticket", json!({ "ticket": "x".repeat(4_000) })).await);
    tells(&gate, &completed("read"));
    passes(&get(&ana, &task).await);
}
