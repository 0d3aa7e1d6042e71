//! Checks a journal from its files alone: no database, no network, nothing is changed.
//!
//! Every record must be whole, be one this gate can read, and be in the tree that was signed: the tree is grown anew
//! from the records' bytes, and where a checkpoint was signed its root must be the same. Each outcome must close an
//! intent that stands before it, and none twice. What is found wrong is told with its place and what it means.

mod checkpoints;

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use model::{Digest, ReceiptId, limits};
use serde::Serialize;

use crate::files::{self, FileError};
use crate::frame::{Frame, Frames};
use crate::index::Index;
use crate::merkle::{Frontier, leaf_hash_with};
use crate::note::{NoteError, PublicKey};
use crate::record::{Event, Record};
use checkpoints::Checkpoints;

/// Records between two calls of the progress callback.
const PROGRESS_RECORDS: u64 = 10_000;

/// What the person who verifies brings along. Without it the key and the checkpoints beside the journal are believed,
/// and who rewrote the records may have rewritten those.
#[derive(Debug, Clone, Default)]
pub struct Trusted {
    /// The public key, from a place the gate's owner cannot write to.
    pub key: Option<PublicKey>,
    /// Checkpoints kept elsewhere.
    pub checkpoints: Vec<String>,
}

/// How far a verification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Records checked.
    pub records: u64,
    /// Bytes of records checked.
    pub bytes: u64,
    /// Bytes of records in all.
    pub bytes_total: u64,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The key that checkpoints were checked with, as `name+hash+key`.
    pub key: String,
    /// Records in the journal.
    pub records: u64,
    /// Bytes they take.
    pub bytes: u64,
    /// Segments they lie in.
    pub segments: u64,
    /// The root of all of them.
    pub root: Digest,
    /// Checkpoints whose signature and root fit.
    pub checkpoints: u64,
    /// Records that the largest of those covers; what came after is not signed yet.
    pub signed: u64,
    /// Intents without an outcome, in order: calls under way, or the gate has not been started since it stopped.
    pub open_intents: Vec<ReceiptId>,
    /// Bytes at the very end, after all that is signed, that are no whole record: being written, or torn by a crash.
    /// Zeros after them are not counted: they are space for records to come.
    pub unfinished_bytes: u64,
    /// What is wrong, the first [`limits::PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
    /// How much is wrong in all.
    pub problems_total: u64,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file's name in the journal's directory.
    pub file: String,
    /// The byte at which it begins.
    pub offset: u64,
    /// The record's number.
    pub index: u64,
    /// What is wrong, and what that means.
    pub meaning: String,
}

