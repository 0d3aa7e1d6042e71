//! Local servers, which the gate starts itself: how their processes begin and end, what they are given, and what becomes
//! of calls when they break down or lie.
//!
//! [`Yard`] is a gate with two endpoints before one local server, which does as [`drill::hostile::local`] is told.

mod breakdowns;
mod calls;
mod lies;
mod life;
mod secrets;

use std::fs;
use std::path::Path;

use drill::hostile::local::{Local, Mode};
use drill::mcp::{Client, Reply};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::eventually;
use crate::gate::files::{ANA, endpoint};
use crate::gate::{Gate, Setup};
use crate::session::{Line, Session};
use crate::verdict::{OUTCOME_UNKNOWN, SERVER_UNREACHABLE, passes};

/// The server's only tool.
pub(crate) const TOOL: &str = "get_report";

/// Everybody may connect, and use what the server offers.
const POLICIES: &str = r#"
@id("yard-connects")
permit (principal, action == Action::"connect", resource == Endpoint::"yard");
@id("annex-connects")
permit (principal, action == Action::"connect", resource == Endpoint::"annex");
@id("reports-are-for-everybody")
permit (principal, action in Action::"use", resource is Tool in Server::"reports");
@id("reports-may-be-watched")
permit (principal, action in Action::"use", resource == Server::"reports");
"#;

/// A gate with two endpoints, `yard` and `annex`, and behind both the same local server, `reports`.
pub(crate) struct Yard {
    pub(crate) gate: Gate,
    pub(crate) local: Local,
    /// Where the server and the test meet.
    directory: TempDir,
}

/// What is different from an ordinary yard.
#[derive(Default)]
pub(crate) struct Ground {
    /// More of the server's manifest, after `[command]`.
    pub(crate) command: &'static str,
    /// More of the gate.
    pub(crate) setup: Setup,
}

impl Yard {
    /// One whose server is approved, and was started only to be read.
    pub(crate) async fn start() -> Self {
        Self::with(Ground::default()).await
    }

    /// One with limits or secrets.
    pub(crate) async fn with_command(command: &'static str) -> Self {
        Self::with(Ground { command, ..Ground::default() }).await
    }

    /// One with something different.
    pub(crate) async fn with(ground: Ground) -> Self {
        let yard = Self::unapproved(ground).await;
        yard.approve().await;
        yard
    }

    /// One whose server is submitted and nothing more.
    pub(crate) async fn unapproved(Ground { command, mut setup }: Ground) -> Self {
        let directory = tempfile::Builder::new().prefix("portcullis-yard-").tempdir().unwrap();
        let mut state = vec![
            ("servers/reports.toml".to_owned(), manifest(&directory, command)),
            ("endpoints/yard.toml".to_owned(), endpoint("yard", "reports")),
            ("endpoints/annex.toml".to_owned(), endpoint("annex", "reports")),
            ("policies/yard.cedar".to_owned(), POLICIES.to_owned()),
        ];
        state.append(&mut setup.state);
        let gate = Gate::unapproved(Setup { state, ..setup }).await;
        let local = Local::new(directory.path());
        Self { gate, local, directory }
    }

    /// Has the server read and approved.
    pub(crate) async fn approve(&self) {
        self.gate.must(&["server", "check", "reports"]).await;
        self.gate.must(&["server", "approve", "reports", "--yes"]).await;
    }

    /// Puts a file of the state in place of what is there, and applies it.
    pub(crate) async fn put(&self, file: &str, text: &str) {
        fs::write(self.gate.directory().join("state").join(file), text).unwrap();
        self.gate.apply().await;
    }

    /// Changes the server's manifest, and applies it.
    pub(crate) async fn command(&self, command: &str) {
        self.put("servers/reports.toml", &manifest(&self.directory, command)).await;
    }

    /// The directory in which the server and the test meet.
    pub(crate) fn meeting_place(&self) -> &Path {
        self.directory.path()
    }

    /// A client at the yard, of the revision without sessions.
    pub(crate) fn client(&self) -> Client {
        self.client_at("yard")
    }

