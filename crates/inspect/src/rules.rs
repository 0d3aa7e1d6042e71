//! Rules that are data: what a thing looks like, what confirms it, and texts that it must and must not see.
//!
//! A rule stands in a file of `rules/`. Its `keywords` decide whether it is looked at at all: one automaton looks for
//! those of all rules at once. Where one stands, `pattern` is tried around it; what matches must pass the `check` (a
//! checksum), hold enough different characters (`entropy`), and be no placeholder. `matches` and `passes` are its tests:
//! texts that it must see and texts that it must let pass (see [`sample`] for what stands in for secrets in them).

pub(crate) mod apply;
mod sample;

use std::sync::OnceLock;

use model::{Class, Confidence, RuleId, Severity, limits};
use regex_automata::MatchKind;
use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use serde::Deserialize;

use crate::check::Check;
use crate::check::national::National;
use crate::{Detector, Findings, Found, Hit, Inspector, Origin, View};

/// One thing to look for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// Its stable id.
    pub id: RuleId,
    /// Raised whenever what it sees changes.
    pub version: u32,
    /// One sentence for people: what it is, and what to do about it.
    pub about: String,
    /// What kind of thing it sees.
    pub class: Class,
    /// How much harm such a thing does.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// Words one of which stands in or beside everything it sees by its pattern.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// What it looks like, as an expression over bytes. If it has a group, the group is the finding.
    #[serde(default)]
    pub pattern: Option<String>,
    /// The code that sees it, where no expression can, or none fast enough.
    #[serde(default)]
    pub by: Option<By>,
    /// A checksum or form that a match must have besides.
    #[serde(default)]
    pub check: Option<Check>,
    /// A checksum without which the rule is less sure.
    #[serde(default)]
    pub confirms: Option<Check>,
    /// The numbering plan whose checksum a number must have.
    #[serde(default)]
    pub national: Option<National>,
    /// What its numbers look like: `d` is a digit, `a` a letter, the rest itself.
    #[serde(default)]
    pub shapes: Vec<String>,
    /// The same, where one of the words of `needs` must stand near.
    #[serde(default)]
    pub shapes_in_context: Vec<String>,
    /// Bits of entropy per character that a match must have at least.
    #[serde(default)]
    pub entropy: Option<f32>,
    /// Words one of which must stand near a match, or in the key of its value.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Bytes around a keyword in which the match must lie.
    #[serde(default = "window")]
    pub window: usize,
    /// Whether a match may be made of several strings of a message. Numbers that follow each other mean nothing.
    #[serde(default = "yes")]
    pub joins: bool,
    /// Which of two rules that see the same text says more.
    #[serde(default = "weight")]
    pub weight: u8,
    /// Texts in which it must see something.
    #[serde(default)]
    pub matches: Vec<String>,
    /// Texts in which it must see nothing.
    #[serde(default)]
    pub passes: Vec<String>,
}

fn window() -> usize {
    limits::RULE_WINDOW_BYTES
}

fn yes() -> bool {
    true
}

/// Rules of a form of their own weigh more than guesses, which say `weight` for themselves.
fn weight() -> u8 {
    100
}

/// Code that sees what a rule describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The rule's pattern, tried around every long run of letters and digits instead of around keywords: for tokens
    /// that begin with what stands everywhere.
    Run,
    /// Values that are named as secrets, in assignments and in members of objects.
    Assignment,
    /// URLs with a user's name and password in them.
    UrlPassword,
    /// Words from which a wallet is made.
    SeedPhrase,
    /// E-mail addresses.
    Email,
    /// Names of people.
    Name,
    /// Numbers of the rule's `shapes`.
    Number,
    /// Telephone numbers.
    Phone,
    /// Addresses of IP.
    Ip,
    /// International bank account numbers.
    Iban,
    /// Instructions that take back others.
    Override,
    /// Instructions in another's name.
    Role,
    /// Calls of tools in a text.
    ToolCall,
    /// Instructions to keep something from the user.
    Conceal,
    /// Instructions to carry data away.
    Exfiltrate,
    /// Other instructions to a model.
    Instruction,
    /// Made-up conversations.
    Turns,
    /// The same over and over.
    Repetition,
}

