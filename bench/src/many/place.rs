//! The gate as this part of the benchmark runs it, and callers that speak plain HTTP/1.1 over sockets of their own, so that
//! thousands of them cost this process next to nothing.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde::Serialize;
use serde_json::{Value, json};

use super::shelves;
use crate::process::Running;

/// How many of what.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Scale {
    pub(super) servers: usize,
    pub(super) tools: usize,
    pub(super) catalogue: usize,
    pub(super) callers: usize,
    pub(super) sessions: usize,
    pub(super) streams: usize,
    pub(super) children: usize,
}

/// Servers behind one endpoint.
const PER_ENDPOINT: usize = model::limits::ENDPOINT_SERVERS_MAX;
/// Time the gate may take to be ready, and to answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// An installed gate.
pub(super) struct Place {
    program: PathBuf,
    directory: PathBuf,
    agents: SocketAddr,
    admin: SocketAddr,
    pub(super) scale: Scale,
}

/// A connection of a caller's.
pub(super) struct Line(BufReader<TcpStream>);

/// How a listing was read.
pub(super) struct Reading {
    pub(super) tools: usize,
    pub(super) first: Duration,
}

impl Place {
    /// Makes an installation in `directory`, which it empties first.
    pub(super) fn install(
        program: PathBuf,
        directory: PathBuf,
        shelves: &str,
        child: &Path,
        scale: Scale,
    ) -> anyhow::Result<Self> {
        fs::remove_dir_all(&directory).context("remove an earlier installation")?;
        let place = Self { program, directory, agents: free_address()?, admin: free_address()?, scale };
        for (path, text) in place.files(shelves, child) {
            let path = place.directory.join(path);
            write_private(&path, &text).with_context(|| format!("write `{}`", path.display()))?;
        }
        Ok(place)
    }

    pub(super) fn start(&self) -> anyhow::Result<Running> {
        let mut command = Command::new(&self.program);
        command.args(["serve", "--config", "portcullis.toml"]).current_dir(&self.directory).stderr(Stdio::null());
        Running::start_and_wait(&mut command, PATIENCE, || self.is_ready())
    }

    pub(super) fn agents(&self) -> SocketAddr {
        self.agents
    }

    pub(super) fn apply(&self) -> anyhow::Result<()> {
        self.command(&["apply", "-f", "state", "--yes"])?;
        // Local servers are looked at when somebody asks for it, and only then.
        let children: Vec<String> = (0..self.scale.children).map(child_name).collect();
        children.iter().try_for_each(|name| self.command(&["server", "check", name]))
    }

    /// Approves every server, one after another: each approval is of the state as it was seen.
    pub(super) fn approve(&self) -> anyhow::Result<()> {
        let mut names: Vec<String> = (0..self.scale.servers).map(server_name).collect();
        names.extend((0..self.scale.children).map(child_name));
        names.push("catalogue".to_owned());
        names.iter().try_for_each(|name| self.command(&["server", "approve", name, "--yes"]))
    }

