use std::fmt::Write as _;

use http::HeaderMap;
use serde_json::{Value, json};

use super::{Definitions, DiscoverError, Listing, discover};
use crate::testing::{Notes, Step, json as whole, nobody, server, write};
use crate::{AskError, Route, SendError};

const NO_CREDENTIAL: fn(&mut HeaderMap) = |_| {};

/// A server whose results come from `result`, by method and cursor; `Err` is a JSON-RPC error's code.
async fn saying(result: impl Fn(&str, Option<&str>) -> Result<Value, i64> + Send + Sync + 'static) -> (Route, Notes) {
    server(move |body| {
        let request: Value = serde_json::from_str(body).unwrap();
        let method = request["method"].as_str().unwrap();
        let answer = match result(method, request["params"]["cursor"].as_str()) {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }),
            Err(code) => json!({ "jsonrpc": "2.0", "id": request["id"], "error": { "code": code, "message": "no" } }),
        };
        vec![whole(&answer.to_string())]
    })
    .await
}

fn introduction(capabilities: &Value) -> Value {
    json!({
        "resultType": "complete",
        "supportedVersions": ["2025-11-25", "2026-07-28"],
        "capabilities": capabilities,
        "instructions": "Be kind to customers.",
        "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "crm", "version": "1" } },
    })
}

fn tool(name: &str) -> Value {
    json!({ "name": name, "inputSchema": { "type": "object" }, "x-unknown": { "kept": [1, 2.5, null] } })
}

/// A server with tools only, which lists what `page` gives for a cursor.
async fn with_tools(
    page: impl Fn(Option<&str>) -> Result<Value, i64> + Send + Sync + 'static,
) -> Result<Definitions, DiscoverError> {
    let (route, _) = saying(move |method, cursor| match method {
        "server/discover" => Ok(introduction(&json!({ "tools": {} }))),
        "tools/list" => page(cursor),
        _ => Err(-32601),
    })
    .await;
    discover(&route, NO_CREDENTIAL).await
}

#[tokio::test]
async fn everything_a_server_says_of_itself_is_read_in_its_order_with_unknown_fields() {
    let (route, notes) = saying(|method, cursor| match (method, cursor) {
        ("server/discover", None) => Ok(introduction(&json!({ "tools": {}, "prompts": {}, "resources": {} }))),
        ("tools/list", None) => Ok(json!({ "tools": [tool("b"), tool("a")], "nextCursor": "2" })),
        ("tools/list", Some("2")) => Ok(json!({ "tools": [tool("c")], "nextCursor": null })),
        ("prompts/list", None) => Ok(json!({ "prompts": [{ "name": "p", "x": 1 }] })),
        ("resources/templates/list", None) => Ok(json!({ "resourceTemplates": [{ "uriTemplate": "file:///{p}" }] })),
        _ => Err(-32601),
    })
    .await;
    let credential = |headers: &mut HeaderMap| {
        headers.insert("authorization", "Bearer of-the-server".parse().unwrap());
    };
    let read = discover(&route, credential).await.unwrap();
    assert_eq!(read.server_info, json!({ "name": "crm", "version": "1" }));
    assert_eq!(read.instructions.as_deref(), Some("Be kind to customers."));
    assert_eq!(read.supported_versions, ["2025-11-25", "2026-07-28"]);
    assert_eq!(read.tools.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["b", "a", "c"]);
    assert_eq!(read.tools[0].value, tool("b"));
    assert_eq!(read.prompts[0].value, json!({ "name": "p", "x": 1 }));
    assert_eq!(read.templates[0].name, "file:///{p}");
    assert!(read.excluded.is_empty());

    let seen = notes.lock().unwrap();
    assert_eq!(seen.requests.len(), 5);
    for (head, body) in &seen.requests {
        let method = serde_json::from_str::<Value>(body).unwrap()["method"].as_str().unwrap().to_owned();
        assert!(head.contains("authorization: Bearer of-the-server"), "{head}");
        assert!(head.contains("mcp-protocol-version: 2026-07-28"), "{head}");
        assert!(head.contains(&format!("mcp-method: {method}")), "{head}");
    }
    assert_eq!(route.flow().connected, 1, "the connection is kept between the questions");
}

