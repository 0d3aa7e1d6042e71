//! What a package says of itself.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::archive::Contents;

/// The forms of packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A package of npm.
    Npm,
    /// A wheel of the Python Package Index.
    Wheel,
    /// Python source, to be built where it is installed.
    PythonSource,
    /// An MCP bundle.
    Bundle,
    /// A crate.
    Crate,
    /// A container image.
    Image,
    /// None of these.
    Files,
}

impl Form {
    /// Its name for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Npm => "npm package",
            Self::Wheel => "wheel",
            Self::PythonSource => "Python source",
            Self::Bundle => "MCP bundle",
            Self::Crate => "crate",
            Self::Image => "container image",
            Self::Files => "files of no known form",
        }
    }
}

/// What a package says of itself. Nothing of it is believed for that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Its form.
    pub form: Form,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Where its source is said to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// What it needs: names, with the versions that fit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dependencies: BTreeMap<String, String>,
    /// What it has run when it is installed: the event, and the command.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub at_installation: BTreeMap<String, String>,
    /// Why what it says could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub malformed: Option<String>,
}

/// Events at which npm runs what a package says, when somebody installs it.
const NPM_EVENTS: &[&str] = &["preinstall", "install", "postinstall", "prepare"];

impl Metadata {
    pub(crate) fn blank(form: Form) -> Self {
        Self {
            form,
            name: None,
            version: None,
            licence: None,
            repository: None,
            dependencies: BTreeMap::new(),
            at_installation: BTreeMap::new(),
            malformed: None,
        }
    }
}

/// The folder that everything lies in, as archives of source have it; empty if there is none.
fn root(contents: &Contents) -> String {
    let mut first = contents.files.keys().map(|path| path.split_once('/').map(|(folder, _)| folder));
    let one = first.next().flatten();
    match one {
        Some(folder) if first.all(|other| other == Some(folder)) => format!("{folder}/"),
        Some(_) | None => String::new(),
    }
}

/// Reads what a package says of itself.
pub(crate) fn read(contents: &Contents) -> Metadata {
    let root = root(contents);
    let text = |name: &str| {
        let content = contents.files.get(&format!("{root}{name}"))?.content.as_ref()?;
        Some(String::from_utf8_lossy(content).into_owned())
    };
    let is_there = |name: &str| contents.files.contains_key(&format!("{root}{name}"));
    let wheel =
        contents.files.keys().find(|path| path.ends_with(".dist-info/METADATA") && path.matches('/').count() == 1);
    if let Some(path) = wheel {
        let content = contents.files.get(path).and_then(|file| file.content.as_ref());
        return python(Form::Wheel, &content.map(|content| String::from_utf8_lossy(content)).unwrap_or_default());
    }
    if let Some(manifest) = text("manifest.json").filter(|text| text.contains("\"server\"")) {
        return bundle(&manifest);
    }
    if let Some(package) = text("package.json") {
        let mut metadata = npm(&package);
        // What has a `binding.gyp` and says nothing else is built when it is installed.
        if is_there("binding.gyp") && !metadata.at_installation.contains_key("install") {
            metadata.at_installation.insert("install".to_owned(), "node-gyp rebuild".to_owned());
        }
        return metadata;
    }
    if is_there("setup.py") || is_there("pyproject.toml") {
        let mut metadata = python(Form::PythonSource, &text("PKG-INFO").unwrap_or_default());
        if is_there("setup.py") {
            metadata.at_installation.insert("build".to_owned(), "setup.py".to_owned());
        }
        return metadata;
    }
    match text("Cargo.toml") {
        Some(manifest) => {
            let mut metadata = cargo(&manifest);
            if is_there("build.rs") {
                metadata.at_installation.insert("build".to_owned(), "build.rs".to_owned());
            }
            metadata
        }
        None => Metadata::blank(Form::Files),
    }
}

