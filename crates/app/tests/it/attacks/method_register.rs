//! Methods that are not in the register, or that go the other way: what nobody decided about does not pass.

use gateway::register::{Direction, METHODS};
use http::header;
use serde_json::{Value, json};

use crate::gate::Gate;
use crate::gate::files::ANA;
use crate::verdict::{METHOD_NOT_ALLOWED, METHOD_UNKNOWN, NOT_JSON_RPC, No, VERSION_UNSUPPORTED};

/// Sends a message with exactly this envelope.
async fn send(gate: &Gate, method: &str, id: Option<Value>, params: Value) -> drill::mcp::Reply {
    let client = gate.client(ANA);
    let headers = client.headers(method, &params);
    let mut body = client.body(method, params);
    match id {
        Some(id) => body["id"] = id,
        None => _ = body.as_object_mut().unwrap().remove("id"),
    }
    client.raw(body.to_string(), headers).await.unwrap()
}

#[tokio::test]
async fn methods_outside_the_register_do_not_pass() {
    let gate = Gate::start().await;
    for method in [
        "ping",
        "tools/delete",
        "tools/call2",
        "Tools/Call",
        "tools/call/",
        "tools",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "tasks/get",
        "tasks/list",
        "tasks/cancel",
        "rpc.discover",
        "__proto__",
        "server/shutdown",
        "completion/complete ",
    ] {
        if method.ends_with(' ') {
            // No header can say it, so it is no method.
            let client = gate.client(ANA);
            let headers = client.headers("completion/complete", &json!({}));
            let reply = client.raw(client.body(method, json!({})).to_string(), headers).await.unwrap();
            gate.refuses(&reply, NOT_JSON_RPC).await;
            continue;
        }
        let reply = send(&gate, method, Some(1.into()), json!({ "name": "read_ticket" })).await;
        gate.refuses(&reply, METHOD_UNKNOWN).await;
    }
    for method in ["notifications/initialized", "notifications/roots/list_changed", "notifications/made/up"] {
        let reply = send(&gate, method, None, json!({})).await;
        gate.refuses(&reply, METHOD_UNKNOWN).await;
    }
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn what_servers_send_agents_do_not() {
    let gate = Gate::start().await;
    let theirs: Vec<_> = METHODS.iter().filter(|row| row.direction == Direction::ToAgent).collect();
    assert!(theirs.len() >= 10);
    for row in theirs {
        let id = (!row.method.starts_with("notifications/")).then(|| json!(1));
        let reply = send(&gate, row.method, id, json!({ "message": "Your password?" })).await;
        gate.refuses(&reply, METHOD_UNKNOWN).await;
    }
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn requests_have_an_id_and_notifications_none() {
    let gate = Gate::start().await;
    for row in METHODS.iter().filter(|row| row.direction == Direction::ToServer) {
        let params = json!({
            "name": "read_ticket",
            "uri": "desk://tickets/1",
            "ref": { "type": "ref/prompt", "name": "summary" },
            "notifications": {},
        });
        let id = row.method.starts_with("notifications/").then(|| json!(1));
        let reply = send(&gate, row.method, id, params).await;
        gate.refuses(&reply, NOT_JSON_RPC).await;
    }
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn agents_send_no_answers() {
    let gate = Gate::start().await;
    let client = gate.client(ANA);
    for member in ["result", "error"] {
        let body = json!({ "jsonrpc": "2.0", "id": 1, member: { "code": 1, "message": "" } });
        let reply = client.raw(body.to_string(), client.headers("tools/call", &json!({}))).await.unwrap();
        gate.refuses(&reply, NOT_JSON_RPC).await;
    }
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn the_handshake_of_older_revisions_learns_the_version() {
    let gate = Gate::start().await;
    let client = gate.client(ANA);
    let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "old" } });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
    for headers in [client.headers("initialize", &json!({})), {
        let mut old = client.headers("initialize", &json!({}));
        old.remove("mcp-protocol-version");
        old.remove("mcp-method");
        old
    }] {
        let reply = client.raw(body.to_string(), headers).await.unwrap();
        gate.refuses(&reply, VERSION_UNSUPPORTED).await;
        let data = &reply.error().unwrap()["data"];
        assert_eq!((&data["supported"], &data["requested"]), (&json!(["2026-07-28"]), &json!("2025-06-18")));
        assert!(!reply.headers.contains_key("mcp-session-id"));
    }
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn only_post_is_served() {
    let gate = Gate::start().await;
    let headers = gate.client(ANA).headers("tools/call", &json!({ "name": "read_ticket" }));
    for method in ["GET", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "post"] {
        let heard = gate.send(gate.agents(), method, "/desk/mcp", headers.clone(), "").await;
        assert_eq!(heard.headers[header::ALLOW], "POST", "{method}");
        gate.turns_away(&heard.into(), METHOD_NOT_ALLOWED).await;
    }
    let heard = gate.send(gate.agents(), "HEAD", "/desk/mcp", headers.clone(), "").await;
    assert_eq!((heard.status.as_u16(), heard.body.len()), (405, 0));
    let media = No { status: 415, code: -31005, reason: "media-type-refused", control: "accept" };
    for (name, said) in [("content-type", "text/plain"), ("content-type", ""), ("accept", "application/json")] {
        let mut headers = headers.clone();
        headers.insert(name, said.parse().unwrap());
        let heard = gate.send(gate.agents(), "POST", "/desk/mcp", headers, "{}").await;
        gate.turns_away(&heard.into(), media).await;
    }
    assert_eq!(gate.desk.calls(), 0);
}
