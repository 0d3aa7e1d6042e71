//! The gate as the benchmark runs it: an installation of its own, with one server, one endpoint and one agent.
//!
//! [`Gate::install`] is the one place that knows the product's files and commands. The installation is the default one:
//! every control on, SQLite, the journal on disk. There are no switches to take controls out with, here or anywhere.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::payload;
use crate::process::Running;

/// What the policies of an installation look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policies {
    /// One permit that reads who calls what, and nothing of the arguments.
    ReadNoArguments,
    /// The same, and ten that forbid by what the arguments say. None of them applies to the calls of the benchmark, so
    /// that all ten are evaluated each time.
    ReadArguments,
}

/// A server beside the first.
pub struct Other {
    /// Its name, and its endpoint's.
    pub name: &'static str,
    /// Where it is.
    pub place: Place,
}

/// Where a server is.
pub enum Place {
    /// At this URL.
    Url(String),
    /// In a process: this program, with these arguments.
    Command(PathBuf, Vec<&'static str>),
}

impl Other {
    fn files(&self) -> [(String, String); 3] {
        let name = self.name;
        let known = format!("name = \"{name}\"\nowner = \"bench\"\npurpose = \"Another\"\n");
        let server = match &self.place {
            Place::Url(url) => format!("{known}url = \"{url}\"\nzone = \"local\"\n"),
            Place::Command(program, arguments) => {
                format!("{known}\n[command]\nprogram = \"{}\"\narguments = {arguments:?}\n", program.display())
            }
        };
        let permit = |id: &str, whose: &str| {
            format!(
                "@id(\"{id}-{name}\") permit ({whose}, action in Action::\"use\", resource in Server::\"{name}\");\n"
            )
        };
        let works =
            permit("agent", "principal == Agent::\"desk\"") + &permit("user", "principal in Group::\"support\"");
        [
            (format!("state/servers/{name}.toml"), server),
            (
                format!("state/endpoints/{name}.toml"),
                format!("name = \"{name}\"\nserver = \"{name}\"\npurpose = \"Another\"\n"),
            ),
            (format!("state/policies/{name}.cedar"), works),
        ]
    }
}

/// What the gate counts of itself.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    /// Open streams.
    pub streams: Option<u64>,
    /// Sessions of clients that keep one.
    pub sessions: Option<u64>,
    /// Sessions that the gate keeps for clients that keep none.
    pub bridge_sessions: Option<u64>,
}

/// Time the gate may take to be ready.
const PATIENCE: Duration = Duration::from_secs(20);
/// The agent's token for its user, on loopback and for this run only.
const TOKEN: &str = "bench-agent-token-of-one-run-0123456789abcdef";
/// The same for another user, who is another caller to the gate.
const TOKEN_OF_ANOTHER: &str = "bench-token-of-another-caller-0123456789abcd";

/// An installed gate: its files are in place and its server is approved.
pub struct Gate {
    program: PathBuf,
    directory: PathBuf,
    agents: SocketAddr,
    admin: SocketAddr,
}

impl Gate {
    /// Makes an installation in `directory`, which it empties first: settings, manifests and policies; then starts the
    /// gate once, applies the manifests and approves the server.
    pub fn install(program: &Path, directory: &Path, upstream: &str, policies: Policies) -> anyhow::Result<Self> {
        Self::install_with(program, directory, upstream, policies, &[])
    }

    /// The same with other servers beside the first, each with an endpoint of its name. Everybody may use them.
    pub fn install_with(
        program: &Path,
        directory: &Path,
        upstream: &str,
        policies: Policies,
        others: &[Other],
    ) -> anyhow::Result<Self> {
        if directory.exists() {
            fs::remove_dir_all(directory).context("remove an earlier installation")?;
        }
        let gate = Self {
            program: program.to_owned(),
            directory: directory.to_owned(),
            agents: free_address()?,
            admin: free_address()?,
        };
        for (path, text) in gate.files(upstream, policies) {
            let path = directory.join(path);
            write_private(&path, &text).with_context(|| format!("write `{}`", path.display()))?;
        }
        for (path, text) in others.iter().flat_map(Other::files) {
            let path = directory.join(path);
            write_private(&path, &text).with_context(|| format!("write `{}`", path.display()))?;
        }
        let running = gate.start()?;
        gate.command(&["apply", "-f", "state", "--yes"])?;
        gate.command(&["server", "approve", "shop", "--yes"])?;
        for Other { name, place } in others {
            if matches!(place, Place::Command(..)) {
                gate.command(&["server", "check", name])?;
            }
            gate.command(&["server", "approve", name, "--yes"])?;
        }
        drop(running);
        Ok(gate)
    }

    /// Starts it and waits until it is ready.
    pub fn start(&self) -> anyhow::Result<Running> {
        self.start_by(Command::new(&self.program))
    }

    /// The same by a command that runs its program.
    pub fn start_by(&self, mut command: Command) -> anyhow::Result<Running> {
        command.args(["serve", "--config", "portcullis.toml"]).current_dir(&self.directory).stderr(Stdio::null());
        Running::start_and_wait(&mut command, PATIENCE, || is_ready(self.admin))
    }

    /// Where agents connect.
    pub fn agents(&self) -> SocketAddr {
        self.agents
    }

