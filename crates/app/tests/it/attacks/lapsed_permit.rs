//! A caller whose permit to connect ends by the clock: a call that was made in time is not answered afterwards.

use std::fs;
use std::time::Duration;

use drill::mcp::{Client, Reply};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::gate::Gate;
use crate::gate::files::ANA;
use crate::verdict::{ENDPOINT_NOT_FOUND, RELEASE_REFUSED};

/// Long enough to apply the policy and to make the call.
const OPEN: SignedDuration = SignedDuration::from_secs(10);

async fn read(client: &Client) -> Reply {
    client.call("read_ticket", json!({ "ticket": "1" })).await.unwrap()
}

#[tokio::test]
async fn an_answer_that_comes_when_its_caller_may_connect_no_more_is_withheld() {
    let gate = Gate::start().await;
    let ends = Timestamp::now() + OPEN;
    let rule = format!(
        "@id(\"closing-time\")\nforbid (principal, action == Action::\"connect\", resource) \
         when {{ context.now >= datetime(\"{ends:.3}\") }};\n"
    );
    fs::write(gate.directory().join("state/policies/closing.cedar"), rule).unwrap();
    gate.apply().await;
    let client = gate.client(ANA);
    let slow = tokio::spawn(async move { client.call("slow", json!({})).await.unwrap() });
    gate.desk.reached(1).await;

    let client = gate.client(ANA);
    let mut reply = read(&client).await;
    while reply.status == 200 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        reply = read(&client).await;
    }
    let event = gate.refuses(&reply, ENDPOINT_NOT_FOUND).await;
    assert_eq!(event["policies"], json!(["closing-time"]));
    gate.desk.tick();
    gate.ends(&slow.await.unwrap(), RELEASE_REFUSED, "result-withheld").await;
}