/// Why rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// A file is not what a file of rules is.
    #[error("`{file}:{line}:{column}` is no file of rules: {why}")]
    Read {
        /// Its name.
        file: String,
        /// Where in it something is wrong, both from 1.
        line: usize,
        /// In characters.
        column: usize,
        /// What is wrong; the text itself may be anything, and stays out.
        why: String,
    },
    /// Two rules have the same id.
    #[error("rule `{0}` is there twice")]
    Twice(RuleId),
    /// A rule's expression is none.
    #[error("compile the pattern of rule `{rule}`")]
    Pattern {
        /// The rule.
        rule: RuleId,
        /// What is wrong.
        #[source]
        source: Box<regex_automata::meta::BuildError>,
    },
    /// A rule with a pattern has no keyword, or one that stands in every text, or a rule has neither or both of a pattern
    /// and code.
    #[error(
        "rule `{0}` needs either code or a pattern with keywords of at least {min} bytes",
        min = KEYWORD_BYTES_MIN
    )]
    Keywords(RuleId),
    /// More words than one automaton can hold.
    #[error("the rules have too many keywords")]
    TooManyWords,
}

/// Bytes in a keyword: shorter ones stand everywhere.
const KEYWORD_BYTES_MIN: usize = 2;

/// A set of rules, ready to be used.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Compiled>,
    /// By keyword: the rules that it belongs to.
    owners: Vec<(String, usize)>,
    /// The rules that are tried around runs.
    runs: Vec<usize>,
    /// All of their expressions in one, which most runs do not match.
    any_run: OnceLock<Option<Regex>>,
}

/// A rule and its expression, which is compiled when it is first tried.
#[derive(Debug)]
struct Compiled {
    rule: Rule,
    pattern: OnceLock<Option<Regex>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule: Vec<Rule>,
}

/// The files that ship.
const STANDARD: &[(&str, &str)] = &[
    ("rules/secrets.toml", include_str!("../rules/secrets.toml")),
    ("rules/personal.toml", include_str!("../rules/personal.toml")),
    ("rules/injection.toml", include_str!("../rules/injection.toml")),
];

impl Rules {
    /// The rules that ship. Their expressions are compiled when they are first needed, so that the gate starts fast;
    /// that all of them compile is a test's business.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, which a test excludes.
    pub fn standard() -> Result<Self, RuleError> {
        let mut rules = Vec::new();
        for (file, text) in STANDARD {
            rules.extend(parse(file, text)?);
        }
        Self::of(rules)
    }

    /// These rules and those of one more file, all of which are compiled at once.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or a rule of it is not well formed.
    pub fn and(self, file: &str, text: &str) -> Result<Self, RuleError> {
        let added = parse(file, text)?;
        for rule in &added {
            compile(rule)?;
        }
        Self::of(self.rules.into_iter().map(|compiled| compiled.rule).chain(added).collect())
    }

    /// Those of these rules that see things of one class.
    pub(crate) fn of_class(self, class: &str) -> Result<Self, RuleError> {
        Self::of(
            self.rules.into_iter().map(|compiled| compiled.rule).filter(|rule| rule.class.as_str() == class).collect(),
        )
    }

