use super::*;

#[test]
fn a_glance_tells_where_an_answer_goes() {
    let glance = |text: &str| {
        let glance = Glance::at(text.as_bytes());
        (glance.is_answered, glance.begins)
    };
    assert_eq!(glance(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#), (true, false));
    assert_eq!(glance(r#"{"id":0,"method":"initialize"}"#), (true, true));
    assert_eq!(glance(r#"{"id":"a","method":"initi\u0061lize"}"#), (true, true));
    assert_eq!(glance(r#"[{"id":1,"method":"initialize"}]"#), (true, false));
    for status in [
        r#"{"method":"notifications/initialized"}"#,
        r#"{"method":"initialize"}"#,
        r#"{"id":1,"result":{}}"#,
        r#"{"id":null,"method":"ping"}"#,
        r#"{"id":1,"id":2,"method":"ping"}"#,
        r#"{"id":1,"method":7}"#,
        "nothing",
        "",
    ] {
        assert_eq!(glance(status), (false, false), "{status}");
    }
}

fn line() -> Line {
    Line::new(1, &"desk".parse().unwrap())
}

const SHORTLY: Duration = Duration::from_millis(20);

#[tokio::test]
async fn what_nobody_reads_is_bounded_in_messages_and_in_bytes() {
    let messages = line();
    let mut kept = Vec::new();
    for _ in 0..limits::LINE_MESSAGES_MAX {
        kept.push(messages.room(10, SHORTLY).await.unwrap());
    }
    assert!(messages.room(10, SHORTLY).await.is_none(), "one message too many");
    kept.pop();
    assert!(messages.room(10, SHORTLY).await.is_some(), "one was read");

    let bytes = line();
    let half = bytes.room(limits::LINE_BYTES_MAX / 2, SHORTLY).await.unwrap();
    assert!(bytes.room(limits::LINE_BYTES_MAX / 2 + 1, SHORTLY).await.is_none(), "one byte too many");
    assert!(bytes.room(limits::LINE_BYTES_MAX / 2, SHORTLY).await.is_some());
    drop(half);
    assert!(bytes.room(usize::MAX, SHORTLY).await.is_some(), "a giant has all the room, and no more");
}

#[test]
fn a_line_has_one_session() {
    let line = line();
    line.begins().unwrap();
    assert_eq!(line.begins().unwrap_err().reason, Reason::ParamsInvalid);
    *line.phase() = Phase::Fresh;
    line.begins().unwrap();
}

#[test]
fn a_message_is_posted_as_every_client_posts_it() {
    let request = http::Request::post("http://gate.example/desk/messages?session=x").header(SESSION_ID, "stolen");
    let (head, ()) =
        request.header(ACCEPT, "text/html").header("authorization", "Bearer t").body(()).unwrap().into_parts();
    let head = line().head(head).unwrap();
    assert_eq!(
        (head.uri.to_string().as_str(), &head.headers["authorization"]),
        ("/desk/mcp", &"Bearer t".parse().unwrap())
    );
    assert_eq!(head.headers[ACCEPT], "application/json, text/event-stream");
    assert!(!head.headers.contains_key(SESSION_ID));
}
