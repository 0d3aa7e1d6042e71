//! A gate in one line: the real binary, its files in a directory of its own, a server behind it, callers before it.

pub(crate) mod files;
pub(crate) mod sweep;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use drill::mcp::{Client, Reply};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tempfile::TempDir;
use testkit::Process;

use crate::puppet::{Guard, Puppet};
use files::{CALLERS, Caller, DESK_CREDENTIAL, ROLES, caller_token, person_token};
use sweep::Sweep;

/// How long anything of the gate may take; much longer than it does, because the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often something awaited is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// What is different from an ordinary gate.
#[derive(Default)]
pub(crate) struct Setup {
    /// More settings.
    pub(crate) settings: String,
    /// More settings of the agents' listener.
    pub(crate) listener: String,
    /// More settings of the admin listener.
    pub(crate) admin: String,
    /// Files in `secrets`, by their names there.
    pub(crate) secrets: Vec<(&'static str, String)>,
    /// More files to apply, by their path in the folder.
    pub(crate) state: Vec<(String, String)>,
    /// Whether the desk is given a credential.
    pub(crate) guarded: bool,
    /// What stands before the desk, and the `[credential]` that the gate has for it.
    pub(crate) guard: Option<(Guard, String)>,
    /// What is put before the command in a shell: `exec` follows.
    pub(crate) shell: Option<&'static str>,
}

/// A gate that runs, with the desk behind it, approved. Everything ends when it is dropped.
pub(crate) struct Gate {
    pub(crate) desk: Puppet,
    directory: TempDir,
    shell: Option<&'static str>,
    process: Mutex<Option<Process>>,
    said: Mutex<String>,
    addresses: Mutex<Addresses>,
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    /// What must be left nowhere when it goes.
    pub(crate) sweep: Sweep,
}

#[derive(Clone, Copy)]
struct Addresses {
    agents: SocketAddr,
    admin: SocketAddr,
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) ok: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// An answer of either listener.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Gate {
    /// An ordinary gate.
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// A gate with something different.
    pub(crate) async fn with(setup: Setup) -> Self {
        let gate = Self::unapproved(setup).await;
        gate.must(&["server", "approve", "desk", "--yes"]).await;
        gate
    }

    /// A gate whose servers are submitted, and nothing is approved.
    pub(crate) async fn unapproved(setup: Setup) -> Self {
        let desk = match &setup.guard {
            None => Puppet::start().await,
            Some((guard, _)) => Puppet::guarded(Arc::clone(guard)).await,
        };
        let directory = tempfile::Builder::new().prefix("portcullis-it-").tempdir().unwrap();
        files::write_all(directory.path(), &setup, &desk.url());
        let (process, addresses) = launch(directory.path(), setup.shell).await;
        let gate = Self {
            desk,
            directory,
            shell: setup.shell,
            process: Mutex::new(Some(process)),
            said: Mutex::default(),
            addresses: Mutex::new(addresses),
            http: connections(),
            sweep: Sweep::default(),
        };
        gate.apply().await;
        gate
    }

