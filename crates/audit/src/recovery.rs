//! What a crash meets: finds where the journal ends, and refuses one that is not what was signed.
//!
//! It begins at the state that was kept about a second before the end, if a signed checkpoint confirms it, and reads
//! what came after. A record that is torn at the very end was never durable: it is cut off. Zeros after the last
//! record are the space it would have grown into. Anything else that is wrong is damage, and nothing is changed.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use model::ReceiptId;

use crate::batch::Line;
use crate::disk::Disk;
use crate::files::{self, FileError};
use crate::frame::{Frame, Frames};
use crate::index;
use crate::journal::JournalError;
use crate::ledger::Ledger;
use crate::note::{Checkpoint, PublicKey};
use crate::record::Head;
use crate::state::Standing;
use crate::writer::Writer;

/// What recovery found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) records: u64,
    pub(crate) replayed: u64,
    pub(crate) truncated_bytes: u64,
    pub(crate) orphans: Vec<ReceiptId>,
}

/// Reads what was written after the kept state, and opens the journal's end for writing.
pub(crate) fn recover(
    directory: &Path,
    disk: Box<dyn Disk>,
    key: &PublicKey,
    segment_bytes_max: u64,
) -> Result<(Writer, Found), JournalError> {
    let checkpoint = checkpoint(directory, key)?;
    let segments = files::segments(directory)?;
    let standing = standing(directory, &segments, checkpoint.as_ref())?;
    let Standing { tree, segment, offset, open } = standing;
    let kept = tree.size();
    let ledger = Ledger::resume(directory, &*disk, tree, open)?;
    let mut replay = Replay { directory, ledger, checkpoint, truncated_bytes: 0 };
    replay.confirm_root(segment, offset)?;

    let mut end = (segment, offset);
    let mut firsts = segments.iter().copied().filter(|&first| first >= segment).peekable();
    while let Some(first) = firsts.next() {
        let from = if first == segment { offset } else { 0 };
        if first != segment && first != replay.ledger.tree().size() {
            let meaning = format!("a segment is missing: this one should begin at record {}", replay.size());
            return Err(replay.damaged(first, 0, meaning));
        }
        end = (first, replay.segment(first, from, firsts.peek().is_none())?);
    }
    replay.reaches_checkpoint(end)?;

    let Replay { mut ledger, truncated_bytes, .. } = replay;
    ledger.write_index()?;
    let records = ledger.tree().size();
    let mut orphans: Vec<ReceiptId> = ledger.open_intents().iter().copied().collect();
    orphans.sort_unstable();
    let writer = Writer::resume(directory, disk, ledger, end.0, end.1, segment_bytes_max)?;
    Ok((writer, Found { records, replayed: records - kept, truncated_bytes, orphans }))
}

/// The latest checkpoint, if its signature is ours.
fn checkpoint(directory: &Path, key: &PublicKey) -> Result<Option<Checkpoint>, JournalError> {
    let Some(note) = files::read_if_there(&directory.join(files::CHECKPOINT))? else { return Ok(None) };
    let checkpoint = key.open(&note).map_err(|error| JournalError::Damaged {
        file: files::CHECKPOINT.to_owned(),
        offset: 0,
        index: 0,
        meaning: error.to_string(),
    })?;
    Ok(Some(checkpoint))
}

/// The kept state, if the checkpoint covers it and the index reaches it; otherwise the beginning.
fn standing(directory: &Path, segments: &[u64], checkpoint: Option<&Checkpoint>) -> Result<Standing, FileError> {
    let signed = checkpoint.map_or(0, |checkpoint| checkpoint.size);
    let path = directory.join(files::INDEX);
    let indexed = match std::fs::metadata(&path).map_err(FileError::on("look at", &path)) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.is_missing() => 0,
        Err(error) => return Err(error),
    };
    let kept = Standing::read(directory)?.filter(|kept| {
        let size = kept.tree.size();
        size <= signed && index::position(size) <= indexed && segments.contains(&kept.segment)
    });
    Ok(kept.unwrap_or_else(Standing::beginning))
}

struct Replay<'a> {
    directory: &'a Path,
    ledger: Ledger,
    checkpoint: Option<Checkpoint>,
    truncated_bytes: u64,
}

impl Replay<'_> {
    fn size(&self) -> u64 {
        self.ledger.tree().size()
    }

    fn damaged(&self, segment: u64, offset: u64, meaning: String) -> JournalError {
        let path = files::segment_path(self.directory, segment);
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        JournalError::Damaged { file, offset, index: self.size(), meaning }
    }

    /// Takes in the records of a segment from `offset` on; gives where they end.
    fn segment(&mut self, first: u64, offset: u64, last: bool) -> Result<u64, JournalError> {
        let path = files::segment_path(self.directory, first);
        let mut file = File::open(&path).map_err(FileError::on("open", &path))?;
        let length = file.metadata().map_err(FileError::on("look at", &path))?.len();
        if length < offset {
            let meaning = format!("the file ends at byte {length}, before the last record that was signed");
            return Err(self.damaged(first, offset, meaning));
        }
        file.seek(SeekFrom::Start(offset)).map_err(FileError::on("read", &path))?;
        let mut frames = Frames::new(file, offset);
        while let Some(found) = frames.advance().map_err(FileError::on("read", &path))? {
            let offset = found.offset;
            let (frame, entry) = match found.frame {
                Frame::Entry { frame, entry } => (frame, entry),
                Frame::Short | Frame::BadLength | Frame::BadChecksum(_) => {
                    let end = frames.written_end(offset).map_err(FileError::on("read", &path))?;
                    return self.ended(first, offset, end, last);
                }
            };
            let head = Head::read(entry).map_err(|error| {
                self.damaged(first, offset, format!("it is whole, but no record this gate can read: {error}"))
            })?;
            let line = Line { id: head.id, kind: head.kind, closes: head.closes, bytes: frame.len(), awaited: false };
            self.ledger.take_in(&line, frame, offset);
            self.ledger.write_index_if_much()?;
            self.confirm_root(first, offset)?;
        }
        Ok(length)
    }

    /// Decides what it means that no record stands at `offset`, and all is zeros from `end` on: the end, torn by a crash
    /// or not, or damage.
    fn ended(&mut self, first: u64, offset: u64, end: u64, last: bool) -> Result<u64, JournalError> {
        let signed = self.checkpoint.as_ref().is_some_and(|checkpoint| self.size() < checkpoint.size);
        // Where another segment follows, its number tells whether records are missing here.
        let whole = if last { !signed } else { end == offset };
        if !whole {
            let meaning = "what was written here is a record no more, and it had been durable".to_owned();
            return Err(self.damaged(first, offset, meaning));
        }
        self.truncated_bytes = end - offset;
        Ok(offset)
    }

    /// Where the tree is as large as the signed one it must be the signed one.
    fn confirm_root(&self, segment: u64, offset: u64) -> Result<(), JournalError> {
        match &self.checkpoint {
            Some(signed) if signed.size == self.size() && signed.root != self.ledger.tree().root() => {
                let meaning = "the records up to here are not those of the signed checkpoint".to_owned();
                Err(self.damaged(segment, offset, meaning))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn reaches_checkpoint(&self, (segment, offset): (u64, u64)) -> Result<(), JournalError> {
        match &self.checkpoint {
            Some(signed) if signed.size > self.size() => {
                let meaning = format!("the journal ends here, and a signed checkpoint has {} records", signed.size);
                Err(self.damaged(segment, offset, meaning))
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
