//! What each crate's manifest and sources look like.

use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::repository::Repository;

/// Lines after which a file asks whether it is two.
const FILE_LINES_MAX: usize = 400;

/// The one crate that may say `unsafe`, place by place. It cannot inherit the workspace's lints, as `forbid` has no
/// exceptions, and so it writes them out.
const UNSAFE_CRATE: &str = "sandbox";

/// Every crate that does not take the workspace's lints: it could panic, or be `unsafe`, unseen.
pub(crate) fn without_lints(repository: &Repository) -> anyhow::Result<Vec<String>> {
    let workspace = parsed(&repository.root.join("Cargo.toml"))?;
    let mut violations = Vec::new();
    for subject in &repository.crates {
        let name = &subject.name;
        let manifest = parsed(&subject.manifest_path)?;
        if name == UNSAFE_CRATE {
            if !writes_lints_out(&manifest, &workspace) {
                let rule = "its `[lints]` must be the workspace's, but for `unsafe_code = \"deny\"`";
                violations.push(format!("{name}: {rule}"));
            }
        } else if !inherits_lints(&manifest) {
            violations.push(format!("{name}: its manifest lacks `[lints] workspace = true`"));
        }
    }
    Ok(violations)
}

fn parsed(manifest: &Path) -> anyhow::Result<toml::Table> {
    let text = fs::read_to_string(manifest).with_context(|| format!("read `{}`", manifest.display()))?;
    text.parse().with_context(|| format!("parse `{}`", manifest.display()))
}

fn inherits_lints(manifest: &toml::Table) -> bool {
    let workspace = manifest.get("lints").and_then(|lints| lints.get("workspace"));
    workspace.and_then(toml::Value::as_bool) == Some(true)
}

/// Whether a manifest has all of the workspace's lints, and of `unsafe_code` only that it is denied, not forbidden.
fn writes_lints_out(manifest: &toml::Table, workspace: &toml::Table) -> bool {
    let Some(mut expected) = workspace.get("workspace").and_then(|workspace| workspace.get("lints")).cloned() else {
        return false;
    };
    let Some(rust) = expected.get_mut("rust").and_then(toml::Value::as_table_mut) else { return false };
    rust.insert("unsafe_code".to_owned(), "deny".into());
    manifest.get("lints") == Some(&expected)
}

/// Every fence in the comments of a library that opens anything but `text`: it would be a test that nobody runs, because
/// `./test` builds no documentation.
pub(crate) fn documented_tests(repository: &Repository) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    for path in repository.files.iter().filter(|path| path.extension().is_some_and(|end| end == "rs")) {
        let text =
            fs::read_to_string(repository.root.join(path)).with_context(|| format!("read `{}`", path.display()))?;
        violations.extend(tests_in_comments(&text).map(|line| {
            let rule = "examples in comments are not run; make it `text`, or a test";
            format!("{}:{line}: {rule}", path.display())
        }));
    }
    Ok(violations)
}

/// The lines, from 1, on which comments open a fence that is not of `text`.
fn tests_in_comments(text: &str) -> impl Iterator<Item = usize> {
    let fences = text.lines().zip(1..).filter_map(|(line, number)| {
        let line = line.trim_start();
        let comment = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))?;
        Some((comment.trim_start().strip_prefix("```")?, number))
    });
    // Each second one closes.
    fences.step_by(2).filter(|(kind, _)| kind.trim() != "text").map(|(_, number)| number)
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
