use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use super::Session;
use crate::testing::{EVENTS, Notes, Step, headers, json as whole, server_of_heads, short, write};
use crate::{
    Answer, AskError, Change, Deadlines, DiscoverError, Fault, Purpose, Revision, Route, SendError, Stream, discover,
    listen,
};

const CREDENTIAL: fn(&mut HeaderMap) = |headers| {
    headers.insert("x-key", "of-the-server".parse().unwrap());
};
const ACCEPTED: &str = "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";
const GONE: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
const NO_STREAM: &str = "HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n";

fn greeting(id: &Value) -> String {
    greeting_in(id, "2025-11-25")
}

fn greeting_in(id: &Value, revision: &str) -> String {
    let capabilities = json!({ "tools": { "listChanged": true } });
    let result = json!({
        "protocolVersion": revision,
        "capabilities": capabilities,
        "serverInfo": { "name": "crm", "version": "1" },
        "instructions": "Be kind to customers.",
    });
    json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string()
}

fn in_session(body: &str) -> Vec<Step> {
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nmcp-session-id: s-1";
    vec![write(&format!("{head}\r\ncontent-length: {length}\r\n\r\n{body}"))]
}

/// A server with sessions, which greets properly and answers everything else with what `answer` gives for the head and
/// the method.
async fn with_sessions(answer: impl Fn(&str, &str) -> Vec<Step> + Send + Sync + 'static) -> (Route, Notes) {
    server_of_heads(move |head, body| {
        let request: Value = serde_json::from_str(body).unwrap_or_default();
        match request["method"].as_str() {
            Some("initialize") => in_session(&greeting(&request["id"])),
            Some("notifications/initialized") => vec![write(ACCEPTED)],
            method => answer(head, method.unwrap_or_default()),
        }
    })
    .await
}

async fn open(route: &Route) -> Session {
    Session::open(route, &json!({ "sampling": {} }), CREDENTIAL).await.unwrap()
}

