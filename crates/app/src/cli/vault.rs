//! `portcullis vault …`.

use admin::requests::Because;
use admin::view::Rewrapped;
use clap::{Args, Subcommand};

use super::failure::Failure;
use super::paint::GOOD;
use super::{Gate, WithGate};

/// What is done with what the gate keeps sealed.
#[derive(Debug, Subcommand)]
pub(crate) enum Vault {
    /// Wrap the keys of everything that is sealed anew, after the master key was rotated; nothing is opened for it
    Rewrap(WithGate<Rewrap>),
}

/// Nothing but why.
#[derive(Debug, Args)]
pub(crate) struct Rewrap {
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Vault {
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Rewrap(command) => command.own.run(&command.gate).await,
        }
    }
}

impl Rewrap {
    async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let asked = Because { reason: self.reason };
        let done: Rewrapped = gate.client()?.post("/vault/rewrap", &asked).await?;
        gate.print(&done, |Rewrapped { rewrapped }| match rewrapped {
            0 => "everything is wrapped by the newest key already\n".to_owned(),
            1 => format!("{GOOD}1 key was wrapped anew{GOOD:#}\n"),
            many => format!("{GOOD}{many} keys were wrapped anew{GOOD:#}\n"),
        })
    }
}
