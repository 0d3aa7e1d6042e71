//! Reads a journal: one receipt by its id, with the proof that it is in the signed tree, or the newest that fit.
//!
//! Nothing here needs the journal to be open for writing, or closed. Files are opened for each question, so an answer
//! is as of now.

mod records;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use model::{AgentId, Digest, ReceiptId, Timestamp, UserId, limits};
use serde::Serialize;

use crate::files::{self, FileError};
use crate::index::{Entry, Index};
use crate::merkle::{consistency_proof, inclusion_proof, verify_inclusion};
use crate::note::PublicKey;
use crate::record::{Kind, Record};
use records::Records;

/// Milliseconds by which records of one moment may stand out of order: tasks overtake each other.
const DISORDER_MILLISECONDS: u64 = 1_000;
/// Milliseconds a record may be written after its id was made, as a search by time assumes.
const LATE_MILLISECONDS: u64 = 60 * 60_000;

/// A journal's directory, to read from.
#[derive(Debug, Clone)]
pub struct Archive {
    directory: PathBuf,
}

/// A record with its place in the journal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Written {
    /// The record's number, from 0: its leaf in the tree.
    pub index: u64,
    /// The record.
    pub record: Record,
}

/// What the journal holds about one message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Receipt {
    /// The record: an intent, a refusal, a listing, a change.
    #[serde(flatten)]
    pub written: Written,
    /// How an intent ended; none while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Written>,
    /// That the record is in the signed tree; none until the next checkpoint, about a second, and in searches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Inclusion>,
}

/// The proof that a record is in a signed tree: anyone can check it with the record's bytes and the public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inclusion {
    /// The record's leaf hash.
    pub leaf: Digest,
    /// The leaf's siblings, from the leaf up.
    pub path: Vec<Digest>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// Which receipts to look for; what is `None` fits all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// A text that the record or its outcome has anywhere, in any case.
    pub text: Option<String>,
    /// The agent.
    pub agent: Option<AgentId>,
    /// The user.
    pub user: Option<UserId>,
    /// The kind. Outcomes come with their intents, unless they are asked for themselves.
    pub kind: Option<Kind>,
    /// Made at this time or later.
    pub since: Option<Timestamp>,
    /// Only records before this number: the next page.
    pub before: Option<u64>,
}

/// Some receipts, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// What was found.
    pub receipts: Vec<Receipt>,
    /// Where to go on, as [`Filter::before`]; none when there is nothing more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
}

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file operation failed.
    #[error("the journal could not be read")]
    File(#[from] FileError),
    /// What lies there is not what the index or the signed root says.
    #[error("record {index} of the journal is damaged: {meaning}")]
    Damaged {
        /// The record's number.
        index: u64,
        /// What is wrong.
        meaning: String,
    },
}

impl Archive {
    /// The journal in a directory.
    pub fn at(directory: &Path) -> Self {
        Self { directory: directory.to_path_buf() }
    }

    /// The receipt with this id, or the one that an outcome with this id belongs to.
    ///
    /// # Errors
    /// When the journal cannot be read, or the record does not lead to the signed root.
    pub fn find(&self, id: ReceiptId) -> Result<Option<Receipt>, ReadError> {
        // The checkpoint first: the index may grow while we read, and must not be the shorter of the two.
        let checkpoint = self.checkpoint()?;
        let Some(mut reader) = Reader::open(&self.directory)? else { return Ok(None) };
        let Some((mut index, mut entry)) = reader.position(id)? else { return Ok(None) };
        if let Some(intent) = entry.closes {
            let Some(closed) = reader.position(intent)? else { return Ok(None) };
            (index, entry) = closed;
        }
        let written = reader.written(index, &entry)?;
        let end = reader.index.size();
        let outcome = match entry.kind {
            Kind::Intent => reader.outcome(index, end, entry.id)?,
            Kind::Opened
            | Kind::Outcome
            | Kind::Refused
            | Kind::Listed
            | Kind::Changed
            | Kind::Strangers
            | Kind::Unrecorded
            | Kind::Taken
            | Kind::Asked
            | Kind::Feedback => None,
        };
        let proof = match checkpoint {
            Some((note, size, root)) if index < size => {
                let path = inclusion_proof(&mut reader.index, index, size).map_err(self.index_error())?;
                verify_inclusion(&entry.leaf, index, size, &path, &root)
                    .map_err(|error| ReadError::Damaged { index, meaning: error.to_string() })?;
                let path = path.into_iter().map(Digest::from_bytes).collect();
                Some(Inclusion { leaf: Digest::from_bytes(entry.leaf), path, checkpoint: note })
            }
            Some(_) | None => None,
        };
        Ok(Some(Receipt { written, outcome, proof }))
    }

