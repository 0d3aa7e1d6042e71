//! Lock files, and the metadata of packages that lie within another.

use serde_json::Value;

use super::{Ecosystem, Found};

/// Whether a file says which versions are installed.
pub(super) fn is_one(path: &str) -> bool {
    // What stands in `node_modules` was the lock file of somebody else's development.
    !path.contains("node_modules/") && kind(path).is_some()
}

/// The forms of lock files.
#[derive(Clone, Copy)]
enum Lock {
    Npm,
    Yarn,
    /// Tables `package` or `packages` in TOML.
    Tables(Ecosystem),
    Pipfile,
    Requirements,
}

fn kind(path: &str) -> Option<Lock> {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name {
        "package-lock.json" | "npm-shrinkwrap.json" | ".package-lock.json" => Some(Lock::Npm),
        "yarn.lock" => Some(Lock::Yarn),
        "poetry.lock" | "uv.lock" | "pdm.lock" => Some(Lock::Tables(Ecosystem::Python)),
        "Cargo.lock" => Some(Lock::Tables(Ecosystem::Crates)),
        "Pipfile.lock" => Some(Lock::Pipfile),
        _ if name.starts_with("pylock.") && name.ends_with(".toml") => Some(Lock::Tables(Ecosystem::Python)),
        _ if name.starts_with("requirements") && name.ends_with(".txt") => Some(Lock::Requirements),
        _ => None,
    }
}

/// The ecosystem of a package that lies within another, by the path of its metadata.
pub(super) fn brought_along(path: &str) -> Option<Ecosystem> {
    let within = path.rsplit_once("node_modules/").map(|(_, within)| within);
    let parts = within.map(|within| (within.starts_with('@'), within.split('/').collect::<Vec<_>>()));
    match parts {
        Some((false, parts)) if matches!(parts.as_slice(), [_, "package.json"]) => Some(Ecosystem::Npm),
        Some((true, parts)) if matches!(parts.as_slice(), [_, _, "package.json"]) => Some(Ecosystem::Npm),
        Some(_) => None,
        None => {
            let (folder, _) = path.rsplit_once(".dist-info/METADATA").filter(|(_, rest)| rest.is_empty())?;
            // At the top it is the wheel's own.
            folder.contains('/').then_some(Ecosystem::Python)
        }
    }
}

/// Reads a lock file, or the metadata of a package within. What cannot be read says nothing.
pub(super) fn read(path: &str, text: &str, found: &mut Found) {
    if let Some(ecosystem) = brought_along(path) {
        return within(ecosystem, path, text, found);
    }
    match kind(path) {
        Some(Lock::Npm) => npm(path, text, found),
        Some(Lock::Yarn) => yarn(path, text, found),
        Some(Lock::Tables(ecosystem)) => tables(ecosystem, path, text, found),
        Some(Lock::Pipfile) => pipfile(path, text, found),
        Some(Lock::Requirements) => requirements(text, found),
        None => {}
    }
}

fn within(ecosystem: Ecosystem, path: &str, text: &str, found: &mut Found) {
    let (name, version) = if ecosystem == Ecosystem::Npm {
        let Ok(whole) = serde_json::from_str::<Value>(text) else { return };
        let said = |key: &str| whole.get(key).and_then(Value::as_str).map(str::to_owned);
        (said("name"), said("version"))
    } else {
        let head = || text.lines().take_while(|line| !line.trim().is_empty());
        let said = |key: &str| head().find_map(|line| Some(line.strip_prefix(key)?.trim().to_owned()));
        (said("Name:"), said("Version:"))
    };
    if let Some((name, version)) = name.zip(version) {
        found.fixed(ecosystem, &name, &version, path);
    }
}