    pub(crate) fn client_at(&self, endpoint: &str) -> Client {
        self.gate.client_at(endpoint, ANA)
    }

    /// A session at the yard.
    pub(crate) async fn session(&self) -> Session {
        Line::new(&self.gate, "yard", ANA).begin(capabilities()).await
    }

    /// The process that was started last.
    pub(crate) fn newest(&self) -> u32 {
        *self.local.starts().last().expect("it was started")
    }

    /// Has the server behave, and makes sure that a process of it runs at the yard; gives its number.
    pub(crate) async fn running(&self) -> u32 {
        passes(&report(&self.client()).await);
        self.newest()
    }

    /// Asks for a report until the server is not left alone any more, and has it answered.
    pub(crate) async fn served_again(&self) {
        let client = self.client();
        let mut reply = report(&client).await;
        while !reply.status.is_success() {
            if reply.status.as_u16() == SERVER_UNREACHABLE.status {
                let outcome = self.gate.ends(&reply, SERVER_UNREACHABLE, "not-sent").await;
                let detail = outcome["detail"].as_str().unwrap_or_default();
                // At rest, or caught at the moment of its end.
                assert!(detail.contains("started again in") || detail.contains("ended first"), "{outcome:#}");
            } else {
                // Written to a process that was no more, which the gate had not noticed yet.
                self.gate.ends(&reply, OUTCOME_UNKNOWN, "unknown").await;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            reply = report(&client).await;
        }
        passes(&reply);
    }

    /// Waits until so many calls have reached the server.
    pub(crate) async fn reached(&self, calls: usize) {
        eventually("the call reaches the server", || self.local.calls() == calls).await;
    }

    /// What the server heard of a method.
    pub(crate) fn heard(&self, method: &str) -> Vec<Value> {
        self.local.heard().into_iter().filter(|message| message["method"] == method).collect()
    }

    /// What the server was answered to its own questions.
    pub(crate) fn answers(&self) -> Vec<Value> {
        self.local.heard().into_iter().filter(|message| message.get("method").is_none()).collect()
    }

    /// From the next message on, at any later start too.
    pub(crate) fn misbehave(&self, mode: Mode) {
        self.local.misbehave(mode).unwrap();
    }
}

/// What the clients of these tests can be asked.
pub(crate) fn capabilities() -> Value {
    json!({ "elicitation": { "form": {}, "url": {} }, "sampling": {}, "roots": {} })
}

fn manifest(directory: &TempDir, command: &str) -> String {
    let (program, meets) = (env!("CARGO_BIN_EXE_portcullis"), directory.path().display());
    format!(
        "name = \"reports\"\nowner = \"ops\"\npurpose = \"Reports\"\n\n[command]\nprogram = \"{program}\"\n\
         arguments = [\"sample-server\", \"hostile\", \"{meets}\"]\n{command}"
    )
}

/// Asks for a report.
pub(crate) async fn report(client: &Client) -> Reply {
    report_of(client, "r-1").await
}

/// Asks for this report.
pub(crate) async fn report_of(client: &Client, report: &str) -> Reply {
    client.call(TOOL, asking_for(report)).await.unwrap()
}

/// The arguments of a call.
pub(crate) fn asking_for(report: &str) -> Value {
    json!({ "report_id": report })
}

/// Whether a process runs. One that has ended and waits to be noticed does not.
pub(crate) fn lives(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.starts_with(" Z") && !rest.starts_with(" X"))
}

/// A process's parent.
pub(crate) fn parent(process: u32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Waits until none of these processes runs.
pub(crate) async fn all_end(processes: &[u32]) {
    assert!(!processes.is_empty(), "nobody to wait for");
    eventually(&format!("all of {processes:?} end"), || !processes.iter().any(|process| lives(*process))).await;
}

/// Ends a process as a crash would.
pub(crate) fn kill(process: u32) {
    let killed = std::process::Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap();
    assert!(killed.success(), "there is no process {process}");
}
