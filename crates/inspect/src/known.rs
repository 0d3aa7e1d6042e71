//! Looks for what an organisation knows: words of a dictionary, rows of a table, passages of documents. Only keyed fingerprints
//! of them are here, so that the files can lie beside the settings.
//!
//! Texts are compared by their words, in lower case and without what stands between: `Smith, John` is `smith john`. Each
//! reading is cut into words once, for all sets together; a set is looked at only where one of its first words stands.

mod file;
mod make;
mod table;
mod words;

use std::collections::HashMap;
use std::ops::Range;

use model::{Class, Confidence, FingerprintKey, RuleId, Severity, limits};
use serde::{Deserialize, Serialize};

pub use file::KnownError;
use table::Table;
use words::{Word, phrase};

use crate::{Detector, Found, Hit, Sighting, View};

/// What a set is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Entries of some words, each of which is a finding.
    Dictionary,
    /// Rows of several columns: some columns of one row near each other are a finding.
    Exact,
    /// Documents: a passage of one is a finding.
    Documents,
}

/// What a set says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct About {
    /// What it is of.
    pub kind: Kind,
    /// The rule of its findings.
    pub rule: RuleId,
    /// Their class.
    pub class: Class,
    /// How much harm it does when such a thing is told.
    pub severity: Severity,
    /// Columns of one row that have to stand near each other; for documents, fingerprints of one document.
    pub enough: u32,
}

/// A set, ready to be looked for.
#[derive(Debug)]
pub struct Set {
    about: About,
    /// Words in its longest entry.
    words_max: usize,
    /// The first words of its entries.
    firsts: Table,
    /// Its entries; with the row and column of each, or with its document.
    entries: Table,
}

/// Looks for all sets.
pub(crate) struct Known {
    key: FingerprintKey,
    sets: Vec<Set>,
}

/// Bytes within which the columns of a row have to stand.
const NEAR_BYTES: usize = 400;
/// Bits of an entry's payload that say which column it is.
const COLUMN_BITS: u32 = 5;
/// Words of a passage that make one fingerprint.
const SHINGLE_WORDS: usize = 8;
/// Rows in which one value may stand and still tell rows apart.
const ROWS_MAX: usize = 64;

impl Known {
    pub(crate) fn new(key: FingerprintKey, sets: Vec<Set>) -> Self {
        Self { key, sets }
    }
}

impl Detector for Known {
    fn keywords(&self) -> Vec<String> {
        Vec::new()
    }

    fn always(&self) -> bool {
        !self.sets.is_empty()
    }

    fn look(&self, view: &View<'_>, _: &[Hit], found: &mut Found<'_>) {
        if self.sets.is_empty() {
            return;
        }
        let words = words::of(&self.key, view.text);
        for set in &self.sets {
            match set.about.kind {
                Kind::Dictionary => set.phrases(&words, |range, _| set.tell(range, found)),
                Kind::Exact => set.rows(&words, found),
                Kind::Documents => set.passages(&words, found),
            }
        }
    }
}

impl Set {
    /// What it says of itself.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// How many entries there are.
    pub fn count(&self) -> usize {
        self.entries.count()
    }

    /// Each entry that stands in the text, with what is kept of it.
    fn phrases(&self, words: &[Word], mut each: impl FnMut(Range<usize>, &mut dyn Iterator<Item = u32>)) {
        for (at, first) in words.iter().enumerate() {
            if !self.firsts.contains(first.hash) {
                continue;
            }
            let mut hash = 0;
            for word in words.iter().skip(at).take(self.words_max) {
                hash = phrase(hash, word.hash);
                let mut payloads = self.entries.payloads(hash).peekable();
                if payloads.peek().is_some() {
                    each(first.range.start..word.range.end, &mut payloads);
                }
            }
        }
    }

    fn tell(&self, range: Range<usize>, found: &mut Found<'_>) {
        let About { rule, class, severity, .. } = &self.about;
        let (severity, confidence) = (*severity, Confidence::High);
        found.add(Sighting { rule, class, severity, confidence, weight: WEIGHT, range });
    }

    /// Rows enough of whose columns stand near each other.
    fn rows(&self, words: &[Word], found: &mut Found<'_>) {
        let mut open: HashMap<u32, Vec<(u32, Range<usize>)>> = HashMap::new();
        let enough = usize::try_from(self.about.enough).unwrap_or(usize::MAX);
        let mut told: Vec<Range<usize>> = Vec::new();
        self.phrases(words, |range, payloads| {
            for payload in payloads.take(ROWS_MAX) {
                let (row, column) = (payload >> COLUMN_BITS, payload & ((1 << COLUMN_BITS) - 1));
                if open.len() > limits::KNOWN_ROWS_OPEN_MAX {
                    // Rows that were seen far back are done with.
                    open.retain(|_, seen| seen.iter().any(|(_, other)| other.end + NEAR_BYTES >= range.start));
                }
                let seen = open.entry(row).or_default();
                seen.retain(|(other, at)| *other != column && at.end + NEAR_BYTES >= range.start);
                seen.push((column, range.clone()));
                if seen.len() >= enough {
                    told.extend(seen.iter().map(|(_, range)| range.clone()));
                }
            }
        });
        told.sort_by_key(|range| (range.start, range.end));
        told.dedup();
        told.into_iter().for_each(|range| self.tell(range, found));
    }

    /// Documents enough of whose fingerprints stand in the text.
    fn passages(&self, words: &[Word], found: &mut Found<'_>) {
        let mut seen: HashMap<u32, (u32, Range<usize>)> = HashMap::new();
        for shingle in words.windows(SHINGLE_WORDS) {
            let hash = shingle.iter().fold(0, |hash, word| phrase(hash, word.hash));
            let (Some(first), Some(last)) = (shingle.first(), shingle.last()) else { continue };
            for document in self.entries.payloads(hash).take(ROWS_MAX) {
                let range = first.range.start..last.range.end;
                let (count, all) = seen.entry(document).or_insert((0, range.clone()));
                (*count, all.end) = (*count + 1, range.end);
            }
        }
        let enough = self.about.enough;
        let mut told: Vec<Range<usize>> =
            seen.into_values().filter(|(count, _)| *count >= enough).map(|(_, range)| range).collect();
        told.sort_by_key(|range| (range.start, range.end));
        told.dedup();
        told.into_iter().for_each(|range| self.tell(range, found));
    }
}

/// What an organisation knows says more than what only looks like something.
const WEIGHT: u8 = 200;

#[cfg(test)]
mod tests;
