use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;
use model::limits;

use super::{Answer, Deadlines, Purpose, send};
use crate::testing::{EVENTS, Step, headers, json, nobody, scripted, short, write};
use crate::{Fault, Route, SendError, Stream, Unsent};

const CALL: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#;

async fn call(route: &Route) -> Result<Answer, SendError> {
    send(route, headers(), Bytes::from_static(CALL), short(Purpose::Answer)).await
}

async fn answer(steps: Vec<Step>) -> Result<Answer, SendError> {
    let (route, notes) = scripted(steps).await;
    let answer = call(&route).await;
    assert_eq!(notes.lock().unwrap().requests.len(), 1, "a call is made once");
    answer
}

async fn unknown(steps: Vec<Step>) -> Fault {
    match answer(steps).await {
        Err(SendError::Unknown { fault }) => fault,
        other => panic!("{other:?}"),
    }
}

async fn refused(steps: Vec<Step>) -> Fault {
    match answer(steps).await {
        Err(SendError::Refused { fault }) => fault,
        other => panic!("{other:?}"),
    }
}

async fn stream(steps: Vec<Step>) -> Stream {
    match answer(steps).await {
        Ok(Answer::Stream(stream)) => stream,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_whole_answer_comes_as_it_was_sent() {
    let body = r#"{"jsonrpc":"2.0", "id":1,"result":{"b":1,"a":2}}"#;
    let Ok(Answer::Whole { status, body: read }) = answer(vec![json(body)]).await else { panic!() };
    assert_eq!((status, &read[..]), (StatusCode::OK, body.as_bytes()));
}

#[tokio::test]
async fn an_answer_in_many_pieces_is_put_together() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: Application/JSON; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut steps = vec![write(head)];
    for _ in 0..5 {
        steps.extend([write("5\r\nabcde\r\n"), Step::Wait(5)]);
    }
    steps.push(write("0\r\n\r\n"));
    let Ok(Answer::Whole { body, .. }) = answer(steps).await else { panic!() };
    assert_eq!(body, "abcde".repeat(5));
}

#[tokio::test]
async fn a_large_answer_within_the_limit_is_whole() {
    let body = "x".repeat(3 * 1024 * 1024);
    let (route, _) = scripted(vec![json(&body)]).await;
    let Ok(Answer::Whole { body: read, .. }) = send(&route, headers(), Bytes::new(), Deadlines::CALL).await else {
        panic!()
    };
    assert!(read == body);
}

#[tokio::test]
async fn what_the_gate_was_given_is_what_the_server_gets() {
    let (route, notes) = scripted(vec![json("{}")]).await;
    let mut given = headers();
    given.insert("authorization", "Bearer of-the-server".parse().unwrap());
    send(&route, given, Bytes::from_static(CALL), short(Purpose::Answer)).await.unwrap();
    let (head, body) = notes.lock().unwrap().requests[0].clone();
    assert!(head.starts_with("POST /mcp HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: Bearer of-the-server"), "{head}");
    assert_eq!(head.matches("host: 127.0.0.1").count(), 1, "{head}");
    assert_eq!(body.as_bytes(), CALL);
}

#[tokio::test]
async fn a_notification_is_accepted_without_a_body() {
    let accepted = answer(vec![write("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")]).await;
    assert!(matches!(accepted, Ok(Answer::Accepted)));
}

#[tokio::test]
async fn an_error_status_with_json_is_the_servers_own_account() {
    let head = "HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    let Ok(Answer::Whole { status, .. }) = answer(vec![write(head)]).await else { panic!() };
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_dead_server_was_sent_nothing() {
    let cause = match call(&nobody().await).await {
        Err(SendError::NotSent { cause }) => cause,
        other => panic!("{other:?}"),
    };
    assert!(matches!(cause, Unsent::Egress(egress::NotSent::Connect { .. })), "{cause:?}");
}

#[tokio::test]
async fn a_server_that_hangs_up_or_says_nothing_leaves_the_outcome_unknown() {
    assert!(matches!(unknown(vec![Step::Close]).await, Fault::Connection { .. }));
    assert!(matches!(unknown(vec![write("HTTP/1.1 200"), Step::Close]).await, Fault::Connection { .. }));
    assert!(matches!(unknown(vec![write("SSH-2.0-OpenSSH_9\r\n\r\n")]).await, Fault::Connection { .. }));
    let begun = Instant::now();
    assert!(matches!(unknown(vec![Step::AwaitClose]).await, Fault::HeadTimedOut { .. }));
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_server_that_lies_about_the_length_leaves_the_outcome_unknown() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"a\":";
    let fault = unknown(vec![write(head), Step::Close]).await;
    assert!(matches!(fault, Fault::LengthBroken { declared: 100, received: 5 }), "{fault:?}");
    let fault = unknown(vec![write(head), Step::AwaitClose]).await;
    assert!(matches!(fault, Fault::BodyTimedOut { .. }), "{fault:?}");
}

#[tokio::test]
async fn an_answer_without_its_end_leaves_the_outcome_unknown() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let fault = unknown(vec![write(head), write("5\r\nabcde\r\n"), Step::Close]).await;
    assert!(matches!(fault, Fault::EndedEarly { received: 5 }), "{fault:?}");
    let fault = unknown(vec![write(head), write("5\r\nabcde\r\nzz\r\n"), Step::AwaitClose]).await;
    assert!(matches!(fault, Fault::Broken { .. }), "{fault:?}");
}

#[tokio::test]
async fn an_endless_answer_is_cut_at_the_limit() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let (route, notes) = scripted(vec![write(head), Step::Repeat(chunk.into_bytes())]).await;
    let answer = send(&route, headers(), Bytes::new(), Deadlines::CALL).await;
    assert!(matches!(answer, Err(SendError::Refused { fault: Fault::TooLarge })), "{answer:?}");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(notes.lock().unwrap().closed, 1, "the connection is closed at once");
}

