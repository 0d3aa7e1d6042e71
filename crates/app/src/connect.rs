//! `portcullis connect URL`: a local server towards a client, a client towards an endpoint of the gate.
//!
//! Some clients only start programs and talk to their standard input and output. This is such a program. It carries
//! what the client says to the gate, as it is, with the caller's own token, and what the gate says back; it decides
//! nothing, and is trusted with no more than its user is. [`bridge`] is the part in the middle; [`endpoint`] says where
//! a token may be sent. [`install`] writes the program into a client's settings.

mod bridge;
mod endpoint;
mod gate;
pub(crate) mod install;
mod message;
mod mirrored;
mod stdio;
mod trouble;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::cli::failure::Failure;

use bridge::Bridge;
use endpoint::{Endpoint, Token};
use gate::Gate;
use install::{Deed, Install};
use inventory::Client;

/// What `connect` takes.
#[derive(Debug, Args)]
#[command(after_help = "The token is read from the file or from PORTCULLIS_TOKEN, never from the command line.")]
pub(crate) struct Connect {
    /// The endpoint
    #[arg(help = "The endpoint, such as https://gate.example.com/desk/mcp", required_unless_present = "remove")]
    url: Option<String>,
    /// A file with your token that only you can read; without it, `PORTCULLIS_TOKEN` is read
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

/// What writing it into a client's settings takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Write it into a client's settings")]
struct Settings {
    /// Show the change, ask, keep a backup, write
    #[arg(long, value_name = "CLIENT", value_parser = clients())]
    install: Option<Client>,
    /// Take the entry out again
    #[arg(long, value_name = "CLIENT", value_parser = clients(), conflicts_with_all = ["install", "print"])]
    remove: Option<Client>,
    /// The entry's name; without it, the endpoint's
    #[arg(long)]
    name: Option<String>,
    /// The settings of the folder you are in, not your own
    #[arg(long, conflicts_with = "config_file")]
    project: bool,
    /// The client's file, where it is not the usual one
    #[arg(long, value_name = "FILE")]
    config_file: Option<PathBuf>,
    /// Print the entry, and change nothing
    #[arg(long, requires = "install")]
    print: bool,
    /// Do not ask
    #[arg(short, long, conflicts_with = "print")]
    yes: bool,
}

/// The clients into whose settings an entry can be written, by their words.
fn clients() -> impl TypedValueParser<Value = Client> {
    let words = Client::WRITTEN.map(|client| PossibleValue::new(client.word()).help(client.to_string()));
    PossibleValuesParser::new(words).try_map(|word: String| {
        Client::WRITTEN.into_iter().find(|client| client.word() == word).ok_or("there is no such client")
    })
}

impl Connect {
    /// Does it. The exit code is 0 when it was done, 1 when it failed, 2 when it was asked wrongly.
    pub(crate) async fn run(self) -> ExitCode {
        match self.done().await {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.told(),
        }
    }

    async fn done(self) -> Result<(), Failure> {
        let endpoint = self.url.as_deref().map(Endpoint::read).transpose()?;
        let token = Token::kept(self.token_file.clone());
        match (self.settings.install, self.settings.remove, endpoint) {
            (Some(client), _, Some(endpoint)) => {
                let print = self.settings.print;
                if self.token_file.is_some() && !print {
                    token.credential()?;
                }
                let deed = Deed::Put { url: endpoint.url().to_string(), token_file: self.token_file };
                let install = self.settings.of(client, Some(&endpoint), deed)?;
                if print { install.print() } else { install.run() }
            }
            (None, Some(client), endpoint) => self.settings.of(client, endpoint.as_ref(), Deed::Take)?.run(),
            (None, None, Some(endpoint)) => {
                self.settings.unused()?;
                // What cannot be read now is better said before the client waits.
                token.credential()?;
                let (output, written) = stdio::output();
                Bridge::new(Gate::new(endpoint, token), output).run(stdio::input(), written).await
            }
            (_, None, None) | (Some(_), Some(_), None) => Err(Failure::usage("the endpoint's URL is missing")),
        }
    }
}

impl Settings {
    fn of(self, client: Client, endpoint: Option<&Endpoint>, deed: Deed) -> Result<Install, Failure> {
        let name = self.name.as_deref().or_else(|| endpoint.and_then(Endpoint::name));
        let name = name.ok_or_else(|| {
            Failure::usage("the entry has no name: the URL tells none").with_next("choose one with --name")
        })?;
        let name = install::name(name)?;
        Ok(Install { client, name, deed, file: self.config_file, project: self.project, yes: self.yes })
    }

    /// Carrying messages takes none of these.
    fn unused(&self) -> Result<(), Failure> {
        if self.name.is_none() && !self.project && self.config_file.is_none() && !self.yes {
            return Ok(());
        }
        Err(Failure::usage("--name, --project, --config-file and --yes go with --install or --remove"))
    }
}
