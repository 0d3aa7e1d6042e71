//! MCP interceptors of somebody's own: what a mutator makes of a message takes the path as if it had come so, a validator's
//! word is policies' to act on, and one that lies, fails or is slow changes nothing that is not its to change.

use std::time::Duration;

use http::StatusCode;
use model::limits;
use serde_json::{Value, json};

use super::data_leaks::{NO_SECRETS_IN, arrived, call, hall, token, wrapped};
use crate::gate::files::DESK_CREDENTIAL;
use crate::gate::{Gate, Setup};
use crate::interceptors::{House, Manner, interceptor};
use crate::verdict::{
    ANSWER_REFUSED, ARGUMENTS_INVALID, INSPECTION_FAILED, POLICY_FORBIDS, RELEASE_REFUSED, passes, receipt_id,
};

const NO_SECRETS: &str = r#"
@id("no-secrets")
forbid (principal, action in [Action::"call", Action::"release"], resource in Server::"desk")
when { context.findings.classes.contains("secret") };
"#;

const ONLY_VALID: &str = r#"
@id("only-valid")
forbid (principal, action == Action::"call", resource in Server::"desk")
when { context.findings.classes.contains("invalid") };
"#;

const SCRUB: &str = "mutators = [\"scrub\"]";
const CHECK: &str = "validators = [\"check\"]";

async fn gate(house: &House, (names, more): (&str, &str), policies: &str) -> Gate {
    Gate::with(Setup {
        settings: house.settings(names, more),
        state: vec![("policies/own.cedar".to_owned(), policies.to_owned())],
        ..Setup::default()
    })
    .await
}

async fn scrubbing(manner: Manner, more: &str) -> (House, Gate) {
    let house = House::start(&[interceptor("scrub", "mutation", &json!({}))], manner).await;
    let gate = gate(&house, (SCRUB, more), NO_SECRETS).await;
    (house, gate)
}

fn note(note: &str) -> Value {
    json!({ "ticket": "1", "amount": 1, "fields": { "note": note } })
}

#[tokio::test]
async fn a_call_leaves_as_a_mutator_makes_it_and_its_receipt_says_so() {
    let (house, gate) = scrubbing(Manner::Minds("BLUEBIRD", "the project".to_owned()), "fails = \"closed\"").await;
    let reply = call(&gate, "annotate", note("BLUEBIRD ships in May")).await;
    passes(&reply);
    assert_eq!(arrived(&gate)["fields"]["note"], "the project ships in May");
    let asked = house.asked();
    let [request, response] = asked.as_slice() else { panic!("{asked:#?}") };
    assert_eq!((&request["event"], &request["phase"]), (&json!("tools/call"), &json!("request")), "{request:#}");
    assert_eq!((&request["payload"]["name"], &response["phase"]), (&json!("annotate"), &json!("response")));
    assert!(request["payload"]["_meta"].is_null() && response["payload"]["_meta"].is_null(), "{asked:#?}");
    let receipt = gate.receipt(receipt_id(&reply)).await;
    assert!(receipt.to_string().contains("intercept:house.scrub"), "{receipt:#}");
}

#[tokio::test]
async fn what_a_mutator_puts_into_a_call_is_looked_into_and_decided_on() {
    let (house, gate) = scrubbing(Manner::Minds("BLUEBIRD", token()), "fails = \"closed\"").await;
    let reply = call(&gate, "annotate", note("the key is BLUEBIRD")).await;
    gate.refuses(&reply, POLICY_FORBIDS).await;
    // What fits the tool's schema no more is refused, whoever made it so; what never did is shown to nobody.
    house
        .is(Manner::Says(json!({ "modified": true, "payload": { "name": "annotate", "arguments": { "ticket": 7 } } })));
    gate.refuses(&call(&gate, "annotate", note("all is well")).await, ARGUMENTS_INVALID).await;
    let asked = house.asked().len();
    gate.refuses(&call(&gate, "annotate", json!({ "ticket": 7 })).await, ARGUMENTS_INVALID).await;
    assert_eq!((house.asked().len(), gate.desk.calls()), (asked, 0));
}

