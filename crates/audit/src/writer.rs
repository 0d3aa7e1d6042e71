//! The end of the journal that grows: one batch of records after another, all of it or nothing.

use std::path::{Path, PathBuf};

use crate::batch::Batch;
use crate::disk::{Disk, Growing};
use crate::files::{self, FileError};
use crate::ledger::Ledger;
use crate::state::Standing;

/// When a batch's records must be in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Indexed {
    /// At once.
    Now,
    /// With a later batch's, which must follow within moments.
    Soon,
}

/// The end of the journal.
pub(crate) struct Writer {
    directory: PathBuf,
    disk: Box<dyn Disk>,
    segment_bytes_max: u64,
    segment: Growing,
    /// The segment's first record's number.
    segment_first: u64,
    ledger: Ledger,
}

impl Writer {
    /// Goes on at `offset` of a segment, which holds all that `ledger` knows. What lies beyond is cut off.
    pub(crate) fn resume(
        directory: &Path,
        disk: Box<dyn Disk>,
        ledger: Ledger,
        segment_first: u64,
        offset: u64,
        segment_bytes_max: u64,
    ) -> Result<Self, FileError> {
        let mut segment = Growing::open_ahead(&*disk, files::segment_path(directory, segment_first), offset)?;
        // What recovery read may not have been flushed by those who wrote it.
        segment.sync()?;
        files::sync_directory(directory)?;
        Ok(Self { directory: directory.to_path_buf(), disk, segment_bytes_max, segment, segment_first, ledger })
    }

    /// Makes a batch durable with one write and one flush. Then it is in the tree, and in the index now or soon. An empty
    /// batch brings the index up to date.
    pub(crate) fn commit(&mut self, batch: &Batch, indexed: Indexed) -> Result<(), FileError> {
        if batch.is_empty() {
            return self.ledger.write_index();
        }
        // A full disk shows here first while the segment still has space: an index must not fall behind for long.
        self.ledger.write_index_if_stuck()?;
        self.rotate_if_full(batch.bytes().len())?;
        let mut offset = self.segment.length();
        self.segment.append_durably(batch.bytes())?;
        for (line, frame) in batch.frames() {
            self.ledger.take_in(line, frame, offset);
            offset += u64::try_from(frame.len()).unwrap_or_default();
        }
        // The records are durable whatever becomes of the index; what could not be written is tried again.
        let written = match indexed {
            Indexed::Now => self.ledger.write_index(),
            Indexed::Soon => self.ledger.write_index_if_much(),
        };
        written.unwrap_or_default();
        Ok(())
    }

    fn rotate_if_full(&mut self, bytes: usize) -> Result<(), FileError> {
        let after = self.segment.length().saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if self.segment.length() == 0 || after <= self.segment_bytes_max {
            return Ok(());
        }
        // Whatever a failed write left must not stay in a segment that is never looked at again.
        self.segment.trim()?;
        let first = self.ledger.tree().size();
        let next = Growing::open_ahead(&*self.disk, files::segment_path(&self.directory, first), 0)?;
        // A durable record in a file whose name is lost would be lost: the name first.
        files::sync_directory(&self.directory)?;
        self.segment = next;
        self.segment_first = first;
        Ok(())
    }

    /// Records in the journal.
    pub(crate) fn size(&self) -> u64 {
        self.ledger.tree().size()
    }

    /// Where the journal stands. The index reaches it, so that what is signed can be proved and recovery begins there.
    pub(crate) fn standing(&mut self) -> Standing {
        // Without its index, recovery reads all records; that is no reason not to have them signed.
        self.ledger.write_index().unwrap_or_default();
        Standing {
            tree: self.ledger.tree().clone(),
            segment: self.segment_first,
            offset: self.segment.length(),
            open: self.ledger.open_intents().clone(),
        }
    }

    /// Leaves the segment with its records and nothing else.
    pub(crate) fn close(mut self) -> Result<(), FileError> {
        self.segment.trim()
    }
}
