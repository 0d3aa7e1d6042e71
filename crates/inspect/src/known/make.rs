//! Makes sets of what an organisation has.

use model::{FingerprintKey, limits};

use super::table::Table;
use super::words::{self, Word, phrase};
use super::{About, COLUMN_BITS, KnownError, SHINGLE_WORDS, Set};

/// Fingerprints in a row of which the least one is kept: every passage of eleven words has one.
const WINNOWED: usize = 4;
/// Columns that a row may have.
const COLUMNS_MAX: usize = 1 << COLUMN_BITS;

impl Set {
    /// Entries of some words each, such as names and numbers of customers: one a line.
    ///
    /// # Errors
    /// When there are too many, or one has too many words.
    pub fn dictionary<'l>(
        about: About,
        key: &FingerprintKey,
        lines: impl IntoIterator<Item = &'l str>,
    ) -> Result<Self, KnownError> {
        let mut made = Made::new(about);
        for (number, line) in lines.into_iter().enumerate() {
            made.add(&words::of(key, line), 0, number)?;
        }
        made.done()
    }

    /// Rows of several columns, such as name, birthday and account of each customer.
    ///
    /// # Errors
    /// When there are too many, or a row has too many columns.
    pub fn exact<R: AsRef<str>>(
        about: About,
        key: &FingerprintKey,
        rows: impl IntoIterator<Item = Vec<R>>,
    ) -> Result<Self, KnownError> {
        let mut made = Made::new(about);
        for (number, columns) in rows.into_iter().enumerate() {
            if columns.len() > COLUMNS_MAX {
                return Err(KnownError::Columns { line: number + 1, max: COLUMNS_MAX });
            }
            let row = u32::try_from(number).map_err(|_| KnownError::TooMany)? << COLUMN_BITS;
            for (column, text) in (0..).zip(columns) {
                made.add(&words::of(key, text.as_ref()), row | column, number)?;
            }
        }
        made.done()
    }

    /// Documents, passages of which are not to be told. Of each passage of eleven words at least one fingerprint is kept
    /// (Schleimer, Wilkerson, Aiken: "Winnowing", 2003).
    ///
    /// # Errors
    /// When they are too long together.
    pub fn documents<'t>(
        about: About,
        key: &FingerprintKey,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Result<Self, KnownError> {
        let mut made = Made::new(about);
        for (document, text) in (0..).zip(texts) {
            let words = words::of(key, text);
            let shingle = |shingle: &[Word]| shingle.iter().fold(0, |hash, word| phrase(hash, word.hash));
            let hashes: Vec<u64> = words.windows(SHINGLE_WORDS).map(shingle).collect();
            let least = hashes.windows(WINNOWED).filter_map(|window| window.iter().min());
            made.entries.extend(least.map(|least| (*least, document)));
            made.entries.dedup();
            made.bounded()?;
        }
        made.done()
    }
}

struct Made {
    about: About,
    words_max: usize,
    firsts: Vec<(u64, u32)>,
    entries: Vec<(u64, u32)>,
}

impl Made {
    fn new(about: About) -> Self {
        Self { about, words_max: 0, firsts: Vec::new(), entries: Vec::new() }
    }

    fn add(&mut self, words: &[Word], payload: u32, line: usize) -> Result<(), KnownError> {
        let Some(first) = words.first() else { return Ok(()) };
        if words.len() > limits::KNOWN_WORDS_MAX {
            return Err(KnownError::Words { line: line + 1, max: limits::KNOWN_WORDS_MAX });
        }
        self.words_max = self.words_max.max(words.len());
        self.firsts.push((first.hash, 0));
        self.entries.push((words.iter().fold(0, |hash, word| phrase(hash, word.hash)), payload));
        self.bounded()
    }

    fn bounded(&self) -> Result<(), KnownError> {
        if self.entries.len() > limits::KNOWN_ENTRIES_MAX { Err(KnownError::TooMany) } else { Ok(()) }
    }

    fn done(self) -> Result<Set, KnownError> {
        let Self { about, words_max, firsts, entries } = self;
        if entries.is_empty() {
            return Err(KnownError::Empty);
        }
        Ok(Set { about, words_max, firsts: Table::new(firsts), entries: Table::new(entries) })
    }
}