    /// Every page of the large catalogue.
    pub(super) fn list(&self, line: &mut Line, caller: usize) -> anyhow::Result<Reading> {
        let (mut tools, mut first, mut cursor) = (0, None, None::<String>);
        let began = Instant::now();
        loop {
            let params = cursor.as_ref().map_or_else(|| json!({}), |cursor| json!({ "cursor": cursor }));
            let text = line.ask(&self.message("catalogue", caller, "tools/list", params, None), false)?;
            first.get_or_insert_with(|| began.elapsed());
            // Reading it as JSON would take longer than the gate took.
            tools += text.matches(r#""inputSchema""#).count();
            match text.rsplit_once(r#""nextCursor":""#).and_then(|(_, rest)| rest.split_once('"')) {
                Some((next, _)) => cursor = Some(next.to_owned()),
                None => return Ok(Reading { tools, first: first.unwrap_or_default() }),
            }
        }
    }

    /// Begins a session of 2025-11-25.
    pub(super) fn initialize(&self, line: &mut Line, caller: usize) -> anyhow::Result<()> {
        let params = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": { "name": "bench", "version": "1" },
        });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }).to_string();
        let text = line.ask(&self.post("catalogue", caller, &body, ""), false)?;
        ensure!(text.contains("protocolVersion"), "no session was begun: {text}");
        Ok(())
    }

    /// Opens a subscription to one of the endpoints, and waits for its first event.
    pub(super) fn subscribe(&self, number: usize) -> anyhow::Result<Line> {
        let endpoint = endpoint_name(number % self.endpoints());
        let params = json!({ "notifications": { "toolsListChanged": true } });
        let mut line = Line::to(self.agents)?;
        let message = self.message(&endpoint, number % self.scale.callers, "subscriptions/listen", params, None);
        let text = line.ask(&message, true)?;
        ensure!(text.contains("acknowledged"), "a stream was not opened: {text}");
        Ok(line)
    }

    /// Calls a tool of one of the servers.
    pub(super) fn call(&self, line: &mut Line, number: usize) -> anyhow::Result<()> {
        let server = number % self.scale.servers;
        let tool = format!("{}_{}", server_name(server), shelves::name(number % self.scale.tools));
        self.calls(line, &endpoint_name(server / PER_ENDPOINT), number, &tool)
    }

    /// Calls the tool of a local server, which starts it.
    pub(super) fn call_child(&self, line: &mut Line, number: usize) -> anyhow::Result<()> {
        self.calls(line, &child_name(number), number, &shelves::name(0))
    }

    fn calls(&self, line: &mut Line, endpoint: &str, caller: usize, tool: &str) -> anyhow::Result<()> {
        let params = json!({ "name": tool, "arguments": { "count": 1, "to": "there" } });
        let text =
            line.ask(&self.message(endpoint, caller % self.scale.callers, "tools/call", params, Some(tool)), false)?;
        ensure!(text.contains(r#""text":"done""#), "a call failed: {text}");
        Ok(())
    }

    /// A request of 2026-07-28.
    fn message(&self, endpoint: &str, caller: usize, method: &str, mut params: Value, name: Option<&str>) -> String {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "bench", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        if let Some(members) = params.as_object_mut() {
            members.insert("_meta".to_owned(), meta);
        }
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let mut headers = format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\n");
        if let Some(name) = name {
            let _infallible = write!(headers, "Mcp-Name: {name}\r\n");
        }
        self.post(endpoint, caller, &body, &headers)
    }

    fn post(&self, endpoint: &str, caller: usize, body: &str, headers: &str) -> String {
        format!(
            "POST /{endpoint}/mcp HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            self.agents,
            token(caller),
            body.len()
        )
    }

    fn endpoints(&self) -> usize {
        self.scale.servers.div_ceil(PER_ENDPOINT).max(1)
    }

    /// Every file of the installation: its path and its text.
    fn files(&self, shelves: &str, child: &Path) -> Vec<(String, String)> {
        let Self { agents, admin, scale, .. } = self;
        let mut settings = format!(
            "[agents]\nlisten = \"{agents}\"\n\n[admin]\nlisten = \"{admin}\"\n\n[data]\ndirectory = \"data\"\n"
        );
        let mut files = Vec::new();
        for caller in 0..scale.callers {
            let _infallible = write!(
                settings,
                "\n[[development.token]]\ntoken = \"file:tokens/{caller}\"\nagent = \"desk\"\nkind = \"delegated\"\n\
                 user = \"user-{caller}\"\ngroups = [\"support\"]\n"
            );
            files.push((format!("tokens/{caller}"), token(caller)));
        }
        files.push(("portcullis.toml".to_owned(), settings));
        files.push(("state/zones/local.toml".to_owned(), ZONE.to_owned()));
        files.push(("state/policies/works.cedar".to_owned(), WORKS.to_owned()));
        let remote = |name: &str, path: String| {
            let text = format!(
                "name = \"{name}\"\nurl = \"http://{shelves}/{path}/mcp\"\nzone = \"local\"\nowner = \"bench\"\n\
                 purpose = \"Shelves\"\n"
            );
            (format!("state/servers/{name}.toml"), text)
        };
        files.push(remote("catalogue", format!("catalogue/{}", scale.catalogue)));
        let endpoint = "name = \"catalogue\"\nserver = \"catalogue\"\npurpose = \"Everything\"\n";
        files.push(("state/endpoints/catalogue.toml".to_owned(), endpoint.to_owned()));
        for number in 0..scale.servers {
            files.push(remote(&server_name(number), format!("{number}/{}", scale.tools)));
        }
        for endpoint in 0..scale.servers.div_ceil(PER_ENDPOINT) {
            let name = endpoint_name(endpoint);
            let mut text = format!("name = \"{name}\"\npurpose = \"Some shelves\"\n");
            let servers = endpoint * PER_ENDPOINT..scale.servers.min((endpoint + 1) * PER_ENDPOINT);
            for server in servers {
                let _infallible = write!(text, "\n[[servers]]\nname = \"{}\"\n", server_name(server));
            }
            files.push((format!("state/endpoints/{name}.toml"), text));
        }
        for number in 0..scale.children {
            let name = child_name(number);
            let program = child.display();
            let text = format!(
                "name = \"{name}\"\nowner = \"bench\"\npurpose = \"A shelf\"\n\n[command]\nprogram = \"{program}\"\n\
                 arguments = [\"child\"]\n"
            );
            files.push((format!("state/servers/{name}.toml"), text));
            let text = format!("name = \"{name}\"\nserver = \"{name}\"\npurpose = \"A shelf\"\n");
            files.push((format!("state/endpoints/{name}.toml"), text));
        }
        files
    }

    fn command(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = Command::new(&self.program)
            .args(arguments)
            .args(["--config", "portcullis.toml"])
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("run `portcullis {}`", arguments.join(" ")))?;
        if !output.status.success() {
            bail!("`portcullis {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    fn is_ready(&self) -> bool {
        let ask = || -> anyhow::Result<bool> {
            let mut line = Line::to(self.admin)?;
            let text = line.ask(&format!("GET /readyz HTTP/1.1\r\nHost: {}\r\n\r\n", self.admin), false)?;
            Ok(!text.is_empty())
        };
        ask().unwrap_or(false)
    }
}

impl Line {
    #[expect(clippy::disallowed_methods, reason = "the benchmark is no part of the product, and calls loopback only")]
    pub(super) fn to(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE).context("connect to the gate")?;
        stream.set_read_timeout(Some(PATIENCE)).context("set a time limit")?;
        stream.set_nodelay(true).context("set TCP_NODELAY")?;
        Ok(Self(BufReader::with_capacity(16 * 1024, stream)))
    }

    /// Sends a request and reads its answer; of a stream, its first event.
    fn ask(&mut self, request: &str, is_stream: bool) -> anyhow::Result<String> {
        self.0.get_mut().write_all(request.as_bytes()).context("send a request")?;
        let (mut length, mut status) = (0, String::new());
        loop {
            let mut head = String::new();
            ensure!(self.0.read_line(&mut head).context("read an answer")? > 0, "the gate closed the connection");
            if status.is_empty() {
                status.clone_from(&head);
            }
            if let Some((name, value)) = head.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().context("read an answer's length")?;
            }
            if head == "\r\n" {
                break;
            }
        }
        if is_stream && status.contains(" 200 ") {
            let mut event = String::new();
            while !event.contains("data:") {
                ensure!(self.0.read_line(&mut event).context("read an event")? > 0, "the stream ended");
            }
            return Ok(event);
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).context("read an answer's body")?;
        let text = String::from_utf8(body).context("read an answer as text")?;
        ensure!(status.contains(" 200 "), "the gate answered {}: {text}", status.trim());
        Ok(text)
    }
}

const ZONE: &str = "name = \"local\"\naddresses = [\"127.0.0.1/32\"]\npurpose = \"This machine\"\n";
const WORKS: &str = "\
@id(\"agent-connects\") permit (principal == Agent::\"desk\", action == Action::\"connect\", resource);\n\
@id(\"agent-works\") permit (principal == Agent::\"desk\", action in Action::\"use\", resource);\n\
@id(\"user-connects\") permit (principal in Group::\"support\", action == Action::\"connect\", resource);\n\
@id(\"user-works\") permit (principal in Group::\"support\", action in Action::\"use\", resource);\n";

fn token(caller: usize) -> String {
    format!("bench-token-of-one-run-{caller:06}-0123456789abcdef")
}

fn server_name(number: usize) -> String {
    format!("shelf-{number:04}")
}

fn endpoint_name(number: usize) -> String {
    format!("hall-{number:03}")
}

fn child_name(number: usize) -> String {
    format!("child-{number:03}")
}

/// Writes a file that only its owner can read, as the gate wants its tokens and its folder to be.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

/// An address on loopback that was free a moment ago.
fn free_address() -> anyhow::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).context("find a free port")
}
