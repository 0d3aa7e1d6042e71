//! Which words may a changed definition gain without a person?

use std::collections::HashSet;
use std::sync::LazyLock;

use serde_json::Value;

use crate::judge::{plain, texts};

/// Words without which a sentence means the opposite.
const NEGATIONS: [&str; 11] =
    ["not", "no", "never", "only", "unless", "without", "except", "cannot", "don", "nor", "neither"];
/// Digits of a number that could be an account or a telephone.
const DIGITS_MAX: usize = 8;

static NEUTRAL: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let lines = include_str!("../../rules/neutral.txt").lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_whitespace).map(stem).collect()
});

/// The words of a definition as it was approved, and the neutral ones.
pub(super) struct Vocabulary {
    known: HashSet<String>,
}

impl Vocabulary {
    pub(super) fn of(definition: &Value) -> Self {
        let texts = texts(definition);
        Self { known: texts.iter().flat_map(|one| words(&one.text)).map(|word| stem(&word)).collect() }
    }

    /// Whether a word says nothing new.
    pub(super) fn knows(&self, word: &str) -> bool {
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            return word.len() <= DIGITS_MAX || self.known.contains(word);
        }
        let stem = stem(word);
        self.known.contains(&stem) || NEUTRAL.contains(&stem)
    }
}

/// The words of a text in lower case, those of names apart.
pub(super) fn words(text: &str) -> Vec<String> {
    let readings = plain::plain(&crate::judge::apart_words(text)).readings;
    let first = readings.into_iter().next().unwrap_or_default();
    let runs = first.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    runs.map(str::to_owned).collect()
}

/// Whether a word turns the sense of a sentence.
pub(super) fn is_negation(word: &str) -> bool {
    NEGATIONS.contains(&word)
}

/// A word without its ending, roughly: a plural or a participle says nothing new.
fn stem(word: &str) -> String {
    let endings = ["ies", "es", "s", "ing", "ed", "d", "e"];
    let without = endings.iter().find_map(|ending| word.strip_suffix(ending).filter(|rest| rest.len() >= 3));
    without.unwrap_or(word).to_owned()
}
