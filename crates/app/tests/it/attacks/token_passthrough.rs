//! What the caller presents must never reach a server, and what the gate presents must never reach a caller, a log or a
//! receipt. A server that is given the caller's token can act as the caller everywhere else.

use std::collections::BTreeSet;

use drill::mcp::Reply;
use http::header;
use serde_json::{Value, json};

use crate::gate::files::{ANA, DESK_CREDENTIAL, caller_token, server};
use crate::gate::{Gate, Setup, name, value};
use crate::puppet::{Manner, Puppet, Seen};
use crate::verdict::{ENDPOINT_NOT_FOUND, OUTCOME_UNKNOWN, UNAUTHENTICATED, passes, receipt_id};

/// Headers that carry credentials, or that servers and boxes between believe.
const EXTRA: [(&str, &str); 17] = [
    ("cookie", "session=canary"),
    ("proxy-authorization", "Basic canary"),
    ("x-api-key", "canary"),
    ("x-auth-token", "canary"),
    ("x-forwarded-for", "10.0.0.1"),
    ("x-forwarded-host", "canary.example"),
    ("x-forwarded-authorization", "canary"),
    ("x-real-ip", "10.0.0.1"),
    ("x-user", "canary"),
    ("forwarded", "for=canary"),
    ("via", "1.1 canary"),
    ("referer", "http://canary.example/?token=canary"),
    ("user-agent", "canary"),
    ("mcp-session-id", "canary"),
    ("last-event-id", "canary"),
    ("dpop", "canary"),
    ("mcp-param-other", "=?base64?Y2FuYXJ5?="),
];

