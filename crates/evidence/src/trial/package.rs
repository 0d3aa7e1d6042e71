//! What to try of a package: how it is installed, and how it is started afterwards.
//!
//! The archive is read as strangers' archives are read ([`dossier::archive`]), to know its form. Unpacked and installed it is in the
//! jail, by the installer that people use: what that runs is what is to be seen.

mod bundle;

use dossier::archive::{self, ArchiveError, Contents};
use model::limits;
use serde_json::Value;

/// Where the package is found in a jail.
const PLACE: &str = "/run/package";

/// A package that can be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its file's name, of plain characters.
    pub name: String,
    /// What is done with it before it is started.
    pub steps: Vec<Step>,
    /// How it is started: for a shell.
    pub start: String,
}

/// Something that is done before a program is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What, for people.
    pub what: String,
    /// How, for a shell.
    pub shell: String,
    /// It is there for when the step before it failed, and does nothing otherwise.
    pub is_resort: bool,
}

/// Why a package cannot be tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// It is too large.
    #[error("the package has more than {} bytes", limits::TRIAL_PACKAGE_BYTES_MAX)]
    TooLarge,
    /// It cannot be unpacked.
    #[error("the package cannot be read: {0}")]
    Archive(ArchiveError),
    /// It is of a form that nobody here knows to install.
    #[error(
        "the package is none of npm (.tgz), none of Python (.whl, .tar.gz) and no MCP bundle (.mcpb): nobody here knows how to \
         install it"
    )]
    Form,
}

impl Package {
    /// Reads what is to be tried. `name` is the file's.
    ///
    /// # Errors
    /// When it is no package that can be installed here.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, PackageError> {
        if bytes.len() > limits::TRIAL_PACKAGE_BYTES_MAX {
            return Err(PackageError::TooLarge);
        }
        let contents = archive::unpacked(bytes, archive::Limits::default()).map_err(PackageError::Archive)?;
        let plain = |character: char| character.is_ascii_alphanumeric() || "._+-".contains(character);
        let name: String = name.chars().map(|character| if plain(character) { character } else { '_' }).collect();
        let name = name.trim_start_matches(['.', '-']).to_owned();
        let place = quoted(&format!("{PLACE}/{name}"));
        if let Some(manifest) = bundle::manifest(&contents) {
            return Ok(Self { steps: bundle::steps(&place), start: bundle::start(&manifest), name });
        }
        let has = |end: &str| contents.files.keys().any(|path| path.ends_with(end) && path.matches('/').count() == 1);
        if has(".dist-info/METADATA") || has("/PKG-INFO") || has("/setup.py") || has("/pyproject.toml") {
            let is_wheel = name.ends_with(".whl");
            return Ok(Self { steps: of_python(&place, is_wheel), start: python(&contents, &name), name });
        }
        let described = described(&contents).ok_or(PackageError::Form)?;
        Ok(Self { steps: of_npm(&place), start: node(&described), name })
    }

    /// Where it is found in a jail.
    pub fn place(&self) -> String {
        format!("{PLACE}/{}", self.name)
    }
}

/// What a package of npm says of itself.
fn described(contents: &Contents) -> Option<Value> {
    let mut paths = contents.files.iter();
    let (_, file) = paths.find(|(path, _)| path.ends_with("/package.json") && path.matches('/').count() == 1)?;
    // What cannot be read is installed all the same: npm may read it otherwise.
    Some(serde_json::from_slice(file.content.as_deref()?).unwrap_or_default())
}

fn of_npm(place: &str) -> Vec<Step> {
    let install = format!(
        "mkdir -p ~/tried && cd ~/tried && npm install --no-audit --no-fund --no-update-notifier --foreground-scripts \
         --ignore-scripts=false --fetch-retries=0 {place}"
    );
    // What it needs is not to be had without a registry; what it has run when it is installed is to be seen all the same.
    let alone = format!(
        "mkdir -p ~/alone && tar -xzf {place} -C ~/alone --strip-components=1 && cd ~/alone && \
         for event in preinstall install postinstall; do npm run --if-present $event; done"
    );
    installed(("npm install", &install), ("its scripts alone", &alone))
}

fn of_python(place: &str, is_wheel: bool) -> Vec<Step> {
    let pip = "python3 -m pip install --no-input --disable-pip-version-check --no-warn-script-location --no-cache-dir \
               --no-build-isolation --retries 0 --target ~/tried";
    // A wheel is a zip of what is installed: without an installer it can still be started.
    let unpacked = if is_wheel { format!(" || python3 -m zipfile -e {place} ~/tried") } else { String::new() };
    let alone = format!("{pip} --no-deps {place}{unpacked}");
    installed(("pip install", &format!("{pip} {place}")), ("the same without what it needs", &alone))
}

