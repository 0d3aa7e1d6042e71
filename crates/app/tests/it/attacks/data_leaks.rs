//! Secrets and personal data on the way out and on the way in, plain and in disguise: where a policy asks what is in a
//! message, they do not pass, or pass without what it wants taken out.

use drill::mcp::Reply;
use serde_json::{Value, json};

use crate::gate::files::ANA;
use crate::gate::{Gate, Setup, value};
use crate::verdict::{ARGUMENTS_INVALID, POLICY_FORBIDS, RELEASE_REFUSED, passes};

const NO_SECRETS: &str = r#"
@id("no-secrets-out") @message("secrets stay here")
forbid (principal, action == Action::"call", resource in Server::"desk")
when { context.findings.classes.contains("secret") || !context.findings.complete };
"#;

pub(super) const NO_SECRETS_IN: &str = r#"
@id("no-secrets-in")
forbid (principal, action == Action::"release", resource in Server::"desk")
when { context.findings.classes.contains("secret") };
"#;

const REDACTED: &str = r#"
@id("cards-stay") @redact("payment")
forbid (principal, action == Action::"call", resource in Server::"desk");
@id("addresses-stay") @redact("personal")
forbid (principal, action in [Action::"call", Action::"release"], resource in Server::"desk");
"#;

async fn gate(policies: &str) -> Gate {
    Gate::with(Setup { state: vec![("policies/data.cedar".to_owned(), policies.to_owned())], ..Setup::default() }).await
}

/// A token as it is made, so that none stands in a file.
pub(super) fn token() -> String {
    ["gh", "p_", "k3Jx9QmZ2vT7bN4cR8wY", "1sD6fG5hL0aBcDeF"].concat()
}

pub(super) async fn call(gate: &Gate, tool: &str, arguments: Value) -> Reply {
    let client = gate.client(ANA);
    let params = json!({ "name": tool, "arguments": arguments });
    let headers = client.headers("tools/call", &params);
    let body = client.body("tools/call", params).to_string();
    client.raw(body, headers).await.unwrap()
}

/// The arguments that reached the server last.
pub(super) fn arrived(gate: &Gate) -> Value {
    let sent = gate.desk.forwarded().pop().unwrap();
    serde_json::from_slice::<Value>(&sent.body).unwrap()["params"]["arguments"].clone()
}

#[tokio::test]
async fn a_secret_does_not_leave_in_any_disguise() {
    let gate = gate(NO_SECRETS).await;
    let token = token();
    let (first, second) = token.split_at(17);
    let wide: String = token.chars().flat_map(|letter| [letter, '\u{200b}']).collect();
    let percent: String = token.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let hex: String = token.bytes().map(|byte| format!("{byte:02x}")).collect();
    let disguises = [
        json!({ "note": token }),
        json!({ "note": wide }),
        json!({ "note": percent }),
        json!({ "note": hex }),
        json!({ "part-1": first, "part-2": second }),
        json!({ "parts": [first, second] }),
        json!({ &token: "in a key" }),
        json!({ "deep": [[{ "note": format!("see {token}.") }]] }),
    ];
    for fields in disguises {
        let reply = call(&gate, "annotate", json!({ "ticket": "1", "amount": 1, "fields": fields })).await;
        let event = gate.refuses(&reply, POLICY_FORBIDS).await;
        assert!(!event.to_string().contains(&token) && reply.text().contains("secrets stay here"), "{event:#}");
        assert_eq!(event["findings"]["list"][0]["rule"], "secret.github.token", "{event:#}");
    }
    assert_eq!(gate.desk.calls(), 0);
    passes(&call(&gate, "annotate", json!({ "ticket": "1", "amount": 1, "fields": { "note": "all is well" } })).await);
}

#[tokio::test]
async fn a_secret_in_an_answer_is_withheld() {
    let gate = gate(NO_SECRETS_IN).await;
    let arguments = json!({ "ticket": "1", "amount": 1, "fields": { "answer": format!("it is {}", token()) } });
    let reply = call(&gate, "annotate", arguments).await;
    gate.ends(&reply, RELEASE_REFUSED, "result-withheld").await;
    assert!(!String::from_utf8_lossy(&reply.body).contains(&token()));
    assert_eq!(gate.desk.calls(), 1);
}

#[tokio::test]
async fn what_is_to_be_redacted_is_taken_out_and_the_rest_arrives_as_it_was() {
    let gate = gate(REDACTED).await;
    let note = "card 4111 1111 1111 1111 of jane@company.org, order A-1";
    passes(&call(&gate, "refund", json!({ "order": "A-1", "amount": 10.50, "note": note })).await);
    let redacted = "card [payment.card] of [personal.email], order A-1";
    assert_eq!(arrived(&gate), json!({ "order": "A-1", "amount": 10.50, "note": redacted }));
}

#[tokio::test]
async fn a_header_says_what_is_left_of_its_argument() {
    let gate = gate(REDACTED).await;
    let client = gate.client(ANA);
    let params = json!({ "name": "find", "arguments": { "region": "jane@company.org" } });
    let mut headers = client.headers("tools/call", &params);
    headers.insert("mcp-param-region", value("jane@company.org"));
    let body = client.body("tools/call", params).to_string();
    passes(&client.raw(body, headers).await.unwrap());
    let sent = gate.desk.forwarded().pop().unwrap();
    assert_eq!(sent.headers.get("mcp-param-region").unwrap(), "[personal.email]");
    assert_eq!(arrived(&gate), json!({ "region": "[personal.email]" }));
}

#[tokio::test]
async fn what_fits_the_schema_no_more_once_it_is_redacted_is_refused() {
    let gate = gate(REDACTED).await;
    let client = gate.client(ANA);
    let params = json!({ "name": "find", "arguments": { "region": "north", "limit": 4_111_111_111_111_111_u64 } });
    let mut headers = client.headers("tools/call", &params);
    headers.insert("mcp-param-region", value("north"));
    headers.insert("mcp-param-limit", value("4111111111111111"));
    let body = client.body("tools/call", params).to_string();
    gate.refuses(&client.raw(body, headers).await.unwrap(), ARGUMENTS_INVALID).await;
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn an_answer_is_released_without_what_is_to_be_redacted() {
    let gate = gate(&REDACTED.replace("[Action::\"call\", Action::\"release\"]", "[Action::\"release\"]")).await;
    let arguments = json!({ "ticket": "1", "amount": 1, "fields": { "answer": "ask jane@company.org about it" } });
    let reply = call(&gate, "annotate", arguments).await;
    passes(&reply);
    assert!(reply.text().contains("ask [personal.email] about it"), "{}", reply.text());
}