#[tokio::test]
async fn an_answer_is_released_as_a_mutator_makes_it_where_policy_releases_that() {
    let more = "fails = \"closed\"\nabout = [\"release\"]";
    let manner = Manner::Minds("BLUEBIRD", "the project".to_owned());
    let house = House::start(&[interceptor("scrub", "mutation", &json!({}))], manner).await;
    let gate = gate(&house, (SCRUB, more), NO_SECRETS_IN).await;
    let answers = |text: &str| json!({ "ticket": "1", "amount": 1, "fields": { "answer": text } });
    let reply = call(&gate, "annotate", answers("BLUEBIRD ships in May")).await;
    passes(&reply);
    assert_eq!(reply.json["result"]["content"][0]["text"], "the project ships in May", "{:#}", reply.json);
    house.is(Manner::Minds("BLUEBIRD", token()));
    let reply = call(&gate, "annotate", answers("the key is BLUEBIRD")).await;
    gate.ends(&reply, RELEASE_REFUSED, "result-withheld").await;
    // What policy does not release is shown to nobody either.
    let asked = house.asked().len();
    let reply = call(&gate, "annotate", answers(&token())).await;
    gate.ends(&reply, RELEASE_REFUSED, "result-withheld").await;
    assert_eq!(house.asked().len(), asked);
}

/// What no mutator may answer.
fn unusable() -> Vec<Manner> {
    let says = |payload: Value| Manner::Says(json!({ "modified": true, "payload": payload }));
    vec![
        Manner::Slow(Duration::from_secs(20)),
        Manner::Fails(StatusCode::INTERNAL_SERVER_ERROR),
        Manner::Says(json!({})),
        Manner::Says(json!({ "modified": true })),
        Manner::Says(json!({ "modified": "yes", "payload": {} })),
        Manner::Says(json!({ "resultType": "input_required", "requestState": "s", "modified": false })),
        // It would have another tool called, with what only the two ends may say.
        says(json!({ "name": "refund", "arguments": { "order": "A-1", "amount": 1 } })),
        says(json!({ "name": "annotate", "arguments": {}, "_meta": { "progressToken": 1 } })),
        says(json!({ "arguments": { "ticket": "1", "amount": 1 } })),
    ]
}

#[tokio::test]
async fn nothing_leaves_that_a_mutator_has_not_seen_or_answers_with_what_is_not_its_own() {
    for manner in unusable() {
        let (_house, gate) = scrubbing(manner, "fails = \"closed\"\nmilliseconds = 300").await;
        gate.refuses(&call(&gate, "annotate", note("all is well")).await, INSPECTION_FAILED).await;
        assert_eq!(gate.desk.calls(), 0);
    }
}

#[tokio::test]
async fn a_message_goes_on_without_a_mutator_only_where_both_sides_say_so() {
    for (listed, settings, goes_on) in [(true, "open", true), (false, "open", false), (true, "closed", false)] {
        let listed = [interceptor("scrub", "mutation", &json!({ "failOpen": listed }))];
        let house = House::start(&listed, Manner::Fails(StatusCode::BAD_GATEWAY)).await;
        let more = format!("fails = \"{settings}\"\nabout = [\"call\"]");
        let gate = gate(&house, (SCRUB, &more), NO_SECRETS).await;
        let reply = call(&gate, "annotate", note("all is well")).await;
        if goes_on {
            passes(&reply);
            let receipt = gate.receipt(receipt_id(&reply)).await;
            assert!(receipt.to_string().contains("intercept-failed:house"), "{receipt:#}");
        } else {
            gate.refuses(&reply, INSPECTION_FAILED).await;
        }
    }
}