/// Installs it; where that fails, does the other thing instead, in the room that it left.
fn installed((what, install): (&str, &str), (otherwise, resort): (&str, &str)) -> Vec<Step> {
    let step = |what: &str, shell, is_resort| Step { what: what.to_owned(), shell, is_resort };
    vec![
        step(what, format!("{install} && : > ~/installed"), false),
        step(otherwise, format!("[ -e ~/installed ] && exit 0; rm -rf ~/tried ~/.npm; {resort}"), true),
    ]
}

/// Starts the first program that a Python package names, or the one with its name, or the first that was installed with it.
/// What it needs has programs of its own, and they lie in the same place.
fn python(contents: &Contents, file: &str) -> String {
    let entry = entry_point(contents);
    let project = project(file);
    let mut names = vec![project.replace('_', "-"), project];
    names.extend(entry.iter().map(|entry| entry.program.clone()));
    let named: Vec<_> = names.iter().rev().map(|name| quoted(name)).collect();
    let start = |programs: &str| {
        format!("for program in {programs}; do [ -f \"$program\" ] && [ -x \"$program\" ] && exec \"$program\"; done")
    };
    let places: Vec<_> = named.iter().map(|name| format!("\"$HOME/tried/bin/\"{name}")).collect();
    let by_name = format!("export PYTHONPATH=\"$HOME/tried\"; {}", start(&places.join(" ")));
    match entry {
        Some(Entry { module, function, .. }) => {
            let call = format!("import sys, importlib; sys.exit(importlib.import_module('{module}').{function}())");
            format!("{by_name}; exec python3 -c {}", quoted(&call))
        }
        None => format!("{by_name}; {}", start("\"$HOME\"/tried/bin/*")),
    }
}

/// The project that a file of it is called after: what stands before its version.
fn project(file: &str) -> String {
    let is_version = |part: &str| part.starts_with(|first: char| first.is_ascii_digit());
    let parts: Vec<_> = file.split('-').take_while(|part| !is_version(part)).collect();
    parts.join("-")
}

/// A program that a wheel names.
struct Entry {
    program: String,
    module: String,
    function: String,
}

/// The first of the programs that a wheel names: `name = module:function`.
fn entry_point(contents: &Contents) -> Option<Entry> {
    let mut paths = contents.files.iter();
    let (_, file) = paths.find(|(path, _)| path.ends_with(".dist-info/entry_points.txt"))?;
    let text = String::from_utf8_lossy(file.content.as_deref()?).into_owned();
    let programs = text.lines().skip_while(|line| line.trim() != "[console_scripts]").skip(1);
    let (program, place) = programs.take_while(|line| !line.starts_with('[')).find_map(|line| line.split_once('='))?;
    let (module, function) = place.split('[').next()?.trim().split_once(':')?;
    let is_name =
        |text: &str| text.chars().all(|letter| letter.is_alphanumeric() || "._".contains(letter)) && !text.is_empty();
    let entry = Entry { program: program.trim().to_owned(), module: module.to_owned(), function: function.to_owned() };
    // A program is a file of one folder, whatever it is called.
    (is_name(module) && is_name(function) && !entry.program.contains('/')).then_some(entry)
}

/// Starts the program that a package of npm names: as it was installed, or as it lies there.
fn node(described: &Value) -> String {
    let own = described.get("name").and_then(Value::as_str).unwrap_or_default();
    let short = own.rsplit('/').next().unwrap_or_default();
    let (name, path) = match described.get("bin") {
        Some(Value::String(path)) => (short, path.as_str()),
        Some(Value::Object(programs)) => {
            let named = programs.iter().find(|(name, _)| *name == short).or_else(|| programs.iter().next());
            named.map_or((short, "index.js"), |(name, path)| (name.as_str(), path.as_str().unwrap_or("index.js")))
        }
        Some(_) | None => (short, described.get("main").and_then(Value::as_str).unwrap_or("index.js")),
    };
    let (name, path, own) = (quoted(name), quoted(path), quoted(own));
    format!(
        "program=\"$HOME/tried/node_modules/.bin/\"{name}; [ -x \"$program\" ] && exec \"$program\"; \
         cd \"$HOME/alone\" 2>/dev/null || cd \"$HOME/tried/node_modules/\"{own}; exec node ./{path}"
    )
}

/// Characters of a text that stands in a command.
const QUOTED_CHARS_MAX: usize = 4096;

/// A text that a shell takes as it is.
fn quoted(text: &str) -> String {
    let text: String = text.chars().filter(|character| !character.is_control()).take(QUOTED_CHARS_MAX).collect();
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
