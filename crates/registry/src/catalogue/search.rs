//! Finding tools by words: those of their names, titles, descriptions and arguments.
//!
//! What somebody finds must tell nothing of what they may not see. So a score depends on the one tool and the query alone:
//! rare words do not count for more, and nothing is cut off before the tools that are not seen are taken out.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use model::limits;
use serde_json::{Map, Value};

use super::Tool;
use super::endpoint::Offered;

/// The words of the tools of one endpoint.
#[derive(Default)]
pub(super) struct Index {
    words: BTreeMap<Box<str>, Vec<Posting>>,
}

/// That a tool has a word, and how much that says of it.
struct Posting {
    place: usize,
    weight: u32,
}

/// What a word says of a tool by where it stands.
const OF_NAME: u32 = 8;
const OF_TITLE: u32 = 4;
const OF_DESCRIPTION: u32 = 2;
const OF_ARGUMENT: u32 = 1;
/// What the very word counts, and what one counts that only begins so.
const EXACT: u32 = 4;
const BEGINNING: u32 = 1;
/// What one more word of the query counts, beside which everything else only orders.
const MATCHED: u32 = 1_000;
/// Bytes from which on the beginning of a word means something.
const BEGINNING_BYTES_MIN: usize = 3;

impl Index {
    pub(super) fn of(tools: &[Offered<Tool>]) -> Self {
        let mut index = Self::default();
        for (place, tool) in tools.iter().enumerate() {
            for (word, weight) in words_of(tool) {
                index.words.entry(word.into()).or_default().push(Posting { place, weight });
            }
        }
        index
    }

    /// The places of the tools that have any word of the query and are seen, those that have the most of it first, and
    /// otherwise in the order of the list.
    pub(super) fn find(&self, query: &str, mut sees: impl FnMut(usize) -> bool) -> Vec<usize> {
        let mut scores: HashMap<usize, u32> = HashMap::new();
        let mut asked: Vec<String> = Vec::new();
        for word in words(query) {
            if asked.len() < limits::QUERY_WORDS_MAX && !asked.contains(&word) {
                asked.push(word);
            }
        }
        for word in asked {
            let mut best: HashMap<usize, u32> = HashMap::new();
            let mut note = |postings: &[Posting], factor: u32| {
                for Posting { place, weight } in postings {
                    let score = best.entry(*place).or_default();
                    *score = (*score).max(weight.saturating_mul(factor));
                }
            };
            if word.len() >= BEGINNING_BYTES_MIN {
                let longer = self.words.range::<str, _>((Bound::Included(word.as_str()), Bound::Unbounded));
                longer.take_while(|(other, _)| other.starts_with(&word)).for_each(|(_, all)| note(all, BEGINNING));
            }
            if let Some(postings) = self.words.get(word.as_str()) {
                note(postings, EXACT);
            }
            for (place, score) in best {
                let sum = scores.entry(place).or_default();
                *sum = sum.saturating_add(MATCHED).saturating_add(score);
            }
        }
        let mut found: Vec<(usize, u32)> = scores.into_iter().filter(|(place, _)| sees(*place)).collect();
        found.sort_unstable_by(|(place, score), (other, than)| than.cmp(score).then(place.cmp(other)));
        found.into_iter().map(|(place, _)| place).collect()
    }
}

/// A tool's words, each with the most that it says.
fn words_of(tool: &Offered<Tool>) -> HashMap<String, u32> {
    let definition: Map<String, Value> = serde_json::from_str(tool.raw.get()).unwrap_or_default();
    let text = |name: &str| definition.get(name).and_then(Value::as_str).unwrap_or_default();
    let titled = definition.get("annotations").and_then(|annotations| annotations.get("title")).and_then(Value::as_str);
    let properties = definition.get("inputSchema").and_then(|schema| schema.get("properties"));
    let arguments = properties.and_then(Value::as_object).into_iter().flat_map(Map::keys);
    let mut all: HashMap<String, u32> = HashMap::new();
    let mut add = |text: &str, weight: u32| {
        for word in words(text) {
            if all.len() < limits::INDEXED_WORDS_MAX || all.contains_key(&word) {
                let most = all.entry(word).or_default();
                *most = (*most).max(weight);
            }
        }
    };
    add(&tool.shown, OF_NAME);
    add(text("title"), OF_TITLE);
    add(titled.unwrap_or_default(), OF_TITLE);
    arguments.for_each(|name| add(name, OF_ARGUMENT));
    add(text("description"), OF_DESCRIPTION);
    all
}

/// The words of a text, in lower case: letters and digits, parted by anything else and where a small letter is followed by
/// a great one. A plural's `s` is left off, here and in what is looked for alike.
fn words(text: &str) -> impl Iterator<Item = String> {
    let mut parted = String::with_capacity(text.len());
    let mut was_small = false;
    for character in text.chars() {
        if was_small && character.is_uppercase() {
            parted.push(' ');
        }
        was_small = character.is_lowercase() || character.is_numeric();
        parted.extend(character.to_lowercase());
    }
    let each = parted.split(|character: char| !character.is_alphanumeric());
    let stems = each.filter(|word| (2..=limits::NAME_BYTES_MAX).contains(&word.len())).map(stem).map(str::to_owned);
    stems.collect::<Vec<_>>().into_iter()
}

fn stem(word: &str) -> &str {
    match word.strip_suffix('s') {
        Some(stem) if stem.len() >= BEGINNING_BYTES_MIN && !stem.ends_with('s') => stem,
        Some(_) | None => word,
    }
}

#[cfg(test)]
mod tests;