#[tokio::test]
async fn only_the_lists_that_capabilities_name_are_read() {
    let (route, notes) = saying(|method, _| match method {
        "server/discover" => Ok(introduction(&json!({ "prompts": {} }))),
        "prompts/list" => Ok(json!({ "prompts": [] })),
        _ => Err(-32601),
    })
    .await;
    discover(&route, NO_CREDENTIAL).await.unwrap();
    assert_eq!(notes.lock().unwrap().requests.len(), 2);
}

#[tokio::test]
async fn answers_may_come_as_streams_with_notifications_before_them() {
    let (route, _) = server(|body| {
        let request: Value = serde_json::from_str(body).unwrap();
        let answer = json!({ "jsonrpc": "2.0", "id": request["id"], "result": introduction(&json!({})) });
        let note = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": {} });
        vec![
            write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"),
            write(&format!("data: {note}\n\ndata: {answer}\n\n")),
            Step::Close,
        ]
    })
    .await;
    assert_eq!(discover(&route, NO_CREDENTIAL).await.unwrap().server_info["name"], "crm");
}

#[tokio::test]
async fn a_server_without_templates_may_not_know_their_method_but_one_with_tools_must() {
    let (route, _) = saying(|method, _| match method {
        "server/discover" => Ok(introduction(&json!({ "resources": {} }))),
        _ => Err(-32601),
    })
    .await;
    assert!(discover(&route, NO_CREDENTIAL).await.unwrap().templates.is_empty());

    let error = with_tools(|_| Err(-32601)).await.unwrap_err();
    let told = matches!(error, DiscoverError::Ask(AskError::Answered { method: "tools/list", code: -32601, .. }));
    assert!(told, "{error:?}");
}

#[tokio::test]
async fn names_that_repeat_are_an_error_that_names_them() {
    let page = |cursor: Option<&str>| match cursor {
        None => Ok(json!({ "tools": [tool("a"), tool("b")], "nextCursor": "2" })),
        Some(_) => Ok(json!({ "tools": [tool("b"), tool("c"), tool("a")] })),
    };
    let error = with_tools(page).await.unwrap_err();
    let named = matches!(&error, DiscoverError::Duplicates { names, .. } if names == &["b", "a"]);
    assert!(named, "{error:?}");
}

#[tokio::test]
async fn a_cursor_that_comes_again_is_an_error() {
    let page = |cursor: Option<&str>| {
        let next = if cursor == Some("x") { "y" } else { "x" };
        Ok(json!({ "tools": [], "nextCursor": next }))
    };
    let error = with_tools(page).await.unwrap_err();
    assert!(matches!(error, DiscoverError::CursorRepeated { method: "tools/list" }), "{error:?}");
}

#[tokio::test]
async fn endless_pages_and_too_many_definitions_are_errors() {
    let page = |cursor: Option<&str>| {
        let page: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
        Ok(json!({ "tools": [], "nextCursor": (page + 1).to_string() }))
    };
    let error = with_tools(page).await.unwrap_err();
    assert!(matches!(&error, DiscoverError::TooMuch { bound } if bound.contains("pages")), "{error:?}");

    let page = |cursor: Option<&str>| {
        let page = cursor.unwrap_or("0").to_owned();
        let tools: Vec<Value> = (0..3_400).map(|number| tool(&format!("{page}-{number}"))).collect();
        Ok(json!({ "tools": tools, "nextCursor": format!("{page}0") }))
    };
    let error = with_tools(page).await.unwrap_err();
    assert!(matches!(&error, DiscoverError::TooMuch { bound } if bound.contains("definitions")), "{error:?}");
}

#[tokio::test]
async fn what_nobody_can_use_is_set_aside_and_the_rest_goes_on() {
    let annotated = |name: &str, header: &str| {
        let property = json!({ "type": "string", "x-mcp-header": header });
        json!({ "name": name, "inputSchema": { "type": "object", "properties": { "region": property } } })
    };
    let page = move |_: Option<&str>| {
        let huge = json!({ "name": "huge", "inputSchema": {}, "description": "x".repeat(300_000) });
        let tools = json!([
            tool("good"),
            annotated("mirrored", "Region"),
            annotated("bad-header", "not a token"),
            { "inputSchema": {} },
            "no object",
            tool("a\u{1b}[31mred"),
            huge,
        ]);
        Ok(json!({ "tools": tools }))
    };
    let read = with_tools(page).await.unwrap();
    assert_eq!(read.tools.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["good", "mirrored"]);
    assert_eq!(
        read.excluded.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
        ["bad-header", "", "", "a\u{fffd}[31mred", "huge"]
    );
    assert!(read.excluded.iter().all(|one| one.listing == Listing::Tools && !one.why.is_empty()));
    assert!(read.excluded[0].why.contains("x-mcp-header"), "{}", read.excluded[0].why);
}

