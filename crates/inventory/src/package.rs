//! Which package does a command run? Most local servers are started by a program that fetches them first, and what counts
//! is what is fetched.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where packages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ecosystem {
    /// npm.
    Npm,
    /// The Python Package Index.
    Pypi,
    /// Container images.
    Oci,
}

impl Ecosystem {
    /// Its name in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pypi => "PyPI",
            Self::Oci => "image",
        }
    }
}

/// A package that a command fetches and runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Where it comes from.
    pub ecosystem: Ecosystem,
    /// Its name, as its registry writes it.
    pub name: String,
    /// The one version that is run; none where it is whichever is newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A package, and the arguments that it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run<'a> {
    pub(crate) package: Package,
    pub(crate) arguments: &'a [String],
}

/// Options of `npx` and the like that are followed by a value.
const NPM_VALUES: &[&str] = &["-c", "--call", "-w", "--workspace", "--registry", "--userconfig", "--prefix", "--cache"];
/// Options of `uvx` and the like that are followed by a value.
const PYTHON_VALUES: &[&str] = &[
    "-p",
    "--python",
    "--with",
    "--with-editable",
    "--index-url",
    "-i",
    "--index",
    "--extra-index-url",
    "--default-index",
    "--directory",
    "--project",
    "--cache-dir",
    "--env-file",
    "-c",
    "--constraints",
    "--exclude-newer",
    "--refresh-package",
    "-P",
    "--upgrade-package",
    "--pip-args",
];
/// Options of `docker run` and the like that are followed by a value.
const IMAGE_VALUES: &[&str] = &[
    "-e",
    "--env",
    "--env-file",
    "-v",
    "--volume",
    "--mount",
    "-p",
    "--publish",
    "--name",
    "--network",
    "--net",
    "-w",
    "--workdir",
    "-u",
    "--user",
    "--entrypoint",
    "-m",
    "--memory",
    "--cpus",
    "--add-host",
    "-l",
    "--label",
    "--platform",
    "--pull",
    "--gpus",
    "-h",
    "--hostname",
    "--device",
    "--tmpfs",
    "--cap-add",
    "--cap-drop",
    "--security-opt",
    "--dns",
    "--log-driver",
    "--restart",
    "--ulimit",
    "--shm-size",
    "--pids-limit",
    "--group-add",
    "--cidfile",
    "--label-file",
];

/// The package that a program with these arguments fetches and runs.
pub(crate) fn run<'a>(program: &str, arguments: &'a [String]) -> Option<Run<'a>> {
    let first = arguments.first().map(String::as_str);
    let rest = arguments.get(1..).unwrap_or_default();
    match (base(program).as_str(), first) {
        ("cmd", Some("/c" | "/C")) => {
            let (inner, rest) = rest.split_first()?;
            run(inner, rest)
        }
        ("npx" | "bunx" | "pnpx", _) => node(arguments),
        ("npm", Some("exec" | "x")) | ("pnpm" | "yarn", Some("dlx")) | ("bun", Some("x")) => node(rest),
        ("uvx", _) => python(arguments, "--from"),
        ("uv", Some("tool")) if rest.first().is_some_and(|word| word == "run") => python(rest.get(1..)?, "--from"),
        ("pipx", Some("run")) => python(rest, "--spec"),
        ("docker" | "podman" | "nerdctl", Some("run")) => image(rest),
        _ => None,
    }
}

/// A program's name without its folder and without what Windows adds, in small letters.
pub(crate) fn base(program: &str) -> String {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program).to_ascii_lowercase();
    let bare = [".exe", ".cmd", ".bat", ".ps1"].iter().find_map(|ending| name.strip_suffix(ending));
    bare.unwrap_or(&name).to_owned()
}

fn node(arguments: &[String]) -> Option<Run<'_>> {
    let mut named = None;
    let (spec, rest) = positional(arguments, NPM_VALUES, |option, value| {
        let takes = matches!(option, "-p" | "--package");
        if takes {
            named = value.map(str::to_owned);
        }
        takes
    })?;
    Some(Run { package: npm(&named.unwrap_or_else(|| spec.to_owned()))?, arguments: rest })
}