/// `packages`, by the folder they are installed in, since version 2; `dependencies`, one within the other, before.
fn npm(path: &str, text: &str, found: &mut Found) {
    let Ok(whole) = serde_json::from_str::<Value>(text) else { return };
    let flag = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_bool).unwrap_or_default();
    let version = |entry: &Value| entry.get("version").and_then(Value::as_str).map(str::to_owned);
    if let Some(packages) = whole.get("packages").and_then(Value::as_object) {
        for (folder, entry) in packages {
            let Some((_, name)) = folder.rsplit_once("node_modules/") else { continue };
            let name = entry.get("name").and_then(Value::as_str).unwrap_or(name);
            if let Some(version) = version(entry).filter(|_| !flag(entry, "dev") && !flag(entry, "link")) {
                found.fixed(Ecosystem::Npm, name, &version, path);
            }
        }
        return;
    }
    let mut waiting: Vec<&Value> = whole.get("dependencies").into_iter().collect();
    while let Some(dependencies) = waiting.pop() {
        for (name, entry) in dependencies.as_object().into_iter().flatten() {
            waiting.extend(entry.get("dependencies"));
            if let Some(version) = version(entry).filter(|_| !flag(entry, "dev")) {
                found.fixed(Ecosystem::Npm, name, &version, path);
            }
        }
    }
}

/// Blocks: `"name@range", name@range:` and, indented, `version "1.2.3"` (or `version: 1.2.3`).
fn yarn(path: &str, text: &str, found: &mut Found) {
    let mut name = None;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if !line.starts_with([' ', '\t']) {
            let first = line.split(',').next().unwrap_or_default().trim().trim_matches(['"', ':']);
            let at = first.char_indices().skip(1).find(|(_, letter)| *letter == '@').map(|(at, _)| at);
            name = at.and_then(|at| first.get(..at)).map(str::to_owned);
        } else if let Some(version) = line.trim().strip_prefix("version")
            && let Some(name) = name.take()
        {
            found.fixed(Ecosystem::Npm, &name, version.trim_matches([':', ' ', '"']), path);
        }
    }
}

fn tables(ecosystem: Ecosystem, path: &str, text: &str, found: &mut Found) {
    let Ok(whole) = text.parse::<toml::Table>() else { return };
    let lists = ["package", "packages"].into_iter().filter_map(|key| whole.get(key)?.as_array());
    for package in lists.flatten() {
        let said = |key: &str| package.get(key).and_then(toml::Value::as_str);
        // In Rust's, what has no source lies beside it; in Python's, what has one that is a folder.
        let source = package.get("source");
        let lies_beside = |key: &&str| source.is_some_and(|source| source.get(key).is_some());
        let is_own = if ecosystem == Ecosystem::Crates {
            source.is_none()
        } else {
            ["editable", "virtual", "directory"].iter().any(lies_beside)
        };
        if let Some((name, version)) = said("name").zip(said("version")).filter(|_| !is_own) {
            found.fixed(ecosystem, name, version, path);
        }
    }
}

fn pipfile(path: &str, text: &str, found: &mut Found) {
    let Ok(whole) = serde_json::from_str::<Value>(text) else { return };
    for (name, entry) in whole.get("default").and_then(Value::as_object).into_iter().flatten() {
        if let Some(version) = entry.get("version").and_then(Value::as_str) {
            found.fixed(Ecosystem::Python, name, version.trim_start_matches("=="), path);
        }
    }
}

/// `name[extra]==1.2.3 ; marker --hash=…`, one a line.
fn requirements(text: &str, found: &mut Found) {
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let line = line.split([';', '\\']).next().unwrap_or_default().split(" --").next().unwrap_or_default().trim();
        let end = line.find(|letter: char| !letter.is_ascii_alphanumeric() && !"-_.".contains(letter));
        let Some((name, rest)) = line.split_at_checked(end.unwrap_or(line.len())) else { continue };
        if name.is_empty() || name.starts_with('-') || line.contains("://") {
            continue;
        }
        let rest = rest.trim();
        let rest = if rest.starts_with('[') { rest.split_once(']').map_or("", |(_, rest)| rest) } else { rest };
        found.wanted(Ecosystem::Python, name, rest.trim());
    }
}
