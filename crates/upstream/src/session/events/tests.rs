use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::testing::events::{Deed, EventsServer, greeting};
use crate::testing::{headers, short};
use crate::{
    Answer, AskError, Change, Deadlines, Fault, Purpose, Revision, SendError, Session, Stream, discover, listen,
};

const CREDENTIAL: fn(&mut HeaderMap) = |headers| {
    headers.insert("x-key", "of-the-server".parse().unwrap());
};

fn credential() -> HeaderMap {
    let mut headers = headers();
    CREDENTIAL(&mut headers);
    headers.insert("mcp-session-id", "somebody-elses".parse().unwrap());
    headers.insert("mcp-protocol-version", "2025-11-25".parse().unwrap());
    headers
}

async fn open(server: &EventsServer) -> Session {
    Session::open(&server.route, &json!({ "sampling": {} }), CREDENTIAL).await.unwrap()
}

fn call(id: &Value) -> Bytes {
    let params = json!({ "name": "t", "_meta": { "progressToken": "p" } });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string().into()
}

fn result(id: &Value, said: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": { "said": said } })
}

fn read(message: &Bytes) -> Value {
    serde_json::from_slice(message).unwrap()
}

async fn whole(session: &Session, body: Bytes) -> Value {
    match session.send(credential(), body, Deadlines::CALL).await {
        Ok(Answer::Whole { body, .. }) => read(&body),
        other => panic!("{other:?}"),
    }
}

async fn next(stream: &mut Stream) -> Value {
    let next = tokio::time::timeout(Duration::from_secs(20), stream.next()).await.expect("a message in time");
    read(&next.expect("a message").expect("no fault"))
}

async fn eventually(so: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not in twenty seconds");
}

#[tokio::test]
async fn a_server_that_knows_no_streamable_http_is_spoken_to_over_its_one_stream() {
    let server = EventsServer::greeting("2024-11-05", |call| Deed::Says(vec![result(&call["id"], "done")])).await;
    let session = open(&server).await;
    assert_eq!(session.revision(), Revision::V2024_11_05);
    let answer = whole(&session, call(&json!("mine"))).await;
    assert_eq!((&answer["id"], &answer["result"]["said"]), (&json!("mine"), &json!("done")));
    let heard = server.heard("tools/call").remove(0);
    assert!(heard["id"].is_i64() && heard["params"]["_meta"]["progressToken"].is_i64(), "{heard}");
    let requests = server.notes.lock().unwrap().requests.clone();
    let verbs: Vec<&str> = requests.iter().filter_map(|(head, _)| head.split(" HTTP").next()).collect();
    let posted = "POST /messages?session=1";
    assert_eq!(verbs, ["POST /sse", "GET /sse", posted, posted, posted]);
    for (head, _) in &requests {
        assert!(head.contains("x-key: of-the-server"), "{head}");
        assert!(!head.contains("mcp-session-id") && !head.contains("mcp-protocol-version"), "{head}");
    }
}

#[tokio::test]
async fn what_a_server_was_found_to_be_is_remembered_until_it_is_something_else() {
    let server = EventsServer::greeting("2025-06-18", |call| Deed::Says(vec![result(&call["id"], "done")])).await;
    drop(open(&server).await);
    let session = open(&server).await;
    whole(&session, call(&json!(1))).await;
    let requests = server.notes.lock().unwrap().requests.clone();
    assert_eq!(requests.iter().filter(|(head, _)| head.starts_with("POST /sse")).count(), 1);
    let last = &requests.last().unwrap().0;
    assert!(last.contains("mcp-protocol-version: 2025-06-18"), "this revision names itself on any line: {last}");
}