#[tokio::test]
async fn a_declared_length_beyond_the_limit_is_refused_unread() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4194305\r\n\r\n";
    assert!(matches!(refused(vec![write(head), Step::AwaitClose]).await, Fault::TooLarge));
}

#[tokio::test]
async fn redirects_are_refused_and_never_followed() {
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let head = format!("HTTP/1.1 {status}\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n");
        assert!(matches!(unknown(vec![write(&head)]).await, Fault::Redirect { .. }), "{status}");
    }
}

#[tokio::test]
async fn compressed_answers_are_refused() {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n\x1f?";
    let fault = refused(vec![write(head)]).await;
    assert!(matches!(&fault, Fault::ContentEncoding { found } if found == "gzip"), "{fault:?}");
}

#[tokio::test]
async fn answers_of_another_kind_are_refused() {
    for kind in ["content-type: text/html\r\n", "", "content-type: application/json\r\ncontent-type: text/html\r\n"] {
        let head = format!("HTTP/1.1 200 OK\r\n{kind}content-length: 2\r\n\r\nhi");
        assert!(matches!(refused(vec![write(&head)]).await, Fault::ContentType { .. }), "{kind}");
    }
    let fault =
        unknown(vec![write("HTTP/1.1 503 Busy\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi")]).await;
    assert!(matches!(fault, Fault::Status { status: StatusCode::SERVICE_UNAVAILABLE }), "{fault:?}");
}

#[tokio::test]
async fn a_stream_yields_its_messages_one_by_one() {
    let events = "event: message\ndata: {\"a\":1}\n\n: warm\n\ndata: {\"b\":\ndata: 2}\n\n";
    let mut stream = stream(vec![write(EVENTS), write(events), Step::Close]).await;
    assert_eq!(stream.next().await.unwrap().unwrap(), "{\"a\":1}");
    assert_eq!(stream.next().await.unwrap().unwrap(), "{\"b\":\n2}");
    assert!(stream.next().await.is_none());
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_message_is_handed_over_before_the_next_one_exists() {
    let mut stream = stream(vec![write(EVENTS), write("data: 1\n\ndata: tw"), Step::AwaitClose]).await;
    assert_eq!(stream.next().await.unwrap().unwrap(), "1");
}

#[tokio::test]
async fn a_stream_cut_in_the_middle_of_an_event_is_unknown() {
    let mut stream = stream(vec![write(EVENTS), write("data: 1\n\ndata: {\"half"), Step::Close]).await;
    assert_eq!(stream.next().await.unwrap().unwrap(), "1");
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(matches!(error, SendError::Unknown { fault: Fault::CutMidEvent }), "{error:?}");
    assert!(stream.next().await.is_none(), "after an error there is nothing");
}

#[tokio::test]
async fn a_stream_whose_connection_breaks_is_unknown() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut stream = stream(vec![write(head), write("9\r\ndata: 1\n\n\r\n"), Step::Close]).await;
    assert_eq!(stream.next().await.unwrap().unwrap(), "1");
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(matches!(error, SendError::Unknown { fault: Fault::EndedEarly { .. } }), "{error:?}");
}

