//! Sessions of 2025-11-25, between `connect` and a scripted server.

use serde_json::json;

use super::scripted::Scripted;
use super::*;

/// A client that has begun a session, and is listened to.
async fn begun(server: &Scripted) -> (Local, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut local = Local::to(&server.url, &token_file(folder.path(), "the-token"));
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "c" } });
    let hello = local.ask(&request("hello", "initialize", params)).await;
    assert_eq!((&hello["id"], &hello["result"]["protocolVersion"]), (&json!("hello"), &json!("2025-11-25")));
    local.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    server.saw("GET s-1 2025-11-25").await;
    (local, folder)
}

fn request(id: impl Into<Value>, method: &str, params: Value) -> Value {
    let id: Value = id.into();
    let mut message = json!({ "jsonrpc": "2.0", "id": id, "method": method });
    message["params"] = params;
    message
}

fn tool(id: impl Into<Value>, name: &str) -> Value {
    request(id, "tools/call", json!({ "name": name, "arguments": {} }))
}

#[tokio::test]
async fn a_session_is_begun_kept_listened_to_and_ended() {
    let server = Scripted::start().await;
    let (mut local, _folder) = begun(&server).await;
    assert_eq!(text(&local.ask(&tool(1, "any")).await), "done");
    server.say(json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" }));
    assert_eq!(local.hear().await["method"], "notifications/tools/list_changed");
    local.close();
    assert!(local.ended().await.success());
    assert_eq!(
        server.seen(),
        [
            "POST - - initialize",
            "POST s-1 2025-11-25 notifications/initialized",
            "GET s-1 2025-11-25",
            "POST s-1 2025-11-25 tools/call",
            "DELETE s-1 2025-11-25",
        ]
    );
}

#[tokio::test]
async fn what_follows_the_handshake_at_once_waits_for_its_session() {
    let server = Scripted::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut local = Local::to(&server.url, &token_file(folder.path(), "the-token"));
    local.say(&request(0, "initialize", json!({})));
    local.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    local.say(&tool(1, "any"));
    assert_eq!(local.hear().await["id"], 0);
    assert_eq!(text(&local.hear().await), "done");
    server.saw("POST s-1 2025-11-25 tools/call").await;
}

#[tokio::test]
async fn a_servers_question_is_put_and_its_answer_carried_back() {
    let server = Scripted::start().await;
    let (mut local, _folder) = begun(&server).await;
    let question = local.ask(&tool(1, "asks")).await;
    assert_eq!((&question["id"], &question["method"]), (&json!("q"), &json!("elicitation/create")));
    let said = json!({ "action": "decline" });
    let answer = local.ask(&json!({ "jsonrpc": "2.0", "id": "q", "result": said })).await;
    assert_eq!(text(&answer), said.to_string());
    server.saw("POST s-1 2025-11-25 answer \"q\"").await;
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_read_on_where_it_stopped_and_the_call_is_not_repeated() {
    let server = Scripted::start().await;
    let (mut local, _folder) = begun(&server).await;
    assert_eq!(text(&local.ask(&tool(1, "breaks")).await), "and the rest");
    server.saw("GET s-1 2025-11-25 after e-1").await;
    let lost = local.ask(&tool(2, "breaks for good")).await;
    assert!(error(&lost).contains("not known"), "{lost:#}");
    assert_eq!(server.seen().iter().filter(|seen| seen.ends_with("tools/call")).count(), 2);
}

#[tokio::test]
async fn a_call_that_is_taken_back_is_told_to_the_server() {
    let server = Scripted::start().await;
    let (mut local, _folder) = begun(&server).await;
    local.say(&tool(1, "hangs"));
    server.saw("POST s-1 2025-11-25 tools/call").await;
    local.say(&cancel(1));
    server.saw("POST s-1 2025-11-25 notifications/cancelled").await;
    local.hears_nothing().await;
}

#[tokio::test]
async fn a_session_that_is_gone_is_begun_anew_where_nothing_is_lost() {
    let server = Scripted::start().await;
    let (mut local, _folder) = begun(&server).await;
    server.forget();
    local.say(&tool(1, "any"));
    let (first, second) = (local.hear().await, local.hear().await);
    assert_eq!(first["method"], "notifications/tools/list_changed", "what was listed may have changed");
    assert_eq!(text(&second), "done");
    server.saw("POST s-2 2025-11-25 notifications/initialized").await;
    server.saw("GET s-2 2025-11-25").await;
    assert_eq!(text(&local.ask(&tool(2, "any")).await), "done");
    local.logs("another one was begun").await;
}

#[tokio::test]
async fn a_session_in_which_something_lasts_or_that_offered_something_else_ends_the_program() {
    for subscribed in [true, false] {
        let server = Scripted::start().await;
        let (mut local, _folder) = begun(&server).await;
        match subscribed {
            true => drop(local.ask(&request(1, "resources/subscribe", json!({ "uri": "desk://1" }))).await),
            false => server.offer(json!({ "prompts": {} })),
        }
        server.forget();
        let lost = local.ask(&tool(2, "any")).await;
        assert!(lost["id"] == 2 && error(&lost).contains("restart this server"), "{lost:#}");
        assert_eq!(local.ended().await.code(), Some(1));
        assert_eq!(server.seen().iter().filter(|seen| seen.contains("s-2") && seen.contains("call")).count(), 0);
    }
}

#[tokio::test]
async fn a_client_that_ends_the_program_ends_the_session_too() {
    let server = Scripted::start().await;
    let (mut local, _folder) = begun(&server).await;
    let terminated = Command::new("kill").args(["-TERM", &local.child.id().to_string()]).status().unwrap();
    assert!(terminated.success() && local.ended().await.success());
    server.saw("DELETE s-1 2025-11-25").await;
}