    /// Its directory, with `portcullis.toml`, `tokens`, `secrets`, `state` and `data`.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn agents(&self) -> SocketAddr {
        self.addresses.lock().unwrap().agents
    }

    pub(crate) fn admin(&self) -> SocketAddr {
        self.addresses.lock().unwrap().admin
    }

    /// A client that calls the desk as one of the callers.
    pub(crate) fn client(&self, caller: Caller) -> Client {
        self.client_at("desk", caller)
    }

    /// A client of another endpoint.
    pub(crate) fn client_at(&self, endpoint: &str, caller: Caller) -> Client {
        let url = format!("http://{}/{endpoint}/mcp", self.agents());
        Client::new(&url, Some(&caller_token(caller.name))).unwrap().with_patience(PATIENCE)
    }

    /// Applies the files of the state.
    pub(crate) async fn apply(&self) {
        let folder = self.directory().join("state");
        self.must(&["apply", "-f", folder.to_str().unwrap(), "--yes"]).await;
    }

    /// Runs a command of the CLI that has to succeed, and returns what it said.
    pub(crate) async fn must(&self, arguments: &[&str]) -> String {
        let said = self.cli(arguments).await;
        assert!(said.ok, "`portcullis {}` failed:\n{}{}", arguments.join(" "), said.out, said.err);
        said.out
    }

    /// Runs a command of the CLI as the owner of the bootstrap token, or as the admin where there is none; approvals as
    /// somebody else, because that one submits.
    pub(crate) async fn cli(&self, arguments: &[&str]) -> Said {
        let bootstrap = "data/admin.token";
        let token_file = match arguments {
            ["server", "approve", ..] => "tokens/approver",
            _ if self.directory().join(bootstrap).exists() => bootstrap,
            _ => "tokens/admin",
        };
        self.cli_with(token_file, arguments).await
    }

    /// Runs a command of the CLI with the token in a file of the gate's directory.
    pub(crate) async fn cli_with(&self, token_file: &str, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.args(arguments).arg("--admin").arg(format!("http://{}", self.admin()));
        command.arg("--token-file").arg(self.directory().join(token_file)).stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let said = Said { ok: output.status.success(), out: text(output.stdout), err: text(output.stderr) };
        self.sweep.said(arguments, &said);
        said
    }

    /// Asks either listener, with exactly these headers.
    pub(crate) async fn send(
        &self,
        address: SocketAddr,
        method: &str,
        path: &str,
        headers: HeaderMap,
        body: impl Into<Bytes>,
    ) -> Heard {
        let uri = format!("http://{address}{path}");
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = Request::builder().method(method).uri(uri).body(Full::new(body.into())).unwrap();
        let is_ours = [self.agents(), self.admin()].contains(&address);
        if is_ours {
            self.sweep.sent(&headers);
        }
        *request.headers_mut() = headers;
        let response = tokio::time::timeout(PATIENCE, self.http.request(request)).await.unwrap().unwrap();
        let (head, body) = response.into_parts();
        let heard =
            Heard { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() };
        if is_ours {
            self.sweep.heard(path, &heard);
        }
        heard
    }

    /// Sends these bytes to either listener, and reads until it closes the connection: ask for that.
    pub(crate) async fn raw(&self, address: SocketAddr, request: &str) -> Heard {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        #[expect(clippy::disallowed_methods, reason = "a client would not send what this sends")]
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer with a head");
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": ")).map(|(one, said)| (name(one), value(said)));
        Heard { status, headers: headers.collect(), body: body.to_owned().into() }
    }

    /// Reads from the admin API as its admin.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let heard = self.asked(path).await;
        assert_eq!(heard.status, 200, "{path}: {}", heard.text());
        heard.json()
    }

    async fn asked(&self, path: &str) -> Heard {
        self.send(self.admin(), "GET", &format!("/api/v1{path}"), bearer(&person_token("admin")), "").await
    }

    /// A receipt, once it is in the journal.
    pub(crate) async fn receipt(&self, id: &str) -> Value {
        let path = format!("/receipts/{id}");
        self.until(&path, |_| true).await
    }

    /// How an intent ended, once that is in the journal.
    pub(crate) async fn outcome(&self, id: &str) -> Value {
        let path = format!("/receipts/{id}");
        let receipt = self.until(&path, |receipt| receipt.get("outcome").is_some()).await;
        receipt["outcome"]["record"]["event"].clone()
    }

    /// Waits until something of the admin API is as wanted.
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let heard = self.asked(path).await;
            if heard.status == 200 && wanted(&heard.json()) {
                return heard.json();
            }
            assert!(Instant::now() < deadline, "{path} is still not as wanted: {}", heard.text());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until arrivals of strangers were counted for this reason.
    pub(crate) async fn counted(&self, reason: &str) {
        let counts = |page: &Value| {
            let receipts = page["receipts"].as_array().cloned().unwrap_or_default();
            receipts.iter().any(|one| one["record"]["event"]["reason"] == reason)
        };
        self.until("/receipts?kind=strangers", counts).await;
    }

    /// How many receipts of refusals there are.
    pub(crate) async fn refusals(&self) -> usize {
        self.read("/receipts?kind=refused").await["receipts"].as_array().map_or(0, Vec::len)
    }

    /// Waits until the gate has seen that the desk is not what was approved, and goes by it.
    pub(crate) async fn drift_seen(&self) -> Value {
        self.drift_until(|changes| !changes.is_empty()).await
    }

    /// Waits until the differences that the gate has seen are as wanted, and it goes by them.
    pub(crate) async fn drift_until(&self, wanted: impl Fn(&[Value]) -> bool) -> Value {
        let wanted = |drift: &Value| drift["changes"].as_array().is_some_and(|changes| wanted(changes));
        let drift = self.until("/servers/desk/difference", wanted).await;
        self.until("/revision", |revision| revision["revision"] == revision["in_effect"]).await;
        drift
    }

    /// Everything it has said on its outputs, before every restart too.
    pub(crate) fn output(&self) -> String {
        let now = self.process.lock().unwrap().as_ref().map(Process::output).unwrap_or_default();
        format!("{}{now}", self.said.lock().unwrap())
    }

    /// Kills it as a crash would (SIGKILL).
    pub(crate) fn kill(&self) {
        let process = self.process.lock().unwrap().take().expect("it runs");
        self.said.lock().unwrap().push_str(&process.output());
        // `Process` kills when it is dropped.
        drop(process);
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn end(&self) {
        let process = self.process.lock().unwrap().take().expect("it runs");
        self.said.lock().unwrap().push_str(&process.output());
        tokio::task::spawn_blocking(move || process.end(PATIENCE)).await.unwrap().unwrap();
    }

    /// Starts it again, on other ports.
    pub(crate) async fn again(&self) {
        let (process, addresses) = launch(self.directory(), self.shell).await;
        *self.process.lock().unwrap() = Some(process);
        *self.addresses.lock().unwrap() = addresses;
    }

    /// Asks it to read its settings again.
    pub(crate) fn reload(&self) {
        self.process.lock().unwrap().as_ref().expect("it runs").reload().unwrap();
    }

    /// Waits until it has said something on its outputs.
    pub(crate) async fn has_said(&self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.output().contains(words) {
            assert!(Instant::now() < deadline, "it never said `{words}`:\n{}", self.output());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Nothing in the reply is anybody's secret, or tells where things are.
    pub(crate) fn leaks_nothing(&self, reply: &Reply) {
        let mut shown = String::from_utf8_lossy(&reply.body).into_owned();
        for (name, value) in &reply.headers {
            shown.push_str(&format!("\n{name}: {}", String::from_utf8_lossy(value.as_bytes())));
        }
        self.holds_no_secret(&shown, "an answer");
        for inside in [self.directory().display().to_string(), self.desk.address().to_string()] {
            assert!(!shown.contains(&inside), "an answer tells `{inside}`:\n{shown}");
        }
    }

    /// Nobody's token and no server's credential is in the text.
    pub(crate) fn holds_no_secret(&self, text: &str, place: &str) {
        for secret in secrets() {
            assert!(!text.contains(&secret), "{place} holds `{secret}`");
        }
    }

    /// The raw bytes of everything the gate keeps, but the file with its bootstrap token.
    pub(crate) fn kept(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut kept = Vec::new();
        let mut folders = vec![self.directory().join("data")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                match path.is_dir() {
                    true => folders.push(path),
                    false if entry.file_name() == "admin.token" => {}
                    // What the gate has renamed or removed meanwhile is under its new name, or nowhere.
                    false => kept.extend(fs::read(&path).ok().map(|bytes| (path, bytes))),
                }
            }
        }
        kept
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the gate said:\n{}", self.output());
            return;
        }
        let settings = fs::read_to_string(self.directory().join("portcullis.toml")).unwrap_or_default();
        if !["[people]", "[sign_in]", "[[issuer]]"].iter().any(|table| settings.contains(table)) {
            // Development tokens alone: the tests of those look for them where they matter.
            return;
        }
        let kept = self.kept().into_iter();
        let kept = kept.map(|(path, bytes)| (path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        let log = [("the log".to_owned(), self.output())];
        self.sweep.finds_nothing(self.directory(), kept.chain(log));
    }
}

impl Heard {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl From<Heard> for Reply {
    fn from(heard: Heard) -> Self {
        let json = heard.json();
        let Heard { status, headers, body } = heard;
        Self { status, headers, messages: vec![json.clone()], json, body }
    }
}

/// What nobody may find anywhere.
pub(crate) fn secrets() -> Vec<String> {
    let callers = CALLERS.iter().map(|caller| caller_token(caller.name));
    let people = ROLES.iter().map(|role| person_token(role));
    callers.chain(people).chain([DESK_CREDENTIAL.to_owned()]).collect()
}

/// An `Authorization` header.
pub(crate) fn bearer(token: &str) -> HeaderMap {
    let value = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    HeaderMap::from_iter([(header::AUTHORIZATION, value)])
}

/// One header's name.
pub(crate) fn name(text: &str) -> HeaderName {
    HeaderName::from_bytes(text.as_bytes()).unwrap()
}

/// One header's value.
pub(crate) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_bytes(text.as_bytes()).unwrap()
}

/// The command that serves a directory's gate.
pub(crate) fn serve(directory: &Path, shell: Option<&str>) -> Command {
    let settings = directory.join("portcullis.toml");
    let binary = env!("CARGO_BIN_EXE_portcullis");
    let mut command = match shell {
        None => Command::new(binary),
        Some(before) => {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("{before}; exec \"$0\" \"$@\""), binary]);
            command
        }
    };
    command.arg("serve").arg("--config").arg(settings);
    command
}

