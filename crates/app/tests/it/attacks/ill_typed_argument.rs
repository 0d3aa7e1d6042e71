//! Arguments of the wrong type, meant to make a policy fail: Cedar skips a policy that errors, and a `forbid` that is
//! skipped forbids nothing. Here a policy that cannot be evaluated refuses.

use serde_json::{Value, json};

use crate::gate::Gate;
use crate::gate::files::ANA;
use crate::verdict::{AMBIGUOUS, ARGUMENTS_INVALID, No, POLICY_ERROR, POLICY_FORBIDS, passes};

/// Calls a tool with arguments given as text, because some of them no JSON library would write.
async fn call(gate: &Gate, tool: &str, arguments: &str) -> drill::mcp::Reply {
    let client = gate.client(ANA);
    let params = json!({ "name": tool, "arguments": "ARGUMENTS" });
    let headers = client.headers("tools/call", &params);
    let body = client.body("tools/call", params).to_string().replace("\"ARGUMENTS\"", arguments);
    client.raw(body, headers).await.unwrap()
}

async fn refused(tool: &str, cases: &[(&str, No)]) {
    let gate = Gate::start().await;
    for (arguments, no) in cases {
        let reply = call(&gate, tool, arguments).await;
        println!("{arguments}: {}", String::from_utf8_lossy(&reply.body));
        let event = gate.refuses(&reply, *no).await;
        // What was sent may be secret: neither the answer nor the receipt repeats it.
        assert!(!event.to_string().contains("canary"), "{event:#}");
        assert!(!String::from_utf8_lossy(&reply.body).contains("canary"));
    }
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn the_limit_holds_however_the_amount_is_written() {
    let gate = Gate::start().await;
    for within in ["500", "500.0", "5e2", "499.9999", "0.01", "-900"] {
        let reply = call(&gate, "refund", &format!(r#"{{"order":"A-1","amount":{within}}}"#)).await;
        passes(&reply);
    }
    assert_eq!(gate.desk.calls(), 6);
    for beyond in ["501", "500.01", "5.01e2", "1e9", "99999999999"] {
        let reply = call(&gate, "refund", &format!(r#"{{"order":"A-1","amount":{beyond}}}"#)).await;
        let event = gate.refuses(&reply, POLICY_FORBIDS).await;
        assert_eq!(event["policies"], json!(["refund-limit"]));
        assert!(reply.text().contains("refunds above 500 are made by finance"), "{}", reply.text());
    }
    assert_eq!(gate.desk.calls(), 6);
}

#[tokio::test]
async fn an_amount_of_another_type_is_refused_before_policy() {
    refused(
        "refund",
        &[
            (r#"{"order":"A-1","amount":[900]}"#, ARGUMENTS_INVALID),
            (r#"{"order":"A-1","amount":"900"}"#, ARGUMENTS_INVALID),
            (r#"{"order":"A-1","amount":"canary"}"#, ARGUMENTS_INVALID),
            (r#"{"order":"A-1","amount":null}"#, ARGUMENTS_INVALID),
            (r#"{"order":"A-1","amount":true}"#, ARGUMENTS_INVALID),
            (r#"{"order":"A-1","amount":{"value":900}}"#, ARGUMENTS_INVALID),
            (r#"{"order":"A-1"}"#, ARGUMENTS_INVALID),
            (r#"{"amount":900}"#, ARGUMENTS_INVALID),
            (r#"{}"#, ARGUMENTS_INVALID),
            (r#"{"order":"A-1","amount":10,"approved":"canary"}"#, ARGUMENTS_INVALID),
            (r#"{"order":"A-1","amount":10,"Amount":900}"#, ARGUMENTS_INVALID),
            (r#"{"order":["A-1"],"amount":10}"#, ARGUMENTS_INVALID),
            (r#"{"order":"A-1","amount":1e400}"#, AMBIGUOUS),
            (r#"{"order":"A-1","amount":-1e400}"#, AMBIGUOUS),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_amount_that_policy_cannot_hold_is_refused_and_not_skipped() {
    refused(
        "refund",
        &[
            // Finer than four places, on both sides of the limit.
            (r#"{"order":"A-1","amount":600.00001}"#, POLICY_ERROR),
            (r#"{"order":"A-1","amount":499.99999}"#, POLICY_ERROR),
            (r#"{"order":"A-1","amount":1e-9}"#, POLICY_ERROR),
            // Larger than a decimal, or than a float tells apart.
            (r#"{"order":"A-1","amount":9223372036854775807}"#, POLICY_ERROR),
            (r#"{"order":"A-1","amount":1e300}"#, POLICY_ERROR),
            (r#"{"order":"A-1","amount":100000000000.5}"#, POLICY_ERROR),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_optional_amount_is_no_way_around_the_limit() {
    refused(
        "credit",
        &[
            (r#"{"account":"1","amount":900}"#, POLICY_FORBIDS),
            (r#"{"account":"1","amount":[900]}"#, ARGUMENTS_INVALID),
            (r#"{"account":"1","amount":null}"#, ARGUMENTS_INVALID),
            (r#"{"account":"1","amount":900.00001}"#, POLICY_ERROR),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_passes_is_sent_as_it_came() {
    let gate = Gate::start().await;
    let arguments = r#"{ "amount" : 10.0,  "order":"\u0041-1" }"#;
    passes(&call(&gate, "refund", arguments).await);
    let sent = gate.desk.forwarded().pop().unwrap();
    assert!(String::from_utf8_lossy(&sent.body).contains(arguments), "{sent:?}");
    assert_eq!(serde_json::from_slice::<Value>(&sent.body).unwrap()["params"]["arguments"]["amount"], 10.0);
}