#[tokio::test]
async fn mutators_are_asked_in_their_order_and_one_that_is_tried_out_changes_nothing() {
    let listed = [
        interceptor("last", "mutation", &json!({ "priorityHint": { "request": 10 } })),
        interceptor("first", "mutation", &json!({ "priorityHint": -10, "mode": "audit" })),
        interceptor("second", "mutation", &json!({ "hook": { "events": ["tools/call"], "phase": "request" } })),
        interceptor("prompts", "mutation", &json!({ "hook": { "events": ["prompts/*"], "phase": "both" } })),
    ];
    let house = House::start(&listed, Manner::Minds("ab", "aabb".to_owned())).await;
    let names = "mutators = [\"last\", \"first\", \"prompts\", \"second\"]";
    let gate = gate(&house, (names, "fails = \"closed\"\nabout = [\"call\"]"), NO_SECRETS).await;
    passes(&call(&gate, "annotate", note("ab")).await);
    let asked = house.asked();
    let order: Vec<&str> = asked.iter().map(|params| params["name"].as_str().unwrap()).collect();
    assert_eq!(order, ["first", "second", "last"]);
    assert_eq!(arrived(&gate)["fields"]["note"], "aaabbb");
}

#[tokio::test]
async fn what_a_validator_does_not_let_pass_is_policys_to_forbid() {
    let house =
        House::start(&[interceptor("check", "validation", &json!({}))], Manner::Minds("BLUEBIRD", String::new())).await;
    let gate_of = gate(&house, (CHECK, "fails = \"closed\""), ONLY_VALID).await;
    passes(&call(&gate_of, "annotate", note("all is well")).await);
    let event = gate_of.refuses(&call(&gate_of, "annotate", note("BLUEBIRD ships")).await, POLICY_FORBIDS).await;
    let found = &event["findings"]["list"][0];
    assert_eq!((&found["rule"], &found["class"]), (&json!("callout.house.check"), &json!("invalid")), "{event:#}");
    // Its words say what was in the message, and stay out of the receipt.
    assert!(!event.to_string().contains("BLUEBIRD"), "{event:#}");
    for manner in [Manner::Says(json!({ "valid": "yes" })), Manner::Fails(StatusCode::FOUND)] {
        house.is(manner);
        gate_of.refuses(&call(&gate_of, "annotate", note("all is well")).await, INSPECTION_FAILED).await;
    }
    assert_eq!(gate_of.desk.calls(), 1);
    house.is(Manner::Says(json!({ "valid": false, "severity": "warn" })));
    let reply = call(&gate_of, "annotate", note("all is well")).await;
    passes(&reply);
    let receipt = gate_of.receipt(receipt_id(&reply)).await;
    assert_eq!(receipt["record"]["event"]["findings"]["list"][0]["class"], "remark", "{receipt:#}");
    // One that is only tried out is heard, and nobody is refused for it.
    let listed = [interceptor("check", "validation", &json!({ "mode": "audit" }))];
    let house = House::start(&listed, Manner::Minds("BLUEBIRD", String::new())).await;
    let gate_of = gate(&house, (CHECK, "fails = \"closed\""), ONLY_VALID).await;
    let reply = call(&gate_of, "annotate", note("BLUEBIRD ships")).await;
    passes(&reply);
    let receipt = gate_of.receipt(receipt_id(&reply)).await;
    assert_eq!(receipt["record"]["event"]["findings"]["list"][0]["class"], "remark", "{receipt:#}");
}

#[tokio::test]
async fn a_server_that_lists_another_thing_than_settings_name_is_not_asked() {
    for listed in [vec![], vec![interceptor("scrub", "validation", &json!({}))]] {
        let house = House::start(&listed, Manner::Says(json!({ "modified": false }))).await;
        let gate = gate(&house, (SCRUB, "fails = \"open\""), NO_SECRETS).await;
        gate.refuses(&call(&gate, "annotate", note("all is well")).await, INSPECTION_FAILED).await;
        assert_eq!((house.asked().len(), gate.desk.calls()), (0, 0));
    }
}