fn python<'a>(arguments: &'a [String], from: &str) -> Option<Run<'a>> {
    let mut named = None;
    let (spec, rest) = positional(arguments, PYTHON_VALUES, |option, value| {
        let takes = option == from;
        if takes {
            named = value.map(str::to_owned);
        }
        takes
    })?;
    Some(Run { package: pypi(&named.unwrap_or_else(|| spec.to_owned()))?, arguments: rest })
}

fn image(arguments: &[String]) -> Option<Run<'_>> {
    let (spec, rest) = positional(arguments, IMAGE_VALUES, |_, _| false)?;
    let (name, version) = match spec.split_once('@') {
        Some((name, digest)) => (name, Some(digest.to_owned())),
        None => (spec, None),
    };
    // A tag may lead elsewhere tomorrow: it is part of neither the name nor the version.
    let slash = name.rfind('/').map_or(0, |slash| slash + 1);
    let tag = name.get(slash..)?.find(':').map(|tag| slash + tag);
    let name = name.get(..tag.unwrap_or(name.len()))?;
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let package = Package { ecosystem: Ecosystem::Oci, name: name.to_owned(), version };
    Some(Run { package, arguments: rest })
}

/// The first argument that is no option, and what follows it. `takes` is told of every option with the argument after it,
/// and says whether that is its value, beside the options that are known to have one.
fn positional<'a>(
    arguments: &'a [String],
    with_values: &[&str],
    mut takes: impl FnMut(&str, Option<&str>) -> bool,
) -> Option<(&'a str, &'a [String])> {
    let mut at = 0;
    while let Some(argument) = arguments.get(at) {
        let next = arguments.get(at + 1).map(String::as_str);
        at += 1;
        if argument == "--" {
            continue;
        }
        if !argument.starts_with('-') {
            return Some((argument, arguments.get(at..).unwrap_or_default()));
        }
        match argument.split_once('=') {
            Some((option, value)) => drop(takes(option, Some(value))),
            None if takes(argument, next) || with_values.contains(&argument.as_str()) => at += 1,
            None => {}
        }
    }
    None
}

/// `@scope/name@1.2.3`.
fn npm(spec: &str) -> Option<Package> {
    let from = usize::from(spec.starts_with('@'));
    let at = spec.get(from..)?.find('@').map(|at| at + from);
    let name = spec.get(..at.unwrap_or(spec.len()))?;
    let version = at.and_then(|at| spec.get(at + 1..)).filter(|version| is_exact(version));
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "@/-_.~".contains(letter);
    let package = || Package { ecosystem: Ecosystem::Npm, name: name.to_owned(), version: version.map(str::to_owned) };
    (!name.is_empty() && name.chars().all(plain) && !name.starts_with(['.', '/'])).then(package)
}

/// `name[extra]==1.2`, `name@1.2`.
fn pypi(spec: &str) -> Option<Package> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let end = spec.find(|letter| !plain(letter)).unwrap_or(spec.len());
    let name = spec.get(..end).filter(|name| !name.is_empty() && !name.starts_with('.'))?;
    let rest = spec.get(end..)?;
    let rest = if rest.starts_with('[') { rest.split_once(']')?.1 } else { rest };
    // `git+https://…` is no package of the index.
    if rest.starts_with(['+', ':', '/']) {
        return None;
    }
    let version = rest.strip_prefix("==").or_else(|| rest.strip_prefix('@'));
    let version = version.map(str::trim).filter(|version| is_exact(version)).map(str::to_owned);
    Some(Package { ecosystem: Ecosystem::Pypi, name: normal(name), version })
}

/// A name of the Python Package Index as PEP 503 normalises it.
fn normal(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

/// Whether a version is one version, and not whatever fits.
fn is_exact(version: &str) -> bool {
    version.starts_with(|letter: char| letter.is_ascii_digit())
        && version.contains('.')
        && !version.contains(['*', ' ', '|', 'x', 'X', ','])
}

#[cfg(test)]
mod tests;
