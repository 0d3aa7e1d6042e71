//! `portcullis quickstart`: the sample company, a gate in front of it, and a story that shows it working.
//!
//! Everything is real: MCP servers on loopback sockets, the gate with its files, agents that call over HTTP. Read
//! [`stage`] for what is set up, then [`story`] for what happens.

mod page;
mod stage;
mod story;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::Quickstart;
use crate::settings::Loaded;
use page::Page;
use stage::Stage;

/// Sets the stage, tells the story, and stays up unless `--once` was given.
///
/// # Errors
/// When the stage cannot be set, or a step of the story did not go as told.
pub(crate) async fn run(arguments: &Quickstart) -> anyhow::Result<()> {
    let place = Place::choose(arguments.directory.as_deref())?;
    let page = Page::new();
    page.title();
    let stage = Stage::set(place.path()).await?;
    page.stage(&stage);
    let told = story::tell(&stage, &page).await;
    let result = match &told {
        Ok(story) => {
            let journal = stage.verify().await?;
            page.summary(story, &journal);
            if story.went_as_told() && journal.problems_total == 0 {
                Ok(())
            } else {
                Err(anyhow::anyhow!("the story did not go as told"))
            }
        }
        Err(error) => Err(anyhow::anyhow!("the story broke off: {error:#}")),
    };
    if result.is_ok() && !arguments.once {
        page.stays(&stage);
        asked_to_stop().await?;
    }
    stage.strike().await;
    result
}

/// Resolves with Ctrl-C, or when the process is told to end.
async fn asked_to_stop() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for a signal")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot wait for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}

/// Where the quickstart keeps its files.
enum Place {
    /// A directory of its own, removed in the end.
    Temporary(PathBuf),
    /// The user's.
    Given(PathBuf),
}

impl Place {
    fn choose(given: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = given else {
            let random = model::Entropy::bits(&crate::system::SystemEntropy::default());
            let name = format!("portcullis-quickstart-{:012x}", random & 0xffff_ffff_ffff);
            return Ok(Self::Temporary(std::env::temp_dir().join(name)));
        };
        if path.join("portcullis.toml").exists() {
            bail!(
                "`{}` holds a quickstart already, whose sample servers are gone: name another directory, or remove it",
                path.display()
            );
        }
        let mut entries = std::fs::read_dir(path).into_iter().flatten();
        if entries.next().is_some() {
            bail!("`{}` is not empty: name a new directory", path.display());
        }
        Ok(Self::Given(path.to_owned()))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(path) | Self::Given(path) => path,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Temporary(path) = self {
            // What cannot be removed is in the system's temporary directory, which the system clears.
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

/// Settings of a quickstart, read as any gate reads its own.
fn settings(directory: &Path) -> anyhow::Result<Loaded> {
    Loaded::read(&directory.join("portcullis.toml"))
}