    /// The newest receipts.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn tail(&self, limit: usize) -> Result<Vec<Receipt>, ReadError> {
        Ok(self.search(&Filter::default(), limit)?.receipts)
    }

    /// The newest receipts that fit. At most [`limits::SEARCH_RECORDS_MAX`] records are looked at for one page.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn search(&self, filter: &Filter, limit: usize) -> Result<Page, ReadError> {
        let mut page = Page { receipts: Vec::new(), before: None };
        let Some(mut reader) = Reader::open(&self.directory)? else { return Ok(page) };
        let end = filter.before.unwrap_or(u64::MAX).min(reader.index.size());
        // Outcomes stand after their intents, so a walk backwards meets them first.
        let mut outcomes = HashMap::new();
        let mut index = end;
        let looks = u64::try_from(limits::SEARCH_RECORDS_MAX).unwrap_or(u64::MAX);
        while index > 0 {
            if page.receipts.len() >= limit || end - index >= looks {
                page.before = Some(index);
                break;
            }
            index -= 1;
            let entry = reader.entry(index)?;
            if filter.since.is_some_and(|since| entry.id.milliseconds() + LATE_MILLISECONDS < since.0) {
                break;
            }
            if let Some(intent) = entry.closes {
                outcomes.insert(intent, index);
            }
            page.receipts.extend(reader.fitting(filter, index, &entry, end, &outcomes)?);
        }
        Ok(page)
    }

    /// The proof that the journal as it was with `old` records is the beginning of the journal with `size` records.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn consistency(&self, old: u64, size: u64) -> Result<Option<Vec<Digest>>, ReadError> {
        let Some(mut reader) = Reader::open(&self.directory)? else { return Ok(None) };
        if old > size || size > reader.index.size() {
            return Ok(None);
        }
        let proof = consistency_proof(&mut reader.index, old, size).map_err(self.index_error())?;
        Ok(Some(proof.into_iter().map(Digest::from_bytes).collect()))
    }

    /// The latest checkpoint, its size and its root.
    fn checkpoint(&self) -> Result<Option<(String, u64, crate::merkle::Hash)>, ReadError> {
        let Some(note) = files::read_if_there(&self.directory.join(files::CHECKPOINT))? else { return Ok(None) };
        let key = files::read(&self.directory.join(files::PUBLIC_KEY))?;
        let opened = key.parse::<PublicKey>().and_then(|key| key.open(&note));
        let checkpoint = opened.map_err(|error| ReadError::Damaged {
            index: 0,
            meaning: format!("the checkpoint cannot be believed: {error}"),
        })?;
        Ok(Some((note, checkpoint.size, checkpoint.root)))
    }

    fn index_error(&self) -> impl FnOnce(std::io::Error) -> FileError {
        FileError::on("read", &self.directory.join(files::INDEX))
    }
}

/// A journal's open files, for one question.
struct Reader {
    index: Index,
    index_path: PathBuf,
    records: Records,
}

