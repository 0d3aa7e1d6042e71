//! `portcullis halt …`, `resume …` and `halts`.

use admin::requests::HaltRequest;
use admin::view::{Ended, HaltRow, What};
use clap::{Args, Subcommand};

use super::failure::Failure;
use super::paint::{self, BAD, FAINT, GOOD, NAME, WARN, visible, wrapped};
use super::{Gate, WithGate};

/// What is to be stopped.
#[derive(Debug, Subcommand)]
pub(crate) enum Halt {
    /// A person, through whichever agent
    User(WithGate<Stop>),
    /// An agent, for whichever user
    Agent(WithGate<Stop>),
    /// A server
    Server(WithGate<Stop>),
    /// A tool, as server/tool
    Tool(WithGate<Stop>),
    /// An endpoint
    Endpoint(WithGate<Stop>),
    /// Every message of every caller
    Everything(WithGate<StopAll>),
}

/// What is to go on.
#[derive(Debug, Subcommand)]
pub(crate) enum Resume {
    /// A person
    User(WithGate<Go>),
    /// An agent
    Agent(WithGate<Go>),
    /// A server
    Server(WithGate<Go>),
    /// A tool, as server/tool
    Tool(WithGate<Go>),
    /// An endpoint
    Endpoint(WithGate<Go>),
    /// What `halt everything` stopped
    Everything(WithGate<GoAll>),
}

/// Something to stop. A halt says why: whoever finds it in force must know.
#[derive(Debug, Args)]
pub(crate) struct Stop {
    /// Its name
    name: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Everything.
#[derive(Debug, Args)]
pub(crate) struct StopAll {
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Something to let go on.
#[derive(Debug, Args)]
pub(crate) struct Go {
    /// Its name
    name: String,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Everything.
#[derive(Debug, Args)]
pub(crate) struct GoAll {
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Nothing.
#[derive(Debug, Args)]
pub(crate) struct Halts {}

impl Halt {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let named = |what, Stop { name, reason }| HaltRequest { what, name: Some(name), reason: Some(reason) };
        let (gate, request) = match self {
            Self::User(WithGate { own, gate }) => (gate, named(What::User, own)),
            Self::Agent(WithGate { own, gate }) => (gate, named(What::Agent, own)),
            Self::Server(WithGate { own, gate }) => (gate, named(What::Server, own)),
            Self::Tool(WithGate { own, gate }) => (gate, named(What::Tool, own)),
            Self::Endpoint(WithGate { own, gate }) => (gate, named(What::Endpoint, own)),
            Self::Everything(WithGate { own, gate }) => {
                (gate, HaltRequest { what: What::Everything, name: None, reason: Some(own.reason) })
            }
        };
        let row: HaltRow = gate.client()?.post("/halts", &request).await?;
        gate.print(&row, |row| {
            let mut page = format!("{BAD}halted{BAD:#} {NAME}{}{NAME:#}\n", visible(&scope(row)));
            if let Some(note) = &row.note {
                page.push_str(&format!("{WARN}{}{WARN:#}\n", wrapped(&visible(note), 0)));
            }
            page
        })
    }
}

impl Resume {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let named = |what, Go { name, reason }| HaltRequest { what, name: Some(name), reason };
        let (gate, request) = match self {
            Self::User(WithGate { own, gate }) => (gate, named(What::User, own)),
            Self::Agent(WithGate { own, gate }) => (gate, named(What::Agent, own)),
            Self::Server(WithGate { own, gate }) => (gate, named(What::Server, own)),
            Self::Tool(WithGate { own, gate }) => (gate, named(What::Tool, own)),
            Self::Endpoint(WithGate { own, gate }) => (gate, named(What::Endpoint, own)),
            Self::Everything(WithGate { own, gate }) => {
                (gate, HaltRequest { what: What::Everything, name: None, reason: own.reason })
            }
        };
        let ended: Ended = gate.client()?.post("/halts/end", &request).await?;
        gate.print(&ended, |ended| match ended.was_halted {
            true => format!("{GOOD}goes on{GOOD:#}: the halt has ended\n"),
            false => format!("{WARN}nothing to end{WARN:#}: it was not halted\n"),
        })
    }
}

impl Halts {
    pub(super) async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let rows: Vec<HaltRow> = gate.client()?.get("/halts").await?;
        gate.print(&rows, |rows| shown(rows))
    }
}

fn shown(rows: &[HaltRow]) -> String {
    if rows.is_empty() {
        return format!("{GOOD}nothing is halted{GOOD:#}\n");
    }
    rows.iter()
        .map(|row| {
            let deed = format!("{} by {}", paint::moment(row.halted.at), row.halted.by);
            let reason = row.halted.reason.as_deref().unwrap_or("no reason given");
            format!(
                "{BAD}{}{BAD:#}\n  {}\n  {FAINT}{}{FAINT:#}\n",
                visible(&scope(row)),
                wrapped(&visible(reason), 2),
                visible(&deed)
            )
        })
        .collect()
}

/// `tool crm/lookup`, `everything`.
fn scope(row: &HaltRow) -> String {
    let word = match row.what {
        What::Everything => "everything",
        What::User => "user",
        What::Agent => "agent",
        What::Server => "server",
        What::Tool => "tool",
        What::Endpoint => "endpoint",
    };
    row.name.iter().fold(word.to_owned(), |scope, name| format!("{scope} {name}"))
}
