//! A server of HTTP+SSE on loopback: one stream per session, messages beside it.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::{Notes, lane, read_request};
use crate::Route;

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// What the server does with a message: the events that it says, or a status in place of taking it.
pub(crate) enum Deed {
    Says(Vec<Value>),
    Status(&'static str),
    /// Takes it after it has said these.
    SaysFirst(Vec<Value>),
}

/// The running server.
pub(crate) struct EventsServer {
    pub(crate) route: Route,
    pub(crate) notes: Notes,
    streams: Arc<Mutex<Vec<mpsc::UnboundedSender<Option<String>>>>>,
}

impl EventsServer {
    /// A server that greets in `revision`, and does with everything else what `deed` says.
    pub(crate) async fn greeting(
        revision: &'static str,
        deed: impl Fn(&Value) -> Deed + Send + Sync + 'static,
    ) -> Self {
        Self::at("/messages?session=1", move |message| match message["method"].as_str() {
            Some("initialize") => Deed::Says(vec![greeting(&message["id"], revision)]),
            Some("notifications/initialized") => Deed::Says(Vec::new()),
            Some(_) | None => deed(message),
        })
        .await
    }

    /// A server that wants to be posted to at `endpoint`.
    pub(crate) async fn at(endpoint: &str, deed: impl Fn(&Value) -> Deed + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/sse", listener.local_addr().unwrap());
        let notes = Notes::default();
        let streams: Arc<Mutex<Vec<_>>> = Arc::default();
        let (deed, seen, begun, endpoint) =
            (Arc::new(deed), Arc::clone(&notes), Arc::clone(&streams), endpoint.to_owned());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (deed, seen, begun) = (Arc::clone(&deed), Arc::clone(&seen), Arc::clone(&begun));
                tokio::spawn(converse(stream, endpoint.clone(), deed, seen, begun));
            }
        });
        let route = Route::new("crm".parse().unwrap(), url.parse().unwrap(), lane()).unwrap();
        Self { route, notes, streams }
    }

    /// Says something on every stream.
    pub(crate) fn says(&self, message: &Value) {
        self.pushes(&format!("data: {message}\n\n"));
    }

    /// Writes on every stream.
    pub(crate) fn pushes(&self, text: &str) {
        self.streams.lock().unwrap().iter().for_each(|stream| _ = stream.send(Some(text.to_owned())));
    }

    /// Ends every stream.
    pub(crate) fn ends(&self) {
        self.streams.lock().unwrap().drain(..).for_each(|stream| _ = stream.send(None));
    }

    /// The messages that were posted, of one method.
    pub(crate) fn heard(&self, method: &str) -> Vec<Value> {
        let requests = self.notes.lock().unwrap().requests.clone();
        let messages = requests.iter().filter_map(|(_, body)| serde_json::from_str::<Value>(body).ok());
        messages.filter(|message| message["method"] == method).collect()
    }
}

pub(crate) fn greeting(id: &Value, revision: &str) -> Value {
    let result = json!({
        "protocolVersion": revision,
        "capabilities": { "tools": { "listChanged": true } },
        "serverInfo": { "name": "crm", "version": "1" },
    });
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

async fn converse(
    mut stream: TcpStream,
    endpoint: String,
    deed: Arc<impl Fn(&Value) -> Deed>,
    seen: Notes,
    streams: Arc<Mutex<Vec<mpsc::UnboundedSender<Option<String>>>>>,
) {
    while let Some((head, body)) = read_request(&mut stream).await {
        let (is_get, is_post) = (head.starts_with("GET /sse"), head.starts_with("POST /messages"));
        seen.lock().unwrap().requests.push((head, body.clone()));
        if is_get {
            let (sender, mut said) = mpsc::unbounded_channel();
            let first = format!("{STREAM}: hello\n\nevent: endpoint\ndata: {endpoint}\n\n");
            if stream.write_all(first.as_bytes()).await.is_err() {
                return;
            }
            streams.lock().unwrap().push(sender);
            let mut byte = [0];
            loop {
                let text = tokio::select! {
                    text = said.recv() => text.flatten(),
                    _ = tokio::io::AsyncReadExt::read(&mut stream, &mut byte) => {
                        seen.lock().unwrap().closed += 1;
                        return;
                    }
                };
                let Some(text) = text else { return };
                if stream.write_all(text.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
        let status = if is_post {
            let message: Value = serde_json::from_str(&body).unwrap_or_default();
            let say = |messages: Vec<Value>| {
                for message in messages {
                    let text = format!("event: message\ndata: {message}\n\n");
                    streams.lock().unwrap().iter().for_each(|stream| _ = stream.send(Some(text.clone())));
                }
            };
            match deed(&message) {
                Deed::Says(messages) => {
                    say(messages);
                    "202 Accepted"
                }
                Deed::SaysFirst(messages) => {
                    say(messages);
                    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                    "202 Accepted"
                }
                Deed::Status(status) => status,
            }
        } else {
            "404 Not Found"
        };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: 8\r\n\r\nAccepted");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
