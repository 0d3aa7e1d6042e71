//! What to look for in source: rules that are data, in `rules/source.toml`, each with examples that a test runs.

use std::sync::OnceLock;

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::source::{Call, Facts, Language, Placed};

/// The rules, as they are written.
const WRITTEN: &str = include_str!("../rules/source.toml");

/// How bad it is if a rule's words are true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// What honest servers do too, and a reviewer wants to know.
    Low,
    /// What few honest servers do.
    Medium,
    /// What hardly any honest server does.
    High,
    /// What no honest server does.
    Critical,
}

impl Severity {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// What it adds to the score, once for each rule.
    pub fn points(self) -> u32 {
        match self {
            Self::Note => 0,
            Self::Low => 2,
            Self::Medium => 8,
            Self::High => 25,
            Self::Critical => 60,
        }
    }

    /// One less.
    pub(crate) fn less(self) -> Self {
        match self {
            Self::Note | Self::Low => Self::Note,
            Self::Medium => Self::Low,
            Self::High => Self::Medium,
            Self::Critical => Self::High,
        }
    }
}

/// A rule, ready for use.
#[derive(Debug)]
pub struct Rule {
    /// Its name, which does not change.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it sees, in words.
    pub title: String,
    languages: Vec<Language>,
    files: Option<Regex>,
    calls: Vec<String>,
    arguments: Option<Regex>,
    only_made: bool,
    strings: Option<Regex>,
    text: Option<Regex>,
    at_least: usize,
    /// Code that it sees, and code that it does not.
    #[cfg_attr(not(test), expect(dead_code, reason = "the examples are for the test that runs them"))]
    pub(crate) examples: Vec<Example>,
}

/// Code to try a rule on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Example {
    #[cfg_attr(not(test), expect(dead_code, reason = "the examples are for the test that runs them"))]
    pub(crate) file: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "the examples are for the test that runs them"))]
    pub(crate) code: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "the examples are for the test that runs them"))]
    pub(crate) seen: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    rule: Vec<WrittenRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    id: String,
    severity: Severity,
    title: String,
    /// The languages it is about; all if none is named.
    #[serde(default)]
    languages: Vec<Language>,
    /// The files it is about, by their path; all if it is not said.
    files: Option<String>,
    /// Functions, by where they come from; `*.name` for any that is called so.
    #[serde(default)]
    calls: Vec<String>,
    /// What the arguments of those must have in them.
    arguments: Option<String>,
    /// Whether only calls count whose first argument is made while the program runs.
    #[serde(default)]
    only_made: bool,
    /// What a text in the program has in it.
    strings: Option<String>,
    /// What the file has in it, comments included.
    text: Option<String>,
    /// How often, at least.
    #[serde(default)]
    at_least: usize,
    #[serde(default, rename = "example")]
    examples: Vec<Example>,
}

/// Every rule. The file is part of the program, and a test reads it.
pub fn rules() -> &'static [Rule] {
    static RULES: OnceLock<Vec<Rule>> = OnceLock::new();
    #[expect(clippy::expect_used, reason = "the rules are part of the program, and a test reads them")]
    RULES.get_or_init(|| read(WRITTEN).expect("the rules can be read"))
}

fn read(text: &str) -> Result<Vec<Rule>, String> {
    let written: Written = toml::from_str(text).map_err(|error| error.to_string())?;
    written.rule.into_iter().map(rule).collect()
}

fn rule(written: WrittenRule) -> Result<Rule, String> {
    let pattern = |text: Option<String>| {
        text.map(|text| Regex::new(&text).map_err(|error| format!("{}: {error}", written.id))).transpose()
    };
    Ok(Rule {
        files: pattern(written.files)?,
        arguments: pattern(written.arguments)?,
        strings: pattern(written.strings)?,
        text: pattern(written.text)?,
        id: written.id,
        severity: written.severity,
        title: written.title,
        languages: written.languages,
        calls: written.calls,
        only_made: written.only_made,
        at_least: written.at_least,
        examples: written.examples,
    })
}

/// Where a rule saw something: the line from 1, and what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// The line.
    pub line: usize,
    /// What stands there.
    pub excerpt: String,
}

impl Rule {
    /// Whether it is about a file.
    pub fn is_about(&self, path: &str, language: Option<Language>) -> bool {
        let language_fits = self.languages.is_empty() || language.is_some_and(|one| self.languages.contains(&one));
        language_fits && self.files.as_ref().is_none_or(|files| files.is_match(path))
    }

    /// What it sees in a file that it is about; at most `most`.
    pub fn sights(&self, text: &str, facts: Option<&Facts>, most: usize) -> Vec<Sight> {
        let mut sights = Vec::new();
        if let Some(facts) = facts {
            let calls = facts.calls.iter().filter(|call| self.sees_call(call));
            sights.extend(
                calls.map(|call| Sight { line: call.line, excerpt: format!("{}{}", call.name, call.arguments) }),
            );
            let strings = facts.strings.iter().filter_map(|string| sight(self.strings.as_ref()?, string));
            sights.extend(strings);
        }
        let often = |pattern: &&Regex| pattern.find_iter(text).take(self.at_least).count() == self.at_least;
        if let Some(pattern) = self.text.as_ref().filter(often) {
            let found = pattern.find_iter(text).take(most);
            sights.extend(found.map(|found| Sight {
                line: text.get(..found.start()).unwrap_or_default().matches('\n').count() + 1,
                excerpt: around(text, found.start(), found.end()),
            }));
        }
        sights.truncate(most);
        sights
    }

    fn sees_call(&self, call: &Call) -> bool {
        let named = self.calls.iter().any(|name| match name.strip_prefix('*') {
            Some(ending) => call.name.ends_with(ending),
            None => call.name == *name,
        });
        named
            && (!self.only_made || !call.is_fixed)
            && self.arguments.as_ref().is_none_or(|pattern| pattern.is_match(&call.arguments))
    }
}

fn sight(pattern: &Regex, string: &Placed) -> Option<Sight> {
    let found = pattern.find(&string.text)?;
    let above = string.text.get(..found.start()).unwrap_or_default().matches('\n').count();
    Some(Sight { line: string.line + above, excerpt: around(&string.text, found.start(), found.end()) })
}

/// What stands around a place, on its line.
fn around(text: &str, start: usize, end: usize) -> String {
    let before: String =
        text.get(..start).unwrap_or_default().chars().rev().take_while(|c| *c != '\n').take(30).collect();
    let before: String = before.chars().rev().collect();
    let after = text.get(end..).unwrap_or_default().chars().take_while(|c| *c != '\n').take(60);
    format!("{before}{}{}", text.get(start..end).unwrap_or_default(), after.collect::<String>())
}

#[cfg(test)]
mod tests;
