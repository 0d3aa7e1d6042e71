//! Methods that are not in the register, or that go the other way: what nobody decided about does not pass.

use gateway::register::{self, Direction, METHODS, Row};
use http::header;
use serde_json::{Value, json};
use wire::Revision;

use crate::gate::files::{ANA, endpoint};
use crate::gate::{Gate, Setup};
use crate::session::{SESSION, Session};
use crate::sessions::Lobby;
use crate::sessions::revisions::TOO_OLD;
use crate::verdict::{METHOD_NOT_ALLOWED, METHOD_UNKNOWN, NOT_JSON_RPC, No, SESSION_UNKNOWN};

/// The rows of a revision in one direction.
fn rows(direction: Direction, revision: Revision) -> impl Iterator<Item = &'static Row> {
    METHODS.iter().filter(move |row| row.direction == direction && row.revisions.contains(&revision))
}

/// Methods that only servers send in a revision.
fn theirs(revision: Revision) -> Vec<&'static str> {
    let only = |row: &&Row| register::find(row.method, Direction::ToServer, revision).is_none();
    let theirs: Vec<_> = rows(Direction::ToAgent, revision).filter(only).map(|row| row.method).collect();
    assert!(theirs.len() >= 8, "{theirs:?}");
    theirs
}

/// Parameters that any method can make something of.
fn any_params() -> Value {
    json!({
        "name": "read_ticket",
        "uri": "desk://tickets/1",
        "ref": { "type": "ref/prompt", "name": "summary" },
        "notifications": {},
        "level": "info",
        "requestId": 999,
        "taskId": "an-id",
        "progressToken": 999,
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": { "name": "it" },
    })
}

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
        "tasks/list",
        "tasks/result",
        "tasks/get2",
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
    for method in theirs(Revision::V2026_07_28) {
        let id = (!method.starts_with("notifications/")).then(|| json!(1));
        let reply = send(&gate, method, id, json!({ "message": "Your password?" })).await;
        gate.refuses(&reply, METHOD_UNKNOWN).await;
    }
    assert_eq!(gate.desk.calls(), 0);
}

#[tokio::test]
async fn requests_have_an_id_and_notifications_none() {
    let gate = Gate::start().await;
    for row in rows(Direction::ToServer, Revision::V2026_07_28) {
        let id = row.method.starts_with("notifications/").then(|| json!(1));
        let reply = send(&gate, row.method, id, any_params()).await;
        gate.refuses(&reply, NOT_JSON_RPC).await;
    }
    assert_eq!(gate.desk.calls(), 0);
}

/// Posts a message with exactly this envelope in a session.
async fn say(session: &Session, method: &str, id: Option<Value>, params: Value) -> drill::mcp::Reply {
    let mut message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
    if let Some(id) = id {
        message["id"] = id;
    }
    session.post(&message).await.whole().await
}

#[tokio::test]
async fn in_a_session_the_register_is_that_of_its_revision() {
    let lobby = Lobby::start().await;
    let session = lobby.begin(ANA).await;
    // What 2026-07-28 has, what only servers send, what nobody has, and what is not passed on.
    let mut unknown = vec!["server/discover", "subscriptions/listen", "tools/delete", "Tools/Call", "__proto__"];
    unknown.extend(["tasks/get", "tasks/list", "tasks/result", "tasks/cancel", "roots/set", "notifications/made/up"]);
    unknown.extend(["notifications/tasks/status", "notifications/elicitation/complete"]);
    unknown.extend(theirs(Revision::V2025_11_25));
    for method in unknown {
        let id = (!method.starts_with("notifications/")).then(|| json!(1));
        let no = if id.is_some() { METHOD_UNKNOWN.in_body() } else { METHOD_UNKNOWN };
        let reply = say(&session, method, id, any_params()).await;
        lobby.gate.refuses(&reply, no).await;
    }
    for row in rows(Direction::ToServer, Revision::V2025_11_25) {
        let id = row.method.starts_with("notifications/").then(|| json!(1));
        let reply = say(&session, row.method, id, any_params()).await;
        lobby.gate.refuses(&reply, NOT_JSON_RPC).await;
    }
    assert_eq!(lobby.talker.calls(), 0);
    // And none of it ended the session.
    crate::verdict::passes(&session.read_ticket().await);
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
async fn the_handshake_of_older_revisions_learns_the_version_where_it_is_not_served() {
    let desk = format!("{}minimum_revision = \"2026-07-28\"\n", endpoint("desk", "desk"));
    let state = vec![("endpoints/desk.toml".to_owned(), desk)];
    let gate = Gate::with(Setup { state, ..Setup::default() }).await;
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
        gate.refuses(&reply, TOO_OLD).await;
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
    // Only a session has something to get and to end, and no endpoint has one that was not begun there.
    let lobby = Lobby::start().await;
    let session = lobby.line(ANA).begin(json!({})).await;
    for method in ["PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND"] {
        let heard = lobby.gate.send(lobby.gate.agents(), method, "/lobby/mcp", session.headers(), "").await;
        lobby.gate.turns_away(&heard.into(), METHOD_NOT_ALLOWED).await;
    }
    for method in ["GET", "DELETE"] {
        let heard = lobby.gate.send(lobby.gate.agents(), method, "/desk/mcp", session.headers(), "").await;
        lobby.gate.refuses(&heard.into(), SESSION_UNKNOWN).await;
        let mut headers = session.headers();
        headers.insert(SESSION, crate::gate::value("made-up"));
        let heard = lobby.gate.send(lobby.gate.agents(), method, "/lobby/mcp", headers.clone(), "").await;
        lobby.gate.refuses(&heard.into(), SESSION_UNKNOWN).await;
        headers.insert("mcp-protocol-version", crate::gate::value("2026-07-28"));
        let heard = lobby.gate.send(lobby.gate.agents(), method, "/lobby/mcp", headers, "").await;
        lobby.gate.refuses(&heard.into(), METHOD_NOT_ALLOWED).await;
    }
    let media = No { status: 415, code: -31005, reason: "media-type-refused", control: "accept" };
    for (name, said) in [("content-type", "text/plain"), ("content-type", ""), ("accept", "application/json")] {
        let mut headers = headers.clone();
        headers.insert(name, said.parse().unwrap());
        let heard = gate.send(gate.agents(), "POST", "/desk/mcp", headers, "{}").await;
        gate.turns_away(&heard.into(), media).await;
    }
    assert_eq!(gate.desk.calls(), 0);
}