/// Why a journal could not be verified at all.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A file cannot be read.
    #[error("the journal could not be read")]
    File(#[from] FileError),
    /// There is no key to check signatures with.
    #[error("the public key beside the journal cannot be used")]
    Key(#[source] NoteError),
}

impl Report {
    /// Whether all is as it was written.
    pub fn is_intact(&self) -> bool {
        self.problems_total == 0
    }
}

/// Verifies the journal in a directory. It may be open for writing meanwhile.
///
/// # Errors
/// When a file or the public key cannot be read. What is wrong with the journal is in the report.
pub fn verify(directory: &Path, trusted: &Trusted, progress: &mut dyn FnMut(Progress)) -> Result<Report, VerifyError> {
    let mut findings = Findings::default();
    let key = key(directory, trusted, &mut findings)?;
    // Checkpoints before records: the journal may grow meanwhile, and a checkpoint never is ahead of its records.
    let checkpoints = Checkpoints::read(directory, &key, &trusted.checkpoints, &mut findings)?;
    let segments = files::segments(directory)?;
    let mut bytes_total = 0;
    for &first in &segments {
        let path = files::segment_path(directory, first);
        bytes_total += std::fs::metadata(&path).map_err(FileError::on("look at", &path))?.len();
    }
    let index = File::open(directory.join(files::INDEX)).and_then(Index::new).ok();
    let mut check = Check {
        findings,
        checkpoints,
        index,
        tree: Frontier::default(),
        tree_known: true,
        leaf_buffer: Vec::new(),
        number: 0,
        bytes: 0,
        bytes_total,
        open: HashMap::new(),
        unfinished_bytes: 0,
    };
    for (at, &first) in segments.iter().enumerate() {
        check.begin_segment(first);
        check.segment(directory, first, at + 1 == segments.len(), progress)?;
    }
    Ok(check.finish(&key, segments.len()))
}

/// The key to check with: the one brought along, which the one beside the journal should equal.
fn key(directory: &Path, trusted: &Trusted, findings: &mut Findings) -> Result<PublicKey, VerifyError> {
    let beside = files::read(&directory.join(files::PUBLIC_KEY));
    let Some(key) = &trusted.key else {
        return beside?.parse().map_err(VerifyError::Key);
    };
    if beside.ok().and_then(|text| text.parse::<PublicKey>().ok()).as_ref() != Some(key) {
        let meaning = "the key beside the journal is not the trusted one: it was replaced, or this is another journal";
        findings.add(files::PUBLIC_KEY, 0, 0, meaning.to_owned());
    }
    Ok(key.clone())
}

/// What is wrong so far.
#[derive(Default)]
struct Findings {
    problems: Vec<Problem>,
    total: u64,
}

impl Findings {
    fn add(&mut self, file: &str, offset: u64, index: u64, meaning: String) {
        self.total += 1;
        if self.problems.len() < limits::PROBLEMS_MAX {
            self.problems.push(Problem { file: file.to_owned(), offset, index, meaning });
        }
    }
}

struct Check {
    findings: Findings,
    checkpoints: Checkpoints,
    /// The index beside the records; none once it was seen to disagree, which is told once.
    index: Option<Index>,
    tree: Frontier,
    /// Whether the tree still stands for all records: a hole of unknown size ends that.
    tree_known: bool,
    leaf_buffer: Vec<u8>,
    /// The next record's number.
    number: u64,
    bytes: u64,
    bytes_total: u64,
    open: HashMap<ReceiptId, u64>,
    unfinished_bytes: u64,
}

impl Check {
    fn begin_segment(&mut self, first: u64) {
        if first != self.number {
            let meaning = format!(
                "the segment should begin at record {}: segments or records were removed or put in",
                self.number
            );
            self.findings.add(&name(first), 0, self.number, meaning);
            self.tree_known = false;
            self.number = first;
        }
    }

    fn segment(
        &mut self,
        directory: &Path,
        first: u64,
        last: bool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), FileError> {
        let path = files::segment_path(directory, first);
        let file = name(first);
        let opened = File::open(&path).map_err(FileError::on("open", &path))?;
        let mut frames = Frames::new(opened, 0);
        while let Some(found) = frames.advance().map_err(FileError::on("read", &path))? {
            let offset = found.offset;
            let unsigned_end = last && self.number >= self.checkpoints.largest();
            match found.frame {
                Frame::Entry { entry, .. } => self.record(&file, offset, entry),
                Frame::BadChecksum(entry) if !unsigned_end => {
                    let meaning = "the checksum does not fit: the record was changed after it was written";
                    self.findings.add(&file, offset, self.number, meaning.to_owned());
                    self.leaf(&file, offset, entry);
                }
                Frame::Short | Frame::BadLength if !unsigned_end => {
                    let end = frames.written_end(offset).map_err(FileError::on("read", &path))?;
                    if !last && end == offset {
                        // Space that was never used; the next segment's number tells whether records are missing here.
                        break;
                    }
                    let meaning = "no record begins here, though one must: what follows in this file cannot be read";
                    self.findings.add(&file, offset, self.number, meaning.to_owned());
                    self.tree_known = false;
                    break;
                }
                Frame::Short | Frame::BadLength | Frame::BadChecksum(_) => {
                    let end = frames.written_end(offset).map_err(FileError::on("read", &path))?;
                    self.unfinished_bytes = end - offset;
                    break;
                }
            }
            if self.number.is_multiple_of(PROGRESS_RECORDS) {
                progress(Progress { records: self.number, bytes: self.bytes, bytes_total: self.bytes_total });
            }
        }
        Ok(())
    }

    fn record(&mut self, file: &str, offset: u64, entry: &[u8]) {
        let index = self.number;
        self.leaf(file, offset, entry);
        let record = match Record::decode(entry) {
            Ok(record) => record,
            Err(error) => {
                let meaning = format!("the record cannot be read, though it is whole: {error}");
                return self.findings.add(file, offset, index, meaning);
            }
        };
        match record.event {
            Event::Intent(_) => {
                if let Some(other) = self.open.insert(record.id, index) {
                    let meaning = format!("record {other} is an intent with the same id");
                    self.findings.add(file, offset, index, meaning);
                }
            }
            Event::Outcome(outcome) => {
                if self.open.remove(&outcome.intent).is_none() {
                    let meaning =
                        format!("the outcome's intent {} is not before it, or was closed already", outcome.intent);
                    self.findings.add(file, offset, index, meaning);
                }
            }
            Event::Opened(_)
            | Event::Refused(_)
            | Event::Listed(_)
            | Event::Changed(_)
            | Event::Strangers(_)
            | Event::Unrecorded(_)
            | Event::Taken(_)
            | Event::Asked(_)
            | Event::Feedback(_) => {}
        }
    }

    /// Takes a record's bytes into the tree, and compares where something is known of it.
    fn leaf(&mut self, file: &str, offset: u64, entry: &[u8]) {
        let leaf = leaf_hash_with(&mut self.leaf_buffer, entry);
        if let Some(index) = self.index.as_mut().filter(|index| self.number < index.size())
            && index.entry(self.number).is_ok_and(|indexed| indexed.leaf != leaf)
        {
            let meaning = "the index knows another record here: this one was changed, removed or put in, or the \
                           index was damaged";
            self.findings.add(file, offset, self.number, meaning.to_owned());
            self.index = None;
        }
        self.tree.push(leaf);
        self.bytes += u64::try_from(entry.len()).unwrap_or_default();
        self.number += 1;
        if self.tree_known {
            self.checkpoints.compare(&self.tree, file, offset, &mut self.findings);
        }
    }

    fn finish(mut self, key: &PublicKey, segments: usize) -> Report {
        if self.tree_known {
            self.checkpoints.finish(self.number, &mut self.findings);
        }
        let mut open: Vec<(u64, ReceiptId)> = self.open.into_iter().map(|(id, index)| (index, id)).collect();
        open.sort_unstable();
        Report {
            key: key.to_string(),
            records: self.number,
            bytes: self.bytes,
            segments: u64::try_from(segments).unwrap_or(u64::MAX),
            root: Digest::from_bytes(self.tree.root()),
            checkpoints: self.checkpoints.confirmed,
            signed: self.checkpoints.signed,
            open_intents: open.into_iter().map(|(_, id)| id).collect(),
            unfinished_bytes: self.unfinished_bytes,
            problems: self.findings.problems,
            problems_total: self.findings.total,
        }
    }
}

fn name(first: u64) -> String {
    files::segment_path(Path::new(""), first).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
