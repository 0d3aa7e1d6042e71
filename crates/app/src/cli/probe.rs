//! `portcullis server probe`: what a server answers to what strangers ask.

use std::io::IsTerminal as _;
use std::time::Duration;

use admin::requests::ProbeRequest;
use admin::view::{LookRow, ProbeView, Progress};
use clap::Args;
use model::ServerName;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::client::Client;
use super::failure::Failure;
use super::paint::{self, FAINT};
use super::server::path;
use super::{Gate, looked};

/// How often the progress is asked for.
const LOOK: Duration = Duration::from_millis(250);

/// A server to be probed.
#[derive(Debug, Args)]
pub(crate) struct ProbeNamed {
    /// The server
    name: ServerName,
    /// Whoever runs it agrees: it is sent bad tokens and malformed messages, and no tool is called
    #[arg(long)]
    i_may_probe: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl ProbeNamed {
    pub(super) async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let Self { name, i_may_probe, reason } = self;
        let body = ProbeRequest { i_may_probe, reason };
        let client = gate.client()?;
        let view: ProbeView = watched(&client, &name, &path(&name, "/probe"), &body, gate.json).await?;
        gate.print(&view, |view| looked::probe(view).trim_start().to_owned())
    }
}

/// Sends something that takes its time, and tells a terminal how far it is meanwhile.
pub(super) async fn watched<B: Serialize, R: DeserializeOwned>(
    client: &Client,
    name: &ServerName,
    path: &str,
    body: &B,
    json: bool,
) -> Result<R, Failure> {
    let answer = client.post(path, body);
    if json || !std::io::stderr().is_terminal() {
        return answer.await;
    }
    let told = async {
        loop {
            tokio::time::sleep(LOOK).await;
            let progress: Result<Progress, Failure> = client.get(&super::server::path(name, "/progress")).await;
            if let Some(LookRow { done, of, now, .. }) = progress.ok().and_then(|progress| progress.look) {
                let text = paint::cut(&paint::visible(&now), 48);
                paint::err(&format!("\r\x1b[2K{FAINT}{}/{of}{FAINT:#}  {text}", done.saturating_add(1)));
            }
        }
    };
    let answer = tokio::select! {
        answer = answer => answer,
        () = told => Err(Failure::new("the look was not waited for")),
    };
    paint::err("\r\x1b[2K");
    answer
}
