//! `portcullis apply`: from files to state, with a diff first.

use std::path::{Path, PathBuf};

use admin::Manifests;
use admin::requests::{Apply as Request, PlanRequest};
use admin::view::{Applied, Look, PlanView};
use clap::Args;
use model::Revision;

use super::client::Client;
use super::failure::Failure;
use super::paint::{self, FAINT, GOOD, NAME, WARN, visible, wrapped};
use super::{Gate, ask, show};

/// What `apply` takes.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The folder: zones, servers and endpoints as .toml files, policies as .cedar files. A kind whose folder is there
    /// becomes exactly what the folder holds; the others stay as they are
    #[arg(short, long, value_name = "DIR")]
    folder: PathBuf,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short, long, conflicts_with = "dry_run")]
    yes: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Whether someone still has to say yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Consent {
    /// Ask, once the changes were shown.
    Asked,
    /// It was given with the command.
    Given,
}

impl Apply {
    pub(super) async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let manifests = read(&self.folder)?;
        let client = gate.client()?;
        let plan = planned(&client, &manifests).await?;
        if self.dry_run || plan.changes.is_empty() {
            return gate.print(&plan, shown);
        }
        let consent = if self.yes { Consent::Given } else { Consent::Asked };
        match (gate.json, consent) {
            (true, Consent::Given) => {}
            // The answer goes to the output, and to nothing else.
            (true, Consent::Asked) => paint::err(&shown(&plan)),
            (false, Consent::Given | Consent::Asked) => paint::out(&shown(&plan))?,
        }
        let applied = carried_out(&client, manifests, &plan, consent, self.reason).await?;
        gate.print(&applied, done)
    }
}

fn read(folder: &Path) -> Result<Manifests, Failure> {
    let next = "a folder to apply holds zones/, servers/, endpoints/ with .toml and policies/ with .cedar files";
    Manifests::read(folder).map_err(|error| Failure::of(&error).with_next(next))
}

async fn planned(client: &Client, manifests: &Manifests) -> Result<PlanView, Failure> {
    client.post("/plan", &PlanRequest { manifests: manifests.clone() }).await
}

/// Applies exactly the plan that was shown: if the state has moved on since, nothing happens.
async fn carried_out(
    client: &Client,
    manifests: Manifests,
    plan: &PlanView,
    consent: Consent,
    reason: Option<String>,
) -> Result<Applied, Failure> {
    match consent {
        Consent::Given => {}
        Consent::Asked if ask::anybody() => ask::confirm("Apply these changes?")?,
        Consent::Asked => {
            return Err(Failure::usage("there is nobody to ask whether to apply this")
                .with_next("look at it with --dry-run, then apply it with --yes"));
        }
    }
    client.post("/apply", &Request { manifests, expected: Revision(plan.revision), reason }).await
}

/// What would change.
pub(super) fn shown(plan: &PlanView) -> String {
    let mut page = String::new();
    for warning in &plan.warnings {
        page.push_str(&format!("{WARN}warning:{WARN:#} {}\n", wrapped(&visible(warning), 9)));
    }
    if plan.changes.is_empty() {
        page.push_str(&format!("{GOOD}nothing to change{GOOD:#}: revision {} is what the files say\n", plan.revision));
        return page;
    }
    page.push_str(&show::edits(&plan.changes));
    let (tally, revision) = (show::tally(&plan.changes), plan.revision);
    page.push_str(&format!("\n{NAME}{tally}{NAME:#} {FAINT}(against revision {revision}){FAINT:#}\n"));
    page
}

fn done(applied: &Applied) -> String {
    let mut page = format!("{GOOD}applied{GOOD:#}: revision {}", applied.revision);
    page.push_str(if applied.in_effect { ", in effect\n" } else { ", durable; not yet in effect\n" });
    page.extend(applied.looked_at.iter().map(look));
    page
}

fn look(look: &Look) -> String {
    let Look { server, tools, awaits_approval, unseen, digest: _ } = look;
    match unseen {
        None if !awaits_approval => format!("  {NAME}{server}{NAME:#} offers what was approved\n"),
        None => format!(
            "  {NAME}{server}{NAME:#} offers {}: portcullis server approve {server}\n",
            paint::count(*tools, "tool")
        ),
        Some(why) => {
            let text = wrapped(&format!("could not be looked at: {}", visible(why)), 4);
            format!("  {NAME}{server}{NAME:#} {WARN}{text}{WARN:#}\n")
        }
    }
}
