//! What runs when this package runs: the packages that it brings along, and those that its lock files name.
//!
//! A version that is only asked for (`^1.2`) is no component: which one is installed is decided later, by somebody else. It
//! is told as [`Component::wanted`], and matched only with advisories about every version there is.

mod locks;

use std::collections::BTreeMap;

use model::limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::archive::Contents;
use crate::metadata::{Form, Metadata};
use crate::version::Version;

/// Where packages come from. The words are those of the advisories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Ecosystem {
    /// JavaScript's.
    #[serde(rename = "npm")]
    Npm,
    /// Python's.
    #[serde(rename = "PyPI")]
    Python,
    /// Rust's.
    #[serde(rename = "crates.io")]
    Crates,
}

impl Ecosystem {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Python => "PyPI",
            Self::Crates => "crates.io",
        }
    }

    /// What its word names.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        [Self::Npm, Self::Python, Self::Crates].into_iter().find(|one| one.word() == word)
    }

    /// The ecosystem of a package's form, if it has one.
    fn of_form(form: Form) -> Option<Self> {
        match form {
            Form::Npm => Some(Self::Npm),
            Form::Wheel | Form::PythonSource => Some(Self::Python),
            Form::Crate => Some(Self::Crates),
            Form::Bundle | Form::Files => None,
        }
    }

    /// A name as it is compared: Python's are the same in any case and with any of `-_.` (PEP 503).
    pub(crate) fn name(self, name: &str) -> String {
        match self {
            Self::Npm | Self::Crates => name.trim().to_owned(),
            Self::Python => {
                let words = name.trim().split(['-', '_', '.']).filter(|word| !word.is_empty());
                words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
            }
        }
    }

    /// A version that can be compared.
    pub(crate) fn version(self, text: &str) -> Option<Version> {
        match self {
            Self::Npm | Self::Crates => Version::semantic(text),
            Self::Python => Version::python(text),
        }
    }
}

/// A package that runs with this one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Where it comes from.
    pub ecosystem: Ecosystem,
    /// Its name.
    pub name: String,
    /// Its version; empty if none is fixed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Which versions are asked for, where none is fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<String>,
    /// The file that names it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
}

impl Component {
    /// Whether its version is chosen by somebody else, later.
    pub fn is_open(&self) -> bool {
        self.version.is_empty()
    }

    /// Its package URL: `pkg:npm/%40acme/x@1.0.0`.
    pub fn purl(&self) -> String {
        let kind = match self.ecosystem {
            Ecosystem::Npm => "npm",
            Ecosystem::Python => "pypi",
            Ecosystem::Crates => "cargo",
        };
        let version = if self.version.is_empty() { String::new() } else { format!("@{}", escaped(&self.version)) };
        let name: Vec<_> = self.ecosystem.name(&self.name).split('/').map(escaped).collect();
        format!("pkg:{kind}/{}{version}", name.join("/"))
    }
}

/// As package URLs write it.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// What runs with a package, as far as it shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Components {
    pub(crate) list: Vec<Component>,
    /// How many more there are than are listed.
    pub(crate) unlisted: usize,
}

/// Finds what runs with a package, itself included. `locks` are lock files that were made for it elsewhere.
pub(crate) fn components(contents: &Contents, metadata: &Metadata, locks: &[(String, String)]) -> Components {
    let mut found = Found::default();
    let own = Ecosystem::of_form(metadata.form).zip(metadata.name.clone().zip(metadata.version.clone()));
    if let Some((ecosystem, (name, version))) = own {
        found.fixed(ecosystem, &name, &version, "");
    }
    for (path, file) in &contents.files {
        let Some(content) = file.content.as_ref() else { continue };
        if locks::is_one(path) || locks::brought_along(path).is_some() {
            locks::read(path, &String::from_utf8_lossy(content), &mut found);
        }
    }
    locks.iter().for_each(|(name, text)| locks::read(name, text, &mut found));
    for (name, wanted) in &metadata.dependencies {
        if let Some(ecosystem) = Ecosystem::of_form(metadata.form) {
            found.wanted(ecosystem, name, wanted);
        }
    }
    found.done()
}

/// What was found so far.
#[derive(Default)]
pub(crate) struct Found {
    fixed: BTreeMap<(Ecosystem, String, String), String>,
    wanted: BTreeMap<(Ecosystem, String), String>,
    unlisted: usize,
}

impl Found {
    /// A package at a version.
    fn fixed(&mut self, ecosystem: Ecosystem, name: &str, version: &str, from: &str) {
        let fits = |text: &str| !text.is_empty() && text.len() <= limits::PACKAGE_PATH_BYTES_MAX;
        if !fits(name) || !fits(version) {
            return;
        }
        let key = (ecosystem, ecosystem.name(name), version.to_owned());
        if self.fixed.len() >= limits::COMPONENTS_MAX && !self.fixed.contains_key(&key) {
            self.unlisted += 1;
            return;
        }
        self.fixed.entry(key).or_insert_with(|| from.to_owned());
    }

    /// A package of which some version is asked for. `1.2.3` and `==1.2.3` fix one.
    fn wanted(&mut self, ecosystem: Ecosystem, name: &str, wanted: &str) {
        let exact = wanted.trim().trim_start_matches("==").trim_start_matches('=').trim();
        // In a manifest of Rust's, a bare version is the least one.
        let is_exact = ecosystem != Ecosystem::Crates || wanted.trim().starts_with('=');
        if is_exact && !exact.contains('*') && exact.contains('.') && ecosystem.version(exact).is_some() {
            return self.fixed(ecosystem, name, exact, "");
        }
        if self.wanted.len() < limits::COMPONENTS_MAX && name.len() <= limits::PACKAGE_PATH_BYTES_MAX {
            let wanted = wanted.chars().take(limits::SOURCE_EXCERPT_CHARS_MAX).collect();
            self.wanted.entry((ecosystem, ecosystem.name(name))).or_insert(wanted);
        }
    }

    fn done(self) -> Components {
        let Self { fixed, wanted, unlisted } = self;
        let is_known = |ecosystem: Ecosystem, name: &str| {
            let from = (ecosystem, name.to_owned(), String::new());
            fixed.range(from..).next().is_some_and(|((other, named, _), _)| *other == ecosystem && named == name)
        };
        let open = wanted.into_iter().filter(|((ecosystem, name), _)| !is_known(*ecosystem, name));
        let open: Vec<Component> = open
            .map(|((ecosystem, name), wanted)| Component {
                ecosystem,
                name,
                version: String::new(),
                wanted: Some(wanted),
                from: String::new(),
            })
            .collect();
        let fixed = fixed.into_iter().map(|((ecosystem, name, version), from)| Component {
            ecosystem,
            name,
            version,
            wanted: None,
            from,
        });
        let mut list: Vec<Component> = fixed.collect();
        list.extend(open);
        list.sort();
        Components { list, unlisted }
    }
}

#[cfg(test)]
mod tests;
