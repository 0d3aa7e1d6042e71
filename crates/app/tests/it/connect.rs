//! `portcullis connect`: a client that only starts programs, between it and the gate the real binary.

mod carries;
mod installs;
mod parts;
mod revisions;
mod scripted;
mod sessions;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::gate::Gate;
use crate::gate::files::{Caller, write_private};

const PATIENCE: Duration = Duration::from_secs(90);
/// How long nothing has to be heard to be believed that nothing comes.
const QUIET: Duration = Duration::from_millis(300);

/// A running `portcullis connect`. It is killed when dropped.
pub(crate) struct Local {
    child: Child,
    input: Option<ChildStdin>,
    lines: mpsc::UnboundedReceiver<String>,
    log: Arc<Mutex<String>>,
    logging: Option<thread::JoinHandle<()>>,
}

impl Local {
    /// Connected to the gate's desk as one of the callers.
    fn of(gate: &Gate, caller: Caller) -> Self {
        Self::to(&desk(gate), &gate.directory().join("tokens").join(caller.name))
    }

    fn to(url: &str, token_file: &Path) -> Self {
        let token_file = token_file.to_str().unwrap();
        Self::start(env!("CARGO_BIN_EXE_portcullis"), &["connect", url, "--token-file", token_file], None)
    }

    fn start(program: &str, arguments: &[&str], token: Option<&str>) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).env_remove("PORTCULLIS_TOKEN").env_remove("PORTCULLIS_TOKEN_FILE");
        if let Some(token) = token {
            command.env("PORTCULLIS_TOKEN", token);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        let mut errors = child.stderr.take().unwrap();
        let (sender, lines) = mpsc::unbounded_channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        let log = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&log);
        let logging = thread::spawn(move || {
            let mut bytes = [0; 1024];
            while let Ok(length @ 1..) = errors.read(&mut bytes) {
                written.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..length]));
            }
        });
        Self { child, input, lines, log, logging: Some(logging) }
    }

    fn write(&mut self, line: &str) {
        let input = self.input.as_mut().expect("it is open");
        input.write_all(line.as_bytes()).and_then(|()| input.write_all(b"\n")).unwrap();
        input.flush().unwrap();
    }

    fn say(&mut self, message: &Value) {
        self.write(&message.to_string());
    }

    /// The next message. Whatever stands on the output is one.
    async fn hear(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.recv()).await;
        let line = line.unwrap_or_else(|_| panic!("nothing was heard; the log: {}", self.log()));
        let line = line.unwrap_or_else(|| panic!("it ended; the log: {}", self.log()));
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"))
    }

    async fn hears_nothing(&mut self) {
        if let Ok(line) = tokio::time::timeout(QUIET, self.lines.recv()).await {
            panic!("it said {line:?}");
        }
    }

    async fn ask(&mut self, message: &Value) -> Value {
        self.say(message);
        self.hear().await
    }

    fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until it has logged something: its log and its output come by different ways.
    async fn logs(&self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.log().contains(words) {
            assert!(Instant::now() < deadline, "`{words}` is not in the log: {}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Closes its input, as a client does that no longer needs it.
    fn close(&mut self) {
        self.input = None;
    }

    async fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // Its log is complete once the reader has found the end of it.
                if let Some(logging) = self.logging.take() {
                    tokio::task::spawn_blocking(|| logging.join().unwrap()).await.unwrap();
                }
                return status;
            }
            assert!(Instant::now() < deadline, "it goes on; the log: {}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn desk(gate: &Gate) -> String {
    format!("http://{}/desk/mcp", gate.agents())
}

/// A token in a file of its own.
fn token_file(folder: &Path, token: &str) -> std::path::PathBuf {
    let file = folder.join("token");
    write_private(&file, token);
    file
}

/// A message of 2026-07-28.
fn modern(id: impl Into<Value>, method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "desktop", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let id: Value = id.into();
    let mut message = json!({ "jsonrpc": "2.0", "id": id, "method": method });
    message["params"] = params;
    message
}

fn call(id: impl Into<Value>, tool: &str, arguments: Value) -> Value {
    let mut params = json!({ "name": tool });
    params["arguments"] = arguments;
    modern(id, "tools/call", params)
}

fn cancel(id: impl Into<Value>) -> Value {
    let id: Value = id.into();
    json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } })
}

/// What a tool answered.
fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no result: {answer:#}"))
}

/// What an error says.
fn error(answer: &Value) -> &str {
    answer["error"]["message"].as_str().unwrap_or_else(|| panic!("no error: {answer:#}"))
}