impl Reader {
    /// `None` when there is no journal yet.
    fn open(directory: &Path) -> Result<Option<Self>, FileError> {
        let index_path = directory.join(files::INDEX);
        let file = match File::open(&index_path).map_err(FileError::on("open", &index_path)) {
            Ok(file) => file,
            Err(error) if error.is_missing() => return Ok(None),
            Err(error) => return Err(error),
        };
        let index = Index::new(file).map_err(FileError::on("look at", &index_path))?;
        Ok(Some(Self { index, index_path, records: Records::open(directory)? }))
    }

    fn entry(&mut self, index: u64) -> Result<Entry, FileError> {
        self.index.entry(index).map_err(FileError::on("read", &self.index_path))
    }

    fn written(&mut self, index: u64, entry: &Entry) -> Result<Written, ReadError> {
        let record = self.records.read(index, entry)?;
        Ok(Written { index, record })
    }

    /// Where the record with this id is. Ids begin with their time, so the search begins near it; what a clock
    /// that stepped back has put elsewhere is still found.
    fn position(&mut self, id: ReceiptId) -> Result<Option<(u64, Entry)>, FileError> {
        let size = self.index.size();
        let earliest = id.milliseconds().saturating_sub(DISORDER_MILLISECONDS);
        let (mut low, mut high) = (0, size);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.entry(middle)?.id.milliseconds() < earliest {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        for index in (low..size).chain(0..low) {
            let entry = self.entry(index)?;
            if entry.id == id {
                return Ok(Some((index, entry)));
            }
        }
        Ok(None)
    }

    /// The outcome of an intent, looked for up to `end`.
    fn outcome(&mut self, intent_index: u64, end: u64, intent: ReceiptId) -> Result<Option<Written>, ReadError> {
        for index in intent_index + 1..end {
            let entry = self.entry(index)?;
            if entry.closes == Some(intent) {
                return Ok(Some(self.written(index, &entry)?));
            }
        }
        Ok(None)
    }

    /// The record at `index` as a receipt, if it fits.
    fn fitting(
        &mut self,
        filter: &Filter,
        index: u64,
        entry: &Entry,
        end: u64,
        outcomes: &HashMap<ReceiptId, u64>,
    ) -> Result<Option<Receipt>, ReadError> {
        let kind_fits = match filter.kind {
            Some(kind) => entry.kind == kind,
            None => entry.kind != Kind::Outcome,
        };
        if !kind_fits {
            return Ok(None);
        }
        let written = self.written(index, entry)?;
        if !filter.fits_record(&written.record) {
            return Ok(None);
        }
        let outcome = match outcomes.get(&entry.id) {
            Some(&at) => {
                let entry = self.entry(at)?;
                Some(self.written(at, &entry)?)
            }
            // On a further page the outcome may stand on an earlier one.
            None if entry.kind == Kind::Intent && filter.before.is_some() => {
                let looks = u64::try_from(limits::SEARCH_RECORDS_MAX).unwrap_or(u64::MAX);
                let end = self.index.size().min(end.saturating_add(looks));
                self.outcome(index, end, entry.id)?
            }
            None => None,
        };
        let receipt = Receipt { written, outcome, proof: None };
        Ok(filter.fits_text(&receipt).then_some(receipt))
    }
}

impl Filter {
    fn fits_record(&self, record: &Record) -> bool {
        let who = record.who();
        let agent = self.agent.as_ref().is_none_or(|agent| who.is_some_and(|who| who.agent == *agent));
        let user = self.user.as_ref().is_none_or(|user| who.is_some_and(|who| who.user.as_ref() == Some(user)));
        agent && user && self.since.is_none_or(|since| record.at >= since)
    }

    fn fits_text(&self, receipt: &Receipt) -> bool {
        let Some(text) = &self.text else { return true };
        let text = text.to_lowercase();
        let mut records = [&receipt.written].into_iter().chain(&receipt.outcome);
        records.any(|written| {
            let mut bytes = Vec::new();
            // A record that was read can be written.
            written.record.encode(&mut bytes).unwrap_or_default();
            String::from_utf8_lossy(&bytes).to_lowercase().contains(&text)
        })
    }
}

#[cfg(test)]
mod tests;
