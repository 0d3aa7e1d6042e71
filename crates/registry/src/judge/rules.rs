//! The rules, which are data: `rules/wording.toml` says what they find, what they let pass, and what they are worth.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::{Class, Remark};

/// Words that say not to.
const DENIALS: [&str; 5] = ["not", "don't", "never", "cannot", "mustn't"];
/// Characters of an excerpt on each side of what was found.
const AROUND: usize = 24;
/// Characters of an excerpt.
const EXCERPT_CHARS_MAX: usize = 160;

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    /// What `%name%` stands for in patterns.
    words: BTreeMap<String, String>,
    pub(super) rule: Vec<Rule>,
    pub(super) combination: Vec<Combination>,
}

/// One rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// `concealment.untold`.
    pub(super) id: String,
    class: Class,
    pub(super) points: u32,
    says: String,
    /// Whether it looks at characters, and letters of other alphabets are letters to it. Without it a pattern is of bytes,
    /// which is all that English needs: a gap of 60 characters that may each be any of Unicode is thousands of states.
    #[serde(default)]
    unicode: bool,
    /// Whether it finds nothing where the sentence has said not to.
    #[serde(default)]
    negated: bool,
    patterns: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "the rule's own tests"))]
    pub(super) finds: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "the rule's own tests"))]
    pub(super) passes: Vec<String>,
}

/// The patterns of every rule, in the file's order.
pub(super) type Patterns = Arc<[Box<[Regex]>]>;

/// Rules that are worth more together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Combination {
    pub(super) id: String,
    /// One of each must be there; `|` stands between alternatives.
    pub(super) of: Vec<String>,
    points: u32,
    says: String,
}

impl Rule {
    #[expect(clippy::expect_used, reason = "the file is part of the program, and the tests read it")]
    fn compile(&self) -> Box<[Regex]> {
        // A space is one of a line or between two lines.
        let spelled = |pattern: &String| put_in(&RULES.words, pattern).replace(' ', "[ \\n]");
        let compile = |pattern| RegexBuilder::new(&spelled(pattern)).unicode(self.unicode).build();
        self.patterns.iter().map(|pattern| compile(pattern).expect("the pattern is one")).collect()
    }

    /// What it makes of something it found.
    pub(super) fn remark(&'static self, pointer: &str, excerpt: String) -> Remark {
        let Self { id, class, points, says, .. } = self;
        Remark { rule: id, class: *class, points: *points, pointer: pointer.to_owned(), says, excerpt }
    }

    /// What its patterns find in a text in its plain form.
    pub(super) fn find(&self, patterns: &[Regex], text: &str) -> Option<String> {
        let found = |pattern: &Regex| {
            let mut all = pattern
                .find_iter(text.as_bytes())
                .map(|found| text.floor_char_boundary(found.start())..text.ceil_char_boundary(found.end()));
            all.find(|found| !self.negated || !is_denied(text, found.start))
        };
        patterns.iter().find_map(found).map(|found| excerpt(text, found))
    }
}

impl Combination {
    /// Whether it holds where the rules are found that `is_there` knows of.
    pub(super) fn holds(&self, is_there: impl Fn(&str) -> bool) -> bool {
        self.of.iter().all(|alternatives| alternatives.split('|').any(&is_there))
    }

    pub(super) fn remark(&'static self) -> Remark {
        let Self { id, points, says, .. } = self;
        let (pointer, excerpt) = (String::new(), String::new());
        Remark { rule: id, class: Class::Together, points: *points, pointer, says, excerpt }
    }
}

#[expect(clippy::expect_used, reason = "the file is part of the program, and the tests read it")]
static RULES: LazyLock<Rules> =
    LazyLock::new(|| toml::from_str(include_str!("../../rules/wording.toml")).expect("the rules can be read"));

/// The patterns, and when they were asked for last. Hundreds of them hold more memory than all else of an idle gate, and they
/// are needed when a definition is new.
static COMPILED: Mutex<Option<(Patterns, Instant)>> = Mutex::new(None);

/// The patterns of every rule: those that are kept, or compiled anew, which others wait for.
pub(super) fn patterns() -> Patterns {
    let mut kept = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let patterns = kept.take().map_or_else(|| RULES.rule.iter().map(Rule::compile).collect(), |(patterns, _)| patterns);
    *kept = Some((Arc::clone(&patterns), Instant::now()));
    patterns
}

/// Frees the patterns if nobody asked for them for so long, and says whether it did. They are compiled again when somebody does.
pub(super) fn free(unasked: Duration) -> bool {
    let mut kept = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    kept.take_if(|(_, asked)| asked.elapsed() >= unasked).is_some()
}

/// Tells of every rule that finds something in a text in its plain form.
pub(super) fn read(text: &str, found: &mut dyn FnMut(&'static Rule, String)) {
    for (rule, patterns) in RULES.rule.iter().zip(patterns().iter()) {
        if let Some(excerpt) = rule.find(patterns, text) {
            found(rule, excerpt);
        }
    }
}

/// Every combination, in the file's order.
pub(super) fn combinations() -> &'static [Combination] {
    &RULES.combination
}

/// The rules themselves, for their tests.
#[cfg(test)]
pub(super) fn all() -> &'static [Rule] {
    &RULES.rule
}

/// Whether the sentence says not to, before this place of it.
fn is_denied(text: &str, place: usize) -> bool {
    let before = text.get(..place).unwrap_or_default();
    let sentence = before.rsplit(['.', '!', '?', '\n']).next().unwrap_or_default();
    sentence.split(|c: char| !c.is_alphanumeric() && c != '\'').any(|word| DENIALS.contains(&word))
}

/// A pattern with the words that it names.
fn put_in(words: &BTreeMap<String, String>, pattern: &str) -> String {
    let mut whole = pattern.to_owned();
    for (name, stands_for) in words {
        whole = whole.replace(&format!("%{name}%"), &format!("(?:{stands_for})"));
    }
    whole
}

/// The words around what was found, in one line.
fn excerpt(text: &str, found: std::ops::Range<usize>) -> String {
    let before: Vec<char> = text.get(..found.start).unwrap_or_default().chars().rev().take(AROUND).collect();
    let within = text.get(found.clone()).unwrap_or_default().chars();
    let after = text.get(found.end..).unwrap_or_default().chars().take(AROUND);
    let all = before.into_iter().rev().chain(within).chain(after);
    all.map(|c| if c.is_control() { ' ' } else { c }).take(EXCERPT_CHARS_MAX).collect::<String>().trim().to_owned()
}