#[tokio::test]
async fn definitions_and_changes_are_read_on_that_stream() {
    let server = EventsServer::greeting("2024-11-05", |message| match message["method"].as_str() {
        Some("tools/list") => {
            let ping = json!({ "jsonrpc": "2.0", "id": "p", "method": "ping" });
            let tools = json!([{ "name": "find", "inputSchema": {} }]);
            let listed = json!({ "jsonrpc": "2.0", "id": message["id"], "result": { "tools": tools } });
            Deed::SaysFirst(vec![ping, listed])
        }
        _ => Deed::Says(Vec::new()),
    })
    .await;
    let read = discover(&server.route, CREDENTIAL).await.unwrap();
    assert_eq!(read.supported_versions, ["2024-11-05"]);
    assert_eq!(read.tools[0].name, "find");
    let answered =
        || server.notes.lock().unwrap().requests.iter().any(|(_, body)| body.contains(r#""id":"p","result""#));
    eventually(answered).await;

    let mut changes = listen(&server.route, CREDENTIAL).await.unwrap();
    server.says(&json!({ "jsonrpc": "2.0", "method": "notifications/prompts/list_changed" }));
    assert_eq!(changes.next().await.unwrap().unwrap(), Change::Prompts);
    drop(changes);
    eventually(|| server.notes.lock().unwrap().closed == 2).await;
}

#[tokio::test]
async fn answers_find_their_calls_in_any_order_and_no_others() {
    let server = EventsServer::greeting("2024-11-05", |_| Deed::Says(Vec::new())).await;
    let session = std::sync::Arc::new(open(&server).await);
    let ask = |id: Value| {
        let session = std::sync::Arc::clone(&session);
        tokio::spawn(async move { whole(&session, call(&id)).await })
    };
    let first = ask(json!("a"));
    eventually(|| server.heard("tools/call").len() == 1).await;
    let second = ask(json!("b"));
    eventually(|| server.heard("tools/call").len() == 2).await;
    let heard = server.heard("tools/call");
    server.says(&result(&json!(999), "nobody asked"));
    server.says(&result(&json!("a"), "the client's id means nothing here"));
    server.says(&result(&heard[1]["id"], "second"));
    server.says(&result(&heard[1]["id"], "and again"));
    server.says(&result(&heard[0]["id"], "first"));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!((&first["id"], &first["result"]["said"]), (&json!("a"), &json!("first")));
    assert_eq!((&second["id"], &second["result"]["said"]), (&json!("b"), &json!("second")));
}

#[tokio::test]
async fn progress_goes_to_its_call_and_what_names_none_to_the_only_one_or_to_whoever_listens() {
    let server = EventsServer::greeting("2024-11-05", |_| Deed::Says(Vec::new())).await;
    let session = open(&server).await;
    let mut aside = session.listen(credential()).await.unwrap().unwrap();
    assert!(session.listen(credential()).await.unwrap().is_none(), "it is there once");
    let question = |id: &str| json!({ "jsonrpc": "2.0", "id": id, "method": "roots/list" });
    server.says(&question("before"));
    assert_eq!(next(&mut aside).await["id"], "before");

    let sending = session.send(credential(), call(&json!("mine")), Deadlines::CALL);
    let speaking = async {
        eventually(|| server.heard("tools/call").len() == 1).await;
        let token = server.heard("tools/call")[0]["params"]["_meta"]["progressToken"].clone();
        let progress = |token: &Value| {
            let params = json!({ "progressToken": token, "progress": 1 });
            json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": params })
        };
        server.says(&progress(&json!("p")));
        server.says(&progress(&token));
        server.says(&question("during"));
        server.says(&json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" }));
        server.says(&result(&token, "done"));
    };
    let (sent, ()) = tokio::join!(sending, speaking);
    let Ok(Answer::Stream(mut stream)) = sent else { panic!("{sent:?}") };
    assert_eq!(next(&mut stream).await["params"]["progressToken"], "p");
    assert_eq!(next(&mut stream).await["id"], "during");
    assert_eq!(next(&mut stream).await["result"]["said"], "done");
    assert!(stream.next().await.is_none());
    assert_eq!(next(&mut aside).await["method"], "notifications/tools/list_changed");
}

#[tokio::test]
async fn a_call_is_taken_back_once_under_the_name_that_the_server_knows() {
    let server = EventsServer::greeting("2024-11-05", |_| Deed::Says(Vec::new())).await;
    let session = open(&server).await;
    let taking_back = |id: &str| {
        let params = json!({ "requestId": id });
        Bytes::from(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }).to_string())
    };
    for in_words in [true, false] {
        let before = server.heard("tools/call").len();
        {
            let mut sending = std::pin::pin!(session.send(credential(), call(&json!("mine")), Deadlines::CALL));
            let asked = eventually(|| server.heard("tools/call").len() == before + 1);
            tokio::select! {
                sent = &mut sending => panic!("{sent:?}"),
                () = asked => {}
            }
            session.tell(credential(), taking_back("another")).await.unwrap();
            if in_words {
                session.tell(credential(), taking_back("mine")).await.unwrap();
            }
        }
        eventually(|| server.heard("notifications/cancelled").len() == before + 1).await;
        session.tell(credential(), taking_back("mine")).await.unwrap();
        let (calls, cancels) = (server.heard("tools/call"), server.heard("notifications/cancelled"));
        assert_eq!(cancels.len(), before + 1, "{cancels:?}");
        assert_eq!(cancels[before]["params"]["requestId"], calls[before]["id"]);
    }
}

#[tokio::test]
async fn the_end_of_the_stream_leaves_every_open_call_unknown_and_the_session_over() {
    let server = EventsServer::greeting("2024-11-05", |_| Deed::Says(Vec::new())).await;
    let session = open(&server).await;
    let mut aside = session.listen(credential()).await.unwrap().unwrap();
    let sending = session.send(credential(), call(&json!(1)), Deadlines::CALL);
    let ending = async {
        eventually(|| server.heard("tools/call").len() == 1).await;
        server.ends();
    };
    let (sent, ()) = tokio::join!(sending, ending);
    assert!(matches!(sent, Err(SendError::Unknown { fault: Fault::LineEnded { .. } })), "{sent:?}");
    assert!(session.is_over());
    assert!(aside.next().await.unwrap().is_err());
    assert!(aside.next().await.is_none());
    let after = session.send(credential(), call(&json!(2)), Deadlines::CALL).await;
    assert!(matches!(after, Err(SendError::SessionOver)), "{after:?}");
    assert!(matches!(session.tell(credential(), call(&json!(2))).await, Err(SendError::SessionOver)));
    assert_eq!(server.heard("tools/call").len(), 1);
}

#[tokio::test]
async fn what_a_server_says_to_a_post_is_known_and_a_silent_one_is_not_waited_for() {
    // The handshake has the first number.
    let server = EventsServer::greeting("2024-11-05", |message| match message["id"].as_i64() {
        Some(2) => Deed::Status("500 Internal Server Error"),
        Some(4) => Deed::Status("404 Not Found"),
        _ => Deed::Says(Vec::new()),
    })
    .await;
    let session = open(&server).await;
    let failed = session.send(credential(), call(&json!(1)), Deadlines::CALL).await;
    assert!(matches!(failed, Err(SendError::Unknown { fault: Fault::Status { .. } })), "{failed:?}");
    let silent = session.send(credential(), call(&json!(1)), short(Purpose::Answer)).await;
    assert!(matches!(silent, Err(SendError::Unknown { fault: Fault::HeadTimedOut { .. } })), "{silent:?}");
    let gone = session.send(credential(), call(&json!(1)), Deadlines::CALL).await;
    assert!(matches!(gone, Err(SendError::Unknown { .. })), "{gone:?}");
    eventually(|| session.is_over()).await;
}

#[tokio::test]
async fn a_closed_session_lets_go_of_its_stream() {
    let server = EventsServer::greeting("2024-11-05", |_| Deed::Says(Vec::new())).await;
    let session = open(&server).await;
    session.close(credential()).await;
    assert!(session.is_over());
    eventually(|| server.notes.lock().unwrap().closed == 1).await;
    drop(open(&server).await);
    eventually(|| server.notes.lock().unwrap().closed == 2).await;
}

#[tokio::test]
async fn a_server_that_wants_to_be_posted_to_elsewhere_is_sent_nothing() {
    for elsewhere in ["http://169.254.169.254/latest", "//attacker.example/x", "https://127.0.0.1/messages", ""] {
        let server = EventsServer::at(elsewhere, |_| Deed::Says(Vec::new())).await;
        let error = Session::open(&server.route, &json!({}), CREDENTIAL).await.unwrap_err();
        let refused = matches!(error, AskError::Malformed { .. }) || elsewhere.is_empty();
        assert!(refused, "{elsewhere}: {error:?}");
        let requests = server.notes.lock().unwrap().requests.clone();
        assert!(requests.iter().all(|(head, _)| head.contains(" /sse ")), "{requests:?}");
    }
}

#[tokio::test]
async fn noise_ends_a_session_and_a_flood_that_nobody_hears_does_not() {
    let server = EventsServer::greeting("2024-11-05", |call| Deed::Says(vec![result(&call["id"], "done")])).await;
    let session = open(&server).await;
    for _ in 0..5_000 {
        server.says(&json!({ "jsonrpc": "2.0", "method": "notifications/resources/list_changed" }));
    }
    whole(&session, call(&json!(1))).await;
    let mut aside = session.listen(credential()).await.unwrap().unwrap();
    for _ in 0..16 {
        next(&mut aside).await;
    }
    let more = tokio::time::timeout(Duration::from_millis(200), aside.next()).await;
    assert!(more.is_err(), "sixteen were kept, and no more: {more:?}");
    for _ in 0..101 {
        server.pushes("data: not a message\n\n");
    }
    let end = tokio::time::timeout(Duration::from_secs(20), aside.next()).await.expect("the end in time").unwrap();
    assert!(format!("{:?}", end.unwrap_err()).contains("no messages"));
    assert!(session.is_over());
}

#[tokio::test]
async fn the_only_call_fails_at_once_when_what_comes_cannot_be_read() {
    let server = EventsServer::greeting("2024-11-05", |_| Deed::Says(vec![json!("not a message")])).await;
    let session = open(&server).await;
    let failed =
        tokio::time::timeout(Duration::from_secs(20), session.send(credential(), call(&json!(1)), Deadlines::CALL));
    let failed = failed.await.expect("long before a silent server is given up");
    assert!(matches!(failed, Err(SendError::Refused { fault: Fault::Event { .. } })), "{failed:?}");
    eventually(|| server.heard("notifications/cancelled").len() == 1).await;
    assert!(!session.is_over());
}

#[tokio::test]
async fn of_several_calls_none_fails_for_what_cannot_be_read() {
    let server = EventsServer::greeting("2024-11-05", |call| match call["id"].as_i64() {
        // The handshake was the first.
        Some(2) => Deed::Says(Vec::new()),
        _ => Deed::Says(vec![json!("not a message"), result(&call["id"], "done"), result(&json!(2), "done too")]),
    })
    .await;
    let session = open(&server).await;
    let first = session.send(credential(), call(&json!("a")), Deadlines::CALL);
    let second = async {
        eventually(|| server.heard("tools/call").len() == 1).await;
        whole(&session, call(&json!("b"))).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(second["result"]["said"], "done");
    let Ok(Answer::Whole { body, .. }) = first else { panic!("{first:?}") };
    assert_eq!(read(&body)["result"]["said"], "done too");
}

#[tokio::test]
async fn a_server_that_goes_on_for_nobody_is_not_listened_to_for_ever() {
    let server = EventsServer::greeting("2024-11-05", |_| Deed::Says(Vec::new())).await;
    let session = open(&server).await;
    for number in 0..10_100 {
        server.says(&result(&json!(1_000_000 + number), "nobody asked"));
    }
    eventually(|| session.is_over()).await;
    eventually(|| server.notes.lock().unwrap().closed == 1).await;
}

#[tokio::test]
async fn batches_on_the_stream_are_told_one_by_one_in_the_revision_that_has_them() {
    for (revision, batches) in [("2025-03-26", true), ("2025-06-18", false)] {
        let server = EventsServer::at("messages", move |message| match message["method"].as_str() {
            Some("initialize") => Deed::Says(vec![greeting(&message["id"], revision)]),
            Some("tools/call") => {
                let progress = json!({ "progressToken": message["id"], "progress": 1 });
                let progress = json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": progress });
                Deed::Says(vec![json!([progress, result(&message["id"], "done")])])
            }
            _ => Deed::Says(Vec::new()),
        })
        .await;
        let session = open(&server).await;
        let answer = session.send(credential(), call(&json!("mine")), short(Purpose::Answer)).await;
        match answer {
            Ok(Answer::Stream(mut stream)) if batches => {
                assert_eq!(next(&mut stream).await["params"]["progressToken"], "p");
                assert_eq!(next(&mut stream).await["id"], "mine");
            }
            Err(_) if !batches => {}
            other => panic!("{revision}: {other:?}"),
        }
    }
}