fn call() -> Bytes {
    Bytes::from_static(br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t"}}"#)
}

fn credential() -> HeaderMap {
    let mut headers = headers();
    CREDENTIAL(&mut headers);
    headers
}

/// Opens a session and makes a call that is answered by a stream.
async fn streamed(answer: impl Fn(&str, &str) -> Vec<Step> + Send + Sync + 'static) -> (Stream, Session, Notes) {
    let (route, notes) = with_sessions(answer).await;
    let session = open(&route).await;
    match session.send(credential(), call(), Deadlines::CALL).await {
        Ok(Answer::Stream(stream)) => (stream, session, notes),
        other => panic!("{other:?}"),
    }
}

fn head(notes: &Notes, number: usize) -> String {
    notes.lock().unwrap().requests[number].0.clone()
}

fn posted(notes: &Notes, method: &str) -> usize {
    let wanted = format!("\"method\":\"{method}\"");
    notes.lock().unwrap().requests.iter().filter(|(_, body)| body.contains(&wanted)).count()
}

#[tokio::test]
async fn a_session_is_opened_by_a_handshake_and_carries_its_id_and_revision() {
    let (route, notes) = with_sessions(|_, _| vec![whole(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#)]).await;
    let session = open(&route).await;
    let mut headers = credential();
    headers.insert("mcp-session-id", "somebody-elses".parse().unwrap());
    session.send(headers, call(), Deadlines::CALL).await.unwrap();
    let asked: Value = serde_json::from_str(&notes.lock().unwrap().requests[0].1).unwrap();
    assert_eq!(asked["params"]["capabilities"], json!({ "sampling": {} }));
    assert_eq!(asked["params"]["protocolVersion"], "2025-11-25");
    assert!(!head(&notes, 0).contains("mcp-session-id"));
    for number in [1, 2] {
        let head = head(&notes, number);
        assert!(head.contains("mcp-session-id: s-1\r\n") || head.ends_with("mcp-session-id: s-1"), "{head}");
        assert!(head.contains("mcp-protocol-version: 2025-11-25"), "{head}");
        assert!(head.contains("x-key: of-the-server"), "{head}");
        assert!(!head.contains("somebody-elses"), "{head}");
    }
    assert!(!format!("{session:?}").contains("s-1"));
}

#[tokio::test]
async fn a_server_without_session_ids_takes_messages_one_by_one() {
    let (route, notes) = server_of_heads(|head, body| {
        let request: Value = serde_json::from_str(body).unwrap_or_default();
        match request["method"].as_str() {
            Some("initialize") => vec![whole(&greeting(&request["id"]))],
            Some("notifications/initialized") => vec![write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")],
            Some(_) => vec![whole(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#)],
            None if head.starts_with("GET") => vec![write(GONE)],
            None => vec![Step::Close],
        }
    })
    .await;
    let session = open(&route).await;
    session.send(credential(), call(), Deadlines::CALL).await.unwrap();
    assert!(session.listen(credential()).await.unwrap().is_none());
    session.close(credential()).await;
    let seen = notes.lock().unwrap();
    assert!(seen.requests.iter().all(|(head, _)| !head.contains("mcp-session-id") && !head.starts_with("DELETE")));
}

#[tokio::test]
async fn a_server_that_says_the_session_is_over_is_asked_nothing_more_in_it() {
    let (route, notes) = with_sessions(|_, _| vec![write(GONE)]).await;
    let session = open(&route).await;
    assert!(matches!(session.send(credential(), call(), Deadlines::CALL).await, Err(SendError::SessionOver)));
    assert!(session.is_over());
    assert!(matches!(session.send(credential(), call(), Deadlines::CALL).await, Err(SendError::SessionOver)));
    assert!(matches!(session.tell(credential(), call()).await, Err(SendError::SessionOver)));
    assert!(matches!(session.listen(credential()).await, Err(SendError::SessionOver)));
    session.close(credential()).await;
    assert_eq!(notes.lock().unwrap().requests.len(), 3, "a handshake and one call");
}

#[tokio::test]
async fn closing_tells_the_server_once() {
    let (route, notes) = with_sessions(|_, _| vec![write(NO_STREAM)]).await;
    let session = open(&route).await;
    session.close(credential()).await;
    session.close(credential()).await;
    assert!(session.is_over());
    let last = head(&notes, 2);
    assert!(last.starts_with("DELETE /mcp") && last.contains("mcp-session-id: s-1"), "{last}");
    assert!(last.contains("x-key: of-the-server") && !last.contains("content-type"), "{last}");
    assert_eq!(notes.lock().unwrap().requests.len(), 3);
}

#[tokio::test]
async fn a_handshake_that_fails_opens_nothing_and_leaves_nothing() {
    for (result, told) in [
        (json!({ "protocolVersion": "2024-10-07", "capabilities": {} }), "2024-10-07"),
        (json!({ "protocolVersion": "2026-07-28", "capabilities": {} }), "2026-07-28"),
        (json!({ "capabilities": {} }), "protocolVersion"),
    ] {
        let (route, notes) = server_of_heads(move |_, body| {
            let request: Value = serde_json::from_str(body).unwrap_or_default();
            match request["method"].as_str() {
                Some("initialize") => in_session(&json!({ "jsonrpc": "2.0", "id": 0, "result": result }).to_string()),
                Some(_) | None => vec![write(ACCEPTED)],
            }
        })
        .await;
        let error = Session::open(&route, &json!({}), CREDENTIAL).await.unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
        assert_eq!(posted(&notes, "notifications/initialized"), 0);
        assert!(head(&notes, 1).starts_with("DELETE"), "what the server began is ended");
    }
}

/// A server of an older revision, which answers everything else with `answer`.
async fn of(revision: Revision, answer: impl Fn() -> Vec<Step> + Send + Sync + 'static) -> (Route, Notes) {
    server_of_heads(move |_, body| {
        let request: Value = serde_json::from_str(body).unwrap_or_default();
        match request["method"].as_str() {
            Some("initialize") => in_session(&greeting_in(&request["id"], revision.as_str())),
            Some("tools/call") => answer(),
            Some("notifications/initialized") => vec![write(ACCEPTED)],
            Some("tools/list") => vec![whole(r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[]}}"#)],
            Some(_) | None => vec![write(&answered("400 Bad Request", "{}"))],
        }
    })
    .await
}

#[tokio::test]
async fn a_server_may_choose_any_revision_with_a_handshake_and_is_spoken_to_in_it() {
    for &revision in Revision::LEGACY {
        let (route, notes) = of(revision, || vec![whole(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#)]).await;
        let session = open(&route).await;
        assert_eq!(session.revision(), revision);
        session.send(credential(), call(), Deadlines::CALL).await.unwrap();
        session.close(credential()).await;
        assert!(notes.lock().unwrap().requests[0].1.contains(r#""protocolVersion":"2025-11-25""#));
        for number in [1, 2, 3] {
            let head = head(&notes, number);
            let named = head.contains(&format!("mcp-protocol-version: {revision}"));
            assert_eq!(named, revision.has_version_header(), "{revision}: {head}");
            assert_eq!(named, head.contains("mcp-protocol-version"), "{revision}: {head}");
            assert!(head.contains("mcp-session-id: s-1"), "{head}");
        }
    }
}

#[tokio::test]
async fn a_server_that_chooses_an_older_revision_than_it_was_approved_with_is_sent_nothing() {
    let (route, notes) = of(Revision::V2024_11_05, || vec![Step::Close]).await;
    let pinned = route.clone().speaking_at_least(Some(Revision::V2025_06_18));
    let error = Session::open(&pinned, &json!({}), CREDENTIAL).await.unwrap_err();
    assert!(error.is_downgrade(), "{error:?}");
    let seen = notes.lock().unwrap().requests.clone();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen[1].0.starts_with("DELETE"), "what the server began is ended");
    let as_approved = route.clone().speaking_at_least(Some(Revision::V2024_11_05));
    assert!(Session::open(&as_approved, &json!({}), CREDENTIAL).await.is_ok());
    assert_eq!(discover(&pinned, CREDENTIAL).await.unwrap().supported_versions, ["2024-11-05"], "it can be looked at");
}

#[tokio::test]
async fn the_messages_of_a_batch_are_told_one_by_one_in_the_revision_that_has_them() {
    const NOTE: &str = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#;
    const ANSWER: &str = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;
    let batch = format!("[{NOTE}, {ANSWER}]");
    let event = vec![write(EVENTS), write(&format!("data: {batch}\n\n")), Step::Close];
    for steps in [vec![whole(&batch)], event] {
        for &revision in Revision::LEGACY {
            let given = steps.clone();
            let (route, _) = of(revision, move || given.clone()).await;
            let session = open(&route).await;
            let told = match session.send(credential(), call(), Deadlines::CALL).await.unwrap() {
                Answer::Stream(mut stream) => {
                    let mut told = Vec::new();
                    while let Some(message) = stream.next().await {
                        told.push(String::from_utf8(message.unwrap().to_vec()).unwrap());
                    }
                    told
                }
                Answer::Whole { body, .. } => vec![String::from_utf8(body.to_vec()).unwrap()],
                Answer::Accepted => panic!(),
            };
            let expected = if revision.batches() { vec![NOTE, ANSWER] } else { vec![batch.as_str()] };
            assert_eq!(told, expected, "{revision}");
        }
    }
}

#[tokio::test]
async fn a_session_id_that_is_none_is_refused() {
    for id in ["", "a b", "\u{7f}", &"x".repeat(513)] {
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nmcp-session-id: {id}\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        let (route, _) = server_of_heads(move |_, _| vec![write(&answer)]).await;
        let error = Session::open(&route, &json!({}), CREDENTIAL).await.unwrap_err();
        assert!(matches!(error, AskError::Malformed { .. } | AskError::Send { .. }), "{id}: {error:?}");
    }
}

#[tokio::test]
async fn what_is_told_is_taken_or_refused() {
    let (route, _) = with_sessions(|_, method| match method {
        "notifications/cancelled" => vec![write(ACCEPTED)],
        _ => vec![write("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")],
    })
    .await;
    let session = open(&route).await;
    let note = Bytes::from_static(br#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#);
    session.tell(credential(), note).await.unwrap();
    let refused = session.tell(credential(), Bytes::from_static(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#)).await;
    assert!(matches!(refused, Err(SendError::Unknown { fault: Fault::Status { .. } })), "{refused:?}");
}

#[tokio::test]
async fn a_stream_that_breaks_off_before_its_answer_is_read_on_and_the_call_is_not_sent_again() {
    let gets = AtomicUsize::new(0);
    let (mut stream, _session, notes) = streamed(move |head, _| {
        if !head.starts_with("GET") {
            let note =
                r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}"#;
            return vec![
                write(EVENTS),
                write(&format!("id: e-1\nretry: 200\ndata:\n\nid: e-2\ndata: {note}\n\nid: e-3\ndata: {{\"half")),
                Step::Close,
            ];
        }
        match gets.fetch_add(1, Ordering::Relaxed) {
            // Broken before it began; broken after nothing; at last the answer.
            0 => vec![Step::Close],
            1 => vec![write(EVENTS), write("id: e-9\ndata:\n\n"), Step::Close],
            _ => vec![
                write(EVENTS),
                write("id: e-10\ndata: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n\n"),
                Step::Close,
            ],
        }
    })
    .await;
    let begun = Instant::now();
    assert!(stream.next().await.unwrap().is_ok());
    let answer = stream.next().await.unwrap().unwrap();
    assert!(answer.ends_with(br#""result":{}}"#), "{answer:?}");
    assert!(begun.elapsed() >= Duration::from_millis(600), "the server asked for a pause before each");
    assert!(stream.next().await.is_none(), "after the answer there is nothing to read on for");
    assert_eq!(posted(&notes, "tools/call"), 1);
    let requests = notes.lock().unwrap().requests.clone();
    let gets: Vec<String> = requests.into_iter().map(|(head, _)| head).filter(|head| head.starts_with("GET")).collect();
    for (get, id) in gets.iter().zip(["e-2", "e-2", "e-9"]) {
        assert!(get.contains(&format!("last-event-id: {id}")), "{get}");
        assert!(get.contains("mcp-session-id: s-1") && get.contains("x-key: of-the-server"), "{get}");
        assert!(get.contains("accept: text/event-stream") && !get.contains("content-type"), "{get}");
    }
    assert_eq!(gets.len(), 3);
}

#[tokio::test]
async fn a_stream_without_event_ids_ends_where_it_ends() {
    let (mut stream, _session, notes) = streamed(|_, _| vec![write(EVENTS), Step::Close]).await;
    assert!(stream.next().await.is_none());
    assert_eq!(notes.lock().unwrap().requests.len(), 3);
}

#[tokio::test]
async fn a_server_that_does_not_let_a_stream_be_read_on_leaves_the_outcome_unknown() {
    for (answer, over) in [(NO_STREAM, false), (GONE, true)] {
        let (mut stream, session, _) = streamed(move |head, _| match head.starts_with("GET") {
            true => vec![write(answer)],
            false => vec![write(EVENTS), write("id: 1\nretry: 0\ndata:\n\n"), Step::Close],
        })
        .await;
        let error = stream.next().await.unwrap().unwrap_err();
        assert!(matches!(error, SendError::Unknown { fault: Fault::NotResumed { .. } }), "{error:?}");
        assert!(stream.next().await.is_none());
        assert_eq!(session.is_over(), over);
    }
}

#[tokio::test]
async fn reading_on_is_bounded_in_number_and_in_time() {
    let polled = |retry: u64| {
        move |_: &str, _: &str| vec![write(EVENTS), write(&format!("id: 1\nretry: {retry}\ndata:\n\n")), Step::Close]
    };
    let (mut stream, _session, notes) = streamed(polled(0)).await;
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(matches!(error, SendError::Unknown { fault: Fault::ResumedTooOften }), "{error:?}");
    assert_eq!(notes.lock().unwrap().requests.len(), 3 + 20);

    let (route, _) = with_sessions(polled(1_000_000)).await;
    let session = open(&route).await;
    let Ok(Answer::Stream(mut stream)) = session.send(credential(), call(), short(Purpose::Answer)).await else {
        panic!()
    };
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(matches!(error, SendError::Unknown { fault: Fault::Idle { .. } }), "{error:?}");
}

#[tokio::test]
async fn reading_on_survives_a_reader_that_looks_away() {
    let (mut stream, _session, notes) = streamed(|head, _| match head.starts_with("GET") {
        true => vec![
            Step::Wait(100),
            write(EVENTS),
            write("id: 2\ndata: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n\n"),
            Step::Close,
        ],
        false => vec![write(EVENTS), write("id: 1\nretry: 50\ndata:\n\n"), Step::Close],
    })
    .await;
    let message = loop {
        if let Ok(message) = tokio::time::timeout(Duration::from_millis(20), stream.next()).await {
            break message;
        }
    };
    assert!(message.unwrap().is_ok());
    assert_eq!(notes.lock().unwrap().requests.len(), 4, "one GET, however often it was looked at");
}

#[tokio::test]
async fn the_stream_beside_the_answers_is_there_or_not() {
    let note = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n";
    let (route, notes) = with_sessions(move |_, _| vec![write(EVENTS), write(note), Step::AwaitClose]).await;
    let session = open(&route).await;
    let mut stream = session.listen(credential()).await.unwrap().unwrap();
    assert!(stream.next().await.unwrap().is_ok());
    assert!(head(&notes, 2).starts_with("GET /mcp") && head(&notes, 2).contains("mcp-session-id: s-1"));

    let (route, _) = with_sessions(|_, _| vec![write(NO_STREAM)]).await;
    assert!(open(&route).await.listen(credential()).await.unwrap().is_none());
}

/// A server of 2025-11-25 that says it does not know 2026-07-28 with these bytes.
async fn legacy(refusal: String) -> (Route, Notes) {
    let refusal = Arc::new(refusal);
    with_sessions(move |head, method| match (head.starts_with("GET"), method) {
        (true, _) => vec![
            write(EVENTS),
            write("data: {\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}\n\n"),
            write("data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/prompts/list_changed\"}\n\n"),
            Step::AwaitClose,
        ],
        (_, "tools/list") => {
            let tools = r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"find","inputSchema":{}}]}}"#;
            vec![
                write(EVENTS),
                write("data: {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n\n"),
                write(&format!("data: {tools}\n\n")),
                Step::Close,
            ]
        }
        (_, "server/discover" | "subscriptions/listen") => vec![write(&refusal)],
        _ => vec![write(ACCEPTED)],
    })
    .await
}

fn answered(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn a_server_that_does_not_know_the_newer_way_is_read_in_the_older() {
    for refusal in [
        answered("200 OK", r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}"#),
        answered(
            "400 Bad Request",
            r#"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"no session"}}"#,
        ),
        answered(
            "400 Bad Request",
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32022,"message":"no","data":{"supported":["2025-11-25"]}}}"#,
        ),
        "HTTP/1.1 422 Unprocessable Entity\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nno".to_owned(),
    ] {
        let (route, notes) = legacy(refusal).await;
        let read = discover(&route, CREDENTIAL).await.unwrap();
        assert_eq!(read.supported_versions, ["2025-11-25"]);
        assert_eq!(read.instructions.as_deref(), Some("Be kind to customers."));
        assert_eq!((&read.server_info["name"], read.tools[0].name.as_str()), (&json!("crm"), "find"));
        let seen = notes.lock().unwrap();
        assert!(seen.requests.iter().all(|(head, _)| head.contains("x-key: of-the-server")));
        assert!(seen.requests.iter().any(|(_, body)| body.contains("\"result\":{}")), "its ping was answered");
        assert!(seen.requests.last().unwrap().0.starts_with("DELETE"), "no session is left behind");
    }
}

#[tokio::test]
async fn a_server_that_merely_failed_is_not_asked_in_another_way() {
    for refusal in [
        answered("200 OK", r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"the database is away"}}"#),
        answered("400 Bad Request", r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header"}}"#),
        "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_owned(),
    ] {
        let (route, notes) = legacy(refusal).await;
        let error = discover(&route, CREDENTIAL).await.unwrap_err();
        assert!(matches!(error, DiscoverError::Ask(_)), "{error:?}");
        assert_eq!(notes.lock().unwrap().requests.len(), 1);
    }
}

#[tokio::test]
async fn changes_are_heard_on_the_stream_of_a_session_and_pings_on_it_are_answered() {
    let refusal = answered("200 OK", r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}"#);
    let (route, notes) = legacy(refusal).await;
    let mut changes = listen(&route, CREDENTIAL).await.unwrap();
    assert_eq!(changes.next().await.unwrap().unwrap(), Change::Prompts);
    let answered = notes.lock().unwrap().requests.last().unwrap().clone();
    assert!(answered.1.contains(r#""id":"p","result":{}"#), "{answered:?}");
    assert!(answered.0.contains("content-type: application/json"), "{answered:?}");
    drop(changes);
    for _ in 0..100 {
        if notes.lock().unwrap().requests.last().unwrap().0.starts_with("DELETE") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the session is left behind");
}
