//! Small servers on loopback that do exactly what a test tells them.

pub(crate) mod events;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use egress::{Client, Lane, Reach, SystemResolver, Trust};
use http::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::{Deadlines, Purpose, Route};

/// What a server does after it has read a request.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Writes bytes.
    Write(Vec<u8>),
    /// Waits.
    Wait(u64),
    /// Waits until the client closes, and notes it.
    AwaitClose,
    /// Writes the same bytes until the client closes.
    Repeat(Vec<u8>),
    /// Closes the connection.
    Close,
}

pub(crate) fn write(text: &str) -> Step {
    Step::Write(text.as_bytes().to_vec())
}

/// What a server saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Each request's head and body.
    pub(crate) requests: Vec<(String, String)>,
    /// Connections that the client closed while the server waited for that.
    pub(crate) closed: usize,
}

pub(crate) type Notes = Arc<Mutex<Seen>>;

/// A server that answers each request with the steps that `answer` gives for its body.
pub(crate) async fn server(answer: impl Fn(&str) -> Vec<Step> + Send + Sync + 'static) -> (Route, Notes) {
    server_of_heads(move |_, body| answer(body)).await
}

/// A server that answers each request with the steps that `answer` gives for its head and body.
pub(crate) async fn server_of_heads(
    answer: impl Fn(&str, &str) -> Vec<Step> + Send + Sync + 'static,
) -> (Route, Notes) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let notes = Notes::default();
    let (answer, seen) = (Arc::new(answer), Arc::clone(&notes));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, Arc::clone(&answer), Arc::clone(&seen)));
        }
    });
    (Route::new("crm".parse().unwrap(), url.parse().unwrap(), lane()).unwrap(), notes)
}

/// A server that does the same after each request.
pub(crate) async fn scripted(steps: Vec<Step>) -> (Route, Notes) {
    server(move |_| steps.clone()).await
}

/// A route to a port of loopback where nobody listens.
pub(crate) async fn nobody() -> Route {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    Route::new("crm".parse().unwrap(), url.parse().unwrap(), lane()).unwrap()
}

pub(crate) fn json(body: &str) -> Step {
    let length = body.len();
    write(&format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"))
}

pub(crate) const EVENTS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// Deadlines short enough for a test.
pub(crate) fn short(purpose: Purpose) -> Deadlines {
    let short = Duration::from_millis(400);
    Deadlines { head: short, body: short, idle: short, purpose }
}

pub(crate) fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    headers
}

fn lane() -> Lane {
    let reach = Reach::new(vec!["127.0.0.0/8".parse().unwrap()]);
    Client::new(Arc::new(SystemResolver), Trust::Platform).lane("crm", &reach)
}

async fn converse(mut stream: TcpStream, answer: Arc<impl Fn(&str, &str) -> Vec<Step>>, seen: Notes) {
    while let Some((head, body)) = read_request(&mut stream).await {
        let steps = answer(&head, &body);
        seen.lock().unwrap().requests.push((head, body));
        for step in steps {
            match step {
                Step::Write(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Step::Wait(milliseconds) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
                Step::AwaitClose => {
                    let mut byte = [0];
                    if matches!(stream.read(&mut byte).await, Ok(0) | Err(_)) {
                        seen.lock().unwrap().closed += 1;
                        return;
                    }
                }
                Step::Repeat(bytes) => {
                    while stream.write_all(&bytes).await.is_ok() {}
                    seen.lock().unwrap().closed += 1;
                    return;
                }
                Step::Close => return,
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut seen = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse::<usize>().unwrap()) {
                return Some((head.to_owned(), body.to_owned()));
            }
        }
        let mut buffer = [0; 8192];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => seen.extend_from_slice(&buffer[..count]),
        }
    }
}
