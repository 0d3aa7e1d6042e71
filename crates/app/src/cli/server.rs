//! `portcullis server …`: submit, look at, read, approve, take out of service.

use std::path::PathBuf;

use admin::requests::{Because, Connect, Disconnect, Submit};
use admin::view::{Done, Dossier, Drift, Forgotten, Invitation, ServerRow};
use clap::{Args, Subcommand};
use model::{ServerName, limits};
use registry::{ServerManifest, manifest};

use super::client::segment;
use super::failure::Failure;
use super::paint::{self, FAINT, GOOD, NAME, WARN};
use super::{Gate, WithGate, export, lifecycle, probe, scan, show, trial, vetting};

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Server {
    /// Submit a server: the gate connects to it and shows what it offers
    Submit(WithGate<SubmitFile>),
    /// Look into a package, without running any of it
    Scan(WithGate<scan::Scan>),
    /// Write settings for clients that administrators manage: only what goes through the gate
    Export(WithGate<export::Export>),
    /// Every server
    List(WithGate<Every>),
    /// All that is known of a server
    Show(WithGate<Show>),
    /// Look at a server now
    Check(WithGate<Named>),
    /// Find out all that can be: each check a line, with what it looked at, and a score that is explained
    Vet(WithGate<vetting::VetNamed>),
    /// Accept what a check found, so that it keeps the server from being approved no more
    Accept(WithGate<vetting::AcceptFound>),
    /// Ask a server what strangers ask: whose tokens it takes, what its errors tell, what its sessions are worth
    Probe(WithGate<probe::ProbeNamed>),
    /// Install and start a server's program in a jail, and see what it tries
    Try(WithGate<trial::TryNamed>),
    /// What changed since the approval
    Diff(WithGate<Named>),
    /// Read what a server offers, and pin it
    Approve(WithGate<lifecycle::ApproveNamed>),
    /// Connect a server with an account: prints where to open that in a browser
    Connect(WithGate<ForWhom>),
    /// Forget a credential that somebody connected
    Disconnect(WithGate<Holds>),
    /// Take a server out of service
    Suspend(WithGate<Named>),
    /// Put a suspended server back
    Resume(WithGate<Named>),
    /// Take a server that may be hostile out of everything: the gate itself does not look at it any more
    Quarantine(WithGate<Named>),
    /// End a quarantine: the server is looked at and approved anew
    Release(WithGate<Named>),
    /// End a server for good; its name is never given again
    Retire(WithGate<Named>),
    /// Say something of a server, for whoever reviews it
    Comment(WithGate<lifecycle::CommentOn>),
    /// Remove a server that no endpoint names
    Remove(WithGate<Named>),
}

/// A manifest.
#[derive(Debug, Args)]
pub(crate) struct SubmitFile {
    /// The server's manifest, a .toml file
    file: PathBuf,
    /// Keep it as a draft: nobody looks at it, and you submit it without this when it is ready
    #[arg(long)]
    draft: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Nothing.
#[derive(Debug, Args)]
pub(crate) struct Every {}

/// A server to be shown.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The server
    name: ServerName,
    /// Read out every definition
    #[arg(long)]
    definitions: bool,
    /// Only definitions with this in their name, in any case
    #[arg(long, value_name = "TEXT")]
    named: Option<String>,
}

/// A server.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The server
    name: ServerName,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// A server, and who is to use what comes of it.
#[derive(Debug, Args)]
pub(crate) struct ForWhom {
    /// The server
    name: ServerName,
    /// Whose calls use it: `shared`, `user NAME`, `agent NAME`
    #[arg(long = "for", value_name = "HOLDER", default_value = "shared")]
    holder: String,
}

