//! `portcullis server probe`: what servers answer to what strangers ask.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::gate::files::{DESK_CREDENTIAL, server};
use crate::gate::{Gate, Setup};

/// A request, as a server read it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The message's method; nothing if there is no message.
    pub(crate) fn message(&self) -> String {
        let message: Value = serde_json::from_str(&self.body).unwrap_or_default();
        message["method"].as_str().unwrap_or_default().to_owned()
    }
}

/// What a server does with a request.
pub(crate) enum Play {
    /// Answers with this status, these headers and this body.
    Says(u16, &'static str, String),
    /// Begins to answer, and never ends.
    Endless,
    /// Answers with so many bytes.
    Flood(u64),
}

/// A server that does as it is told, and remembers what it was asked.
pub(crate) struct Scripted {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    sent: Arc<Mutex<u64>>,
    serving: JoinHandle<()>,
}

impl Scripted {
    pub(crate) async fn start(play: impl Fn(&Asked) -> Play + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, sent, play): (Arc<Mutex<Vec<Asked>>>, Arc<Mutex<u64>>, _) =
            (Arc::default(), Arc::default(), Arc::new(play));
        let (kept, counted) = (Arc::clone(&asked), Arc::clone(&sent));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, counted, play) = (Arc::clone(&kept), Arc::clone(&counted), Arc::clone(&play));
                tokio::spawn(async move { serve(stream, &kept, &counted, &*play).await });
            }
        });
        Self { address, asked, sent, serving }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Bytes that somebody took of floods.
    pub(crate) fn sent(&self) -> u64 {
        *self.sent.lock().unwrap()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    kept: &Mutex<Vec<Asked>>,
    sent: &Mutex<u64>,
    play: &(dyn Fn(&Asked) -> Play + Sync),
) {
    let mut bytes = Vec::new();
    let asked = loop {
        if let Some(asked) = read(&bytes) {
            break asked;
        }
        let mut buffer = [0; 16 * 1024];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    };
    kept.lock().unwrap().push(asked.clone());
    match play(&asked) {
        Play::Says(status, headers, body) => {
            let length = body.len();
            let head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n");
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
        Play::Endless => {
            let head = "HTTP/1.1 200 x\r\ncontent-type: text/event-stream\r\n\r\n";
            let _ = stream.write_all(head.as_bytes()).await;
            while stream.write_all(b": still here\n").await.is_ok() {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
        Play::Flood(length) => {
            let head = format!("HTTP/1.1 200 x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let piece = vec![b'x'; 64 * 1024];
            for _ in 0..length / 65_536 {
                if stream.write_all(&piece).await.is_err() {
                    return;
                }
                *sent.lock().unwrap() += 65_536;
            }
        }
    }
}

fn read(bytes: &[u8]) -> Option<Asked> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers: HashMap<_, _> = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    (body.len() >= length).then(|| Asked { method, path, headers, body: body.to_owned() })
}

/// A JSON answer.
pub(crate) fn says(status: u16, body: &Value) -> Play {
    Play::Says(status, "content-type: application/json\r\n", body.to_string())
}

/// A gate with a server `odd` at this url beside the desk, submitted.
pub(crate) async fn gate_before(url: &str, guarded: bool) -> Gate {
    let state = vec![("servers/odd.toml".to_owned(), server("odd", url, guarded))];
    let secrets = vec![("desk", DESK_CREDENTIAL.to_owned())];
    Gate::with(Setup { state, secrets, ..Setup::default() }).await
}

/// What a probe found, by its rules.
pub(crate) fn rules(view: &Value) -> BTreeSet<String> {
    let findings = view["probe"]["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
}

/// Whoever has any token is let in; sessions are counted; errors tell everything.
fn careless(numbers: &Mutex<u64>, asked: &Asked) -> Play {
    if asked.method != "POST" {
        let document = json!({ "resource": "https://somebody-else.example/mcp", "authorization_servers": [] });
        return if asked.path.contains("oauth-protected-resource") {
            says(200, &document)
        } else {
            says(405, &json!({}))
        };
    }
    let headers = "www-authenticate: Bearer realm=\"x\"\r\ncontent-type: application/json\r\n";
    if asked.header("authorization").is_empty() && asked.header("mcp-session-id").is_empty() {
        return Play::Says(401, headers, "{}".to_owned());
    }
    let error = |code: i64, message: &str| {
        says(400, &json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": message } }))
    };
    let Ok(message) = serde_json::from_str::<Value>(&asked.body) else {
        let token = asked.header("authorization");
        return error(-32700, &format!("SyntaxError\n    at parse (/srv/odd/node_modules/x/index.js:3:1) for {token}"));
    };
    let id = if message["id"].is_string() { json!(1) } else { message["id"].clone() };
    let answer = |result: Value| says(200, &json!({ "jsonrpc": "2.0", "id": id, "result": result }));
    match message["method"].as_str().unwrap() {
        "initialize" => {
            *numbers.lock().unwrap() += 1;
            let result = json!({ "protocolVersion": "2025-11-25", "serverInfo": { "name": "odd", "version": "1" },
                "capabilities": { "tools": {}, "prompts": {} } });
            let body = json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string();
            let session = format!("mcp-session-id: s-{}", numbers.lock().unwrap());
            let headers = format!("{session}\r\ncontent-type: application/json\r\nserver: odd/3.2.1\r\n");
            Play::Says(200, headers.leak(), body)
        }
        "tools/list" => answer(json!({ "tools": [] })),
        "resources/list" => answer(json!({ "resources": [{ "uri": "x:y", "name": "y" }] })),
        "prompts/get" => error(-32602, "sqlite3.OperationalError: unrecognized token"),
        _ => says(200, &json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32601, "message": "no" } })),
    }
}

#[tokio::test]
async fn what_a_careless_server_gives_away_is_told_with_what_was_sent() {
    let numbers = Mutex::new(0);
    let odd = Scripted::start(move |asked| careless(&numbers, asked)).await;
    let gate = gate_before(&odd.url(), true).await;
    let before = odd.asked().len();
    let shown = gate.must(&["server", "probe", "odd", "--i-may-probe", "--reason", "ours", "--json"]).await;
    let view: Value = serde_json::from_str(&shown).unwrap();
    let expected = [
        "declares-what-is-not",
        "has-what-it-does-not-declare",
        "metadata-names-another",
        "metadata-unnamed",
        "session-is-credential",
        "sessions-in-order",
        "takes-any-token",
        "takes-tokens-for-others",
        "takes-unsigned-tokens",
        "tells-credentials",
        "tells-paths",
        "tells-statements",
        "tells-traces",
        "without-tls",
    ];
    let found = rules(&view);
    for rule in expected {
        assert!(found.contains(rule), "{rule} is not among {found:?}");
    }
    assert!(!shown.contains(DESK_CREDENTIAL), "{shown}");
    let asked = odd.asked().split_off(before);
    assert_eq!(view["probe"]["requests"], asked.len());
    assert!(asked.len() <= 25, "{}", asked.len());
    for one in &asked {
        assert_ne!(one.message(), "tools/call", "nothing is called");
        let presents = one.header("authorization").contains(DESK_CREDENTIAL);
        assert!(!presents || !one.header("host").contains("invalid"), "to the server itself only: {one:?}");
        assert!(!presents || one.path == "/mcp", "{one:?}");
    }
    assert!(asked.iter().any(|one| one.header("host") == "portcullis-probe.invalid"));

    let page = gate.must(&["server", "show", "odd"]).await;
    for part in ["probed by", "takes a token that nobody gave out", "numbers its sessions one after the other"] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    let receipts = gate.until("/receipts?kind=changed&text=server.probe", |page| page["receipts"][0].is_object()).await;
    let event = &receipts["receipts"][0]["record"]["event"];
    let detail = event.to_string();
    assert!(detail.contains("\"i_may_probe\":true") && detail.contains("ours"), "{detail}");
    let approved = gate.cli(&["server", "approve", "odd", "--yes"]).await;
    assert!(!approved.out.contains(DESK_CREDENTIAL));
}

#[tokio::test]
async fn a_server_that_knows_its_manners_has_nothing_severe_against_it() {
    let gate = Gate::start().await;
    let shown = gate.must(&["server", "probe", "desk", "--i-may-probe", "--json"]).await;
    let view: Value = serde_json::from_str(&shown).unwrap();
    for finding in view["probe"]["findings"].as_array().unwrap() {
        let severity = finding["severity"].as_str().unwrap();
        assert!(!matches!(severity, "high" | "critical"), "{finding}");
    }
    assert!(view["probe"]["speaks"].is_string(), "{view}");
    let seen = gate.desk.forwarded();
    assert!(
        !seen.is_empty() && seen.iter().all(|seen| !String::from_utf8_lossy(&seen.body).contains("tools/call")),
        "nothing was called"
    );
    let said = gate.must(&["server", "probe", "desk", "--i-may-probe"]).await;
    assert!(said.contains("probed by") && said.contains("speaks"), "{said}");
    gate.apply().await;
    // Another address is another server: what was found out of the one is not passed off as the other's.
    let manifest = gate.directory().join("state/servers/desk.toml");
    let text = std::fs::read_to_string(&manifest).unwrap().replace("/mcp\"", "/elsewhere\"");
    std::fs::write(&manifest, text).unwrap();
    gate.apply().await;
    let dossier: Value = serde_json::from_str(&gate.must(&["server", "show", "desk", "--json"]).await).unwrap();
    assert_eq!(dossier["probe"]["outdated"], true);
}