/// Starts a directory's gate, which has to refuse to start; gives what it said.
pub(crate) async fn does_not_start(directory: &Path) -> String {
    let mut command = serve(directory, None);
    let start = move || Process::start(&mut command, "portcullis is ready", PATIENCE);
    match tokio::task::spawn_blocking(start).await.unwrap() {
        Ok(_) => panic!("the gate started"),
        Err(error) => error.to_string(),
    }
}

async fn launch(directory: &Path, shell: Option<&str>) -> (Process, Addresses) {
    let mut command = serve(directory, shell);
    let start = move || Process::start(&mut command, "portcullis is ready", PATIENCE);
    let process = tokio::task::spawn_blocking(start).await.unwrap().unwrap();
    let ready = process.ready_line().to_owned();
    let address = |after: &str| {
        let rest = ready.split_once(after).expect("an address in the ready line").1;
        let rest = rest.split_once("://").expect("an address in the ready line").1;
        rest.split(['/', ' ', ',']).next().unwrap().parse().expect("an address in the ready line")
    };
    let addresses = Addresses { agents: address("agents "), admin: address("admin ") };
    (process, addresses)
}

#[expect(clippy::disallowed_methods, reason = "a test looks at the gate from outside")]
fn connections() -> legacy::Client<HttpConnector, Full<Bytes>> {
    legacy::Client::builder(TokioExecutor::new()).retry_canceled_requests(false).build(HttpConnector::new())
}
