//! `portcullis server try`: what a server's program tries, where it can do no harm.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use admin::requests::{PackageFile, TryRequest};
use admin::view::TrialView;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use model::{ServerName, limits};

use super::failure::Failure;
use super::paint::visible;
use super::server::path;
use super::{Gate, looked, probe};

/// A server whose program is to be tried.
#[derive(Debug, Args)]
pub(crate) struct TryNamed {
    /// The server
    name: ServerName,
    /// The package that it is installed from: a .tgz of npm, a .whl or .tar.gz of Python, an .mcpb; without it, the command in its manifest
    #[arg(long, value_name = "FILE")]
    package: Option<PathBuf>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl TryNamed {
    pub(super) async fn run(self, gate: &Gate) -> Result<(), Failure> {
        let Self { name, package, reason } = self;
        let package = package.as_deref().map(read).transpose()?;
        let body = TryRequest { package, reason };
        let patience = Duration::from_secs(limits::TRIAL_SECONDS_MAX) + Duration::from_secs(30);
        let client = gate.client()?.patient(patience);
        let view: TrialView = probe::watched(&client, &name, &path(&name, "/try"), &body, gate.json).await?;
        gate.print(&view, |view| looked::trial(view).trim_start().to_owned())
    }
}

fn read(package: &Path) -> Result<PackageFile, Failure> {
    let shown = visible(&package.display().to_string()).into_owned();
    let cannot = |error: std::io::Error| Failure::new(format!("cannot read `{shown}`: {error}"));
    let found = fs::metadata(package).map_err(cannot)?;
    if usize::try_from(found.len()).is_ok_and(|bytes| bytes > limits::TRIAL_PACKAGE_BYTES_MAX) {
        let most = limits::TRIAL_PACKAGE_BYTES_MAX / (1024 * 1024);
        return Err(Failure::new(format!("`{shown}` is too large to be tried: at most {most} MiB are possible"))
            .with_next("look into it with `portcullis server scan`"));
    }
    let name = package.file_name().and_then(|name| name.to_str()).unwrap_or("package").to_owned();
    Ok(PackageFile { name, base64: STANDARD.encode(fs::read(package).map_err(cannot)?) })
}