    fn of(rules: Vec<Rule>) -> Result<Self, RuleError> {
        let mut ids: Vec<&RuleId> = rules.iter().map(|rule| &rule.id).collect();
        ids.sort();
        if let Some([twice, ..]) = ids.windows(2).find(|pair| pair.first() == pair.last()) {
            return Err(RuleError::Twice((*twice).clone()));
        }
        let mut owners = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let fits = |word: &String| word.len() >= KEYWORD_BYTES_MIN;
            let well_formed = match (rule.by, rule.pattern.is_some()) {
                (None, true) => !rule.keywords.is_empty() && rule.keywords.iter().all(fits),
                (Some(by), patterned) => rule.keywords.is_empty() && patterned == (by == By::Run),
                (None, false) => false,
            };
            if !well_formed {
                return Err(RuleError::Keywords(rule.id.clone()));
            }
            owners.extend(rule.keywords.iter().map(|word| (word.clone(), index)));
        }
        let by_run = rules.iter().enumerate().filter(|(_, rule)| rule.by == Some(By::Run));
        let runs = by_run.map(|(index, _)| index).collect();
        let rules = rules.into_iter().map(|rule| Compiled { rule, pattern: OnceLock::new() }).collect();
        Ok(Self { rules, owners, runs, any_run: OnceLock::new() })
    }

    /// The rules that this code sees by.
    pub(crate) fn by(&self, by: By) -> impl Iterator<Item = &Rule> {
        self.iter().filter(move |rule| rule.by == Some(by))
    }

    /// Each rule.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|compiled| &compiled.rule)
    }

    /// Tries every rule on the texts of its own: what each does that it should not. Empty if all is well.
    ///
    /// # Errors
    ///
    /// If a rule's expression does not compile.
    pub fn test(self) -> Result<Vec<String>, RuleError> {
        let rules: Vec<Rule> = self.iter().cloned().collect();
        for rule in &rules {
            compile(rule)?;
        }
        let inspector = Inspector::with(self)?;
        let sees = |rule: &Rule, text: &str| {
            let Findings { list, .. } = inspector.scan_text(text, Origin::Text);
            list.iter().any(|finding| finding.rule == rule.id)
        };
        let mut failures = Vec::new();
        for rule in &rules {
            for (texts, what) in [(&rule.matches, "see"), (&rule.passes, "let pass")] {
                if texts.is_empty() {
                    failures.push(format!("rule `{}` has no text that it must {what}", rule.id));
                }
            }
            for text in &rule.matches {
                if !sees(rule, &sample::fill(text)) {
                    failures.push(format!("rule `{}` does not see `{text}`", rule.id));
                }
            }
            for text in &rule.passes {
                if sees(rule, &sample::fill(text)) {
                    failures.push(format!("rule `{}` sees `{text}`", rule.id));
                }
            }
        }
        Ok(failures)
    }
}

fn parse(file: &str, text: &str) -> Result<Vec<Rule>, RuleError> {
    let read = toml::from_str(text);
    let File { rule } = read.map_err(|error: toml::de::Error| {
        let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or_default();
        let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
        let (file, line) = (file.to_owned(), before.matches('\n').count() + 1);
        RuleError::Read { file, line, column, why: error.message().to_owned() }
    })?;
    Ok(rule)
}

/// Memory of one compiled expression, in bytes.
const PATTERN_BYTES_MAX: usize = 4 * 1024 * 1024;

/// An expression that matches nothing, for rules that are code.
const NOTHING: &str = "[^\\x00-\\xff]";

/// Compiles a rule's expression: over bytes, without Unicode's classes, in time linear in the text.
fn compile(rule: &Rule) -> Result<Regex, RuleError> {
    expression(&[rule.pattern.as_deref().unwrap_or(NOTHING)], MatchKind::LeftmostFirst)
        .map_err(|source| RuleError::Pattern { rule: rule.id.clone(), source })
}

fn expression(patterns: &[&str], kind: MatchKind) -> Result<Regex, Box<regex_automata::meta::BuildError>> {
    Regex::builder()
        .configure(Regex::config().match_kind(kind).utf8_empty(false).nfa_size_limit(Some(PATTERN_BYTES_MAX)))
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .build_many(patterns)
        .map_err(Box::new)
}

impl Detector for Rules {
    fn keywords(&self) -> Vec<String> {
        self.owners.iter().map(|(word, _)| word.clone()).collect()
    }

    fn always(&self) -> bool {
        true
    }

    fn look(&self, view: &View<'_>, hits: &[Hit], found: &mut Found<'_>) {
        apply::around_words(self, view, hits, found);
        apply::around_runs(self, view, found);
    }
}

#[cfg(test)]
mod tests;
