//! `portcullis endpoint …` and `portcullis policy …`.

use std::path::PathBuf;

use admin::Manifests;
use admin::requests::PlanRequest;
use admin::view::{PlanView, PolicyRow};
use clap::{Args, Subcommand};
use registry::EndpointManifest;

use super::failure::Failure;
use super::paint::{self, BAD, FAINT, GOOD, NAME, WARN, visible, wrapped};
use super::{WithGate, apply};

/// The commands for endpoints.
#[derive(Debug, Subcommand)]
pub(crate) enum Endpoint {
    /// Every endpoint
    List(WithGate<Every>),
}

/// The commands for policies.
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Every policy
    List(WithGate<Every>),
    /// Check policies against the running gate's servers and tools; nothing is changed
    Check(WithGate<Folder>),
}

/// Nothing.
#[derive(Debug, Args)]
pub(crate) struct Every {}

/// A folder of policies.
#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// The folder with the .cedar files, or one that holds it as `policies`
    folder: PathBuf,
}

impl Endpoint {
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::List(WithGate { own: _, gate }) => {
                let rows: Vec<EndpointManifest> = gate.client()?.get("/endpoints").await?;
                gate.print(&rows, |rows| endpoints(rows))
            }
        }
    }
}

impl Policy {
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::List(WithGate { own: _, gate }) => {
                let rows: Vec<PolicyRow> = gate.client()?.get("/policies").await?;
                gate.print(&rows, |rows| policies(rows))
            }
            Self::Check(WithGate { own, gate }) => {
                let manifests = Manifests::read_policies(&own.folder).map_err(|error| Failure::of(&error))?;
                let plan: PlanView = gate.client()?.post("/plan", &PlanRequest { manifests }).await?;
                gate.print(&plan, |plan| {
                    format!("{GOOD}the policies are right{GOOD:#} for every approved tool\n{}", apply::shown(plan))
                })
            }
        }
    }
}

fn endpoints(rows: &[EndpointManifest]) -> String {
    if rows.is_empty() {
        return format!("no endpoints yet\n\n{FAINT}next:{FAINT:#}  portcullis apply -f DIR\n");
    }
    let cells = rows.iter().map(|row| {
        let plain = anstyle::Style::new();
        vec![
            (NAME, row.name.to_string()),
            (plain, format!("/{}/mcp", row.name)),
            (plain, row.servers().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
            (FAINT, row.purpose.to_string()),
        ]
    });
    paint::table(&["endpoint", "path", "servers", "purpose"], &cells.collect::<Vec<_>>())
}

fn policies(rows: &[PolicyRow]) -> String {
    if rows.is_empty() {
        return format!("no policies, so nothing is permitted\n\n{FAINT}next:{FAINT:#}  portcullis apply -f DIR\n");
    }
    rows.iter().map(policy).collect()
}

fn policy(row: &PolicyRow) -> String {
    let style = if row.effect == "permit" { GOOD } else { BAD };
    let (effect, id, actions) = (&row.effect, visible(&row.id), row.actions.join(", "));
    let mut page = format!("{style}{effect:<7}{style:#} {NAME}{id}{NAME:#}  {actions}\n");
    let owner = row.owner.iter().map(|owner| format!(", ask {owner}")).collect::<String>();
    let place = format!("{}:{}{owner}", row.file, row.line);
    page.push_str(&format!("        {FAINT}{}{FAINT:#}\n", wrapped(&visible(&place), 8)));
    if let Some(message) = &row.message {
        page.push_str(&format!("        {}\n", wrapped(&visible(message), 8)));
    }
    for warning in &row.warnings {
        page.push_str(&format!("        {WARN}{}{WARN:#}\n", wrapped(&visible(warning), 8)));
    }
    page
}