    /// Reads what the gate counts of itself, each time that it is called; nothing where it is not told.
    pub fn counts(&self) -> impl Fn() -> Counts + Send + use<> {
        let (admin, token) = (self.admin, self.directory.join("data/admin.token"));
        move || {
            let token = fs::read_to_string(&token).unwrap_or_default();
            let text = fetched(admin, "/metrics", token.trim()).unwrap_or_default();
            let count = |name: &str| {
                text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
            };
            Counts {
                streams: count("portcullis_streams_open"),
                sessions: count("portcullis_client_sessions"),
                bridge_sessions: count("portcullis_bridge_sessions"),
            }
        }
    }

    /// The path of the endpoint.
    pub fn path(&self) -> &'static str {
        "/desk/mcp"
    }

    /// The agent's token.
    pub fn token(&self) -> &'static str {
        TOKEN
    }

    /// The agent's token for another user: another caller, who may do the same.
    pub fn token_of_another(&self) -> &'static str {
        TOKEN_OF_ANOTHER
    }

    /// Every file of the installation: its path and its text.
    fn files(&self, upstream: &str, policies: Policies) -> Vec<(&'static str, String)> {
        let Self { agents, admin, .. } = self;
        let settings = format!(
            "[agents]\nlisten = \"{agents}\"\n\n[admin]\nlisten = \"{admin}\"\n\n[data]\ndirectory = \"data\"\n\n\
             [[development.token]]\ntoken = \"file:token\"\nagent = \"desk\"\nkind = \"delegated\"\n\
             user = \"ada\"\ngroups = [\"support\"]\n\n\
             [[development.token]]\ntoken = \"file:token-of-another\"\nagent = \"desk\"\nkind = \"delegated\"\n\
             user = \"bob\"\ngroups = [\"support\"]\n"
        );
        let server = format!(
            "name = \"shop\"\nurl = \"http://{upstream}/mcp\"\nzone = \"local\"\nowner = \"bench\"\npurpose = \"Refunds\"\n"
        );
        let mut files = vec![
            ("portcullis.toml", settings),
            ("token", TOKEN.to_owned()),
            ("token-of-another", TOKEN_OF_ANOTHER.to_owned()),
            ("state/zones/local.toml", ZONE.to_owned()),
            ("state/servers/shop.toml", server),
            ("state/endpoints/desk.toml", ENDPOINT.to_owned()),
            ("state/policies/works.cedar", WORKS.to_owned()),
        ];
        if policies == Policies::ReadArguments {
            files.push(("state/policies/limits.cedar", limits()));
        }
        files
    }

    fn command(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = Command::new(&self.program)
            .args(arguments)
            .args(["--config", "portcullis.toml"])
            .current_dir(&self.directory)
            .output()
            .with_context(|| format!("run `portcullis {}`", arguments.join(" ")))?;
        if !output.status.success() {
            bail!("`portcullis {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }
}

const ZONE: &str = "name = \"local\"\naddresses = [\"127.0.0.1/32\"]\npurpose = \"This machine\"\n";
const ENDPOINT: &str = "name = \"desk\"\nserver = \"shop\"\npurpose = \"Refunds\"\n";

/// What the agent may do, and what the user may do; both must.
pub const WORKS: &str = "\
@id(\"agent-connects\") permit (principal == Agent::\"desk\", action == Action::\"connect\", resource);\n\
@id(\"agent-works\") permit (principal == Agent::\"desk\", action in Action::\"use\", resource in Server::\"shop\");\n\
@id(\"user-connects\") permit (principal in Group::\"support\", action == Action::\"connect\", resource);\n\
@id(\"user-works\") permit (principal in Group::\"support\", action in Action::\"use\", resource in Server::\"shop\");\n";

/// Ten policies that read the arguments and forbid none of the benchmark's calls.
pub fn limits() -> String {
    let tool = payload::TOOL;
    let limit = |number: u32| {
        let amount = 1_000_000 + number;
        format!(
            "@id(\"limit-{number}\") forbid (principal, action == Action::\"call\", resource == Tool::\"shop/{tool}\")\n\
             when {{ context.arguments.amount > {amount} || context.arguments.currency == \"X{number}\" }};\n"
        )
    };
    (1..=10).map(limit).collect()
}

/// Writes a file that only its owner can read, as the gate wants its tokens and its folder to be.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

/// An address on loopback that was free a moment ago.
fn free_address() -> anyhow::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).context("find a free port")
}

/// What a listener answers.
#[expect(clippy::disallowed_methods, reason = "the benchmark is no part of the product, and calls loopback only")]
pub(crate) fn fetched(admin: SocketAddr, path: &str, token: &str) -> std::io::Result<String> {
    use std::io::{Read, Write};
    let mut stream = TcpStream::connect_timeout(&admin, Duration::from_millis(200))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {admin}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(1024 * 1024).read_to_string(&mut answer)?;
    Ok(answer)
}

/// Whether the admin listener says that the gate is ready.
#[expect(clippy::disallowed_methods, reason = "the benchmark is no part of the product, and calls loopback only")]
fn is_ready(admin: SocketAddr) -> bool {
    use std::io::{Read, Write};
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&admin, Duration::from_millis(200))?;
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.take(512).read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}
