//! What the journal keeps in mind of its records: the tree, the intents without an outcome, and the index file.

use std::collections::HashSet;
use std::path::Path;

use model::ReceiptId;

use crate::batch::Line;
use crate::disk::{Disk, Growing};
use crate::files::{self, FileError};
use crate::frame::HEADER_BYTES;
use crate::index::{self, Entry};
use crate::merkle::{Frontier, leaf_hash_with};
use crate::record::Kind;

/// Bytes of entries that wait to be written out at most, while there is much to do.
const PENDING_BYTES: usize = 64 * 1024;

/// The memory of the journal's end.
pub(crate) struct Ledger {
    tree: Frontier,
    open: HashSet<ReceiptId>,
    index: Growing,
    /// Entries that are not in the index file yet.
    pending: Vec<u8>,
    /// Whether they could not be written when they should have been.
    stuck: bool,
    leaf_buffer: Vec<u8>,
}

impl Ledger {
    /// Goes on from a tree that was kept. What the index has beyond it is cut off.
    pub(crate) fn resume(
        directory: &Path,
        disk: &dyn Disk,
        tree: Frontier,
        open: HashSet<ReceiptId>,
    ) -> Result<Self, FileError> {
        let index = Growing::open(disk, directory.join(files::INDEX), index::position(tree.size()))?;
        Ok(Self { tree, open, index, pending: Vec::new(), stuck: false, leaf_buffer: Vec::new() })
    }

    /// Takes in a record that is in its segment, at `offset`.
    pub(crate) fn take_in(&mut self, line: &Line, frame: &[u8], offset: u64) {
        let entry = frame.get(HEADER_BYTES..).unwrap_or_default();
        let leaf = leaf_hash_with(&mut self.leaf_buffer, entry);
        let length = u32::try_from(entry.len()).unwrap_or(u32::MAX);
        let Line { id, kind, closes, .. } = *line;
        Entry { leaf, id, closes, offset, length, kind }.write(&mut self.pending);
        if let Some(root) = self.tree.push(leaf) {
            self.pending.extend_from_slice(&root);
        }
        if kind == Kind::Intent {
            self.open.insert(id);
        }
        if let Some(intent) = closes {
            self.open.remove(&intent);
        }
    }

    /// Writes to the index what it lacks.
    pub(crate) fn write_index(&mut self) -> Result<(), FileError> {
        if !self.pending.is_empty() {
            self.stuck = true;
            self.index.append(&self.pending)?;
            self.stuck = false;
            self.pending.clear();
        }
        Ok(())
    }

    /// The same when it failed before.
    pub(crate) fn write_index_if_stuck(&mut self) -> Result<(), FileError> {
        if self.stuck { self.write_index() } else { Ok(()) }
    }

    /// The same when there is much of it.
    pub(crate) fn write_index_if_much(&mut self) -> Result<(), FileError> {
        if self.pending.len() < PENDING_BYTES { Ok(()) } else { self.write_index() }
    }

    /// The records' tree.
    pub(crate) fn tree(&self) -> &Frontier {
        &self.tree
    }

    /// Intents without an outcome.
    pub(crate) fn open_intents(&self) -> &HashSet<ReceiptId> {
        &self.open
    }
}
