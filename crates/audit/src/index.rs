//! The index: for each record its leaf hash, ids and place, 80 bytes each, so that a receipt is found and proved
//! without reading the journal.
//!
//! It is derived: recovery makes it anew from the segments, and nothing in it is believed that a signed root does not
//! confirm. After each 1,024 entries stands the root of their subtree, which keeps proofs short to make.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use model::ReceiptId;

use crate::merkle::{BLOCK_LEAVES, Hash, Nodes};
use crate::record::Kind;

/// Bytes of one entry: leaf 32, id 16, closed intent 16, offset 8, length 4, kind 1, three unused.
const ENTRY_BYTES: u64 = 80;
const ENTRY_BYTES_USIZE: usize = 80;
/// Bytes of a full block: its entries and its root.
const BLOCK_BYTES: u64 = BLOCK_LEAVES * ENTRY_BYTES + 32;
/// Bytes read of the index at once: a whole number of blocks' entries is never exceeded.
const READ_ENTRIES: u64 = BLOCK_LEAVES;

/// What the index holds of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The record's leaf hash.
    pub(crate) leaf: Hash,
    /// The record's id.
    pub(crate) id: ReceiptId,
    /// For an outcome, the intent it closes.
    pub(crate) closes: Option<ReceiptId>,
    /// Where its frame begins in its segment.
    pub(crate) offset: u64,
    /// Bytes of the record, without the frame's header.
    pub(crate) length: u32,
    /// Its kind.
    pub(crate) kind: Kind,
}

/// No receipt has this id: its time is 1970 and its randomness nothing.
const NO_ID: [u8; 16] = [0; 16];

impl Entry {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.leaf);
        out.extend_from_slice(&self.id.to_bytes());
        out.extend_from_slice(&self.closes.map_or(NO_ID, ReceiptId::to_bytes));
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.length.to_le_bytes());
        let kind = Kind::ALL.iter().position(|&kind| kind == self.kind).and_then(|place| u8::try_from(place).ok());
        out.extend_from_slice(&[kind.unwrap_or(u8::MAX), 0, 0, 0]);
    }

    fn read(bytes: &[u8; ENTRY_BYTES_USIZE]) -> Option<Self> {
        let (leaf, rest) = bytes.split_first_chunk::<32>()?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (closes, rest) = rest.split_first_chunk::<16>()?;
        let (offset, rest) = rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let kind = *Kind::ALL.get(usize::from(*rest.first()?))?;
        Some(Self {
            leaf: *leaf,
            id: ReceiptId::from_bytes(*id),
            closes: (*closes != NO_ID).then(|| ReceiptId::from_bytes(*closes)),
            offset: u64::from_le_bytes(*offset),
            length: u32::from_le_bytes(*length),
            kind,
        })
    }
}

/// Where the entry of the record at `index` begins; for a tree of `index` records, also the index's length, up to the
/// last block's root.
pub(crate) fn position(index: u64) -> u64 {
    (index / BLOCK_LEAVES) * BLOCK_BYTES + (index % BLOCK_LEAVES) * ENTRY_BYTES
}

/// An index, to read from.
pub(crate) struct Index {
    file: File,
    size: u64,
    /// The entries read last, from this one on.
    first: u64,
    entries: Vec<Entry>,
}

impl Index {
    /// An index as long as its file is now.
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        let in_last = ((bytes % BLOCK_BYTES) / ENTRY_BYTES).min(BLOCK_LEAVES);
        Ok(Self { file, size: (bytes / BLOCK_BYTES) * BLOCK_LEAVES + in_last, first: 0, entries: Vec::new() })
    }

    /// Whole entries in it.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The entry of the record at `index`. Neighbours are read with it.
    pub(crate) fn entry(&mut self, index: u64) -> io::Result<Entry> {
        if let Some(entry) = self.held(index) {
            return Ok(entry);
        }
        let first = index - index % READ_ENTRIES;
        let count = READ_ENTRIES.min(self.size.saturating_sub(first));
        let bytes = usize::try_from(count * ENTRY_BYTES).unwrap_or_default();
        let mut block = vec![0; bytes];
        self.file.read_exact_at(&mut block, position(first))?;
        let (whole, _) = block.as_chunks::<ENTRY_BYTES_USIZE>();
        let entries: Option<Vec<Entry>> = whole.iter().map(Entry::read).collect();
        self.entries = entries.ok_or_else(damaged)?;
        self.first = first;
        self.held(index).ok_or_else(damaged)
    }

    fn held(&self, index: u64) -> Option<Entry> {
        let place = usize::try_from(index.checked_sub(self.first)?).ok()?;
        self.entries.get(place).copied()
    }
}

fn damaged() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the index is damaged; it is made anew when it is deleted and the gate started",
    )
}

impl Nodes for Index {
    type Error = io::Error;

    fn leaf(&mut self, index: u64) -> io::Result<Hash> {
        Ok(self.entry(index)?.leaf)
    }

    fn block(&mut self, index: u64) -> io::Result<Hash> {
        let mut root = [0; 32];
        self.file.read_exact_at(&mut root, position((index + 1) * BLOCK_LEAVES) - 32)?;
        Ok(root)
    }
}

#[cfg(test)]
mod tests;
