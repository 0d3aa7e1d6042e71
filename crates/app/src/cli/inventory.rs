//! `portcullis inventory`: what the clients on this host connect to, held against what the gate has.
//!
//! The `inventory` crate knows where clients keep their servers and what to think of them; here it is given the host's
//! [`files`], its report goes to the gate, and what comes back is [`shown`] or, with `--fix`, acted on ([`fix`]).

mod files;
mod fix;
mod shown;

use std::path::PathBuf;

use admin::view::{HostReport, HostRow};
use clap::{Args, Subcommand};
use inventory::{Compared, Report, Surroundings, Survey, System};

use super::client::{Client, segment};
use super::failure::Failure;
use super::{Gate, WithGate};
use crate::connect::install;

/// What `inventory` takes.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Inventory {
    #[command(subcommand)]
    fleet: Option<Fleet>,
    #[command(flatten)]
    look: Look,
    #[command(flatten)]
    gate: Gate,
}

/// What was reported of every host.
#[derive(Debug, Subcommand)]
enum Fleet {
    /// Every host that was reported
    List(WithGate<Every>),
    /// What was reported of one host
    Show(WithGate<Host>),
}

/// Nothing.
#[derive(Debug, Args)]
struct Every {}

/// A host.
#[derive(Debug, Args)]
struct Host {
    /// The host, as it was reported
    host: String,
}

/// Where to look, and what to do with it.
#[derive(Debug, Args)]
struct Look {
    /// A folder with a project to look into, beside the one you are in and those that clients have noted
    #[arg(long, value_name = "DIR")]
    project: Vec<PathBuf>,
    /// Search this folder, and those below it, for projects
    #[arg(long, value_name = "DIR")]
    under: Vec<PathBuf>,
    /// Whose settings, by their home; without it, yours
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
    /// This host's name in the report
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Tell a gate, which keeps it for `inventory list`; without a URL, the gate that is named below
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "")]
    report: Option<String>,
    /// Ask no gate
    #[arg(long, conflicts_with_all = ["report", "fix"])]
    offline: bool,
    #[command(flatten)]
    fix: fix::Fix,
}

impl Inventory {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let Self { fleet, look, gate } = self;
        match fleet {
            Some(Fleet::List(WithGate { own: _, gate })) => {
                let rows: Vec<HostRow> = gate.client()?.get("/inventory").await?;
                gate.print(&rows, |rows| shown::hosts(rows))
            }
            Some(Fleet::Show(WithGate { own, gate })) => {
                let path = format!("/inventory/{}", segment(&own.host));
                let reports: Vec<HostReport> = gate.client()?.get(&path).await?;
                gate.print(&reports, |reports| reports.iter().map(shown::report).collect())
            }
            None => look.run(&gate).await,
        }
    }
}

impl Look {
    async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let home = self
            .home
            .clone()
            .or_else(install::home)
            .ok_or_else(|| Failure::new("your home folder is not known").with_next("name it with --home"))?;
        let survey = self.surveyed(&home);
        let user = if self.home.is_some() { None } else { files::user() };
        let user =
            user.or_else(|| Some(home.file_name()?.to_str()?.to_owned())).unwrap_or_else(|| "unknown".to_owned());
        let host = self
            .host
            .clone()
            .or_else(files::host)
            .ok_or_else(|| Failure::new("the name of this host is not known").with_next("name it with --host"))?;
        let report = survey.report(&host, &user, System::this().word());
        let compared = self.compared(gate, &report).await?;
        if self.fix.is_asked() {
            return self.fix.run(&survey, &compared, gate);
        }
        gate.print(&compared, |compared| shown::page(compared, &home))
    }

    fn surveyed(&self, home: &std::path::Path) -> Survey {
        // Another's home does not go by what this environment says.
        let none = |_: &str| None;
        let variable: &dyn Fn(&str) -> Option<PathBuf> = if self.home.is_some() { &none } else { &install::variable };
        let around = Surroundings { system: System::this(), home: home.to_owned(), variable };
        let here = std::env::current_dir().ok();
        let below = self.under.iter().flat_map(|folder| files::projects(folder));
        let named = self.project.iter().filter_map(|folder| std::path::absolute(folder).ok());
        let projects: Vec<_> = named.chain(below).chain(here).collect();
        inventory::survey(&around, &projects, &files::Disk)
    }

    async fn compared(&self, gate: &Gate, report: &Report) -> Result<Compared, Failure> {
        match self.report.as_deref() {
            Some("") => gate.client()?.post("/inventory", report).await,
            Some(url) => Client::new(&gate.finding.at(url)?)?.post("/inventory", report).await,
            None if self.offline => Ok(inventory::compared(report, None)),
            None if gate.finding.is_named() => gate.client()?.post("/inventory/compare", report).await,
            None if self.fix.is_asked() => Err(Failure::usage("no gate was named, so there is none to go through")
                .with_next("name it with --config, or with --admin and --token-file")),
            None => Ok(inventory::compared(report, None)),
        }
    }
}
