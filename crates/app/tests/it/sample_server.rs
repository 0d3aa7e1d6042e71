//! The local servers that stories and attacks start: programs that speak on their standard input and output.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use drill::hostile::local::{Local, Mode};
use serde_json::{Value, json};

/// A running sample server. It is killed when this is dropped.
struct Server {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start(kind: &str, directory: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(["sample-server", kind])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    fn ask(&mut self, method: &str, mut params: Value) -> Value {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        writeln!(self.child.stdin.as_mut().unwrap(), "{request}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn the_notebook_is_a_program() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::start("notes", directory.path());
    let written = json!({ "name": "stock", "text": "Fjell tents are low." });
    server.ask("tools/call", json!({ "name": "append_note", "arguments": written }));
    let note = std::fs::read_to_string(directory.path().join("stock.md")).unwrap();
    assert_eq!(note, "Fjell tents are low.\n");
    // Its input ends, and so does it.
    drop(server.child.stdin.take());
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn the_hostile_server_is_a_program_that_can_refuse_to_end() {
    let directory = tempfile::tempdir().unwrap();
    let local = Local::new(directory.path());
    let mut server = Server::start("hostile", directory.path());
    let discovered = server.ask("server/discover", json!({}));
    assert_eq!(discovered["result"]["supportedVersions"], json!(["2026-07-28", "2025-11-25"]));
    assert_eq!(local.starts(), [server.child.id()]);
    local.misbehave(Mode::Stays).unwrap();
    let asked = Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    assert_eq!(server.ask("tools/call", json!({}))["result"]["content"][0]["text"], "All quiet.");
    local.misbehave(Mode::ExitsMidCall).unwrap();
    writeln!(server.child.stdin.as_mut().unwrap(), r#"{{"jsonrpc":"2.0","id":2,"method":"tools/call"}}"#).unwrap();
    assert!(!server.child.wait().unwrap().success());
}