fn npm(text: &str) -> Metadata {
    let blank = Metadata::blank(Form::Npm);
    let whole: Value = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(whole) => whole,
        Err(_) => return Metadata { malformed: Some("its package.json is no JSON".to_owned()), ..blank },
    };
    let string = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let repository = whole.get("repository");
    let mut metadata = Metadata {
        name: string(whole.get("name")),
        version: string(whole.get("version")),
        licence: string(whole.get("license")),
        repository: string(repository).or_else(|| string(repository.and_then(|one| one.get("url")))),
        ..blank
    };
    for kind in ["dependencies", "optionalDependencies"] {
        for (name, version) in whole.get(kind).and_then(Value::as_object).into_iter().flatten() {
            metadata.dependencies.insert(name.clone(), version.as_str().unwrap_or_default().to_owned());
        }
    }
    for event in NPM_EVENTS {
        // `prepare` runs for what is installed from source only, which a package of the registry is not.
        let command = string(whole.get("scripts").and_then(|scripts| scripts.get(event)));
        if let Some(command) = command.filter(|_| *event != "prepare") {
            metadata.at_installation.insert((*event).to_owned(), command);
        }
    }
    metadata
}

/// Headers as e-mail has them, up to the first empty line.
fn python(form: Form, text: &str) -> Metadata {
    let mut metadata = Metadata::blank(form);
    if text.trim().is_empty() {
        metadata.malformed = Some("it has no METADATA or PKG-INFO".to_owned());
        return metadata;
    }
    for line in text.lines().take_while(|line| !line.trim().is_empty()) {
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        let some = || Some(value.to_owned()).filter(|value| !value.is_empty());
        match key.trim().to_ascii_lowercase().as_str() {
            "name" => metadata.name = some(),
            "version" => metadata.version = some(),
            "license" | "license-expression" => metadata.licence = some().map(|text| text.chars().take(100).collect()),
            "home-page" => metadata.repository = metadata.repository.take().or_else(some),
            "project-url" => {
                let (label, url) = value.split_once(',').unwrap_or(("", value));
                if ["source", "repository", "code", "github"].iter().any(|one| label.to_ascii_lowercase().contains(one))
                {
                    metadata.repository = Some(url.trim().to_owned());
                }
            }
            "requires-dist" => {
                let wanted = value.split(';').next().unwrap_or_default().trim();
                // What only an extra asks for is not installed.
                if !value.contains("extra ==") && !value.contains("extra==") {
                    let end = wanted.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c));
                    let (name, rest) = wanted.split_at_checked(end.unwrap_or(wanted.len())).unwrap_or((wanted, ""));
                    metadata.dependencies.insert(name.to_owned(), rest.trim().to_owned());
                }
            }
            _ => {}
        }
    }
    metadata
}

fn bundle(text: &str) -> Metadata {
    let blank = Metadata::blank(Form::Bundle);
    let whole: Value = match serde_json::from_str(text) {
        Ok(whole) => whole,
        Err(_) => return Metadata { malformed: Some("its manifest.json is no JSON".to_owned()), ..blank },
    };
    let string = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let repository = whole.get("repository");
    Metadata {
        name: string(whole.get("name")),
        version: string(whole.get("version")),
        licence: string(whole.get("license")),
        repository: string(repository.and_then(|one| one.get("url"))).or_else(|| string(repository)),
        ..blank
    }
}

fn cargo(text: &str) -> Metadata {
    let blank = Metadata::blank(Form::Crate);
    let Ok(whole) = text.parse::<toml::Table>() else {
        return Metadata { malformed: Some("its Cargo.toml is no TOML".to_owned()), ..blank };
    };
    let package = whole.get("package");
    let string =
        |key: &str| package.and_then(|package| package.get(key)).and_then(toml::Value::as_str).map(str::to_owned);
    let dependencies = whole.get("dependencies").and_then(toml::Value::as_table).into_iter().flatten();
    let version = |value: &toml::Value| {
        let inner = value.get("version").and_then(toml::Value::as_str);
        value.as_str().or(inner).unwrap_or_default().to_owned()
    };
    Metadata {
        name: string("name"),
        version: string("version"),
        licence: string("license"),
        repository: string("repository"),
        dependencies: dependencies.map(|(name, value)| (name.clone(), version(value))).collect(),
        ..blank
    }
}

#[cfg(test)]
mod tests;