/// A message of each kind that reaches a server.
fn messages() -> [(&'static str, Value); 6] {
    let reference = json!({ "type": "ref/prompt", "name": "summary" });
    [
        ("tools/call", json!({ "name": "read_ticket", "arguments": { "ticket": "1" } })),
        ("tools/call", json!({ "name": "watch", "arguments": {} })),
        ("prompts/get", json!({ "name": "summary" })),
        ("resources/read", json!({ "uri": "desk://tickets/1" })),
        ("resources/list", json!({})),
        ("completion/complete", json!({ "ref": reference, "argument": { "name": "x", "value": "y" } })),
    ]
}

/// Sends a message with everything a caller could add, and gives what the server saw of it.
async fn sent(gate: &Gate, method: &str, params: &Value) -> Seen {
    let client = gate.client(ANA).with_patience(std::time::Duration::from_secs(10));
    let mut headers = client.headers(method, params);
    EXTRA.iter().for_each(|(header, said)| _ = headers.insert(name(header), value(said)));
    let before = gate.desk.calls();
    let body = client.body(method, params.clone()).to_string();
    // A stream never ends: what was sent is known once it arrived.
    let request = tokio::spawn(async move { client.raw(body, headers).await });
    gate.desk.reached(before + 1).await;
    request.abort();
    gate.desk.forwarded().pop().unwrap()
}

#[tokio::test]
async fn a_server_is_given_headers_that_the_gate_made() {
    let gate = Gate::with(Setup { guarded: true, ..Setup::default() }).await;
    let allowed: BTreeSet<&str> = [
        "accept",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "mcp-method",
        "mcp-name",
        "mcp-param-other",
        "mcp-protocol-version",
    ]
    .into();
    for (method, params) in messages() {
        let Seen { headers, body, .. } = sent(&gate, method, &params).await;
        let unknown: Vec<_> = headers.keys().filter(|name| !allowed.contains(name.as_str())).collect();
        assert!(unknown.is_empty(), "{method}: {unknown:?}");
        assert!(!format!("{headers:?}").contains("canary"), "{method}: {headers:?}");
        assert_eq!(headers[header::AUTHORIZATION], format!("Bearer {DESK_CREDENTIAL}"), "{method}");
        assert_eq!(headers.get_all(header::AUTHORIZATION).iter().count(), 1);
        assert_eq!(headers[header::HOST], gate.desk.address().to_string());
        assert!(!String::from_utf8_lossy(&body).contains(&caller_token(ANA.name)));
    }
    keeps_no_secret(&gate);
}

#[tokio::test]
async fn a_server_without_a_credential_is_given_none() {
    let gate = Gate::start().await;
    for (method, params) in messages() {
        let seen = sent(&gate, method, &params).await;
        assert_eq!(seen.headers.get(header::AUTHORIZATION), None, "{method}");
    }
    for seen in gate.desk.seen().iter().filter(|seen| seen.of_the_gate) {
        assert_eq!(seen.headers.get(header::AUTHORIZATION), None, "{}", seen.method);
    }
}

#[tokio::test]
async fn a_server_that_echoes_its_credential_tells_nobody() {
    let gate = Gate::with(Setup { guarded: true, ..Setup::default() }).await;
    gate.desk.behave(|script| script.manner = Manner::Unauthorised);
    for (method, params) in messages() {
        let reply = gate.client(ANA).post(method, params).await.unwrap();
        let outcome = gate.ends(&reply, OUTCOME_UNKNOWN, "unknown").await;
        gate.holds_no_secret(&outcome.to_string(), "a receipt");
        for theirs in [header::WWW_AUTHENTICATE, header::SET_COOKIE] {
            assert!(!reply.headers.contains_key(&theirs), "{method}: {theirs} is not the caller's");
        }
    }
    keeps_no_secret(&gate);
}

#[tokio::test]
async fn a_reviewer_cannot_have_a_secret_sent_to_an_address_of_theirs() {
    let gate = Gate::with(Setup { guarded: true, ..Setup::default() }).await;
    let theirs = Puppet::start().await;
    let file = gate.directory().join("theirs.toml");
    // An approved name at a new address, and new names with whatever secrets the gate can read.
    for (server_name, secret) in [("desk", "secrets/desk"), ("theirs", "secrets/desk"), ("theirs", "data/admin.token")]
    {
        let manifest = server(server_name, &theirs.url(), true).replace("secrets/desk", secret);
        std::fs::write(&file, manifest).unwrap();
        let said = gate.cli_with("tokens/reviewer", &["server", "submit", file.to_str().unwrap()]).await;
        assert!(said.ok, "{said:?}");
        let said = gate.cli_with("tokens/reviewer", &["server", "check", server_name]).await;
        assert!(!said.ok && said.err.contains("an approver"), "{said:?}");
        assert!(theirs.seen().is_empty(), "`{secret}` went to an address that nobody approved");
    }
    // One who could approve it looks, and agents come to it only once that was done.
    gate.must(&["server", "check", "desk"]).await;
    assert!(!theirs.seen().is_empty());
    let reply = gate.client(ANA).call("read_ticket", json!({ "ticket": "1" })).await.unwrap();
    gate.refuses(&reply, ENDPOINT_NOT_FOUND).await;
}

#[tokio::test]
async fn only_exactly_one_known_bearer_token_is_somebody() {
    let gate = Gate::start().await;
    let client = gate.client(ANA);
    let token = caller_token(ANA.name);
    let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
    let presented = async |said: &[String]| -> Reply {
        let mut headers = client.headers("tools/call", &params);
        headers.remove(header::AUTHORIZATION);
        said.iter().for_each(|said| _ = headers.append(header::AUTHORIZATION, value(said)));
        client.raw(client.body("tools/call", params.clone()).to_string(), headers).await.unwrap()
    };
    passes(&presented(&[format!("Bearer {token}")]).await);
    let bearer = format!("Bearer {token}");
    for said in [
        vec![],
        vec![String::new()],
        vec![token.clone()],
        vec!["Bearer ".to_owned()],
        vec![format!("Bearer  {token}")],
        vec![format!("Bearer {token}x")],
        vec![format!("Bearer {}", token.trim_start_matches('t'))],
        vec![format!("Bearer {}", token.to_uppercase())],
        vec![format!("Basic {token}")],
        vec![format!("Bearer {token}, Bearer {token}")],
        vec![bearer.clone(), bearer.clone()],
        vec![bearer, "Bearer other".to_owned()],
        vec![format!("Bearer {DESK_CREDENTIAL}")],
    ] {
        gate.turns_away(&presented(&said).await, UNAUTHENTICATED).await;
    }
    assert_eq!(gate.desk.calls(), 1);
    keeps_no_secret(&gate);
}

#[tokio::test]
async fn receipts_hold_commitments_and_not_arguments() {
    let gate = Gate::with(Setup { guarded: true, ..Setup::default() }).await;
    let reply = gate.client(ANA).call("read_ticket", json!({ "ticket": "canary-argument" })).await.unwrap();
    passes(&reply);
    let shown = gate.must(&["audit", "show", receipt_id(&reply), "--json"]).await;
    gate.outcome(receipt_id(&reply)).await;
    gate.holds_no_secret(&shown, "a receipt");
    assert!(!shown.contains("canary-argument"), "{shown}");
    for (file, bytes) in gate.kept() {
        assert!(!contains(&bytes, b"canary-argument"), "{} holds the argument", file.display());
    }
}

/// Neither the log nor any file of the gate's data has a token or a credential in it.
fn keeps_no_secret(gate: &Gate) {
    gate.holds_no_secret(&gate.output(), "the log");
    let kept = gate.kept();
    assert!(kept.len() >= 2, "there is a database and a journal: {kept:?}");
    for (file, bytes) in kept {
        for secret in crate::gate::secrets() {
            assert!(!contains(&bytes, secret.as_bytes()), "{} holds `{secret}`", file.display());
        }
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
