//! # A client with a session at a server of 2026-07-28

use serde_json::{Value, json};

use super::session;
use crate::gate::Gate;
use crate::gate::files::ANA;
use crate::session::Line;
use crate::sessions::{capabilities, taken, text};
use crate::verdict::passes;

const META: &str = "io.modelcontextprotocol/";

fn last(gate: &Gate) -> (http::HeaderMap, Value) {
    let seen = gate.desk.forwarded().pop().expect("a message at the server");
    (seen.headers, serde_json::from_slice(&seen.body).unwrap())
}

/// | lifecycle, identity | The session is the gate's and the client's; each request introduces the client with what it said in its handshake. | A session as in its own revision. |
/// | tool calls | `_meta`, the standard headers and those that mirror arguments are made by the gate; `resultType`, `ttlMs` and `cacheScope` are left out of results. | A result as in its own revision. |
#[tokio::test]
async fn a_call_says_for_itself_what_its_session_said() {
    let gate = Gate::start().await;
    let session = session(&gate).await;
    let params =
        json!({ "name": "find", "arguments": { "region": "süd", "limit": 5 }, "_meta": { "x.example/kept": 1 } });
    let reply = session.send("tools/call", params).await;
    passes(&reply);
    assert_eq!((text(&reply.json), reply.json["result"].get("resultType")), ("did \"find\"", None));
    let (headers, message) = last(&gate);
    let meta = &message["params"]["_meta"];
    assert_eq!(meta[format!("{META}protocolVersion")], "2026-07-28");
    assert_eq!(meta[format!("{META}clientInfo")]["name"], "it");
    let told = meta[format!("{META}clientCapabilities")].as_object().unwrap().keys().collect::<Vec<_>>();
    assert_eq!(told, ["elicitation", "sampling", "roots"], "what no server needs to know it is not told");
    assert_eq!(meta["x.example/kept"], 1);
    let header = |name: &str| headers[name].to_str().unwrap();
    assert_eq!((header("mcp-protocol-version"), header("mcp-method")), ("2026-07-28", "tools/call"));
    assert_eq!((header("mcp-name"), header("mcp-param-limit")), ("find", "5"));
    assert_eq!(headers["mcp-param-region"], "=?base64?c8O8ZA==?=");
    assert_eq!(headers.get("mcp-session-id"), None, "the client's session is no server's business");
}

/// | discovery, listings | Definitions come from the pins, as within one era. | What it may see. |
/// | resources, prompts, completion | As tool calls. | Results as in its own revision. |
/// | `ping` | The gate answers. | An answer. |
#[tokio::test]
async fn everything_that_both_eras_have_is_there() {
    let gate = Gate::start().await;
    let session = session(&gate).await;
    let tools = session.send("tools/list", json!({})).await;
    assert!(tools.json["result"]["tools"].as_array().unwrap().iter().any(|tool| tool["name"] == "find"));
    let resources = session.send("resources/list", json!({})).await;
    let result = &resources.json["result"];
    assert_eq!((result["resources"][0]["uri"].as_str(), result.get("ttlMs")), (Some("desk://tickets/1"), None));
    let read = session.send("resources/read", json!({ "uri": "desk://tickets/1" })).await;
    let result = read.json["result"].as_object().unwrap();
    assert_eq!(result.keys().collect::<Vec<_>>(), ["contents"], "nothing that its revision does not have");
    passes(&session.send("prompts/get", json!({ "name": "summary" })).await);
    let about = json!({ "type": "ref/prompt", "name": "summary" });
    passes(&session.send("completion/complete", json!({ "ref": about, "argument": {} })).await);
    passes(&session.send("ping", json!({})).await);
    assert!(gate.desk.forwarded().iter().all(|seen| seen.headers["mcp-protocol-version"] == "2026-07-28"));
}

/// | every older revision | The same for all of them. | A result as in its own revision. |
#[tokio::test]
async fn a_client_of_any_older_revision_may_call() {
    let gate = Gate::start().await;
    for version in ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] {
        let line = Line::new(&gate, "desk", ANA);
        let hello = line.greet(version, capabilities()).await;
        assert_eq!(hello.json["result"]["protocolVersion"], version, "{:#}", hello.json);
        let mut headers = line.headers();
        headers.insert("mcp-session-id", hello.headers["mcp-session-id"].clone());
        let call = json!({ "name": "read_ticket", "arguments": { "ticket": version } });
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call });
        let reply = line.send(http::Method::POST, headers, call.to_string()).await.whole().await;
        assert_eq!(text(&reply.json), "did \"read_ticket\"", "{version}: {:#}", reply.json);
    }
}

/// | log messages | The level that the client set is the `logLevel` of each later request. | Messages of its level. |
/// | progress | The token is passed on: each request is a connection of its own. | Progress under its own token. |
#[tokio::test]
async fn the_log_level_of_a_session_is_that_of_its_requests() {
    let gate = Gate::start().await;
    let session = session(&gate).await;
    passes(&session.read_ticket().await);
    assert_eq!(last(&gate).1["params"]["_meta"].get(format!("{META}logLevel")), None);
    passes(&session.send("logging/setLevel", json!({ "level": "notice" })).await);
    let meta = json!({ "progressToken": "mine" });
    let params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" }, "_meta": meta });
    passes(&session.send("tools/call", params).await);
    let (_, message) = last(&gate);
    assert_eq!(message["params"]["_meta"][format!("{META}logLevel")], "notice");
    assert_eq!(message["params"]["_meta"]["progressToken"], "mine");
}

/// | cancellation | A call that the client takes back is a connection that the gate closes. | As in its own revision: the call ends with `taken-back`. |
#[tokio::test]
async fn a_call_that_is_taken_back_ends() {
    let gate = Gate::start().await;
    let session = session(&gate).await;
    let request = session.request("tools/call", json!({ "name": "watch" }));
    let mut answer = session.post(&request).await;
    assert_eq!(answer.message().await["params"]["data"], "watching");
    taken(&session.take_back(&request["id"]).await);
    let end = answer.message().await;
    assert_eq!(end["id"], request["id"], "{end:#}");
    assert!(end.to_string().contains("taken-back"), "{end:#}");
}

/// | what only the client's revision has | `inputResponses` and `requestState` that nobody asked for are taken out. | Nothing of it. |
#[tokio::test]
async fn what_nobody_asked_is_not_answered() {
    let gate = Gate::start().await;
    let session = session(&gate).await;
    let mut params = json!({ "name": "read_ticket", "arguments": { "ticket": "1" } });
    params["requestState"] = "forged".into();
    params["inputResponses"] = json!({ "q1": { "action": "accept" } });
    passes(&session.send("tools/call", params).await);
    let (_, message) = last(&gate);
    assert_eq!(message["params"].get("requestState"), None);
    assert_eq!(message["params"].get("inputResponses"), None);
}
