//! The command line: every command, and for those that talk to a running gate, what they ask and how they show it.
//!
//! The binary's other commands start a gate. These are clients of the admin API and nothing more: whatever they can do,
//! the API can do, and what decides stands in `admin`. One file each: [`apply`], [`server`], [`lists`], [`halt`],
//! [`inventory`], [`audit`], [`status`], [`login`]; [`connection`] finds the gate, [`client`] talks to it, [`paint`] and [`show`] put
//! words on the screen. [`scan`] and [`advisories`] need no gate, and neither does [`inventory`], which then only tells what it finds.

pub(crate) mod advisories;
mod apply;
pub(crate) mod ask;
mod audit;
mod canary;
pub(crate) mod client;
pub(crate) mod connection;
mod export;
pub(crate) mod failure;
mod feedback;
mod halt;
mod inspect;
mod inventory;
mod json;
mod judged;
mod known;
mod lifecycle;
mod lists;
mod login;
mod looked;
mod offered;
mod package;
pub(crate) mod paint;
mod people;
mod probe;
mod receipt;
mod scan;
mod server;
mod sessions;
pub(crate) mod show;
mod status;
mod suppressions;
mod trial;
mod vault;
mod vetting;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use self::client::Client;
use self::connection::Finding;
use self::failure::Failure;
use crate::connect::Connect;

/// The gate between AI agents and the systems they act on.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, about, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a sample company, a gate in front of it, and a story that shows it working
    Quickstart(Quickstart),
    /// Run the gate
    Serve(Serve),
    /// Carry a client that only starts local servers to an endpoint of the gate
    Connect(Connect),
    /// Look into a file as the gate looks into messages
    Inspect(inspect::Inspect),
    /// Make tokens that tell when somebody takes what they lie beside
    Canary(canary::Canary),
    /// Keep known weaknesses of packages at hand, to compare packages with
    #[command(subcommand)]
    Advisories(advisories::Advisories),
    /// Be a local server of the sample company, on standard input and output
    #[command(subcommand, hide = true)]
    SampleServer(SampleServer),
    /// A command for a gate that runs.
    #[command(flatten)]
    Client(Box<ClientCommand>),
}

/// What `quickstart` takes.
#[derive(Debug, Args)]
pub(crate) struct Quickstart {
    /// Keep everything in this directory; without it, in a temporary one
    #[arg(long, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
    /// End after the story; the exit code says whether it went as told
    #[arg(long)]
    pub(crate) once: bool,
}

/// What `serve` takes.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The settings
    #[arg(long, value_name = "FILE", env = "PORTCULLIS_CONFIG", default_value = "portcullis.toml")]
    pub(crate) config: PathBuf,
    /// Apply this folder before the gate opens
    #[arg(long, value_name = "DIR")]
    pub(crate) apply: Option<PathBuf>,
}

/// The servers that a gate can start instead of connecting to them.
#[derive(Debug, Subcommand)]
pub(crate) enum SampleServer {
    /// The team's notebook
    Notes {
        /// Where the notes are
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// A server that turns on whoever started it. No release has it.
    #[cfg(debug_assertions)]
    Hostile {
        /// Where it is told how
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
}

impl SampleServer {
    /// Serves until its input ends.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Notes { directory } => drill::company::notes::serve_stdio(directory).await?,
            #[cfg(debug_assertions)]
            Self::Hostile { directory } => drill::hostile::local::serve_stdio(directory).await?,
        }
        Ok(())
    }
}

/// The commands for a gate that runs.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Make servers, endpoints, zones and policies what a folder says
    Apply(WithGate<apply::Apply>),
    /// Submit, check, approve and suspend servers
    #[command(subcommand)]
    Server(server::Server),
    /// What agents connect to
    #[command(subcommand)]
    Endpoint(lists::Endpoint),
    /// What decides
    #[command(subcommand)]
    Policy(lists::Policy),
    /// Stop a user, an agent, a server, a tool, an endpoint or everything, now
    #[command(subcommand)]
    Halt(halt::Halt),
    /// End a halt
    #[command(subcommand)]
    Resume(halt::Resume),
    /// The halts in force
    Halts(WithGate<halt::Halts>),
    /// What the clients on this host connect to: what is approved, and what is not
    Inventory(Box<inventory::Inventory>),
    /// Receipts: find them, read them, prove them
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Who is signed in to look after the gate
    #[command(subcommand)]
    People(people::People),
    /// What the gate keeps sealed
    #[command(subcommand)]
    Vault(vault::Vault),
    /// How the gate is
    Status(WithGate<status::Status>),
    /// Sign in, so that the next commands are yours
    Login(WithGate<login::Login>),
    /// End what `login` began
    Logout(WithGate<login::Nothing>),
    /// Who you are to the gate, and what you may do
    Whoami(WithGate<login::Nothing>),
}

/// A command's own arguments, and those that find the gate and shape the output.
#[derive(Debug, Args)]
pub(crate) struct WithGate<T: Args> {
    /// The command's own.
    #[command(flatten)]
    pub(crate) own: T,
    /// Which gate.
    #[command(flatten)]
    pub(crate) gate: Gate,
}

/// Which gate, and in which form it answers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which gate, and how to answer")]
pub(crate) struct Gate {
    #[command(flatten)]
    finding: Finding,
    /// Print what the API answers, as JSON
    #[arg(long)]
    json: bool,
}

impl Gate {
    /// A client for the gate that the arguments name.
    fn client(&self) -> Result<Client, Failure> {
        Client::new(&self.finding.connection()?)
    }

    /// Prints an answer: as JSON if that was asked for, otherwise as `shown` paints it.
    fn print<T: serde::Serialize>(&self, answer: &T, shown: impl FnOnce(&T) -> String) -> Result<(), Failure> {
        if self.json {
            let text = serde_json::to_string_pretty(answer).map_err(|_| Failure::unreadable("the answer"))?;
            return paint::out(&format!("{text}\n"));
        }
        paint::out(&shown(answer))
    }
}

impl ClientCommand {
    /// Does it. The exit code is 0 when it was done, 1 when it was refused or failed, 2 when it was asked wrongly.
    pub(crate) async fn run(self) -> ExitCode {
        let result = match self {
            Self::Apply(command) => command.own.run(&command.gate).await,
            Self::Server(command) => command.run().await,
            Self::Endpoint(command) => command.run().await,
            Self::Policy(command) => command.run().await,
            Self::Halt(command) => command.run().await,
            Self::Resume(command) => command.run().await,
            Self::Halts(command) => command.own.run(&command.gate).await,
            Self::Inventory(command) => command.run().await,
            Self::Audit(command) => command.run().await,
            Self::People(command) => command.run().await,
            Self::Vault(command) => command.run().await,
            Self::Status(command) => command.own.run(&command.gate).await,
            Self::Login(command) => command.own.run(&command.gate).await,
            Self::Logout(command) => login::logout(&command.gate).await,
            Self::Whoami(command) => login::whoami(&command.gate).await,
        };
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.told(),
        }
    }
}

#[cfg(test)]
mod tests;