#[tokio::test]
async fn nobody_is_shown_a_credential_of_the_gates_nor_what_policy_would_not_have_sent() {
    let house =
        House::start(&[interceptor("scrub", "mutation", &json!({}))], Manner::Says(json!({ "modified": false }))).await;
    let settings = house.settings(SCRUB, "fails = \"closed\"\nabout = [\"call\"]");
    let gate_of = Gate::with(Setup { settings, guarded: true, ..Setup::default() }).await;
    gate_of.refuses(&call(&gate_of, "annotate", note(DESK_CREDENTIAL)).await, POLICY_FORBIDS).await;
    assert_eq!(house.asked().len(), 0);
    passes(&call(&gate_of, "annotate", note("all is well")).await);
    assert_eq!(house.asked().len(), 1);
}

#[tokio::test]
async fn a_wrapped_call_that_mutators_are_to_see_is_refused() {
    let house =
        House::start(&[interceptor("scrub", "mutation", &json!({}))], Manner::Says(json!({ "modified": false }))).await;
    let settings = house.settings(SCRUB, "fails = \"open\"\nabout = [\"call\"]");
    let gate = hall(Setup { settings, ..Setup::default() }).await;
    let order = json!({ "order": "A-1", "amount": 10.5, "note": "all is well" });
    gate.refuses(&wrapped(&gate, "refund", order).await, INSPECTION_FAILED).await;
    assert_eq!((house.asked().len(), gate.desk.calls()), (0, 0));
}

#[tokio::test]
async fn an_answer_that_does_not_fit_its_schema_is_shown_to_no_mutator_and_released_from_none() {
    let house =
        House::start(&[interceptor("scrub", "mutation", &json!({}))], Manner::Minds("BLUEBIRD", "7".to_owned())).await;
    let settings = house.settings(SCRUB, "fails = \"closed\"\nabout = [\"release\"]");
    let gate = Gate::unapproved(Setup { settings, ..Setup::default() }).await;
    gate.desk.behave(|script| {
        let name = json!({ "type": "string", "minLength": 3 });
        script.tool("annotate")["outputSchema"] =
            json!({ "type": "object", "properties": { "name": name }, "required": ["name"] });
    });
    gate.must(&["server", "check", "desk"]).await;
    gate.must(&["server", "approve", "desk", "--yes"]).await;
    let answers = |name: &str| json!({ "ticket": "1", "amount": 1, "fields": { "structured": { "name": name } } });
    gate.ends(&call(&gate, "annotate", answers("ab")).await, ANSWER_REFUSED, "result-withheld").await;
    assert_eq!(house.asked().len(), 0);
    gate.ends(&call(&gate, "annotate", answers("BLUEBIRD")).await, ANSWER_REFUSED, "result-withheld").await;
    passes(&call(&gate, "annotate", answers("a redbird")).await);
}

#[tokio::test]
#[ignore = "waits until what a server says of its interceptors is old: a minute"]
async fn an_interceptor_that_is_only_tried_out_counts_once_its_server_says_so() {
    let checks = |mode: &str| [interceptor("check", "validation", &json!({ "mode": mode }))];
    let manner = Manner::Minds("BLUEBIRD", String::new());
    let house = House::start(&checks("audit"), manner).await;
    let gate = gate(&house, (CHECK, "fails = \"closed\""), ONLY_VALID).await;
    passes(&call(&gate, "annotate", note("BLUEBIRD ships in May")).await);
    house.lists(&checks("enforce"));
    tokio::time::sleep(Duration::from_millis(limits::INTERCEPTORS_LISTED_MILLISECONDS)).await;
    gate.refuses(&call(&gate, "annotate", note("BLUEBIRD ships in May")).await, POLICY_FORBIDS).await;
}