/// A credential of a server.
#[derive(Debug, Args)]
pub(crate) struct Holds {
    /// The server
    name: ServerName,
    /// Whose it is, as `server show` says: `shared`, `user NAME`, `agent NAME`
    #[arg(long, value_name = "HOLDER", default_value = "shared")]
    holder: String,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Server {
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Submit(command) => submit(command.own, &command.gate).await,
            Self::Scan(command) => command.own.run(&command.gate).await,
            Self::Export(command) => command.own.run(&command.gate).await,
            Self::List(command) => {
                let rows: Vec<ServerRow> = command.gate.client()?.get("/servers").await?;
                command.gate.print(&rows, |rows| list(rows))
            }
            Self::Show(WithGate { own, gate }) => {
                let dossier: Dossier = gate.client()?.get(&path(&own.name, "")).await?;
                gate.print(&dossier, |dossier| shown(dossier, own.definitions, own.named.as_deref()))
            }
            Self::Check(WithGate { own, gate }) => {
                let dossier: Dossier = gate.client()?.post(&path(&own.name, "/check"), &Because::default()).await?;
                gate.print(&dossier, show::dossier)
            }
            Self::Vet(command) => command.own.run(&command.gate).await,
            Self::Accept(command) => command.own.run(&command.gate).await,
            Self::Probe(command) => command.own.run(&command.gate).await,
            Self::Try(command) => command.own.run(&command.gate).await,
            Self::Diff(WithGate { own, gate }) => {
                let drift: Drift = gate.client()?.get(&path(&own.name, "/difference")).await?;
                gate.print(&drift, |drift| show::drift(own.name.as_str(), drift))
            }
            Self::Approve(command) => command.own.run(&command.gate).await,
            Self::Connect(WithGate { own, gate }) => {
                let connect = Connect { holder: Some(own.holder.clone()) };
                let invitation: Invitation = gate.client()?.post(&path(&own.name, "/connect"), &connect).await?;
                gate.print(&invitation, |invitation| {
                    let hint = if own.holder.starts_with("user ") {
                        "to be opened in a browser by that person, who signs in at the gate first; it is good for ten minutes"
                    } else {
                        "open it in a browser and sign in with the account that the gate is to use; it is good for ten \
                         minutes, for whoever has it"
                    };
                    format!("{}\n{FAINT}{hint}{FAINT:#}\n", invitation.url)
                })
            }
            Self::Disconnect(WithGate { own: Holds { name, holder, reason }, gate }) => {
                let body = Disconnect { holder, reason };
                let done: Forgotten = gate.client()?.post(&path(&name, "/disconnect"), &body).await?;
                let word = if done.was_there { "forgotten" } else { "there was nothing to forget" };
                gate.print(&done, |_| format!("{NAME}{name}{NAME:#} {GOOD}{word}{GOOD:#}\n"))
            }
            Self::Suspend(command) => change(command, "/suspend", "suspended").await,
            Self::Resume(command) => change(command, "/resume", "suspended no longer").await,
            Self::Quarantine(command) => change(command, "/quarantine", "in quarantine").await,
            Self::Release(command) => change(command, "/release", "submitted again").await,
            Self::Retire(command) => change(command, "/retire", "retired").await,
            Self::Comment(command) => command.own.run(&command.gate).await,
            Self::Remove(WithGate { own, gate }) => {
                let done: Done = gate.client()?.delete(&path(&own.name, "")).await?;
                gate.print(&done, |done| told(own.name.as_str(), "removed", done))
            }
        }
    }
}

pub(super) fn path(name: &ServerName, verb: &str) -> String {
    format!("/servers/{}{verb}", segment(name.as_str()))
}

async fn submit(command: SubmitFile, gate: &Gate) -> Result<(), Failure> {
    let SubmitFile { file, draft, reason } = command;
    let shown = file.display().to_string();
    let bytes = std::fs::metadata(&file).map(|found| found.len());
    let text = std::fs::read_to_string(&file);
    let text = text.map_err(|error| Failure::new(format!("cannot read `{shown}`: {error}")))?;
    if bytes.is_ok_and(|bytes| usize::try_from(bytes).is_ok_and(|bytes| bytes > limits::ADMIN_BODY_BYTES_MAX)) {
        return Err(Failure::new(format!("`{shown}` is too large for a manifest")));
    }
    let manifest: ServerManifest = manifest::parse(&shown, &text).map_err(Failure::mistaken)?;
    let dossier: Dossier = gate.client()?.post("/servers", &Submit { manifest, draft, reason }).await?;
    gate.print(&dossier, show::dossier)
}

async fn change(command: WithGate<Named>, verb: &str, word: &str) -> Result<(), Failure> {
    let WithGate { own: Named { name, reason }, gate } = command;
    let done: Done = gate.client()?.post(&path(&name, verb), &Because { reason }).await?;
    gate.print(&done, |done| told(name.as_str(), word, done))
}

pub(super) fn told(name: &str, word: &str, done: &Done) -> String {
    let effect = if done.in_effect { "in effect" } else { "durable; not yet in effect" };
    format!("{NAME}{name}{NAME:#} {GOOD}{word}{GOOD:#}: revision {}, {effect}\n", done.revision)
}

fn shown(dossier: &Dossier, definitions: bool, named: Option<&str>) -> String {
    let mut page = show::of(dossier, named);
    if let (true, Some(offer)) = (definitions, dossier.observed.as_ref().or(dossier.pinned.as_ref())) {
        page.push('\n');
        page.push_str(&show::offer(offer, named));
    }
    page
}

fn list(rows: &[ServerRow]) -> String {
    if rows.is_empty() {
        return format!("no servers yet\n\n{FAINT}next:{FAINT:#}  portcullis server submit FILE\n");
    }
    let cells = rows.iter().map(|row| {
        let (style, standing) = match (row.standing.as_str(), row.in_service) {
            ("approved", true) if row.withheld > 0 => (WARN, format!("approved, {} withheld", row.withheld)),
            ("approved", true) if !row.warned.is_empty() => (WARN, format!("approved, but {}", row.warned.join(", "))),
            ("suspended", _) if !row.warned.is_empty() => (paint::BAD, format!("suspended: {}", row.warned.join(", "))),
            ("approved", true) => match row.expires {
                Some(end) => (GOOD, format!("approved until {}", paint::day(end))),
                None => (GOOD, "approved".to_owned()),
            },
            ("approved", false) => (paint::BAD, "approval void".to_owned()),
            ("suspended" | "quarantined" | "retired", _) => (paint::BAD, row.standing.clone()),
            (other, _) => (WARN, other.to_owned()),
        };
        let plain = anstyle::Style::new();
        vec![
            (NAME, row.manifest.name.to_string()),
            (style, standing),
            (plain, row.tools.to_string()),
            (plain, paint::cut(row.manifest.address().map_or("local", |address| address.zone.as_str()), 16)),
            (FAINT, row.manifest.purpose.to_string()),
        ]
    });
    paint::table(&["server", "standing", "tools", "zone", "purpose"], &cells.collect::<Vec<_>>())
}
