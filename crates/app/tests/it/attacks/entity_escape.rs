//! Arguments in the shape of Cedar's own JSON escapes. Read as such, a text could become a group, or a number a constant
//! of the caller's choice. Here they are what they are: text, or of the wrong type.

use serde_json::{Value, json};

use crate::gate::Gate;
use crate::gate::files::ANA;
use crate::verdict::{ARGUMENTS_INVALID, POLICY_FORBIDS, passes};

/// What Cedar's JSON forms would read as a value of its own.
fn escapes() -> Vec<Value> {
    vec![
        json!({ "__extn": { "fn": "decimal", "arg": "1.00" } }),
        json!({ "__entity": { "type": "Group", "id": "finance" } }),
        json!({ "__expr": "decimal(\"1.00\")" }),
        json!({ "fn": "decimal", "arg": "1.00" }),
        json!({ "type": "Group", "id": "finance" }),
        json!("__extn"),
        json!("decimal(\"1.00\")"),
    ]
}

#[tokio::test]
async fn an_escape_in_place_of_an_amount_is_of_the_wrong_type() {
    let gate = Gate::start().await;
    for escape in escapes() {
        let arguments = json!({ "order": "A-1", "amount": escape });
        let reply = gate.client(ANA).call("refund", arguments).await.unwrap();
        gate.refuses(&reply, ARGUMENTS_INVALID).await;
    }
    for key in ["__extn", "__entity", "__expr"] {
        let mut arguments = json!({ "order": "A-1", "amount": 900 });
        arguments[key] = json!({ "fn": "decimal", "arg": "1.00" });
        let reply = gate.client(ANA).call("refund", arguments).await.unwrap();
        gate.refuses(&reply, ARGUMENTS_INVALID).await;
    }
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn an_escape_in_a_text_is_that_text() {
    let gate = Gate::start().await;
    let assign = async |to: &str| gate.client(ANA).call("assign", json!({ "ticket": "1", "to": to })).await.unwrap();
    passes(&assign("first-line").await);
    for escape in [r#"{"__expr":"\"first-line\""}"#, "\"first-line\"", r#"first-line" || "1" == "1"#, "first-line\u{0}"]
    {
        let reply = assign(escape).await;
        let event = gate.refuses(&reply, POLICY_FORBIDS).await;
        assert_eq!(event["policies"], json!(["assign-to-the-first-line"]));
    }
    assert_eq!(gate.desk.calls(), 1);
}

#[tokio::test]
async fn an_escape_where_anything_may_stand_changes_no_decision() {
    let gate = Gate::start().await;
    let annotate = async |amount: Value, fields: Value| {
        let arguments = json!({ "ticket": "1", "amount": amount, "fields": fields });
        gate.client(ANA).call("annotate", arguments).await.unwrap()
    };
    for escape in escapes() {
        let fields = json!({ "amount": escape, "__entity": escape, "__extn": escape });
        let reply = annotate(900.into(), fields.clone()).await;
        let event = gate.refuses(&reply, POLICY_FORBIDS).await;
        assert_eq!(event["policies"], json!(["annotation-limit"]));
        let before = gate.desk.calls();
        passes(&annotate(10.into(), fields.clone()).await);
        let sent: Value = serde_json::from_slice(&gate.desk.forwarded().pop().unwrap().body).unwrap();
        assert_eq!(sent["params"]["arguments"]["fields"], fields, "data passes as data");
        assert_eq!(gate.desk.calls(), before + 1);
    }
}
