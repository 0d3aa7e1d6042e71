//! What every command does with what it measured: says it, and keeps it as a file.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

/// Writes a report into the folder of the reports, under its name, and gives its path.
pub(crate) fn keep(results: &Path, name: &str, report: &impl Serialize) -> anyhow::Result<PathBuf> {
    let path = results.join(format!("{name}.json"));
    fs::create_dir_all(results).context("make the folder of the reports")?;
    fs::write(&path, serde_json::to_string_pretty(report)? + "\n").context("keep the report")?;
    Ok(path)
}

/// Says a line.
pub(crate) fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("write to standard output")
}
