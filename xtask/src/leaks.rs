//! No file tells where it was written: absolute paths of a build machine, and hosts of a private registry.
//!
//! What would be a leak is asked of the machine the check runs on (its folders, and the registries Cargo is told to use
//! there), because a list of such names in the repository would be the leak itself. People's folders in general are no
//! leak: policies and attacks are about paths.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::repository::Repository;

/// Components of a home folder that is one person's; the administrator's has fewer and is the same everywhere.
const PERSONAL_COMPONENTS_MIN: usize = 3;
/// What may be named although a machine's Cargo is told to use it.
const PUBLIC_HOSTS: &[&str] = &["github.com", "crates.io", "index.crates.io", "static.crates.io"];

/// Folders that every machine has: only what is in them is one machine's.
const EVERYWHERE: [&str; 1] = ["/tmp"];

/// Every place where a file names what only one machine has.
pub(crate) fn violations(repository: &Repository) -> anyhow::Result<Vec<String>> {
    let machine = Machine::this(&repository.root);
    let mut violations = Vec::new();
    for path in &repository.files {
        let bytes = fs::read(repository.root.join(path)).with_context(|| format!("read `{}`", path.display()))?;
        let text = String::from_utf8_lossy(&bytes);
        violations
            .extend(machine.leaks(&text).map(|(line, leak)| format!("{}:{line}: names `{leak}`", path.display())));
    }
    Ok(violations)
}

/// What only this machine has.
struct Machine {
    folders: BTreeSet<String>,
    hosts: BTreeSet<String>,
}

impl Machine {
    fn this(root: &Path) -> Self {
        let home = std::env::home_dir();
        let in_home = |name: &str| home.as_ref().map(|home| home.join(name));
        let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| in_home(".cargo"));
        let rustup = std::env::var_os("RUSTUP_HOME").map(PathBuf::from).or_else(|| in_home(".rustup"));
        let personal = home.clone().filter(|home| home.components().count() >= PERSONAL_COMPONENTS_MIN);
        let around = [root.parent().map(Path::to_owned), Some(root.to_owned()), Some(std::env::temp_dir())];
        let folders = around.into_iter().chain([personal, cargo.clone(), rustup]).flatten();
        let folders = folders.filter_map(|folder| Some(folder.to_str()?.trim_end_matches('/').to_owned()));
        let folders = folders.filter(|folder| folder.starts_with('/')).collect();
        let settings = cargo.and_then(|cargo| fs::read_to_string(cargo.join("config.toml")).ok()).unwrap_or_default();
        Self { folders, hosts: registry_hosts(&settings) }
    }

    /// The lines of a text, counted from 1, that name what only this machine has, with what they name.
    fn leaks<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
        text.lines().enumerate().filter_map(|(index, line)| Some((index + 1, self.leak(line)?)))
    }

    fn leak(&self, line: &str) -> Option<&str> {
        let folder = self.folders.iter().find(|folder| begins_path(line, folder));
        folder.or_else(|| self.hosts.iter().find(|host| line.contains(*host))).map(String::as_str)
    }
}

/// Whether the line names the folder or what is in it. Within a longer path or a URL it is another folder.
fn begins_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line.get(at + folder.len()..).and_then(|after| after.chars().next());
        before.is_none_or(|before| !before.is_alphanumeric() && !"/._-~}*$".contains(before))
            && match EVERYWHERE.contains(&folder) {
                true => after == Some('/'),
                false => after.is_none_or(|after| !after.is_alphanumeric() && !"_-".contains(after)),
            }
    })
}

/// The hosts of the registries that Cargo's settings name, except public ones.
fn registry_hosts(settings: &str) -> BTreeSet<String> {
    let Ok(settings) = settings.parse::<toml::Table>() else { return BTreeSet::new() };
    let tables = ["source", "registries"].into_iter().filter_map(|name| settings.get(name)?.as_table());
    let urls = tables.flat_map(toml::Table::values).filter_map(|entry| {
        let entry = entry.as_table()?;
        entry.get("registry").or_else(|| entry.get("index"))?.as_str()
    });
    urls.filter_map(host).filter(|host| !PUBLIC_HOSTS.contains(&host.as_str())).collect()
}

fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    Some(host.to_owned()).filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests;
