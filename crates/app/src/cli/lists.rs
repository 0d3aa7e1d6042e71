//! `portcullis endpoint …` and `portcullis policy …`.

use std::path::PathBuf;

use admin::Manifests;
use admin::requests::PlanRequest;
use admin::view::{EndpointRow, PlanView, PolicyRow};
use clap::{Args, Subcommand};

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
                let rows: Vec<EndpointRow> = gate.client()?.get("/endpoints").await?;
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

fn endpoints(rows: &[EndpointRow]) -> String {
    if rows.is_empty() {
        return format!("no endpoints yet\n\n{FAINT}next:{FAINT:#}  portcullis apply -f DIR\n");
    }
    let cells = rows.iter().map(|row| {
        let plain = anstyle::Style::new();
        let manifest = &row.manifest;
        let servers = manifest.servers().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let (style, tools) = if row.in_service { (plain, row.tools.to_string()) } else { (BAD, "none".to_owned()) };
        vec![
            (NAME, manifest.name.to_string()),
            (plain, format!("/{}/mcp", manifest.name)),
            (plain, paint::cut(&servers, 32)),
            (style, tools),
            (FAINT, manifest.purpose.to_string()),
        ]
    });
    let mut page = paint::table(&["endpoint", "path", "servers", "tools", "purpose"], &cells.collect::<Vec<_>>());
    for row in rows {
        for note in row.missing.iter().chain(&row.notes) {
            let text = format!("{}: {note}", row.manifest.name);
            page.push_str(&format!("{WARN}{}{WARN:#}\n", wrapped(&visible(&text), 2)));
        }
    }
    page
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
