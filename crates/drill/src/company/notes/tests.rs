//! The notebook over its lines, as a client that started it would speak.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, DuplexStream, ReadHalf, WriteHalf};

use super::*;

/// A notebook that is being served, and the client's end of it.
struct Scene {
    directory: tempfile::TempDir,
    lines: tokio::io::Lines<BufReader<ReadHalf<DuplexStream>>>,
    input: WriteHalf<DuplexStream>,
    served: tokio::task::JoinHandle<io::Result<()>>,
    next_id: u64,
}

impl Scene {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("returns-desk.md"), "# Returns desk\nAsk for the receipt.\n").unwrap();
        std::fs::write(directory.path().join("README.txt"), "no note").unwrap();
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let (input, output) = tokio::io::split(theirs);
        let served = tokio::spawn(serve(directory.path().to_owned(), input, output));
        let (output, input) = tokio::io::split(ours);
        Self { directory, lines: BufReader::new(output).lines(), input, served, next_id: 0 }
    }

    async fn tell(&mut self, message: Value) {
        self.input.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    /// Asks as revision 2026-07-28 does, and returns the whole answer.
    async fn ask(&mut self, method: &str, mut params: Value) -> Value {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        self.ask_plainly(method, params).await
    }

    async fn ask_plainly(&mut self, method: &str, params: Value) -> Value {
        self.next_id += 1;
        self.tell(json!({ "jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params })).await;
        let answer: Value = serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap();
        assert_eq!(answer["id"], self.next_id);
        answer
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments })).await["result"].take()
    }
}

#[tokio::test]
async fn notes_are_listed_read_found_and_written_to() {
    let mut scene = Scene::start();
    let discovered = scene.ask("server/discover", json!({})).await;
    assert_eq!(discovered["result"]["supportedVersions"], json!(["2026-07-28", "2025-11-25"]));
    let listed = scene.call("list_notes", json!({})).await;
    let only = json!({ "notes": [{ "name": "returns-desk", "title": "# Returns desk" }] });
    assert_eq!(listed["structuredContent"], only);
    scene.call("append_note", json!({ "name": "stock", "text": "Fjell tents are low." })).await;
    scene.call("append_note", json!({ "name": "stock", "text": "Ordered 20." })).await;
    let read = scene.call("read_note", json!({ "name": "stock" })).await;
    assert_eq!(read["structuredContent"]["text"], "Fjell tents are low.\nOrdered 20.\n");
    let found = scene.call("search_notes", json!({ "query": "RECEIPT" })).await;
    let line = json!({ "name": "returns-desk", "line": 2, "text": "Ask for the receipt." });
    assert_eq!(found["structuredContent"]["found"], json!([line]));
    let resource = scene.ask("resources/read", json!({ "uri": "notes://team/stock" })).await;
    assert_eq!(resource["result"]["contents"][0]["text"], "Fjell tents are low.\nOrdered 20.\n");
}

#[tokio::test]
async fn a_name_leads_nowhere_else() {
    let mut scene = Scene::start();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.md"), "secret").unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.md"), scene.directory.path().join("link.md")).unwrap();
    for name in ["../secret", "link", "", "UPPER", "a/b", &"x".repeat(65)] {
        let read = scene.call("read_note", json!({ "name": name })).await;
        assert_eq!(read["isError"], true, "{name}");
    }
    let resource = scene.ask("resources/read", json!({ "uri": "notes://team/link" })).await;
    assert!(resource["error"]["code"].is_number());
    scene.call("append_note", json!({ "name": "link", "text": "more" })).await;
    assert_eq!(std::fs::read_to_string(outside.path().join("secret.md")).unwrap(), "secret");
}

#[tokio::test]
async fn a_note_has_an_end() {
    let mut scene = Scene::start();
    let long = "x".repeat(40 * 1024);
    assert_eq!(scene.call("append_note", json!({ "name": "long", "text": long })).await["isError"], false);
    assert_eq!(scene.call("append_note", json!({ "name": "long", "text": long })).await["isError"], true);
}

#[tokio::test]
async fn a_client_with_sessions_is_served_too_until_it_leaves() {
    let mut scene = Scene::start();
    let introduced = scene
        .ask_plainly(
            "initialize",
            json!({
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": { "name": "test", "version": "1" },
            }),
        )
        .await;
    assert_eq!(introduced["result"]["protocolVersion"], "2025-11-25");
    scene.tell(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
    let listed = scene.ask_plainly("tools/list", json!({})).await;
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 4);
    drop((scene.input, scene.lines));
    scene.served.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_is_no_directory_is_not_served() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = serve(file.path().to_owned(), tokio::io::empty(), tokio::io::sink()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
}
