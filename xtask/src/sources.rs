//! What each crate's manifest and sources look like.

use std::fs;

use anyhow::Context;

use crate::repository::Repository;

/// Lines after which a file asks whether it is two.
const FILE_LINES_MAX: usize = 400;

/// Every crate that does not take the workspace's lints: it could panic, or be `unsafe`, unseen.
pub(crate) fn without_lints(repository: &Repository) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    for subject in &repository.crates {
        let name = &subject.name;
        let text =
            fs::read_to_string(&subject.manifest_path).with_context(|| format!("read the manifest of `{name}`"))?;
        let manifest: toml::Table = text.parse().with_context(|| format!("parse the manifest of `{name}`"))?;
        if !inherits_lints(&manifest) {
            violations.push(format!("{name}: its manifest lacks `[lints] workspace = true`"));
        }
    }
    Ok(violations)
}

fn inherits_lints(manifest: &toml::Table) -> bool {
    let workspace = manifest.get("lints").and_then(|lints| lints.get("workspace"));
    workspace.and_then(toml::Value::as_bool) == Some(true)
}

/// Rust files of more than [`FILE_LINES_MAX`] lines, longest first. Tests may be long: they are lists.
pub(crate) fn long_files(repository: &Repository) -> anyhow::Result<Vec<String>> {
    let mut long = Vec::new();
    let sources = repository.files.iter().filter(|path| {
        let in_src = path.components().any(|part| part.as_os_str() == "src");
        in_src && path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs")
    });
    for path in sources {
        let text =
            fs::read_to_string(repository.root.join(path)).with_context(|| format!("read `{}`", path.display()))?;
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            long.push((lines, path.display()));
        }
    }
    long.sort_by_key(|(lines, _)| std::cmp::Reverse(*lines));
    Ok(long.into_iter().map(|(lines, path)| format!("{path}: {lines} lines; is it two?")).collect())
}

#[cfg(test)]
mod tests;