#[tokio::test]
async fn an_endless_event_is_cut_at_the_limit() {
    let steps = vec![write(EVENTS), write("data: "), Step::Repeat(vec![b'x'; 65536])];
    let (route, notes) = scripted(steps).await;
    let Ok(Answer::Stream(mut stream)) = send(&route, headers(), Bytes::new(), Deadlines::CALL).await else { panic!() };
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(matches!(error, SendError::Refused { fault: Fault::Event { .. } }), "{error:?}");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(notes.lock().unwrap().closed, 1, "the connection is closed at once, though the stream is still held");
}

#[tokio::test]
async fn endless_events_are_cut_at_the_limit() {
    let (route, _) = scripted(vec![write(EVENTS), Step::Repeat(b"data: 1\n\n".to_vec())]).await;
    let Ok(Answer::Stream(mut stream)) = send(&route, headers(), Bytes::new(), Deadlines::CALL).await else { panic!() };
    let mut messages = 0;
    let error = loop {
        match stream.next().await.unwrap() {
            Ok(_) => messages += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, SendError::Refused { fault: Fault::TooManyMessages }), "{error:?}");
    assert_eq!(messages, limits::STREAM_MESSAGES_MAX);
}

#[tokio::test]
async fn comments_keep_a_subscription_alive_and_not_a_call() {
    let mut steps = vec![write(EVENTS)];
    for _ in 0..5 {
        steps.extend([Step::Wait(150), write(": warm\n\n")]);
    }
    steps.extend([write("data: 1\n\n"), Step::Close]);

    let (route, _) = scripted(steps.clone()).await;
    let answer = send(&route, headers(), Bytes::new(), short(Purpose::Subscription)).await;
    let Ok(Answer::Stream(mut subscription)) = answer else { panic!() };
    assert_eq!(subscription.next().await.unwrap().unwrap(), "1");

    let error = stream(steps).await.next().await.unwrap().unwrap_err();
    assert!(matches!(error, SendError::Unknown { fault: Fault::Idle { .. } }), "{error:?}");
}

#[tokio::test]
async fn waiting_in_pieces_is_still_idle() {
    // Whoever reads the stream does other things in between, such as sending comments to its own client.
    let mut steps = vec![write(EVENTS)];
    steps.extend((0..20).flat_map(|_| [Step::Wait(100), write(": warm\n\n")]));
    let mut stream = stream(steps).await;
    for _ in 0..50 {
        match tokio::time::timeout(Duration::from_millis(40), stream.next()).await {
            Err(_) => {}
            Ok(ended) => {
                let error = ended.unwrap().unwrap_err();
                assert!(matches!(error, SendError::Unknown { fault: Fault::Idle { .. } }), "{error:?}");
                return;
            }
        }
    }
    panic!("the stream never counted as idle");
}

#[tokio::test]
async fn a_subscription_may_have_any_number_of_messages() {
    let events = "data: 1\n\n".repeat(limits::STREAM_MESSAGES_MAX + 1);
    let (route, _) = scripted(vec![write(EVENTS), write(&events), Step::Close]).await;
    let answer = send(&route, headers(), Bytes::new(), short(Purpose::Subscription)).await;
    let Ok(Answer::Stream(mut stream)) = answer else { panic!() };
    let mut messages = 0;
    while let Some(message) = stream.next().await {
        message.unwrap();
        messages += 1;
    }
    assert_eq!(messages, limits::STREAM_MESSAGES_MAX + 1);
}

#[tokio::test]
async fn events_of_another_type_are_not_messages() {
    let events = "event: ping\ndata: warm\n\nevent: message\ndata: 1\n\n";
    let mut stream = stream(vec![write(EVENTS), write(events), Step::Close]).await;
    assert_eq!(stream.next().await.unwrap().unwrap(), "1");
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn dropping_a_stream_closes_its_connection() {
    let (route, notes) = scripted(vec![write(EVENTS), write("data: 1\n\n"), Step::AwaitClose]).await;
    let Ok(Answer::Stream(mut stream)) = call(&route).await else { panic!() };
    assert_eq!(stream.next().await.unwrap().unwrap(), "1");
    assert_eq!((notes.lock().unwrap().closed, route.flow().open), (0, 1));
    drop(stream);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!((notes.lock().unwrap().closed, route.flow().open), (1, 0));
}

#[test]
fn a_server_has_what_is_left_of_the_callers_patience_and_no_more() {
    let patience = Duration::from_millis(limits::PATIENCE_MILLISECONDS_MAX);
    let call = Deadlines::CALL;
    assert_eq!(call.after(Duration::ZERO).unwrap().head, call.head);
    let late = call.after(patience.checked_sub(Duration::from_secs(1)).unwrap()).unwrap();
    assert_eq!((late.head, late.body, late.idle), (Duration::from_secs(1), call.body, call.idle));
    assert!(matches!(call.after(patience), Err(Unsent::Late { .. })));
}
