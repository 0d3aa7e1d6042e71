//! What runs when this package runs: the packages that it brings along, and those that its lock files name.
//!
//! A version that is only asked for (`^1.2`) is no component: which one is installed is decided later, by somebody else. It
//! is told as [`Component::wanted`], and matched only with advisories about every version there is.

mod ecosystem;
mod locks;

use std::collections::BTreeMap;

use model::limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::archive::Contents;
use crate::metadata::Metadata;

pub use ecosystem::{Ecosystem, Release};

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
    /// What it was built from, where that is called otherwise or has another version; advisories are about that, as a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourcePackage>,
}

/// What a package of a system was built from, often with others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourcePackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Component {
    /// Under which names and versions advisories speak of it: that of its source if it has one. Of RPM's packages they speak
    /// under either.
    pub(crate) fn advised(&self) -> impl Iterator<Item = (&str, &str)> {
        let source = self.source.as_ref().map(|source| (source.name.as_str(), source.version.as_str()));
        let own = (source.is_none() || self.ecosystem.is_of_rpm()).then_some((&*self.name, &*self.version));
        own.into_iter().chain(source.filter(|source| Some(*source) != own))
    }

    /// Whether its version is chosen by somebody else, later.
    pub fn is_open(&self) -> bool {
        self.version.is_empty()
    }

    /// Its package URL: `pkg:npm/%40acme/x@1.0.0`.
    pub fn purl(&self) -> String {
        // Of RPM's packages the epoch stands by itself.
        let (epoch, version) = match self.version.split_once(':') {
            Some((epoch, version)) if self.ecosystem.is_of_rpm() => (Some(epoch), version),
            _ => (None, self.version.as_str()),
        };
        let version = if version.is_empty() { String::new() } else { format!("@{}", escaped(version)) };
        let name: Vec<_> = self.ecosystem.name(&self.name).split('/').map(escaped).collect();
        let distribution = self.ecosystem.distribution().map(|text| format!("?distro={text}")).unwrap_or_default();
        let epoch = epoch.map(|epoch| format!("&epoch={epoch}")).unwrap_or_default();
        format!("pkg:{}/{}{version}{distribution}{epoch}", self.ecosystem.kind(), name.join("/"))
    }
}

/// As package URLs write it.
pub(crate) fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => char::from(byte).to_string(),
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

/// What the metadata of an installed package says, by the path at which it lies; nothing if it lies elsewhere.
pub(crate) fn brought_along(path: &str, text: &str, found: &mut Found) {
    if locks::brought_along(path).is_some() {
        locks::read(path, text, found);
    }
}

/// Whether the metadata of an installed package lies there.
pub(crate) fn is_brought_along(path: &str) -> bool {
    locks::brought_along(path).is_some()
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
    /// By what it is: the file that names it, and what it was built from.
    fixed: BTreeMap<(Ecosystem, String, String), (String, Option<SourcePackage>)>,
    wanted: BTreeMap<(Ecosystem, String), String>,
    unlisted: usize,
}

impl Found {
    /// A package at a version.
    fn fixed(&mut self, ecosystem: Ecosystem, name: &str, version: &str, from: &str) {
        self.installed(ecosystem, name, version, from, None);
    }

    /// A package at a version, and what it was built from.
    pub(crate) fn installed(
        &mut self,
        ecosystem: Ecosystem,
        name: &str,
        version: &str,
        from: &str,
        source: Option<SourcePackage>,
    ) {
        let fits = |text: &str| !text.is_empty() && text.len() <= limits::PACKAGE_PATH_BYTES_MAX;
        if !fits(name) || !fits(version) {
            return;
        }
        let key = (ecosystem, ecosystem.name(name), version.to_owned());
        if self.fixed.len() >= limits::COMPONENTS_MAX && !self.fixed.contains_key(&key) {
            self.unlisted += 1;
            return;
        }
        self.fixed.entry(key).or_insert_with(|| (from.to_owned(), source));
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

    pub(crate) fn done(self) -> Components {
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
                source: None,
            })
            .collect();
        let fixed = fixed.into_iter().map(|((ecosystem, name, version), (from, source))| Component {
            ecosystem,
            name,
            version,
            wanted: None,
            from,
            source,
        });
        let mut list: Vec<Component> = fixed.collect();
        list.extend(open);
        list.sort();
        Components { list, unlisted }
    }
}

#[cfg(test)]
mod tests;
