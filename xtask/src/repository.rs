//! The repository as the checks see it: its crates, and the files that are in version control.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde::Deserialize;

/// Crates and files of one checkout.
pub(crate) struct Repository {
    /// The folder of the workspace.
    pub(crate) root: PathBuf,
    /// The workspace's crates.
    pub(crate) crates: Vec<Crate>,
    /// The files in version control that still exist, by their path from the root.
    pub(crate) files: Vec<PathBuf>,
}

/// What Cargo knows of one of our crates.
#[derive(Debug, Deserialize)]
pub(crate) struct Crate {
    /// Its name.
    pub(crate) name: String,
    /// Its `Cargo.toml`.
    pub(crate) manifest_path: PathBuf,
    /// All it depends on.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One dependency of a crate, as declared.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The name of the package, whatever it is renamed to.
    pub(crate) name: String,
    /// `dev` or `build`; none for a normal one.
    pub(crate) kind: Option<String>,
    /// Where it is, if it is one of ours.
    pub(crate) path: Option<PathBuf>,
}

impl Dependency {
    /// Whether it is built into what we ship. Tests may use what they like.
    pub(crate) fn ships(&self) -> bool {
        self.kind.as_deref() != Some("dev")
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Crate>,
}

impl Repository {
    /// Reads the checkout this program was built from.
    pub(crate) fn here() -> anyhow::Result<Self> {
        let root = Self::root()?;
        let metadata = said(cargo().args(["metadata", "--no-deps", "--offline", "--format-version", "1"]), &root)?;
        let Metadata { packages } = serde_json::from_slice(&metadata).context("read what cargo says of the crates")?;
        let listing = said(Command::new("git").args(["ls-files", "-z"]), &root)?;
        let listing = String::from_utf8(listing).context("read what git says of the files")?;
        let files =
            listing.split_terminator('\0').map(PathBuf::from).filter(|path| root.join(path).is_file()).collect();
        Ok(Self { root, crates: packages, files })
    }

    /// The workspace's folder: the one above this crate's.
    pub(crate) fn root() -> anyhow::Result<PathBuf> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("find the workspace's folder")?;
        Ok(root.to_owned())
    }
}

/// The `cargo` that runs this program, or else the one on the path.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn said(command: &mut Command, directory: &Path) -> anyhow::Result<Vec<u8>> {
    let output = command.current_dir(directory).output().with_context(|| format!("run {command:?}"))?;
    ensure!(output.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}
