//! Secrets and personal data on the way out and on the way in, plain and in disguise: where a policy asks what is in a
//! message, they do not pass, or pass without what it wants taken out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use drill::mcp::Reply;
use serde_json::{Value, json};

use crate::gate::files::ANA;
use crate::gate::{Gate, Setup, value};
use crate::puppet::Manner;
use crate::sessions::capabilities;
use crate::verdict::{ARGUMENTS_INVALID, OBLIGATION_UNMET, POLICY_FORBIDS, RELEASE_REFUSED, passes};

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
pub(crate) fn token() -> String {
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
    let each = |of: fn(char) -> String| token.chars().map(of).collect::<String>();
    let wide_bytes: Vec<u8> = token.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let selector = |byte: u8| match u32::from(byte) {
        code @ 0..16 => char::from_u32(0xfe00 + code).unwrap(),
        code => char::from_u32(0xe0100 + code - 16).unwrap(),
    };
    let disguises = [
        // Letters of another script, digits in another form, letters that are tags, and bytes that are variations of an emoji.
        json!({ "note": token.replace('x', "х") }),
        json!({ "note": token.replace('3', "³") }),
        json!({ "note": each(|letter| char::from_u32(0xe0000 + u32::from(letter)).unwrap().to_string()) }),
        json!({ "note": format!("☺{}", token.bytes().map(selector).collect::<String>()) }),
        json!({ "note": each(|letter| format!("\\u{:04x}", u32::from(letter))) }),
        json!({ "note": each(|letter| format!("&#{};", u32::from(letter))) }),
        json!({ "note": each(|letter| format!("{letter}\u{1b}[0m")) }),
        json!({ "note": each(|letter| format!("{letter}<!-- -->")) }),
        json!({ "note": STANDARD.encode(STANDARD.encode(STANDARD.encode(&token))) }),
        json!({ "note": STANDARD.encode(wide_bytes) }),
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
async fn what_only_its_surroundings_make_a_secret_does_not_leave() {
    let gate = gate(NO_SECRETS).await;
    let (password, word) = (
        ["Tr7", "-vkQ9-", "mZ2x"].concat(),
        "my wallet: legal winner thank year wave sausage worth useful legal winner thank yellow",
    );
    for (fields, rule) in [
        (json!({ "password": password }), "secret.assignment"),
        (json!({ "note": format!("postgres://reports:{password}@db.company.org/reports") }), "secret.url-password"),
        (json!({ "note": word }), "secret.seed-phrase"),
    ] {
        let reply = call(&gate, "annotate", json!({ "ticket": "1", "amount": 1, "fields": fields })).await;
        let event = gate.refuses(&reply, POLICY_FORBIDS).await;
        let list = event["findings"]["list"].as_array().unwrap();
        assert!(list.iter().any(|seen| seen["rule"] == rule), "{event:#}");
    }
}

#[tokio::test]
async fn what_is_hidden_deeper_than_anybody_looks_is_no_clean_message() {
    let gate = gate(NO_SECRETS).await;
    let nested = (0..6).fold(token(), |text, _| STANDARD.encode(text));
    let reply = call(&gate, "annotate", json!({ "ticket": "1", "amount": 1, "fields": { "note": nested } })).await;
    let event = gate.refuses(&reply, POLICY_FORBIDS).await;
    assert_eq!(event["findings"]["complete"], false, "{event:#}");
}

#[tokio::test]
async fn a_receipt_names_no_key_that_is_a_secret_itself() {
    let gate = gate(NO_SECRETS).await;
    let fields = json!({ token(): { "deep": [format!("again {}", token())] } });
    let reply = call(&gate, "annotate", json!({ "ticket": "1", "amount": 1, "fields": fields })).await;
    let event = gate.refuses(&reply, POLICY_FORBIDS).await;
    let places = event["findings"]["list"].as_array().unwrap().iter().map(|seen| &seen["place"]).collect::<Vec<_>>();
    assert_eq!(places, ["/params/arguments/fields/*", "/params/arguments/fields/*/deep/0"], "{event:#}");
}

/// A gate whose endpoint `hall` has the desk's tools to be looked for.
pub(super) async fn hall(setup: Setup) -> Gate {
    let endpoint =
        "name = \"hall\"\nserver = \"desk\"\npurpose = \"A help desk\"\nsearch = true\nlisted = [\"read_ticket\"]\n";
    let policy = "permit (principal, action == Action::\"connect\", resource == Endpoint::\"hall\");\n";
    let mut state = setup.state;
    let files = [("endpoints/hall.toml", endpoint), ("policies/hall.cedar", policy)];
    state.extend(files.map(|(file, text)| (file.to_owned(), text.to_owned())));
    Gate::with(Setup { state, ..setup }).await
}

/// A call that is wrapped in one of `call_tool`.
pub(super) async fn wrapped(gate: &Gate, tool: &str, arguments: Value) -> Reply {
    let client = gate.client_at("hall", ANA);
    client.call("call_tool", json!({ "name": tool, "arguments": arguments })).await.unwrap()
}

#[tokio::test]
async fn a_wrapped_call_in_which_something_is_to_be_redacted_is_refused() {
    let state = vec![("policies/data.cedar".to_owned(), REDACTED.to_owned())];
    let gate = hall(Setup { state, ..Setup::default() }).await;
    let order = |note: &str| json!({ "order": "A-1", "amount": 10.5, "note": note });
    gate.refuses(&wrapped(&gate, "refund", order("ask jane@company.org")).await, OBLIGATION_UNMET).await;
    assert_eq!(gate.desk.calls(), 0);
    passes(&wrapped(&gate, "refund", order("ask nobody")).await);
}

#[tokio::test]
async fn a_secret_in_the_answer_to_a_question_that_comes_with_a_call_does_not_leave() {
    let asks = r#"
@id("desk-asks") permit (principal, action == Action::"ask", resource == Server::"desk");
@id("no-secrets-told")
forbid (principal, action == Action::"ask", resource == Server::"desk") when { context.findings.classes.contains("secret") };
"#;
    let gate = gate(asks).await;
    gate.desk.behave(|script| script.manner = Manner::AsksTwice);
    let client = gate.client(ANA).with_capabilities(capabilities());
    let asked = client.call("read_ticket", json!({ "ticket": "1" })).await.unwrap();
    let state = asked.json["result"]["requestState"].clone();
    let answers = |word: &str| {
        let answers = json!({ "q1": { "action": "accept", "content": { "word": word } } });
        json!({ "name": "read_ticket", "arguments": { "ticket": "1" }, "inputResponses": answers, "requestState": state })
    };
    let event = gate.refuses(&client.post("tools/call", answers(&token())).await.unwrap(), POLICY_FORBIDS).await;
    assert_eq!(event["findings"]["list"][0]["rule"], "secret.github.token", "{event:#}");
    assert_eq!(gate.desk.calls(), 1);
    assert_eq!(
        client.post("tools/call", answers("none")).await.unwrap().json["result"]["resultType"],
        "input_required"
    );
}

#[tokio::test]
async fn an_answer_that_comes_with_a_call_arrives_without_what_is_to_be_redacted_and_the_call_as_it_was() {
    let asks = r#"
@id("desk-asks") permit (principal, action == Action::"ask", resource == Server::"desk");
@id("no-addresses-told") @redact("personal") forbid (principal, action == Action::"ask", resource == Server::"desk");
"#;
    let gate = gate(asks).await;
    gate.desk.behave(|script| script.manner = Manner::AsksTwice);
    let client = gate.client(ANA).with_capabilities(capabilities());
    let arguments = json!({ "ticket": "of jane@company.org" });
    let asked = client.call("read_ticket", arguments.clone()).await.unwrap();
    let state = asked.json["result"]["requestState"].clone();
    let said = json!({ "q1": { "action": "accept", "content": { "who": "john@company.org" } } });
    let again = json!({ "name": "read_ticket", "arguments": arguments, "inputResponses": said, "requestState": state });
    let reply = client.post("tools/call", again).await.unwrap();
    assert_eq!(reply.json["result"]["resultType"], "input_required", "{:#}", reply.json);
    assert_eq!(arrived(&gate), arguments);
    let sent: Value = serde_json::from_slice(&gate.desk.forwarded().pop().unwrap().body).unwrap();
    assert_eq!(sent["params"]["inputResponses"]["q1"]["content"]["who"], "[personal.email]");
}

#[tokio::test]
async fn nothing_passes_that_waits_for_a_person_whom_nobody_can_ask() {
    let asks = r#"
@id("ask-first") @message("a person looks at secrets") @approval("security")
forbid (principal, action == Action::"call", resource in Server::"desk") when { context.findings.classes.contains("secret") };
"#;
    let gate = gate(asks).await;
    let reply = call(&gate, "annotate", json!({ "ticket": "1", "amount": 1, "fields": { "note": token() } })).await;
    gate.refuses(&reply, OBLIGATION_UNMET).await;
    assert!(reply.text().contains("an approval by security, and this gate cannot ask for one yet"), "{}", reply.text());
    assert_eq!(gate.desk.calls(), 0);
    // An answer cannot wait for anybody: such a policy is not taken.
    let release = asks.replace("Action::\"call\"", "Action::\"release\"");
    std::fs::write(gate.directory().join("state/policies/data.cedar"), release).unwrap();
    let refused = gate.cli(&["apply", "--yes", "-f", gate.directory().join("state").to_str().unwrap()]).await;
    assert!(!refused.ok && refused.err.contains("`release` does not know `@approval`"), "{}", refused.err);
}

#[tokio::test]
async fn an_answer_that_would_fill_the_context_is_withheld_by_its_size() {
    let limited = r#"
@id("no-floods") @message("the answer is larger than a page")
forbid (principal, action == Action::"release", resource in Server::"desk") when { context.findings.bytes > 20000 };
"#;
    let gate = gate(limited).await;
    let of = |size: usize| json!({ "ticket": "1", "amount": 1, "fields": { "answer": "The printer works again. ".repeat(size / 25) } });
    passes(&call(&gate, "annotate", of(10_000)).await);
    gate.ends(&call(&gate, "annotate", of(30_000)).await, RELEASE_REFUSED, "result-withheld").await;
}

#[tokio::test]
async fn a_secret_in_an_answer_is_withheld() {
    let gate = gate(NO_SECRETS_IN).await;
    let arguments = json!({ "ticket": "1", "amount": 1, "fields": { "answer": format!("it is {}", token()) } });
    let reply = call(&gate, "annotate", arguments).await;
    let outcome = gate.ends(&reply, RELEASE_REFUSED, "result-withheld").await;
    assert_eq!(outcome["findings"]["list"][0]["rule"], "secret.github.token", "{outcome:#}");
    assert!(!String::from_utf8_lossy(&reply.body).contains(&token()));
    assert_eq!(gate.desk.calls(), 1);
}

#[tokio::test]
async fn what_is_left_is_looked_into_once_more_for_what_came_together() {
    let apart = |action: &str| {
        format!(
            "@id(\"no-cards\") @strip(\"payment\") forbid (principal, action == Action::\"{action}\", resource in Server::\"desk\");\n\
             @id(\"no-secrets\") forbid (principal, action == Action::\"{action}\", resource in Server::\"desk\")\n\
             when {{ context.findings.classes.contains(\"secret\") }};"
        )
    };
    let token = token();
    let (first, second) = token.split_at(17);
    let parts = json!({ "parts": [first, "4111 1111 1111 1111", second] });
    let gate_out = gate(&apart("call")).await;
    let reply = call(&gate_out, "annotate", json!({ "ticket": "1", "amount": 1, "fields": parts })).await;
    gate_out.refuses(&reply, POLICY_FORBIDS).await;
    assert_eq!(gate_out.desk.calls(), 0);
    let gate_in = gate(&apart("release")).await;
    let fields = json!({ "structured": parts });
    let reply = call(&gate_in, "annotate", json!({ "ticket": "1", "amount": 1, "fields": fields })).await;
    gate_in.ends(&reply, RELEASE_REFUSED, "result-withheld").await;
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