#[tokio::test]
async fn a_server_of_other_revisions_is_told_by_what_it_speaks() {
    let (route, notes) = saying(|_, _| Ok(json!({ "supportedVersions": ["2024-10-07"], "capabilities": {} }))).await;
    let error = discover(&route, NO_CREDENTIAL).await.unwrap_err();
    assert!(matches!(&error, DiscoverError::Version { supported } if supported == &["2024-10-07"]), "{error:?}");
    assert_eq!(notes.lock().unwrap().requests.len(), 1, "it is not asked in another way");
}

#[tokio::test]
async fn malformed_answers_are_errors_that_say_where() {
    for result in [
        json!({}),
        json!({ "supportedVersions": "2026-07-28", "capabilities": {} }),
        json!({ "supportedVersions": ["2026-07-28"] }),
        json!({ "supportedVersions": ["2026-07-28"], "capabilities": [] }),
        json!({ "supportedVersions": ["2026-07-28"], "capabilities": {}, "instructions": 7 }),
        json!({ "supportedVersions": ["2026-07-28"], "capabilities": {}, "resultType": "input_required", "requestState": "s" }),
    ] {
        let told = result.clone();
        let (route, _) = saying(move |_, _| Ok(result.clone())).await;
        let error = discover(&route, NO_CREDENTIAL).await.unwrap_err();
        assert!(matches!(error, DiscoverError::Ask(AskError::Malformed { .. })), "{told} gave {error:?}");
    }
    for page in [json!({}), json!({ "tools": {} }), json!({ "tools": [], "nextCursor": 7 })] {
        let error = with_tools(move |_| Ok(page.clone())).await.unwrap_err();
        assert!(matches!(error, DiscoverError::Ask(AskError::Malformed { method: "tools/list", .. })), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_to_another_question_is_refused() {
    let (route, _) = server(|_| {
        let answer = json!({ "jsonrpc": "2.0", "id": 99, "result": introduction(&json!({})) });
        vec![whole(&answer.to_string())]
    })
    .await;
    let error = discover(&route, NO_CREDENTIAL).await.unwrap_err();
    assert!(matches!(error, DiscoverError::Ask(AskError::Malformed { .. })), "{error:?}");
}

#[tokio::test]
async fn definitions_that_two_readers_could_read_differently_are_refused() {
    let (route, _) = server(|body| {
        let request: Value = serde_json::from_str(body).unwrap();
        let mut answer = String::new();
        write!(answer, r#"{{"jsonrpc":"2.0","id":{},"result":{{"supportedVersions":["2026-07-28"],"#, request["id"])
            .unwrap();
        answer.push_str(r#""capabilities":{},"instructions":"kind","instructions":"cruel"}}"#);
        vec![whole(&answer)]
    })
    .await;
    let error = discover(&route, NO_CREDENTIAL).await.unwrap_err();
    assert!(matches!(error, DiscoverError::Ask(AskError::Malformed { .. })), "{error:?}");
}

#[tokio::test]
async fn a_dead_server_is_told_as_not_sent() {
    let error = discover(&nobody().await, NO_CREDENTIAL).await.unwrap_err();
    let DiscoverError::Ask(AskError::Send { method: "server/discover", source }) = error else { panic!("{error:?}") };
    assert!(matches!(source, SendError::NotSent { .. }));
}

#[tokio::test]
async fn a_servers_words_are_made_printable_before_anyone_sees_them() {
    let (route, _) = server(|body| {
        let request: Value = serde_json::from_str(body).unwrap();
        let message = format!("\u{1b}[2J{}", "x".repeat(1000));
        let error = json!({ "code": -1, "message": message });
        vec![whole(&json!({ "jsonrpc": "2.0", "id": request["id"], "error": error }).to_string())]
    })
    .await;
    let told = discover(&route, NO_CREDENTIAL).await.unwrap_err().to_string();
    assert!(!told.contains('\u{1b}') && told.len() < 400, "{told}");
}
