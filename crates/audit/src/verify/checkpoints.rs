//! The checkpoints of a journal, and whether its records lead to them.

use std::collections::VecDeque;
use std::path::Path;

use super::Findings;
use crate::files::{self, FileError};
use crate::merkle::Frontier;
use crate::note::{Checkpoint, NOTE_LINES, PublicKey};

/// Whence a checkpoint that someone brought along comes, in a problem.
const BROUGHT: &str = "trusted checkpoint";

/// Checkpoints with a good signature, the smallest first.
pub(super) struct Checkpoints {
    waiting: VecDeque<(Checkpoint, &'static str)>,
    largest: u64,
    /// How many led to their root.
    pub(super) confirmed: u64,
    /// Records that the largest of those covers.
    pub(super) signed: u64,
}

impl Checkpoints {
    /// Reads those beside the journal and those brought along.
    pub(super) fn read(
        directory: &Path,
        key: &PublicKey,
        brought: &[String],
        findings: &mut Findings,
    ) -> Result<Self, FileError> {
        let latest = files::read_if_there(&directory.join(files::CHECKPOINT))?;
        let history = files::read_if_there(&directory.join(files::CHECKPOINTS))?.unwrap_or_default();
        let mut notes: Vec<(String, &'static str)> = Vec::new();
        let lines: Vec<&str> = history.split_inclusive('\n').filter(|line| line.ends_with('\n')).collect();
        // The last one may be cut short by a crash: it is no whole number of lines, and passed over.
        notes.extend(lines.chunks_exact(NOTE_LINES).map(|note| (note.concat(), files::CHECKPOINTS)));
        notes.extend(latest.map(|note| (note, files::CHECKPOINT)));
        notes.extend(brought.iter().map(|note| (note.clone(), BROUGHT)));
        let mut good: Vec<(Checkpoint, &'static str)> = Vec::new();
        for (note, from) in &notes {
            match key.open(note.trim_end_matches('\n')) {
                Ok(checkpoint) => good.push((checkpoint, from)),
                Err(error) => findings.add(from, 0, 0, format!("a checkpoint cannot be believed: {error}")),
            }
        }
        good.sort_by_key(|(checkpoint, _)| checkpoint.size);
        let largest = good.last().map_or(0, |(checkpoint, _)| checkpoint.size);
        Ok(Self { waiting: good.into(), largest, confirmed: 0, signed: 0 })
    }

    /// Records in the largest one.
    pub(super) fn largest(&self) -> u64 {
        self.largest
    }

    /// Compares the tree with the checkpoints of its size. After the first difference there is nothing more to learn.
    pub(super) fn compare(&mut self, tree: &Frontier, file: &str, offset: u64, findings: &mut Findings) {
        while let Some((checkpoint, from)) = self.waiting.front().filter(|(next, _)| next.size == tree.size()) {
            if checkpoint.root == tree.root() {
                self.confirmed += 1;
                self.signed = checkpoint.size;
                self.waiting.pop_front();
                continue;
            }
            let meaning = format!(
                "records {} to {} are not those that were signed ({from}): one of them was changed, removed or put in",
                self.signed,
                checkpoint.size.saturating_sub(1)
            );
            findings.add(file, offset, tree.size().saturating_sub(1), meaning);
            self.waiting.clear();
        }
    }

    /// Tells of checkpoints that the journal does not reach.
    pub(super) fn finish(&mut self, records: u64, findings: &mut Findings) {
        if let Some((checkpoint, from)) = self.waiting.pop_back().filter(|(last, _)| last.size > records) {
            let meaning = format!(
                "{} records were signed ({from}) and {records} are there: the end was removed",
                checkpoint.size
            );
            findings.add(from, 0, records, meaning);
        } else if records > 0 && self.largest == 0 {
            let meaning = "no checkpoint was signed: nothing vouches for these records".to_owned();
            findings.add(files::CHECKPOINT, 0, 0, meaning);
        }
    }
}
