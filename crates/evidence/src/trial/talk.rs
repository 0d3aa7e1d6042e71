//! Speaking with a program as a client does: what it is, what it has. No tool is called.

use std::io;

use model::limits;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};

/// What it said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) speaks: Option<String>,
    pub(super) tools: Vec<String>,
}

const LEGACY: &str = "2025-11-25";
const MODERN: &str = "2026-07-28";

/// Asks all there is to ask; what was not answered is not told.
pub(super) async fn ask(stdin: impl AsyncWrite + Unpin, stdout: impl AsyncRead + Unpin) -> Said {
    let mut said = Said::default();
    let mut line = Line { stdin, stdout: BufReader::new(stdout.take(limits::TRIAL_SAID_BYTES_MAX)) };
    // When the line breaks, what was said before stands.
    let _ = asked(&mut line, &mut said).await;
    said
}

async fn asked<W: AsyncWrite + Unpin, R: AsyncRead + Unpin>(line: &mut Line<W, R>, said: &mut Said) -> io::Result<()> {
    let client = json!({ "name": "portcullis", "version": env!("CARGO_PKG_VERSION") });
    let params = json!({ "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": client });
    let meta = match line.ask(1, "initialize", &params).await? {
        Some(result) => {
            said.speaks = Some(text(&result, "protocolVersion").unwrap_or_else(|| LEGACY.to_owned()));
            line.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await?;
            json!({})
        }
        None => {
            let meta = json!({ "_meta": {
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": client,
            } });
            if line.ask(2, "server/discover", &meta).await?.is_some() {
                said.speaks = Some(MODERN.to_owned());
            }
            meta
        }
    };
    if let Some(result) = line.ask(3, "tools/list", &meta).await? {
        let tools = result.get("tools").and_then(Value::as_array).cloned().unwrap_or_default();
        let names = tools.iter().filter_map(|tool| text(tool, "name")).take(limits::TRIAL_LISTED_MAX);
        said.tools = names.map(|name| crate::finding::shown(&name)).collect();
    }
    for (id, method) in [(4, "prompts/list"), (5, "resources/list")] {
        line.ask(id, method, &meta).await?;
    }
    Ok(())
}

fn text(value: &Value, key: &str) -> Option<String> {
    Some(crate::finding::shown(value.get(key)?.as_str()?))
}

struct Line<W, R> {
    stdin: W,
    stdout: BufReader<tokio::io::Take<R>>,
}

impl<W: AsyncWrite + Unpin, R: AsyncRead + Unpin> Line<W, R> {
    async fn say(&mut self, message: &Value) -> io::Result<()> {
        self.stdin.write_all(format!("{message}\n").as_bytes()).await?;
        self.stdin.flush().await
    }

    /// Asks, and waits for the answer to that; none if it was an error.
    async fn ask(&mut self, id: u64, method: &str, params: &Value) -> io::Result<Option<Value>> {
        self.say(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await?;
        loop {
            let mut line = Vec::new();
            if self.stdout.read_until(b'\n', &mut line).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let Ok(mut message) = serde_json::from_slice::<Value>(&line) else { continue };
            // What it asks by itself has no answer here, and neither has what is for nobody.
            if message.get("id").and_then(Value::as_u64) != Some(id) || message.get("method").is_some() {
                continue;
            }
            return Ok(message.get_mut("result").map(Value::take));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_no_answer_is_passed_over() {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let (read, write) = tokio::io::split(ours);
        let server = async {
            let (read, mut write) = tokio::io::split(theirs);
            let mut lines = BufReader::new(read).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let message: Value = serde_json::from_str(&line).unwrap();
                assert_ne!(message["method"], "tools/call");
                let result = match message["method"].as_str().unwrap() {
                    "initialize" => json!({ "protocolVersion": "2025-06-18" }),
                    "tools/list" => json!({ "tools": [{ "name": "read" }, { "name": 7 }] }),
                    _ => continue,
                };
                let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
                let noise = "not json\n{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"roots/list\"}\n";
                write.write_all(format!("{noise}{answer}\n").as_bytes()).await.unwrap();
                if message["method"] == "tools/list" {
                    return;
                }
            }
        };
        let (said, ()) = tokio::join!(ask(write, read), server);
        assert_eq!(said, Said { speaks: Some("2025-06-18".to_owned()), tools: vec!["read".to_owned()] });
    }
}
